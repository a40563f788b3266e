"""The convolution along one axis."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal, TypeAlias, get_args

from numpy_rnn import functional
from numpy_rnn._typing import Array, DTypeLike
from numpy_rnn.modules.linear import draw_parameters
from numpy_rnn.modules.weighted import Declared, Shape, WeightedLayer

__all__ = ["Conv1d"]

PaddingMode: TypeAlias = Literal["zeros", "reflect", "replicate", "circular"]
PADDING_MODES = get_args(PaddingMode)


class Conv1d(WeightedLayer):
    r"""Filters that slide along the last axis, after ``torch.nn.Conv1d``.

    .. math:: y_{n,o,t} = b_o + \sum_{c,k} w_{o,c,k} \, x_{n,\,c,\,t s + k d}

    with stride s and dilation d, over the channels c of the group that o is in. N is the
    batch size, K the size of a filter and L the length of the input.

    Parameters
    ----------
    in_channels, out_channels : int
        C_in and C_out, both divisible by `groups`.
    kernel_size : int or tuple of one
        K.
    stride : int or tuple of one, default 1
        The step from one window to the next.
    padding : int, tuple of one, 'same' or 'valid', default 0
        What is added on either side; as much as keeps the length, or nothing.
    dilation : int or tuple of one, default 1
        The step from one tap of a filter to the next.
    groups : int, default 1
        Blocks that the channels are divided into, each filtered alone.
    bias : bool, default True
        Whether there is a bias.
    padding_mode : {'zeros', 'reflect', 'replicate', 'circular'}
        What is added: zeros, the input mirrored, its edge, or its other end.
    device : None or 'cpu'
        Accepted for torch's sake: arrays are on the CPU.
    dtype : dtype, default float32
        float32 or float64.

    Attributes
    ----------
    weight : ndarray of shape (C_out, C_in / groups, K)
        First drawn from U(-k, k), k = 1 / sqrt(C_in / groups * K).
    bias : ndarray of shape (C_out,), or None
        Drawn likewise.

    Raises
    ------
    ValueError
        If channels, groups or an option are not possible.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv1d.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.Conv1d(16, 33, 3, stride=2)(np.zeros((20, 16, 50), np.float32)).shape
    (20, 33, 24)
    """

    weight: Array
    bias: Array | None

    _declared: ClassVar = {
        "weight": Declared(("out_channels", "in_channels", "*kernel_size")),
        "bias": Declared(("out_channels",), ("bias",)),
    }

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, ...],
        stride: int | tuple[int, ...] = 1,
        padding: Literal["same", "valid"] | int | tuple[int, ...] = 0,
        dilation: int | tuple[int, ...] = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: PaddingMode = "zeros",
        device: object = None,
        dtype: DTypeLike = None,
    ) -> None:
        super().__init__()
        if groups <= 0:
            raise ValueError("groups must be a positive integer")
        if in_channels % groups != 0:
            raise ValueError("in_channels must be divisible by groups")
        if out_channels % groups != 0:
            raise ValueError("out_channels must be divisible by groups")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size: tuple[int, ...] = _single(kernel_size)
        self.stride: tuple[int, ...] = _single(stride)
        self.padding = padding if isinstance(padding, str) else _single(padding)
        self.dilation: tuple[int, ...] = _single(dilation)
        self.groups = groups
        self.padding_mode = padding_mode
        if isinstance(padding, str) and padding not in ("same", "valid"):
            raise ValueError(
                f"Invalid padding string {padding!r}, should be one of 'same' and 'valid'"
            )
        if self.padding == "same" and self.stride != (1,):
            raise ValueError("padding='same' is not supported for strided convolutions")
        if padding_mode not in PADDING_MODES:
            raise ValueError(
                f"padding_mode must be one of {PADDING_MODES}, but got "
                f"padding_mode='{padding_mode}'"
            )
        self._create_weights(device, dtype, in_channels=in_channels // groups, bias=bias)

    @classmethod
    def _arguments_from(cls, shapes: Mapping[str, Shape]) -> dict[str, Any] | None:
        if len(shapes.get("weight", ())) != 3:
            return None
        return super()._arguments_from(shapes)

    @classmethod
    def _completed(
        cls, arguments: dict[str, Any], options: Mapping[str, Any]
    ) -> dict[str, Any]:
        # A filter sees the channels of one group.
        channels = arguments["in_channels"] * options.get("groups", 1)
        return {**arguments, **options, "in_channels": channels}

    def reset_parameters(self) -> None:
        """Draw the parameters again from the default generator."""
        draw_parameters(self.weight, self.bias)

    def forward(self, input: Array) -> Array:
        """Return the filtered input.

        Parameters
        ----------
        input : ndarray of shape (N, C_in, L) or (C_in, L)
            Of the weights' dtype.

        Returns
        -------
        ndarray of shape (N, C_out, T) or (C_out, T)
            T is ``(L + 2 * padding - dilation * (K - 1) - 1) // stride + 1``.

        Raises
        ------
        NotImplementedError
            If the input has other axes and the padding is not of zeros.
        RuntimeError
            If sizes, dtypes or options do not agree.
        """
        padding = self.padding
        if self.padding_mode != "zeros":
            input = functional.pad(input, self._both_sides(), mode=self.padding_mode)
            padding = (0,)
        return functional.conv1d(
            input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups
        )

    def _both_sides(self) -> Sequence[int]:
        """Return how much is added before and after the input."""
        if not isinstance(self.padding, str):
            return self.padding * 2
        excess = self.dilation[0] * (self.kernel_size[0] - 1) if self.padding == "same" else 0
        return excess // 2, excess - excess // 2

    def extra_repr(self) -> str:
        """Return the sizes and the options that are not at their defaults."""
        text = (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}"
        )
        text += self._changed(padding=(0,), dilation=(1,), groups=1)
        text += ", bias=False" if self.bias is None else ""
        return text + self._changed(padding_mode="zeros")


def _single(value: int | tuple[int, ...]) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, Iterable) else (value,)

"""Convolutions along one or two axes, and their transposes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal, TypeAlias, get_args

from numpy_rnn import functional
from numpy_rnn._typing import Array, DTypeLike
from numpy_rnn.modules.linear import draw_parameters
from numpy_rnn.modules.weighted import Declared, MisfitError, Shape, WeightedLayer

__all__ = ["Conv1d", "Conv2d", "ConvTranspose1d", "ConvTranspose2d"]

PaddingMode: TypeAlias = Literal["zeros", "reflect", "replicate", "circular"]
PADDING_MODES = get_args(PaddingMode)

Sizes: TypeAlias = int | tuple[int, ...]


class _ConvNd(WeightedLayer):
    """What the convolutions share: their options, and how they are drawn and print."""

    weight: Array
    bias: Array | None

    _axes: ClassVar[int]
    """How many axes it slides along."""

    def _set_options(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes,
        padding: str | Sizes,
        dilation: Sizes,
        groups: int,
        padding_mode: str,
        output_padding: Sizes = 0,
    ) -> None:
        """Keep the arguments of the constructor, each size as a tuple, and check them."""
        if groups <= 0:
            raise ValueError("groups must be a positive integer")
        if in_channels % groups != 0:
            raise ValueError("in_channels must be divisible by groups")
        if out_channels % groups != 0:
            raise ValueError("out_channels must be divisible by groups")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size: tuple[int, ...] = self._per_axis(kernel_size)
        self.stride: tuple[int, ...] = self._per_axis(stride)
        self.padding: Any = padding if isinstance(padding, str) else self._per_axis(padding)
        self.dilation: tuple[int, ...] = self._per_axis(dilation)
        self.output_padding: tuple[int, ...] = self._per_axis(output_padding)
        self.groups = groups
        self.padding_mode = padding_mode
        if isinstance(padding, str) and padding not in ("same", "valid"):
            raise ValueError(
                f"Invalid padding string {padding!r}, should be one of 'same' and 'valid'"
            )
        if self.padding == "same" and any(size != 1 for size in self.stride):
            raise ValueError("padding='same' is not supported for strided convolutions")
        if padding_mode not in PADDING_MODES:
            raise ValueError(
                f"padding_mode must be one of {PADDING_MODES}, but got "
                f"padding_mode='{padding_mode}'"
            )

    def _per_axis(self, value: Sizes) -> tuple[int, ...]:
        return tuple(value) if isinstance(value, Iterable) else (value,) * self._axes

    def reset_parameters(self) -> None:
        """Draw the parameters again from the default generator."""
        draw_parameters(self.weight, self.bias)

    def extra_repr(self) -> str:
        """Return the sizes and the options that are not at their defaults."""
        text = (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}"
        )
        none, one = (0,) * self._axes, (1,) * self._axes
        text += self._changed(padding=none, dilation=one, output_padding=none, groups=1)
        text += ", bias=False" if self.bias is None else ""
        return text + self._changed(padding_mode="zeros")


class _Conv(_ConvNd):
    """A convolution: what its classes share but the number of axes."""

    _declared: ClassVar = {
        "weight": Declared(("out_channels", "in_channels", "*kernel_size")),
        "bias": Declared(("out_channels",), ("bias",)),
    }
    _convolve: ClassVar[Callable[..., Array]]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Literal["same", "valid"] | Sizes = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: PaddingMode = "zeros",
        device: object = None,
        dtype: DTypeLike = None,
    ) -> None:
        super().__init__()
        self._set_options(
            *(in_channels, out_channels, kernel_size, stride, padding, dilation, groups),
            padding_mode,
        )
        self._create_weights(device, dtype, in_channels=in_channels // groups, bias=bias)

    @classmethod
    def _arguments_from(cls, shapes: Mapping[str, Shape]) -> dict[str, Any] | None:
        if len(shapes.get("weight", ())) != cls._axes + 2:
            return None
        return super()._arguments_from(shapes)

    @classmethod
    def _completed(
        cls, arguments: dict[str, Any], options: Mapping[str, Any]
    ) -> dict[str, Any]:
        # A filter sees the channels of one group.
        channels = arguments["in_channels"] * options.get("groups", 1)
        return {**arguments, **options, "in_channels": channels}

    def forward(self, input: Array) -> Array:
        """Return the filtered input.

        Parameters
        ----------
        input : ndarray
            Of the shape that the class says, and of the weights' dtype.

        Returns
        -------
        ndarray
            Of the shape that the class says.

        Raises
        ------
        NotImplementedError
            If the input has other axes and the padding is not of zeros.
        RuntimeError
            If sizes, dtypes or options do not agree.
        """
        padding = self.padding
        if self.padding_mode != "zeros":
            mode: Any = self.padding_mode
            input = functional.pad(input, self._both_sides(), mode=mode)
            padding = (0,)
        options = self.stride, padding, self.dilation, self.groups
        return type(self)._convolve(input, self.weight, self.bias, *options)

    def _both_sides(self) -> Sequence[int]:
        """Return how much is added before and after each axis, the last one first."""
        if not isinstance(self.padding, str):
            return [size for size in reversed(self.padding) for _ in range(2)]
        sides: list[int] = []
        for axis in reversed(range(self._axes)):
            excess = self.dilation[axis] * (self.kernel_size[axis] - 1)
            before = excess // 2 if self.padding == "same" else 0
            sides += [before, excess - before if self.padding == "same" else 0]
        return sides


class Conv1d(_Conv):
    r"""Filters that slide along the last axis, after ``torch.nn.Conv1d``.

    .. math:: y_{n,o,t} = b_o + \sum_{c,k} w_{o,c,k} \, x_{n,\,c,\,t s + k d}

    with stride s and dilation d, over the channels c of the group that o is in. N is the
    batch size, K the size of a filter and L the length of the input. (N, C_in, L) or
    (C_in, L) goes in, (N, C_out, T) or (C_out, T) comes out; T is
    ``(L + 2 * padding - dilation * (K - 1) - 1) // stride + 1``.

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

    _axes = 1
    _convolve = staticmethod(functional.conv1d)


class Conv2d(_Conv):
    r"""Filters that slide along the last two axes, after ``torch.nn.Conv2d``.

    .. math::
        y_{n,o,t,u} = b_o + \sum_{c,k,l} w_{o,c,k,l} \, x_{n,\,c,\,t s + k d,\,u s + l d}

    (N, C_in, H, W) or (C_in, H, W) goes in, (N, C_out, H_out, W_out) or the same without N
    comes out; sizes follow from H and W as T from L in `Conv1d`.

    Parameters
    ----------
    in_channels, out_channels : int
        C_in and C_out, both divisible by `groups`.
    kernel_size, stride, padding, dilation : int or tuple of two
        As of `Conv1d`, for both axes or each; `padding` may be 'same' or 'valid'.
    groups, bias, padding_mode, device, dtype
        As of `Conv1d`.

    Attributes
    ----------
    weight : ndarray of shape (C_out, C_in / groups, K_H, K_W)
        First drawn from U(-k, k), k = 1 / sqrt(C_in / groups * K_H * K_W).
    bias : ndarray of shape (C_out,), or None
        Drawn likewise.

    Raises
    ------
    ValueError
        If channels, groups or an option are not possible.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv2d.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> conv = nn.Conv2d(16, 33, (3, 5), stride=(2, 1), padding=(4, 2))
    >>> conv(np.zeros((2, 16, 50, 100), np.float32)).shape
    (2, 33, 28, 100)
    """

    _axes = 2
    _convolve = staticmethod(functional.conv2d)


class _ConvTranspose(_ConvNd):
    """A transposed convolution: what its classes share but the number of axes."""

    _declared: ClassVar = {
        "weight": Declared(("in_channels", "filters", "*kernel_size")),
        "bias": Declared(("out_channels",), ("bias",)),
    }
    _convolve: ClassVar[Callable[..., Array]]
    _output_axis = 1

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes = 0,
        output_padding: Sizes = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Sizes = 1,
        padding_mode: Literal["zeros"] = "zeros",
        device: object = None,
        dtype: DTypeLike = None,
    ) -> None:
        super().__init__()
        if padding_mode != "zeros":
            raise ValueError(
                f'Only "zeros" padding mode is supported for {type(self).__name__}'
            )
        self._set_options(
            *(in_channels, out_channels, kernel_size, stride, padding, dilation, groups),
            padding_mode,
            output_padding,
        )
        self._create_weights(device, dtype, filters=out_channels // groups, bias=bias)

    @classmethod
    def _shapes(cls, **arguments: Any) -> Any:
        filters = arguments["out_channels"] // arguments.get("groups", 1)
        return super()._shapes(**{"filters": filters, **arguments})

    @classmethod
    def _arguments_from(cls, shapes: Mapping[str, Shape]) -> dict[str, Any] | None:
        weight = shapes.get("weight", ())
        if len(weight) != cls._axes + 2:
            return None
        in_channels, filters, *kernel = weight
        arguments: dict[str, Any] = {"in_channels": in_channels, "out_channels": filters}
        arguments |= {"kernel_size": kernel[0] if cls._axes == 1 else tuple(kernel)}
        arguments["bias"] = "bias" in shapes
        if "bias" in shapes:
            (arguments["out_channels"],) = shapes["bias"] if len(shapes["bias"]) == 1 else (0,)
            groups, rest = divmod(arguments["out_channels"], filters or 1)
            if rest or not groups or in_channels % groups:
                raise MisfitError(
                    f"bias must have {filters} elements, or those of several groups, got shape "
                    f"{shapes['bias']}"
                )
            arguments["groups"] = groups
        return arguments

    @classmethod
    def _completed(
        cls, arguments: dict[str, Any], options: Mapping[str, Any]
    ) -> dict[str, Any]:
        # A weight has the filters of one group; a bias, which would show it, is missing.
        filters = arguments["out_channels"] * options.get("groups", 1)
        return {**arguments, **options, "out_channels": filters}

    @classmethod
    def _likelihood(cls, name: str, shapes: Mapping[str, Shape]) -> float:
        """Return how likely the weights are not those of a convolution."""
        weight = shapes.get("weight", ())
        bias = shapes.get("bias", weight[:1])
        words = ("transpose", "deconv", "up", "tconv", "convtr")
        is_named = any(word in name.lower() for word in words)
        return 2 if is_named or bias != weight[:1] else 0

    def forward(self, input: Array, output_size: Sequence[int] | None = None) -> Array:
        """Return the input times filters, added up.

        Parameters
        ----------
        input : ndarray
            Of the shape that the class says, and of the weights' dtype.
        output_size : sequence of int, optional
            The sizes of the output's last axes, in place of what `output_padding` gives.

        Returns
        -------
        ndarray
            Of the shape that the class says.

        Raises
        ------
        RuntimeError
            If sizes, dtypes or options do not agree.
        ValueError
            If there can be no output of that size.
        """
        more = self.output_padding
        if output_size is not None:
            more = self._padding_for(input.shape, output_size)
        options = self.stride, self.padding, more, self.groups, self.dilation
        return type(self)._convolve(input, self.weight, self.bias, *options)

    def _padding_for(self, shape: Shape, output_size: Sequence[int]) -> tuple[int, ...]:
        """Return the output padding that gives an output of a size."""
        axes = self._axes
        lead = 2 if len(shape) == axes + 2 else 1
        wanted = [*output_size][lead:] if len(output_size) == lead + axes else [*output_size]
        if len(wanted) != axes:
            raise ValueError(
                f"ConvTranspose{axes}D: for {len(shape)}D input, output_size must have {axes} "
                f"or {lead + axes} elements (got {len(output_size)})"
            )
        options = zip(
            *(shape[lead:], self.stride, self.padding, self.dilation, self.kernel_size)
        )
        least = [(n - 1) * s - 2 * p + d * (k - 1) + 1 for n, s, p, d, k in options]
        most = [size + s - 1 for size, s in zip(least, self.stride)]
        if not all(low <= n <= high for low, n, high in zip(least, wanted, most)):
            raise ValueError(
                f"requested an output size of {wanted}, but valid sizes range from {least} to "
                f"{most} (for an input of {list(shape[2:])})"
            )
        return tuple(size - low for size, low in zip(wanted, least))


class ConvTranspose1d(_ConvTranspose):
    r"""Filters that are added up along the last axis, each times an element of the input.

    .. math:: y_{n,\,o,\,t s + k d} \mathrel{+}= w_{c,o,k} \, x_{n,c,t}

    to what begins as the bias, with stride s and dilation d. It turns shapes back that a
    `Conv1d` with the same options has changed. (N, C_in, L) or (C_in, L) goes in,
    (N, C_out, T) or (C_out, T) comes out; T is
    ``(L - 1) * stride - 2 * padding + dilation * (K - 1) + output_padding + 1``.

    Parameters
    ----------
    in_channels, out_channels : int
        C_in and C_out, both divisible by `groups`.
    kernel_size : int or tuple of one
        K.
    stride : int or tuple of one, default 1
        The step in the output from one element of the input to the next.
    padding : int or tuple of one, default 0
        How many elements are left out of the output on either side.
    output_padding : int or tuple of one, default 0
        How many more there are at its end.
    groups : int, default 1
        Blocks that the channels are divided into, each filtered alone.
    bias : bool, default True
        Whether there is a bias.
    dilation : int or tuple of one, default 1
        The step from one tap of a filter to the next.
    padding_mode : 'zeros'
        Accepted for torch's sake: there is no other.
    device : None or 'cpu'
        Accepted for torch's sake: arrays are on the CPU.
    dtype : dtype, default float32
        float32 or float64.

    Attributes
    ----------
    weight : ndarray of shape (C_in, C_out / groups, K)
        First drawn from U(-k, k), k = 1 / sqrt(C_out / groups * K).
    bias : ndarray of shape (C_out,), or None
        Drawn likewise.

    Raises
    ------
    ValueError
        If channels, groups or an option are not possible.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.ConvTranspose1d.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> up = nn.ConvTranspose1d(16, 33, 4, stride=2, padding=1)
    >>> up(np.zeros((20, 16, 50), np.float32)).shape
    (20, 33, 100)
    """

    _axes = 1
    _convolve = staticmethod(functional.conv_transpose1d)


class ConvTranspose2d(_ConvTranspose):
    """Filters that are added up along the last two axes, each times an element of the input.

    (N, C_in, H, W) or (C_in, H, W) goes in, (N, C_out, H_out, W_out) or the same without N
    comes out; sizes follow from H and W as T from L in `ConvTranspose1d`.

    Parameters
    ----------
    in_channels, out_channels : int
        C_in and C_out, both divisible by `groups`.
    kernel_size, stride, padding, output_padding, dilation : int or tuple of two
        As of `ConvTranspose1d`, for both axes or each.
    groups, bias, padding_mode, device, dtype
        As of `ConvTranspose1d`.

    Attributes
    ----------
    weight : ndarray of shape (C_in, C_out / groups, K_H, K_W)
        First drawn from U(-k, k), k = 1 / sqrt(C_out / groups * K_H * K_W).
    bias : ndarray of shape (C_out,), or None
        Drawn likewise.

    Raises
    ------
    ValueError
        If channels, groups or an option are not possible.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.ConvTranspose2d.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> up = nn.ConvTranspose2d(16, 33, 3, stride=2, padding=1)
    >>> up(np.zeros((2, 16, 6, 6), np.float32), output_size=(12, 12)).shape
    (2, 33, 12, 12)
    """

    _axes = 2
    _convolve = staticmethod(functional.conv_transpose2d)

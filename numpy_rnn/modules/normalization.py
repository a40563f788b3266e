"""Normalisation of each element of a batch by its own statistics."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from numpy_rnn import functional
from numpy_rnn._typing import AnyArray, Array, DTypeLike
from numpy_rnn.arguments import refuse_bool
from numpy_rnn.modules.weighted import Declared, Shape, WeightedLayer

__all__ = ["GroupNorm", "LayerNorm"]


def fill(array: AnyArray | None, value: int) -> None:
    """Set all elements of an array, if there is one."""
    if array is not None:
        array[...] = value


class LayerNorm(WeightedLayer):
    r"""Normalisation over the last axes, by their own mean and variance.

    .. math:: y = \frac{x - \mathrm{E}[x]}{\sqrt{\mathrm{Var}[x] + \epsilon}} \, w + b

    Parameters
    ----------
    normalized_shape : int or sequence of int
        The sizes of the axes that are normalised over.
    eps : float, default 1e-5
        Added to the variance.
    elementwise_affine : bool, default True
        Whether there are ``weight`` and ``bias``.
    bias : bool, default True
        Whether there is a bias beside the weight.
    device : None or 'cpu'
        Accepted for torch's sake: arrays are on the CPU.
    dtype : dtype, default float32
        float32 or float64.

    Attributes
    ----------
    weight, bias : ndarray of shape normalized_shape, or None
        First 1 and 0.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.LayerNorm.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.LayerNorm(2)(np.array([[1, 3], [10, 30]], np.float32)).round(3)
    array([[-1.,  1.],
           [-1.,  1.]], dtype=float32)
    """

    normalized_shape: tuple[int, ...]
    weight: Array | None
    bias: Array | None

    _declared: ClassVar = {
        "weight": Declared(("*normalized_shape",), ("elementwise_affine",)),
        "bias": Declared(("*normalized_shape",), ("elementwise_affine", "bias")),
    }
    _norm_names = re.compile(r"norm|(?<![a-z])ln", re.IGNORECASE)

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: object = None,
        dtype: DTypeLike = None,
    ) -> None:
        super().__init__()
        if not isinstance(normalized_shape, Iterable):
            normalized_shape = (normalized_shape,)
        self.normalized_shape = tuple(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self._create_weights(device, dtype, bias=bias)

    @classmethod
    def _likelihood(cls, name: str, shapes: Mapping[str, Shape]) -> float:
        named = cls._norm_names.search(name)
        if "bias" not in shapes and not (named and len(shapes["weight"]) == 1):
            return 0  # a weight alone may be anything
        return 2 if named else 1

    def reset_parameters(self) -> None:
        """Set the weight to 1 and the bias to 0."""
        fill(self.weight, 1)
        fill(self.bias, 0)

    def forward(self, input: Array) -> Array:
        """Return the normalised input.

        Parameters
        ----------
        input : ndarray of shape (..., *normalized_shape)
            Of the weights' dtype.

        Returns
        -------
        ndarray of the same shape

        Raises
        ------
        RuntimeError
            If sizes or dtypes do not agree.
        """
        return functional.layer_norm(
            input, self.normalized_shape, self.weight, self.bias, self.eps
        )

    def extra_repr(self) -> str:
        """Return the shape and all options, as torch shows them."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        )


class GroupNorm(WeightedLayer):
    r"""Normalisation of groups of channels, by the mean and variance of each group.

    .. math:: y = \frac{x - \mathrm{E}[x]}{\sqrt{\mathrm{Var}[x] + \epsilon}} \, w + b

    Parameters
    ----------
    num_groups : int
        Into how many groups the channels are divided.
    num_channels : int
        C.
    eps : float, default 1e-5
        Added to the variance.
    affine : bool, default True
        Whether there are ``weight`` and ``bias``.
    device : None or 'cpu'
        Accepted for torch's sake: arrays are on the CPU.
    dtype : dtype, default float32
        float32 or float64.
    bias : bool, default True
        Whether there is a bias beside the weight.

    Attributes
    ----------
    weight, bias : ndarray of shape (C,), or None
        First 1 and 0.

    Raises
    ------
    ValueError
        If the channels cannot be divided into the groups.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.GroupNorm.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.GroupNorm(2, 4)(np.array([[1, 3, 10, 30]], np.float32)).round(3)
    array([[-1.,  1., -1.,  1.]], dtype=float32)
    """

    weight: Array | None
    bias: Array | None

    _declared: ClassVar = {
        "weight": Declared(("num_channels",), ("affine",)),
        "bias": Declared(("num_channels",), ("affine", "bias")),
    }
    _norm_names = re.compile(r"group_?norm|(?<![a-z])gn", re.IGNORECASE)

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: object = None,
        dtype: DTypeLike = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        refuse_bool(num_groups, "num_groups")
        refuse_bool(num_channels, "num_channels")
        if num_channels % num_groups != 0:
            raise ValueError(
                f"num_channels ({num_channels}) must be divisible by num_groups ({num_groups})"
            )
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        self._create_weights(device, dtype, bias=bias)

    @classmethod
    def _likelihood(cls, name: str, shapes: Mapping[str, Shape]) -> float:
        if cls._norm_names.search(name):
            return 3
        return 0.4 if "bias" in shapes else 0  # a weight alone may be anything

    def reset_parameters(self) -> None:
        """Set the weight to 1 and the bias to 0."""
        fill(self.weight, 1)
        fill(self.bias, 0)

    def forward(self, input: Array) -> Array:
        """Return the normalised input.

        Parameters
        ----------
        input : ndarray of shape (N, C, ...)
            Of the weights' dtype.

        Returns
        -------
        ndarray of the same shape

        Raises
        ------
        RuntimeError
            If sizes or dtypes do not agree.
        ValueError
            If there is one value per group.
        """
        return functional.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Return the sizes and all options, as torch shows them."""
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )

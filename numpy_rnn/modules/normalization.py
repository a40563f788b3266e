"""Normalisation of each element of a batch by its own statistics."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from numpy_rnn import functional
from numpy_rnn._typing import Array, DTypeLike
from numpy_rnn.arguments import check_device, new_array, parse_dtype
from numpy_rnn.modules.module import Module

__all__ = ["LayerNorm"]


class LayerNorm(Module):
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
        There is one device.
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
        check_device(device)
        parameter_dtype = parse_dtype(dtype)
        if isinstance(normalized_shape, Iterable):
            self.normalized_shape = tuple(normalized_shape)
        else:
            self.normalized_shape = (normalized_shape,)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        shape = self.normalized_shape
        weight = new_array(shape, parameter_dtype) if elementwise_affine else None
        self.register_parameter("weight", weight)
        self.register_parameter("bias", weight if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the weight to 1 and the bias to 0."""
        if self.weight is not None:
            self.weight[...] = 1
        if self.bias is not None:
            self.bias[...] = 0

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

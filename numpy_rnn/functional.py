"""Functions without parameters of their own, after ``torch.nn.functional``.

They take arrays of float32 or float64 and return new arrays of the same dtype.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from numpy_rnn import random
from numpy_rnn.arguments import FLOAT32, FLOAT64, as_array
from numpy_rnn.kernels.affine import affine

if TYPE_CHECKING:
    from numpy_rnn._typing import Array

__all__ = ["dropout", "linear", "log_softmax", "sigmoid"]


def sigmoid(input: Array) -> Array:
    r"""Return the logistic function of `input`, element by element.

    .. math:: \sigma(x) = 1 / (1 + e^{-x})

    Parameters
    ----------
    input : ndarray of any shape
        float32 or float64; integers are taken as float32, as torch takes them.

    Returns
    -------
    ndarray
        Of the same shape, in [0, 1]. Nothing overflows, however large the input is, and
        small results keep their relative precision.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.sigmoid.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.functional.sigmoid(np.array([-1e4, 0.0, 1e4], np.float32))
    array([0. , 0.5, 1. ], dtype=float32)
    """
    x = _as_float(input, "input")
    with np.errstate(all="ignore"):
        decay = np.exp(-np.abs(x))  # in (0, 1] on either side of zero
        result: Array = np.asarray(np.where(x < 0, decay, x.dtype.type(1)) / (1 + decay))
    return result


def log_softmax(input: Array, dim: int) -> Array:
    r"""Return the logarithm of the softmax of `input` along an axis.

    .. math:: y_i = x_i - \log \sum_j e^{x_j}

    Parameters
    ----------
    input : ndarray of any shape
        float32 or float64.
    dim : int
        The axis whose exponentials sum to one; negative counts from the last.

    Returns
    -------
    ndarray
        Of the same shape.

    Raises
    ------
    IndexError
        If `dim` is no axis of `input`.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.log_softmax.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.functional.log_softmax(np.zeros((1, 2)), dim=-1)
    array([[-0.69314718, -0.69314718]])
    """
    x = _as_float(input, "input")
    axes = max(1, x.ndim)
    if not -axes <= dim < axes:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-axes}, {axes - 1}], "
            f"but got {dim})"
        )
    if x.size == 0:
        return x.copy()
    if x.ndim == 0:
        return log_softmax(x[None], 0)[0, ...]
    with np.errstate(all="ignore"):
        shifted = x - x.max(axis=dim, keepdims=True)
        result: Array = shifted - np.log(np.exp(shifted).sum(axis=dim, keepdims=True))
    return result


def linear(input: Array, weight: Array, bias: Array | None = None) -> Array:
    """Return ``input W^T + b``.

    Parameters
    ----------
    input : ndarray of shape (..., in_features)
        float32 or float64.
    weight : ndarray of shape (out_features, in_features)
        Of the input's dtype.
    bias : ndarray of shape (out_features,), optional
        Of the input's dtype.

    Returns
    -------
    ndarray of shape (..., out_features)

    Raises
    ------
    RuntimeError
        If the dtypes or the sizes do not agree.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.linear.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.functional.linear(np.ones((2, 3)), np.ones((4, 3)), np.zeros(4)).shape
    (2, 4)
    """
    x, w = as_array(input, "input"), as_array(weight, "weight")
    b = None if bias is None else as_array(bias, "bias")
    if w.ndim != 2:
        raise RuntimeError(f"weight must have 2 axes, got an array of shape {w.shape}")
    for name, array in (("input", x), ("bias", b)):
        if array is not None and array.dtype != w.dtype:
            raise RuntimeError(
                f"{name} dtype ({array.dtype}) does not match weight dtype ({w.dtype}). "
                f"Convert it: {name}.astype(numpy.{w.dtype})"
            )
    if x.ndim == 0 or x.shape[-1] != w.shape[1]:
        raise RuntimeError(
            f"the last axis of input must be equal to in_features. Expected {w.shape[1]}, got "
            f"input of shape {x.shape}"
        )
    if b is not None and b.shape != (len(w),):
        raise RuntimeError(f"bias must be of shape {(len(w),)}, got {b.shape}")
    rows = math.prod(x.shape[:-1])
    out = np.empty((rows, len(w)), x.dtype)
    with np.errstate(all="ignore"):
        affine(x.reshape(rows, x.shape[-1]), w.T, b, out)
    return out.reshape(*x.shape[:-1], len(w))


def dropout(input: Array, p: float = 0.5, training: bool = True) -> Array:
    """Zero elements with probability `p` and scale the rest by ``1 / (1 - p)``.

    Parameters
    ----------
    input : ndarray of any shape
        float32 or float64.
    p : float
        From 0 to 1.
    training : bool
        If False, a copy of `input` is returned.

    Returns
    -------
    ndarray
        Of the same shape. The mask comes from the default generator
        (`numpy_rnn.manual_seed`) and is torch's for the same seed, except where torch
        draws with MKL, as it does on Intel processors.

    Raises
    ------
    ValueError
        If `p` is out of range.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.dropout.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> _ = nn.manual_seed(1)
    >>> nn.functional.dropout(np.ones(6), 0.5)
    array([2., 2., 2., 2., 0., 2.])
    """
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    x = _as_float(input, "input")
    if not training or p == 0.0 or x.size == 0:
        return x.copy()
    with np.errstate(all="ignore"):
        if p == 1.0:
            return np.asarray(x * x.dtype.type(0))
        kept = random.default_generator.bernoulli(x.shape, 1.0 - p)
        return np.asarray(x * (kept / x.dtype.type(1.0 - p)))


def _as_float(value: object, name: str) -> Array:
    """Return `value` as a float array: integers as float32, float32 and float64 as they are."""
    array: Any = as_array(value, name)
    if array.dtype.kind in "iub":
        array = array.astype(FLOAT32)
    if array.dtype not in (FLOAT32, FLOAT64):
        raise TypeError(f"{name} must be a float32 or float64 array, got {array.dtype}")
    result: Array = array
    return result

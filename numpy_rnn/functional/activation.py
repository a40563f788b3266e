"""Non-linear functions: of each element, and along an axis."""

from __future__ import annotations

import warnings

import numpy as np

from numpy_rnn._typing import Array, DTypeLike
from numpy_rnn.arguments import (
    as_array,
    as_float_array,
    as_promoted_array,
    fill_value,
    parse_axis,
    parse_dtype,
)
from numpy_rnn.floating_point import cast, silent


@silent
def sigmoid(input: Array) -> Array:
    r"""Return the logistic function of each element.

    .. math:: \sigma(x) = 1 / (1 + e^{-x})

    Parameters
    ----------
    input : ndarray of any shape
        float32 or float64; integers are converted to float32, as in torch.

    Returns
    -------
    ndarray of the same shape
        In [0, 1]. Nothing overflows, however large the input is, and small results keep
        their relative precision.

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
    x = as_promoted_array(input, "input")
    one = x.dtype.type(1)
    decay = np.exp(-np.abs(x))  # in (0, 1] on either side of zero
    return np.asarray(np.where(x < 0, decay, one) / (one + decay))


@silent
def tanh(input: Array) -> Array:
    """Return the hyperbolic tangent of each element.

    Parameters
    ----------
    input : ndarray of any shape
        float32 or float64; integers are converted to float32, as in torch.

    Returns
    -------
    ndarray of the same shape

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.tanh.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.functional.tanh(np.array([-100.0, 0.0, 100.0]))
    array([-1.,  0.,  1.])
    """
    return np.asarray(np.tanh(as_promoted_array(input, "input")))


def relu(
    input: Array,
    inplace: bool = False,  # noqa: ARG001  # torch's signature
) -> Array:
    """Return the larger of each element and 0.

    Parameters
    ----------
    input : ndarray of any shape
        float32, float64 or integers.
    inplace : bool
        Accepted but ignored: `input` is never changed.

    Returns
    -------
    ndarray of the same shape and dtype

    Raises
    ------
    RuntimeError
        If `input` is an array of bools.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.relu.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.functional.relu(np.array([-1.0, 2.0]))
    array([0., 2.])
    """
    x = as_array(input, "input")
    if x.dtype == np.bool_:
        raise RuntimeError("Boolean inputs not supported for relu")
    if x.dtype.kind not in "iu":
        x = as_float_array(x, "input")
    return np.asarray(np.maximum(x, x.dtype.type(0)))


@silent
def leaky_relu(
    input: Array,
    negative_slope: float = 0.01,
    inplace: bool = False,  # noqa: ARG001  # torch's signature
) -> Array:
    """Return positive elements, and negative ones times a slope.

    Parameters
    ----------
    input : ndarray of any shape
        float32 or float64.
    negative_slope : float
        The slope.
    inplace : bool
        Accepted but ignored: `input` is never changed.

    Returns
    -------
    ndarray of the same shape

    Raises
    ------
    RuntimeError
        If the slope is beyond the range of the input's dtype.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.leaky_relu.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.functional.leaky_relu(np.array([-1.0, 2.0]), 0.5)
    array([-0.5,  2. ])
    """
    x = as_float_array(input, "input")
    slope = x.dtype.type(fill_value("negative_slope", negative_slope, x.dtype))
    return np.where(x > 0, x, x * slope)


# The two functions below may warn, so their arithmetic alone is silent: where Python keeps
# warning filters in the context, a silent function does not have the caller's.


def softmax(
    input: Array, dim: int | None = None, _stacklevel: int = 3, dtype: DTypeLike = None
) -> Array:
    r"""Return the exponentials of `input`, scaled to sum to one along an axis.

    .. math:: y_i = e^{x_i} / \sum_j e^{x_j}

    Parameters
    ----------
    input : ndarray of any shape
        float32 or float64.
    dim : int
        The axis along which the result sums to one; negative counts from the last. If
        omitted, torch's deprecated default, with a warning: 0 for 0, 1 or 3 axes, else 1.
    dtype : dtype, optional
        float32 or float64; `input` is cast to it first.

    Returns
    -------
    ndarray of the same shape
        Nothing overflows, however large the input is.

    Raises
    ------
    IndexError
        If `dim` is not an axis of `input`.
    TypeError
        If `dim` is not an int, or a dtype is not float32 or float64.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.softmax.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.functional.softmax(np.zeros((1, 2)), dim=-1)
    array([[0.5, 0.5]])
    """
    return _softmax(*_softmax_arguments("softmax", input, dim, _stacklevel, dtype))


@silent
def _softmax(x: Array, axis: int | None) -> Array:
    result: Array = np.exp(x - x.max(axis=axis, keepdims=True, initial=-np.inf))
    result /= result.sum(axis=axis, keepdims=True)
    return np.asarray(result)


def log_softmax(
    input: Array, dim: int | None = None, _stacklevel: int = 3, dtype: DTypeLike = None
) -> Array:
    r"""Return the logarithm of the softmax of `input` along an axis.

    .. math:: y_i = x_i - \log \sum_j e^{x_j}

    Parameters
    ----------
    input : ndarray of any shape
        float32 or float64.
    dim : int
        The axis along which the exponentials of the result sum to one; negative counts
        from the last. If omitted, torch's deprecated default, with a warning: 0 for 0, 1
        or 3 axes, else 1.
    dtype : dtype, optional
        float32 or float64; `input` is cast to it first.

    Returns
    -------
    ndarray of the same shape

    Raises
    ------
    IndexError
        If `dim` is not an axis of `input`.
    TypeError
        If `dim` is not an int, or a dtype is not float32 or float64.

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
    return _log_softmax(*_softmax_arguments("log_softmax", input, dim, _stacklevel, dtype))


@silent
def _log_softmax(x: Array, axis: int | None) -> Array:
    shifted = x - x.max(axis=axis, keepdims=True, initial=-np.inf)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True)))


def _softmax_arguments(
    name: str, input: object, dim: int | None, stacklevel: int, dtype: DTypeLike
) -> tuple[Array, int | None]:
    """Return the array to take a softmax of, and the axis: None for an array without axes."""
    if dim is None:
        warnings.warn(
            f"Implicit dimension choice for {name} has been deprecated. Change the call to "
            "include dim=X as an argument.",
            stacklevel=stacklevel,
        )
    elif isinstance(dim, bool) or not hasattr(dim, "__index__"):
        raise TypeError(f"{name}(): argument 'dim' must be int, not {type(dim).__name__}")
    if dtype is None:
        x = as_float_array(input, "input")
    else:
        x = cast(as_promoted_array(input, "input"), parse_dtype(dtype))
    axis = parse_axis((0 if x.ndim in (0, 1, 3) else 1) if dim is None else dim, x.ndim)
    return x, axis if x.ndim else None

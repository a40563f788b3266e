"""Non-linear functions: of each element, and along an axis."""

from __future__ import annotations

import math
import warnings

import numpy as np

from numpy_rnn._typing import Array, DTypeLike
from numpy_rnn.arguments import (
    FLOATS,
    as_array,
    as_float_array,
    as_promoted_array,
    check_dtypes,
    fill_value,
    parse_axis,
    parse_dtype,
)
from numpy_rnn.floating_point import cast, silent
from numpy_rnn.functional.erf import erf
from numpy_rnn.functional.vectors import beside, greatest, number, totals

FEW = 2**16
"""Up to how many elements another array of the same size costs next to nothing."""

LOW, HIGH = 1e-3, 1e15
"""Between these nothing in a sum of exponentials has overflown, or vanished that counts."""


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
        In [0, 1]. Small results keep their relative precision, down to the least normal
        number; below it they are 0, as in torch.

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
    out, one = np.empty(x.shape, x.dtype), number(1, x.dtype)
    np.negative(x, out)
    np.exp(out, out)
    np.add(out, one, out)
    np.divide(one, out, out)
    return out


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
    x = _as_numbers(input, "relu")
    # With as many zeros it takes a third of the time that it takes with one, if they are few.
    zeros = np.zeros(x.shape if x.size <= FEW else (), x.dtype)
    return np.asarray(np.maximum(x, zeros))


def _as_numbers(input: object, function: str) -> Array:
    """Return an array of floats or integers."""
    if type(input) is np.ndarray and input.dtype in FLOATS:  # as in nearly every call
        return input
    x = as_array(input, "input")
    if x.dtype == np.bool_:
        raise RuntimeError(f"Boolean inputs not supported for {function}")
    return x if x.dtype.kind in "iu" else as_float_array(x, "input")


def hardtanh(
    input: Array,
    min_val: float = -1.0,
    max_val: float = 1.0,
    inplace: bool = False,  # noqa: ARG001  # torch's signature
) -> Array:
    """Return each element, or the bound that it is beyond.

    Parameters
    ----------
    input : ndarray of any shape
        float32, float64 or integers.
    min_val, max_val : float
        The bounds.
    inplace : bool
        Accepted but ignored: `input` is never changed.

    Returns
    -------
    ndarray of the same shape and dtype

    Raises
    ------
    RuntimeError
        If `input` is an array of bools, or a bound is beyond the range of its dtype.
    ValueError
        If the lower bound is the greater.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.hardtanh.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.functional.hardtanh(np.array([-3.0, 0.5, 2.0]))
    array([-1. ,  0.5,  1. ])
    """
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    x = _as_numbers(input, "hardtanh")
    low, high = (
        x.dtype.type(fill_value(name, value, x.dtype))
        for name, value in (("min_val", min_val), ("max_val", max_val))
    )
    return np.asarray(np.minimum(np.maximum(x, low), high))


def relu6(input: Array, inplace: bool = False) -> Array:
    """Return each element, 0 for those below it and 6 for those above.

    The parameters and errors are those of `hardtanh`.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.relu6.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.functional.relu6(np.array([-1.0, 2.0, 7.0]))
    array([0., 2., 6.])
    """
    return hardtanh(input, 0.0, 6.0, inplace)


def threshold(
    input: Array,
    threshold: float,
    value: float,
    inplace: bool = False,  # noqa: ARG001  # torch's signature
) -> Array:
    """Return the elements above a threshold, and a value in place of the others.

    Parameters
    ----------
    input : ndarray of any shape
        float32, float64 or integers.
    threshold, value : float
    inplace : bool
        Accepted but ignored: `input` is never changed.

    Returns
    -------
    ndarray of the same shape and dtype

    Raises
    ------
    RuntimeError
        If `input` is an array of bools, or a number is beyond the range of its dtype.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.threshold.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.functional.threshold(np.array([0.1, 0.5]), 0.2, -1.0)
    array([-1. ,  0.5])
    """
    x = _as_numbers(input, "threshold")
    bound, other = (
        x.dtype.type(fill_value(name, number, x.dtype))
        for name, number in (("threshold", threshold), ("value", value))
    )
    return np.asarray(np.where(x <= bound, other, x))


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


@silent
def prelu(input: Array, weight: Array) -> Array:
    """Return positive elements, and negative ones times a weight.

    Parameters
    ----------
    input : ndarray of shape (N, C, ...)
        float32 or float64; of any shape if there is one weight.
    weight : ndarray of shape (C,), (1,) or ()
        Of the input's dtype.

    Returns
    -------
    ndarray of the same shape

    Raises
    ------
    RuntimeError
        If sizes or dtypes do not agree.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.prelu.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.functional.prelu(np.array([[-2.0, -2.0]]), np.array([0.5, 0.0]))
    array([[-1., -0.]])
    """
    x, w = as_float_array(input, "input"), as_array(weight, "weight")
    check_dtypes(x, weight=w)
    if w.ndim > 1:
        raise RuntimeError(
            f"prelu: Expected `weight` to be a scalar or 1D array, but got: ndim = {w.ndim}"
        )
    if w.size != 1:
        if x.ndim == 0:
            raise RuntimeError("Not allow zero-dim input array.")
        channels = x.shape[1] if x.ndim > 1 else 1
        if w.size != channels:
            raise RuntimeError(
                "Mismatch of parameter numbers and input channel size. Found parameter "
                f"numbers = {w.size} and channel size = {channels}."
            )
    by_channel = (-1, *(1,) * (x.ndim - 2)) if w.ndim and x.ndim else ()
    return np.where(x > 0, x, x * w.reshape(by_channel))


@silent
def elu(
    input: Array,
    alpha: float = 1.0,
    inplace: bool = False,  # noqa: ARG001  # torch's signature
) -> Array:
    r"""Return positive elements, and :math:`\alpha (e^x - 1)` of negative ones.

    Parameters
    ----------
    input : ndarray of any shape
        float32 or float64.
    alpha : float
        The factor.
    inplace : bool
        Accepted but ignored: `input` is never changed.

    Returns
    -------
    ndarray of the same shape

    Raises
    ------
    RuntimeError
        If the factor is beyond the range of the input's dtype.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.elu.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.functional.elu(np.array([-1e4, 2.0]), alpha=0.5)
    array([-0.5,  2. ])
    """
    x = as_float_array(input, "input")
    factor = x.dtype.type(fill_value("alpha", alpha, x.dtype))
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)) * factor)


@silent
def selu(input: Array, inplace: bool = False) -> Array:
    r"""Return :math:`s x` of positive elements, :math:`s \alpha (e^x - 1)` of negative ones.

    The constants are those of Klambauer et al. (2017), s = 1.0507 and alpha = 1.6733.

    Parameters
    ----------
    input : ndarray of any shape
        float32 or float64.
    inplace : bool
        Accepted but ignored: `input` is never changed.

    Returns
    -------
    ndarray of the same shape

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.selu.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.functional.selu(np.array([-1e4, 1.0])).round(4)
    array([-1.7581,  1.0507])
    """
    out = elu(input, 1.6732632423543772848170429916717, inplace)
    return np.asarray(out * out.dtype.type(1.0507009873554804934193349852946))


@silent
def silu(
    input: Array,
    inplace: bool = False,  # noqa: ARG001  # torch's signature
) -> Array:
    r"""Return each element times its logistic function, :math:`x \, \sigma(x)`.

    Parameters
    ----------
    input : ndarray of any shape
        float32 or float64.
    inplace : bool
        Accepted but ignored: `input` is never changed.

    Returns
    -------
    ndarray of the same shape

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.silu.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.functional.silu(np.array([-1e4, 0.0, 50.0]))
    array([-0.,  0., 50.])
    """
    x = as_float_array(input, "input")
    return np.asarray(x * sigmoid(x))


@silent
def gelu(input: Array, approximate: str = "none") -> Array:
    r"""Return each element times the normal distribution function, :math:`x \, \Phi(x)`.

    Parameters
    ----------
    input : ndarray of any shape
        float32 or float64.
    approximate : {'none', 'tanh'}
        ``'tanh'`` for an approximation,
        :math:`x \, (1 + \tanh(\sqrt{2 / \pi} \, (x + 0.044715 x^3))) / 2`.

    Returns
    -------
    ndarray of the same shape

    Raises
    ------
    RuntimeError
        For another approximation.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.gelu.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.functional.gelu(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.1587,  0.    ,  0.8413])
    """
    if approximate not in ("none", "tanh"):
        raise RuntimeError("approximate argument must be either none or tanh.")
    x = as_float_array(input, "input")
    of_dtype = x.dtype.type
    if approximate == "none":
        curve = erf(x * of_dtype(math.sqrt(0.5)))
    else:
        cubic = x + of_dtype(0.044715) * x * x * x
        curve = np.tanh(of_dtype(math.sqrt(2 / math.pi)) * cubic)
    return np.asarray(of_dtype(0.5) * x * (of_dtype(1) + curve))


@silent
def glu(input: Array, dim: int = -1) -> Array:
    r"""Return the first half along an axis times the logistic function of the second.

    .. math:: y = a \, \sigma(b)

    Parameters
    ----------
    input : ndarray
        float32 or float64.
    dim : int
        The axis that is halved; negative counts from the last.

    Returns
    -------
    ndarray of half the size along the axis

    Raises
    ------
    RuntimeError
        If the size is odd, or `input` has no axes.
    IndexError
        If `dim` is not an axis of `input`.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.glu.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.functional.glu(np.array([1.0, 2.0, 0.0, 1e4]))
    array([0.5, 2. ])
    """
    x = as_float_array(input, "input")
    if x.ndim == 0:
        raise RuntimeError("glu does not support scalars because halving size must be even")
    axis = parse_axis(dim, x.ndim)
    size = x.shape[axis]
    if size % 2:
        raise RuntimeError(
            f"Halving dimension must be even, but dimension {axis} is size {size}"
        )
    values, gates = np.split(x, [size // 2], axis)
    return np.asarray(values * sigmoid(gates))


@silent
def softplus(input: Array, beta: float = 1, threshold: float = 20) -> Array:
    r"""Return a smooth relu, :math:`\log(1 + e^{\beta x}) / \beta`.

    Parameters
    ----------
    input : ndarray of any shape
        float32 or float64.
    beta : float
        How sharp its bend is.
    threshold : float
        Where :math:`\beta x` is greater, elements are returned as they are.

    Returns
    -------
    ndarray of the same shape

    Raises
    ------
    RuntimeError
        If a number is beyond the range of the input's dtype.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.softplus.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.functional.softplus(np.array([-1e4, 0.0, 30.0])).round(4)
    array([ 0.    ,  0.6931, 30.    ])
    """
    x = as_float_array(input, "input")
    factor = x.dtype.type(fill_value("beta", beta, x.dtype))
    limit = x.dtype.type(fill_value("threshold", threshold, x.dtype))
    scaled = x * factor
    return np.where(scaled > limit, x, np.log1p(np.exp(np.minimum(scaled, limit))) / factor)


@silent
def logsigmoid(input: Array) -> Array:
    r"""Return the logarithm of the logistic function, :math:`-\log(1 + e^{-x})`.

    Parameters
    ----------
    input : ndarray of any shape
        float32 or float64.

    Returns
    -------
    ndarray of the same shape
        Nothing overflows, however large the input is.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.logsigmoid.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.functional.logsigmoid(np.array([-1e4, 0.0])).round(4)
    array([-1.000e+04, -6.931e-01])
    """
    x = as_float_array(input, "input")
    return np.asarray(np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x))))


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
def _softmax(x: Array, axis: int) -> Array:
    if x.ndim == 0:
        return _softmax(x.reshape(1), 0).reshape(())
    if axis == x.ndim - 1 and x.size:
        result = np.empty(x.shape, x.dtype)
        rows = result.reshape(-1, x.shape[-1])
        np.exp(x, result)
        sums = totals(rows)
        if _are_moderate(sums):
            np.divide(rows, beside(sums), rows)
            return result
    result = np.exp(_below_greatest(x, axis))
    result /= np.add.reduce(result, axis, keepdims=True)
    return result


def _are_moderate(sums: Array) -> bool:
    """Return whether sums are between `LOW` and `HIGH`; of many, False may be wrong."""
    if len(sums) == 1:
        return LOW < sums.item() < HIGH
    inverse = np.reciprocal(sums)
    return bool(sums.dot(sums) < HIGH**2 and inverse.dot(inverse) < LOW**-2)


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
def _log_softmax(x: Array, axis: int) -> Array:
    if x.ndim == 0:
        return _log_softmax(x.reshape(1), 0).reshape(())
    if axis == x.ndim - 1 and x.size:
        result = np.empty(x.shape, x.dtype)
        rows = result.reshape(-1, x.shape[-1])
        given = x.reshape(rows.shape)
        np.subtract(given, beside(greatest(given)), rows)
        sums = totals(np.exp(rows))
        np.log(sums, sums)
        np.subtract(rows, beside(sums), rows)
        return result
    result = _below_greatest(x, axis)
    result -= np.log(np.add.reduce(np.exp(result), axis, keepdims=True))
    return result


def _below_greatest(x: Array, axis: int) -> Array:
    """Return `x` less its greatest element along an axis."""
    # The method `max` does the same after a layer of Python.
    result: Array = x - np.maximum.reduce(x, axis, keepdims=True, initial=-np.inf)
    return result


def _softmax_arguments(
    name: str, input: object, dim: int | None, stacklevel: int, dtype: DTypeLike
) -> tuple[Array, int]:
    """Return the array to take a softmax of, and the axis: 0 for an array without axes."""
    if dim is None:
        warnings.warn(
            f"Implicit dimension choice for {name} has been deprecated. Change the call to "
            "include dim=X as an argument.",
            stacklevel=stacklevel,
        )
    elif type(dim) is not int and (isinstance(dim, bool) or not hasattr(dim, "__index__")):
        raise TypeError(f"{name}(): argument 'dim' must be int, not {type(dim).__name__}")
    if dtype is None:
        x = as_float_array(input, "input")
    else:
        x = cast(as_promoted_array(input, "input"), parse_dtype(dtype))
    axis = parse_axis((0 if x.ndim in (0, 1, 3) else 1) if dim is None else dim, x.ndim)
    return x, axis

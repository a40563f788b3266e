"""Scaling to zero mean and unit variance, and to unit norm."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Sequence

import numpy as np

from numpy_rnn._typing import Array
from numpy_rnn.arguments import as_array, as_float_array, check_dtypes, parse_axis
from numpy_rnn.floating_point import silent
from numpy_rnn.functional.vectors import beside, number, totals

NOT_UPDATED = (
    "running_mean and running_var must be None if {0}, since they cannot be updated here: pass "
    "None, or {0}=False to normalise by them"
)


@silent
def batch_norm(
    input: Array,
    running_mean: Array | None,
    running_var: Array | None,
    weight: Array | None = None,
    bias: Array | None = None,
    training: bool = False,
    momentum: float | None = 0.1,  # noqa: ARG001  # torch's signature
    eps: float = 1e-5,
) -> Array:
    r"""Normalise each channel by its mean and variance.

    .. math:: y = \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}} \, w + b

    Parameters
    ----------
    input : ndarray of shape (N, C, ...)
        float32 or float64.
    running_mean, running_var : ndarray of shape (C,), or None
        The statistics; None if `training`.
    weight, bias : ndarray of shape (C,), optional
        1 and 0 if omitted.
    training : bool
        Whether to use the statistics of `input` itself. Running ones cannot be updated,
        since no argument is ever changed.
    momentum : float, optional
        Accepted but ignored: it concerns that update.
    eps : float
        Added to the variance.

    Returns
    -------
    ndarray of shape (N, C, ...)

    Raises
    ------
    RuntimeError
        If running statistics are missing, or would have to be updated, or if sizes or
        dtypes do not agree.
    IndexError
        If `training` and `input` has fewer than two axes.
    ValueError
        If `training` and there is one value per channel, or if `eps` is negative.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.batch_norm.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> x = np.array([[1.0, 10.0], [3.0, 30.0]])
    >>> nn.functional.batch_norm(x, None, None, training=True).round(3)
    array([[-1., -1.],
           [ 1.,  1.]])
    """
    x = as_float_array(input, "input")
    if training and x.ndim > 0 and len(x) * math.prod(x.shape[2:]) == 1:
        raise ValueError(
            f"Expected more than 1 value per channel when training, got input size {x.shape}"
        )
    if training and eps <= 0:
        raise ValueError(f"batch_norm eps must be positive during training, but got {eps}")
    if training and x.ndim < 2:
        raise IndexError(f"input must have at least two axes (N, C, ...), got {x.ndim}D array")
    if eps < 0:
        raise ValueError(f"batch_norm eps must be non-negative, but got {eps}")
    channels = x.shape[1] if x.ndim > 1 else 0
    mean = _per_channel("running_mean", running_mean, channels)
    variance = _per_channel("running_var", running_var, channels)
    w = _per_channel("weight", weight, channels)
    b = _per_channel("bias", bias, channels)
    check_dtypes(x, weight=w, bias=b, running_mean=mean, running_var=variance)
    if training:
        if mean is not None or variance is not None:
            raise RuntimeError(NOT_UPDATED.format("training"))
        return _scaled(_standardised_channels(x, eps), w, b)
    return _by_statistics(x, mean, variance, w, b, eps)


def _by_statistics(
    x: Array,
    mean: Array | None,
    variance: Array | None,
    w: Array | None,
    b: Array | None,
    eps: float,
) -> Array:
    """Return (N, C, ...) normalised by the statistics of each channel."""
    if mean is None:
        raise RuntimeError("running_mean must be defined in evaluation mode")
    if variance is None:
        raise RuntimeError("running_var must be defined in evaluation mode")

    return scaled_and_shifted(x, *scale_and_shift(mean, variance, w, b, eps))


@silent
def scale_and_shift(
    mean: Array, variance: Array, w: Array | None, b: Array | None, eps: float
) -> tuple[Array, Array]:
    """Return what normalising by statistics is: a factor and a summand for each channel."""
    dtype = variance.dtype
    scale: Array = number(1, dtype) / np.sqrt(variance + number(eps, dtype))
    if w is not None:
        scale *= w
    shift: Array = mean * scale
    if b is None:
        np.negative(shift, shift)
    else:
        np.subtract(b, shift, shift)
    return scale, shift


@silent
def scaled_and_shifted(x: Array, scale: Array, shift: Array) -> Array:
    """Return (N, C, ...) times and plus a number for each channel."""
    if x.ndim == 2 and len(x) == 1:  # shapes that are equal take half as long
        scale, shift = scale[np.newaxis], shift[np.newaxis]
    out: Array = x * _by_channel(scale, x.ndim)
    out += _by_channel(shift, x.ndim)
    return out


def _standardised_channels(x: Array, eps: float) -> Array:
    """Return (N, C, ...) with each channel of zero mean and unit variance."""
    axes = (0, *range(2, x.ndim))
    if x.size == 0:
        return x.copy()
    count = x.dtype.type(x.size // x.shape[1])
    # np.mean gives the same result but takes several times as long for small arrays.
    out: Array = x - np.add.reduce(x, axes, keepdims=True) / count
    variance = np.add.reduce(out * out, axes, keepdims=True) / count
    out /= np.sqrt(variance + x.dtype.type(eps))
    return out


def _standardised(x: Array, size: int, eps: float) -> Array:
    """Return an array with each vector of so many elements of zero mean and unit variance.

    Vectors follow one another in C order.
    """
    out = np.empty(x.shape, x.dtype)
    if x.size == 0:
        return out
    given, rows = x.reshape(-1, size), out.reshape(-1, size)
    count = number(size, x.dtype)
    means = totals(given)
    np.divide(means, count, means)
    np.subtract(given, beside(means), rows)
    deviations = totals(rows * rows)
    np.divide(deviations, count, deviations)
    np.add(deviations, number(eps, x.dtype), deviations)
    np.sqrt(deviations, deviations)
    np.divide(rows, beside(deviations), rows)
    return out


def _scaled(out: Array, w: Array | None, b: Array | None) -> Array:
    """Return an array of our own, (N, C, ...), times and plus a number for each channel."""
    if w is not None:
        out *= _by_channel(w, out.ndim)
    if b is not None:
        out += _by_channel(b, out.ndim)
    return out


def _by_channel(array: Array, axes: int) -> Array:
    """Return a number for each channel in the shape that (N, C, ...) is broadcast with."""
    return array if axes <= 2 else array.reshape(-1, *(1,) * (axes - 2))


def _per_channel(name: str, value: object, channels: int) -> Array | None:
    """Return an array with one element for each channel, or None for None."""
    if value is None:
        return None
    array: Array = as_array(value, name)
    if array.shape == (channels,):
        return array
    if array.size != channels:
        raise RuntimeError(f"{name} should contain {channels} elements not {array.size}")
    if array.ndim != 1:
        raise RuntimeError(f"{name} must have one axis, got an array of shape {array.shape}")
    return array


@silent
def layer_norm(
    input: Array,
    normalized_shape: Sequence[int],
    weight: Array | None = None,
    bias: Array | None = None,
    eps: float = 1e-5,
) -> Array:
    r"""Normalise over the last axes, by the mean and variance of each element of the rest.

    .. math:: y = \frac{x - \mathrm{E}[x]}{\sqrt{\mathrm{Var}[x] + \epsilon}} \, w + b

    Parameters
    ----------
    input : ndarray of shape (..., *normalized_shape)
        float32 or float64.
    normalized_shape : sequence of int
        The sizes of the axes to normalise over.
    weight, bias : ndarray of shape normalized_shape, optional
        1 and 0 if omitted.
    eps : float
        Added to the variance, which is the biased one.

    Returns
    -------
    ndarray of the same shape

    Raises
    ------
    RuntimeError
        If sizes or dtypes do not agree.
    TypeError
        If `normalized_shape` is not a sequence.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.layer_norm.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.functional.layer_norm(np.array([[1.0, 3.0], [10.0, 30.0]]), (2,)).round(3)
    array([[-1.,  1.],
           [-1.,  1.]])
    """
    x = as_float_array(input, "input")
    if type(normalized_shape) is tuple and {*map(type, normalized_shape)} == {int}:
        shape = normalized_shape  # as a layer passes it
    elif isinstance(normalized_shape, Iterable):
        shape = tuple(map(operator.index, normalized_shape))
    else:
        raise TypeError(
            "layer_norm(): argument 'normalized_shape' (position 2) must be tuple of ints, not "
            f"{type(normalized_shape).__name__}"
        )
    if not shape:
        raise RuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least "
            "one element, but got normalized_shape = []"
        )
    w = None if weight is None else as_array(weight, "weight")
    b = None if bias is None else as_array(bias, "bias")
    for name, array in (("weight", w), ("bias", b)):
        if array is not None and array.shape != shape:
            raise RuntimeError(
                f"Expected {name} to be of same shape as normalized_shape, but got {name} of "
                f"shape {list(array.shape)} and normalized_shape = {list(shape)}"
            )
    if x.shape[-len(shape) :] != shape:
        sizes = ", ".join(map(str, shape))
        raise RuntimeError(
            f"Given normalized_shape={list(shape)}, expected input with shape [*, {sizes}], "
            f"but got input of size{list(x.shape)}"
        )
    dtype = x.dtype  # the call takes time
    if (w is not None and w.dtype != dtype) or (b is not None and b.dtype != dtype):
        check_dtypes(x, weight=w, bias=b)
    size = math.prod(shape)
    out = _standardised(x, size, eps)
    # One vector is like its weights, for which NumPy takes half as long as for broadcasting.
    vectors = out.reshape(shape) if out.size == size else out
    if w is not None:
        np.multiply(vectors, w, vectors)
    if b is not None:
        np.add(vectors, b, vectors)
    return out


@silent
def group_norm(
    input: Array,
    num_groups: int,
    weight: Array | None = None,
    bias: Array | None = None,
    eps: float = 1e-5,
) -> Array:
    r"""Normalise groups of channels, by the mean and variance of each group in each sample.

    .. math:: y = \frac{x - \mathrm{E}[x]}{\sqrt{\mathrm{Var}[x] + \epsilon}} \, w + b

    Parameters
    ----------
    input : ndarray of shape (N, C, ...)
        float32 or float64.
    num_groups : int
        Into how many groups of neighbours the C channels are divided.
    weight, bias : ndarray of shape (C,), optional
        1 and 0 if omitted.
    eps : float
        Added to the variance, which is the biased one.

    Returns
    -------
    ndarray of the same shape

    Raises
    ------
    RuntimeError
        If `input` has fewer than two axes, or if sizes or dtypes do not agree.
    ValueError
        If there is one value per group.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.group_norm.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.functional.group_norm(np.array([[1.0, 3.0, 10.0, 30.0]]), 2).round(3)
    array([[-1.,  1., -1.,  1.]])
    """
    x = as_float_array(input, "input")
    if x.ndim < 2:
        raise RuntimeError(
            f"Expected at least 2 dimensions for input array but received {x.ndim}"
        )
    if num_groups < 0:
        raise RuntimeError(f"Expected num groups to be greater than 0, got {num_groups}")
    size = [x.shape[0] * x.shape[1] // num_groups, num_groups, *x.shape[2:]]
    if size[0] * math.prod(x.shape[2:]) == 1:
        raise ValueError(
            f"Expected more than 1 value per channel when training, got input size {size}"
        )
    if x.shape[1] % num_groups:
        raise RuntimeError(
            "Expected number of channels in input to be divisible by num_groups, but got input "
            f"of shape {list(x.shape)} and num_groups={num_groups}"
        )
    w = None if weight is None else as_array(weight, "weight")
    b = None if bias is None else as_array(bias, "bias")
    for name, array in (("weight", w), ("bias", b)):
        if array is not None and array.shape != x.shape[1:2]:
            raise RuntimeError(
                f"Expected {name} to be a vector of size equal to the number of channels in "
                f"input, but got {name} of shape {list(array.shape)} and input of shape "
                f"{list(x.shape)}"
            )
    check_dtypes(x, weight=w, bias=b)
    return _scaled(_grouped(x, num_groups, eps), w, b)


def _grouped(x: Array, groups: int, eps: float) -> Array:
    """Return (N, C, ...) with each group of channels of each sample standardised."""
    return _standardised(x, math.prod(x.shape[1:]) // groups if groups else 0, eps)


@silent
def instance_norm(
    input: Array,
    running_mean: Array | None = None,
    running_var: Array | None = None,
    weight: Array | None = None,
    bias: Array | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,  # noqa: ARG001  # torch's signature
    eps: float = 1e-5,
) -> Array:
    r"""Normalise each channel of each sample by its own mean and variance.

    .. math:: y = \frac{x - \mathrm{E}[x]}{\sqrt{\mathrm{Var}[x] + \epsilon}} \, w + b

    Parameters
    ----------
    input : ndarray of shape (N, C, ...)
        float32 or float64.
    running_mean, running_var : ndarray of shape (C,), or None
        The statistics, if not `use_input_stats`; None otherwise.
    weight, bias : ndarray of shape (C,), optional
        1 and 0 if omitted.
    use_input_stats : bool
        Whether to use the statistics of `input` itself. Running ones cannot be updated,
        since no argument is ever changed.
    momentum : float
        Accepted but ignored: it concerns that update.
    eps : float
        Added to the variance, which is the biased one.

    Returns
    -------
    ndarray of the same shape

    Raises
    ------
    RuntimeError
        If running statistics are missing, or would have to be updated, or if sizes or
        dtypes do not agree.
    ValueError
        If `use_input_stats` and there is one value per channel.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.instance_norm.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.functional.instance_norm(np.array([[[1.0, 3.0], [10.0, 30.0]]])).round(3)
    array([[[-1.,  1.],
            [-1.,  1.]]])
    """
    x = as_float_array(input, "input")
    if use_input_stats and math.prod(x.shape[2:]) == 1:
        raise ValueError(
            f"Expected more than 1 spatial element when training, got input size {x.shape}"
        )
    channels = x.shape[1] if x.ndim > 1 else 0
    mean = _per_channel("running_mean", running_mean, channels)
    variance = _per_channel("running_var", running_var, channels)
    w = _per_channel("weight", weight, channels)
    b = _per_channel("bias", bias, channels)
    check_dtypes(x, weight=w, bias=b, running_mean=mean, running_var=variance)
    if not use_input_stats:
        if mean is None or variance is None:
            raise RuntimeError(
                "Expected running_mean and running_var to be defined when use_input_stats is "
                "false"
            )
        return _by_statistics(x, mean, variance, w, b, eps)
    if mean is not None or variance is not None:
        raise RuntimeError(NOT_UPDATED.format("use_input_stats"))
    return _scaled(_grouped(x, channels, eps), w, b)


@silent
def normalize(
    input: Array, p: float = 2.0, dim: int | Sequence[int] = 1, eps: float = 1e-12
) -> Array:
    r"""Divide vectors along an axis, or several, by their norm.

    .. math:: y = x / \max(|x|_p, \epsilon)

    Parameters
    ----------
    input : ndarray
        float32 or float64.
    p : float
        The p of the p-norm; infinite for the greatest element.
    dim : int or sequence of int
        The axis, or the axes; negative counts from the last.
    eps : float
        The least norm.

    Returns
    -------
    ndarray of the same shape

    Raises
    ------
    IndexError
        If there is no such axis.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.normalize.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.functional.normalize(np.array([[3.0, 4.0], [0.0, 0.0]]))
    array([[0.6, 0.8],
           [0. , 0. ]])
    """
    x = as_float_array(input, "input")
    dims = dim if isinstance(dim, Iterable) else (dim,)
    axes = tuple(parse_axis(axis, x.ndim) for axis in dims)
    if x.size == 0:
        return x.copy()
    norm = _norm(np.abs(x), p, axes if x.ndim else ())
    return np.asarray(x / np.maximum(norm, x.dtype.type(eps)))


def _norm(sizes: Array, p: float, axes: tuple[int, ...]) -> Array:
    """Return the p-norm of vectors, from the absolute values of their elements."""
    if p == math.inf:
        return np.asarray(sizes.max(axes, keepdims=True))
    if p == -math.inf:
        return np.asarray(sizes.min(axes, keepdims=True))
    if p == 0:
        return np.asarray((sizes != 0).sum(axes, keepdims=True, dtype=sizes.dtype))
    number = sizes.dtype.type
    powers = np.square(sizes) if p == 2 else sizes ** number(p)
    total = powers.sum(axes, keepdims=True)
    return np.asarray(np.sqrt(total) if p == 2 else total ** number(1 / p))

"""Scaling to zero mean and unit variance."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from numpy_rnn._typing import Array
from numpy_rnn.arguments import as_array, as_float_array, check_dtypes
from numpy_rnn.floating_point import silent


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
            raise RuntimeError(
                "running_mean and running_var must be None if training, since they cannot be "
                "updated here: pass None, or training=False to normalise by them"
            )
        if x.size == 0:
            return x.copy()
        axes: Any = (0, *range(2, x.ndim))
        mean, variance = x.mean(axis=axes), x.var(axis=axes)
    if mean is None:
        raise RuntimeError("running_mean must be defined in evaluation mode")
    if variance is None:
        raise RuntimeError("running_var must be defined in evaluation mode")

    scale = 1 / np.sqrt(variance + x.dtype.type(eps))
    if w is not None:
        scale = scale * w
    by_channel = (-1, *(1,) * (x.ndim - 2))
    out: Array = (x - mean.reshape(by_channel)) * scale.reshape(by_channel)
    if b is not None:
        out += b.reshape(by_channel)
    return out


def _per_channel(name: str, value: object, channels: int) -> Array | None:
    """Return an array with one element for each channel, or None for None."""
    if value is None:
        return None
    array: Array = as_array(value, name)
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
    if not isinstance(normalized_shape, Iterable):
        raise TypeError(
            "layer_norm(): argument 'normalized_shape' (position 2) must be tuple of ints, not "
            f"{type(normalized_shape).__name__}"
        )
    shape = tuple(map(operator.index, normalized_shape))
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
    check_dtypes(x, weight=w, bias=b)
    if x.size == 0:
        return x.copy()

    last: Any = tuple(range(-len(shape), 0))
    count = x.dtype.type(math.prod(shape))
    # np.mean gives the same result but takes several times as long for small arrays.
    out: Array = x - np.add.reduce(x, last, keepdims=True) / count
    variance = np.add.reduce(out * out, last, keepdims=True) / count
    out /= np.sqrt(variance + x.dtype.type(eps))
    if w is not None:
        out *= w
    if b is not None:
        out += b
    return out

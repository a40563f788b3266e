"""Scaling to zero mean and unit variance."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from numpy_rnn.floating_point import silent

if TYPE_CHECKING:
    from numpy_rnn._typing import Array


@silent
def batch_norm(
    x: Array, mean: Array, variance: Array, weight: Array | None, bias: Array | None, eps: float
) -> Array:
    r"""Normalise each channel by given statistics.

    .. math:: y = \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}} \, w + b

    Parameters
    ----------
    x : ndarray of shape (N, C, ...)
        Any strides.
    mean, variance : ndarray of shape (C,)
        The statistics.
    weight, bias : ndarray of shape (C,), or None
        Of the channels; None for 1 and 0.
    eps : float
        Added to the variance.
    """
    scale = 1 / np.sqrt(variance + x.dtype.type(eps))
    if weight is not None:
        scale = scale * weight
    channels = (-1, *(1,) * (x.ndim - 2))
    out: Array = (x - mean.reshape(channels)) * scale.reshape(channels)
    if bias is not None:
        out += bias.reshape(channels)
    return out


@silent
def channel_statistics(x: Array) -> tuple[Array, Array]:
    """Return the mean and the biased variance of each channel of (N, C, ...)."""
    axes: Any = (0, *range(2, x.ndim))
    return x.mean(axis=axes), x.var(axis=axes)


@silent
def layer_norm(
    x: Array, axes: int, weight: Array | None, bias: Array | None, eps: float
) -> Array:
    r"""Normalise over the last axes, by their own mean and biased variance.

    .. math:: y = \frac{x - \mathrm{E}[x]}{\sqrt{\mathrm{Var}[x] + \epsilon}} \, w + b

    Parameters
    ----------
    x : ndarray of shape (..., *normalized)
        Any strides.
    axes : int
        How many axes are normalised over.
    weight, bias : ndarray of shape normalized, or None
        None for 1 and 0.
    eps : float
        Added to the variance.
    """
    last: Any = tuple(range(-axes, 0))
    count = x.dtype.type(math.prod(x.shape[x.ndim - axes :]))
    # np.mean does the same in several times the calls.
    out: Array = x - np.add.reduce(x, last, keepdims=True) / count
    variance = np.add.reduce(out * out, last, keepdims=True) / count
    out /= np.sqrt(variance + x.dtype.type(eps))
    if weight is not None:
        out *= weight
    if bias is not None:
        out += bias
    return out

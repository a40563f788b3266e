"""The distributions that policies and samplers end in, after ``torch.distributions``.

Parameters are float arrays or numbers, and so are results. Draws come from the stream that
`numpy_rnn.manual_seed` restarts; they are not those that torch draws.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from numpy_rnn import functional
from numpy_rnn._typing import AnyArray, Array, IntArray
from numpy_rnn.arrays import multinomial
from numpy_rnn.floating_point import silent
from numpy_rnn.random import default_generator

__all__ = ["Bernoulli", "Categorical", "Normal"]


class Categorical:
    """The distribution of one of K classes.

    Parameters
    ----------
    probs : array of shape (..., K), optional
        Not negative; divided by their sum.
    logits : array of shape (..., K), optional
        Logarithms of the probabilities, up to a constant. Either this or `probs`.

    Raises
    ------
    ValueError
        If both or none are given, or a probability is negative or a sum zero.

    Examples
    --------
    >>> import numpy as np
    >>> from numpy_rnn.distributions import Categorical
    >>> policy = Categorical(logits=np.array([0, 0, 3], np.float32))
    >>> policy.probs.round(2)
    array([0.05, 0.05, 0.91], dtype=float32)
    >>> int(policy.mode)
    2
    """

    probs: Array
    logits: Array

    def __init__(self, probs: Array | None = None, logits: Array | None = None) -> None:
        if (probs is None) == (logits is None):
            raise ValueError("Either `probs` or `logits` must be specified, but not both.")
        if probs is not None:
            probs = np.asarray(probs)
            if not ((probs >= 0).all() and (probs.sum(-1) > 0).all()):
                raise ValueError("probs must not be negative, and have a positive sum")
            self.probs = probs / probs.sum(-1, keepdims=True)
            tiny = np.finfo(self.probs.dtype).eps  # as torch, so that no logarithm is infinite
            self.logits = np.log(self.probs.clip(tiny, 1 - tiny))
        else:
            logits = np.asarray(logits)
            self.logits = functional.log_softmax(logits, -1)
            self.probs = functional.softmax(logits, -1)

    @property
    def mode(self) -> IntArray:
        """The most probable classes, int64."""
        return np.asarray(np.argmax(self.probs, axis=-1))

    def sample(self, sample_shape: Sequence[int] = ()) -> IntArray:
        """Draw classes: int64 in the shape ``sample_shape + probs.shape[:-1]``."""
        rows = self.probs.reshape(-1, self.probs.shape[-1])
        drawn = multinomial(rows, math.prod(sample_shape), replacement=True)
        return np.asarray(drawn.T.reshape(*sample_shape, *self.probs.shape[:-1]))

    def log_prob(self, value: AnyArray) -> Array:
        """Return the logarithm of the probability of classes."""
        classes = np.asarray(value, np.int64)[..., None]
        shape = np.broadcast_shapes(classes.shape[:-1], self.logits.shape[:-1])
        logits = np.broadcast_to(self.logits, (*shape, self.logits.shape[-1]))
        chosen = np.take_along_axis(logits, np.broadcast_to(classes, (*shape, 1)), -1)
        return np.asarray(chosen[..., 0])

    def entropy(self) -> Array:
        """Return the entropy, in nats."""
        lowest = np.finfo(self.logits.dtype).min
        return np.asarray(-(self.logits.clip(lowest) * self.probs).sum(-1))


class Normal:
    """The normal distribution.

    Parameters
    ----------
    loc, scale : array or float
        The mean and the standard deviation, of shapes that broadcast.

    Raises
    ------
    ValueError
        If `scale` is not positive.
    """

    loc: Array
    scale: Array

    def __init__(self, loc: Array | float, scale: Array | float) -> None:
        numbers = isinstance(loc, float | int) and isinstance(scale, float | int)
        dtype = np.float32 if numbers else np.result_type(loc, scale)
        arrays = np.broadcast_arrays(np.asarray(loc, dtype), np.asarray(scale, dtype))
        self.loc, self.scale = (array.copy() for array in arrays)
        if not (self.scale > 0).all():
            raise ValueError(f"scale must be positive, got {self.scale}")

    @property
    def mean(self) -> Array:
        """The mean."""
        return self.loc

    @property
    def mode(self) -> Array:
        """The most probable value, which is the mean."""
        return self.loc

    @property
    def stddev(self) -> Array:
        """The standard deviation."""
        return self.scale

    @property
    def variance(self) -> Array:
        """The square of the standard deviation."""
        return np.asarray(np.square(self.scale))

    def sample(self, sample_shape: Sequence[int] = ()) -> Array:
        """Draw values in the shape ``sample_shape + loc.shape``."""
        shape = (*sample_shape, *self.loc.shape)
        drawn = default_generator.normal(shape, dtype=self.loc.dtype)
        return np.asarray(drawn * self.scale + self.loc)

    rsample = sample

    def log_prob(self, value: Array) -> Array:
        """Return the logarithm of the density at values."""
        distance = np.square(value - self.loc) / (2 * np.square(self.scale))
        return np.asarray(-distance - np.log(self.scale) - math.log(math.sqrt(2 * math.pi)))

    def entropy(self) -> Array:
        """Return the entropy, in nats."""
        return np.asarray(0.5 + 0.5 * math.log(2 * math.pi) + np.log(self.scale))


class Bernoulli:
    """The distribution of 0 and 1, as floats.

    Parameters
    ----------
    probs : array, optional
        The probability of 1.
    logits : array, optional
        The logarithm of its odds. Either this or `probs`.

    Raises
    ------
    ValueError
        If both or none are given, or a probability is not from 0 to 1.
    """

    probs: Array
    logits: Array

    def __init__(self, probs: Array | None = None, logits: Array | None = None) -> None:
        if (probs is None) == (logits is None):
            raise ValueError("Either `probs` or `logits` must be specified, but not both.")
        if probs is not None:
            self.probs = np.asarray(probs)
            if not ((self.probs >= 0) & (self.probs <= 1)).all():
                raise ValueError("probs must be from 0 to 1")
            tiny = np.finfo(self.probs.dtype).eps
            inside = self.probs.clip(tiny, 1 - tiny)
            self.logits = np.log(inside) - np.log1p(-inside)
        else:
            self.logits = np.asarray(logits)
            self.probs = functional.sigmoid(self.logits)

    @property
    def mean(self) -> Array:
        """The mean."""
        return self.probs

    def sample(self, sample_shape: Sequence[int] = ()) -> Array:
        """Draw 0 and 1 in the shape ``sample_shape + probs.shape``."""
        shape = (*sample_shape, *self.probs.shape)
        drawn = default_generator.uniform(shape, 0.0, 1.0, np.float64)
        return np.asarray((drawn < self.probs).astype(self.probs.dtype))

    def log_prob(self, value: Array) -> Array:
        """Return the logarithm of the probability of 0s and 1s."""
        return functional.logsigmoid(self.logits * (2 * value - 1))

    @silent
    def entropy(self) -> Array:
        """Return the entropy, in nats."""
        return np.asarray(functional.softplus(self.logits) - self.logits * self.probs)

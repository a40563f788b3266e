"""Initialisers that fill an array in place, after ``torch.nn.init``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from numpy_rnn import random
from numpy_rnn._typing import Array

__all__ = ["normal_", "uniform_"]


def __dir__() -> list[str]:
    return __all__


if not TYPE_CHECKING:  # hidden from type checkers, which then report unknown names

    def __getattr__(name):
        raise AttributeError(
            f"module 'numpy_rnn.init' has no attribute {name!r}. Its functions are "
            f"{', '.join(__all__)}"
        )


def uniform_(
    array: Array, a: float = 0.0, b: float = 1.0, generator: random.Generator | None = None
) -> Array:
    """Fill `array` with draws from the uniform distribution on [a, b) and return it.

    Parameters
    ----------
    array : ndarray
        float32 or float64, filled in C order.
    a, b : float
        The bounds.
    generator : Generator, optional
        `numpy_rnn.random.default_generator` if omitted.

    References
    ----------
    https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.uniform_

    Examples
    --------
    >>> import numpy as np
    >>> from numpy_rnn import init, random
    >>> generator = random.Generator().manual_seed(1)
    >>> init.uniform_(np.empty(2), -1.0, 1.0, generator)
    array([-0.87789345, -0.55089099])
    """
    generator = random.default_generator if generator is None else generator
    array[...] = generator.uniform(array.shape, a, b, array.dtype)
    return array


def normal_(
    array: Array, mean: float = 0.0, std: float = 1.0, generator: random.Generator | None = None
) -> Array:
    """Fill `array` with draws from a normal distribution and return it.

    Parameters
    ----------
    array : ndarray
        float32 or float64, filled in C order.
    mean, std : float
        Of the distribution.
    generator : Generator, optional
        `numpy_rnn.random.default_generator` if omitted.

    References
    ----------
    https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.normal_

    Examples
    --------
    >>> import numpy as np
    >>> from numpy_rnn import init, random
    >>> generator = random.Generator().manual_seed(0)
    >>> init.normal_(np.empty(2, np.float32), generator=generator)
    array([ 1.5409961, -0.2934289], dtype=float32)
    """
    generator = random.default_generator if generator is None else generator
    array[...] = generator.normal(array.shape, mean, std, array.dtype)
    return array

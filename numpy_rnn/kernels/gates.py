"""Constants that gates are scaled by."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy_rnn._typing import Array


@lru_cache(maxsize=32)
def per_gate(values: tuple[float, ...], size: int, dtype: np.dtype[Any]) -> Array:
    """Return a read-only vector with each value repeated for the units of its gate.

    Parameters
    ----------
    values : tuple of float
        One for each gate.
    size : int
        Units of a gate.
    dtype : dtype
        float32 or float64.

    Examples
    --------
    >>> per_gate((0.5, 1.0), 2, np.dtype(np.float32))
    array([0.5, 0.5, 1. , 1. ], dtype=float32)
    """
    vector: Array = np.repeat(np.array(values, dtype), size)
    vector.flags.writeable = False
    return vector


def like(array: Array, vector: Array) -> Array:
    """Return `vector` in the shape of `array`: the same, or a copy for each row.

    NumPy multiplies arrays of one shape in half the time that broadcasting takes.
    """
    return vector if array.ndim == 1 else np.broadcast_to(vector, array.shape).copy()

"""Sums and maxima of vectors along the last axis, where calls cost more than arithmetic.

NumPy's reductions take several times as long for short vectors as a product with ones, and its
ufuncs two to three times as long with a Python number, or along a short broadcast axis, as with
an array without axes.
"""

from __future__ import annotations

import functools

import numpy as np

from numpy_rnn._typing import Array

LONGEST = 512
"""Up to how many elements are added up by a product; of more, pairs are, which errs less."""


@functools.lru_cache(maxsize=64)
def number(value: float, dtype: np.dtype[np.generic]) -> Array:
    """Return a number as an array without axes; read-only, since calls share it."""
    array = np.array(value, dtype)
    array.flags.writeable = False
    return array


def totals(rows: Array) -> Array:
    """Return the sum of each row, of shape (N,), in memory of its own.

    Parameters
    ----------
    rows : ndarray of shape (N, F)
        C-contiguous.
    """
    size = rows.shape[1]
    if size > LONGEST:
        summed: Array = np.add.reduce(rows, 1)
        return summed
    product: Array = rows.dot(_ones(size, rows.dtype))
    return product


@functools.lru_cache(maxsize=64)
def _ones(size: int, dtype: np.dtype[np.generic]) -> Array:
    return np.ones(size, dtype)


def greatest(rows: Array) -> Array:
    """Return the greatest element of each row, of shape (N,); NaN if one is."""
    if len(rows) == 1:
        place = rows.argmax()
        return rows[0, place : place + 1]
    # With `initial` it takes a quarter less time.
    result: Array = np.maximum.reduce(rows, 1, initial=-np.inf)
    return result


def beside(numbers: Array) -> Array:
    """Return a number for each row in the shape that rows are broadcast with."""
    return numbers.reshape(()) if len(numbers) == 1 else numbers[:, np.newaxis]

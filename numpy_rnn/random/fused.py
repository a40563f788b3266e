"""A multiplication and an addition with one rounding, as torch's compiled code has them."""

from __future__ import annotations

from typing import Any

import numpy as np

from numpy_rnn._typing import Array


def fused_multiply_add(x: Array, y: Any, z: Any) -> Array:
    """Return ``x * y + z`` in the dtype of `x`, rounded once; all have that dtype.

    A product of float32 numbers is exact in float64. For float64 numbers Dekker's product
    gives its rounding error exactly. What is then rounded a second time was first rounded to
    odd, which leaves no false ties (Boldo and Melquiond, "Emulation of FMA", 2008).
    """
    if x.dtype == np.float32:
        total, error = _sum(x.astype(np.float64) * y, z)
        return _rounded_to_odd(total, error).astype(np.float32)
    product = x * y
    x_high, x_low = _halves(x)
    y_high, y_low = _halves(y)
    product_error = x_low * y_low - (
        ((product - x_high * y_high) - x_low * y_high) - x_high * y_low
    )
    total, error = _sum(product, z)
    result: Array = total + _rounded_to_odd(*_sum(error, product_error))
    return result


def _sum(a: Array, b: Any) -> tuple[Array, Array]:
    """Return ``a + b`` and its rounding error, by Knuth."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def _rounded_to_odd(total: Array, error: Array) -> Array:
    """Return a float64 sum, or if it is inexact and even its neighbour beyond the error."""
    bits = total.view(np.int64)
    is_even_and_inexact = (bits & 1 == 0) & (np.abs(error) > 0)
    away_from_zero = np.where((error > 0) == (total > 0), 1, -1)
    odd: Array = (bits + is_even_and_inexact * away_from_zero).view(np.float64)
    return odd


def _halves(value: Any) -> tuple[Any, Any]:
    """Split a float64 into two of 26 bits each."""
    scaled = value * (2.0**27 + 1.0)
    high = scaled - (scaled - value)
    return high, value - high

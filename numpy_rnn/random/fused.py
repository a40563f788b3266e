"""A multiplication and an addition with one rounding, as torch's compiled code has them."""

from __future__ import annotations

from typing import Any

import numpy as np

from numpy_rnn._typing import Array


def fused_multiply_add(x: Array, y: Any, z: Any) -> Array:
    """Return ``x * y + z`` in the dtype of `x`, rounded once; all have that dtype.

    A product of float32 numbers is exact in float64. For float64 numbers Dekker's product
    and Knuth's sum give the two rounding errors exactly.
    """
    if x.dtype == np.float32:
        return np.asarray(x.astype(np.float64) * y + z, np.float32)
    product = x * y
    x_high, x_low = _halves(x)
    y_high, y_low = _halves(y)
    product_error = x_low * y_low - (
        ((product - x_high * y_high) - x_low * y_high) - x_high * y_low
    )
    total = product + z
    z_part = total - product
    sum_error = (product - (total - z_part)) + (z - z_part)
    result: Array = total + (sum_error + product_error)
    return result


def _halves(value: Any) -> tuple[Any, Any]:
    """Split a float64 into two of 26 bits each."""
    scaled = value * (2.0**27 + 1.0)
    high = scaled - (scaled - value)
    return high, value - high

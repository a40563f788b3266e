"""What gates are scaled by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy_rnn._typing import Array


def half_like(array: Array) -> Array:
    """Return an array like `array`, full of 0.5.

    NumPy takes half as long for two arrays of one shape as for an array and a scalar.
    """
    half = np.empty(array.shape, array.dtype)
    half.fill(0.5)
    return half

"""The product of rows with a transposed weight."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy_rnn._typing import Array


def affine(x: Array, weight_t: Array, bias: Array | None, out: Array) -> None:
    """Write ``x W^T + b`` into `out`.

    Parameters
    ----------
    x : ndarray of shape (rows, H_in)
        Any strides.
    weight_t : ndarray of shape (H_in, H_out)
        The transposed weight, a view or a copy.
    bias : ndarray of shape (H_out,), or None
        Added to each row.
    out : ndarray of shape (rows, H_out)
        C-contiguous, sharing no memory with `x`.
    """
    x.dot(weight_t, out)
    if bias is not None:
        np.add(out, bias, out)

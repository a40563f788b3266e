"""The affine map of the last axis."""

from __future__ import annotations

import math

from numpy_rnn._typing import Array
from numpy_rnn.arguments import as_array, check_dtypes
from numpy_rnn.floating_point import silent


@silent
def linear(input: Array, weight: Array, bias: Array | None = None) -> Array:
    """Return ``input W^T + b``.

    Parameters
    ----------
    input : ndarray of shape (..., in_features)
        float32 or float64.
    weight : ndarray of shape (out_features, in_features)
        Of the input's dtype.
    bias : ndarray of shape (out_features,), optional
        Of the input's dtype.

    Returns
    -------
    ndarray of shape (..., out_features)

    Raises
    ------
    RuntimeError
        If the dtypes or the sizes do not agree.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.linear.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.functional.linear(np.ones((2, 3)), np.ones((4, 3)), np.zeros(4)).shape
    (2, 4)
    """
    x, w = as_array(input, "input"), as_array(weight, "weight")
    b = None if bias is None else as_array(bias, "bias")
    shape, sizes = x.shape, w.shape
    if len(sizes) != 2:
        raise RuntimeError(f"weight must have 2 axes, got an array of shape {sizes}")
    if x.dtype != w.dtype or (b is not None and b.dtype != w.dtype):  # the call takes time
        check_dtypes(x, weight=w, bias=b)
    if not shape or shape[-1] != sizes[1]:
        raise RuntimeError(
            f"the last axis of input must be equal to in_features. Expected {sizes[1]}, got "
            f"input of shape {shape}"
        )
    if b is not None and b.shape != sizes[:1]:
        raise RuntimeError(f"bias must have the shape {sizes[:1]}, got {b.shape}")
    rows = x if len(shape) == 2 else x.reshape(math.prod(shape[:-1]), shape[-1])
    out: Array = rows.dot(w.T)
    if b is not None:
        out += b
    return out if len(shape) == 2 else out.reshape(*shape[:-1], sizes[0])

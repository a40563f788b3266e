"""Affine and bilinear maps of the last axis."""

from __future__ import annotations

import math

import numpy as np

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
    if 0 < x.size == sizes[1]:  # a single vector, to which it takes less to add a bias
        vector: Array = w.dot(x.reshape(-1))
        if b is not None:
            vector += b
        return vector.reshape(*shape[:-1], sizes[0])
    rows = x if len(shape) == 2 else x.reshape(math.prod(shape[:-1]), shape[-1])
    out: Array = rows.dot(w.T)
    if b is not None:
        out += b
    return out if len(shape) == 2 else out.reshape(*shape[:-1], sizes[0])


@silent
def bilinear(input1: Array, input2: Array, weight: Array, bias: Array | None = None) -> Array:
    r"""Return a bilinear form of two inputs for each output.

    .. math:: y_o = x_1^T W_o x_2 + b_o

    Parameters
    ----------
    input1 : ndarray of shape (..., in1_features)
        float32 or float64.
    input2 : ndarray of shape (..., in2_features)
        With the same axes but the last.
    weight : ndarray of shape (out_features, in1_features, in2_features)
        Of the inputs' dtype.
    bias : ndarray of shape (out_features,), optional
        Of the inputs' dtype.

    Returns
    -------
    ndarray of shape (..., out_features)

    Raises
    ------
    RuntimeError
        If the dtypes or the sizes do not agree.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.bilinear.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.functional.bilinear(np.ones((2, 3)), np.ones((2, 4)), np.ones((1, 3, 4)))
    array([[12.],
           [12.]])
    """
    x1, x2 = as_array(input1, "input1"), as_array(input2, "input2")
    w = as_array(weight, "weight")
    b = None if bias is None else as_array(bias, "bias")
    if w.ndim != 3:
        raise RuntimeError(f"weight must have 3 axes, got an array of shape {w.shape}")
    check_dtypes(x1, weight=w, input2=x2, bias=b)
    if x1.ndim != x2.ndim:
        raise RuntimeError(
            f"bilinear(): input dimensions do not match: got {x1.ndim} and {x2.ndim}"
        )
    for axis, (size1, size2) in enumerate(zip(x1.shape[:-1], x2.shape[:-1])):
        if size1 != size2:
            raise RuntimeError(
                f"bilinear(): input batch dimensions do not match at dim {axis}: got {size1} "
                f"and {size2}"
            )
    for name, x, expected in (("input1", x1, w.shape[1]), ("input2", x2, w.shape[2])):
        if x.shape[-1:] != (expected,):
            raise RuntimeError(
                f"bilinear(): {name} size does not match weight size: got "
                f"{x.shape[-1] if x.ndim else 'no axis'} but expected {expected}"
            )
    if b is not None and b.shape != w.shape[:1]:
        raise RuntimeError(
            f"bilinear(): bias size does not match weight size: got {b.shape} but expected "
            f"{w.shape[:1]}"
        )
    rows1, rows2 = (x.reshape(math.prod(x.shape[:-1]), x.shape[-1]) for x in (x1, x2))
    out: Array = np.empty((len(rows1), len(w)), w.dtype)
    for form, column in zip(w, out.T):  # one at a time, so that memory stays small
        np.einsum("ni,ni->n", rows1.dot(form), rows2, out=column)
    if b is not None:
        out += b
    return out.reshape(*x1.shape[:-1], len(w))

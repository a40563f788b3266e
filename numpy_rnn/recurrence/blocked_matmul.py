"""The product of matrices whose elements are sums of many terms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from numpy_rnn.recurrence import heuristics

if TYPE_CHECKING:
    from numpy_rnn._typing import Array


def matmul(a: Array, b: Array, out: Array, part: Array | None = None) -> None:
    """Write ``a b`` into `out`, as a sum of shorter sums.

    A BLAS adds up all terms of an element, some hundreds of them, one after the other. The
    rounding error of such a sum grows with its length, and is most of a wide layer's error;
    that of a sum of shorter sums is less.

    Parameters
    ----------
    a : ndarray of shape (n, terms)
    b : ndarray of shape (terms, m)
        Any strides, both.
    out : ndarray of shape (n, m)
        C-contiguous, sharing no memory with them.
    part : ndarray of shape (n, m), optional
        Memory to work in, sharing none with the others; undefined afterwards.
    """
    terms = a.shape[1]
    length = heuristics.terms_at_once(terms, min(out.shape))
    if length >= terms:
        a.dot(b, out)
        return
    # matmul, since dot would copy what is a part of a matrix.
    np.matmul(a[:, :length], b[:length], out)
    if part is None:
        part = np.empty(out.shape, out.dtype)
    for first in range(length, terms, length):
        own = slice(first, first + length)
        np.matmul(a[:, own], b[own], part)
        np.add(out, part, out)

"""The product of matrices with many terms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from numpy_rnn.recurrence import heuristics

if TYPE_CHECKING:
    from numpy_rnn._typing import Array


def product(a: Array, b: Array, out: Array, part: Array | None = None) -> None:
    """Write ``a b`` into `out`, adding up few terms at a time.

    A BLAS adds the terms of an element one behind the other, some hundreds of them. The
    rounding error of such a sum grows with its length, and in wide layers is most of what
    the output is off by; that of a sum of shorter sums is less.

    Parameters
    ----------
    a : ndarray of shape (n, terms)
    b : ndarray of shape (terms, m)
        Any strides, both.
    out : ndarray of shape (n, m)
        C-contiguous, sharing no memory with them.
    part : ndarray of shape (n, m), optional
        Memory to work in, of its own as well; undefined afterwards.
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

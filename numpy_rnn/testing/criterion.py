"""The criterion of parity with torch, for this package's commands and tests too.

In float64 a fixed tolerance does. In float32 it does not: a trained recurrent net can be
chaotic, so that torch's own results for a batch and for one sequence of it differ by the whole
range of the output, while other nets are so exact that the same tolerance would hide faults.
So an error is measured against torch's float64 result, and compared with torch's own error.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from numpy_rnn._typing import AnyArray
from numpy_rnn.floating_point import silent

__all__ = ["Comparison", "allowed_error", "compare", "difference", "largest_magnitude"]

FLOAT64_TOLERANCE = 1e-12
"""The largest error allowed in float64, relative to the largest value or to 1."""

FACTOR, ULPS = 2.0, 2.0
"""The largest error allowed in float32: torch's own error times `FACTOR`, plus `ULPS` units in
the last place of the largest value or of 1. Hidden states are of the order of 1, even where
those of the last layer happen to be small."""

MARGIN = 2.0
"""How many times that is allowed where a user chose the weights and the input. Our error and
torch's are both random, and torch's is known from a few runs only."""


class Comparison(NamedTuple):
    """An array compared with torch's.

    Attributes
    ----------
    error : float
        The largest difference from the truth; for integers, how many differ from torch's.
    own : float
        The largest difference of torch's result from the truth.
    allowed : float
        The largest error that passes.
    """

    error: float
    own: float
    allowed: float

    @property
    def agrees(self) -> bool:
        """Whether the error, which may be NaN, is allowed."""
        return self.error <= self.allowed


def compare(
    ours: AnyArray, theirs: AnyArray, truth: AnyArray | None = None, margin: float = 1.0
) -> Comparison:
    """Compare an array with torch's.

    Parameters
    ----------
    ours, theirs : ndarray
        The results of the same computation. Integers and bools must be equal.
    truth : ndarray, optional
        torch's result in float64. If omitted, `theirs` is taken as exact.
    margin : float, optional
        A factor for the error that is allowed in float32; see `MARGIN`.

    Returns
    -------
    Comparison
        The error is infinite if shapes or dtypes differ. Where torch's result is infinite or
        NaN, ours must be the same.
    """
    if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
        return Comparison(np.inf, 0.0, 0.0)
    if ours.dtype.kind != "f":
        return Comparison(float(np.count_nonzero(ours != theirs)), 0.0, 0.0)
    exact = np.where(np.isfinite(theirs), theirs if truth is None else truth, theirs)
    error, own = (float(difference(a, exact).max(initial=0.0)) for a in (ours, theirs))
    largest = largest_magnitude(exact)
    if ours.dtype == np.float64:
        return Comparison(error, own, FLOAT64_TOLERANCE * largest)
    return Comparison(error, own, margin * allowed_error(own, largest, ours.dtype))


def allowed_error(own: Any, largest: float, dtype: np.dtype[Any]) -> Any:
    """Return the largest error that passes where both libraries round.

    Parameters
    ----------
    own : float or ndarray
        torch's own error.
    largest : float
        The largest value, or 1.
    dtype : dtype
        The precision that both compute in.
    """
    top = float(np.finfo(dtype).max) / 2  # that of the largest number of all overflows
    return FACTOR * own + ULPS * float(np.spacing(dtype.type(min(largest, top))))


def largest_magnitude(exact: AnyArray) -> float:
    """Return the largest finite magnitude, or 1 if that is larger."""
    return float(np.abs(exact[np.isfinite(exact)]).max(initial=1.0))


@silent
def difference(a: AnyArray, b: AnyArray) -> AnyArray:
    """Return absolute differences in float64: 0 where both are the same infinity or NaN."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    return np.asarray(np.where(same, 0.0, np.abs(a - b)))

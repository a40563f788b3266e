"""The error function, which NumPy lacks."""

from __future__ import annotations

import numpy as np

from numpy_rnn._typing import Array
from numpy_rnn.arguments import FLOAT64
from numpy_rnn.floating_point import silent

BLOCK = 2**13
"""How many elements are computed at a time, so that what is computed stays in the cache."""

# The rational approximations of Moshier's Cephes library (ndtr.c): of erf(x) / x by x squared
# up to 1, and of erfc(x) exp(x^2) by x from 1 to 8. Highest powers first.
_INNER_OVER = (
    *(9.60497373987051638749e0, 9.00260197203842689217e1, 2.23200534594684319226e3),
    *(7.00332514112805075473e3, 5.55923013010394962768e4),
)
_INNER_UNDER = (
    *(1.0, 3.35617141647503099647e1, 5.21357949780152679795e2, 4.59432382970980127987e3),
    *(2.26290000613890934246e4, 4.92673942608635921086e4),
)
_OUTER_OVER = (
    *(2.46196981473530512524e-10, 5.64189564831068821977e-1, 7.46321056442269912687e0),
    *(4.86371970985681366614e1, 1.96520832956077098242e2, 5.26445194995477358631e2),
    *(9.34528527171957607540e2, 1.02755188689515710272e3, 5.57535335369399327526e2),
)
_OUTER_UNDER = (
    *(1.0, 1.32281951154744992508e1, 8.67072140885989742329e1, 3.54937778887819891062e2),
    *(9.75708501743205489753e2, 1.82390916687909736289e3, 2.24633760818710981792e3),
    *(1.65666309194161350182e3, 5.57535340817727675546e2),
)


@silent
def erf(x: Array) -> Array:
    """Return the error function of each element, rounded from float64."""
    flat, out = x.ravel(), np.empty(x.size, x.dtype)
    for first in range(0, x.size, BLOCK):
        out[first : first + BLOCK] = _erf(flat[first : first + BLOCK].astype(FLOAT64))
    return out.reshape(x.shape)


def _erf(x: Array) -> Array:
    size = np.minimum(np.abs(x), 6.0)  # beyond which erf rounds to 1; NaN stays
    square = size * size
    outer = np.exp(-square) * (_polynomial(_OUTER_OVER, size) / _polynomial(_OUTER_UNDER, size))
    inner = size * (_polynomial(_INNER_OVER, square) / _polynomial(_INNER_UNDER, square))
    return np.copysign(np.where(size < 1, inner, 1 - outer), x)


def _polynomial(coefficients: tuple[float, ...], x: Array) -> Array:
    result = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        result *= x
        result += coefficient
    return result

"""Normal draws from uniform ones, rounded as torch's CPU kernels round them.

torch converts blocks of 16 uniform numbers to 16 normal ones. For float32 it computes
logarithm, sine and cosine by the single-precision polynomials of the Cephes library, on
processors with AVX2 and with fused multiply-adds; those are repeated here operation by
operation. For float64 it calls the C library, as Python's ``math`` does.

References
----------
S. L. Moshier, Cephes Mathematical Library, https://www.netlib.org/cephes/ (logf, sinf, cosf)
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from numpy_rnn._typing import Array
from numpy_rnn.random.fused import fused_multiply_add

BLOCK = 16
"""How many draws are made at once, from 8 radii and 8 angles."""

LOG = np.array(
    [
        7.0376836292e-2,
        -1.1514610310e-1,
        1.1676998740e-1,
        -1.2420140846e-1,
        1.4249322787e-1,
        -1.6668057665e-1,
        2.0000714765e-1,
        -2.4999993993e-1,
        3.3333331174e-1,
    ],
    np.float32,
)
LOG_2 = np.array([-2.12194440e-4, 0.693359375], np.float32)
SIN = np.array([-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1], np.float32)
COS = np.array([2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2], np.float32)
QUARTER_PI = np.array([-0.78515625, -2.4187564849853516e-4, -3.7748949774e-8], np.float32)
"""Minus a quarter of pi in three parts, the first two short enough for exact products."""


def normal(uniform: Array) -> Array:
    r"""Return standard normal draws computed from uniform ones.

    .. math:: \sqrt{-2 \ln(1 - u_1)} \cos(2 \pi u_2), \quad
              \sqrt{-2 \ln(1 - u_1)} \sin(2 \pi u_2)

    Parameters
    ----------
    uniform : ndarray of shape (blocks, 16)
        float32 or float64 in [0, 1): in each row 8 times u_1, then 8 times u_2.

    Returns
    -------
    ndarray of shape (blocks, 16)
        In each row the 8 cosines, then the 8 sines.
    """
    u_1, u_2 = uniform[:, : BLOCK // 2], uniform[:, BLOCK // 2 :]
    angle = uniform.dtype.type(2 * math.pi) * u_2
    if uniform.dtype == np.float32:
        log, (sin, cos) = _log(1 - u_1), _sin_cos(angle)
    else:
        log, sin, cos = _each(math.log, 1 - u_1), _each(math.sin, angle), _each(math.cos, angle)
    radius = np.sqrt(-2 * log)
    return np.concatenate([radius * cos, radius * sin], axis=1)


def _each(function: Callable[[float], float], x: Array) -> Array:
    return np.array(list(map(function, x.ravel().tolist())), x.dtype).reshape(x.shape)


def _log(x: Array) -> Array:
    """Return the float32 logarithm of x in (0, 1]."""
    mantissa, exponent = np.frexp(x)
    below = mantissa < np.float32(math.sqrt(0.5))
    m = np.where(below, mantissa + mantissa, mantissa) - 1
    e = (exponent - below).astype(np.float32)
    z = m * m
    y = _polynomial(m, LOG) * m
    y = fused_multiply_add(y, z, e * LOG_2[0])
    y = fused_multiply_add(z, np.float32(-0.5), y)
    return fused_multiply_add(e, LOG_2[1], m + y)


def _sin_cos(x: Array) -> tuple[Array, Array]:
    """Return the float32 sine and cosine of x in [0, 2 pi]."""
    octant = (x * np.float32(4 / math.pi)).astype(np.int32) + 1 & ~1
    turns = octant.astype(np.float32)
    for part in QUARTER_PI:
        x = fused_multiply_add(turns, part, x)
    z = x * x
    cos = fused_multiply_add(_polynomial(z, COS) * z, z, z * np.float32(-0.5)) + 1
    sin = fused_multiply_add(_polynomial(z, SIN) * z, x, x)
    swapped = (octant & 2) != 0
    sin, cos = np.where(swapped, cos, sin), np.where(swapped, sin, cos)
    sin = np.where(octant & 4, -sin, sin)
    cos = np.where(octant + 2 & 4, -cos, cos)
    return sin, cos


def _polynomial(x: Array, coefficients: Array) -> Array:
    """Return the polynomial by Horner's rule, highest power first."""
    y: Array = coefficients[0]
    for coefficient in coefficients[1:]:
        y = fused_multiply_add(x, y, coefficient)
    return y

"""Element types of tensors: how they stand in a file, and what they become in NumPy."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy_rnn._typing import AnyArray

__all__ = ["ELEMENT_TYPES", "ElementType", "decode"]

PIECE = 2**16
"""Elements of quarter precision that are widened at a time: NumPy makes indices of them,
which are eight times as large."""


class ElementType(NamedTuple):
    """How the elements of a storage stand in the file, and what becomes of them.

    Attributes
    ----------
    stored : numpy dtype
        The elements as they are stored, in native byte order.
    widen : callable, or None
        What turns them into numbers, where NumPy or this package lacks the type.
    """

    stored: np.dtype[Any]
    widen: Callable[[AnyArray], AnyArray] | None = None


def _widen_half(stored: AnyArray) -> AnyArray:
    with np.errstate(all="ignore"):  # a signalling NaN
        return stored.astype(np.float32)


def _widen_bfloat16(stored: AnyArray) -> AnyArray:
    """Return float32: a bfloat16 is its upper half."""
    widened = stored.astype(np.uint32)
    widened <<= np.uint32(16)
    return widened.view(np.float32)


def _widen_complex_half(stored: AnyArray) -> AnyArray:
    return _widen_half(stored.view(np.float16)).view(np.complex64)


@cache
def _values(exponent_bits: int, mantissa_bits: int, bias: int) -> AnyArray:
    """Return the float32 of each of the 256 codes, as if none stood for infinity or NaN."""
    codes = np.arange(256)
    sign = np.where(codes < 128, 1.0, -1.0)
    exponent = (codes >> mantissa_bits) & (2**exponent_bits - 1)
    mantissa = (codes & (2**mantissa_bits - 1)) / 2**mantissa_bits
    significand = np.where(exponent == 0, mantissa, 1 + mantissa)
    values = sign * np.ldexp(significand, np.maximum(exponent, 1) - bias)
    return np.asarray(values, np.float32)


@cache
def _e4m3fn() -> AnyArray:
    values = _values(4, 3, 7).copy()
    values[[0x7F, 0xFF]] = np.nan
    return values


@cache
def _e5m2() -> AnyArray:
    values = _values(5, 2, 15).copy()
    values[[0x7C, 0xFC]] = np.inf, -np.inf
    values[[0x7D, 0x7E, 0x7F, 0xFD, 0xFE, 0xFF]] = np.nan
    return values


@cache
def _e4m3fnuz() -> AnyArray:
    values = _values(4, 3, 8).copy()
    values[0x80] = np.nan
    return values


@cache
def _e5m2fnuz() -> AnyArray:
    values = _values(5, 2, 16).copy()
    values[0x80] = np.nan
    return values


@cache
def _e8m0fnu() -> AnyArray:
    """Return powers of two: there is neither a sign nor a mantissa."""
    values = np.ldexp(1.0, np.arange(256) - 127).astype(np.float64)
    values[0xFF] = np.nan
    with np.errstate(all="ignore"):  # 2**128 is where NaN stands, 2**-127 subnormal
        return values.astype(np.float32)


def _quarter(table: Callable[[], AnyArray]) -> ElementType:
    def widen(stored: AnyArray) -> AnyArray:
        values, widened = table(), np.empty(stored.size, np.float32)
        for start in range(0, stored.size, PIECE):
            piece = slice(start, start + PIECE)
            widened[piece] = values[stored[piece]]
        return widened

    return ElementType(np.dtype(np.uint8), widen)


_PLAIN = """
    uint8 uint16 uint32 uint64 int8 int16 int32 int64 float32 float64 complex64 complex128
"""

ELEMENT_TYPES: dict[str, ElementType] = {
    **{name: ElementType(np.dtype(name)) for name in _PLAIN.split()},
    # Any other byte than 0 and 1 would be neither False nor True to NumPy.
    "bool": ElementType(np.dtype(np.uint8), lambda stored: stored != 0),
    "float16": ElementType(np.dtype(np.float16), _widen_half),
    "bfloat16": ElementType(np.dtype(np.uint16), _widen_bfloat16),
    "complex32": ElementType(np.dtype(np.uint32), _widen_complex_half),
    "float8_e4m3fn": _quarter(_e4m3fn),
    "float8_e5m2": _quarter(_e5m2),
    "float8_e4m3fnuz": _quarter(_e4m3fnuz),
    "float8_e5m2fnuz": _quarter(_e5m2fnuz),
    "float8_e8m0fnu": _quarter(_e8m0fnu),
}
"""By torch's names. Half and quarter precision become float32."""


def decode(raw: AnyArray, element_type: ElementType, big_endian: bool) -> AnyArray:
    """Return the elements of a storage.

    Parameters
    ----------
    raw : ndarray of uint8
        The bytes of the storage, a whole number of elements.
    element_type : ElementType
        What they are.
    big_endian : bool
        How they stand in the file.

    Returns
    -------
    ndarray of one axis
        Writeable and aligned; a view of `raw` where its elements need no change.
    """
    stored = element_type.stored
    # A complex32 is two numbers: their bytes are swapped one by one.
    unit = np.dtype(np.float16) if element_type.widen is _widen_complex_half else stored
    if big_endian == (sys.byteorder == "big"):
        elements = raw.view(unit)
    else:
        elements = raw.view(unit.newbyteorder()).astype(unit)
    if not elements.flags.aligned:  # where a mapped file puts it anywhere
        elements = elements.copy()
    elements = elements.view(stored)
    return elements if element_type.widen is None else element_type.widen(elements)

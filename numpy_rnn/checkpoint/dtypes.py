"""torch's dtypes: how a file stores their elements, and what they become in NumPy."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from numpy_rnn.floating_point import silent

if TYPE_CHECKING:
    from numpy_rnn._typing import AnyArray

__all__ = ["NUMPY_DTYPES", "TORCH_DTYPES", "TorchDtype", "decode", "encode", "unsupported"]

PIECE = 2**16
"""float8 elements that are widened at a time: NumPy makes indices of them, which take eight
times as much memory."""


class TorchDtype(NamedTuple):
    """How a file stores the elements of a dtype, and how NumPy gets them.

    Attributes
    ----------
    stored : numpy dtype
        The elements as stored, in native byte order.
    convert : callable, or None
        Converts stored elements where NumPy lacks the dtype, or the file may hold bytes
        that are not valid in it.
    """

    stored: np.dtype[Any]
    convert: Callable[[AnyArray], AnyArray] | None = None


@silent  # a signalling NaN raises a flag
def _widen_float16(stored: AnyArray) -> AnyArray:
    return stored.astype(np.float32)


def _widen_bfloat16(stored: AnyArray) -> AnyArray:
    """Return float32, of which a bfloat16 is the upper half."""
    widened = stored.astype(np.uint32)
    widened <<= np.uint32(16)
    return widened.view(np.float32)


def _widen_complex32(stored: AnyArray) -> AnyArray:
    return _widen_float16(stored.view(np.float16)).view(np.complex64)


class Float8(NamedTuple):
    """The bits of an 8-bit float: a sign if there is room, the exponent, the mantissa.

    `special` has the codes that mean something else.
    """

    exponent: int
    mantissa: int
    bias: int
    special: dict[int, float]

    def value(self, code: int) -> float:
        """Return the number that a code means."""
        if code in self.special:
            return self.special[code]
        exponent = (code >> self.mantissa) % 2**self.exponent
        fraction = code % 2**self.mantissa / 2**self.mantissa
        significand = fraction if exponent == 0 else 1 + fraction
        sign = -1.0 if code >> (self.exponent + self.mantissa) else 1.0
        return sign * math.ldexp(significand, max(exponent, 1) - self.bias)


FLOAT8 = {
    "float8_e4m3fn": Float8(4, 3, 7, dict.fromkeys((0x7F, 0xFF), math.nan)),
    "float8_e5m2": Float8(
        5,
        2,
        15,
        {0x7C: math.inf, 0xFC: -math.inf}
        | dict.fromkeys((0x7D, 0x7E, 0x7F, 0xFD, 0xFE, 0xFF), math.nan),
    ),
    "float8_e4m3fnuz": Float8(4, 3, 8, {0x80: math.nan}),
    "float8_e5m2fnuz": Float8(5, 2, 16, {0x80: math.nan}),
    # Powers of two alone: no sign, no mantissa.
    "float8_e8m0fnu": Float8(8, 0, 127, {0: 2.0**-127, 0xFF: math.nan}),
}


@cache
def _float8_values(name: str) -> AnyArray:
    """Return the numbers that the 256 codes mean."""
    return np.array([FLOAT8[name].value(code) for code in range(256)], np.float32)


def _widen_float8(name: str, stored: AnyArray) -> AnyArray:
    values, widened = _float8_values(name), np.empty(stored.size, np.float32)
    for start in range(0, stored.size, PIECE):
        piece = slice(start, start + PIECE)
        widened[piece] = values[stored[piece]]
    return widened


_SAME = (
    *("uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"),
    *("float32", "float64", "complex64", "complex128"),
)

NUMPY_DTYPES = frozenset({*_SAME, "bool", "float16"})
"""The dtypes of torch that NumPy has, which have the same names there."""

TORCH_DTYPES: dict[str, TorchDtype] = {
    **{name: TorchDtype(np.dtype(name)) for name in _SAME},
    # To NumPy, bytes other than 0 and 1 would be neither False nor True.
    "bool": TorchDtype(np.dtype(np.uint8), lambda stored: stored != 0),
    "float16": TorchDtype(np.dtype(np.float16), _widen_float16),
    "bfloat16": TorchDtype(np.dtype(np.uint16), _widen_bfloat16),
    "complex32": TorchDtype(np.dtype(np.uint32), _widen_complex32),
    **{name: TorchDtype(np.dtype(np.uint8), partial(_widen_float8, name)) for name in FLOAT8},
}
"""By torch's names. Those of half precision and of 8-bit floats become float32."""


def decode(raw: AnyArray, dtype: str, big_endian: bool = False) -> AnyArray:
    """Return the elements that bytes of a file store.

    Parameters
    ----------
    raw : ndarray of uint8
        A whole number of elements.
    dtype : str
        The torch dtype of the elements.
    big_endian : bool
        Whether the file is.

    Returns
    -------
    ndarray of one axis
        Writeable and aligned; a view of `raw` where the elements need no change.
    """
    stored, convert = TORCH_DTYPES[dtype]
    # A complex32 is two numbers, whose bytes are swapped one by one.
    unit = np.dtype(np.float16) if dtype == "complex32" else stored
    if big_endian == (sys.byteorder == "big"):
        elements = raw.view(unit)
    else:
        elements = raw.view(unit.newbyteorder()).astype(unit)
    if not elements.flags.aligned:  # a mapped file may have them anywhere
        elements = elements.copy()
    elements = elements.view(stored)
    return elements if convert is None else convert(elements)


def encode(array: AnyArray) -> memoryview:
    """Return the elements as little-endian bytes in C order, without a copy if they are so."""
    ordered = np.asarray(array, array.dtype.newbyteorder("<"), order="C")
    return ordered.reshape(-1).view(np.uint8).data


def unsupported(name: str, array: AnyArray, format: str) -> TypeError:
    """Return the error for an array whose dtype a format does not have."""
    return TypeError(
        f"{name!r} has dtype {array.dtype}, which {format} does not support: convert it with "
        "astype before saving"
    )

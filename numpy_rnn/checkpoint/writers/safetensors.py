"""safetensors: a JSON header, then the bytes of the arrays one behind the other.

Source: https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import IO, TYPE_CHECKING, Any

from numpy_rnn.checkpoint.writers.elements import little_endian, unsupported

if TYPE_CHECKING:
    from numpy_rnn._typing import AnyArray

__all__ = ["write"]

DTYPES = {
    "bool": "BOOL",
    "uint8": "U8",
    "uint16": "U16",
    "uint32": "U32",
    "uint64": "U64",
    "int8": "I8",
    "int16": "I16",
    "int32": "I32",
    "int64": "I64",
    "float16": "F16",
    "float32": "F32",
    "float64": "F64",
    "complex64": "C64",
}

METADATA = "__metadata__"

ALIGNMENT = 8

LONGEST_HEADER = 100_000_000
"""What readers of the format accept."""


def write(arrays: Mapping[str, AnyArray], file: IO[bytes]) -> None:
    """Write arrays, those of the widest elements first so that all are aligned.

    Raises
    ------
    TypeError
        For a dtype that the format does not have.
    ValueError
        For the name ``__metadata__``, or a header that readers would not take.
    """
    header: dict[str, Any] = {}
    position = 0
    names = sorted(arrays, key=lambda name: (-arrays[name].itemsize, name))
    for name in names:
        array = arrays[name]
        if array.dtype.name not in DTYPES:
            raise unsupported(name, array, "safetensors")
        if name == METADATA:
            raise ValueError(f"safetensors keeps the name {METADATA!r} for itself")
        end = position + array.nbytes
        header[name] = {
            "dtype": DTYPES[array.dtype.name],
            "shape": array.shape,
            "data_offsets": (position, end),
        }
        position = end
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % ALIGNMENT)
    if len(text) > LONGEST_HEADER:
        raise ValueError(f"a header of {len(text)} bytes is too long for safetensors")
    file.write(struct.pack("<Q", len(text)))
    file.write(text)
    for name in names:
        file.write(little_endian(arrays[name]))

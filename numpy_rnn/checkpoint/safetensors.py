"""Files of the safetensors package: a header in JSON, and the tensors one behind the other.

Source: https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from numpy_rnn.checkpoint.element_types import ELEMENT_TYPES
from numpy_rnn.checkpoint.errors import CheckpointError, shown
from numpy_rnn.checkpoint.source import Source
from numpy_rnn.checkpoint.tensors import Storage, Tensor, TypedStorage

if TYPE_CHECKING:
    from numpy_rnn._typing import AnyArray

__all__ = ["DTYPES", "read_safetensors"]

LENGTH = 8
"""Bytes of the length of the header, little-endian."""

LONGEST_HEADER = 100_000_000
"""As in the safetensors package."""

OBJECTS = 24
"""Bytes of memory that a byte of JSON can become."""

METADATA = "__metadata__"

DTYPES = {
    "BOOL": "bool",
    "U8": "uint8",
    "U16": "uint16",
    "U32": "uint32",
    "U64": "uint64",
    "I8": "int8",
    "I16": "int16",
    "I32": "int32",
    "I64": "int64",
    "F16": "float16",
    "BF16": "bfloat16",
    "F32": "float32",
    "F64": "float64",
    "C64": "complex64",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E5M2FNUZ": "float8_e5m2fnuz",
    "F8_E8M0": "float8_e8m0fnu",
}
"""The element type of each dtype."""


def read_safetensors(source: Source) -> dict[str, AnyArray]:
    """Return the tensors by name, in the order of the header.

    Raises
    ------
    CheckpointError
        If the header and the file contradict each other.
    """
    length = int.from_bytes(source.read(0, min(LENGTH, source.size)), "little")
    if length > LONGEST_HEADER or LENGTH + length > source.size:
        raise CheckpointError(
            f"the safetensors header of {length} bytes is longer than the file, or too long"
        )
    start = LENGTH + length
    tensors = {}
    spans = []
    for name, entry in _header(source, length).items():
        if name == METADATA:
            _check_metadata(entry)
            continue
        tensor, begin, end = _tensor(source, name, entry, start)
        tensors[name] = tensor
        spans.append((begin, end, name))
    position = 0
    for begin, end, name in sorted(spans):
        if begin != position:
            raise CheckpointError(f"{shown(name)} begins at {begin} in place of {position}")
        position = end
    if start + position != source.size:
        raise CheckpointError(
            f"the tensors take {position} bytes of {source.size - start} in the file"
        )
    return {name: tensor.array() for name, tensor in tensors.items()}


def _header(source: Source, length: int) -> dict[str, Any]:
    source.allowance.take(OBJECTS * length, "the safetensors header")
    text = source.read(LENGTH, length)
    if text[:1] != b"{":
        raise CheckpointError("the safetensors header is no JSON object")
    try:
        return json.loads(  # type: ignore[no-any-return]  # it begins with a brace
            text.decode("utf-8"),
            object_pairs_hook=_without_duplicates,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
        )
    except CheckpointError:
        raise
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"the safetensors header is no JSON: {error}") from None


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for index, name in enumerate(names) if name in names[:index])
        raise CheckpointError(f"the safetensors header has {shown(twice)} twice")
    return result


def _refuse_number(text: str) -> None:
    raise CheckpointError(f"the safetensors header has the number {shown(text)}")


def _check_metadata(entry: Any) -> None:
    if type(entry) is not dict or not all(type(value) is str for value in entry.values()):
        raise CheckpointError("the metadata of the safetensors file are no strings")


def _tensor(source: Source, name: str, entry: Any, start: int) -> tuple[Tensor, int, int]:
    """Return a tensor, and where it begins and ends behind the header."""
    if type(entry) is not dict or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise CheckpointError(f"{shown(name)} has no dtype, shape and data_offsets, or more")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if type(dtype) is not str or dtype not in DTYPES:
        raise CheckpointError(f"{shown(name)} is of dtype {shown(dtype)}")
    if type(shape) is not list or not all(type(n) is int and 0 <= n < 2**62 for n in shape):
        raise CheckpointError(f"{shown(name)} is of shape {shown(shape)}")
    if type(offsets) is not list or [type(n) for n in offsets] != [int, int]:
        raise CheckpointError(f"{shown(name)} has the offsets {shown(offsets)}")
    begin, end = offsets
    count = math.prod(shape)
    size = count * ELEMENT_TYPES[DTYPES[dtype]].stored.itemsize
    if not 0 <= begin <= end or end - begin != size or start + end > source.size:
        raise CheckpointError(
            f"{shown(name)} of {shown(size)} bytes is said to stand at {shown(begin)} to "
            f"{shown(end)} of {source.size - start}"
        )
    storage = Storage(size, lambda: source.array(start + begin, size), source.allowance)
    typed = TypedStorage(storage, DTYPES[dtype], 0, count)
    return Tensor(typed, 0, tuple(shape), _strides(shape)), begin, end


def _strides(shape: list[int]) -> tuple[int, ...]:
    """Return the strides of a tensor whose elements follow each other."""
    if 0 in shape:
        return (0,) * len(shape)
    strides = [1]
    for n in reversed(shape[1:]):
        strides.append(strides[-1] * n)
    return tuple(reversed(strides[: len(shape)]))

"""Files of the safetensors package: a JSON header, then the contiguous tensors.

Source: https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from numpy_rnn.checkpoint.dtypes import NUMPY_DTYPES, TORCH_DTYPES, decode, encode, unsupported
from numpy_rnn.checkpoint.errors import CheckpointError, shown
from numpy_rnn.checkpoint.source import Source
from numpy_rnn.checkpoint.strict_json import parse_json
from numpy_rnn.checkpoint.tensors import check_shape

if TYPE_CHECKING:
    from numpy_rnn._typing import AnyArray

__all__ = ["LENGTH", "read_safetensors", "write_safetensors"]

LENGTH = 8
"""Bytes that the length of the header takes, little-endian."""

LONGEST_HEADER = 100_000_000
"""As in the safetensors package."""

ALIGNMENT = 8

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
"""torch's name for each dtype of the format."""

CODES = {dtype: code for code, dtype in DTYPES.items() if dtype in NUMPY_DTYPES}
"""The format's name for each dtype that can be written."""


class Entry(NamedTuple):
    """What the header says about a tensor; its place counts from the end of the header."""

    begin: int
    end: int
    name: str
    dtype: str
    shape: tuple[int, ...]


def read_safetensors(source: Source) -> dict[str, AnyArray]:
    """Return the tensors by name, in the order of the header.

    Raises
    ------
    CheckpointError
        If the header and the file contradict each other.
    """
    length = int.from_bytes(source.read(0, min(LENGTH, source.size)), "little")
    start = LENGTH + length
    if length > LONGEST_HEADER or start > source.size:
        raise CheckpointError(
            f"the safetensors header must fit in the file and in {LONGEST_HEADER} bytes, the "
            f"format's limit, got {length} bytes: the file is damaged or cut short"
        )
    header = parse_json(source.read(LENGTH, length), source.budget, "the safetensors header")
    metadata = header.pop(METADATA, {})
    _check_metadata(metadata)
    size = source.size - start
    entries = [_entry(name, value, size) for name, value in header.items()]
    position = 0
    for entry in sorted(entries):
        if entry.begin != position:
            raise CheckpointError(
                f"{shown(entry.name)} must begin at byte {position} of the tensors, where the "
                f"one before it ends, but its data_offsets begin at {entry.begin}"
            )
        position = entry.end
    if position != size:
        raise CheckpointError(
            f"the safetensors header describes {position} bytes of tensors, but the file has "
            f"{size}: the file is damaged or cut short"
        )
    source.metadata = metadata
    source.stored = {entry.name: entry.dtype for entry in entries}
    tensors = {
        name: decode(source.array(start + begin, end - begin), dtype).reshape(shape)
        for begin, end, name, dtype, shape in entries
    }
    # safetensors.torch.save_model leaves out all but one name of a tensor that has several,
    # and notes in the metadata which one. A note of another kind may be a tensor's name too:
    # only names of parameters have dots, unless the module is a layer itself.
    has_dots = any("." in name for name in tensors)
    shared = {
        name: kept
        for name, kept in metadata.items()
        if kept in tensors and (("." in name and "." in kept) or not has_dots)
    }
    return tensors | {n: tensors[kept] for n, kept in shared.items() if n not in tensors}


def _check_metadata(metadata: Any) -> None:
    if type(metadata) is not dict or not all(type(v) is str for v in metadata.values()):
        raise CheckpointError(f"{METADATA} in the safetensors header must map names to strings")


def _entry(name: str, value: Any, size: int) -> Entry:
    """Return the checked entry of a tensor, whose file has `size` bytes of tensors."""
    if type(value) is not dict or set(value) != {"dtype", "shape", "data_offsets"}:
        raise CheckpointError(
            f"{shown(name)} in the safetensors header must have exactly the keys dtype, shape "
            "and data_offsets"
        )
    code, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
    if type(code) is not str or code not in DTYPES:
        raise CheckpointError(
            f"the dtype of {shown(name)} must be one of {', '.join(DTYPES)}, got {shown(code)}"
        )
    dtype = DTYPES[code]
    itemsize = TORCH_DTYPES[dtype].stored.itemsize
    shape = tuple(shape) if type(shape) is list else shape
    try:
        check_shape(shape, itemsize)
    except CheckpointError as error:
        raise CheckpointError(f"{shown(name)}: {error}") from None
    if type(offsets) is not list or [type(n) for n in offsets] != [int, int]:
        raise CheckpointError(
            f"the data_offsets of {shown(name)} must be two integers, got {shown(offsets)}"
        )
    begin, end = offsets
    if not 0 <= begin <= end <= size or end - begin != math.prod(shape) * itemsize:
        raise CheckpointError(
            f"the data_offsets of {shown(name)} must span {math.prod(shape) * itemsize} bytes "
            f"within {size}, got {shown(begin)} to {shown(end)}"
        )
    return Entry(begin, end, name, dtype, shape)


def write_safetensors(
    arrays: Mapping[str, AnyArray], file: IO[bytes], metadata: Mapping[str, str]
) -> None:
    """Write arrays, those with the widest elements first so that all are aligned.

    The metadata say ``{"format": "pt"}``, by which others know torch's names and layouts.

    Raises
    ------
    TypeError
        For a dtype that the format does not have.
    ValueError
        For the name ``__metadata__``, or a header that is too long for the format.
    """
    header: dict[str, Any] = {METADATA: {"format": "pt", **metadata}}
    position = 0
    names = sorted(arrays, key=lambda name: (-arrays[name].itemsize, name))
    for name in names:
        array = arrays[name]
        if array.dtype.name not in CODES:
            raise unsupported(name, array, "safetensors")
        if name == METADATA:
            raise ValueError(f"safetensors reserves the name {METADATA!r}: rename the array")
        end = position + array.nbytes
        header[name] = {
            "dtype": CODES[array.dtype.name],
            "shape": array.shape,
            "data_offsets": (position, end),
        }
        position = end
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % ALIGNMENT)
    if len(text) > LONGEST_HEADER:
        raise ValueError(
            f"a safetensors header must have at most {LONGEST_HEADER} bytes, got {len(text)}: "
            "shorten the names or save fewer arrays"
        )
    file.write(len(text).to_bytes(LENGTH, "little"))
    file.write(text)
    for name in names:
        file.write(encode(arrays[name]))

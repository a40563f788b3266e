"""The zip file that ``torch.save`` writes for a state_dict.

``data.pkl`` describes an OrderedDict of tensors, each a view of a storage; the storages
stand uncompressed in ``data/``, at places that are multiples of 64, as torch has them.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Mapping
from typing import IO, TYPE_CHECKING, TypeAlias

from numpy_rnn.checkpoint.writers.elements import little_endian, unsupported

if TYPE_CHECKING:
    from numpy_rnn._typing import AnyArray

    Memory: TypeAlias = tuple[int, tuple[int, ...], tuple[int, ...], str]
    """Where the elements of an array are, and what they are."""

__all__ = ["write"]

FOLDER = "archive"

ALIGNMENT = 64

LOCAL_HEADER, ZIP64_FIELD = 30, 20
"""Bytes before a member's name and behind its extra field."""

PADDING = b"FB"
"""The extra field that torch, too, fills up with."""

STORAGES = {
    "bool": "BoolStorage",
    "uint8": "ByteStorage",
    "int8": "CharStorage",
    "int16": "ShortStorage",
    "int32": "IntStorage",
    "int64": "LongStorage",
    "float16": "HalfStorage",
    "float32": "FloatStorage",
    "float64": "DoubleStorage",
    "complex64": "ComplexFloatStorage",
    "complex128": "ComplexDoubleStorage",
}
"""torch's class of storages for a dtype."""

WITHOUT_STORAGE = ("uint16", "uint32", "uint64")
"""Newer dtypes, whose storages are of bytes."""


def write(arrays: Mapping[str, AnyArray], file: IO[bytes]) -> None:
    """Write a file that ``torch.load(weights_only=True)`` reads as a state_dict.

    Arrays that are the same memory share a storage, and an axis of stride 0 takes no room.

    Raises
    ------
    TypeError
        For a dtype that torch does not have.
    """
    keys: dict[Memory, str] = {}
    storages: list[AnyArray] = []
    tensors = []
    for name, array in arrays.items():
        if array.dtype.name not in STORAGES and array.dtype.name not in WITHOUT_STORAGE:
            raise unsupported(name, array, "torch")
        base = _without_repetition(array)
        key = keys.setdefault(_memory(base), str(len(storages)))
        if key == str(len(storages)):
            storages.append(base)
        tensors.append(_text(name) + _tensor(array, base, key))
    pickle = b"\x80\x02" + _ORDERED_DICT + b"(" + b"".join(tensors) + b"u."

    with zipfile.ZipFile(file, "w") as archive:
        _add(archive, "data.pkl", pickle)
        _add(archive, ".format_version", b"1")
        _add(archive, ".storage_alignment", b"%d" % ALIGNMENT)
        _add(archive, "byteorder", b"little")
        for number, storage in enumerate(storages):
            _add(archive, f"data/{number}", little_endian(storage))
        _add(archive, "version", b"3\n")


def _without_repetition(array: AnyArray) -> AnyArray:
    """Return the array with one element along each axis of stride 0."""
    if 0 not in array.strides or array.size == 0:
        return array
    return array[tuple(slice(1) if stride == 0 else slice(None) for stride in array.strides)]


def _memory(array: AnyArray) -> Memory:
    address: int = array.__array_interface__["data"][0]
    return address, array.shape, array.strides, array.dtype.str


def _add(archive: zipfile.ZipFile, name: str, data: bytes | memoryview) -> None:
    """Add a member whose data begins at a multiple of `ALIGNMENT`."""
    member = zipfile.ZipInfo(f"{FOLDER}/{name}")
    member.file_size = len(data)
    before = archive.fp.tell() + LOCAL_HEADER + len(member.filename)  # type: ignore[union-attr]  # it is open
    if len(data) * 1.05 > zipfile.ZIP64_LIMIT:  # where zipfile adds a field of its own
        before += ZIP64_FIELD
    fill = -(before + 4) % ALIGNMENT
    member.extra = PADDING + struct.pack("<H", fill) + b"Z" * fill
    with archive.open(member, "w") as stream:
        stream.write(data)
    member.extra = b""  # the directory at the end needs none


# The pickle, instruction by instruction: torch's own names cannot be pickled without torch.


def _global(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


_ORDERED_DICT = _global("collections", "OrderedDict") + b")R"


def _text(text: str) -> bytes:
    data = text.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def _integer(number: int) -> bytes:
    if number < 2**31:
        return b"J" + struct.pack("<i", number)
    return b"\x8a\x09" + number.to_bytes(9, "little", signed=True)


def _tuple(*items: bytes) -> bytes:
    return b"(" + b"".join(items) + b"t"


def _tensor(array: AnyArray, base: AnyArray, key: str) -> bytes:
    """Return the call that makes a tensor of a storage that holds `base` in C order."""
    dtype = array.dtype.name
    strides = [0] * array.ndim
    stride = 1
    for axis in reversed(range(array.ndim)):
        if base.shape[axis] == array.shape[axis]:
            strides[axis] = stride
        stride *= max(base.shape[axis], 1)
    typed = dtype in STORAGES
    kind = _global("torch", STORAGES[dtype]) if typed else UNTYPED
    size = base.size if typed else base.nbytes
    place = _tuple(_text("storage"), kind, _text(key), _text("cpu"), _integer(size)) + b"Q"
    requires_grad, hooks = b"\x89", _ORDERED_DICT
    arguments = [
        place,
        _integer(0),
        _tuple(*map(_integer, array.shape)),
        _tuple(*map(_integer, strides)),
        requires_grad,
        hooks,
    ]
    if typed:
        return _global("torch._utils", "_rebuild_tensor_v2") + _tuple(*arguments) + b"R"
    arguments.append(_global("torch", dtype))
    return _global("torch._utils", "_rebuild_tensor_v3") + _tuple(*arguments) + b"R"


UNTYPED = _global("torch.storage", "UntypedStorage")

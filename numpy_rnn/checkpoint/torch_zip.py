"""The zip files that ``torch.save`` writes since torch 1.6.

One folder holds ``data.pkl``, the pickle of the saved object; ``data/KEY``, the bytes of
each storage; and ``byteorder``, unless the file is an early one. What is written here is
a state_dict: an OrderedDict of tensors.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from functools import partial
from typing import IO, TYPE_CHECKING, Any

from numpy_rnn.checkpoint.dtypes import NUMPY_DTYPES, TORCH_DTYPES, encode, unsupported
from numpy_rnn.checkpoint.errors import CheckpointError, shown
from numpy_rnn.checkpoint.tensors import Storage, TypedStorage
from numpy_rnn.checkpoint.torch_unpickler import STORAGE_CLASSES, Storages, Unpickler
from numpy_rnn.checkpoint.zip_archive import ZipArchive

if TYPE_CHECKING:
    import zipfile

    from numpy_rnn._typing import AnyArray

__all__ = ["PICKLE", "ZipStorages", "is_big_endian", "read_torch_zip", "write_torch_zip"]

PICKLE = "/data.pkl"

FOLDER = "archive"

ALIGNMENT = 64
"""Of the bytes of each member, as in torch."""

LOCAL_HEADER, ZIP64_FIELD = 30, 20
"""Bytes of a member's header before its name, and of a field after it."""

PADDING = b"FB"
"""The extra field with which torch pads headers."""


# Reading


class ZipStorages(Storages):
    """The storages of a torch zip file: one member each, under its key.

    Parameters
    ----------
    archive : ZipArchive
    folder : str
        That of the storages.
    big_endian : bool
    """

    def __init__(self, archive: ZipArchive, folder: str, big_endian: bool) -> None:
        self._archive = archive
        self._folder = folder
        self._big_endian = big_endian
        self._storages: dict[str, Storage] = {}
        self._dtypes: dict[str, str] = {}

    def find(self, key: str, dtype: str, size: int, view: Any) -> TypedStorage:
        """Return the storage `key`."""
        name = f"{self._folder}/{key}"
        member = self._archive.members.get(name)
        if member is None:
            raise CheckpointError(f"the zip file has no storage {shown(key)}")
        length = size * TORCH_DTYPES[dtype].stored.itemsize
        if member.size != length:
            raise CheckpointError(
                f"the storage {shown(key)} must have {length} bytes, got {member.size}"
            )
        if view is not None:
            raise CheckpointError(
                f"the storage {shown(key)} has a view, which only legacy files may have"
            )
        if self._dtypes.setdefault(key, dtype) != dtype:
            raise CheckpointError(
                f"the storage {shown(key)} is described twice, with different dtypes"
            )
        if key not in self._storages:
            self._storages[key] = Storage(
                length,
                partial(self._archive.array, name),
                self._archive.budget,
                self._big_endian,
                is_compressed=self._archive.is_compressed(name),
            )
        return TypedStorage(self._storages[key], dtype, 0, size)


def is_big_endian(archive: ZipArchive, folder: str) -> bool:
    """Return whether the storages are big-endian; early files do not say, and are not."""
    name = f"{folder}/byteorder"
    if name not in archive.members:
        return False
    order = archive.read(name)
    if order not in (b"little", b"big"):
        raise CheckpointError(f"byteorder must hold 'little' or 'big', got {shown(order)}")
    return order == b"big"


def read_torch_zip(archive: ZipArchive, folder: str, unpickler: Unpickler) -> Any:
    """Return the object in a zip file that torch wrote.

    Parameters
    ----------
    archive : ZipArchive
    folder : str
        The folder that holds ``data.pkl``.
    unpickler : type of TorchUnpickler
        What builds the object.

    Raises
    ------
    CheckpointError
        If the file is damaged, or holds what is not allowed.
    """
    storages = ZipStorages(archive, f"{folder}/data", is_big_endian(archive, folder))
    return unpickler(archive.read(folder + PICKLE), archive.budget, storages).run()


# Writing


def write_torch_zip(arrays: Mapping[str, AnyArray], file: IO[bytes]) -> None:
    """Write a file that ``torch.load(weights_only=True)`` reads as a state_dict.

    Arrays that are the same memory share a storage, and an axis of stride 0 takes no room.

    Raises
    ------
    TypeError
        For a dtype that torch does not have.
    """
    import zipfile  # only for writing: it is slow to import

    keys: dict[tuple[Any, ...], str] = {}
    storages: list[AnyArray] = []
    tensors = []
    for name, array in arrays.items():
        if array.dtype.name not in NUMPY_DTYPES:
            raise unsupported(name, array, "torch")
        base = _without_repetition(array)
        address, _ = base.__array_interface__["data"]
        memory = (address, base.shape, base.strides, base.dtype.str)
        key = keys.setdefault(memory, str(len(storages)))
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
            _add(archive, f"data/{number}", encode(storage))
        _add(archive, "version", b"3\n")


def _without_repetition(array: AnyArray) -> AnyArray:
    """Return the array with one element along each axis of stride 0."""
    if 0 not in array.strides or array.size == 0:
        return array
    return array[tuple(slice(1) if stride == 0 else slice(None) for stride in array.strides)]


def _add(archive: zipfile.ZipFile, name: str, data: bytes | memoryview) -> None:
    """Add a member whose bytes begin at a multiple of `ALIGNMENT`."""
    import zipfile

    member = zipfile.ZipInfo(f"{FOLDER}/{name}")
    member.file_size = len(data)
    before = archive.fp.tell() + LOCAL_HEADER + len(member.filename)  # type: ignore[union-attr]  # it is open
    if len(data) * 1.05 > zipfile.ZIP64_LIMIT:  # where zipfile adds another field
        before += ZIP64_FIELD
    fill = -(before + 4) % ALIGNMENT
    member.extra = PADDING + struct.pack("<H", fill) + b"Z" * fill
    with archive.open(member, "w") as stream:
        stream.write(data)
    member.extra = b""  # the directory at the end needs none


# torch's names cannot be pickled without torch: the pickle is written by its instructions.


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


def _integers(numbers: Iterable[int]) -> bytes:
    return _tuple(*map(_integer, numbers))


def _tensor(array: AnyArray, base: AnyArray, key: str) -> bytes:
    """Return the call that makes a tensor from a storage that holds `base` in C order."""
    dtype = array.dtype.name
    strides = [0] * array.ndim
    stride = 1
    for axis in reversed(range(array.ndim)):
        if base.shape[axis] == array.shape[axis]:
            strides[axis] = stride
        stride *= max(base.shape[axis], 1)
    storage_class = STORAGE_CLASSES.get(dtype)
    if storage_class:
        kind, size = _global("torch", storage_class), base.size
    else:  # a newer dtype, whose storages are of bytes
        kind, size = _global("torch.storage", "UntypedStorage"), base.nbytes
    place = _tuple(_text("storage"), kind, _text(key), _text("cpu"), _integer(size)) + b"Q"
    requires_grad, hooks = b"\x89", _ORDERED_DICT
    shape = _integers(array.shape)
    arguments = [place, _integer(0), shape, _integers(strides), requires_grad, hooks]
    if storage_class:
        return _global("torch._utils", "_rebuild_tensor_v2") + _tuple(*arguments) + b"R"
    arguments.append(_global("torch", dtype))
    return _global("torch._utils", "_rebuild_tensor_v3") + _tuple(*arguments) + b"R"

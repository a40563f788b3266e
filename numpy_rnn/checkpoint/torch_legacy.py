"""The files that ``torch.save`` wrote before torch 1.6, and still does on request.

There are five pickles: a number, a version, a description of the machine, the saved
object, and the keys of its storages. After them come the storages in the order of these
keys, each after the number of its elements. All is little-endian.
"""

from __future__ import annotations

import io
import mmap
from typing import Any

from numpy_rnn.checkpoint.dtypes import TORCH_DTYPES
from numpy_rnn.checkpoint.errors import CheckpointError, shown
from numpy_rnn.checkpoint.memory_budget import MemoryBudget
from numpy_rnn.checkpoint.pickle_machine import PickleMachine
from numpy_rnn.checkpoint.source import Source
from numpy_rnn.checkpoint.tensors import Storage, TypedStorage
from numpy_rnn.checkpoint.torch_unpickler import InertUnpickler, Storages, Unpickler

__all__ = ["MAGIC_NUMBER", "PickledStorages", "read_torch_legacy"]

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
PROTOCOL_VERSION = 1001

COUNT = 8
"""Bytes of the number of elements before a storage."""


class StreamStorages(Storages):
    """The storages of a legacy file, whose places are known after all pickles are read.

    Parameters
    ----------
    source : Source
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._sizes: dict[str, tuple[str, int]] = {}
        self._starts: dict[str, int] = {}
        self._storages: dict[str, Storage] = {}

    def find(self, key: str, dtype: str, size: int, view: Any) -> TypedStorage:
        """Return the storage `key`, or the part of it that is a separate storage."""
        if self._sizes.setdefault(key, (dtype, size)) != (dtype, size):
            raise CheckpointError(
                f"the storage {shown(key)} is described twice, with different dtypes or sizes"
            )
        length = size * TORCH_DTYPES[dtype].stored.itemsize
        if length > self._source.size:
            raise CheckpointError(
                f"the storage {shown(key)} has {length} bytes, more than the file: the file "
                "is damaged or cut short"
            )
        if key not in self._storages:
            self._storages[key] = Storage(
                length,
                lambda: self._source.array(self._starts[key], length),
                self._source.budget,
                is_compressed=self._source.is_compressed,
            )
        start, count = _view(view, size)
        return TypedStorage(self._storages[key], dtype, start, count)

    def locate(self, keys: Any, start: int) -> None:
        """Note where each storage is.

        Raises
        ------
        CheckpointError
            If the keys are not those of the object, or the file is of another length.
        """
        if type(keys) is not list or not all(type(key) is str for key in keys):
            raise CheckpointError("the keys of the storages must be a list of strings")
        if len(set(keys)) != len(keys) or set(keys) != set(self._sizes):
            raise CheckpointError("the keys of the storages must be those of the tensors")
        for key in keys:
            dtype, size = self._sizes[key]
            count = int.from_bytes(self._source.read(start, COUNT), "little", signed=True)
            if count != size:
                raise CheckpointError(
                    f"the storage {shown(key)} must have {size} elements, got {count}"
                )
            start += COUNT
            self._starts[key] = start
            start += size * TORCH_DTYPES[dtype].stored.itemsize
            if start > self._source.size:
                raise CheckpointError(
                    f"the file is cut short within the storage {shown(key)}: copy or download "
                    "it again"
                )
        if start != self._source.size:
            raise CheckpointError(
                f"the file must end after its last storage, at byte {start}, but has "
                f"{self._source.size} bytes: save each checkpoint to a separate file"
            )


def _view(view: Any, size: int) -> tuple[int, int]:
    """Return where a view of a storage begins and how many elements it has."""
    if view is None:
        return 0, size
    sizes = view[1:] if type(view) is tuple and len(view) == 3 else ()
    if not sizes or not all(type(n) is int and n >= 0 for n in sizes) or sum(sizes) > size:
        raise CheckpointError(
            f"the view of a storage must be its key, start and size within {size} elements, "
            f"got {shown(view)}"
        )
    start, count = sizes
    return start, count


def read_torch_legacy(
    source: Source, data: bytes | mmap.mmap, start: int, unpickler: Unpickler
) -> Any:
    """Return the object in a legacy file.

    Parameters
    ----------
    source : Source
    data : bytes or mmap
        All of it.
    start : int
        Where the second pickle begins.
    unpickler : type of TorchUnpickler
        What builds the object.

    Raises
    ------
    CheckpointError
        If the file is damaged, or holds what is not allowed.
    """

    def plain(start: int) -> tuple[Any, int]:
        machine = PickleMachine(data, source.budget, start)
        return machine.run(), machine.position

    version, start = plain(start)
    if type(version) is not int or version != PROTOCOL_VERSION:
        raise CheckpointError(
            f"the legacy format must be of version {PROTOCOL_VERSION}, got {shown(version)}"
        )
    _, object_start = plain(start)
    storages = StreamStorages(source)
    # A first pass finds which storages there are, hence where they are. What it builds is
    # enough if tensors may stay in the file.
    is_inert = issubclass(unpickler, InertUnpickler)
    first_unpickler = unpickler if is_inert else InertUnpickler
    first = first_unpickler(data, source.budget, storages, object_start)
    result = first.run()
    keys, start = plain(first.position)
    storages.locate(keys, start)
    if is_inert:
        return result
    return unpickler(data, source.budget, storages, object_start).run()


class _StorageUnpickler(InertUnpickler):
    """Reads a file that holds a storage and nothing else."""

    def call(self, function: Any, arguments: tuple[Any, ...]) -> Any:
        """Refuse all calls: such a file has none."""
        return PickleMachine.call(self, function, arguments)


class PickledStorages(Storages):
    """The storages of a plain pickle: each is a legacy file in a string of bytes.

    Parameters
    ----------
    is_compressed : bool
        Whether the pickle takes less than its size in the file.
    """

    def __init__(self, is_compressed: bool) -> None:
        self._is_compressed = is_compressed

    def from_bytes(self, data: bytes, budget: MemoryBudget) -> TypedStorage:
        """Return the storage that a string of bytes in the pickle is."""
        budget.spend(len(data), "a storage in the pickle")
        source = Source(io.BytesIO(data), len(data), None, budget, self._is_compressed)
        machine = PickleMachine(data, budget)
        magic = machine.run()
        if type(magic) is not int or magic != MAGIC_NUMBER:
            raise CheckpointError("a storage in a pickle must be in torch's legacy format")
        storage = read_torch_legacy(source, data, machine.position, _StorageUnpickler)
        if not isinstance(storage, TypedStorage):
            raise CheckpointError(f"expected a storage in the pickle, got {shown(storage)}")
        return storage

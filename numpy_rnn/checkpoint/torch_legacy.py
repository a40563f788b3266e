"""The files that ``torch.save`` wrote before torch 1.6, and still does when it is asked to.

Five pickles follow each other: a number, a version, a description of the machine, the
saved object, and the keys of its storages. Behind them are the storages in the order of
these keys, each with the number of its elements before it, always little-endian.
"""

from __future__ import annotations

import mmap
import struct
from functools import partial
from typing import TYPE_CHECKING, Any

from numpy_rnn.checkpoint.element_types import ELEMENT_TYPES
from numpy_rnn.checkpoint.errors import CheckpointError, shown
from numpy_rnn.checkpoint.pickle_machine import PickleMachine
from numpy_rnn.checkpoint.source import Source
from numpy_rnn.checkpoint.tensors import Storage, TypedStorage
from numpy_rnn.checkpoint.torch_unpickler import InertUnpickler, Unpickler

if TYPE_CHECKING:
    from numpy_rnn._typing import AnyArray

__all__ = ["MAGIC_NUMBER", "read_torch_legacy"]

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
PROTOCOL_VERSION = 1001

COUNT = struct.Struct("<q")


class StreamStorages:
    """The storages of a legacy file, of which the places are known after its pickles.

    Parameters
    ----------
    source : Source
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._sizes: dict[str, tuple[str, int]] = {}
        self._starts: dict[str, int] = {}
        self._storages: dict[str, Storage] = {}

    def find(self, key: str, element_type: str, size: int, view: Any) -> TypedStorage:
        """Return the storage `key`, or the part of it that is a storage of its own."""
        if self._sizes.setdefault(key, (element_type, size)) != (element_type, size):
            raise CheckpointError(f"the storage {shown(key)} is said to be two different ones")
        length = size * ELEMENT_TYPES[element_type].stored.itemsize
        if length > self._source.size:
            raise CheckpointError(
                f"the storage {shown(key)} of {length} bytes is larger than the file"
            )
        if key not in self._storages:
            self._storages[key] = Storage(
                length,
                partial(_read, self._source, self._starts, key, length),
                self._source.allowance,
            )
        start, count = _view(view, size)
        return TypedStorage(self._storages[key], element_type, start, count)

    def locate(self, keys: Any, start: int) -> None:
        """Note where each storage stands.

        Raises
        ------
        CheckpointError
            If the keys are not those of the object, or the file is shorter.
        """
        if type(keys) is not list or not all(type(key) is str for key in keys):
            raise CheckpointError("the keys of the storages are no list of strings")
        if len(set(keys)) != len(keys) or set(keys) != set(self._sizes):
            raise CheckpointError("the keys of the storages are not those of the tensors")
        for key in keys:
            element_type, size = self._sizes[key]
            (count,) = COUNT.unpack(self._source.read(start, COUNT.size))
            if count != size:
                raise CheckpointError(
                    f"the storage {shown(key)} has {count} elements in place of {size}"
                )
            start += COUNT.size
            self._starts[key] = start
            start += size * ELEMENT_TYPES[element_type].stored.itemsize
            if start > self._source.size:
                raise CheckpointError(f"the file ends within the storage {shown(key)}")
        if start != self._source.size:
            raise CheckpointError("the file goes on after its last storage")


def _read(source: Source, starts: dict[str, int], key: str, length: int) -> AnyArray:
    return source.array(starts[key], length)


def _view(view: Any, size: int) -> tuple[int, int]:
    """Return where a view of a storage begins and how many elements it has."""
    if view is None:
        return 0, size
    if type(view) is not tuple or len(view) != 3:
        raise CheckpointError(f"the view {shown(view)} of a storage")
    _, start, count = view
    if type(start) is not int or type(count) is not int or not 0 <= start <= start + count:
        raise CheckpointError(f"the view {shown(view)} of a storage")
    if start + count > size:
        raise CheckpointError(f"a view to element {start + count} of a storage of {size}")
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
        Where the pickle after the first ends.
    unpickler : type of TorchUnpickler
        What builds the object.

    Raises
    ------
    CheckpointError
        If the file is damaged, or holds what is not allowed.
    """

    def plain(start: int) -> tuple[Any, int]:
        machine = PickleMachine(data, source.allowance, start)
        return machine.run(), machine.position

    version, start = plain(start)
    if type(version) is not int or version != PROTOCOL_VERSION:
        raise CheckpointError(f"the version {shown(version)} of the legacy format")
    _, object_start = plain(start)
    storages = StreamStorages(source)
    # A first reading tells which storages there are, hence where they stand. What it
    # builds is enough if tensors may stay in the file.
    first = InertUnpickler(data, source.allowance, storages, object_start)
    result = first.run()
    keys, start = plain(first.position)
    storages.locate(keys, start)
    if issubclass(unpickler, InertUnpickler):
        return result
    return unpickler(data, source.allowance, storages, object_start).run()

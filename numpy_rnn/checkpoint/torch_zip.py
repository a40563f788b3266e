"""The zip files that ``torch.save`` writes since torch 1.6.

One folder holds ``data.pkl``, the pickle of the saved object; ``data/KEY``, the bytes of
each storage; and ``byteorder``, if it is not an early file.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from numpy_rnn.checkpoint.allowance import Allowance
from numpy_rnn.checkpoint.element_types import ELEMENT_TYPES
from numpy_rnn.checkpoint.errors import CheckpointError, shown
from numpy_rnn.checkpoint.source import Source
from numpy_rnn.checkpoint.tensors import Storage, TypedStorage
from numpy_rnn.checkpoint.torch_unpickler import Unpickler
from numpy_rnn.checkpoint.zip_archive import ZipArchive

__all__ = ["PICKLE", "ZipStorages", "is_big_endian", "read_torch_zip"]

PICKLE = "/data.pkl"


class ZipStorages:
    """The storages of a torch zip file: one member each, under its key.

    Parameters
    ----------
    archive : ZipArchive
    folder : str
        Where they are in it.
    allowance : Allowance
    big_endian : bool
    """

    def __init__(
        self, archive: ZipArchive, folder: str, allowance: Allowance, big_endian: bool
    ) -> None:
        self._archive = archive
        self._folder = folder
        self._allowance = allowance
        self._big_endian = big_endian
        self._storages: dict[str, Storage] = {}

    def find(self, key: str, element_type: str, size: int, view: Any) -> TypedStorage:
        """Return the storage `key`."""
        name = f"{self._folder}/{key}"
        member = self._archive.members.get(name)
        if member is None:
            raise CheckpointError(f"the zip file has no storage {shown(key)}")
        length = size * ELEMENT_TYPES[element_type].stored.itemsize
        if member.size != length:
            raise CheckpointError(
                f"the storage {shown(key)} has {member.size} bytes in place of {length}"
            )
        if view is not None:
            raise CheckpointError(f"a view of the storage {shown(key)}")
        if key not in self._storages:
            self._storages[key] = Storage(
                length,
                partial(self._archive.array, name),
                self._allowance,
                self._big_endian,
                member.compressed < length,
            )
        return TypedStorage(self._storages[key], element_type, 0, size)


def is_big_endian(archive: ZipArchive, folder: str) -> bool:
    """Tell the byte order of the storages; early files do not, and are little-endian."""
    name = f"{folder}/byteorder"
    if name not in archive.members:
        return False
    order = archive.read(name)
    if order not in (b"little", b"big"):
        raise CheckpointError(f"the byte order {shown(order)}")
    return order == b"big"


def read_torch_zip(
    source: Source, archive: ZipArchive, folder: str, unpickler: Unpickler
) -> Any:
    """Return the object in a zip file of torch's.

    Parameters
    ----------
    source : Source
    archive : ZipArchive
        The whole of `source`.
    folder : str
        The one that holds ``data.pkl``.
    unpickler : type of TorchUnpickler
        What builds the object.

    Raises
    ------
    CheckpointError
        If the file is damaged, or holds what is not allowed.
    """
    storages = ZipStorages(
        archive, f"{folder}/data", source.allowance, is_big_endian(archive, folder)
    )
    pickle = archive.read(folder + PICKLE)
    return unpickler(pickle, source.allowance, storages).run()

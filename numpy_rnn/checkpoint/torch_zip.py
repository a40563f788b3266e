"""The zip files that ``torch.save`` writes since torch 1.6.

One folder holds ``data.pkl``, the pickle of the saved object; ``data/KEY``, the bytes of
each storage; and ``byteorder``, if it is not an early file. torch compresses nothing, so
that no member can be larger than the file.
"""

from __future__ import annotations

import os
import struct
import zipfile
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from numpy_rnn.checkpoint.errors import CheckpointError, shown
from numpy_rnn.checkpoint.torch_unpickler import TorchUnpickler

if TYPE_CHECKING:
    from numpy_rnn._typing import AnyArray

__all__ = ["load_torch_zip"]

PICKLE = "/data.pkl"

CHUNK = 2**20
"""Bytes of a storage that are read at a time."""

DAMAGE = (
    zipfile.BadZipFile,
    EOFError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
    struct.error,
)
"""What zipfile raises for damaged files."""


def load_torch_zip(file: IO[bytes]) -> Any:
    """Return the object in a zip file of torch's, with arrays for its tensors.

    Parameters
    ----------
    file : binary file, seekable
        It stands where the zip file begins, and ends with it.

    Raises
    ------
    CheckpointError
        If the file is damaged, or holds what is not allowed.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            return _load(archive, _members(archive, file))
    except CheckpointError:
        raise
    except DAMAGE as error:
        raise CheckpointError(f"the zip file is damaged or cut short: {error}") from error


def _members(archive: zipfile.ZipFile, file: IO[bytes]) -> dict[str, zipfile.ZipInfo]:
    """Return the archive's members by name, after a look at what it says of them."""
    file.seek(0, os.SEEK_END)
    size = file.tell()
    # zipfile looks for the directory from the end and takes what is before for no part
    # of it; torch reads from the start.
    if min((info.header_offset for info in archive.infolist()), default=0) != 0:
        raise CheckpointError("the file holds more than one zip file, or something before it")
    members: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        if info.filename in members:
            raise CheckpointError(f"the zip file has {shown(info.filename)} twice")
        members[info.filename] = info
    if sum(info.compress_size for info in members.values()) > size:
        raise CheckpointError("the zip file has less in it than it says")
    return members


def _stored(info: zipfile.ZipInfo) -> zipfile.ZipInfo:
    """Return a member that may be read: one that is no larger than its place in the file."""
    if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
        raise CheckpointError(
            f"{shown(info.filename)} is compressed, which torch.save never does"
        )
    return info


def _load(archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo]) -> Any:
    pickles = [name for name in members if name.endswith(PICKLE) and name.count("/") == 1]
    if len(pickles) != 1:
        raise CheckpointError(
            "the zip file has no data.pkl, or several: torch.save did not write it. "
            "numpy.load reads .npz"
        )
    folder = pickles[0].removesuffix(PICKLE)
    if f"{folder}/constants.pkl" in members:
        raise CheckpointError(
            "the file is a TorchScript archive: save the model's state_dict() with torch.save"
        )

    def read_storage(key: str, size: int) -> AnyArray:
        info = members.get(f"{folder}/data/{key}")
        if info is None:
            raise CheckpointError(f"the zip file has no storage {shown(key)}")
        if info.file_size != size:
            raise CheckpointError(
                f"the storage {shown(key)} has {info.file_size} bytes in place of {size}"
            )
        data = np.empty(size, np.uint8)
        with archive.open(_stored(info)) as stream:
            position = 0
            while chunk := stream.read(CHUNK):  # at the end zipfile compares the CRC
                data.data[position : position + len(chunk)] = chunk
                position += len(chunk)
        return data

    byteorder = members.get(f"{folder}/byteorder")
    big_endian = byteorder is not None and archive.read(_stored(byteorder)) == b"big"
    pickle = archive.read(_stored(members[pickles[0]]))
    return TorchUnpickler(read_storage, big_endian).run(pickle)

"""The zip files that ``torch.save`` writes since torch 1.6.

One folder holds ``data.pkl``, the pickle of the saved object; ``data/KEY``, the bytes of
each storage; and ``byteorder``, if it is not an early file.
"""

from __future__ import annotations

import zipfile
from typing import IO, Any

import numpy as np

from numpy_rnn._typing import AnyArray
from numpy_rnn.checkpoint.errors import CheckpointError
from numpy_rnn.checkpoint.torch_unpickler import TorchUnpickler

__all__ = ["load_torch_zip"]

PICKLE = "/data.pkl"


def load_torch_zip(file: IO[bytes]) -> Any:
    """Return the object in a zip file of torch's, with arrays for its tensors.

    Parameters
    ----------
    file : binary file, seekable

    Raises
    ------
    CheckpointError
        If the file is damaged, or holds what is not allowed.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            return _load(archive)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, RuntimeError) as error:
        raise CheckpointError(f"the zip file is damaged or cut short: {error}") from error


def _load(archive: zipfile.ZipFile) -> Any:
    names = archive.namelist()
    pickles = [name for name in names if name.endswith(PICKLE) and name.count("/") == 1]
    if len(pickles) != 1:
        raise CheckpointError(
            "the zip file has no data.pkl: torch.save did not write it. numpy.load reads .npz"
        )
    folder = pickles[0].removesuffix(PICKLE)
    if f"{folder}/constants.pkl" in names:
        raise CheckpointError(
            "the file is a TorchScript archive: save the model's state_dict() with torch.save"
        )

    def read_storage(key: str, size: int) -> AnyArray:
        name = f"{folder}/data/{key}"
        if name not in names:
            raise CheckpointError(f"the zip file has no storage {key!r}")
        info = archive.getinfo(name)
        if info.file_size != size:
            raise CheckpointError(
                f"the storage {key!r} has {info.file_size} bytes in place of {size}"
            )
        with archive.open(info) as stream:
            data = bytearray(stream.read(size))
        if len(data) != size:
            raise CheckpointError(f"the storage {key!r} ends after {len(data)} bytes")
        return np.frombuffer(data, np.uint8)

    byteorder = f"{folder}/byteorder"
    big_endian = byteorder in names and archive.read(byteorder) == b"big"
    return TorchUnpickler(read_storage, big_endian).run(archive.read(pickles[0]))

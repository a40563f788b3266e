"""Detect the format of a file by its content, and read it."""

from __future__ import annotations

import pickle
from typing import Any

from numpy_rnn.checkpoint.errors import CheckpointError, shown
from numpy_rnn.checkpoint.numpy_files import NPY, is_npz, read_npy, read_npz
from numpy_rnn.checkpoint.safetensors import LENGTH, read_safetensors
from numpy_rnn.checkpoint.source import Source
from numpy_rnn.checkpoint.torch_legacy import MAGIC_NUMBER, read_torch_legacy
from numpy_rnn.checkpoint.torch_script import is_torch_script, read_torch_script
from numpy_rnn.checkpoint.torch_unpickler import Unpickler
from numpy_rnn.checkpoint.torch_zip import PICKLE, read_torch_zip
from numpy_rnn.checkpoint.zip_archive import ZipArchive

__all__ = ["read"]

ZIP = (b"PK\3\4", b"PK\5\6")
"""How a zip file starts, and one without members."""

OLD_PICKLE = b"(]}cVSIFLNU\x8a\x8c"
"""Instructions that a pickle of protocol 0 or 1 may start with."""

TAR_PLACE, TAR = 257, b"ustar"

READABLE = (
    "numpy_rnn reads what torch.save and torch.jit.save write (.pt, .pth, .bin), .safetensors, "
    ".npz, .npy and pickled dicts of arrays"
)

OTHER_FORMATS = {
    b"\x89HDF\r\n\x1a\n": f"an HDF5 file. {READABLE}",
    b"\x1f\x8b": "gzipped. Open it with gzip.open and pass the file object",
    b"BZh": "compressed by bzip2. Open it with bz2.open and pass the file object",
    b"\xfd7zXZ\0": "compressed by xz. Open it with lzma.open and pass the file object",
    b"GGUF": f"a GGUF file. {READABLE}",
}
"""What a file that starts with these bytes is, and what to do."""


def read(source: Source, unpickler: Unpickler) -> Any:
    """Return what a file holds.

    Parameters
    ----------
    source : Source
    unpickler : type of TorchUnpickler
        What becomes of unknown classes in a pickle, and of its tensors.

    Raises
    ------
    CheckpointError
        If the file is damaged, or in a format that is not read.
    """
    start = source.read(0, min(source.size, 512))
    source.budget.refund(len(start))
    if start.startswith(ZIP):
        return _read_zip(ZipArchive(source), unpickler)
    if start.startswith(NPY):
        return read_npy(source)
    # Before pickles: the length of a header may look like one.
    is_json = start[LENGTH : LENGTH + 1] == b"{"
    if is_json and int.from_bytes(start[:LENGTH], "little") + LENGTH <= source.size:
        return read_safetensors(source)
    if start[TAR_PLACE : TAR_PLACE + len(TAR)] == TAR:
        raise CheckpointError(
            "the file is a tar archive, which torch 0.1.10 and older wrote: load it with torch "
            "and save it again"
        )
    is_old_pickle = start[0] in OLD_PICKLE and source.read(source.size - 1, 1) == pickle.STOP
    if start[:1] == pickle.PROTO or is_old_pickle:
        return _read_pickle(source, unpickler)
    for beginning, remedy in OTHER_FORMATS.items():
        if start.startswith(beginning):
            raise CheckpointError(f"not a checkpoint: the file is {remedy}")
    if is_json:
        return read_safetensors(source)  # which says what is wrong with its length
    raise CheckpointError(
        f"not a checkpoint: the file starts with {shown(start[:16])}. {READABLE}"
    )


def _read_zip(archive: ZipArchive, unpickler: Unpickler) -> Any:
    pickles = [
        name for name in archive.members if name.endswith(PICKLE) and name.count("/") == 1
    ]
    if not pickles and is_npz(archive):
        return read_npz(archive)
    if len(pickles) != 1:
        raise CheckpointError(
            "not a checkpoint: the zip file must hold one FOLDER/data.pkl, as from torch, or "
            f"only .npy files, as from NumPy, but holds {len(pickles)} data.pkl among "
            f"{len(archive.members)} files"
        )
    folder = pickles[0].removesuffix(PICKLE)
    if is_torch_script(archive, folder):
        return read_torch_script(archive, folder)
    return read_torch_zip(archive, folder, unpickler)


def _read_pickle(source: Source, unpickler: Unpickler) -> Any:
    """Read a plain pickle, or the legacy format, whose first pickle is a number."""
    data = source.contents()
    machine = unpickler(data, source.budget)
    result = machine.run()
    if type(result) is int and result == MAGIC_NUMBER:
        return read_torch_legacy(source, data, machine.position, unpickler)
    if machine.position != len(data):
        raise CheckpointError(
            f"the file must end after its pickle, at byte {machine.position}, but has "
            f"{len(data)} bytes: save each checkpoint to a separate file"
        )
    return result

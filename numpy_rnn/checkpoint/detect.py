"""Detect the format of a file by its content, and read it."""

from __future__ import annotations

import contextlib
import io
import pickle
import zlib
from typing import Any

from numpy_rnn.checkpoint.errors import CheckpointError, UnknownFormatError, shown
from numpy_rnn.checkpoint.memory_budget import MemoryLimitError
from numpy_rnn.checkpoint.numpy_files import NPY, is_npz, read_npy, read_npz
from numpy_rnn.checkpoint.safetensors import LENGTH, read_safetensors
from numpy_rnn.checkpoint.source import Source
from numpy_rnn.checkpoint.torch_export import find_weights_config, read_torch_export
from numpy_rnn.checkpoint.torch_legacy import MAGIC_NUMBER, PickledStorages, read_torch_legacy
from numpy_rnn.checkpoint.torch_script import is_torch_script, read_torch_script
from numpy_rnn.checkpoint.torch_unpickler import InertUnpickler, Unpickler
from numpy_rnn.checkpoint.torch_zip import PICKLE, read_torch_zip
from numpy_rnn.checkpoint.unknown_object import FOREIGN_MEMBER, UNREADABLE, UnknownObject
from numpy_rnn.checkpoint.zip_archive import ZipArchive

__all__ = ["read"]

ZIP = (b"PK\3\4", b"PK\5\6")
"""How a zip file starts, and one without members."""

OLD_PICKLE = b"(]}cVSIFLNU\x8a\x8c"
"""Instructions that a pickle of protocol 0 or 1 may start with."""

TAR_PLACE, TAR = 257, b"ustar"

GZIP = b"\x1f\x8b"

MOST_SHOWN = 5
"""Checkpoints in a zip file that are named."""

MOST_JSON = 2**20
"""Bytes in which to look for what a JSON file is."""

READABLE = (
    "numpy_rnn reads what torch.save and torch.jit.save write (.pt, .pth, .bin), .safetensors, "
    ".npz, .npy and pickled dicts of arrays"
)

OTHER_FORMATS = {
    b"version https://git-lfs": "a Git LFS pointer, not the file itself: run git lfs pull",
    b"\x89HDF\r\n\x1a\n": f"an HDF5 file, as Keras writes. {READABLE}",
    b"BZh": "compressed by bzip2. Open it with bz2.open and pass the file object",
    b"\xfd7zXZ\0": "compressed by xz. Open it with lzma.open and pass the file object",
    b"\x28\xb5\x2f\xfd": "compressed by zstd: decompress it first",
    b"\x78\x9c": "compressed by zlib, as joblib does: load it with joblib and save its arrays",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive: extract the checkpoint from it",
    b"Rar!": "a RAR archive: extract the checkpoint from it",
    b"GGUF": f"a GGUF file. {READABLE}",
    b"\x08": f"an ONNX model, or another file of protocol buffers. {READABLE}",
}
"""What a file that starts with these bytes is, and what to do."""

JOBLIB = b"joblib.numpy_pickle"

NESTED = (".pt", ".pth", ".bin", ".ckpt", ".safetensors")
"""Suffixes of checkpoints that are members of a zip file, as Stable-Baselines3 writes it."""


def read(source: Source, unpickler: Unpickler, nested: bool = False) -> Any:
    """Return what a file holds.

    Parameters
    ----------
    source : Source
    unpickler : type of TorchUnpickler
        What becomes of unknown classes in a pickle, and of its tensors.
    nested : bool
        Whether it is in a zip file: then it must not be another with checkpoints in it.

    Raises
    ------
    CheckpointError
        If the file is damaged, or in a format that is not read.
    """
    start = source.read(0, min(source.size, 512))
    source.budget.refund(len(start))
    if start.startswith(ZIP):
        return _read_zip(source, unpickler, nested)
    if start.startswith(NPY):
        source.format = ".npy"
        return read_npy(source, unpickler)
    # Before pickles: the length of a header may look like one.
    is_json = start[LENGTH : LENGTH + 1] == b"{"
    if is_json and int.from_bytes(start[:LENGTH], "little") + LENGTH <= source.size:
        source.format = "safetensors"
        return read_safetensors(source)
    if start[TAR_PLACE : TAR_PLACE + len(TAR)] == TAR:
        raise UnknownFormatError(f"not a checkpoint: the file is {_tar(start)}")
    for beginning, remedy in OTHER_FORMATS.items():
        if start.startswith(beginning):
            raise UnknownFormatError(f"not a checkpoint: the file is {remedy}")
    is_old_pickle = start[0] in OLD_PICKLE and source.read(source.size - 1, 1) == pickle.STOP
    if start[:1] == pickle.PROTO or is_old_pickle:
        if JOBLIB in start:
            raise UnknownFormatError(
                "not a checkpoint: the file is joblib's: load it with joblib and save its "
                "arrays with numpy.savez"
            )
        return _read_pickle(source, unpickler)
    if start.startswith(GZIP):
        raise UnknownFormatError(f"not a checkpoint: the file is {_gzipped(start)}")
    if start.lstrip()[:14].lower().startswith((b"<!doctype html", b"<html")):
        raise UnknownFormatError(
            "not a checkpoint: the file is a web page, perhaps a login or an error: download "
            "the file itself"
        )
    if start.lstrip().startswith(b"{"):
        raise UnknownFormatError(f"not a checkpoint: the file is {_json(source)}")
    if is_json:
        return read_safetensors(source)  # which says what is wrong with its length
    raise UnknownFormatError(
        f"not a checkpoint: the file starts with {shown(start[:16])}. {READABLE}"
    )


def _tar(start: bytes) -> str:
    """Return what a tar archive is, and what to do."""
    first = start[:100].partition(b"\0")[0].decode("utf-8", "replace")
    if first == "sys_info":
        return (
            "a tar archive, which torch 0.1.10 and older wrote: load it with torch and save it "
            "again"
        )
    return (
        f"a tar archive, whose first member is {shown(first)}: extract the checkpoint with "
        "tarfile, and read that"
    )


def _gzipped(start: bytes) -> str:
    """Return what a gzipped file is, and what to do."""
    inside = b""
    with contextlib.suppress(zlib.error):
        inside = zlib.decompressobj(zlib.MAX_WBITS + 16).decompress(start, 512)
    if inside[TAR_PLACE : TAR_PLACE + len(TAR)] == TAR:
        return f"gzipped; it is {_tar(inside)}"
    return "gzipped. Open it with gzip.open and pass the file object"


def _json(source: Source) -> str:
    """Return what a JSON file is, and what to do."""
    text = source.read(0, min(source.size, MOST_JSON))
    if b'"weight_map"' in text:
        return "an index of shards: read each of the files that it names, and join the dicts"
    return f"JSON text. {READABLE}"


def _read_zip(source: Source, unpickler: Unpickler, nested: bool) -> Any:
    archive = ZipArchive(source)
    members = archive.members
    pickles = [name for name in members if name.endswith(PICKLE) and name.count("/") == 1]
    if len(pickles) == 1:
        folder = pickles[0].removesuffix(PICKLE)
        if is_torch_script(archive, folder):
            source.format = "TorchScript"
            return read_torch_script(archive, folder)
        source.format = "torch.save (zip)"
        return read_torch_zip(archive, folder, unpickler)
    config = find_weights_config(archive)
    if config is not None:
        source.format = "torch.export"
        return read_torch_export(archive, config)
    if is_npz(archive):
        source.format = ".npz"
        return read_npz(archive, unpickler)
    checkpoints = [name for name in members if name.endswith(NESTED)]
    if not checkpoints or nested:
        raise UnknownFormatError(
            "not a checkpoint: the zip file must hold one FOLDER/data.pkl, as from torch, .npy "
            f"files alone, as from NumPy, or checkpoints ({', '.join(NESTED)}), but holds "
            f"{len(pickles)} data.pkl among {len(members)} files"
        )
    source.format = f"zip file with {', '.join(map(shown, checkpoints[:MOST_SHOWN]))}"
    if len(checkpoints) == 1:
        return _read_member(archive, checkpoints[0], unpickler)
    if not issubclass(unpickler, InertUnpickler):
        return {name: _read_member(archive, name, unpickler) for name in checkpoints}
    return {name: _member_or_reason(archive, name, unpickler) for name in checkpoints}


def _member_or_reason(archive: ZipArchive, name: str, unpickler: Unpickler) -> Any:
    """Return what a member holds, or an object that says why it is not read."""
    try:
        return _read_member(archive, name, unpickler)
    except MemoryLimitError:
        raise
    except UnknownFormatError as error:
        return UnknownObject(FOREIGN_MEMBER, (), str(error))
    except CheckpointError as error:
        return UnknownObject(UNREADABLE, (), str(error))


def _read_member(archive: ZipArchive, name: str, unpickler: Unpickler) -> Any:
    """Return what a checkpoint in a zip file holds."""
    data = archive.read(name)
    is_compressed = archive.is_compressed(name)
    source = Source(io.BytesIO(data), len(data), None, archive.budget, is_compressed)
    try:
        return read(source, unpickler, True)
    except CheckpointError as error:
        raise type(error)(f"{shown(name)}: {error}") from None


def _read_pickle(source: Source, unpickler: Unpickler) -> Any:
    """Read a plain pickle, or the legacy format, whose first pickle is a number."""
    data = source.contents()
    machine = unpickler(data, source.budget, PickledStorages(source.is_compressed))
    result = machine.run()
    source.format = "pickle"
    if type(result) is int and result == MAGIC_NUMBER:
        source.format = "torch.save (before torch 1.6)"
        return read_torch_legacy(source, data, machine.position, unpickler)
    if machine.position != len(data):
        raise CheckpointError(
            f"the file must end after its pickle, at byte {machine.position}, but has "
            f"{len(data)} bytes: save each checkpoint to a separate file"
        )
    return result

"""Which format a file is in, by its content."""

from __future__ import annotations

from typing import Any

from numpy_rnn.checkpoint.errors import CheckpointError, shown
from numpy_rnn.checkpoint.numpy_files import NPY, is_npz, read_npy, read_npz
from numpy_rnn.checkpoint.safetensors import LENGTH, read_safetensors
from numpy_rnn.checkpoint.source import Source
from numpy_rnn.checkpoint.state_dicts import places_of_names
from numpy_rnn.checkpoint.stubs import Global
from numpy_rnn.checkpoint.torch_legacy import MAGIC_NUMBER, read_torch_legacy
from numpy_rnn.checkpoint.torch_script import is_torch_script, read_torch_script
from numpy_rnn.checkpoint.torch_unpickler import InertUnpickler, Unpickler
from numpy_rnn.checkpoint.torch_zip import PICKLE, read_torch_zip
from numpy_rnn.checkpoint.zip_archive import ZipArchive

__all__ = ["read", "unknown_names"]

ZIP = (b"PK\3\4", b"PK\5\6")
"""How one begins, and one without members."""

PICKLE_PROTOCOL = b"\x80"
OLD_PICKLE = b"(]}cVSIFLNU\x8a\x8c"
"""Instructions that a pickle of protocol 0 or 1 may begin with."""

TAR_PLACE, TAR = 257, b"ustar"

KNOWN = {
    b"\x89HDF\r\n\x1a\n": "HDF5",
    b"\x1f\x8b": "gzip: open it with gzip.open, and hand that over",
    b"BZh": "bzip2: open it with bz2.open, and hand that over",
    b"\xfd7zXZ\0": "xz: open it with lzma.open, and hand that over",
    b"GGUF": "GGUF",
}
"""Formats that are none of ours."""


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
        If the file is in no format that is read, or not what its format asks for.
    """
    start = source.read(0, min(source.size, 512))
    source.allowance.left += len(start)
    if start.startswith(ZIP):
        return _read_zip(source, unpickler)
    if start.startswith(NPY):
        return read_npy(source)
    # Before pickles: the length of a header may look like one.
    if start[LENGTH : LENGTH + 1] == b"{" and _is_length(source, start):
        return read_safetensors(source)
    if start[TAR_PLACE : TAR_PLACE + len(TAR)] == TAR:
        raise CheckpointError(
            "the file is a tar archive, which torch 0.1.10 and older wrote; it can be loaded "
            "and saved again where torch is"
        )
    if start[:1] == PICKLE_PROTOCOL or (start[0] in OLD_PICKLE and _ends_with_stop(source)):
        return _read_pickle(source, unpickler)
    for beginning, name in KNOWN.items():
        if start.startswith(beginning):
            raise CheckpointError(f"the file is in a format that is not read, {name}")
    if start[LENGTH : LENGTH + 1] == b"{":
        return read_safetensors(source)  # which says what is wrong with its length
    raise CheckpointError(
        f"the file begins with {shown(start[:16])}, which no format does that is read: "
        "what torch.save and torch.jit.save write, .safetensors, .npz, .npy, pickles"
    )


def unknown_names(source: Source) -> dict[str, str]:
    """Return the names in a file's pickle that are not on the list, and where they stand.

    Raises
    ------
    CheckpointError
        If the file is damaged besides.
    """
    source.renew_allowance()
    unknown: dict[Global, None] = {}

    class Recorder(InertUnpickler):
        """One that notes the names for us."""

        def find(self, name: Global) -> Any:
            found = super().find(name)
            unknown.update(self.unknown)
            return found

    places = places_of_names(read(source, Recorder), unknown)
    return {str(name): places.get(name, "nowhere in the result") for name in unknown}


def _is_length(source: Source, start: bytes) -> bool:
    return int.from_bytes(start[:LENGTH], "little") + LENGTH <= source.size


def _ends_with_stop(source: Source) -> bool:
    return source.read(source.size - 1, 1) == b"."


def _read_zip(source: Source, unpickler: Unpickler) -> Any:
    archive = ZipArchive(source)
    pickles = [
        name for name in archive.members if name.endswith(PICKLE) and name.count("/") == 1
    ]
    if not pickles and is_npz(archive):
        return read_npz(archive)
    if len(pickles) != 1:
        raise CheckpointError(
            "the zip file has no data.pkl, or several: neither torch nor NumPy wrote it"
        )
    folder = pickles[0].removesuffix(PICKLE)
    if is_torch_script(archive, folder):
        script = read_torch_script(source, archive, folder)
        return {name: tensor.array() for name, tensor in script.items()}
    return read_torch_zip(source, archive, folder, unpickler)


def _read_pickle(source: Source, unpickler: Unpickler) -> Any:
    """Read a pickle that stands alone, or the legacy format, whose first one is a number."""
    data = source.contents()
    machine = unpickler(data, source.allowance)
    result = machine.run()
    if type(result) is int and result == MAGIC_NUMBER:
        return read_torch_legacy(source, data, machine.position, unpickler)
    if machine.position != len(data):
        raise CheckpointError(
            f"the file goes on after the pickle, which ends at byte {machine.position}"
        )
    return result

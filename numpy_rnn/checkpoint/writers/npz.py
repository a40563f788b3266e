"""NumPy's ``.npz``: a zip file with one ``.npy`` for each array, uncompressed."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from typing import IO, TYPE_CHECKING

from numpy.lib import format as npy

from numpy_rnn.checkpoint.writers.elements import unsupported

if TYPE_CHECKING:
    from numpy_rnn._typing import AnyArray

__all__ = ["write"]

SUFFIX = ".npy"

LARGEST_HEADER = 2**16


def write(arrays: Mapping[str, AnyArray], file: IO[bytes]) -> None:
    """Write arrays that ``numpy.load`` reads without pickles.

    Raises
    ------
    TypeError
        For a dtype that is neither numbers nor bool.
    ValueError
        For a name that a zip file cannot have, or that numpy.load would confuse.
    """
    for name, array in arrays.items():
        if array.dtype.kind not in "biufc":
            raise unsupported(name, array, ".npz")
        if "\0" in name or len(name.encode()) + len(SUFFIX) >= 2**16:
            raise ValueError(f"{name[:60]!r} cannot be a name in a zip file")
        if name.endswith(SUFFIX) and name.removesuffix(SUFFIX) in arrays:
            raise ValueError(f"numpy.load cannot tell {name!r} from the same without {SUFFIX}")
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(name + SUFFIX)
            member.filename = name + SUFFIX  # on Windows ZipInfo changes backslashes
            member.file_size = array.nbytes + LARGEST_HEADER  # says if zip64 is needed
            with archive.open(member, "w") as stream:
                npy.write_array(stream, array, allow_pickle=False)

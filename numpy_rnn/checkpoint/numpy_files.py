"""``.npy`` and ``.npz`` files, which ``numpy.save`` and ``numpy.savez`` write.

Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.lib import format as npy

from numpy_rnn.checkpoint.dtypes import decode, unsupported
from numpy_rnn.checkpoint.errors import CheckpointError, shown
from numpy_rnn.checkpoint.memory_budget import MemoryBudget
from numpy_rnn.checkpoint.numpy_pickles import NDARRAY, array_from_bytes
from numpy_rnn.checkpoint.source import Source
from numpy_rnn.checkpoint.torch_legacy import PickledStorages
from numpy_rnn.checkpoint.torch_unpickler import InertUnpickler, Unpickler
from numpy_rnn.checkpoint.unknown_object import UnknownObject
from numpy_rnn.checkpoint.zip_archive import ZipArchive

if TYPE_CHECKING:
    from numpy_rnn._typing import AnyArray

__all__ = ["NPY", "is_npz", "read_npy", "read_npz", "write_npz"]

NPY = b"\x93NUMPY"
SUFFIX = ".npy"

LENGTHS = {(1, 0): 2, (2, 0): 4, (3, 0): 4}
"""Bytes that the length of the header takes, by the version of the format."""

LONGEST_HEADER = 10_000
"""As in NumPy; that of a plain array is a line."""

MOST_DIGITS = 19

LONGEST_TEXT = 2**26
"""Characters of an element: NumPy 1 cannot take many more."""

BFLOAT16 = "V2"
"""What NumPy calls the elements of an array of ml_dtypes.bfloat16."""

# NumPy writes a dict of Python in exactly this order. It is not evaluated.
HEADER = re.compile(
    r"\{'descr': '([<>|=]?)([biufcSUO]\d{1,9}|V2)', 'fortran_order': (True|False), "
    r"'shape': \(((?:\d+L?, ?)*(?:\d+L?)?)\),? *\} *\n?"
)
FOREIGN = re.compile(
    r"\{'descr': (?:'[<>|=]?[VMm][\w\[\]]*'|\[\('.*\)\]), 'fortran_order': (?:True|False), "
    r"'shape': \([\d, L]*\),? *\} *\n?"
)
"""The header of an array of structures, dates or subarrays."""
PICKLED = re.compile(r"\{'descr': (?:'\|O|.*'\|O')")


def is_npz(archive: ZipArchive) -> bool:
    """Return whether a zip file holds arrays and nothing else."""
    return all(name.endswith(SUFFIX) for name in archive.members)


def read_npz(archive: ZipArchive, unpickler: Unpickler) -> dict[str, Any]:
    """Return the arrays by name.

    Parameters
    ----------
    archive : ZipArchive
    unpickler : type of TorchUnpickler
        What becomes of arrays of objects, which are pickled.

    Raises
    ------
    CheckpointError
        If the file is damaged, or an array is not of numbers or text.
    """
    archive.has_crcs = True  # only torch can leave them out
    arrays: dict[str, Any] = {}
    for member in archive.members:
        name = member.removesuffix(SUFFIX)
        try:
            arrays[name] = _parsed(archive.array(member), unpickler, archive.budget)
        except CheckpointError as error:
            raise type(error)(f"{shown(name)}: {error}") from None
    return arrays


def read_npy(source: Source, unpickler: Unpickler) -> Any:
    """Return the array; for `unpickler` see `read_npz`.

    Raises
    ------
    CheckpointError
        If the file is damaged, or the array is not of numbers or text.
    """
    return _parsed(source.array(0, source.size), unpickler, source.budget)


def _parsed(data: AnyArray, unpickler: Unpickler, budget: MemoryBudget) -> Any:
    """Return the array in the bytes of a file, a view of them where it can be one."""
    start, length = _header_place(data)
    if length > LONGEST_HEADER or start + length > data.size:
        raise CheckpointError(
            f"the .npy header must fit in the file and in {LONGEST_HEADER} bytes, NumPy's "
            f"limit, got {length} bytes: the file is damaged or cut short"
        )
    text = data[start : start + length].tobytes().decode("latin-1")
    found = HEADER.fullmatch(text)
    if found is None or found[2].startswith("O"):
        if found or PICKLED.match(text):
            return _unpickled(data[start + length :], unpickler, budget)
        if FOREIGN.fullmatch(text) is None:
            raise CheckpointError(f"the .npy header must describe one array, got {shown(text)}")
        reason = f"the array must be of booleans, numbers or text, but is {shown(text)}"
        if not issubclass(unpickler, InertUnpickler):
            raise CheckpointError(reason)
        return UnknownObject(NDARRAY, (), reason)
    order, code, fortran, dimensions = found.groups()
    numbers = re.findall(r"\d+", dimensions)
    if any(len(number) > MOST_DIGITS for number in numbers):
        raise CheckpointError("the shape in the .npy header is too large")
    shape = tuple(map(int, numbers))
    is_fortran = fortran == "True"
    elements = data[start + length :]
    if code == BFLOAT16:
        budget.spend(2 * elements.size, "converting bfloat16")
        elements, code = (
            decode(elements[: elements.size // 2 * 2], "bfloat16").view(np.uint8),
            "f4",
        )
    array = array_from_bytes(
        elements, _dtype(order, code), shape[::-1] if is_fortran else shape, budget
    )
    return array.T if is_fortran else array


def _unpickled(data: AnyArray, unpickler: Unpickler, budget: MemoryBudget) -> Any:
    """Return an array of objects, as far as they are read: inert."""
    if not issubclass(unpickler, InertUnpickler):
        raise CheckpointError(
            "the array must hold numbers or text, but holds pickled Python objects: convert it "
            "with astype before saving, or read the weights in it with read_state_dict"
        )
    budget.spend(data.size, "a pickle in the file")
    return unpickler(data.tobytes(), budget, PickledStorages(is_compressed=True)).run()


def _header_place(data: AnyArray) -> tuple[int, int]:
    """Return where the header begins, and its length."""
    if data[: len(NPY)].tobytes() != NPY or data.size < 12:
        raise CheckpointError("not a .npy file, or it is cut short")
    version = (int(data[6]), int(data[7]))
    if version not in LENGTHS:
        raise CheckpointError(
            f"the .npy format must be of version 1.0, 2.0 or 3.0, got {version[0]}.{version[1]}"
        )
    start = 8 + LENGTHS[version]
    return start, int.from_bytes(data[8:start].tobytes(), "little")


def _dtype(order: str, code: str) -> np.dtype[Any]:
    try:
        dtype = np.dtype(order + code)
    except (TypeError, ValueError):
        dtype = np.dtype(object)
    if dtype.itemsize == 0 or dtype.kind not in "biufcSU" or int(code[1:]) > LONGEST_TEXT:
        raise CheckpointError(
            f"the dtype in the .npy header must be of numbers or text, got {shown(code)}"
        )
    return dtype


def write_npz(arrays: Mapping[str, AnyArray], file: IO[bytes]) -> None:
    """Write an uncompressed zip file of arrays, which ``numpy.load`` reads without pickles.

    Raises
    ------
    TypeError
        For a dtype that is neither numbers nor bool.
    ValueError
        For a name that a zip file cannot have, or that numpy.load would confuse.
    """
    import zipfile  # only for writing: it is slow to import

    for name, array in arrays.items():
        if array.dtype.kind not in "biufc":
            raise unsupported(name, array, ".npz")
        if "\0" in name or len(name.encode()) + len(SUFFIX) >= 2**16:
            raise ValueError(f"{name[:60]!r} cannot be a name in a zip file: rename it")
        if name.endswith(SUFFIX) and name.removesuffix(SUFFIX) in arrays:
            raise ValueError(
                f"numpy.load cannot distinguish {name!r} from the same name without {SUFFIX}: "
                "rename one of them"
            )
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(name + SUFFIX)
            member.filename = name + SUFFIX  # on Windows ZipInfo changes backslashes
            member.file_size = array.nbytes + 2**16  # with a header; decides on ZIP64
            with archive.open(member, "w") as stream:
                npy.write_array(stream, array, allow_pickle=False)

"""``.npy`` and ``.npz`` files, which ``numpy.save`` and ``numpy.savez`` write.

Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from numpy_rnn.checkpoint.allowance import Allowance
from numpy_rnn.checkpoint.errors import CheckpointError, shown
from numpy_rnn.checkpoint.numpy_pickles import checked_array
from numpy_rnn.checkpoint.source import Source
from numpy_rnn.checkpoint.zip_archive import ZipArchive

if TYPE_CHECKING:
    from numpy_rnn._typing import AnyArray

__all__ = ["NPY", "is_npz", "read_npy", "read_npz"]

NPY = b"\x93NUMPY"
SUFFIX = ".npy"

LENGTHS = {(1, 0): 2, (2, 0): 4, (3, 0): 4}
"""Bytes of the length of the header, by the version of the format."""

LONGEST_HEADER = 10_000
"""As in NumPy: that of a plain array is a line."""

MOST_DIGITS = 19

# NumPy writes a dict of Python in exactly this order. It is not evaluated.
HEADER = re.compile(
    r"\{'descr': '([<>|=]?)([biufcSUO]\d{1,9})', 'fortran_order': (True|False), "
    r"'shape': \(((?:\d+L?, ?)*(?:\d+L?)?)\),? *\} *\n?"
)
PICKLED = re.compile(r"\{'descr': (?:'\|O|.*'\|O')")


def is_npz(archive: ZipArchive) -> bool:
    """Tell whether a zip file holds arrays and nothing else."""
    return all(name.endswith(SUFFIX) for name in archive.members)


def read_npz(archive: ZipArchive) -> dict[str, AnyArray]:
    """Return the arrays by name.

    Raises
    ------
    CheckpointError
        If the file is damaged, or holds what is no array of numbers or text.
    """
    arrays: dict[str, AnyArray] = {}
    for member in archive.members:
        name = member.removesuffix(SUFFIX)
        try:
            arrays[name] = _parsed(archive.array(member), archive.allowance)
        except CheckpointError as error:
            raise CheckpointError(f"{shown(name)}: {error}") from None
    return arrays


def read_npy(source: Source) -> AnyArray:
    """Return the array.

    Raises
    ------
    CheckpointError
        If the file is damaged, or holds what is no array of numbers or text.
    """
    return _parsed(source.array(0, source.size), source.allowance)


def _parsed(data: AnyArray, allowance: Allowance) -> AnyArray:
    """Return the array in the bytes of a file, a view of them where it can be one."""
    start, length = _header_place(data)
    if length > LONGEST_HEADER or start + length > data.size:
        raise CheckpointError(f"a header of {length} bytes, which is too long")
    text = data[start : start + length].tobytes().decode("latin-1")
    found = HEADER.fullmatch(text)
    if found is None or found[2].startswith("O"):
        if found or PICKLED.match(text):
            raise CheckpointError("an array of Python objects, which is a pickle")
        raise CheckpointError(f"the header {shown(text)} of an array")
    order, code, fortran, dimensions = found.groups()
    numbers = re.findall(r"\d+", dimensions)
    if any(len(number) > MOST_DIGITS for number in numbers):
        raise CheckpointError("an array that is too large")
    shape = tuple(map(int, numbers))
    is_fortran = fortran == "True"
    array = checked_array(
        data[start + length :],
        _dtype(order, code),
        shape[::-1] if is_fortran else shape,
        allowance,
    )
    return array.T if is_fortran else array


def _header_place(data: AnyArray) -> tuple[int, int]:
    """Return where the header begins, and its length."""
    if data[: len(NPY)].tobytes() != NPY or data.size < 12:
        raise CheckpointError("this is no .npy file, or one that is cut short")
    version = (int(data[6]), int(data[7]))
    if version not in LENGTHS:
        raise CheckpointError(f"version {version} of the .npy format")
    start = 8 + LENGTHS[version]
    return start, int.from_bytes(data[8:start].tobytes(), "little")


def _dtype(order: str, code: str) -> np.dtype[Any]:
    try:
        dtype = np.dtype(order + code)
    except TypeError:
        raise CheckpointError(f"an array of dtype {shown(code)}") from None
    if dtype.itemsize == 0 or dtype.kind not in "biufcSU":
        raise CheckpointError(f"an array of dtype {shown(code)}")
    return dtype

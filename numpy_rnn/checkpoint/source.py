"""The file that is read: a path or a binary file object, of known size."""

from __future__ import annotations

import io
import mmap
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from numpy_rnn.checkpoint.errors import CheckpointError
from numpy_rnn.checkpoint.memory_budget import MemoryBudget

if TYPE_CHECKING:
    from numpy_rnn._typing import AnyArray

__all__ = ["CHUNK", "Source", "open_source"]

MAPPED_FROM = 64 * 2**20
"""Bytes from which on a file is mapped. A smaller one is read: nothing that happens to the
file afterwards can then reach the arrays."""

CHUNK = 2**20
"""Bytes of a large file that are read at a time."""

BLOCK = 32 * 2**20
"""Bytes of memory that small parts of a file share. The system gives a large block in huge
pages: a file of 20 MB in 100 parts is read in half the time. An array keeps its block alive."""

SMALL = 4 * 2**20
"""Bytes up to which a part is placed in a block; NumPy asks for huge pages from here on."""

ALIGNMENT = 64
"""Bytes by which torch aligns storages in a zip file."""


class Source:
    """A file of known size, of which any part can be read.

    Attributes
    ----------
    size : int
        In bytes.
    budget : MemoryBudget
        For the memory of what is read.
    is_compressed : bool
        Whether it is a member of an archive that takes less than its size there.
    mapping : mmap, or None
        Of a large file, whose arrays are views of its pages.
    format : str
        What the file is, once it is read.
    metadata : dict of str to str
        The notes in a safetensors file.
    stored : dict of str to str
        torch's names of the dtypes in a safetensors file.
    """

    def __init__(
        self,
        file: IO[bytes],
        size: int,
        mapping: mmap.mmap | None = None,
        budget: MemoryBudget | None = None,
        is_compressed: bool = False,
    ) -> None:
        self.size = size
        self.is_compressed = is_compressed
        self.budget: MemoryBudget = budget or MemoryBudget(size)
        self.mapping: mmap.mmap | None = mapping
        self.format = ""
        self.metadata: dict[str, str] = {}
        self.stored: dict[str, str] = {}
        self._file = file
        self._block = np.empty(0, np.uint8)
        self._used = 0

    def read(self, start: int, length: int) -> bytes:
        """Return a part of the file.

        Raises
        ------
        CheckpointError
            If the file does not have it.
        """
        self._check(start, length)
        self.budget.spend(length, "a part of the file")
        self._file.seek(start)
        data = self._file.read(length)
        while len(data) < length:  # a raw file may return less than it was asked for
            more = self._file.read(length - len(data))
            if not more:
                raise _shrunk()
            data += more
        return data

    def chunks(self, start: int, length: int) -> Iterator[bytes]:
        """Yield a part of the file in pieces, using the memory of one piece."""
        self._check(start, length)
        for position in range(start, start + length, CHUNK):
            size = min(CHUNK, start + length - position)
            yield self.read(position, size)
            self.budget.refund(size)

    def array(self, start: int, length: int) -> AnyArray:
        """Return a part of the file as a writeable array of uint8.

        The array of a mapped file is a copy on write: it takes the memory of the pages
        that are touched, and writing does not reach the file.

        Raises
        ------
        CheckpointError
            If the file does not have it.
        """
        self._check(start, length)
        if self.mapping is not None and length:
            return np.frombuffer(self.mapping, np.uint8, length, start)
        self.budget.spend(length, "a part of the file")
        array = self._new_array(start, length)
        readinto = getattr(self._file, "readinto", None)
        if readinto is None:
            position = 0
            for chunk in self.chunks(start, length):
                array.data[position : position + len(chunk)] = chunk
                position += len(chunk)
            return array
        self._file.seek(start)
        position = 0
        while position < length:
            count = readinto(array.data[position:])
            if not count:
                raise _shrunk()
            position += count
        return array

    def _new_array(self, start: int, length: int) -> AnyArray:
        """Return new memory, for a small part of the file within a block.

        It is aligned as the part is in the file.
        """
        if length > SMALL:
            return _aligned(length, start)
        place = self._used + (start - self._used) % ALIGNMENT
        if place + length > self._block.size:
            self._block = _aligned(min(BLOCK, self.size + ALIGNMENT), 0)
            place = start % ALIGNMENT
        self._used = place + length
        return self._block[place : self._used]

    def contents(self) -> bytes | mmap.mmap:
        """Return the whole file, for a format that does not say how long it is."""
        if self.mapping is not None:
            return self.mapping
        self.budget.refund(self.size)  # what is built from it is paid for instead
        return self.read(0, self.size)

    def _check(self, start: int, length: int) -> None:
        if start < 0 or length < 0 or start + length > self.size:
            raise CheckpointError(
                f"the file has {self.size} bytes, but refers to its bytes {start} to "
                f"{start + length}: the file is damaged or cut short"
            )


def _shrunk() -> CheckpointError:
    return CheckpointError("the file became shorter while it was read: read it again")


def _aligned(length: int, start: int) -> AnyArray:
    """Return new memory with an address equal to `start` modulo the alignment."""
    memory = np.empty(length + ALIGNMENT, np.uint8)
    shift = (start - memory.__array_interface__["data"][0]) % ALIGNMENT
    return memory[shift : shift + length]


@contextmanager
def open_source(f: Any, maps: bool = True) -> Iterator[Source]:
    """Open a path, or take a file object as it is.

    Parameters
    ----------
    f : str, path, or binary file
    maps : bool
        Whether a large file may be mapped.

    Raises
    ------
    CheckpointError
        If the file is empty, or a file object is not at its beginning.
    TypeError
        If `f` is neither a path nor a binary file.
    io.UnsupportedOperation
        If a file is not seekable, such as a pipe; as in torch.
    """
    if isinstance(f, (str, os.PathLike)):
        # pathlib is slow to import
        if stat.S_ISFIFO(os.stat(f).st_mode):  # noqa: PTH116  # opening it may never end
            raise _not_seekable()
        with open(f, "rb", buffering=0) as file, open_source(file, maps) as source:  # noqa: PTH123
            yield source
        return
    if not hasattr(f, "read") or not hasattr(f, "seek") or isinstance(f, io.TextIOBase):
        raise TypeError(f"f must be a path or a binary file, got {type(f).__name__}")
    if hasattr(f, "seekable") and not f.seekable():  # a pipe, which may have a path too
        raise _not_seekable()
    if f.tell() != 0:
        raise CheckpointError(
            f"the file object must be at its beginning, but is at byte {f.tell()}: call "
            "seek(0) first"
        )
    yield _source(f, maps)


def _not_seekable() -> Exception:
    return io.UnsupportedOperation(
        "a checkpoint can only be loaded from a file that is seekable. Read the data into an "
        "io.BytesIO and load that"
    )


def _source(file: IO[bytes], maps: bool) -> Source:
    size = file.seek(0, os.SEEK_END)
    size = file.tell() if size is None else size
    if not size:
        raise CheckpointError("the file is empty")
    # Other file objects mean something else by their fileno: gzip's do, also in a reader. One
    # that can be written could be changed below the arrays, by saving them into it.
    raw = file.raw if type(file) is io.BufferedReader else file
    if not maps or size < MAPPED_FROM or type(raw) is not io.FileIO or raw.writable():
        return Source(file, size)
    try:
        mapping = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_COPY)
    except (OSError, ValueError, OverflowError):  # a file system or address space may not
        return Source(file, size)
    return Source(file, size, mapping)

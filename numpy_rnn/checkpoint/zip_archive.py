"""Zip archives, as torch and NumPy write them: stored or deflated, with and without ZIP64.

The directory at the end must agree with the header before each member that is read, and no
two members may share a byte of the file.

Source: PKWARE's APPNOTE, sections 4.3 to 4.5.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from numpy_rnn.checkpoint.errors import CheckpointError, shown
from numpy_rnn.checkpoint.memory_budget import MemoryBudget
from numpy_rnn.checkpoint.source import CHUNK, Source

if TYPE_CHECKING:
    from numpy_rnn._typing import AnyArray

__all__ = ["Member", "ZipArchive"]

END = struct.Struct("<4s4H2LH")
END64_LOCATOR = struct.Struct("<4sLQL")
END64 = struct.Struct("<4sQ2H2L4Q")
ENTRY = struct.Struct("<4s6H3L5H2L")
HEADER = struct.Struct("<4s5H3L2H")

LONGEST_COMMENT = 2**16 - 1
UNKNOWN32, UNKNOWN16 = 2**32 - 1, 2**16 - 1

ENCRYPTED, UTF8 = 1, 0x800
STORED, DEFLATED = 0, 8
METHODS = {9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "xz"}

MISPLACED = "its directory is not where it should be, or the file holds more than one zip file"


class Member(NamedTuple):
    """A member's entry in the directory; `start` is where the member's header begins."""

    name: str
    raw_name: bytes
    method: int
    crc: int
    compressed: int
    size: int
    start: int


class ZipArchive:
    """The members of a zip file.

    Parameters
    ----------
    source : Source
        The archive is the whole file.

    Attributes
    ----------
    members : dict of str and Member
        What the directory says; the header of a member is compared when it is read.
    budget : MemoryBudget
        That of the source.
    has_crcs : bool
        Whether the checksums of members are compared.

    Raises
    ------
    CheckpointError
        If the archive is damaged, or its parts contradict each other.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self.budget: MemoryBudget = source.budget
        start, stop, count = self._directory()
        self.members: dict[str, Member] = self._entries(source.read(start, stop - start), count)
        self._ends = self._checked_ends(start)
        # torch leaves them out where torch.serialization.set_crc32_options(False) was called.
        self.has_crcs: bool = any(member.crc for member in self.members.values())

    def is_compressed(self, name: str) -> bool:
        """Return whether a member takes more memory than it has bytes in the file."""
        member = self.members[name]
        return self._source.is_compressed or member.compressed < member.size

    def read(self, name: str) -> bytes:
        """Return the bytes of a member."""
        data = self.array(name)
        self.budget.check(data.size, f"a copy of {shown(name)}")
        return data.tobytes()

    def array(self, name: str) -> AnyArray:
        """Return the bytes of a member as a writeable array of uint8.

        Raises
        ------
        CheckpointError
            If there is no such member, or it is damaged.
        """
        member = self.members.get(name)
        if member is None:
            raise CheckpointError(f"the zip file has no member {shown(name)}")
        # Reading the header and the bytes together takes half the calls, for many members.
        data = self._source.array(member.start, self._ends[name] - member.start)
        start = _header_size(member, data)
        data = data[start : start + member.compressed]
        if data.size != member.compressed:
            raise _overlap(member)
        if member.method == DEFLATED:
            data = self._decompressed(member, data)
        if self.has_crcs and self._crc(member, data, member.start + start) != member.crc:
            raise _damaged(f"Bad CRC-32 for {shown(name)}")
        return data

    def _crc(self, member: Member, data: AnyArray, start: int) -> int:
        if member.method == DEFLATED or self._source.mapping is None:
            return zlib.crc32(data.data)
        crc = 0  # without touching the pages of a mapped file
        for chunk in self._source.chunks(start, member.size):
            crc = zlib.crc32(chunk, crc)
        return crc

    def _decompressed(self, member: Member, data: AnyArray) -> AnyArray:
        self.budget.spend(member.size, f"decompressing {shown(member.name)}")
        array = np.empty(member.size, np.uint8)
        decompressor = zlib.decompressobj(-zlib.MAX_WBITS)
        position = 0
        try:
            pending = data.data
            while not decompressor.eof:
                # Ask for one byte too many, to notice a member that is too long.
                most = min(CHUNK, member.size - position + 1)
                piece = decompressor.decompress(pending[:CHUNK], most)
                tail = len(decompressor.unconsumed_tail)
                pending = pending[min(len(pending), CHUNK) - tail :]
                if not piece and not pending:
                    break
                if position + len(piece) > member.size:
                    raise _wrong_length(member)
                array.data[position : position + len(piece)] = piece
                position += len(piece)
        except zlib.error as error:
            raise _damaged(f"{shown(member.name)}: {error}") from None
        is_all = decompressor.eof and not decompressor.unused_data and not pending
        if position != member.size or not is_all:
            raise _wrong_length(member)
        return array

    def _directory(self) -> tuple[int, int, int]:
        """Return where the directory begins and ends, and how many entries it has."""
        source = self._source
        tail_start = max(0, source.size - END.size - LONGEST_COMMENT)
        tail = source.read(tail_start, source.size - tail_start)
        place = tail.rfind(b"PK\5\6")
        if place < 0 or len(tail) - place < END.size:
            raise _damaged("it has no directory at its end")
        end = tail_start + place
        (_, disk, first_disk, here, count, size, start, comment) = END.unpack_from(tail, place)
        if end + END.size + comment != source.size:
            raise _damaged("its directory is not at its end")
        fields, stop = (disk, first_disk, here, count, size, start), end
        is_needed = UNKNOWN32 in fields or UNKNOWN16 in fields[:4]
        if is_needed or self._has_directory64(end):
            fields64, stop = self._directory64(end)
            pairs = zip(fields, fields64)
            if any(n != n64 and n not in (UNKNOWN16, UNKNOWN32) for n, n64 in pairs):
                raise _damaged("its two directories differ")
            disk, first_disk, here, count, size, start = fields64
        if disk or first_disk or here != count:
            raise CheckpointError(
                "the zip file must be whole, but is split into several files: join them first"
            )
        if start + size != stop:
            raise _damaged(MISPLACED)
        if count > size // ENTRY.size:
            raise _damaged(f"its directory is too small for {count} members")
        return start, stop, count

    def _has_directory64(self, end: int) -> bool:
        start = end - END64_LOCATOR.size
        return start >= 0 and self._source.read(start, 4) == b"PK\6\7"

    def _directory64(self, end: int) -> tuple[tuple[int, ...], int]:
        if not self._has_directory64(end):
            raise _damaged("it has no ZIP64 directory")
        locator_start = end - END64_LOCATOR.size
        locator = self._source.read(locator_start, END64_LOCATOR.size)
        _, _, start64, _ = END64_LOCATOR.unpack(locator)
        if start64 + END64.size > locator_start:
            raise _damaged(MISPLACED)
        fields = END64.unpack(self._source.read(start64, END64.size))
        if fields[0] != b"PK\6\6" or start64 + 12 + fields[1] != locator_start:
            raise _damaged(MISPLACED)
        return fields[4:10], start64

    def _entries(self, directory: bytes, count: int) -> dict[str, Member]:
        self.budget.spend(8 * len(directory), "the directory of the zip file")
        members: dict[str, Member] = {}
        position = 0
        for _ in range(count):
            if position + ENTRY.size > len(directory):
                raise _damaged("its directory lacks entries")
            entry = ENTRY.unpack_from(directory, position)
            name_at = position + ENTRY.size
            name_length, extra_length, comment_length = entry[10:13]
            position = name_at + name_length + extra_length + comment_length
            if entry[0] != b"PK\1\2" or position > len(directory):
                raise _damaged("its directory has an invalid entry")
            raw_name = directory[name_at : name_at + name_length]
            extra = directory[name_at + name_length : name_at + name_length + extra_length]
            member = self._member(entry, raw_name, extra)
            if member.name in members:
                raise CheckpointError(f"the zip file has the member {shown(member.name)} twice")
            members[member.name] = member
        if position != len(directory):
            raise _damaged(f"its directory has more than {count} entries")
        return members

    @staticmethod
    def _member(entry: tuple[int, ...], raw_name: bytes, extra: bytes) -> Member:
        flags, method, crc = entry[3], entry[4], entry[7]
        try:
            name = raw_name.decode("utf-8" if flags & UTF8 else "cp437")
        except UnicodeDecodeError:
            raise _damaged(f"the name {shown(raw_name)} is not UTF-8") from None
        compressed, size, header_at = _sizes64(entry[8], entry[9], entry[16], extra)
        if flags & ENCRYPTED:
            raise CheckpointError(
                f"{shown(name)} in the zip file is encrypted: decrypt the file first"
            )
        if method not in (STORED, DEFLATED):
            raise CheckpointError(
                f"{shown(name)} in the zip file must be stored or deflated, but is compressed "
                f"by {METHODS.get(method, f'method {method}')}: write the zip file again"
            )
        if method == STORED and compressed != size:
            raise _damaged(f"{shown(name)} has {size} bytes, but {compressed} are stored")
        return Member(name, raw_name, method, crc, compressed, size, header_at)

    def _checked_ends(self, stop: int) -> dict[str, int]:
        """Return where each member must end: where the next one or the directory begins."""
        ends: dict[str, int] = {}
        members = sorted(self.members.values(), key=lambda member: member.start)
        if members and members[0].start != 0:
            raise _damaged(MISPLACED)
        starts = [*(member.start for member in members[1:]), stop]
        for member, end in zip(members, starts):
            size = HEADER.size + len(member.raw_name) + member.compressed
            if member.start + size > end:
                raise _overlap(member)
            ends[member.name] = end
        return ends


def _damaged(what: str) -> CheckpointError:
    return CheckpointError(
        f"the zip file is damaged or cut short ({what}): copy or download it again"
    )


def _overlap(member: Member) -> CheckpointError:
    return _damaged(f"{shown(member.name)} overlaps what comes after it")


def _wrong_length(member: Member) -> CheckpointError:
    return _damaged(f"{shown(member.name)} is not {member.size} bytes long")


def _header_size(member: Member, data: AnyArray) -> int:
    """Return the size of the header before a member, if it agrees with the directory."""
    fields = HEADER.unpack_from(data.data)
    name = data[HEADER.size : HEADER.size + len(member.raw_name)].tobytes()
    if fields[0] != b"PK\3\4" or fields[9] != len(name) or name != member.raw_name:
        raise _damaged(f"{shown(member.name)} is not where the directory says")
    if fields[2] & ENCRYPTED or fields[3] != member.method:
        raise _damaged(f"the header of {shown(member.name)} contradicts the directory")
    return HEADER.size + len(name) + int(fields[10])


def _sizes64(compressed: int, size: int, header_at: int, extra: bytes) -> tuple[int, int, int]:
    """Return a member's sizes and place, from the ZIP64 field of `extra` if they are large."""
    values = [size, compressed, header_at]
    unknown = [index for index, value in enumerate(values) if value == UNKNOWN32]
    if not unknown:
        return compressed, size, header_at
    position = 0
    while position + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, position)
        field = extra[position + 4 : position + 4 + length]
        position += 4 + length
        if kind == 1 and len(field) == length >= 8 * len(unknown):
            for index, number in zip(unknown, struct.unpack_from(f"<{len(unknown)}Q", field)):
                values[index] = number
            size, compressed, header_at = values
            return compressed, size, header_at
    raise _damaged("a ZIP64 size is missing")

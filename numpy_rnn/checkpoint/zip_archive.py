"""Zip archives, as torch and NumPy write them: stored or deflated, with and without ZIP64.

The directory at the end and the header before each member that is read must tell the same,
and no two members may share a byte of the file.

Source: PKWARE's APPNOTE, sections 4.3 to 4.5.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from numpy_rnn.checkpoint.errors import CheckpointError, shown
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

MISPLACED = (
    "the zip file is damaged: its directory is not where it should be, there is something "
    "before it, or the file holds more than one zip file"
)


class Member(NamedTuple):
    """What the directory says of a member, which begins with a header of its own."""

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
    allowance : Allowance
        That of the source.

    Raises
    ------
    CheckpointError
        If the archive is damaged, or its parts contradict each other.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self.allowance = source.allowance
        start, stop, count = self._directory()
        self.members = self._entries(source.read(start, stop - start), count)
        self._ends = self._checked_ends(start)
        # torch leaves them out where torch.serialization.set_crc32_options(False) was called.
        self._has_crcs = any(member.crc for member in self.members.values())

    def read(self, name: str) -> bytes:
        """Return the bytes of a member."""
        return self.array(name).tobytes()

    def array(self, name: str) -> AnyArray:
        """Return the bytes of a member as an array of uint8 that may be written.

        Raises
        ------
        CheckpointError
            If there is no such member, or its bytes are not those that were written.
        """
        member = self.members.get(name)
        if member is None:
            raise CheckpointError(f"the zip file has no {shown(name)}")
        # The header and the bytes behind it are read at once: members may be many.
        data = self._source.array(member.start, self._ends[name] - member.start)
        start = _header_size(member, data)
        data = data[start : start + member.compressed]
        if len(data) != member.compressed:
            raise CheckpointError(f"{shown(name)} overlaps what is behind it")
        if member.method == DEFLATED:
            data = self._decompressed(member, data)
        if self._has_crcs and self._crc(member, data, start) != member.crc:
            raise CheckpointError(f"the zip file is damaged: Bad CRC-32 for {shown(name)}")
        return data

    def _crc(self, member: Member, data: AnyArray, start: int) -> int:
        if member.method == DEFLATED or not self._source.is_mapped:
            return zlib.crc32(data.data)
        crc = 0  # for which the pages of a mapped file need not be touched
        for chunk in self._source.chunks(member.start + start, member.size):
            crc = zlib.crc32(chunk, crc)
        return crc

    def _decompressed(self, member: Member, data: AnyArray) -> AnyArray:
        self._source.allowance.take(member.size, f"{shown(member.name)}, decompressed,")
        array = np.empty(member.size, np.uint8)
        decompressor = zlib.decompressobj(-zlib.MAX_WBITS)
        position = 0
        try:
            pending = data.data
            while not decompressor.eof:
                # One byte more than there may be shows that there are too many.
                most = min(2**20, member.size - position + 1)
                piece = decompressor.decompress(pending[:CHUNK], most)
                tail = len(decompressor.unconsumed_tail)
                pending = pending[min(len(pending), CHUNK) - tail :]
                if not piece and not pending:
                    break
                if position + len(piece) > member.size:
                    raise CheckpointError(
                        f"{shown(member.name)} is longer than the zip file says"
                    )
                array.data[position : position + len(piece)] = piece
                position += len(piece)
        except zlib.error as error:
            raise CheckpointError(
                f"the zip file is damaged in {shown(member.name)}: {error}"
            ) from None
        is_all = decompressor.eof and not decompressor.unused_data and not pending
        if position != member.size or not is_all:
            raise CheckpointError(f"{shown(member.name)} is not as long as the zip file says")
        return array

    def _directory(self) -> tuple[int, int, int]:
        """Return where the directory begins and ends, and how many entries it has."""
        source = self._source
        tail_start = max(0, source.size - END.size - LONGEST_COMMENT)
        tail = source.read(tail_start, source.size - tail_start)
        place = tail.rfind(b"PK\5\6")
        if place < 0 or len(tail) - place < END.size:
            raise CheckpointError("the zip file is damaged or cut short: it has no directory")
        end = tail_start + place
        (_, disk, first_disk, here, count, size, start, comment) = END.unpack_from(tail, place)
        if end + END.size + comment != source.size:
            raise CheckpointError("the zip file is damaged or cut short after its directory")
        fields, stop = (disk, first_disk, here, count, size, start), end
        is_needed = UNKNOWN32 in fields or UNKNOWN16 in fields[:4]
        if is_needed or self._has_directory64(end):
            fields64, stop = self._directory64(end)
            pairs = zip(fields, fields64)
            if any(n != n64 and n not in (UNKNOWN16, UNKNOWN32) for n, n64 in pairs):
                raise CheckpointError("the zip file has two directories that differ")
            disk, first_disk, here, count, size, start = fields64
        if disk or first_disk or here != count:
            raise CheckpointError("the zip file is one of several parts")
        if start + size != stop:
            raise CheckpointError(MISPLACED)
        if count > size // ENTRY.size:
            raise CheckpointError(f"the zip file has no place for {count} members")
        return start, stop, count

    def _has_directory64(self, end: int) -> bool:
        start = end - END64_LOCATOR.size
        return start >= 0 and self._source.read(start, 4) == b"PK\6\7"

    def _directory64(self, end: int) -> tuple[tuple[int, ...], int]:
        if not self._has_directory64(end):
            raise CheckpointError("the zip file is damaged: it has no ZIP64 directory")
        locator_start = end - END64_LOCATOR.size
        locator = self._source.read(locator_start, END64_LOCATOR.size)
        _, _, start64, _ = END64_LOCATOR.unpack(locator)
        if start64 + END64.size > locator_start:
            raise CheckpointError(MISPLACED)
        fields = END64.unpack(self._source.read(start64, END64.size))
        if fields[0] != b"PK\6\6" or start64 + 12 + fields[1] != locator_start:
            raise CheckpointError(MISPLACED)
        return fields[4:10], start64

    def _entries(self, directory: bytes, count: int) -> dict[str, Member]:
        self._source.allowance.take(8 * len(directory), "the directory of the zip file")
        members: dict[str, Member] = {}
        position = 0
        for _ in range(count):
            if position + ENTRY.size > len(directory):
                raise CheckpointError("the directory of the zip file is cut short")
            entry = ENTRY.unpack_from(directory, position)
            name_at = position + ENTRY.size
            name_length, extra_length, comment_length = entry[10:13]
            position = name_at + name_length + extra_length + comment_length
            if entry[0] != b"PK\1\2" or position > len(directory):
                raise CheckpointError("the directory of the zip file is damaged")
            raw_name = directory[name_at : name_at + name_length]
            extra = directory[name_at + name_length : name_at + name_length + extra_length]
            member = self._member(entry, raw_name, extra)
            if member.name in members:
                raise CheckpointError(f"the zip file has {shown(member.name)} twice")
            members[member.name] = member
        if position != len(directory):
            raise CheckpointError("the directory of the zip file is longer than it says")
        return members

    @staticmethod
    def _member(entry: tuple[int, ...], raw_name: bytes, extra: bytes) -> Member:
        flags, method, crc = entry[3], entry[4], entry[7]
        try:
            name = raw_name.decode("utf-8" if flags & UTF8 else "cp437")
        except UnicodeDecodeError:
            raise CheckpointError("a name in the zip file is no text") from None
        compressed, size, header_at = _sizes64(entry[8], entry[9], entry[16], extra)
        if flags & ENCRYPTED:
            raise CheckpointError(f"{shown(name)} is encrypted")
        if method not in (STORED, DEFLATED):
            raise CheckpointError(
                f"{shown(name)} is compressed by {METHODS.get(method, f'method {method}')}, "
                "which is not read; store or deflate it"
            )
        if method == STORED and compressed != size:
            raise CheckpointError(f"{shown(name)} is stored in another size than its own")
        return Member(name, raw_name, method, crc, compressed, size, header_at)

    def _checked_ends(self, stop: int) -> dict[str, int]:
        """Return where the next thing begins behind each member."""
        ends: dict[str, int] = {}
        members = sorted(self.members.values(), key=lambda member: member.start)
        if members and members[0].start != 0:
            raise CheckpointError(MISPLACED)
        starts = [*(member.start for member in members[1:]), stop]
        for member, end in zip(members, starts):
            size = HEADER.size + len(member.raw_name) + member.compressed
            if member.start + size > end:
                raise CheckpointError(f"{shown(member.name)} overlaps what is behind it")
            ends[member.name] = end
        return ends


def _header_size(member: Member, data: AnyArray) -> int:
    """Return the size of the header before a member, if it tells what the directory does."""
    fields = HEADER.unpack_from(data.data)
    name = data[HEADER.size : HEADER.size + len(member.raw_name)].tobytes()
    if fields[0] != b"PK\3\4" or fields[9] != len(name) or name != member.raw_name:
        raise CheckpointError(f"{shown(member.name)} is not where the zip file says")
    if fields[2] & ENCRYPTED or fields[3] != member.method:
        raise CheckpointError(f"{shown(member.name)} is not what the zip file says")
    return HEADER.size + len(name) + int(fields[10])


def _sizes64(compressed: int, size: int, header_at: int, extra: bytes) -> tuple[int, int, int]:
    """Return the sizes of a member and its place, from the ZIP64 field where they are large."""
    if UNKNOWN32 not in (size, compressed, header_at):
        return compressed, size, header_at
    wanted = [size == UNKNOWN32, compressed == UNKNOWN32, header_at == UNKNOWN32]
    position = 0
    while position + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, position)
        field = extra[position + 4 : position + 4 + length]
        position += 4 + length
        if kind == 1 and len(field) == length >= 8 * sum(wanted):
            numbers = iter(struct.unpack_from(f"<{sum(wanted)}Q", field))
            size, compressed, header_at = (
                next(numbers) if is_wanted else value
                for is_wanted, value in zip(wanted, (size, compressed, header_at), strict=True)
            )
            return compressed, size, header_at
    raise CheckpointError("the zip file is damaged: a ZIP64 size is missing")

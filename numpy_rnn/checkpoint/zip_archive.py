"""Zip archives, as torch and NumPy write them: stored or deflated, with and without ZIP64.

The directory at the end and the header before each member must tell the same, and no two
members may share a byte of the file.

Source: PKWARE's APPNOTE, sections 4.3 to 4.5.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from numpy_rnn.checkpoint.errors import CheckpointError, shown
from numpy_rnn.checkpoint.source import Source

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

ENCRYPTED, DESCRIPTOR, UTF8 = 1, 8, 0x800
STORED, DEFLATED = 0, 8
METHODS = {9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "xz"}

MISPLACED = (
    "the zip file is damaged: its directory is not where it should be, there is something "
    "before it, or the file holds more than one zip file"
)


class Member(NamedTuple):
    """What the directory says of a member, and where its bytes begin."""

    name: str
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
        self.members = self._entries(source.read(start, stop - start), count, start)
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
        array, crc = self._stored(member) if member.method == STORED else self._deflated(member)
        if crc != member.crc and self._has_crcs:
            raise CheckpointError(f"the zip file is damaged: Bad CRC-32 for {shown(name)}")
        return array

    def _stored(self, member: Member) -> tuple[AnyArray, int]:
        array = self._source.array(member.start, member.size)
        if not self._source.is_mapped:
            return array, zlib.crc32(array.data)
        crc = 0
        for chunk in self._source.chunks(member.start, member.size):
            crc = zlib.crc32(chunk, crc)
        return array, crc

    def _deflated(self, member: Member) -> tuple[AnyArray, int]:
        self._source.allowance.take(member.size, f"{shown(member.name)}, decompressed,")
        array = np.empty(member.size, np.uint8)
        decompressor = zlib.decompressobj(-zlib.MAX_WBITS)
        position = 0
        try:
            for chunk in self._source.chunks(member.start, member.compressed):
                if decompressor.eof:
                    raise CheckpointError(f"{shown(member.name)} ends before its last byte")
                pending = chunk
                while not decompressor.eof:
                    # One byte more than there may be shows that there are too many.
                    most = min(2**20, member.size - position + 1)
                    data = decompressor.decompress(pending, most)
                    pending = decompressor.unconsumed_tail
                    if not data and not pending:
                        break
                    if position + len(data) > member.size:
                        raise CheckpointError(
                            f"{shown(member.name)} is longer than the zip file says"
                        )
                    array.data[position : position + len(data)] = data
                    position += len(data)
        except zlib.error as error:
            raise CheckpointError(
                f"the zip file is damaged in {shown(member.name)}: {error}"
            ) from None
        if position != member.size or not decompressor.eof or decompressor.unused_data:
            raise CheckpointError(f"{shown(member.name)} is not as long as the zip file says")
        return array, zlib.crc32(array.data)

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

    def _entries(self, directory: bytes, count: int, stop: int) -> dict[str, Member]:
        self._source.allowance.take(8 * len(directory), "the directory of the zip file")
        members: dict[str, Member] = {}
        spans: list[tuple[int, int, str]] = []
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
            member, span = self._member(entry, raw_name, extra)
            if member.name in members:
                raise CheckpointError(f"the zip file has {shown(member.name)} twice")
            members[member.name] = member
            spans.append((*span, member.name))
        if position != len(directory):
            raise CheckpointError("the directory of the zip file is longer than it says")
        self._check_spans(spans, stop)
        return members

    def _member(
        self, entry: tuple[int, ...], raw_name: bytes, extra: bytes
    ) -> tuple[Member, tuple[int, int]]:
        """Return a member, and where its header begins and its bytes end."""
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
        if header_at + HEADER.size + len(raw_name) + compressed > self._source.size:
            raise CheckpointError(f"{shown(name)} reaches beyond the zip file")
        header = self._source.read(header_at, HEADER.size + len(raw_name))
        self._source.allowance.left += len(header)  # it is not kept
        fields = HEADER.unpack_from(header)
        if fields[0] != b"PK\3\4" or header[HEADER.size :] != raw_name:
            raise CheckpointError(f"{shown(name)} is not where the zip file says")
        if fields[2] & ENCRYPTED or fields[3] != method:
            raise CheckpointError(f"{shown(name)} is not what the zip file says")
        start = header_at + HEADER.size + fields[9] + fields[10]
        if fields[9] != len(raw_name) or start + compressed > self._source.size:
            raise CheckpointError(f"{shown(name)} reaches beyond the zip file")
        member = Member(name, method, crc, compressed, size, start)
        return member, (header_at, start + compressed)

    @staticmethod
    def _check_spans(spans: list[tuple[int, int, str]], stop: int) -> None:
        end, before = 0, ""
        for start, span_end, name in sorted(spans):
            if start < end:
                raise CheckpointError(f"{shown(before)} and {shown(name)} overlap")
            if not before and start:
                raise CheckpointError(
                    "the file holds more than one zip file, or something before it"
                )
            end, before = span_end, name
        if end > stop:
            raise CheckpointError(f"{shown(before)} and the directory overlap")


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

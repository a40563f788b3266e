"""How much memory reading a file may take.

A file is not trusted about its own size: what is built from it is first paid for here, so
that a small file cannot fill the machine.
"""

from __future__ import annotations

import sys

from numpy_rnn.checkpoint.errors import CheckpointError

__all__ = ["MemoryBudget", "MemoryLimitError"]

BASE = 48 * 2**20
"""Bytes that a file of any size may take: a small archive of zeros is legitimate."""

WORDS = 16 * 2**20
"""Bytes at the beginning of a file for which ten times as much may be taken: a dict of words
or a header with many small tensors becomes that much more than it is in the file."""

# What Python's objects take, in bytes, rounded up.

INSTRUCTION = 48
"""A small object or an entry of a container, with its places on a pickle's stack and memo."""

SEQUENCE = 40
"""A list or a tuple, apart from its items."""

CONTAINER = 256
"""A dict, a set or a call, apart from its items; or an item of one, hash table included."""

NAME = 200
"""A name in a dict, apart from its characters."""

JSON_BYTE = 24
"""What a byte of JSON can become."""


class MemoryLimitError(CheckpointError):
    """Reading a file would take more memory than it may."""


class MemoryBudget:
    """Memory that one file may take.

    That is twice its size plus 48 MiB, where the first 16 MiB count ten times, not twice.
    Widening half precision that is uncompressed in the file comes on top of that.

    Parameters
    ----------
    file_size : int
        In bytes.
    """

    def __init__(self, file_size: int) -> None:
        self._file_size = file_size
        self._limit = self._left = 2 * file_size + 8 * min(file_size, WORDS) + BASE

    def reset(self) -> None:
        """Start again with the whole budget, to read the file a second time."""
        self._left = self._limit

    def spend(self, size: int, what: str) -> None:
        """Pay for `size` bytes of memory.

        Raises
        ------
        MemoryLimitError
            If fewer are left.
        """
        self._left -= size
        if self._left < 0:
            raise MemoryLimitError(
                f"{what} would take {size} bytes of memory, {-self._left} more than are left "
                f"of the {self._limit} for a file of {self._file_size} bytes: the file expands "
                "to far more than its size. Do not trust it; if it is your own, save it again "
                "uncompressed"
            )

    def check(self, size: int, what: str) -> None:
        """Check that `size` bytes are left, for what is in use for a moment only."""
        self.spend(size, what)
        self.refund(size)

    def spend_search(self, count: int) -> None:
        """Pay for looking at `count` parts of an object, which another may have too."""
        self.spend(INSTRUCTION * count, "searching what the pickle builds")

    def refund(self, size: int) -> None:
        """Give back `size` bytes that are no longer in use."""
        self._left += size

    def spend_instructions(self, count: int) -> None:
        """Pay for what `count` instructions of a pickle may build."""
        self.spend(INSTRUCTION * count, "what the pickle builds")

    def spend_sequence(self) -> None:
        """Pay for a list or a tuple in a pickle; the next `spend` checks what is left."""
        self._left -= SEQUENCE

    def spend_containers(self, count: int = 1) -> None:
        """Pay for `count` containers or calls in a pickle, or items of containers."""
        self.spend(CONTAINER * count, "a container or call in the pickle")

    def refund_containers(self) -> None:
        """Give back what one container takes."""
        self.refund(CONTAINER)

    def spend_text(self, text: str) -> None:
        """Pay for a string, of which a wide character makes all characters wide."""
        self.spend(sys.getsizeof(text), "a string in the pickle")

    def spend_name(self, size: int) -> None:
        """Pay for a name of `size` bytes."""
        self.spend(NAME + size, "the names of the weights")

    def spend_json(self, size: int) -> None:
        """Pay for what `size` bytes of JSON become."""
        self.spend(JSON_BYTE * size, "the JSON header")

"""How much memory reading a file may take.

What a file declares is not believed: everything that is built from it is charged here
before the memory is taken, so that a small file cannot fill the machine.
"""

from __future__ import annotations

from numpy_rnn.checkpoint.errors import CheckpointError

__all__ = ["Allowance"]

FIXED = 48 * 2**20
"""What any file may take, however small: an archive of zeros is legitimate."""


class Allowance:
    """Bytes of memory that are left for what one file holds: twice its size, and 48 MiB.

    Elements of half and quarter precision that stand uncompressed in the file are widened
    on top of that.

    Attributes
    ----------
    left : int
        What is left. The pickle machine, which takes a little with each instruction,
        counts it down itself.
    """

    def __init__(self, file_size: int) -> None:
        self.left = 2 * file_size + FIXED

    def take(self, count: int, what: str) -> None:
        """Count `count` bytes down.

        Raises
        ------
        CheckpointError
            If they are more than what is left.
        """
        self.left -= count
        if self.left < 0:
            raise CheckpointError(
                f"{what} would take {count} bytes of memory, and the file is too small to "
                "hold so much: it builds far more than it holds"
            )

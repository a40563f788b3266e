"""What the commands share: the file they read, and how they print."""

from __future__ import annotations

import contextlib
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from numpy_rnn.checkpoint import read_state_dict

if TYPE_CHECKING:
    from numpy_rnn._typing import AnyArray

__all__ = ["CommandError", "add_file", "columns", "counted", "read", "size", "status"]


class CommandError(Exception):
    """What keeps a command from doing its work, in one line for the user."""


def add_file(parser: ArgumentParser) -> None:
    """Let a command take a file of weights."""
    parser.add_argument(
        "file",
        metavar="FILE",
        help="weights: any file that numpy_rnn.read_state_dict reads; nothing in it is run",
    )
    parser.add_argument(
        "--key",
        metavar="KEY",
        help="where in a nested checkpoint the weights are, such as model_state_dict",
    )


def read(options: Namespace) -> dict[str, AnyArray]:
    """Return the state_dict in the file that the command was given.

    Raises
    ------
    CommandError
        If it cannot be read, naming the file.
    """
    try:
        with status(f"reading {options.file}"):
            return read_state_dict(options.file, options.key)
    except ValueError as error:  # a CheckpointError is one, and a path with a NUL
        raise CommandError(f"{options.file}: {error}") from error


@contextlib.contextmanager
def status(text: str) -> Iterator[None]:
    """Show what is going on, if somebody is at a terminal, until it is done."""
    if not sys.stderr.isatty():
        yield
        return
    print(f"{text} ...", end="\r", file=sys.stderr, flush=True)
    try:
        yield
    finally:
        print("\x1b[K", end="", file=sys.stderr, flush=True)


def columns(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> Iterator[str]:
    """Yield the lines of a table; the columns `right` are set flush right.

    >>> list(columns([("a", "1"), ("bc", "10")], right=[1]))
    ['a    1', 'bc  10']
    """
    widths = [max(map(len, cells)) for cells in zip(*rows)]
    for row in rows:
        cells = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths))
        ]
        yield "  ".join(cells).rstrip()


def size(count: int) -> str:
    """Return a number of bytes as people say it.

    >>> size(999), size(20_480), size(5_000_000_000)
    ('999 bytes', '20.5 kB', '5.0 GB')
    """
    if count < 1000:
        return counted(count, "byte")
    units = ("kB", "MB", "GB", "TB")
    power = next((n for n in range(1, len(units)) if count < 999.95 * 1000**n), len(units))
    return f"{count / 1000**power:.1f} {units[power - 1]}"


def counted(count: int, noun: str) -> str:
    """Return how many there are of something.

    >>> counted(1, "tensor"), counted(2, "tensor")
    ('1 tensor', '2 tensors')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"

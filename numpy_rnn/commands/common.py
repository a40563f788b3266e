"""What the commands share: the files they read and write, and how they print."""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, TYPE_CHECKING

from numpy_rnn._typing import AnyArray, Format
from numpy_rnn.arguments import printable
from numpy_rnn.checkpoint import CheckpointError, save
from numpy_rnn.checkpoint.loading import Contents, examine

if TYPE_CHECKING:
    from numpy_rnn.description import Description, LayerDescription

STREAM = "-"
"""The name of standard input, or of standard output where a file is written."""


MOST_EXPANSION = 16
"""How many times a file's size its tensors may take: shared ones, or small dtypes widened."""

SMALL = 64 * 2**20
"""Bytes that they may take besides, whatever the size of the file."""

WIDEST = 80
"""Characters of a column: a longer cell is not cut, and the others do not follow it."""


class CommandError(Exception):
    """Why a command cannot do its work, in one line for the user."""


def add_file(parser: ArgumentParser) -> None:
    """Let a command take a file of weights."""
    parser.add_argument(
        "file",
        metavar="FILE",
        help="a checkpoint (.pt, .safetensors, .npz or a pickle), of which no code is run; or "
        "- for standard input",
    )
    parser.add_argument(
        "--key",
        metavar="KEY",
        help="where the weights are in a nested checkpoint, such as model_state_dict",
    )
    parser.add_argument(
        "--prefix",
        metavar="PREFIX",
        default="",
        help="take the names that begin so, such as model. in Lightning's files, without it",
    )


def read(options: Namespace) -> dict[str, AnyArray]:
    """Return the state_dict in the file that the command was given, to compute with or write.

    Raises
    ------
    CommandError
        If it cannot be read, or its arrays share or repeat so many elements that they would
        take far more memory, or space in another file, than in theirs.
    """
    with open_input(options.file) as file:
        weights = _examined(file, options).weights
        file_size = file.seek(0, os.SEEK_END)
    total = sum(array.nbytes for array in weights.values())
    if total > MOST_EXPANSION * file_size + SMALL:
        raise CommandError(
            f"{options.file}: its tensors repeat or share elements: apart they take "
            f"{size(total)}, the file {size(file_size)}. Save a tensor.clone() of each that "
            "you need, or choose some with --key or --prefix"
        )
    return weights


def contents(options: Namespace) -> Contents:
    """Return the weights in the file that the command was given, and how it holds them.

    Raises
    ------
    CommandError
        If it cannot be read, naming the file.
    """
    with open_input(options.file) as file:
        return _examined(file, options)


def _examined(file: IO[bytes], options: Namespace) -> Contents:
    try:
        return examine(file, options.key, prefix=options.prefix)
    except CheckpointError as error:
        # An error for the command line names its options.
        raise ValueError(re.sub(r"\bkey='([^']*)'", r"--key '\1'", str(error))) from None


@contextlib.contextmanager
def open_input(path: str) -> Iterator[IO[bytes]]:
    """Open a file or, for ``-``, standard input, so that it can seek; errors name it."""
    source, text = _source(path), f"reading {printable(path)}"
    with naming(path), status(text), open(source, "rb", closefd=source != 0) as file:
        yield file if file.seekable() else io.BytesIO(file.read())


def _source(path: str) -> str | int:
    """Return what Python opens: a path, or the number of standard input."""
    return 0 if path == STREAM else path


def check_output(out: str, *inputs: str) -> None:
    """Refuse to write a file that is also read, under whatever name.

    Raises
    ------
    CommandError
        If `out` is the same file as one of the inputs.
    """
    for path in inputs:
        with contextlib.suppress(OSError, ValueError):  # one of them does not exist
            if out != STREAM and os.path.samefile(_source(path), out):  # noqa: PTH121
                raise CommandError(f"{out}: this is the input {path}; write to another file")


def layer_named(description: Description, options: Namespace) -> LayerDescription:
    """Return the layer that ``--layer`` names.

    Raises
    ------
    CommandError
        If there is none of that name.
    """
    try:
        return description[options.layer]
    except KeyError as error:
        raise CommandError(f"{options.file}: {error.args[0]}") from None


def write(arrays: Mapping[str, AnyArray], out: str, format: Format | None = None) -> None:
    """Write arrays to a file, or to the standard output for ``-``.

    Raises
    ------
    CommandError
        If they cannot be written, naming the file.
    """
    if out == STREAM and sys.stdout.isatty():
        raise CommandError("-: standard output is a terminal; redirect it to a file or pipe")
    with naming(out), status(f"writing {printable(out)}"):
        try:
            save(arrays, sys.stdout.buffer if out == STREAM else out, format)
        except ValueError as error:
            # An error for the command line names its arguments.
            text = re.sub("^f must", "OUT must", str(error)).replace(
                "pass format", "use --format"
            )
            raise ValueError(text) from error


@contextlib.contextmanager
def naming(path: str) -> Iterator[None]:
    """Turn an error about a file into a `CommandError` that begins with its name."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror or error}") from error
    except (TypeError, ValueError) as error:  # a CheckpointError is a ValueError
        raise CommandError(f"{path}: {error}") from error


@contextlib.contextmanager
def status(text: str) -> Iterator[None]:
    """Show what is being done until it is done, on a terminal that can erase it again."""
    if not sys.stderr.isatty() or os.environ.get("TERM", "dumb") == "dumb":
        yield
        return
    print(f"{text:.70} ...", end="\r", file=sys.stderr, flush=True)
    try:
        yield
    finally:
        print("\x1b[K", end="", file=sys.stderr, flush=True)


def summary(path: str, state_dict: Mapping[str, AnyArray]) -> str:
    """Return a line on the weights in a file."""
    total = sum(array.nbytes for array in state_dict.values())
    return f"{printable(path)}: {counted(len(state_dict), 'tensor')}, {size(total)}"


def columns(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> Iterator[str]:
    """Yield the lines of a table; the columns `right` are aligned right.

    >>> list(columns([("a", "1"), ("bc", "10")], right=[1]))
    ['a    1', 'bc  10']
    """
    widths = [min(max(map(len, cells)), WIDEST) for cells in zip(*rows)]
    for row in rows:
        cells = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths))
        ]
        yield "  ".join(cells).rstrip()


def size(count: int) -> str:
    """Return a number of bytes with a unit.

    >>> size(999), size(20_480), size(5_000_000_000)
    ('999 bytes', '20.5 kB', '5.0 GB')
    """
    if count < 1000:
        return counted(count, "byte")
    units = ("kB", "MB", "GB", "TB")
    power = next((n for n in range(1, len(units)) if count < 999.95 * 1000**n), len(units))
    return f"{count / 1000**power:.1f} {units[power - 1]}"


def counted(count: int, noun: str) -> str:
    """Return a count with its noun.

    >>> counted(1, "tensor"), counted(2, "tensor")
    ('1 tensor', '2 tensors')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"

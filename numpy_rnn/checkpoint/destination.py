"""The file that is written: complete, or not touched at all."""

from __future__ import annotations

import functools
import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, TypeAlias

__all__ = ["copy_to", "replace"]

Write: TypeAlias = Callable[[IO[bytes]], None]
"""Writes the contents to a new, seekable file."""


def replace(path: Path, write: Write) -> None:
    """Write a file next to the existing one, and move it there once it is complete.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    path = path.resolve()  # what a link points to is replaced, not the link
    if path.exists() and not path.is_file():
        with path.open("wb") as device:
            copy_to(device, write)
        return
    temporary = path.with_name(f".{os.urandom(8).hex()}.tmp")
    try:
        with _new_file(temporary, path) as file:
            write(file)
        if path.exists():
            shutil.copymode(path, temporary)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)  # an interrupt may come before it is there, or after
        raise


def _new_file(temporary: Path, path: Path) -> IO[bytes]:
    """Open a new file that no one may read who may not read the one it replaces.

    An error names the path that the caller gave.
    """
    mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o666
    try:
        return open(temporary, "xb", opener=functools.partial(os.open, mode=mode))
    except OSError as error:
        raise type(error)(error.errno, error.strerror, str(path)) from None


def copy_to(file: IO[bytes], write: Write) -> None:
    """Write to a file that may not be able to seek, once everything is written elsewhere."""
    with tempfile.TemporaryFile() as complete:
        write(complete)
        complete.seek(0)
        shutil.copyfileobj(complete, file)

"""The exception for a checkpoint that cannot be read."""

from __future__ import annotations

from typing import Any

__all__ = ["LONGEST", "CheckpointError", "UnknownFormatError", "shown", "type_name"]

LONGEST = 60
"""Characters of a value that an error shows."""


class CheckpointError(ValueError):
    """A file is damaged or hostile, or holds what cannot be read without torch."""


class UnknownFormatError(CheckpointError):
    """A file is in none of the formats that are read."""


def shown(value: Any) -> str:
    """Return a value from a file for an error message, cut to a safe length.

    A pickle can nest values so deeply, or share parts so often, that their repr would
    never end: only atoms and flat tuples of atoms are shown as they are.

    >>> shown((1, "a"))
    "(1, 'a')"
    >>> shown(((), []))
    'a tuple'
    """
    if type(value) in (str, bytes):
        value = value[: 2 * LONGEST]  # its repr is cut after that
    atoms = value if type(value) is tuple else (value,)
    if len(atoms) > LONGEST or not all(_is_atom(atom) for atom in atoms):
        return type_name(value)
    text = repr(value)
    return text if len(text) <= LONGEST else text[:LONGEST] + "..."


def type_name(value: Any) -> str:
    """Return a value's type with an article.

    >>> type_name([]), type_name(1)
    ('a list', 'an int')
    """
    name = type(value).__name__
    return f"an {name}" if name[0] in "AEIOUaeiou" else f"a {name}"


def _is_atom(value: Any) -> bool:
    if type(value) is int:
        return value.bit_length() < 256
    if type(value) in (str, bytes):
        return len(value) <= 2 * LONGEST
    return value is None or type(value) in (bool, float)

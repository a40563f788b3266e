"""What stands for an object of an unknown class: its name and its parts, to look at."""

from __future__ import annotations

from typing import Any, NamedTuple

from numpy_rnn.checkpoint.errors import LONGEST, CheckpointError

__all__ = ["Global", "Stub", "UnknownNameError"]


class Global(NamedTuple):
    """A name in a pickle that may stand for anything; nothing is imported for it."""

    module: str
    name: str

    def __str__(self) -> str:
        """Return the dotted name, cut to a length that an error can show."""
        return f"{self.module[:LONGEST]}.{self.name[:LONGEST]}"


class UnknownNameError(CheckpointError):
    """A pickle names what is not on the list: the one refusal that stubs can answer."""


class Stub:
    """What a pickle says of an object that is not built.

    Attributes
    ----------
    name : Global
        The class or function that the pickle would have called.
    arguments : tuple
    state : object
        What would have become its attributes, mostly a dict of them.
    items : list
        What would have been appended to it, had it been a list or a set.
    pairs : dict
        What would have been set in it, had it been a dict.
    """

    __slots__ = ("arguments", "items", "name", "pairs", "state")

    def __init__(self, name: Global, arguments: tuple[Any, ...]) -> None:
        self.name = name
        self.arguments = arguments
        self.state: Any = None
        self.items: list[Any] = []
        self.pairs: dict[Any, Any] = {}

    def attributes(self) -> dict[Any, Any]:
        """Return the attributes that its state tells of."""
        if isinstance(self.state, dict):
            return self.state
        if type(self.state) is tuple and len(self.state) == 2:  # of __dict__ and __slots__
            parts = [part for part in self.state if isinstance(part, dict)]
            return {name: value for part in parts for name, value in part.items()}
        return {}

"""Objects of unknown classes in a pickle: never built, but kept as names and parts."""

from __future__ import annotations

from typing import Any, NamedTuple

from numpy_rnn.checkpoint.errors import LONGEST, CheckpointError, shown
from numpy_rnn.checkpoint.tensors import Tensor

__all__ = ["Global", "UnknownNameError", "UnknownObject", "find_places"]


class Global(NamedTuple):
    """A module and a name in it, as a pickle has them; nothing is imported for it."""

    module: str
    name: str

    def __str__(self) -> str:
        """Return the dotted name, cut to a length that an error can show."""
        return f"{self.module[:LONGEST]}.{self.name[:LONGEST]}"


class UnknownNameError(CheckpointError):
    """A pickle names a class or function that is not allowed."""

    def __init__(self, name: Global) -> None:
        super().__init__(f"the pickle names {name}, which is not allowed")


class UnknownObject:
    """An object that a pickle describes and that is not built.

    Attributes
    ----------
    name : Global
        The class or function that the pickle would have called.
    arguments : tuple
        Those of the call.
    state : object
        What its attributes would have been set from, usually a dict of them.
    items : list
        What would have been appended to it, if it is a list or a set.
    pairs : dict
        What would have been set in it, if it is a dict.
    """

    __slots__ = ("arguments", "items", "name", "pairs", "state")

    def __init__(self, name: Global, arguments: tuple[Any, ...]) -> None:
        self.name: Global = name
        self.arguments: tuple[Any, ...] = arguments
        self.state: Any = None
        self.items: list[Any] = []
        self.pairs: dict[Any, Any] = {}

    def attributes(self) -> dict[Any, Any]:
        """Return its attributes, as far as its state has them by name."""
        if isinstance(self.state, dict):
            return self.state
        if type(self.state) is tuple and len(self.state) == 2:  # of __dict__ and __slots__
            parts = [part for part in self.state if isinstance(part, dict)]
            return {name: value for part in parts for name, value in part.items()}
        return {}


def find_places(root: Any, names: dict[Global, None]) -> dict[Global, str]:
    """Return where in a pickle's result each of the names occurs first."""
    places: dict[Global, str] = {}
    seen: set[int] = set()
    pending: list[tuple[str, Any]] = [("", root)]
    while pending and len(places) < len(names):
        place, value = pending.pop()
        name = value.name if isinstance(value, UnknownObject) else value
        if type(name) is Global and name in names:
            places.setdefault(name, place or "the top level")
        if id(value) in seen:
            continue
        seen.add(id(value))
        pending += reversed([(_joined(place, n), part) for n, part in _parts(value)])
    return places


def _parts(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        named = [(n if type(n) is str else shown(n), part) for n, part in value.items()]
        return named + [("a key", n) for n in value if type(n) in (UnknownObject, Global)]
    if isinstance(value, (list, tuple)) and type(value) not in (Tensor, Global):
        return [(str(index), part) for index, part in enumerate(value)]
    if isinstance(value, (set, frozenset)):
        return [("an item", part) for part in value]
    if isinstance(value, UnknownObject):
        parts = (value.attributes(), value.pairs, value.items, value.arguments)
        return [named for part in parts for named in _parts(part)]
    return []


def _joined(place: str, name: str) -> str:
    joined = f"{place}.{name}" if place else name
    return joined if len(joined) <= 100 else f"{joined[:97]}..."

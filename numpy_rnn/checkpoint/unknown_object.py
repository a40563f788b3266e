"""Objects of unknown classes in a pickle: never built, but kept as names and parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from numpy_rnn.arguments import printable
from numpy_rnn.checkpoint.errors import LONGEST, CheckpointError, shown
from numpy_rnn.checkpoint.memory_budget import MemoryBudget
from numpy_rnn.checkpoint.tensors import Tensor, TypedStorage

__all__ = [
    "FOREIGN_MEMBER",
    "UNREADABLE",
    "ForeignError",
    "Global",
    "Place",
    "UnknownNameError",
    "UnknownObject",
    "children",
    "find_places",
    "walk",
]

MOST_NAMES = 20
"""Names of a place that an error shows, and their characters."""
LONGEST_PLACE = 100


class Global(NamedTuple):
    """A module and a name in it, as a pickle has them; nothing is imported for it."""

    module: str
    name: str

    def __str__(self) -> str:
        """Return the dotted name, cut to a length that an error can show."""
        return printable(f"{self.module[:LONGEST]}.{self.name[:LONGEST]}")


FOREIGN_MEMBER = Global("a zip file", "foreign member")
UNREADABLE = Global("a zip file", "damaged member")
"""The names of members of a zip file that are no checkpoints, or that cannot be read."""


class ForeignError(CheckpointError):
    """A pickle holds something that is not allowed, though it is not damaged."""


class UnknownNameError(ForeignError):
    """A pickle names a class or function that is not allowed."""

    def __init__(self, name: Global) -> None:
        super().__init__(f"the pickle names {name}, which is not allowed")


class UnknownObject:
    """An object that a pickle describes and that is not built.

    It is hashed by its identity, so that it may be the key of a dict.

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
    reason : str
        Why it was not built, if its class or function is known.
    """

    __slots__ = ("arguments", "items", "name", "pairs", "reason", "state")

    def __init__(self, name: Global, arguments: tuple[Any, ...], reason: str = "") -> None:
        self.name: Global = name
        self.arguments: tuple[Any, ...] = arguments
        self.reason: str = reason
        self.state: Any = None
        self.items: list[Any] = []
        self.pairs: dict[Any, Any] = {}

    def attributes(self) -> dict[Any, Any]:
        """Return its attributes, as far as its state has them by name: ``__dict__``."""
        state = self.state[0] if self._has_slots() else self.state
        return state if isinstance(state, dict) else {}

    def parts(self) -> tuple[Any, ...]:
        """Return the containers that it consists of."""
        state = self.state if self._has_slots() else (self.state,)
        return (self.items, self.pairs, *state, self.arguments)

    def _has_slots(self) -> bool:
        """Return whether its state is a pair of dicts: ``__dict__`` and ``__slots__``."""
        return (
            type(self.state) is tuple
            and len(self.state) == 2
            and all(part is None or isinstance(part, dict) for part in self.state)
        )


class Place(NamedTuple):
    """Where a value is: its name in a container, and the place of that."""

    name: Any
    around: Place | None

    def names(self, most: int = MOST_NAMES) -> list[str]:
        """Return the names from the outermost to the innermost, the last `most` of them."""
        names: list[str] = []
        place: Place | None = self
        while place is not None and len(names) < most:
            name = place.name
            names.append(name if type(name) is str else shown(name))
            place = place.around
        return [*["..."] * (place is not None), *reversed(names)]

    def __str__(self) -> str:
        """Return the names with dots between, cut to a length that an error can show."""
        text = ".".join(name[:LONGEST_PLACE] for name in self.names())
        return printable(text, LONGEST_PLACE)


def children(value: Any, place: Place | None) -> Iterator[tuple[Place | None, Any]]:
    """Yield what a container or an object holds, with its places.

    The parts of an object have its own place: its attributes and items are named in them.
    """
    if isinstance(value, dict):
        for name, child in value.items():
            if type(name) in (UnknownObject, Global):
                yield Place("a key", place), name
            yield Place(name, place), child
    elif isinstance(value, (list, tuple)) and type(value) not in LEAVES:
        for index, child in enumerate(value):
            yield Place(index, place), child
    elif isinstance(value, (set, frozenset)):
        for child in value:
            yield Place("an item", place), child
    elif isinstance(value, UnknownObject):
        for part in value.parts():
            yield place, part


def walk(
    root: Any, budget: MemoryBudget, enters: Callable[[Any], bool] = lambda _: True
) -> Iterator[tuple[Place | None, Any]]:
    """Yield everything in a pickle's result with its place, depth first.

    A container or an object is entered once, however often it is shared.

    Parameters
    ----------
    root : object
    budget : MemoryBudget
        For the containers that are entered and not left yet.
    enters : callable
        Whether to enter a container or an object; it is yielded in any case.
    """
    seen: set[int] = set()
    entered: list[Iterator[tuple[Place | None, Any]]] = [iter([(None, root)])]
    budget.spend_containers()
    while entered:
        for place, value in entered[-1]:
            is_container = isinstance(value, CONTAINERS) and type(value) not in LEAVES
            if not is_container:
                yield place, value
            elif id(value) not in seen:
                seen.add(id(value))
                yield place, value
                if enters(value):
                    budget.spend_containers()
                    entered.append(children(value, place))
                    break
        else:
            entered.pop()
            budget.refund_containers()


def find_places(
    root: Any, names: dict[Global, None], budget: MemoryBudget
) -> dict[Global, str]:
    """Return where in a pickle's result each of the names occurs first."""
    places: dict[Global, str] = {}
    for place, value in walk(root, budget):
        name = value.name if isinstance(value, UnknownObject) else value
        if type(name) is Global and name in names and name not in places:
            places[name] = str(place or "the top level")
            if len(places) == len(names):
                break
    return places


CONTAINERS = (dict, list, tuple, set, frozenset, UnknownObject)
LEAVES = (Tensor, TypedStorage, Global)
"""Tuples that are not containers of a pickle."""

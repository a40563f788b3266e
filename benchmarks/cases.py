"""What is timed: kinds of layer and sizes."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

import numpy as np

KINDS = ("RNN", "LSTM", "GRU")
STEPS = (1, 100, 1000)
BATCHES = (1, 8, 32)
SIZES = (16, 64, 128, 256, 512)


@dataclass(frozen=True)
class Case:
    """A layer and its input; as many features go in as come out of a direction.

    Attributes
    ----------
    kind : str
        ``'RNN'``, ``'LSTM'`` or ``'GRU'``.
    steps, batch, size : int
        T steps of N sequences with H features.
    layers : int
        How many are stacked.
    bidirectional : bool
    packed : bool
        The sequences have different lengths, from T down to T / 4.
    hx : bool
        The call passes a state, as a stream does at every step.
    """

    kind: str
    steps: int
    batch: int
    size: int
    layers: int = 1
    bidirectional: bool = False
    packed: bool = False
    hx: bool = False

    def __str__(self) -> str:
        words = [f"{self.kind} T={self.steps} N={self.batch} H={self.size}"]
        words += [f"{self.layers} layers"] * (self.layers > 1)
        words += [word for word in ("bidirectional", "packed", "hx") if getattr(self, word)]
        return " ".join(words)

    @property
    def directions(self) -> int:
        return 2 if self.bidirectional else 1

    @property
    def lengths(self) -> list[int]:
        """How long each sequence is, in decreasing order."""
        shortest = self.steps // 4 if self.packed else self.steps
        return np.linspace(self.steps, shortest, self.batch).round().astype(int).tolist()


GRID = [
    Case(kind, steps, batch, size)
    for kind, steps, batch, size in itertools.product(KINDS, STEPS, BATCHES, SIZES)
]

STREAMED = [Case(kind, 1, 1, size, hx=True) for kind in KINDS for size in SIZES]

SELECTED = list(itertools.product(KINDS, BATCHES, (16, 64, 256)))

STACKED = [
    *(Case("RNN", 100, 1, size, layers) for layers in (2, 3, 4) for size in (16, 32)),
    *(Case(kind, 100, batch, size, 2) for kind, batch, size in SELECTED),
    *(Case(kind, 1, 1, 64, 2) for kind in KINDS),
]

BIDIRECTIONAL = [
    *(Case(kind, 100, batch, size, 1, True) for kind, batch, size in SELECTED),
    *(Case(kind, 100, batch, 64, 2, True) for kind in KINDS for batch in BATCHES),
]

PACKED = [
    *(Case(kind, 100, batch, size, packed=True) for kind, batch, size in SELECTED if batch > 1),
    *(Case(kind, 100, 8, 64, 2, True, packed=True) for kind in KINDS),
]

SECTIONS = {
    "One layer, one direction": GRID,
    "One step with a state": STREAMED,
    "Stacked layers": list(dict.fromkeys(STACKED)),
    "Both directions": BIDIRECTIONAL,
    "Packed sequences": PACKED,
}
"""The cases under the headings of the table."""

CASES = [case for cases in SECTIONS.values() for case in cases]

QUICK = [
    *(Case(kind, 100, batch, size) for kind in KINDS for batch, size in ((1, 64), (32, 128))),
    *(Case(kind, 1, 1, 64, hx=hx) for kind in KINDS for hx in (False, True)),
    Case("RNN", 100, 1, 16, 4),
    *(Case(kind, 100, 8, 64, 1, True) for kind in KINDS),
    *(Case(kind, 100, 8, 64, packed=True) for kind in KINDS),
]
"""A few of each sort."""


def chosen(quick: bool = False, pattern: str = "") -> list[Case]:
    """Return the cases, or the few of `QUICK`, whose names have `pattern` in them.

    Parameters
    ----------
    quick : bool
    pattern : str
        A regular expression.
    """
    return [case for case in (QUICK if quick else CASES) if re.search(pattern, str(case))]

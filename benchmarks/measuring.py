"""Medians of the times of calls that take turns, and of the ratios within a round."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from typing import NamedTuple

from numpy_rnn.commands.timing import LEAST_ROUNDS, rounds_in_turn

__all__ = ["LEAST_ROUNDS", "Timing", "take_turns"]


class Timing(NamedTuple):
    """The median seconds of each call, and of the first one's over each other's, the ratio."""

    seconds: dict[str, float]
    ratios: dict[str, float]
    rounds: int


def take_turns(
    calls: Mapping[str, Callable[[], object]], budget: float, pause: float = 0.0
) -> Timing:
    """Time calls against the first of them; the arguments are those of `rounds_in_turn`."""
    times = rounds_in_turn(calls, budget, pause)
    first, *others = calls
    return Timing(
        {name: statistics.median(values) for name, values in times.items()},
        {
            name: statistics.median(a / b for a, b in zip(times[first], times[name]))
            for name in others
        },
        len(times[first]),
    )

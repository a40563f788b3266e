"""Times of calls that take turns.

A machine whose speed drifts is as fast for one call as for the others, since each round
has a burst of every one, in a newly drawn order. Times are medians over the rounds, ratios
medians of the ratios within a round.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

BURST_SECONDS = 0.004
LEAST_ROUNDS, MOST_ROUNDS = 3, 41


class Timing(NamedTuple):
    """The median seconds of each call, and of the first one's over each other's, the ratio."""

    seconds: dict[str, float]
    ratios: dict[str, float]
    rounds: int


def burst(call: Callable[[], object], repetitions: int) -> float:
    """Return how many seconds a call takes, by so many of them."""
    start = time.perf_counter()
    for _ in range(repetitions):
        call()
    return (time.perf_counter() - start) / repetitions


def take_turns(
    calls: Mapping[str, Callable[[], object]], budget: float, pause: float = 0.0
) -> Timing:
    """Time calls against the first of them.

    Parameters
    ----------
    calls : mapping of str to callable
        Each has been called before.
    budget : float
        Seconds to spend, unless `LEAST_ROUNDS` take longer.
    pause : float
        Seconds before each burst.
    """
    once = {name: burst(call, 1) for name, call in calls.items()}
    once |= {name: burst(calls[name], 5) for name in once if once[name] < BURST_SECONDS}
    repetitions = {name: max(1, round(BURST_SECONDS / once[name])) for name in calls}
    cost = sum(once[name] * repetitions[name] + pause for name in calls)
    rounds = min(max(round(budget / cost), LEAST_ROUNDS), MOST_ROUNDS)
    order = list(calls)
    shuffle = random.Random(0).shuffle
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        shuffle(order)
        for name in order:
            time.sleep(pause)
            if repetitions[name] > 1:
                calls[
                    name
                ]()  # so that the timed calls do not pay for what the other left in the caches
            times[name].append(burst(calls[name], repetitions[name]))
    first, *others = calls
    return Timing(
        {name: statistics.median(values) for name, values in times.items()},
        {
            name: statistics.median(a / b for a, b in zip(times[first], times[name]))
            for name in others
        },
        rounds,
    )

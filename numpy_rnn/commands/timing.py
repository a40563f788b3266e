"""Times of calls that take turns.

A machine whose speed drifts is as fast for one call as for the others, since each round
has a burst of every one, in a newly drawn order.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping

__all__ = ["LEAST_ROUNDS", "rounds_in_turn"]

BURST_SECONDS = 0.004
LEAST_ROUNDS, MOST_ROUNDS = 3, 41


def rounds_in_turn(
    calls: Mapping[str, Callable[[], object]], budget: float, pause: float = 0.0
) -> dict[str, list[float]]:
    """Return the seconds that each call took in each round.

    Parameters
    ----------
    calls : mapping of str to callable
        Each has been called before.
    budget : float
        Seconds to spend, unless `LEAST_ROUNDS` take longer.
    pause : float
        Seconds before each burst.
    """
    once = {name: _burst(call, 1) for name, call in calls.items()}
    once |= {name: _burst(calls[name], 5) for name in once if once[name] < BURST_SECONDS}
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
                calls[name]()  # so that the timed calls do not pay for what others cached
            times[name].append(_burst(calls[name], repetitions[name]))
    return times


def _burst(call: Callable[[], object], repetitions: int) -> float:
    """Return how many seconds a call takes, by so many of them."""
    start = time.perf_counter()
    for _ in range(repetitions):
        call()
    return (time.perf_counter() - start) / repetitions

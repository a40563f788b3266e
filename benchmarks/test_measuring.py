"""Ratios are those of the calls."""

from __future__ import annotations

import time

from benchmarks.measuring import LEAST_ROUNDS, take_turns


def test_a_call_that_takes_twice_as_long_has_twice_the_time():
    calls = {"slow": lambda: time.sleep(0.02), "fast": lambda: time.sleep(0.01)}
    timing = take_turns(calls, 0.1)
    assert 1.5 < timing.ratios["fast"] < 2.5
    assert timing.seconds["slow"] > timing.seconds["fast"]


def test_long_calls_have_a_few_rounds_and_all_calls_as_many():
    counts = {"a": 0, "b": 0}

    def call(name):
        counts[name] += 1
        time.sleep(0.005)

    timing = take_turns({name: (lambda name=name: call(name)) for name in counts}, 0.0)
    assert timing.rounds == LEAST_ROUNDS
    assert counts["a"] == counts["b"]

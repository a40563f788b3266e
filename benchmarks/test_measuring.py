"""Ratios are those of the calls."""

from __future__ import annotations

import pytest

from benchmarks.measuring import LEAST_ROUNDS, take_turns
from numpy_rnn.commands import timing


class Clock:
    """A clock that only `sleep` moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(timing, "time", clock)
    return clock


def test_take_turns_call_twice_as_long_has_twice_the_time(clock):
    calls = {"slow": lambda: clock.sleep(0.02), "fast": lambda: clock.sleep(0.01)}
    found = take_turns(calls, budget=0.3, pause=0.5)
    assert found.ratios["fast"] == pytest.approx(2)
    assert found.seconds == pytest.approx({"slow": 0.02, "fast": 0.01})


def test_take_turns_long_calls_have_the_least_rounds_each(clock):
    counts = {"a": 0, "b": 0}

    def call(name):
        counts[name] += 1
        clock.sleep(0.005)

    found = take_turns({name: (lambda name=name: call(name)) for name in counts}, 0.0)
    assert found.rounds == LEAST_ROUNDS
    assert counts["a"] == counts["b"]


def test_take_turns_short_calls_are_timed_in_bursts(clock):
    calls = {"slow": lambda: clock.sleep(2e-6), "fast": lambda: clock.sleep(1e-6)}
    found = take_turns(calls, budget=0.1)
    assert found.rounds > LEAST_ROUNDS
    assert found.ratios["fast"] == pytest.approx(2)

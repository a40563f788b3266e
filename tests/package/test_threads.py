"""A module that many threads call at once gives each the right result."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest

import numpy_rnn as nn
from tests.support.compare import leaves
from tests.support.heuristics import WAYS, force
from tests.support.recurrent import KINDS, both, draw_hx, draw_input
from tests.support.whole_model import build

THREADS = 16


@pytest.fixture
def _hurried():
    """Switch threads every few microseconds, in the middle of every call."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(interval)


def results_of_threads(module, calls, repeats):
    """Make each call repeatedly in a thread of its own; return each thread's results."""
    together = Barrier(len(calls))

    def repeat(call):
        together.wait()
        return [module(*call) for _ in range(repeats)]

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(repeat, calls))


def assert_equal_bits(results, expected):
    for mine, right in zip(leaves(results), leaves(expected), strict=True):
        assert (mine is None) == (right is None)
        if mine is not None:
            assert mine.dtype == right.dtype
            assert mine.tobytes() == right.tobytes()


@pytest.mark.usefixtures("_hurried")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("layout", ["batched", "packed unsorted"])
def test_rnn_sixteen_threads_in_every_way_equal_one(
    rng, monkeypatch, way, kind, bidirectional, layout
):
    """Whatever the sizes would choose; one sequence and several, one step and several."""
    force(monkeypatch, way)
    layer, _ = both(kind, 3, 5, num_layers=2, bidirectional=bidirectional)
    sizes = [(steps, batch) for steps in (1, 2, 6, 7) for batch in (1, 1, 2, 5)]
    calls = [
        (draw_input(rng, layer, *size, layout), draw_hx(rng, layer, size[1])) for size in sizes
    ]
    expected = [layer(*call) for call in calls]
    for results, alone in zip(results_of_threads(layer, calls, 2), expected, strict=True):
        for result in results:
            assert_equal_bits(result, alone)


@pytest.mark.usefixtures("_hurried")
@pytest.mark.parametrize("cell", [nn.RNNCell, nn.LSTMCell, nn.GRUCell])
def test_cell_sixteen_streams_in_threads_equal_one_each(rng, cell):
    cell = cell(3, 5)
    streams = rng.standard_normal((THREADS, 100, 3)).astype(np.float32)

    def stream(inputs):
        hx = None
        for x in inputs:
            hx = cell(x, hx)
        return hx

    expected = [stream(inputs) for inputs in streams]
    results = results_of_threads(stream, [(inputs,) for inputs in streams], 2)
    for of_thread, alone in zip(results, expected, strict=True):
        for result in of_thread:
            assert_equal_bits(result, alone)


@pytest.mark.usefixtures("_hurried")
def test_whole_model_sixteen_threads_equal_one(rng):
    model = build()[0].eval()
    calls = [
        (rng.integers(0, 11, (batch, 9)), rng.integers(2, 9, batch, endpoint=True))
        for batch in range(1, THREADS + 1)
    ]
    expected = [model(*call) for call in calls]
    for results, alone in zip(results_of_threads(model, calls, 3), expected, strict=True):
        for result in results:
            assert_equal_bits(result, alone)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("batch", [1, 3])
def test_rnn_sixteen_threads_equal_one(rng, kind, batch):
    layer, _ = both(kind, 3, 5, num_layers=2, bidirectional=True)
    calls = [
        (draw_input(rng, layer, steps, batch), draw_hx(rng, layer, batch))
        for steps in range(1, THREADS + 1)
    ]
    expected = [layer(*call) for call in calls]
    for results, alone in zip(results_of_threads(layer, calls, 20), expected, strict=True):
        for result in results:
            assert_equal_bits(result, alone)


def test_errstate_in_threads_is_each_threads_own():
    """A call in one thread silences no warning in another."""
    layer = nn.LSTM(8, 32)
    x = np.full((200, 4, 8), np.inf, np.float32)
    together = Barrier(THREADS)

    def overflow(_):
        together.wait()
        with np.errstate(all="raise"):
            for _ in range(5):
                layer(x)
                with pytest.raises(FloatingPointError, match="overflow"):
                    np.float32(1e38) * np.float32(10)
        return True

    with ThreadPoolExecutor(THREADS) as pool:
        assert all(pool.map(overflow, range(THREADS)))

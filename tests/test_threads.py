"""A module that many threads call at once gives each its own right result."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest

import numpy_rnn as nn
from tests.compare import leaves
from tests.test_recurrent_parity import KINDS, both, draw_hx, draw_input

THREADS = 16


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("batch", [1, 3])
def test_sixteen_threads_get_what_one_gets(rng, kind, batch):
    layer, _ = both(kind, 3, 5, num_layers=2, bidirectional=True)
    calls = [
        (draw_input(rng, layer, steps, batch), draw_hx(rng, layer, batch))
        for steps in range(1, THREADS + 1)
    ]
    expected = [layer(*call) for call in calls]
    together = Barrier(THREADS)

    def repeat(call):
        together.wait()
        return [layer(*call) for _ in range(20)]

    with ThreadPoolExecutor(THREADS) as pool:
        for results, alone in zip(pool.map(repeat, calls), expected, strict=True):
            for result in results:
                for mine, right in zip(leaves(result), leaves(alone), strict=True):
                    np.testing.assert_array_equal(mine, right)


def test_threads_keep_their_own_floating_point_settings():
    """A call that is under way in one thread silences no other."""
    layer = nn.LSTM(8, 32)
    x = np.full((200, 4, 8), np.inf, np.float32)
    together = Barrier(THREADS)

    def overflow(_):
        together.wait()
        with np.errstate(all="raise"):
            for _ in range(5):
                layer(x)
                with pytest.raises(FloatingPointError):
                    np.float32(1e38) * np.float32(10)
        return True

    with ThreadPoolExecutor(THREADS) as pool:
        assert all(pool.map(overflow, range(THREADS)))

"""The recurrent layers beside torch's: run ``pytest benchmarks`` and read each group.

A group holds one size, ours and torch's, in the same run on one thread. The results are
compared before anything is timed.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

import numpy_rnn as nn

SEQUENCES = list(itertools.product(["RNN"], [100], [1, 8, 32], [16, 64, 256]))
GATED = list(itertools.product(["LSTM", "GRU"], [100], [1, 8, 32], [64]))
STEPS = [(layer, 1, 1, 64) for layer in ("RNN", "LSTM", "GRU")]


def calls(layer, steps, batch, size):
    """Return a call of ours and one of torch's, after a look at their results."""
    theirs = getattr(torch.nn, layer)(size, size).eval()
    ours = getattr(nn, layer)(size, size).eval()
    ours.load_state_dict(theirs.state_dict())
    x = np.random.default_rng(0).standard_normal((steps, batch, size)).astype(np.float32)
    tensor = torch.from_numpy(x)
    with torch.inference_mode():
        expected = theirs(tensor)[0].numpy()
    np.testing.assert_allclose(ours(x)[0], expected, rtol=0, atol=1e-5)
    return {"numpy_rnn": lambda: ours(x), "torch": lambda: theirs(tensor)}


@pytest.mark.parametrize("library", ["numpy_rnn", "torch"])
@pytest.mark.parametrize(("layer", "steps", "batch", "size"), SEQUENCES + GATED + STEPS)
def test_recurrent_layer(benchmark, layer, steps, batch, size, library):
    benchmark.group = f"{layer} T={steps} N={batch} H={size}"
    call = calls(layer, steps, batch, size)[library]
    with torch.inference_mode():
        benchmark(call)

"""`RNN` beside ``torch.nn.RNN``: run ``pytest benchmarks`` and read each group.

A group holds one size, ours and torch's, in the same run on one thread. The results are
compared before anything is timed.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

import numpy_rnn as nn

SIZES = [
    *((100, batch, hidden) for batch in (1, 8, 32) for hidden in (16, 64, 256)),
    (1, 1, 64),
]
"""(steps, batch size, features in and out)."""


def models(steps, batch, size):
    """Return our model and torch's as calls, after a look at their results."""
    theirs = torch.nn.RNN(size, size).eval()
    ours = nn.RNN(size, size).eval()
    ours.load_state_dict(theirs.state_dict())
    x = np.random.default_rng(0).standard_normal((steps, batch, size)).astype(np.float32)
    tensor = torch.from_numpy(x)
    for mine, expected in zip(ours(x), theirs(tensor), strict=True):
        np.testing.assert_allclose(mine, expected.detach().numpy(), rtol=0, atol=1e-5)
    return {"numpy_rnn": lambda: ours(x), "torch": lambda: theirs(tensor)}


@pytest.mark.parametrize("library", ["numpy_rnn", "torch"])
@pytest.mark.parametrize(("steps", "batch", "size"), SIZES)
def test_rnn(benchmark, steps, batch, size, library):
    benchmark.group = f"RNN T={steps} N={batch} H={size}"
    call = models(steps, batch, size)[library]
    with torch.inference_mode():
        benchmark(call)

"""The sizes that are timed, and the calls of both libraries for each."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import torch

import numpy_rnn as nn

SEQUENCES = list(itertools.product(["RNN"], [100], [1, 8, 32], [16, 64, 256]))
GATED = list(itertools.product(["LSTM", "GRU"], [100], [1, 8, 32], [64]))
STEPS = [(layer, 1, 1, 64) for layer in ("RNN", "LSTM", "GRU")]

SIZES = SEQUENCES + GATED + STEPS
"""(layer, steps T, batch size N, features in and out H)."""


def calls(layer: str, steps: int, batch: int, size: int) -> dict[str, Callable[[], object]]:
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

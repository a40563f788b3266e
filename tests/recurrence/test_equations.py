"""Each recurrence stands as a step and as an advance over many: they must be one."""

from __future__ import annotations

import numpy as np
import pytest

import numpy_rnn as nn
from numpy_rnn.modules.rnn import RECURRENCES
from numpy_rnn.recurrence.sequence import run_sequence
from tests.support.recurrent import KINDS


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("batch", [(), (3,)])
def test_advance_is_step_after_step(rng, kind, bias, batch):
    name, arguments = KINDS[kind]
    layer = getattr(nn, name)(4, 5, bias=bias, dtype=np.float64, **arguments)
    recurrence = RECURRENCES[layer.mode]
    weights = list(layer.parameters())
    x = rng.standard_normal((20, *batch, 4))
    start = layer._zero_state(batch, x.dtype)
    start = tuple(rng.standard_normal(array.shape) for array in start)

    state, hidden = start, []
    for x_t in x:
        state = recurrence.step(x_t, state, weights)
        hidden.append(state[0])

    out = np.empty((20, *hidden[0].shape))
    prepared = recurrence.prepare(weights, batch[0] if batch else 1)
    end = run_sequence(x, prepared, start, out)
    np.testing.assert_allclose(out, hidden, rtol=0, atol=1e-14)
    for mine, expected in zip(end, state, strict=True):
        np.testing.assert_allclose(mine, expected, rtol=0, atol=1e-14)

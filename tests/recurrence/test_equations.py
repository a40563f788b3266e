"""A run over many steps, a single step and a look inside one are the same recurrence."""

from __future__ import annotations

import numpy as np
import pytest

import numpy_rnn as nn
from numpy_rnn.recurrence import RECURRENCES
from numpy_rnn.recurrence.sequence import run_sequence
from tests.support.recurrent import KINDS


def drawn(rng, kind, bias, batch):
    """Return a recurrence, weights for it, and a state and inputs of 20 steps."""
    name, arguments = KINDS[kind]
    layer = getattr(nn, name)(4, 5, bias=bias, dtype=np.float64, **arguments)
    sizes = [layer.proj_size or 5, 5][: len(RECURRENCES[layer.mode].state_names)]
    start = tuple(rng.standard_normal((*batch, size)) for size in sizes)
    x = rng.standard_normal((20, *batch, 4))
    return RECURRENCES[layer.mode], list(layer.parameters()), start, x


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("batch", [(), (3,)])
def test_recurrence_run_equals_step_after_step(rng, kind, bias, batch):
    recurrence, weights, start, x = drawn(rng, kind, bias, batch)
    state, hidden = start, []
    for x_t in x:
        state = recurrence.step(x_t, state, weights)
        hidden.append(state[0])

    out = np.empty((20, *hidden[0].shape))
    layer = recurrence.prepare(weights, batch[0] if batch else 1)
    end = run_sequence(layer, x, start, out)
    np.testing.assert_allclose(out, hidden, rtol=0, atol=1e-14)
    for mine, expected in zip(end, state, strict=True):
        np.testing.assert_allclose(mine, expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("batch", [(), (3,), (0,)])
def test_recurrence_inside_equals_step(rng, kind, bias, batch):
    recurrence, weights, start, x = drawn(rng, kind, bias, batch)
    inside = recurrence.inside(x[0], start, weights)
    for mine, expected in zip(inside.state, recurrence.step(x[0], start, weights), strict=True):
        np.testing.assert_array_equal(mine, expected)
    assert tuple(inside.pre_activations) == recurrence.gates
    assert tuple(inside.gates) in ((), recurrence.gates)
    assert set(recurrence.sigmoids) <= set(recurrence.gates)
    arrays = [*inside.pre_activations.values(), *inside.gates.values(), *inside.state]
    for number, array in enumerate(arrays):
        assert not any(np.shares_memory(array, other) for other in arrays[:number])

"""Inputs are not written, results share no memory, and calls take little of it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import numpy_rnn as nn
from numpy_rnn.recurrence.blocked_matmul import matmul
from tests.support.arrays import ARRANGEMENTS, peak_memory
from tests.support.compare import leaves
from tests.support.heuristics import force

LAYERS = {"RNN": nn.RNN, "LSTM": nn.LSTM, "GRU": nn.GRU}


def state_of(layer, hx):
    """Return what the layer takes as hx, from one array."""
    return (hx, hx) if isinstance(layer, nn.LSTM) else hx


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("layout", ARRANGEMENTS)
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("shape", [(6, 3, 4), (6, 1, 4), (1, 3, 4), (1, 1, 4), (6, 4)])
def test_rnn_every_memory_layout_gives_equal_results(rng, kind, layout, bidirectional, shape):
    layer = LAYERS[kind](4, 5, 2, bidirectional=bidirectional)
    arrange = ARRANGEMENTS[layout]
    x = arrange(rng.standard_normal(shape).astype(np.float32))
    passes = 4 if bidirectional else 2
    hx = arrange(rng.standard_normal((passes, *shape[1:-1], 5)).astype(np.float32))
    plain_x, plain_hx = np.array(x, np.float32), np.array(hx, np.float32)
    results = layer(x, state_of(layer, hx)), layer(plain_x, state_of(layer, plain_hx))
    for mine, expected in zip(*map(leaves, results), strict=True):
        assert type(mine) is np.ndarray
        np.testing.assert_allclose(mine, expected, rtol=0, atol=2e-7)
    np.testing.assert_array_equal(x, plain_x)
    np.testing.assert_array_equal(hx, plain_hx)


@given(
    st.sampled_from(sorted(LAYERS)),
    st.integers(1, 12),
    st.integers(0, 3),
    st.integers(1, 3),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
def test_rnn_inputs_are_neither_written_nor_shared(
    kind, steps, batch, layers, bidirectional, batched, batch_first, training
):
    layer = LAYERS[kind](
        4, 4, layers, bidirectional=bidirectional, batch_first=batch_first
    ).train(training)
    rng = np.random.default_rng(steps)
    shape = ((batch, steps) if batch_first else (steps, batch)) if batched else (steps,)
    x = rng.standard_normal((*shape, 4)).astype(np.float32)
    passes = layers * (1 + bidirectional)
    hx = rng.standard_normal((passes, batch, 4) if batched else (passes, 4)).astype(np.float32)
    given_arrays = [x, hx, *layer.parameters()]
    copies = [array.copy() for array in given_arrays]
    results = leaves(layer(x, state_of(layer, hx)))
    for array, copy in zip(given_arrays, copies, strict=True):
        np.testing.assert_array_equal(array, copy)
        for result in results:
            assert not np.shares_memory(result, array)
            assert result.flags.writeable
    for one, other in itertools.combinations(results, 2):
        assert not np.shares_memory(one, other)


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_rnn_packed_input_is_neither_written_nor_shared(rng, kind, bidirectional):
    layer = LAYERS[kind](4, 4, 2, bidirectional=bidirectional)
    sequences = [rng.standard_normal((n, 4)).astype(np.float32) for n in (3, 5, 1)]
    packed = nn.utils.rnn.pack_sequence(sequences, enforce_sorted=False)
    hx = rng.standard_normal((4 if bidirectional else 2, 3, 4)).astype(np.float32)
    given_arrays = [packed.data, hx, *layer.parameters()]
    copies = [array.copy() for array in given_arrays]
    output, last = layer(packed, state_of(layer, hx))
    for result in [output.data, *leaves(last)]:
        assert not any(np.shares_memory(result, array) for array in given_arrays)
    for array, copy in zip(given_arrays, copies, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("kind", LAYERS)
def test_rnn_products_never_write_into_their_input(rng, monkeypatch, kind):
    """Whatever NumPy would do about it."""
    calls = []

    def watched(a, b, *memory):
        calls.append(any(np.may_share_memory(a, array) for array in memory))
        matmul(a, b, *memory)

    monkeypatch.setattr("numpy_rnn.recurrence.sequence.matmul", watched)
    layer = LAYERS[kind](4, 4, 3)
    force(monkeypatch, "rows")
    sequences = [rng.standard_normal((n, 4)).astype(np.float32) for n in (3, 5)]
    layer(nn.utils.rnn.pack_sequence(sequences, enforce_sorted=False))
    layer(np.stack([sequences[1], sequences[1]]))
    layer(sequences[1])
    assert len(calls) >= 3
    assert not any(calls)


@pytest.mark.parametrize("kind", LAYERS)
def test_rnn_long_sequence_takes_memory_of_its_output(rng, kind):
    """(50000, 1, 32) through one layer of 64: the output's 12 MiB and at most 8 more."""
    rnn = LAYERS[kind](32, 64)
    x = rng.standard_normal((50_000, 1, 32)).astype(np.float32)
    extra = peak_memory(lambda: rnn(x)) - 50_000 * 64 * 4
    assert extra < 8 * 2**20


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize(
    ("layers", "bidirectional", "batch_first", "outputs"),
    [(3, False, False, 1), (3, False, True, 1), (1, True, False, 1), (3, True, False, 2)],
)
def test_rnn_stacked_layers_take_memory_of_one_more_output(
    rng, kind, layers, bidirectional, batch_first, outputs
):
    rnn = LAYERS[kind](8, 16, layers, bidirectional=bidirectional, batch_first=batch_first)
    x = rng.standard_normal((4, 20_000, 8) if batch_first else (20_000, 4, 8)).astype(
        np.float32
    )
    output_bytes = 20_000 * 4 * 16 * 4 * (2 if bidirectional else 1)
    assert peak_memory(lambda: rnn(x)) < outputs * output_bytes + 8 * 2**20

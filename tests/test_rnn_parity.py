"""`RNN` gives torch's numbers, shapes and dtypes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import numpy_rnn as nn
from tests.compare import assert_parity, to_torch

DTYPES = {"float32": torch.float32, "float64": torch.float64}
SIZES = [(1, 1), (1, 3), (2, 0), (7, 1), (9, 4)]
"""(L, N): one step, no sequence at all, one sequence, several."""

GRID = list(
    itertools.product(
        (1, 2, 3), (False, True), ("tanh", "relu"), (True, False), (False, True), DTYPES
    )
)


def draw_input(rng, steps, batch, features, dtype, *, batched=True, batch_first=False):
    shape = (batch, steps, features) if batch_first else (steps, batch, features)
    if not batched:
        shape = (steps, features)
    return rng.standard_normal(shape).astype(dtype)


def draw_hx(rng, rnn, batch, dtype, *, batched=True):
    runs = rnn.num_layers * (2 if rnn.bidirectional else 1)
    shape = (runs, batch, rnn.hidden_size) if batched else (runs, rnn.hidden_size)
    return rng.standard_normal(shape).astype(dtype)


@pytest.mark.parametrize("given_hx", [False, True], ids=["zeros", "hx"])
@pytest.mark.parametrize("batched", [True, False], ids=["batched", "unbatched"])
@pytest.mark.parametrize(
    ("layers", "bidirectional", "nonlinearity", "bias", "batch_first", "dtype"), GRID
)
def test_equals_torch_in_every_configuration(
    rng, layers, bidirectional, nonlinearity, bias, batch_first, dtype, batched, given_hx
):
    arguments = (3, 5, layers, nonlinearity, bias, batch_first, 0.0, bidirectional)
    ours = nn.RNN(*arguments, dtype=dtype)
    theirs = torch.nn.RNN(*arguments[:7], bidirectional=bidirectional, dtype=DTYPES[dtype])
    for steps, batch in SIZES:
        x = draw_input(rng, steps, batch, 3, dtype, batched=batched, batch_first=batch_first)
        hx = draw_hx(rng, ours, batch, dtype, batched=batched) if given_hx else None
        assert_parity(ours, theirs, x, hx)


@settings(max_examples=300)
@given(
    st.fixed_dictionaries(
        {
            "input_size": st.integers(1, 9),
            "hidden_size": st.integers(1, 17),
            "num_layers": st.integers(1, 4),
            "nonlinearity": st.sampled_from(["tanh", "relu"]),
            "bias": st.booleans(),
            "batch_first": st.booleans(),
            "bidirectional": st.booleans(),
        }
    ),
    st.sampled_from(sorted(DTYPES)),
    st.integers(1, 50),
    st.integers(1, 6),
    st.booleans(),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
def test_equals_torch_in_random_configurations(
    configuration, dtype, steps, batch, batched, given_hx, seed
):
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    ours = nn.RNN(**configuration, dtype=dtype)
    theirs = torch.nn.RNN(**configuration, dtype=DTYPES[dtype])
    x = draw_input(
        rng,
        steps,
        batch,
        ours.input_size,
        dtype,
        batched=batched,
        batch_first=ours.batch_first,
    )
    hx = draw_hx(rng, ours, batch, dtype, batched=batched) if given_hx else None
    assert_parity(ours, theirs, x, hx)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("batch", [1, 5])
def test_equals_torch_over_several_blocks_of_steps(rng, monkeypatch, bidirectional, batch):
    """A block holds a few steps here; by default this takes very long sequences."""
    monkeypatch.setattr("numpy_rnn.kernels.recurrence.BLOCK_BYTES", 3 * batch * 6 * 4)
    arguments = {"num_layers": 3, "bidirectional": bidirectional}
    x = rng.standard_normal((20, batch, 4)).astype(np.float32)
    assert_parity(nn.RNN(4, 6, **arguments), torch.nn.RNN(4, 6, **arguments), x)


def test_a_chunked_sequence_equals_the_whole(rng):
    rnn = nn.RNN(3, 4, 2, dtype=np.float64)
    x = rng.standard_normal((12, 2, 3))
    whole, h_n = rnn(x)
    hx, chunks = None, []
    for chunk in np.split(x, [1, 2, 7]):
        output, hx = rnn(chunk, hx)
        chunks.append(output)
    np.testing.assert_allclose(np.concatenate(chunks), whole, rtol=0, atol=1e-14)
    np.testing.assert_allclose(hx, h_n, rtol=0, atol=1e-14)


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("batch", [1, 3])
def test_infinities_and_nans_pass_as_in_torch(rng, nonlinearity, bidirectional, batch):
    arguments = {"num_layers": 2, "nonlinearity": nonlinearity, "bidirectional": bidirectional}
    ours, theirs = nn.RNN(2, 3, **arguments), torch.nn.RNN(2, 3, **arguments)
    ours.load_state_dict(theirs.state_dict())
    x = rng.standard_normal((9, batch, 2)).astype(np.float32)
    x[2, 0, 0], x[4, 0, 1], x[6, 0, 0] = np.inf, -np.inf, np.nan
    x[8, 0, 0] = 3e38
    with torch.inference_mode():
        expected = theirs(torch.from_numpy(x))
    for mine, reference in zip(ours(x), expected, strict=True):
        np.testing.assert_allclose(mine, reference.numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_dropout_draws_torchs_mask_between_layers(rng, bidirectional):
    """In training mode, as a new module is; torch draws otherwise on Intel processors."""
    torch.manual_seed(0)
    mask = torch.nn.functional.dropout(torch.ones(100), 0.5).numpy() != 0
    nn.manual_seed(0)
    if not np.array_equal(nn.functional.dropout(np.ones(100), 0.5) != 0, mask):
        pytest.skip("torch draws dropout with MKL on this processor")
    arguments = {"num_layers": 3, "dropout": 0.4, "bidirectional": bidirectional}
    ours, theirs = nn.RNN(3, 4, **arguments), torch.nn.RNN(3, 4, **arguments)
    ours.load_state_dict(theirs.state_dict())
    for shape in [(6, 2, 3), (1, 1, 3), (4, 3)]:
        x = rng.standard_normal(shape).astype(np.float32)
        torch.manual_seed(5)
        nn.manual_seed(5)
        with torch.no_grad():
            expected = theirs(torch.from_numpy(x))
        for mine, reference in zip(ours(x), expected, strict=True):
            np.testing.assert_allclose(mine, reference.numpy(), rtol=0, atol=1e-6)


def test_dropout_rests_in_eval_mode_and_in_a_single_layer(rng):
    x = rng.standard_normal((5, 2, 3)).astype(np.float32)
    stacked = nn.RNN(3, 4, 2, dropout=0.9)
    assert not np.array_equal(stacked(x)[0], stacked(x)[0])
    stacked.eval()
    assert np.array_equal(stacked(x)[0], stacked(x)[0])
    with pytest.warns(UserWarning, match="dropout option adds dropout after all but last"):
        single = nn.RNN(3, 4, dropout=0.9)
    assert np.array_equal(single(x)[0], single(x)[0])


def test_dropout_of_everything_leaves_the_bias(rng):
    arguments = {"num_layers": 2, "dropout": 1.0}
    ours, theirs = nn.RNN(3, 4, **arguments), torch.nn.RNN(3, 4, **arguments)
    ours.load_state_dict(theirs.state_dict())
    x = rng.standard_normal((5, 2, 3)).astype(np.float32)
    np.testing.assert_allclose(
        ours(x)[0], theirs(torch.from_numpy(x))[0].detach().numpy(), rtol=0, atol=1e-6
    )


def test_takes_torch_tensors_that_come_in_by_accident(rng):
    rnn = nn.RNN(3, 4)
    x, hx = rng.standard_normal((5, 2, 3)), rng.standard_normal((1, 2, 4))
    x, hx = x.astype(np.float32), hx.astype(np.float32)
    tensor = torch.from_numpy(x).requires_grad_()
    for mine, expected in zip(rnn(tensor, to_torch(hx)), rnn(x, hx), strict=True):
        assert type(mine) is np.ndarray
        np.testing.assert_array_equal(mine, expected)

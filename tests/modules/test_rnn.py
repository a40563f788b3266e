"""The recurrent layers give torch's numbers, shapes and dtypes."""

from __future__ import annotations

import inspect
import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import numpy_rnn as nn
from numpy_rnn.recurrence import heuristics
from tests.support.compare import assert_parity, leaves, to_torch
from tests.support.heuristics import WAYS, force
from tests.support.recurrent import DTYPES, KINDS, LAYOUTS, both, draw_hx, draw_input

SIZES = [(1, 1), (1, 3), (2, 0), (7, 1), (9, 4)]
"""(L, N): one step, no sequence at all, one sequence, several."""

GRID = list(
    itertools.product((1, 2, 3), (False, True), (True, False), (False, True), DTYPES, LAYOUTS)
)


@pytest.mark.parametrize("given_hx", [False, True], ids=["zeros", "hx"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("layers", "bidirectional", "bias", "batch_first", "dtype", "layout"), GRID
)
def test_rnn_every_configuration_equals_torch(
    rng, kind, layers, bidirectional, bias, batch_first, dtype, layout, given_hx
):
    arguments = {
        "num_layers": layers,
        "bias": bias,
        "batch_first": batch_first,
        "bidirectional": bidirectional,
    }
    ours, theirs = both(kind, 3, 5, dtype=dtype, **arguments)
    for steps, batch in SIZES:
        if batch == 0 and layout.startswith("packed"):
            continue  # there is nothing to pack, which is an error
        x = draw_input(rng, ours, steps, batch, layout)
        assert_parity(ours, theirs, x, draw_hx(rng, ours, batch, layout) if given_hx else None)


@given(
    st.sampled_from(sorted(KINDS)),
    st.fixed_dictionaries(
        {
            "num_layers": st.integers(1, 4),
            "bias": st.booleans(),
            "batch_first": st.booleans(),
            "bidirectional": st.booleans(),
        }
    ),
    st.tuples(st.integers(1, 9), st.integers(3, 17)),
    st.sampled_from(sorted(DTYPES)),
    st.tuples(st.integers(1, 50), st.integers(1, 6)),
    st.sampled_from(LAYOUTS),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
def test_rnn_random_configurations_equal_torch(
    kind, arguments, sizes, dtype, steps_and_batch, layout, given_hx, seed
):
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    ours, theirs = both(kind, *sizes, dtype=dtype, **arguments)
    steps, batch = steps_and_batch
    x = draw_input(rng, ours, steps, batch, layout)
    assert_parity(ours, theirs, x, draw_hx(rng, ours, batch, layout) if given_hx else None)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("layout", ["batched", "unbatched", "packed unsorted"])
def test_rnn_every_way_of_computing_equals_torch(
    rng, monkeypatch, way, kind, layers, bidirectional, bias, layout
):
    """Whatever the sizes would choose; over sequences shorter than the stack, and longer."""
    force(monkeypatch, way)
    for dtype, (steps, batch) in itertools.product(DTYPES, [*SIZES, (2, 1), (3, 2)]):
        if batch == 0 and layout.startswith("packed"):
            continue  # there is nothing to pack, which is an error
        ours, theirs = both(
            kind, 3, 5, dtype=dtype, num_layers=layers, bidirectional=bidirectional, bias=bias
        )
        x = draw_input(rng, ours, steps, batch, layout)
        # Within (-1, 1), as hidden states are: a larger one has larger rounding errors,
        # and two or three steps leave too little to average over.
        states = [np.tanh(array) for array in leaves(draw_hx(rng, ours, batch, layout))]
        assert_parity(ours, theirs, x, tuple(states) if len(states) == 2 else states[0])


def test_heuristics_are_all_forced_both_ways():
    choices = {name for name, _ in inspect.getmembers(heuristics, inspect.isfunction)}
    assert choices == set(WAYS["rows"]) == set(WAYS["all"])
    for choice in choices:
        assert len({forced[choice] for forced in WAYS.values()}) > 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layout", ["batched", "packed unsorted"])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("batch", [1, 5])
def test_rnn_several_blocks_of_steps_equal_torch(
    rng, monkeypatch, kind, layout, bidirectional, batch
):
    """A block holds a few steps here; by default this takes very long sequences."""
    monkeypatch.setattr("numpy_rnn.recurrence.heuristics.BLOCK_BYTES", 3 * batch * 24 * 4)
    ours, theirs = both(kind, 4, 6, num_layers=3, bidirectional=bidirectional)
    assert_parity(ours, theirs, draw_input(rng, ours, 20, batch, layout))


@pytest.mark.parametrize("kind", KINDS)
def test_rnn_chunked_sequence_equals_the_whole(rng, kind):
    layer, _ = both(kind, 3, 4, num_layers=2, dtype="float64")
    x = rng.standard_normal((12, 2, 3))
    whole, last = layer(x)
    hx, chunks = None, []
    for chunk in np.split(x, [1, 2, 7]):
        output, hx = layer(chunk, hx)
        chunks.append(output)
    np.testing.assert_allclose(np.concatenate(chunks), whole, rtol=0, atol=1e-14)
    for mine, expected in zip(leaves(hx), leaves(last), strict=True):
        np.testing.assert_allclose(mine, expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_rnn_sequence_in_a_batch_equals_it_alone(rng, kind, bidirectional):
    layer, _ = both(kind, 3, 4, num_layers=2, bidirectional=bidirectional, dtype="float64")
    packed = draw_input(rng, layer, 12, 5, "packed unsorted")
    together = nn.utils.rnn.unpack_sequence(layer(packed)[0])
    for alone, output in zip(nn.utils.rnn.unpack_sequence(packed), together, strict=True):
        np.testing.assert_allclose(layer(alone)[0], output, rtol=0, atol=1e-14)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("batch", [1, 3])
def test_rnn_infinities_and_nans_equal_torch(rng, monkeypatch, way, kind, bidirectional, batch):
    force(monkeypatch, way)
    ours, theirs = both(kind, 2, 3, num_layers=2, bidirectional=bidirectional)
    ours.load_state_dict(theirs.state_dict())
    x = rng.standard_normal((9, batch, 2)).astype(np.float32)
    x[2, 0, 0], x[4, 0, 1], x[6, 0, 0] = np.inf, -np.inf, np.nan
    x[8, 0, 0] = 3e38
    with torch.inference_mode():
        expected = theirs(torch.from_numpy(x))
    for mine, reference in zip(leaves(ours(x)), leaves(expected), strict=True):
        np.testing.assert_allclose(mine, reference.numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("steps", [1, 5])
@pytest.mark.parametrize("scale", [1e-30, 1e3, 1e30])
def test_rnn_extreme_inputs_equal_torch_without_warning(rng, kind, steps, scale):
    ours, theirs = both(kind, 3, 4)
    x = (draw_input(rng, ours, steps, 2) * scale).astype(np.float32)
    assert_parity(ours, theirs, x)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("layout", ["batched", "unbatched", "packed unsorted"])
def test_rnn_dropout_between_layers_equals_torch(rng, kind, bidirectional, layout):
    """In training mode, as a new module is; torch draws otherwise on Intel processors."""
    torch.manual_seed(0)
    mask = torch.nn.functional.dropout(torch.ones(100), 0.5).numpy() != 0
    nn.manual_seed(0)
    if not np.array_equal(nn.functional.dropout(np.ones(100), 0.5) != 0, mask):
        pytest.skip("torch draws dropout with MKL on this processor")
    ours, theirs = both(kind, 3, 4, num_layers=3, dropout=0.4, bidirectional=bidirectional)
    ours.load_state_dict(theirs.state_dict())
    for steps, batch in [(6, 2), (1, 1)]:
        x = draw_input(rng, ours, steps, batch, layout)
        torch.manual_seed(5)
        nn.manual_seed(5)
        with torch.no_grad():
            expected = theirs(to_torch(x))
        for mine, reference in zip(leaves(ours(x)), leaves(expected), strict=True):
            if reference is not None:
                np.testing.assert_allclose(mine, reference.numpy(), rtol=0, atol=1e-6)


def test_rnn_dropout_in_eval_mode_or_one_layer_does_nothing(rng):
    x = rng.standard_normal((5, 2, 3)).astype(np.float32)
    stacked = nn.RNN(3, 4, 2, dropout=0.9)
    assert not np.array_equal(stacked(x)[0], stacked(x)[0])
    stacked.eval()
    assert np.array_equal(stacked(x)[0], stacked(x)[0])
    with pytest.warns(UserWarning, match="dropout option adds dropout after all but last"):
        single = nn.RNN(3, 4, dropout=0.9)
    assert np.array_equal(single(x)[0], single(x)[0])


def test_rnn_dropout_of_everything_leaves_the_bias(rng):
    arguments = {"num_layers": 2, "dropout": 1.0}
    ours, theirs = nn.RNN(3, 4, **arguments), torch.nn.RNN(3, 4, **arguments)
    ours.load_state_dict(theirs.state_dict())
    x = rng.standard_normal((5, 2, 3)).astype(np.float32)
    np.testing.assert_allclose(
        ours(x)[0], theirs(torch.from_numpy(x))[0].detach().numpy(), rtol=0, atol=1e-6
    )


def test_rnn_torch_tensor_input_returns_arrays(rng):
    rnn = nn.RNN(3, 4)
    x, hx = rng.standard_normal((5, 2, 3)), rng.standard_normal((1, 2, 4))
    x, hx = x.astype(np.float32), hx.astype(np.float32)
    tensor = torch.from_numpy(x).requires_grad_()
    for mine, expected in zip(rnn(tensor, to_torch(hx)), rnn(x, hx), strict=True):
        assert type(mine) is np.ndarray
        np.testing.assert_array_equal(mine, expected)


@pytest.mark.parametrize("kind", KINDS)
def test_rnn_subclass_with_its_own_forward_is_called_with_its_arguments(rng, kind):
    name, arguments = KINDS[kind]

    class Encoder(getattr(nn, name)):
        def forward(self, x):
            return super().forward(x)[0]

    class Deeper(Encoder):
        pass

    for subclass in (Encoder, Deeper):
        layer = subclass(3, 4, **arguments)
        x = draw_input(rng, layer, 5, 2)
        assert layer(x).shape == (5, 2, layer.proj_size or 4)
        assert layer(x=x).shape == (5, 2, layer.proj_size or 4)


def test_rnn_subclass_with_its_own_call_and_forward_is_called_by_both(rng):
    class Encoder(nn.GRU):
        def __call__(self, x):
            return "called", super().__call__(x)

        def forward(self, x):
            return x.shape

    layer = Encoder(3, 4)
    assert layer(draw_input(rng, layer, 5, 2)) == ("called", (5, 2, 3))


def test_rnn_instance_with_its_own_forward_is_called_with_its_arguments(rng):
    layer = nn.LSTM(3, 4)
    layer.forward = lambda x: x.shape
    assert layer(draw_input(rng, layer, 5, 2)) == (5, 2, 3)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("steps", [1, 5])
@pytest.mark.parametrize("layout", ["batched", "unbatched"])
def test_rnn_states_take_memory_of_their_values_alone(rng, kind, steps, layout):
    layer, _ = both(kind, 3, 64)
    _, last = layer(draw_input(rng, layer, steps, 1, layout))
    for state in leaves(last):
        owner = state if state.base is None else state.base
        assert owner.nbytes == state.nbytes

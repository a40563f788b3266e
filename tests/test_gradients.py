"""`Trace.backward` beside torch's autograd, and by finite differences without it."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import numpy_rnn as nn
from numpy_rnn.utils.rnn import pack_padded_sequence

GRID = [
    (kind, layers, bidirectional, bias, projection, batch_first, relu)
    for kind in ("RNN", "LSTM", "GRU")
    for layers, bidirectional, bias, projection, batch_first, relu in itertools.product(
        (1, 2), (False, True), (True, False), (0, 3), (False, True), (False, True)
    )
    if (kind == "LSTM" or not projection) and (kind == "RNN" or not relu)
]


def layers_of(kind, layers, bidirectional, bias, projection, batch_first, relu, sizes=(3, 4)):
    """Return torch's layer in float64, and ours with its weights."""
    options = {"bidirectional": bidirectional, "bias": bias, "batch_first": batch_first}
    options |= {"proj_size": projection} if projection else {}
    options |= {"nonlinearity": "relu"} if relu else {}
    theirs = getattr(torch.nn, kind)(*sizes, layers, **options).double()
    ours = getattr(nn, kind)(*sizes, layers, **options).double()
    ours.load_state_dict(theirs.state_dict())
    return theirs, ours


def as_tuple(state):
    return state if isinstance(state, tuple) else (state,)


def drawn_state(rng, layer, batch):
    """Return an initial state of a layer, as it takes it."""
    first = layer.num_layers * (2 if layer.bidirectional else 1)
    h = rng.standard_normal((first, *batch, layer.proj_size or layer.hidden_size))
    if not isinstance(layer, nn.LSTM):
        return h
    return h, rng.standard_normal((first, *batch, layer.hidden_size))


def compare(theirs, ours, x, hx, rng, packing=None, dtype=torch.float64, tolerance=1e-10):
    """Compare all gradients of a random loss of all results."""
    tensor = torch.tensor(x, dtype=dtype, requires_grad=True)
    states = [torch.tensor(array, dtype=dtype, requires_grad=True) for array in as_tuple(hx)]
    given_state = tuple(states) if isinstance(hx, tuple) else states[0]
    if packing is None:
        output, last = theirs(tensor, given_state)
        trace = nn.trace(ours, x, hx)
    else:
        packed = torch.nn.utils.rnn.pack_padded_sequence(tensor, **packing)
        output, last = theirs(packed, given_state)
        output = output.data
        trace = nn.trace(ours, pack_padded_sequence(x, **packing), hx)
    results = [output, *as_tuple(last)]
    gradients = [rng.standard_normal(tuple(result.shape)).astype(x.dtype) for result in results]
    parameters = dict(theirs.named_parameters())
    expected = torch.autograd.grad(
        results,
        [tensor, *states, *parameters.values()],
        [torch.from_numpy(g) for g in gradients],
    )
    found = trace.backward(*gradients)
    of_input = found.input
    if packing is not None:
        of_input, _ = nn.utils.rnn.pad_packed_sequence(
            of_input, packing.get("batch_first", False)
        )
    got = [of_input, *as_tuple(found.hx), *(found.parameters[name] for name in parameters)]
    assert found.parameters.keys() == parameters.keys()
    for mine, other in zip(got, expected, strict=True):
        assert mine.dtype == x.dtype
        assert mine.shape == tuple(other.shape)
        limit = tolerance * max(1.0, float(other.abs().max()))
        np.testing.assert_allclose(mine, other.numpy(), rtol=0, atol=limit)
    return trace, found


@pytest.mark.parametrize("configuration", GRID, ids=str)
@pytest.mark.parametrize("batch", [(), (1,), (3,)])
def test_backward_equals_autograd(configuration, batch, rng):
    theirs, ours = layers_of(*configuration)
    steps = (batch[0], 5) if batch and ours.batch_first else (5, *batch)
    x = rng.standard_normal((*steps, 3))
    compare(theirs, ours, x, drawn_state(rng, ours, batch), rng)


@pytest.mark.parametrize("configuration", GRID, ids=str)
@pytest.mark.parametrize("lengths", [[5, 3, 1], [2, 5, 2]])
def test_backward_packed_equals_autograd(configuration, lengths, rng):
    theirs, ours = layers_of(*configuration)
    x = rng.standard_normal((3, 5, 3) if ours.batch_first else (5, 3, 3))
    packing = {"lengths": lengths, "batch_first": ours.batch_first}
    packing["enforce_sorted"] = lengths == sorted(lengths, reverse=True)
    compare(theirs, ours, x, drawn_state(rng, ours, (3,)), rng, packing)


@settings(max_examples=60)
@given(
    st.sampled_from(GRID),
    st.integers(1, 12),
    st.integers(1, 4),
    st.integers(0, 2**31),
    st.data(),
)
def test_backward_random_configurations_equal_autograd(configuration, steps, batch, seed, data):
    sizes = data.draw(st.integers(1, 9)), data.draw(st.integers(4, 12))
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    theirs, ours = layers_of(*configuration, sizes=sizes)
    x = rng.standard_normal((batch, steps) if ours.batch_first else (steps, batch))
    x = rng.standard_normal((*x.shape, sizes[0]))
    compare(theirs, ours, x, drawn_state(rng, ours, (batch,)), rng)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("batch", [(), (3,)])
def test_backward_of_a_cell_equals_autograd(kind, batch, rng):
    theirs = getattr(torch.nn, f"{kind}Cell")(3, 4).double()
    ours = getattr(nn, f"{kind}Cell")(3, 4).double()
    ours.load_state_dict(theirs.state_dict())
    arrays = [rng.standard_normal((*batch, size)) for size in (3, 4, 4)]
    arrays = arrays if kind == "LSTM" else arrays[:2]
    tensors = [torch.tensor(array, requires_grad=True) for array in arrays]
    hx, state = tuple(arrays[1:]), tuple(tensors[1:])
    results = as_tuple(theirs(tensors[0], state if kind == "LSTM" else state[0]))
    gradients = [rng.standard_normal(tuple(result.shape)) for result in results]
    weights = dict(theirs.named_parameters())
    expected = torch.autograd.grad(
        results, [*tensors, *weights.values()], [torch.from_numpy(g) for g in gradients]
    )
    trace = nn.trace(ours, arrays[0], hx if kind == "LSTM" else hx[0])
    found = trace.backward(gradients[0], c_n=gradients[1] if kind == "LSTM" else None)
    got = [found.input, *as_tuple(found.hx), *(found.parameters[name] for name in weights)]
    for mine, other in zip(got, expected, strict=True):
        np.testing.assert_allclose(mine, other.numpy(), rtol=0, atol=1e-12)
    by_state = trace.backward(h_n=gradients[0], c_n=gradients[1] if kind == "LSTM" else None)
    np.testing.assert_array_equal(by_state.input, found.input)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_backward_inner_gradients_equal_autograd_through_a_cell(kind, rng):
    """Those with respect to every state, which a layer of torch's does not show."""
    layer = getattr(nn, kind)(3, 4).double()
    cell = getattr(torch.nn, f"{kind}Cell")(3, 4).double()
    weights = {name.removesuffix("_l0"): array for name, array in layer.state_dict().items()}
    cell.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
    x, of_output = rng.standard_normal((6, 2, 3)), rng.standard_normal((6, 2, 4))
    state, states = None, []
    for step in torch.from_numpy(x):
        state = cell(step, state)
        state = tuple(part.requires_grad_() for part in as_tuple(state))
        states.append(state)
        state = state if kind == "LSTM" else state[0]
    loss = sum((h[0] * torch.from_numpy(g)).sum() for h, g in zip(states, of_output))
    found = nn.trace(layer, x).backward(of_output)["l0"]
    for place, mine in enumerate([found.hidden, found.cell][: len(states[0])]):
        expected = torch.autograd.grad(loss, [s[place] for s in states], retain_graph=True)
        np.testing.assert_allclose(mine, torch.stack(expected).numpy(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_backward_equals_finite_differences(kind, rng):
    """It needs no torch: central differences of a loss in float64."""
    layer = getattr(nn, kind)(2, 3, 2, bidirectional=True).double()
    x, hx = rng.standard_normal((4, 2, 2)), drawn_state(rng, layer, (2,))
    weights = rng.standard_normal((4, 2, 6))
    found = nn.trace(layer, x, hx).backward(weights)

    def loss() -> float:
        return float((layer(x, hx)[0] * weights).sum())

    pairs = [(x, found.input), *zip(as_tuple(hx), as_tuple(found.hx))]
    pairs += [(p, found.parameters[name]) for name, p in layer.named_parameters()]
    for array, gradient in pairs:
        for place in itertools.islice(np.ndindex(array.shape), 0, None, 3):
            value = array[place]
            array[place] = value + 1e-6
            above = loss()
            array[place] = value - 1e-6
            below = loss()
            array[place] = value
            assert gradient[place] == pytest.approx((above - below) / 2e-6, rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("batch", [1, 8])
def test_backward_float32_error_is_at_most_twice_that_of_torch(kind, batch):
    rng = np.random.default_rng(0)
    theirs = getattr(torch.nn, kind)(24, 32)
    ours = getattr(nn, kind)(24, 32)
    ours.load_state_dict(theirs.state_dict())
    x = rng.standard_normal((50, batch, 24)).astype(np.float32)
    gradient = rng.standard_normal((50, batch, 32)).astype(np.float32)

    def gradients(layer, dtype):
        tensor = torch.tensor(x, dtype=dtype, requires_grad=True)
        wanted = [tensor, *layer.parameters()]
        return torch.autograd.grad(
            layer(tensor)[0], wanted, torch.tensor(gradient, dtype=dtype)
        )

    single = gradients(theirs, torch.float32)
    double = gradients(theirs.double(), torch.float64)
    found = nn.trace(ours, x).backward(gradient)
    mine = [found.input, *(found.parameters[name] for name, _ in ours.named_parameters())]
    for got, other, truth in zip(mine, single, double, strict=True):
        assert got.dtype == np.float32
        exact = truth.numpy()
        ulp = np.spacing(np.abs(exact).max().astype(np.float32))
        error = np.sqrt(np.square(got - exact).mean())
        allowed = 2 * np.sqrt(np.square(other.numpy() - exact).mean()) + ulp
        assert error <= allowed


def test_backward_uses_the_weights_of_the_trace(rng):
    layer = nn.GRU(3, 4)
    x = rng.standard_normal((5, 2, 3)).astype(np.float32)
    trace = nn.trace(layer, x)
    ones = np.ones((5, 2, 4), np.float32)
    before = trace.backward(ones)
    layer.weight_hh_l0[...] = 0
    x[...] = 0
    trace["l0"].hidden[...] = 0
    after = trace.backward(ones)
    np.testing.assert_array_equal(after.input, before.input)
    np.testing.assert_array_equal(
        after.parameters["weight_ih_l0"], before.parameters["weight_ih_l0"]
    )


def test_backward_changes_nothing_that_it_is_given(rng):
    trace = nn.trace(nn.LSTM(3, 4, 2), rng.standard_normal((5, 2, 3)).astype(np.float32))
    gradients = [
        rng.standard_normal(a.shape).astype(np.float32) for a in (trace.output, *trace.hx)
    ]
    copies = [array.copy() for array in gradients]
    first, second = trace.backward(*gradients), trace.backward(*gradients)
    for array, copy in zip(gradients, copies, strict=True):
        np.testing.assert_array_equal(array, copy)
    np.testing.assert_array_equal(first.input, second.input)


TRACE = nn.trace(nn.GRU(3, 4), np.ones((5, 2, 3), np.float32))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({}, ValueError, "give the gradient with respect to output, h_n or c_n"),
        ({"c_n": np.ones(1)}, ValueError, "c_n must be omitted: GRU has no cell state"),
        (
            {"output": np.ones((5, 4), np.float32)},
            ValueError,
            "output must have the shape of the trace's output, (5, 2, 4), got (5, 4)",
        ),
        (
            {"h_n": np.ones((1, 2, 4))},
            TypeError,
            "h_n must have the dtype of the trace's h_n, float32, got float64. Convert h_n",
        ),
        ({"output": 1.0}, TypeError, "output must be a NumPy array, got float"),
    ],
)
def test_backward_bad_gradients_raise(arguments, error, message):
    with pytest.raises(error, match=re.escape(message)):
        TRACE.backward(**arguments)


def test_gradients_names_and_repr():
    found = TRACE.backward(h_n=np.ones((1, 2, 4), np.float32))
    assert len(found) == 1
    assert found[0] is found["l0"]
    assert [layer.name for layer in found] == ["l0"]
    assert repr(found).startswith("Gradients(input (5, 2, 3))\n  LayerGradients(l0: hidden")
    with pytest.raises(KeyError, match="no layer 'l1': the layers are l0"):
        found["l1"]


def test_gradients_plot_draws_a_line_for_each_state(tmp_path, rng):
    layer = nn.LSTM(3, 4, 2, bidirectional=True)
    trace = nn.trace(layer, rng.standard_normal((6, 2, 3)).astype(np.float32))
    found = trace.backward(h_n=np.ones((4, 2, 4), np.float32))
    figure = found.plot(tmp_path / "gradients.png", labels="abcdef", sequence=1)
    (axes,) = figure.axes
    assert len(axes.get_lines()) == 8
    assert axes.get_yscale() == "log"
    drawn = axes.get_lines()[0].get_ydata()
    np.testing.assert_allclose(drawn, np.linalg.norm(found["l0"].hidden[:, 1], axis=-1))
    assert (tmp_path / "gradients.png").stat().st_size > 1000


def test_gradients_plot_refuses_what_has_no_steps():
    ones = np.ones(4, np.float32)
    cell = nn.trace(nn.GRUCell(3, 4), np.ones(3, np.float32)).backward(ones)
    with pytest.raises(ValueError, match="gradients of a cell, which has a single step"):
        cell.plot()
    packed = pack_padded_sequence(np.ones((5, 2, 3), np.float32), [5, 2])
    found = nn.trace(nn.GRU(3, 4), packed).backward(h_n=np.ones((1, 2, 4), np.float32))
    with pytest.raises(ValueError, match="of a packed input, which has no axis of steps"):
        found.plot()
    with pytest.raises(IndexError, match="out of bounds"):
        TRACE.backward(h_n=np.ones((1, 2, 4), np.float32)).plot(sequence=9)

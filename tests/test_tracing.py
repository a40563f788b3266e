"""`trace` gives exactly what the layer computed, and gates that explain it."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import torch

import numpy_rnn as nn
from numpy_rnn.utils.rnn import PackedSequence
from tests.support.compare import leaves
from tests.support.heuristics import force
from tests.support.recurrent import (
    CELLS,
    KINDS,
    LAYOUTS,
    both,
    both_cells,
    cell_state,
    draw_hx,
    draw_input,
)

GATES = {"RNN": "", "LSTM": "ifgo", "GRU": "rzn"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize(("layers", "bidirectional"), [(1, False), (2, True), (3, False)])
@pytest.mark.parametrize(("steps", "batch"), [(1, 1), (1, 3), (8, 1), (40, 1), (8, 3), (8, 0)])
def test_trace_returns_exactly_what_the_call_returns(
    rng, kind, layout, batch_first, layers, bidirectional, steps, batch
):
    if batch == 0 and layout.startswith("packed"):
        batch = 1  # nothing cannot be packed
    layer, _ = both(
        kind, 3, 4, num_layers=layers, bidirectional=bidirectional, batch_first=batch_first
    )
    x, hx = draw_input(rng, layer, steps, batch, layout), draw_hx(rng, layer, batch, layout)
    traced = nn.trace(layer, x, hx)
    for mine, expected in zip(
        leaves((traced.output, traced.hx)), leaves(layer(x, hx)), strict=True
    ):
        np.testing.assert_array_equal(mine, expected)

    directions = 2 if bidirectional else 1
    assert len(traced.layers) == layers * directions
    output = traced.output.data if layout.startswith("packed") else traced.output
    last = traced.layers[-directions:]
    np.testing.assert_array_equal(np.concatenate([t.hidden for t in last], -1), output)
    for layer_trace in traced.layers:
        assert "".join(layer_trace.gates) == GATES[type(layer).__name__]
        for name, array in layer_trace.items():
            hidden_size = 2 if kind == "LSTM projected" and name == "hidden" else 4
            assert array.shape == (*output.shape[:-1], hidden_size), name


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_trace_final_states_equal_the_last_steps(rng, kind, batch, bidirectional):
    layer, _ = both(kind, 3, 4, num_layers=2, bidirectional=bidirectional)
    traced = nn.trace(layer, draw_input(rng, layer, 7, batch), draw_hx(rng, layer, batch))
    finals = traced.hx if isinstance(traced.hx, tuple) else (traced.hx,)
    for run, layer_trace in enumerate(traced.layers):
        end = 0 if layer_trace.name.endswith("reverse") else -1
        np.testing.assert_array_equal(layer_trace.hidden[end], finals[0][run])
        if layer_trace.cell is not None:
            np.testing.assert_allclose(layer_trace.cell[end], finals[1][run], atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", ["rows", "wavefront"])
def test_trace_of_inner_layers_is_what_was_computed_up_to_rounding(rng, monkeypatch, kind, way):
    """Also where stacked layers are run as one wider layer, which has no inner outputs."""
    force(monkeypatch, way)
    layer, _ = both(kind, 3, 4, num_layers=3, dtype="float64")
    traced = nn.trace(layer, draw_input(rng, layer, 40, 1), draw_hx(rng, layer, 1))
    for number, layer_trace in enumerate(traced.layers):
        for name, final in zip(("hidden", "cell"), leaves(traced.hx)):
            last = getattr(layer_trace, name)[-1]
            np.testing.assert_allclose(last, final[number], rtol=0, atol=1e-13)


def reference_gates(kind, weights, x, h):
    """Return pre-activations, by the equations and for any leading axes, in float64."""
    w_ih, w_hh, *rest = weights
    b_ih, b_hh = rest[:2] if len(rest) > 1 else (0.0, 0.0)
    a, b = x @ w_ih.T + b_ih, h @ w_hh.T + b_hh
    if kind.startswith("GRU"):
        size = h.shape[-1]
        (r, z, n), (r_h, z_h, n_h) = (
            [total[..., k * size : (k + 1) * size] for k in range(3)] for total in (a, b)
        )
        return {"r": r + r_h, "z": z + z_h, "n": n + n_h / (1 + np.exp(-(r + r_h)))}
    names = "ifgo" if kind.startswith("LSTM") else "h"
    size = w_ih.shape[0] // len(names)
    total = a + b
    return {name: total[..., k * size : (k + 1) * size] for k, name in enumerate(names)}


def assert_layer_follows_the_equations(kind, layer, weights, x, h_before, c_before=None):
    expected = reference_gates(kind, weights, x, h_before)
    assert list(layer.pre_activations) == list(expected)
    for name, pre in expected.items():
        np.testing.assert_allclose(layer.pre_activations[name], pre, rtol=0, atol=1e-13)
        if kind.startswith("RNN"):
            activated = np.tanh(pre) if "tanh" in kind else np.maximum(pre, 0)
            np.testing.assert_allclose(layer.hidden, activated, rtol=0, atol=1e-13)
        else:
            activated = np.tanh(pre) if name in "gn" else 1 / (1 + np.exp(-pre))
            np.testing.assert_allclose(layer.gates[name], activated, rtol=0, atol=1e-13)
    g = layer.gates
    if kind.startswith("LSTM"):
        cell = g["f"] * c_before + g["i"] * g["g"]
        hidden = g["o"] * np.tanh(cell)
        if len(weights) % 2:
            hidden = hidden @ weights[-1].T
        np.testing.assert_allclose(layer.cell, cell, rtol=0, atol=1e-13)
        np.testing.assert_allclose(layer.hidden, hidden, rtol=0, atol=1e-13)
    if kind.startswith("GRU"):
        hidden = (1 - g["z"]) * g["n"] + g["z"] * h_before
        np.testing.assert_allclose(layer.hidden, hidden, rtol=0, atol=1e-13)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("steps", [1, 6])
def test_trace_gates_and_states_follow_the_equations(
    rng, kind, bias, bidirectional, packed, steps
):
    """Sequence by sequence, from a state, for each layer and direction."""
    arguments = {"num_layers": 2, "bias": bias, "bidirectional": bidirectional}
    module, _ = both(kind, 3, 4, dtype="float64", **arguments)
    layout = "packed unsorted" if packed else "batched"
    x, hx = draw_input(rng, module, steps, 3, layout), draw_hx(rng, module, 3)
    traced = nn.trace(module, x, hx)

    def sequences(array):
        if packed:
            return nn.utils.rnn.unpack_sequence(traced.output._replace(data=array))
        return list(array.swapaxes(0, 1))

    layer_input = x.data if packed else x
    directions = 2 if bidirectional else 1
    for run, layer in enumerate(traced.layers):
        backwards = run % directions == 1
        start = [array[run] for array in leaves(hx)]
        taken_apart = {name: sequences(array) for name, array in layer.items()}
        for k, own_input in enumerate(sequences(layer_input)):
            one = nn.LayerTrace(
                layer.name,
                taken_apart["hidden"][k],
                taken_apart["cell"][k] if layer.cell is not None else None,
                {
                    name: taken_apart[f"pre_activations.{name}"][k]
                    for name in layer.pre_activations
                },
                {name: taken_apart[f"gates.{name}"][k] for name in layer.gates},
            )
            before = [
                shifted(states, start[item][k], backwards)
                for item, states in enumerate((one.hidden, one.cell))
                if states is not None
            ]
            weights = module.all_weights[run]
            assert_layer_follows_the_equations(kind, one, weights, own_input, *before)
        if run % directions == directions - 1:
            last = traced.layers[run - directions + 1 : run + 1]
            layer_input = np.concatenate([t.hidden for t in last], axis=-1)


def shifted(states, start, backwards):
    """Return the states before each step."""
    if backwards:
        return np.concatenate([states[1:], start[None]])
    return np.concatenate([start[None], states[:-1]])


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("bias", [False, True])
def test_trace_cell_follows_the_equations(rng, kind, bias):
    cell, _ = both_cells(kind, 3, 4, dtype="float64", bias=bias)
    x, hx = rng.standard_normal((5, 3)), cell_state(kind, lambda: rng.standard_normal((5, 4)))
    (layer,) = nn.trace(cell, x, hx).layers
    assert_layer_follows_the_equations(kind, layer, list(cell.parameters()), x, *leaves(hx))


def test_trace_gates_of_first_step_equal_torch(rng):
    lstm, theirs = both("LSTM", 3, 4)
    lstm.load_state_dict(theirs.state_dict())
    x = draw_input(rng, lstm, 1, 2)
    weights, biases = theirs.weight_ih_l0, theirs.bias_ih_l0 + theirs.bias_hh_l0
    with torch.no_grad():
        i, f, g, o = (torch.from_numpy(x[0]) @ weights.T + biases).chunk(4, 1)
    gates = nn.trace(lstm, x)["l0"].gates
    for name, expected in zip(
        "ifgo", (i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()), strict=True
    ):
        np.testing.assert_allclose(gates[name][0], expected.numpy(), rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("shape", [(), (1,), (3,)])
@pytest.mark.parametrize("given_hx", [False, True])
def test_trace_cell_holds_gates_and_states(rng, kind, shape, given_hx):
    cell, _ = both_cells(kind, 3, 4)
    x = rng.standard_normal((*shape, 3)).astype(np.float32)
    hx = cell_state(kind, lambda: rng.standard_normal((*shape, 4)).astype(np.float32))
    hx = hx if given_hx else None
    traced, plain = nn.trace(cell, x, hx), cell(x, hx)
    for mine, expected in zip(leaves(traced.hx), leaves(plain), strict=True):
        np.testing.assert_array_equal(mine, expected)
    np.testing.assert_array_equal(traced.output, leaves(plain)[0])
    (layer,) = traced.layers
    np.testing.assert_array_equal(layer.hidden, traced.output)
    assert "".join(layer.gates) == GATES[type(cell).__name__.removesuffix("Cell")]
    assert all(array.shape == (*shape, 4) for _, array in layer.items())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("batch_first", [False, True])
def test_trace_changes_nothing_and_shares_nothing(rng, kind, layout, batch_first):
    layer, _ = both(kind, 4, 4, num_layers=2, batch_first=batch_first)
    x, hx = draw_input(rng, layer, 5, 2, layout), draw_hx(rng, layer, 2, layout)
    given_arrays = [getattr(x, "data", x) if "packed" in layout else x, *leaves(hx)]
    given_arrays += layer.parameters()
    copies = [array.copy() for array in given_arrays]
    traced = nn.trace(layer, x, hx)
    results = [array for t in traced for _, array in t.items()] + leaves(traced.hx)
    for array in results:
        assert not any(np.shares_memory(array, given_) for given_ in given_arrays)
    for array, copy in zip(given_arrays, copies, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_trace_deleted_frees_its_memory():
    lstm, x = nn.LSTM(8, 16), np.zeros((2000, 8), np.float32)
    tracemalloc.start()
    try:
        nn.trace(lstm, x)
        assert tracemalloc.get_traced_memory()[0] < 2**20
    finally:
        tracemalloc.stop()


def test_trace_to_dict_names_every_array(rng, tmp_path):
    lstm = nn.LSTM(3, 4, bidirectional=True)
    traced = nn.trace(lstm, draw_input(rng, lstm, 5, 2))
    np.savez(tmp_path / "trace.npz", **traced.to_dict())
    with np.load(tmp_path / "trace.npz") as saved:
        assert list(saved)[:3] == ["h_n", "c_n", "output"]
        np.testing.assert_array_equal(saved["l0_reverse.gates.f"], traced.layers[1].gates["f"])
        assert "l0.pre_activations.i" in saved
    packed = nn.utils.rnn.pack_sequence([np.ones((2, 3), np.float32)])
    traced = nn.trace(nn.GRU(3, 4), packed)
    assert isinstance(traced.output, PackedSequence)
    assert {"output", "batch_sizes", "h_n"} <= set(traced.to_dict())


def test_trace_packed_can_be_padded(rng):
    gru, _ = both("GRU", 3, 4)
    packed = draw_input(rng, gru, 6, 4, "packed unsorted")
    saved = nn.trace(gru, packed).to_dict()
    indices = (saved["batch_sizes"], saved["sorted_indices"], saved["unsorted_indices"])
    hidden = nn.utils.rnn.unpack_sequence(PackedSequence(saved["l0.hidden"], *indices))
    for k, states in enumerate(hidden):
        np.testing.assert_array_equal(states[-1], saved["h_n"][0, k])


def test_trace_repr_is_short_and_layers_have_names(rng):
    gru = nn.GRU(3, 4, 2)
    traced = nn.trace(gru, draw_input(rng, gru, 5, 2))
    assert repr(traced) == (
        "Trace(GRU, output (5, 2, 4))\n"
        "  LayerTrace(l0: hidden, gates.r, gates.z, gates.n; (5, 2, 4))\n"
        "  LayerTrace(l1: hidden, gates.r, gates.z, gates.n; (5, 2, 4))"
    )
    assert traced["l1"] is traced.layers[1]
    assert list(traced) == list(traced.layers)
    assert "l1" in traced
    assert "l2" not in traced
    assert traced != nn.trace(gru, draw_input(rng, gru, 5, 2))
    with pytest.raises(KeyError, match="no layer 'l2': the layers are l0, l1"):
        traced["l2"]


def test_trace_as_a_sequence_has_the_layers_by_number(rng):
    lstm = nn.LSTM(3, 4, 2, bidirectional=True)
    traced = nn.trace(lstm, draw_input(rng, lstm, 5, 2))
    assert len(traced) == 4
    assert [layer.name for layer in traced] == ["l0", "l0_reverse", "l1", "l1_reverse"]
    assert traced[0] is traced["l0"]
    assert traced[np.int64(-1)] is traced["l1_reverse"]
    assert traced[1:3] == (traced["l0_reverse"], traced["l1"])
    with pytest.raises(IndexError, match="index out of range"):
        traced[4]
    with pytest.raises(TypeError, match="must be integers or slices"):
        traced[1.0]


def test_trace_other_module_raises():
    x = np.zeros((5, 2, 3), np.float32)
    with pytest.raises(TypeError, match="module must be a recurrent layer or cell, got Linear"):
        nn.trace(nn.Linear(3, 4), x)
    with pytest.raises(ValueError, match=r"dropout, .* traced in training mode: call eval\(\)"):
        nn.trace(nn.RNN(3, 4, 2, dropout=0.5), x)
    assert nn.trace(nn.RNN(3, 4, 2, dropout=0.5).eval(), x).kind == "RNN"
    with pytest.raises(RuntimeError, match="Expected hidden size"):
        nn.trace(nn.RNN(3, 4), x, np.zeros((1, 3, 4), np.float32))

    class Scaled(nn.RNN):
        def forward(self, input, hx=None):
            return super().forward(input * 2, hx)

    with pytest.raises(TypeError, match="must not redefine forward, but Scaled does"):
        nn.trace(Scaled(3, 4), x)

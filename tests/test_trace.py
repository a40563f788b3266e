"""`trace` gives exactly what the layer computed, and gates that explain it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import numpy_rnn as nn
from numpy_rnn.utils.rnn import PackedSequence
from tests.compare import leaves
from tests.test_cells import CELLS, state_of
from tests.test_cells import both as both_cells
from tests.test_recurrent_parity import KINDS, LAYOUTS, both, draw_hx, draw_input

GATES = {"RNN": "", "LSTM": "ifgo", "GRU": "rzn"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize(("layers", "bidirectional"), [(1, False), (2, True), (3, False)])
@pytest.mark.parametrize(("steps", "batch"), [(1, 1), (1, 3), (8, 1), (8, 3)])
def test_results_are_exactly_the_plain_calls(
    rng, kind, layout, batch_first, layers, bidirectional, steps, batch
):
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
def test_final_states_are_those_of_the_last_steps(rng, kind, batch, bidirectional):
    layer, _ = both(kind, 3, 4, num_layers=2, bidirectional=bidirectional)
    traced = nn.trace(layer, draw_input(rng, layer, 7, batch), draw_hx(rng, layer, batch))
    finals = traced.hx if isinstance(traced.hx, tuple) else (traced.hx,)
    for run, layer_trace in enumerate(traced.layers):
        end = 0 if layer_trace.name.endswith("reverse") else -1
        np.testing.assert_array_equal(layer_trace.hidden[end], finals[0][run])
        if layer_trace.cell is not None:
            np.testing.assert_array_equal(layer_trace.cell[end], finals[1][run])


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("steps", [1, 6])
def test_gates_explain_the_states(rng, bidirectional, steps):
    """The equations hold between what the trace shows, step by step."""
    lstm, _ = both("LSTM", 3, 4, num_layers=2, bidirectional=bidirectional, dtype="float64")
    gru, _ = both("GRU", 3, 4, num_layers=2, bidirectional=bidirectional, dtype="float64")
    rnn, _ = both("RNN relu", 3, 4, num_layers=2, bidirectional=bidirectional, dtype="float64")
    x = draw_input(rng, lstm, steps, 2)
    for layer in nn.trace(lstm, x).layers:
        gates = layer.gates
        before = shifted(layer, layer.cell)
        cell = gates["f"] * before + gates["i"] * gates["g"]
        np.testing.assert_allclose(layer.cell, cell, rtol=0, atol=1e-14)
        np.testing.assert_allclose(layer.hidden, gates["o"] * np.tanh(cell), rtol=0, atol=1e-14)
        np.testing.assert_allclose(np.tanh(layer.pre_activations["g"]), gates["g"])
    for layer in nn.trace(gru, x).layers:
        z, n = layer.gates["z"], layer.gates["n"]
        hidden = (1 - z) * n + z * shifted(layer, layer.hidden)
        np.testing.assert_allclose(layer.hidden, hidden, rtol=0, atol=1e-14)
    for layer in nn.trace(rnn, x).layers:
        hidden = np.maximum(layer.pre_activations["h"], 0)
        np.testing.assert_allclose(layer.hidden, hidden, rtol=0, atol=1e-14)


def shifted(layer, states):
    """Return the states before each step, from zeros."""
    zeros = np.zeros_like(states[:1])
    if layer.name.endswith("reverse"):
        return np.concatenate([states[1:], zeros])
    return np.concatenate([zeros, states[:-1]])


def test_gates_of_the_first_step_are_torchs(rng):
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
def test_a_cell(rng, kind, shape, given_hx):
    cell, _ = both_cells(kind, 3, 4)
    x = rng.standard_normal((*shape, 3)).astype(np.float32)
    hx = state_of(kind, lambda: rng.standard_normal((*shape, 4)).astype(np.float32))
    hx = hx if given_hx else None
    traced, plain = nn.trace(cell, x, hx), cell(x, hx)
    for mine, expected in zip(leaves(traced.hx), leaves(plain), strict=True):
        np.testing.assert_array_equal(mine, expected)
    np.testing.assert_array_equal(traced.output, leaves(plain)[0])
    (layer,) = traced.layers
    np.testing.assert_array_equal(layer.hidden, traced.output)
    assert "".join(layer.gates) == GATES[type(cell).__name__.removesuffix("Cell")]
    assert all(array.shape == (*shape, 4) for _, array in layer.items())


def test_a_trace_changes_nothing_and_shares_nothing(rng):
    lstm = nn.LSTM(4, 4, 2)
    x, hx = draw_input(rng, lstm, 5, 2), draw_hx(rng, lstm, 2)
    given_arrays = [x, *hx, *lstm.parameters()]
    copies = [array.copy() for array in given_arrays]
    for array in nn.trace(lstm, x, hx).to_dict().values():
        assert not any(np.shares_memory(array, given_) for given_ in given_arrays)
    for array, copy in zip(given_arrays, copies, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_to_dict_saves_and_names_everything(rng, tmp_path):
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


def test_reprs_are_short_and_layers_are_found_by_name(rng):
    gru = nn.GRU(3, 4, 2)
    traced = nn.trace(gru, draw_input(rng, gru, 5, 2))
    assert repr(traced) == (
        "Trace(GRU, output (5, 2, 4))\n"
        "  LayerTrace(l0: hidden, gates.r, gates.z, gates.n; (5, 2, 4))\n"
        "  LayerTrace(l1: hidden, gates.r, gates.z, gates.n; (5, 2, 4))"
    )
    assert traced["l1"] is traced.layers[1]
    assert list(traced) == list(traced.layers)
    with pytest.raises(KeyError, match="no layer 'l2': there are l0, l1"):
        traced["l2"]


def test_what_cannot_be_traced_is_refused():
    x = np.zeros((5, 2, 3), np.float32)
    with pytest.raises(TypeError, match="takes a recurrent layer or cell, got Linear"):
        nn.trace(nn.Linear(3, 4), x)
    with pytest.raises(ValueError, match=r"dropout acts in training mode: call eval\(\)"):
        nn.trace(nn.RNN(3, 4, 2, dropout=0.5), x)
    assert nn.trace(nn.RNN(3, 4, 2, dropout=0.5).eval(), x).kind == "RNN"
    with pytest.raises(RuntimeError, match="Expected hidden size"):
        nn.trace(nn.RNN(3, 4), x, np.zeros((1, 3, 4), np.float32))


@pytest.mark.parametrize("layout", ["batched", "unbatched"])
@pytest.mark.parametrize("batch_first", [False, True])
def test_plot_draws_a_picture(rng, tmp_path, layout, batch_first):
    lstm = nn.LSTM(3, 4, 2, batch_first=batch_first)
    traced = nn.trace(lstm, draw_input(rng, lstm, 6, 3, layout))
    for name in ("trace.png", "trace.svg"):
        traced.plot(tmp_path / name, sequence=2 if layout == "batched" else 0, labels="abcdef")
        assert (tmp_path / name).stat().st_size > 5_000
    with pytest.raises(ValueError, match="there are 2 labels for 6 steps"):
        traced.plot(tmp_path / "x.png", labels="ab")
    if layout == "batched":
        with pytest.raises(IndexError, match="out of bounds"):
            traced.plot(tmp_path / "x.png", sequence=3)
    assert not (tmp_path / "x.png").exists()


def test_plot_refuses_what_has_no_time_axis(tmp_path):
    packed = nn.utils.rnn.pack_sequence([np.ones((2, 3), np.float32)])
    for module, x in [(nn.GRU(3, 4), packed), (nn.GRUCell(3, 4), np.ones(3, np.float32))]:
        with pytest.raises(ValueError, match="has no time axis to draw"):
            nn.trace(module, x).plot(tmp_path / "x.png")


def test_plot_says_what_to_install_where_matplotlib_is_absent(monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    traced = nn.trace(nn.RNN(3, 4), np.zeros((2, 3), np.float32))
    with pytest.raises(ImportError, match="pip install matplotlib"):
        traced.plot(tmp_path / "x.png")

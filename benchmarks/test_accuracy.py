"""Errors are those of the layers, and the tables show them."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
import torch

from benchmarks import accuracy, certificate, report
from benchmarks.nets import CONDITIONS, KINDS, Net
from benchmarks.test_report import results_of

SHAPES = [(1, False), (2, True)]


def found(net, ours, theirs=1e-7, chance=1e-7, condition="tiny"):
    errors = {"truth": 0.5, "numpy_rnn": ours, "torch": theirs, "renumbered": chance}
    return {"condition": condition, "net": asdict(net), "errors": errors}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("layers", "bidirectional"), SHAPES)
def test_permuted_units_give_the_same_output(kind, layers, bidirectional):
    net = Net(kind, 9, 2, 5, layers, bidirectional)
    layer = accuracy.layer_of(net, 0).double()
    other, places = accuracy.renumbered(layer, 1)
    x = torch.from_numpy(accuracy.input_of(net, 0)).double()
    assert not torch.equal(other.weight_hh_l0, layer.weight_hh_l0)
    np.testing.assert_allclose(other(x)[0].numpy()[..., places], layer(x)[0], atol=1e-14)


@pytest.mark.parametrize("kind", KINDS)
def test_scaled_radius_is_that_of_every_gates_recurrent_weight(kind):
    layer = accuracy.layer_of(Net(kind, 1, 1, 16, radius=1.5), 0)
    for gate in layer.weight_hh_l0.split(16):
        assert torch.linalg.eigvals(gate).abs().max() == pytest.approx(1.5, rel=1e-5)


def test_net_factors_scale_inputs_weights_and_biases():
    plain = Net("GRU", 3, 1, 4)
    net = Net("GRU", 3, 1, 4, inputs=2.0, weights=4.0, biases=8.0)
    one, other = (accuracy.layer_of(net, 0) for net in (plain, net))
    assert torch.equal(other.weight_ih_l0, 4 * one.weight_ih_l0)
    assert torch.equal(other.bias_hh_l0, 8 * one.bias_hh_l0)
    np.testing.assert_array_equal(accuracy.input_of(net, 0), 2 * accuracy.input_of(plain, 0))


def test_error_of_sequences_is_the_geometric_mean_of_root_mean_squares(monkeypatch):
    truth = np.zeros((2, 2, 3))
    off = np.broadcast_to(np.array([1e-3, 1e-5])[:, None], truth.shape)
    outputs = {"truth": truth + 0.5, "numpy_rnn": truth + 0.5 + off}
    monkeypatch.setattr(accuracy, "outputs_of", lambda *_: dict(outputs))
    errors = accuracy.errors_of(Net("LSTM", 2, 2, 3, seeds=2))
    assert errors == pytest.approx({"truth": 0.5, "numpy_rnn": 1e-4})


def test_errors_of_both_libraries_have_the_size_of_float32():
    errors = accuracy.errors_of(Net("RNN tanh", 20, 8, 16, seeds=1))
    for name in ("numpy_rnn", "torch", "renumbered"):
        assert 1e-9 < errors[name] < 1e-6


def test_nets_have_a_name_and_enough_sequences():
    nets = [net for nets_of in CONDITIONS.values() for kind in KINDS for net in nets_of(kind)]
    assert len({str(net) for net in nets}) == len(nets)
    assert min(net.seeds * net.batch for net in nets) >= 64


def test_certificate_tables_show_mean_worst_and_chance():
    results = results_of({})
    nets = [Net("GRU", 100, 8, 16, inputs=1e-3), Net("GRU", 100, 8, 64, 2, True, radius=1.5)]
    results["accuracy"] = [found(nets[0], 5e-8, chance=0.9e-7), found(nets[1], 2e-7)]
    by_condition = report.accuracy(results)
    assert "| GRU | 1.00, **2.00** | 1.00, **2.00** | 0.90 to 1.00 |" in by_condition
    assert "| all nets | 1.00, **2.00** |" in report.errors(results)
    assert "| by chance | 0.90 to 1.00 |" in report.errors(results)
    full = report.full(results)
    assert f"| {nets[0]} | 5.0e-01 | 1.0e-07 | 0.50 | 0.90 |" in full
    assert "| GRU T=100 N=8 H=64 2 layers bidirectional radius 1.5 |" in full
    assert certificate.summary(results["accuracy"])[0][2:-1] == ["tiny"]

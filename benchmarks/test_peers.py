"""The peers compute what torch does, and a peer that does not is found out."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch
from onnx.reference import ReferenceEvaluator

from benchmarks.cases import KINDS, Case
from benchmarks.peers import KERAS_SIZE, NAMES, check_results, peers_of, takes_part
from benchmarks.peers.floor import floor_of
from benchmarks.peers.problem import Peer, Problem
from numpy_rnn.commands.onnx_graph import graph_of, reordered

SMALL = [
    Case(kind, steps, batch, 8, layers, bidirectional, packed, hx)
    for kind in KINDS
    for steps, batch, layers, bidirectional, packed, hx in [
        (1, 1, 1, False, False, True),
        (1, 3, 2, True, False, False),
        (8, 3, 3, True, False, False),
        (8, 3, 2, True, True, False),
    ]
]


@pytest.mark.parametrize("case", SMALL, ids=str)
def test_peer_result_equals_torch(case):
    assert set(peers_of(case, 1)) == {name for name in NAMES if takes_part(name, case, 1)}


@pytest.mark.parametrize("kind", KINDS)
def test_peer_keras_takes_part_in_one_size_on_one_thread(kind):
    case = Case(kind, *KERAS_SIZE)
    assert takes_part("keras", case, 1)
    assert not takes_part("keras", case, 2)
    assert not takes_part("keras", Case(kind, 1, 8, 64), 1)


def test_peer_wrong_result_raises():
    problem = Problem(Case("GRU", 4, 2, 8), 1)
    peers = {"wrong": Peer(lambda: None, lambda _: [np.zeros((4, 2, 8), np.float32)] * 2)}
    with pytest.raises(AssertionError, match="returns 1 arrays"):
        check_results({"short": Peer(lambda: None, lambda _: [problem.x])}, problem)
    with pytest.raises(AssertionError, match="wrong, GRU T=4 N=2 H=8"):
        check_results(peers, problem)


def test_onnx_graph_gates_are_in_onnx_order():
    rows = np.arange(8).reshape(8, 1)  # two units: i i f f g g o o
    assert reordered(rows, "LSTM").ravel().tolist() == [0, 1, 6, 7, 2, 3, 4, 5]
    assert reordered(rows[:6], "GRU").ravel().tolist() == [2, 3, 0, 1, 4, 5]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("directions", [1, 2])
def test_onnx_graph_float64_equals_torch(kind, directions):
    layer = getattr(torch.nn, kind)(4, 4, 1, bidirectional=directions == 2).double()
    x = np.random.default_rng(0).standard_normal((5, 2, 4))
    expected = layer(torch.from_numpy(x))[0].numpy()
    weights = [[w.detach().numpy() for w in run] for run in layer.all_weights]
    y, *_ = ReferenceEvaluator(graph_of(onnx, kind, weights, directions)).run(None, {"X": x})
    output = y.swapaxes(1, 2).reshape(expected.shape)
    np.testing.assert_allclose(output, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_floor_several_blocks_equal_torch(kind):
    gates = {"RNN": 1, "LSTM": 4, "GRU": 3}[kind]
    rng = np.random.default_rng(0)
    x = rng.standard_normal((70, 32, 256), np.float32)
    w = rng.standard_normal((gates * 256, 256), np.float32)
    floor_of(x, w, w, kind == "LSTM")()

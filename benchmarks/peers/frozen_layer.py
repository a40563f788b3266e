"""This package's layer, frozen."""

from __future__ import annotations

import numpy_rnn as nn
from benchmarks.peers import numpy_rnn_layer
from benchmarks.peers.problem import Peer, Problem


def peer(problem: Problem) -> Peer:
    layer = problem.layer(nn)
    layer.load_state_dict(problem.module.state_dict())
    layer.freeze()
    x, hx = problem.x, None
    if problem.case.hx:
        hx = tuple(problem.states) if problem.case.kind == "LSTM" else problem.states[0]
    return Peer(lambda: layer(x, hx), numpy_rnn_layer.arrays)

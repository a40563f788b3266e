"""This package."""

from __future__ import annotations

from typing import Any

import numpy as np

import numpy_rnn as nn
from benchmarks.peers.problem import Peer, Problem
from numpy_rnn.utils.rnn import pack_padded_sequence, pad_packed_sequence


def peer(problem: Problem) -> Peer:
    case = problem.case
    layer = problem.layer(nn)
    layer.load_state_dict(problem.module.state_dict())
    x: Any = problem.x
    if case.packed:
        x = pack_padded_sequence(x, case.lengths)
    if not case.hx:
        return Peer(lambda: layer(x), arrays)
    hx = tuple(problem.states) if case.kind == "LSTM" else problem.states[0]
    return Peer(lambda: layer(x, hx), arrays)


def arrays(result: Any) -> list[np.ndarray]:
    output, last = result
    if not isinstance(output, np.ndarray):
        output, _ = pad_packed_sequence(output)
    return [output, *(last if isinstance(last, tuple) else (last,))]

"""torch's own layer; to be called under ``torch.inference_mode``."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from benchmarks.peers.problem import Peer, Problem


def peer(problem: Problem) -> Peer:
    case, layer = problem.case, problem.module
    x: Any = torch.from_numpy(problem.x)
    if case.packed:
        x = pack_padded_sequence(x, case.lengths)
    if not case.hx:
        return Peer(lambda: layer(x), arrays)
    states = tuple(torch.from_numpy(state) for state in problem.states)
    hx = states if case.kind == "LSTM" else states[0]
    return Peer(lambda: layer(x, hx), arrays)


def arrays(result: Any) -> list[np.ndarray]:
    output, last = result
    if isinstance(output, PackedSequence):
        output, _ = pad_packed_sequence(output)
    return [t.numpy() for t in (output, *(last if isinstance(last, tuple) else (last,)))]

"""ONNX Runtime on a graph with torch's weights."""

from __future__ import annotations

from functools import partial

import numpy as np
import onnx
import onnxruntime

from benchmarks.peers.problem import Peer, Problem
from numpy_rnn.commands.onnx_graph import graph_of, in_torch_layout, session_options


def peer(problem: Problem) -> Peer:
    case = problem.case
    inputs = {"X": problem.x}
    if case.packed:
        inputs["lengths"] = np.array(case.lengths, np.int32)
    if case.hx:
        inputs |= dict(zip(("h_0", "c_0"), problem.states))
    model = graph_of(onnx, case.kind, problem.weights, case.directions, list(inputs)[1:])
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options(problem.threads), ["CPUExecutionProvider"]
    )
    return Peer(partial(session.run, None, inputs), partial(in_torch_layout, kind=case.kind))


def options(threads: int) -> onnxruntime.SessionOptions:
    """Return ONNX Runtime's options for so many threads."""
    return session_options(onnxruntime, threads)

"""ONNX Runtime on a graph with torch's weights."""

from __future__ import annotations

import numpy as np
import onnxruntime

from benchmarks.peers.onnx_graph import STATES, graph_of
from benchmarks.peers.problem import Peer, Problem


def peer(problem: Problem) -> Peer:
    case = problem.case
    inputs = {"X": problem.x}
    if case.packed:
        inputs["lengths"] = np.array(case.lengths, np.int32)
    if case.hx:
        inputs |= dict(zip(("h_0", "c_0"), problem.states))
    model = graph_of(case.kind, problem.weights, case.directions, list(inputs)[1:])
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options(problem.threads), ["CPUExecutionProvider"]
    )
    run, count = session.run, STATES[case.kind]

    def arrays(result: list[np.ndarray]) -> list[np.ndarray]:
        y, *last = result
        output = y.swapaxes(1, 2).reshape(*y.shape[:1], y.shape[2], -1)
        return [output, *(np.concatenate(last[k::count]) for k in range(count))]

    return Peer(lambda: run(None, inputs), arrays)


def options(threads: int) -> onnxruntime.SessionOptions:
    """Return options for so many threads, which do not spin while others have their turn."""
    chosen = onnxruntime.SessionOptions()
    chosen.intra_op_num_threads = threads
    chosen.inter_op_num_threads = threads
    chosen.add_session_config_entry("session.force_spinning_stop", "1")
    return chosen

"""torch's recurrent layers as an ONNX graph.

The operators are RNN, LSTM and GRU, the last with ``linear_before_reset``, since torch's
reset gate acts after the product. Their outputs stay in the operators' own layout.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from numpy_rnn._typing import AnyArray

__all__ = ["STATES", "graph_of", "in_torch_layout", "reordered", "session_options"]

GATE_ORDER = {"RNN": [0], "LSTM": [0, 3, 1, 2], "GRU": [1, 0, 2]}
"""The positions of ONNX's gates (i o f c; z r h) among torch's (i f g o; r z n)."""

ATTRIBUTES: dict[str, dict[str, int]] = {
    "RNN": {},
    "LSTM": {},
    "GRU": {"linear_before_reset": 1},
}

STATES = {"RNN": 1, "LSTM": 2, "GRU": 1}

OPSET = 14
IR_VERSION = 8


def reordered(array: AnyArray, kind: str) -> AnyArray:
    """Return a weight or bias, (gates * H, ...), with its gates in ONNX's order."""
    order = GATE_ORDER[kind]
    gates = np.split(array, len(order))
    return np.concatenate([gates[k] for k in order])


def graph_of(
    onnx: Any,
    kind: str,
    weights: Sequence[Sequence[AnyArray]],
    directions: int,
    given: Sequence[str] = (),
) -> Any:
    """Return stacked layers as a model.

    Parameters
    ----------
    onnx : module
        The package, which only those import who have it.
    kind : str
        ``'RNN'``, ``'LSTM'`` or ``'GRU'``.
    weights : sequence of layers * D sequences of arrays
        w_ih, w_hh, b_ih and b_hh, in torch's order.
    directions : int
        D.
    given : sequence of str
        What is passed besides ``X`` (T, N, H_in): ``'lengths'``, int32 (N,), and the states
        ``'h_0'`` and ``'c_0'`` of a single layer, (D, N, H).

    Returns
    -------
    ModelProto
        Its outputs are ``Y`` (T, D, N, H), and for each layer ``h_n``, and ``c_n`` of an
        LSTM, of shape (D, N, H).
    """
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    size = weights[0][1].shape[1]
    nodes, constants, outputs = [], [], []
    for layer in range(len(weights) // directions):
        runs = weights[layer * directions : (layer + 1) * directions]
        w, r, b_ih, b_hh = (
            np.stack([reordered(array, kind) for array in arrays]) for arrays in zip(*runs)
        )
        for name, array in (("W", w), ("R", r), ("B", np.concatenate((b_ih, b_hh), 1))):
            constants.append(numpy_helper.from_array(array, f"{name}{layer}"))
        names = [f"X{layer}" if layer else "X", f"W{layer}", f"R{layer}", f"B{layer}"]
        names += [name if name in given else "" for name in ("lengths", "h_0", "c_0")]
        last = [f"{state}_n{layer}" for state in ("h", "c")[: STATES[kind]]]
        outputs += last
        final = layer == len(weights) // directions - 1
        nodes.append(
            helper.make_node(
                kind,
                names[: 5 + STATES[kind]],
                ["Y" if final else f"Y{layer}", *last],
                hidden_size=size,
                direction="bidirectional" if directions == 2 else "forward",
                **ATTRIBUTES[kind],
            )
        )
        if not final:
            # (T, D, N, H) to the (T, N, D * H) that the next layer takes
            side_by_side = {"perm": [0, 2, 1, 3]}
            nodes += [
                helper.make_node("Transpose", [f"Y{layer}"], [f"S{layer}"], **side_by_side),
                helper.make_node("Reshape", [f"S{layer}", "joined"], [f"X{layer + 1}"]),
            ]
    if len(weights) > directions:
        constants.append(numpy_helper.from_array(np.array([0, 0, -1]), "joined"))
    real = helper.np_dtype_to_tensor_dtype(weights[0][0].dtype)
    kinds = {"lengths": onnx.TensorProto.INT32}
    graph = helper.make_graph(
        nodes,
        kind,
        [
            helper.make_tensor_value_info(name, kinds.get(name, real), None)
            for name in ("X", *given)
        ],
        [helper.make_tensor_value_info(name, real, None) for name in ("Y", *outputs)],
        constants,
    )
    opset = helper.make_opsetid("", OPSET)
    return helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION)


def in_torch_layout(results: Sequence[AnyArray], kind: str) -> list[AnyArray]:
    """Return output, h_n and, of an LSTM, c_n as torch has them, from a model's outputs."""
    y, *last = results
    count = STATES[kind]
    output = y.swapaxes(1, 2).reshape(*y.shape[:1], y.shape[2], -1)
    return [output, *(np.concatenate(last[k::count]) for k in range(count))]


def session_options(onnxruntime: Any, threads: int) -> Any:
    """Return options for so many threads, which do not spin while others have their turn."""
    chosen = onnxruntime.SessionOptions()
    chosen.intra_op_num_threads = threads
    chosen.inter_op_num_threads = threads
    chosen.add_session_config_entry("session.force_spinning_stop", "1")
    return chosen

"""A second oracle: the reference operators of ONNX, which share no code with torch."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

import numpy_rnn as nn

GATE_ORDER = {"RNN": [0], "LSTM": [0, 3, 1, 2], "GRU": [1, 0, 2]}
"""The positions of ONNX's gates (i o f c; z r h) among torch's (i f g o; r z n)."""

ATTRIBUTES = {"RNN": {}, "LSTM": {}, "GRU": {"linear_before_reset": 1}}
"""Further attributes of the operators. RNN is tanh, the one activation that is evaluated."""


def reordered(array, operator, size):
    """Return an array with its gates in ONNX's order."""
    return np.concatenate([array[k * size : (k + 1) * size] for k in GATE_ORDER[operator]])


def run_onnx(operator, layer, x, states):
    """Run one layer in one direction through the reference evaluator, in float64."""
    size = layer.hidden_size
    w, r, *biases = (reordered(array, operator, size) for array in layer.parameters())
    inputs = {"X": x, "W": w[None], "R": r[None]}
    if biases:
        inputs["B"] = np.concatenate(biases)[None]
    names = list(inputs) if biases else [*inputs, ""]
    for name, state in zip(("initial_h", "initial_c"), states, strict=False):
        names += ["", name] if name == "initial_h" else [name]  # sequence_lens is left out
        inputs[name] = state
    outputs = ["Y", "Y_h", "Y_c"] if operator == "LSTM" else ["Y", "Y_h"]
    node = helper.make_node(operator, names, outputs, hidden_size=size, **ATTRIBUTES[operator])
    graph = helper.make_graph(
        [node],
        "layer",
        [helper.make_tensor_value_info(n, TensorProto.DOUBLE, None) for n in inputs],
        [helper.make_tensor_value_info(n, TensorProto.DOUBLE, None) for n in outputs],
    )
    model = helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 14)])
    y, *last = ReferenceEvaluator(model).run(None, inputs)
    return [y[:, 0], *last]


@pytest.mark.parametrize("operator", ATTRIBUTES)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("given_hx", [True, False])
@pytest.mark.parametrize(("steps", "batch"), [(1, 1), (1, 3), (12, 1), (12, 4)])
def test_rnn_equals_onnx_reference_operator(rng, operator, bias, given_hx, steps, batch):
    layer = getattr(nn, operator)(3, 5, bias=bias, dtype=np.float64)
    x = rng.standard_normal((steps, batch, 3))
    count = 2 if operator == "LSTM" else 1
    states = [rng.standard_normal((1, batch, 5)) for _ in range(count if given_hx else 0)]
    hx = None
    if given_hx:
        hx = tuple(states) if operator == "LSTM" else states[0]
    output, last = layer(x, hx)
    expected = run_onnx(operator, layer, x, states)
    ours = [output, *(last if operator == "LSTM" else (last,))]
    for mine, reference in zip(ours, expected, strict=True):
        assert mine.shape == reference.shape
        np.testing.assert_allclose(mine, reference, rtol=0, atol=1e-12)

"""Keras's layers on its NumPy backend: one layer in one direction."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from benchmarks.peers.problem import Peer, Problem

os.environ["KERAS_BACKEND"] = "numpy"
import keras  # it reads the variable when it is imported


def peer(problem: Problem) -> Peer:
    case = problem.case
    name = "SimpleRNN" if case.kind == "RNN" else case.kind
    layer = getattr(keras.layers, name)(case.size, return_sequences=True, return_state=True)
    x = np.ascontiguousarray(problem.x.swapaxes(0, 1))
    layer(x)
    layer.set_weights(keras_weights(case.kind, problem.weights[0]))

    def arrays(result: Any) -> list[np.ndarray]:
        output, *last = (np.asarray(array) for array in result)
        return [output.swapaxes(0, 1), *(state[np.newaxis] for state in last)]

    return Peer(lambda: layer(x), arrays)


def keras_weights(kind: str, weights: list[np.ndarray]) -> list[np.ndarray]:
    """Return torch's weights as Keras has them: transposed, z before r, biases added up."""
    if kind == "GRU":
        weights = [np.concatenate(np.split(w, 3)[1::-1] + np.split(w, 3)[2:]) for w in weights]
    w_ih, w_hh, b_ih, b_hh = weights
    bias = np.stack((b_ih, b_hh)) if kind == "GRU" else b_ih + b_hh
    return [w_ih.T, w_hh.T, bias]

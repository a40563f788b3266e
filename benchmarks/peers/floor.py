"""The floor: what is left of a layer if nothing has to wait for the step before.

These are the matrix products of the layer, the one with the inputs and the recurrent ones
step by step, in as few NumPy calls as there can be, and as many elements through ``tanh``:
of the gates, and of an LSTM's cell state. Sums and products of gates are left out, and no
Python runs between the steps. Blocks of steps fit in a core's cache. An implementation
can come out a little below it where it has a better layout for a product.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.peers.problem import Peer, Problem

BLOCK_BYTES = 2**20


def peer(problem: Problem) -> Peer:
    case = problem.case
    rng = np.random.default_rng(2)
    runs = []
    for w_ih, w_hh, *_ in problem.weights:
        shape = case.steps, case.batch, w_ih.shape[1]
        x = problem.x if shape[2] == case.size else rng.random(shape, np.float32)
        runs.append(floor_of(x, w_ih, w_hh, case.kind == "LSTM"))

    def call() -> None:
        for run in runs:
            run()

    return Peer(call, None)


def floor_of(
    x: np.ndarray, w_ih: np.ndarray, w_hh: np.ndarray, with_cell: bool
) -> Callable[[], None]:
    """Return the floor of one direction of a layer."""
    steps, batch, features = x.shape
    rows, size = w_hh.shape
    block = min(steps, max(1, BLOCK_BYTES // (batch * rows * x.itemsize)))
    w_ih_t, w_hh_t = w_ih.T.copy(), w_hh.T.copy()
    hidden = np.random.default_rng(3).uniform(-1, 1, (steps, batch, size)).astype(x.dtype)
    products = np.empty((block * batch, rows), x.dtype)
    recurrent = np.empty((block, batch, rows), x.dtype)

    def call() -> None:
        output = np.empty((steps, batch, size), x.dtype)
        for first in range(0, steps, block):
            part = slice(first, first + block)
            count = len(x[part])
            inputs = x[part].reshape(-1, features)
            gates = recurrent[:count]
            np.matmul(inputs, w_ih_t, products[: len(inputs)])
            np.matmul(hidden[part], w_hh_t, gates)
            if rows == size:
                np.tanh(gates, output[part])
                continue
            np.tanh(gates, gates)
            if with_cell:
                np.tanh(hidden[part], output[part])

    return call

"""The gated recurrent unit, which `GRU` and `GRUCell` compute.

    r = sigmoid(W_ir x_t + b_ir + W_hr h_{t-1} + b_hr)
    z = sigmoid(W_iz x_t + b_iz + W_hz h_{t-1} + b_hz)
    n =    tanh(W_in x_t + b_in + r * (W_hn h_{t-1} + b_hn))
    h_t = (1 - z) * n + z * h_{t-1}

The weights hold the gates in this order. As in torch, and unlike in the original paper,
the reset gate acts after the product with W_hn, and b_hn is inside. The sigmoids are
tanh(a / 2) / 2 + 1/2: the pre-activations of r and z are halved first, which is exact,
and nothing overflows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy import add, multiply, subtract, tanh

from numpy_rnn.recurrence.protocol import Inside, PreparedLayer, Recurrence, Run, State, Weights

if TYPE_CHECKING:
    from numpy_rnn._typing import Array


class GatedRecurrentUnit(Recurrence):
    """The recurrence of a GRU."""

    mode = "GRU"
    gates: tuple[str, ...] = ("r", "z", "n")
    sigmoids: tuple[str, ...] = ("r", "z")
    additive = False

    def step(self, x: Array, state: State, weights: Weights) -> State:
        """Return the state after one step; see `Recurrence.step`."""
        return _updated(*_pre_activations(x, state, weights))

    def inside(self, x: Array, state: State, weights: Weights) -> Inside:
        """Take the same step and return what happened inside it."""
        memory, h, a_n = _pre_activations(x, state, weights)
        memory.n = np.empty_like(memory.pre_n)
        r, z = 2 * memory.r, 2 * memory.z
        after = _updated(memory, h, a_n)
        pre_activations = {"r": r, "z": z, "n": memory.pre_n}
        gates = {"r": memory.r, "z": memory.z, "n": memory.n}
        return Inside(_by_rows(pre_activations), _by_rows(gates), after)

    def prepare(self, weights: Weights, sequences: int) -> PreparedLayer:  # noqa: ARG002  # for any
        """Halve the rows of r and z, and add up their biases."""
        return _GRULayer(weights)


class _GRUStep:
    """The memory of a step: the gates.

    Parameters
    ----------
    memory : ndarray of shape (3 * H[, N])
        Before `update` the halved pre-activations of r and z, and W_hn h + b_hn.

    Attributes
    ----------
    r, z, n : ndarray of shape (H[, N])
        After `update` the gates.
    pre_n : ndarray of shape (H[, N])
        W_hn h + b_hn, in `update` the pre-activation of n. It is the memory of `n` too,
        unless `n` is given another.
    half : ndarray of shape (2 * H[, N])
        Full of 0.5: NumPy takes half as long for two arrays of one shape as for an array
        and a scalar.
    """

    def __init__(self, memory: Array) -> None:
        size = len(memory) // 3
        self.r_z, self.pre_n = memory[: 2 * size], memory[2 * size :]
        self.r, self.z = memory[:size], memory[size : 2 * size]
        self.n = self.pre_n
        self.half = np.empty(self.r_z.shape, memory.dtype)
        self.half.fill(0.5)

    def update(self, h: Array, a_n: Array, out: Array) -> None:
        """Take a step from `h` into `out`; `a_n` is W_in x + b_in."""
        r_z, half, pre_n, n = self.r_z, self.half, self.pre_n, self.n
        tanh(r_z, r_z)
        multiply(r_z, half, r_z)
        add(r_z, half, r_z)  # sigmoid(a) = tanh(a / 2) / 2 + 1/2
        multiply(self.r, pre_n, pre_n)
        add(pre_n, a_n, pre_n)
        tanh(pre_n, n)  # n = tanh(a_n + r * (W_hn h + b_hn))
        subtract(h, n, out)
        multiply(out, self.z, out)
        add(n, out, out)  # n + z * (h - n) = (1 - z) * n + z * h


class _GRULayer(PreparedLayer):
    """The weights, the rows of r and z halved."""

    def __init__(self, weights: Weights) -> None:
        weight_ih, weight_hh, *biases = weights
        split = len(weight_ih) // 3 * 2
        self.weight_ih, self.weight_hh = _halved(weight_ih), _halved(weight_hh)
        self.bias = self.bias_hn = None
        if biases:
            self.bias = _halved(biases[0])
            self.bias[:split] += _halved(biases[1])[:split]
            self.bias_hn = biases[1][split:]

    def begin(self, state: State) -> Run:
        """Return a run that starts from a copy of `state`."""
        return _GRURun(self, state)


class _GRURun(Run):
    """A run of a `_GRULayer`."""

    def __init__(self, layer: _GRULayer, state: State) -> None:
        super().__init__(state[0])
        self._gates = np.empty((len(layer.weight_hh), *self._h.shape[1:]), self._h.dtype)
        self._memory = _GRUStep(self._gates)
        self._product = layer.weight_hh.dot
        self._bias_hn = layer.bias_hn
        if self._bias_hn is not None:
            self._bias_hn = np.broadcast_to(self._bias_hn, self._h.T.shape).T.copy()

    def advance(self, products: Array, out: Array) -> None:
        """Take B steps; see `Run.advance`."""
        product, gates, update = self._product, self._gates, self._memory.update
        r_z, n, bias_hn = self._memory.r_z, self._memory.pre_n, self._bias_hn
        split = len(r_z)
        h = self._h
        for a_rz, a_n, h_t in zip(products[:, :split], products[:, split:], out):
            product(h, gates)
            add(r_z, a_rz, r_z)
            if bias_hn is not None:
                add(n, bias_hn, n)
            update(h, a_n, h_t)
            h = h_t
        self._h[...] = h


def _pre_activations(x: Array, state: State, weights: Weights) -> tuple[_GRUStep, Array, Array]:
    """Return the memory of a single step, ready for its update, h, and W_in x + b_in."""
    (h,) = state
    biases = weights[2:]
    if h.ndim == 2:
        x, h = x.T.copy(), h.T.copy()
        biases = [bias[:, np.newaxis] for bias in biases]
    products, recurrent = weights[0].dot(x), weights[1].dot(h)
    if biases:
        add(products, biases[0], products)
        add(recurrent, biases[1], recurrent)
    memory = _GRUStep(recurrent)
    split = len(memory.r_z)
    add(memory.r_z, products[:split], memory.r_z)
    multiply(memory.r_z, memory.half, memory.r_z)
    return memory, h, products[split:]


def _updated(memory: _GRUStep, h: Array, a_n: Array) -> State:
    """Update, and return the state after the step."""
    hidden = np.empty(h.shape, h.dtype)
    memory.update(h, a_n, hidden)
    return (hidden.T.copy() if hidden.ndim == 2 else hidden,)


def _by_rows(arrays: dict[str, Array]) -> dict[str, Array]:
    """Return copies with a row for each sequence."""
    return {name: array.T.copy() for name, array in arrays.items()}


def _halved(array: Array) -> Array:
    """Return a copy of weights or a bias with the rows of r and z halved."""
    copy = array.copy()
    r_z = copy[: len(copy) // 3 * 2]
    multiply(r_z, 0.5, r_z)
    return copy


GRU = GatedRecurrentUnit()

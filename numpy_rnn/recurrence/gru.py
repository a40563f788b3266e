"""The gated recurrent unit, which `GRU` and `GRUCell` compute.

    r = sigmoid(W_ir x_t + b_ir + W_hr h_{t-1} + b_hr)
    z = sigmoid(W_iz x_t + b_iz + W_hz h_{t-1} + b_hz)
    n =    tanh(W_in x_t + b_in + r * (W_hn h_{t-1} + b_hn))
    h_t = (1 - z) * n + z * h_{t-1}

The weights hold the gates in this order. As in torch, and unlike in the original paper,
the reset gate acts after the product with W_hn, and b_hn is inside. The sigmoids are
1 / (1 + exp(-a)): the pre-activations of r and z are negated in the weights, which is exact.
exp(-a) may become infinite, and the gate is then 0. A gate that is nearly closed keeps its
relative precision, which tanh(a / 2) / 2 + 1/2 would not: in trained GRUs many are.

Backwards, where d is the gradient of a loss:

    da_n = dh_t * (1 - z) * (1 - n^2)
    da_r = da_n * (W_hn h_{t-1} + b_hn) * r(1 - r)
    da_z = dh_t * (h_{t-1} - n) * z(1 - z)
    dh_{t-1} = dh_t * z + W_hr^T da_r + W_hz^T da_z + W_hn^T (da_n * r)
"""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING

import numpy as np
from numpy import add, divide, exp, multiply, negative, subtract, tanh

from numpy_rnn.recurrence import heuristics
from numpy_rnn.recurrence.protocol import (
    Inside,
    OneProduct,
    PreparedLayer,
    Recurrence,
    Run,
    State,
    StepGradient,
    Weights,
)

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
        r, z = -memory.r, -memory.z
        after = _updated(memory, h, a_n)
        pre_activations = {"r": r, "z": z, "n": memory.pre_n}
        gates = {"r": memory.r, "z": memory.z, "n": memory.n}
        return Inside(_by_rows(pre_activations), _by_rows(gates), after)

    def backward(
        self, inside: Inside, state: State, weights: Weights, gradient: State
    ) -> StepGradient:
        """Take a step backwards; see `Recurrence.backward`."""
        r, z, n = (inside.gates[name] for name in self.gates)
        (h,), (dh,) = state, gradient
        split = 2 * h.shape[1]
        recurrent_n = h @ weights[1][split:].T
        if len(weights) > 2:
            recurrent_n += weights[3][split:]
        da_n = dh * (1 - z) * (1 - n * n)
        da_r = da_n * recurrent_n * r * (1 - r)
        da_z = dh * (h - n) * z * (1 - z)
        inputs = np.concatenate([da_r, da_z, da_n], axis=1)
        recurrent = np.concatenate([da_r, da_z, da_n * r], axis=1)
        return StepGradient(gradient, inputs, recurrent, (dh * z + recurrent @ weights[1],))

    def one_product(self, weights: Weights) -> OneProduct:
        """Return what takes single steps with weights that never change."""
        return _GRUOneProduct(weights)

    def prepare(self, weights: Weights, sequences: int) -> PreparedLayer:  # noqa: ARG002  # for any
        """Negate the rows of r and z, and add up their biases."""
        return _GRULayer(weights)


class _GRUStep:
    """The memory of a step: the gates.

    Parameters
    ----------
    memory : ndarray of shape (3 * H[, N])
        Before `update` the negated pre-activations of r and z, and W_hn h + b_hn.

    Attributes
    ----------
    r, z, n : ndarray of shape (H[, N])
        After `update` the gates.
    pre_n : ndarray of shape (H[, N])
        W_hn h + b_hn, in `update` the pre-activation of n. It is the memory of `n` too,
        unless `n` is given another.
    one : ndarray of shape (2 * H[, N])
        Full of 1: NumPy takes half as long for two arrays of one shape as for an array
        and a scalar.
    """

    def __init__(self, memory: Array) -> None:
        size = len(memory) // 3
        self.r_z, self.pre_n = memory[: 2 * size], memory[2 * size :]
        self.r, self.z = memory[:size], memory[size : 2 * size]
        self.n = self.pre_n
        self.one = np.empty(self.r_z.shape, memory.dtype)
        self.one.fill(1.0)

    def update(self, h: Array, a_n: Array, out: Array) -> None:
        """Take a step from `h` into `out`; `a_n` is W_in x + b_in."""
        r_z, one, pre_n, n = self.r_z, self.one, self.pre_n, self.n
        exp(r_z, r_z)
        add(r_z, one, r_z)
        divide(one, r_z, r_z)  # sigmoid(a) = 1 / (1 + exp(-a))
        multiply(self.r, pre_n, pre_n)
        add(pre_n, a_n, pre_n)
        tanh(pre_n, n)  # n = tanh(a_n + r * (W_hn h + b_hn))
        subtract(h, n, out)
        multiply(out, self.z, out)
        add(n, out, out)  # n + z * (h - n) = (1 - z) * n + z * h


class _GRULayer(PreparedLayer):
    """The weights, the rows of r and z negated."""

    def __init__(self, weights: Weights) -> None:
        weight_ih, weight_hh, *biases = weights
        split = len(weight_ih) // 3 * 2
        self.weight_ih, self.weight_hh = _negated(weight_ih), _negated(weight_hh)
        self.bias = self.bias_hn = None
        if biases:
            self.bias = _negated(biases[0])
            self.bias[:split] += _negated(biases[1])[:split]
            self.bias_hn = biases[1][split:]

    def begin(self, state: State) -> Run:
        """Return a run that starts from a copy of `state`."""
        return _GRURun(self, state)


class _GRUOneProduct(OneProduct):
    """Single steps of r and z by one product, and of n by two, which r keeps apart.

    Of few units all by one: the rows of n are then there twice, W_hn with b_hn and W_in with
    b_in, the rest of them zeros. Zero times infinity is NaN, which stays in the state: if it is
    not finite, the step is taken again without them.
    """

    def __init__(self, weights: Weights) -> None:
        weight_ih, weight_hh, *biases = self._weights = weights
        self._size = size = len(weight_hh) // 3
        split, inputs = 2 * size, weight_ih.shape[1]
        joined = np.zeros((4 * size, size + inputs + bool(biases)), weight_hh.dtype)
        joined[: 3 * size, :size] = weight_hh
        joined[:split, size : size + inputs] = weight_ih[:split]
        joined[3 * size :, size : size + inputs] = weight_ih[split:]
        if biases:
            joined[:split, -1] = biases[0][:split] + biases[1][:split]
            joined[split : 3 * size, -1] = biases[1][split:]
            joined[3 * size :, -1] = biases[0][split:]
        negative(joined[:split], joined[:split])
        self._apart = not heuristics.gru_in_one_product(size)
        super().__init__(joined[: split if self._apart else 4 * size], size, bool(biases))
        self._memory = _GRUThread(size, weight_hh.dtype)
        if self._apart:
            self._of_h, self._of_x = weight_hh[split:].copy("F"), weight_ih[split:].copy("F")
            zeros = np.zeros(size, weight_hh.dtype)
            self._bias_h = biases[1][split:].copy() if biases else zeros
            self._bias_x = biases[0][split:].copy() if biases else zeros

    def step(self, x: Array, state: State) -> State:
        """Return the state after one step; see `OneProduct.step`."""
        thread, memory = self._thread, self._memory
        thread.h[...], thread.x[...] = state[0], x
        step, a_n = memory.step, memory.a_n
        if self._apart:
            self._weight.dot(thread.vector, step.r_z)
            self._of_h.dot(thread.h, step.pre_n)
            add(step.pre_n, self._bias_h, step.pre_n)
            self._of_x.dot(thread.x, a_n)
            add(a_n, self._bias_x, a_n)
        else:
            self._weight.dot(thread.vector, memory.total)
        hidden = np.empty(self._size, a_n.dtype)
        step.update(thread.h, a_n, hidden)
        if not (self._apart or math.isfinite(hidden.dot(hidden))):
            return GRU.step(x.reshape(-1), (state[0].reshape(-1),), self._weights)
        return (hidden,)


class _GRUThread(threading.local):
    """The memory of the update, one for each thread."""

    def __init__(self, size: int, dtype: np.dtype[np.generic]) -> None:
        self.total = np.zeros(4 * size, dtype)
        self.step = _GRUStep(self.total[: 3 * size])
        self.a_n = self.total[3 * size :]


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
    negative(memory.r_z, memory.r_z)
    return memory, h, products[split:]


def _updated(memory: _GRUStep, h: Array, a_n: Array) -> State:
    """Update, and return the state after the step."""
    hidden = np.empty(h.shape, h.dtype)
    memory.update(h, a_n, hidden)
    return (hidden.T.copy() if hidden.ndim == 2 else hidden,)


def _by_rows(arrays: dict[str, Array]) -> dict[str, Array]:
    """Return copies with a row for each sequence."""
    return {name: array.T.copy() for name, array in arrays.items()}


def _negated(array: Array) -> Array:
    """Return a copy of weights or a bias with the rows of r and z negated."""
    copy = array.copy()
    r_z = copy[: len(copy) // 3 * 2]
    negative(r_z, r_z)
    return copy


GRU = GatedRecurrentUnit()

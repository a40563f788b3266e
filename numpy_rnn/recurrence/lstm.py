"""The long short-term memory, which `LSTM` and `LSTMCell` compute.

    i = sigmoid(W_ii x_t + b_ii + W_hi h_{t-1} + b_hi)
    f = sigmoid(W_if x_t + b_if + W_hf h_{t-1} + b_hf)
    g =    tanh(W_ig x_t + b_ig + W_hg h_{t-1} + b_hg)
    o = sigmoid(W_io x_t + b_io + W_ho h_{t-1} + b_ho)
    c_t = f * c_{t-1} + i * g
    h_t = o * tanh(c_t)                     with a projection: W_hr (o * tanh(c_t))

The weights hold the gates in this order. One tanh computes all of them, since
sigmoid(a) = tanh(a / 2) / 2 + 1/2: the pre-activations of i, f and o are halved first,
which is exact, and nothing overflows. A gate is then exact to half a unit in the last place
of 1; one that is nearly closed has no relative precision.

Backwards, where d is the gradient of a loss, m = o * tanh(c_t), and dm = dh_t without a
projection, W_hr^T dh_t with one:

    dc_t += dm * o * (1 - tanh(c_t)^2)
    da_i, da_f, da_g = dc_t * g * i(1 - i), dc_t * c_{t-1} * f(1 - f), dc_t * i * (1 - g^2)
    da_o = dm * tanh(c_t) * o(1 - o)
    dh_{t-1} = W_hh^T da,  dc_{t-1} = dc_t * f

So a gradient goes from cell to cell multiplied by f alone, and not by W_hh.

In memory the gates are o, i, f, g, and c follows: so o, i, f are one array to take sigmoids
of, and (i, f) * (g, c) is one product.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable
from typing import TYPE_CHECKING

import numpy as np
from numpy import add, multiply, tanh

from numpy_rnn.recurrence import heuristics
from numpy_rnn.recurrence.protocol import (
    BatchedOneProduct,
    Inside,
    OneProduct,
    PreparedLayer,
    Recurrence,
    Run,
    State,
    StepGradient,
    Weights,
    step_vectors,
)

if TYPE_CHECKING:
    from numpy_rnn._typing import Array


class LongShortTermMemory(Recurrence):
    """The recurrence of an LSTM."""

    mode = "LSTM"
    gates: tuple[str, ...] = ("i", "f", "g", "o")
    sigmoids: tuple[str, ...] = ("i", "f", "o")
    state_names: tuple[str, ...] = ("h", "c")

    def step(self, x: Array, state: State, weights: Weights) -> State:
        """Return the state after one step; see `Recurrence.step`."""
        return _updated(_pre_activations(x, state, weights), weights)

    def inside(self, x: Array, state: State, weights: Weights) -> Inside:
        """Take the same step and return what happened inside it."""
        memory = _pre_activations(x, state, weights)
        memory.products = np.empty_like(memory.i_f)  # so that the gates i and f are kept
        memory.i_g, memory.f_c = np.split(memory.products, 2)
        pre_activations = memory.by_name()
        for name in self.sigmoids:
            multiply(pre_activations[name], 2.0, pre_activations[name])
        after = _updated(memory, weights)
        return Inside(pre_activations, memory.by_name(), after)

    def backward(
        self, inside: Inside, state: State, weights: Weights, gradient: State
    ) -> StepGradient:
        """Take a step backwards; see `Recurrence.backward`."""
        i, f, g, o = (inside.gates[name] for name in self.gates)
        (_, c_before), (_, c), (dh, dc) = state, inside.state, gradient
        tanh_c = tanh(c)
        dm = dh @ weights[-1] if len(weights) % 2 else dh
        dc = dc + dm * o * (1 - tanh_c * tanh_c)
        da = np.concatenate(
            [
                dc * g * i * (1 - i),
                dc * c_before * f * (1 - f),
                dc * i * (1 - g * g),
                dm * tanh_c * o * (1 - o),
            ],
            axis=1,
        )
        return StepGradient((dh, dc), da, da, (da @ weights[1], dc * f), o * tanh_c)

    def one_product(self, weights: Weights) -> OneProduct:
        """Return what takes single steps with weights that never change."""
        return _LSTMOneProduct(weights)

    def way(self, weights: Weights, sequences: int) -> Hashable:  # noqa: ARG002  # for any weights
        """Return whether there is a single sequence."""
        return sequences == 1

    def prepare(self, weights: Weights, sequences: int) -> PreparedLayer:
        """Order the gates as they are in memory, and add up the biases."""
        input_size, hidden_size = weights[0].shape[1], len(weights[0]) // 4
        few = heuristics.sequence_in_one_product(input_size, hidden_size)
        return _OneProductLayer(weights) if sequences == 1 and few else _LSTMLayer(weights)


class _LSTMStep:
    """The memory of a step: the gates, and the cell state.

    Parameters
    ----------
    c : ndarray of shape (H[, N])
        The cell state to start from, which is copied.

    Attributes
    ----------
    gates : ndarray of shape (4 * H[, N])
        Before `update` the pre-activations of o, i, f, g, the first three halved; after it
        the gates.
    half : ndarray of shape (3 * H[, N])
        Full of 0.5: NumPy takes half as long for two arrays of one shape as for an array
        and a scalar.
    o, o_i_f, i_f, g_c : ndarray
        The gates of these names, and for c the cell state: views of the same memory.
    start : ndarray of shape (H[, N])
        The cell state before the step, which `g_c` ends with.
    cell : ndarray of shape (H[, N])
        Where `update` writes the cell state: that of `g_c`, unless it is given another.
    products, i_g, f_c : ndarray
        Where it writes i * g and f * c, together and each: over i and f, unless likewise.
    """

    def __init__(self, c: Array) -> None:
        size = len(c)
        memory = np.empty((8 * size, *c.shape[1:]), c.dtype)
        self.gates, self.o_i_f, self.o = memory[: 4 * size], memory[: 3 * size], memory[:size]
        self.i_f, self.g_c = memory[size : 3 * size], memory[3 * size : 5 * size]
        self.start = self.cell = memory[4 * size : 5 * size]
        self.products = self.i_f
        self.i_g, self.f_c = memory[size : 2 * size], memory[2 * size : 3 * size]
        self.half = memory[5 * size :]
        self.half.fill(0.5)
        self.cell[...] = c

    def update(self, out: Array) -> None:
        """Take a step: the gates, the next cell state, and o * tanh(c) into `out`."""
        gates, o_i_f, half, i_g = self.gates, self.o_i_f, self.half, self.i_g
        tanh(gates, gates)
        multiply(o_i_f, half, o_i_f)
        add(o_i_f, half, o_i_f)  # sigmoid(a) = tanh(a / 2) / 2 + 1/2
        multiply(self.i_f, self.g_c, self.products)
        add(i_g, self.f_c, self.cell)  # c = f * c + i * g
        tanh_c = i_g  # its memory is free by now
        tanh(self.cell, tanh_c)
        multiply(self.o, tanh_c, out)  # h = o * tanh(c)

    def by_name(self) -> dict[str, Array]:
        """Return copies of what `gates` holds, in torch's order, each of shape ([N,] H)."""
        o, i, f, g = np.split(self.gates, 4)
        return {name: gate.T.copy() for name, gate in zip("ifgo", (i, f, g, o))}


class _LSTMLayer(PreparedLayer):
    """The weights, their rows in the order of the gates in memory."""

    def __init__(self, weights: Weights) -> None:
        weight_ih, weight_hh, bias, weight_hr = _split(weights)
        self.weight_ih: Array = _ordered(weight_ih)
        self.weight_hh: Array = _ordered(weight_hh)
        self.weight_hr: Array | None = weight_hr
        self.bias: Array | None = None if bias is None else _ordered(bias)

    def begin(self, state: State) -> Run:
        """Return a run that starts from a copy of `state`."""
        return _LSTMRun(self, state)


class _OneProductLayer(PreparedLayer):
    """A layer for a single sequence, whose steps multiply ``[W_hh W_ih b]`` by ``[h x 1]``."""

    reads_inputs = True

    def __init__(self, weights: Weights) -> None:
        self.weight_ih = weights[0]
        self.bias = None
        self.weight, self.weight_hr = _joined(weights)

    def begin(self, state: State) -> Run:
        """Return a run that starts from a copy of `state`."""
        return _OneProductRun(self, state)


class _LSTMOneProduct(BatchedOneProduct):
    """Single steps of all gates by one product."""

    def __init__(self, weights: Weights) -> None:
        weight_hh = weights[1]
        joined, self._weight_hr = _joined(weights)
        super().__init__(joined, weight_hh.shape[1], len(weights) > 3)
        self._memory = _LSTMThread(len(weight_hh) // 4, weight_hh.dtype)

    def step_batch(self, x: Array, state: State) -> State:
        """Return the state after one step of a batch; see `OneProduct.step_batch`."""
        memory = _LSTMStep(state[1].T)
        self._weight.dot(self._columns(x, state[0]), memory.gates)
        return _finished(memory, self._weight_hr)

    def step(self, x: Array, state: State) -> State:
        """Return the state after one step; see `OneProduct.step`."""
        thread, memory = self._thread, self._memory.step
        thread.h[...], memory.start[...] = state
        thread.x[...] = x
        self._weight.dot(thread.vector, memory.gates)
        return _finished(memory, self._weight_hr)


class _LSTMThread(threading.local):
    """The memory of the update, one for each thread."""

    def __init__(self, size: int, dtype: np.dtype[np.generic]) -> None:
        self.step = _LSTMStep(np.zeros(size, dtype))


class _LSTMRunBase(Run):
    """What the runs share: the memory of a step, which has the cell state."""

    def __init__(self, state: State, weight_hr: Array | None) -> None:
        h, c = state
        super().__init__(h)
        self._memory = _LSTMStep(c)
        self._weight_hr = weight_hr
        self._unprojected = np.empty(c.shape, c.dtype)

    def state(self) -> State:
        """Return (h, c)."""
        return self._h, self._memory.cell.copy()


class _LSTMRun(_LSTMRunBase):
    """A run of an `_LSTMLayer`."""

    def __init__(self, layer: _LSTMLayer, state: State) -> None:
        super().__init__(state, layer.weight_hr)
        self._product = layer.weight_hh.dot

    def advance(self, products: Array, out: Array) -> None:
        """Take B steps; see `Run.advance`."""
        product, gates, update = self._product, self._memory.gates, self._memory.update
        weight_hr, unprojected = self._weight_hr, self._unprojected
        h = self._h
        for a_t, h_t in zip(products, out):
            product(h, gates)
            add(gates, a_t, gates)
            if weight_hr is None:
                update(h_t)
            else:
                update(unprojected)
                weight_hr.dot(unprojected, h_t)
            h = h_t
        self._h[...] = h


class _OneProductRun(_LSTMRunBase):
    """A run of a `_OneProductLayer`."""

    def __init__(self, layer: _OneProductLayer, state: State) -> None:
        super().__init__(state, layer.weight_hr)
        self._weight = layer.weight

    def advance(self, x: Array, out: Array) -> None:
        """Take a step for each row of `x`; see `Run.advance`."""
        product, gates, update = self._weight.dot, self._memory.gates, self._memory.update
        weight_hr, unprojected = self._weight_hr, self._unprojected
        vectors = step_vectors(self._h, x, self._weight.shape[1])
        hidden = vectors[:, : len(self._h)]
        for vector, h_t in zip(vectors, hidden[1:]):
            product(vector, gates)
            if weight_hr is None:
                update(h_t)
            else:
                update(unprojected)
                h_t[...] = weight_hr.dot(unprojected)
        out[...] = hidden[1:]
        self._h[...] = hidden[-1]


def _pre_activations(x: Array, state: State, weights: Weights) -> _LSTMStep:
    """Return the pre-activations of a single step, ready for the update."""
    h, c = state
    weight_ih, weight_hh, bias, _ = _split(weights)
    if h.ndim == 2:
        x, h, c = x.T.copy(), h.T.copy(), c.T
        bias = None if bias is None else bias[:, np.newaxis]
    total = weight_ih.dot(x)
    add(total, weight_hh.dot(h), total)
    if bias is not None:
        add(total, bias, total)
    memory = _LSTMStep(c)
    _order(total, memory.gates, memory.half)
    return memory


def _updated(memory: _LSTMStep, weights: Weights) -> State:
    """Update, and return the state after the step."""
    return _finished(memory, weights[-1] if len(weights) % 2 else None)


def _finished(memory: _LSTMStep, weight_hr: Array | None) -> State:
    """Update, project if there is a projection, and return the state after the step."""
    shape, dtype = memory.start.shape, memory.start.dtype
    hidden, memory.cell = np.empty(shape, dtype), np.empty(shape, dtype)
    memory.update(hidden)
    if weight_hr is not None:
        hidden = weight_hr.dot(hidden)
    if hidden.ndim == 1:
        return hidden, memory.cell
    return hidden.T.copy(), memory.cell.T.copy()


def _order(source: Array, target: Array, half: Array | float) -> None:
    """Write the rows of i, f, g, o into `target` as o, i, f, g, the first three halved."""
    size = len(source) // 4
    target[:size], target[size:] = source[3 * size :], source[: 3 * size]
    o_i_f = target[: 3 * size]
    multiply(o_i_f, half, o_i_f)


def _ordered(array: Array) -> Array:
    """Return a copy of weights or a bias in that order."""
    copy = np.empty(array.shape, array.dtype)
    _order(array, copy, 0.5)
    return copy


def _joined(weights: Weights) -> tuple[Array, Array | None]:
    """Return ``[W_hh W_ih b]`` with its rows in that order, and W_hr or None."""
    weight_ih, weight_hh, bias, weight_hr = _split(weights)
    parts = [weight_hh, weight_ih] + ([] if bias is None else [bias[:, np.newaxis]])
    return _ordered(np.concatenate(parts, axis=1)), weight_hr


def _split(weights: Weights) -> tuple[Array, Array, Array | None, Array | None]:
    """Return W_ih, W_hh, the sum of b_ih and b_hh or None, and W_hr or None."""
    weight_ih, weight_hh, *rest = weights
    weight_hr = rest.pop() if len(rest) % 2 else None
    return weight_ih, weight_hh, rest[0] + rest[1] if rest else None, weight_hr


LSTM = LongShortTermMemory()

"""The Elman recurrence, which `RNN` and `RNNCell` compute.

    h_t = f(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh)        f = tanh or relu

The hidden state is all that it carries from step to step. Backwards, where d is the gradient
of a loss:

    da_t = dh_t * f'(a_t)                  f' = 1 - h_t^2 for tanh; 1 or 0 for relu
    dh_{t-1} = W_hh^T da_t
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy import add

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

Activation: TypeAlias = "Callable[[Array, Array], object]"
"""``f(x, out)``, where `out` may be `x`."""


class Elman(Recurrence):
    """The recurrence with an activation that a subclass names."""

    gates: tuple[str, ...] = ("h",)

    @abstractmethod
    def bind_activation(self, array: Array) -> Activation:
        """Return f for arrays of the shape and dtype of this one."""

    @abstractmethod
    def slope(self, h: Array) -> Array:
        """Return f'(a), from h = f(a)."""

    def step(self, x: Array, state: State, weights: Weights) -> State:
        """Return the state after one step; see `Recurrence.step`."""
        total = self._total(x, state, weights)
        self.bind_activation(total)(total, total)
        return (total,)

    def inside(self, x: Array, state: State, weights: Weights) -> Inside:
        """Take the same step and return what happened inside it."""
        total = self._total(x, state, weights)
        hidden = np.empty(total.shape, total.dtype)
        self.bind_activation(total)(total, hidden)
        return Inside({"h": total}, {}, (hidden,))

    def backward(
        self,
        inside: Inside,
        state: State,  # noqa: ARG002  # for any recurrence
        weights: Weights,
        gradient: State,
    ) -> StepGradient:
        """Take a step backwards; see `Recurrence.backward`."""
        (h,), (dh,) = inside.state, gradient
        da = dh * self.slope(h)
        return StepGradient(gradient, da, da, (da @ weights[1],))

    def _total(self, x: Array, state: State, weights: Weights) -> Array:
        """Return ``W_ih x + W_hh h + b_ih + b_hh``."""
        (h,) = state
        total: Array
        if h.ndim == 1:
            total = weights[0].dot(x)
            add(total, weights[1].dot(h), total)
        elif heuristics.step_by_columns(h.shape[1]):
            by_columns = weights[0].dot(x.T.copy())
            add(by_columns, weights[1].dot(h.T.copy()), by_columns)
            total = by_columns.T.copy()
        else:
            total = x.dot(weights[0].T)
            add(total, h.dot(weights[1].T), total)
        if len(weights) > 2:
            add(total, weights[2], total)
            add(total, weights[3], total)
        return total

    def one_product(self, weights: Weights) -> OneProduct:
        """Return what takes single steps with weights that never change."""
        return _ElmanOneProduct(self, weights)

    def way(self, weights: Weights, sequences: int) -> Hashable:
        """Return whether there is a single sequence, and whether a batch goes by columns."""
        return sequences == 1 or heuristics.elman_by_columns(sequences, len(weights[0])), (
            sequences == 1
        )

    def prepare(self, weights: Weights, sequences: int) -> PreparedLayer:
        """Choose what a step is made of, by the sizes."""
        size, input_size = weights[0].shape
        if sequences == 1 and heuristics.sequence_in_one_product(input_size, size):
            return _OneProductLayer(self, weights)
        by_columns = sequences == 1 or heuristics.elman_by_columns(sequences, size)
        return _ElmanLayer(self, weights, by_columns)


class Tanh(Elman):
    """With a hyperbolic tangent."""

    mode = "RNN_TANH"

    def bind_activation(self, array: Array) -> Activation:  # noqa: ARG002  # for any
        """Return tanh."""
        return np.tanh

    def slope(self, h: Array) -> Array:
        """Return 1 - h^2."""
        return 1 - h * h


class Relu(Elman):
    """With a rectifier; a NaN stays one."""

    mode = "RNN_RELU"

    def bind_activation(self, array: Array) -> Activation:
        """Return ``maximum(x, 0)``; with an array of zeros it takes a third less time."""
        maximum, zeros = np.maximum, np.zeros(array.shape, array.dtype)

        def relu(x: Array, out: Array) -> None:
            maximum(x, zeros, out=out)

        return relu

    def slope(self, h: Array) -> Array:
        """Return 1 where h is positive, else 0."""
        return (h > 0).astype(h.dtype)


class _ElmanLayer(PreparedLayer):
    """A layer whose steps add W_hh h_{t-1} to the input products."""

    def __init__(self, recurrence: Elman, weights: Weights, by_columns: bool) -> None:
        self.weight_ih, weight_hh, *biases = weights
        self.bias = biases[0] + biases[1] if biases else None
        self.by_columns = by_columns
        self.bind_activation = recurrence.bind_activation
        # A batch by rows is multiplied by W_hh^T in every step: faster if contiguous.
        self.weight_hh_t = weight_hh.T if by_columns else weight_hh.T.copy()

    def begin(self, state: State) -> Run:
        """Return a run that starts from a copy of `state`."""
        return _ElmanRun(self, state)


def _product_by_columns(h: Array, weight_hh_t: Array, out: Array) -> None:
    """Write W_hh h into `out`."""
    weight_hh_t.T.dot(h, out)


class _ElmanRun(Run):
    """A run of an `_ElmanLayer`."""

    def __init__(self, layer: _ElmanLayer, state: State) -> None:
        super().__init__(state[0])
        self._recurrent = np.empty(self._h.shape, self._h.dtype)
        self._activation = layer.bind_activation(self._h)
        self._weight_hh_t = layer.weight_hh_t
        # For a vector h W^T is W h, without a Python call in each step.
        by_columns = layer.by_columns and self._h.ndim == 2
        self._product = _product_by_columns if by_columns else np.ndarray.dot

    def advance(self, products: Array, out: Array) -> None:  # noqa: ARG002  # it is products
        """Take B steps; see `Run.advance`."""
        product, activation = self._product, self._activation
        weight_hh_t, recurrent = self._weight_hh_t, self._recurrent
        h = self._h
        for h_t in products:
            product(h, weight_hh_t, recurrent)
            add(h_t, recurrent, h_t)
            activation(h_t, h_t)
            h = h_t
        self._h[...] = h


def _joined(weights: Weights) -> Array:
    """Return ``[W_hh W_ih b]``."""
    weight_ih, weight_hh, *biases = weights
    parts = [weight_hh, weight_ih]
    if biases:
        parts.append((biases[0] + biases[1])[:, np.newaxis])
    return np.concatenate(parts, axis=1)


class _ElmanOneProduct(BatchedOneProduct):
    """Single steps: ``f([W_hh W_ih b] [h x 1])``."""

    def __init__(self, recurrence: Elman, weights: Weights) -> None:
        super().__init__(_joined(weights), len(weights[0]), len(weights) > 2)
        self._bind_activation = recurrence.bind_activation

    def step(self, x: Array, state: State) -> State:
        """Return the state after one step; see `OneProduct.step`."""
        thread = self._thread
        thread.h[...], thread.x[...] = state[0], x
        total = self._weight.dot(thread.vector)
        self._bind_activation(total)(total, total)
        return (total,)

    def step_batch(self, x: Array, state: State) -> State:
        """Return the state after one step of a batch; see `OneProduct.step_batch`."""
        total = self._weight.dot(self._columns(x, state[0]))
        self._bind_activation(total)(total, total)
        return (total.T.copy(),)


class _OneProductLayer(PreparedLayer):
    """A layer for a single sequence, whose steps are ``f([W_hh W_ih b] [h_{t-1} x_t 1])``.

    That saves adding two products, a sixth of a step of few units.
    """

    reads_inputs = True

    def __init__(self, recurrence: Elman, weights: Weights) -> None:
        self.weight_ih = weights[0]
        self.bias = None
        self.weight = _joined(weights)
        self.bind_activation = recurrence.bind_activation

    def begin(self, state: State) -> Run:
        """Return a run that starts from a copy of `state`."""
        return _OneProductRun(self, state)


class _OneProductRun(Run):
    """A run of a `_OneProductLayer`."""

    def __init__(self, layer: _OneProductLayer, state: State) -> None:
        super().__init__(state[0])
        self._total = np.empty(self._h.shape, self._h.dtype)
        self._activation = layer.bind_activation(self._h)
        self._weight = layer.weight

    def advance(self, x: Array, out: Array) -> None:
        """Take a step for each row of `x`; see `Run.advance`."""
        product, total, activation = self._weight.dot, self._total, self._activation
        vectors = step_vectors(self._h, x, self._weight.shape[1])
        hidden = vectors[:, : len(total)]
        for vector, h_t in zip(vectors, hidden[1:]):
            product(vector, total)
            activation(total, h_t)
        out[...] = hidden[1:]
        self._h[...] = hidden[-1]


TANH = Tanh()
RELU = Relu()

"""The Elman recurrence, which `RNN` and `RNNCell` compute.

    h_t = f(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh)        f = tanh or relu

The hidden state is all that it carries from step to step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from numpy_rnn.recurrence import heuristics
from numpy_rnn.recurrence.protocol import (
    Advance,
    AdvanceLike,
    Prepared,
    Recurrence,
    State,
    Weights,
)

if TYPE_CHECKING:
    from numpy_rnn._typing import Array

Activation: TypeAlias = "Callable[[Array, Array], object]"
"""``f(x, out)``, where `out` may be `x`."""


def elman(activation_like: Callable[[Array], Activation]) -> Recurrence:
    """Return the Elman recurrence.

    Parameters
    ----------
    activation_like : callable
        Given an array, returns the activation for arrays of its shape and dtype.
    """
    add = np.add

    def step(x: Array, state: State, weights: Weights) -> State:
        """Compute ``h' = f(W_ih x + W_hh h + b_ih + b_hh)``."""
        (h,) = state
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
        activation_like(total)(total, total)
        return (total,)

    def prepare(weights: Weights, sequences: int) -> Prepared:
        """Add up the biases, and choose what a step is made of."""
        weight_ih, weight_hh, *biases = weights
        bias = biases[0] + biases[1] if biases else None
        size, input_size = weight_ih.shape
        if sequences == 1 and heuristics.elman_in_one_product(input_size, size):
            parts = (
                [weight_hh, weight_ih]
                if bias is None
                else [weight_hh, weight_ih, bias[:, None]]
            )
            advance_like = _advance_inputs(np.concatenate(parts, axis=1), input_size)
            return Prepared(weight_ih, bias, True, True, advance_like)
        if sequences == 1 or heuristics.elman_by_columns(sequences, size):
            return Prepared(weight_ih, bias, True, False, _advance_columns(weight_hh))
        return Prepared(weight_ih, bias, False, False, _advance_rows(weight_hh.T.copy()))

    def _advance_columns(weight_hh: Array) -> AdvanceLike:
        product = weight_hh.dot

        def advance_like(state: State) -> Advance:
            (like,) = state
            recurrent = np.empty(like.shape, like.dtype)
            activation = activation_like(recurrent)

            def advance(products: Array, state: State, _: Array) -> State:
                """Turn each a_t = W_ih x_t + b_ih + b_hh into f(a_t + W_hh h_{t-1})."""
                (h,) = state
                for h_t in products:
                    product(h, recurrent)
                    add(h_t, recurrent, h_t)
                    activation(h_t, h_t)
                    h = h_t
                return (h,)

            return advance

        return advance_like

    def _advance_rows(weight_hh_t: Array) -> AdvanceLike:
        def advance_like(state: State) -> Advance:
            (like,) = state
            recurrent = np.empty(like.shape, like.dtype)
            activation = activation_like(recurrent)

            def advance(products: Array, state: State, _: Array) -> State:
                """Do the same with a row for each sequence."""
                (h,) = state
                for h_t in products:
                    h.dot(weight_hh_t, recurrent)
                    add(h_t, recurrent, h_t)
                    activation(h_t, h_t)
                    h = h_t
                return (h,)

            return advance

        return advance_like

    def _advance_inputs(weight: Array, input_size: int) -> AdvanceLike:
        product = weight.dot

        def advance_like(state: State) -> Advance:
            (like,) = state
            size = len(like)
            total = np.empty(size, like.dtype)
            activation = activation_like(total)

            def advance(x: Array, state: State, out: Array) -> State:
                """Write ``h_t = f([W_hh W_ih b] [h_{t-1} x_t 1])`` into `out`."""
                vectors = np.empty((len(x) + 1, weight.shape[1]), x.dtype)
                (vectors[0, :size],) = state
                vectors[:-1, size : size + input_size] = x
                vectors[:, size + input_size :] = 1.0
                for vector, h_t in zip(vectors, vectors[1:, :size]):
                    product(vector, total)
                    activation(total, h_t)
                out[...] = vectors[1:, :size]
                return (out[-1],)

            return advance

        return advance_like

    return Recurrence(1, step, prepare, additive=True)


def tanh_like(_: Array) -> Activation:
    """Return ``tanh(x, out)``."""
    return np.tanh


def relu_like(array: Array) -> Activation:
    """Return ``relu(x, out)`` for arrays shaped as `array`; a NaN stays one."""
    # With an array of zeros in place of a scalar nothing is broadcast: a third faster.
    zeros = np.zeros(array.shape, array.dtype)
    maximum = np.maximum

    def relu(x: Array, out: Array) -> None:
        maximum(x, zeros, out=out)

    return relu


TANH = elman(tanh_like)
RELU = elman(relu_like)

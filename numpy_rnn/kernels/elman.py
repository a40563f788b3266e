"""The Elman recurrence, which `RNN` and `RNNCell` compute.

    h_t = f(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh)        f = tanh or relu

The hidden state is all that it carries from step to step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from numpy_rnn.kernels.recurrence import Prepared, Recurrence, State, Weights

if TYPE_CHECKING:
    from numpy_rnn._typing import Array

Activation: TypeAlias = "Callable[[Array, Array], object]"
"""``f(x, out)``, where `out` may be `x`."""

COPY_FROM_STEPS = 8
"""From so many steps on a contiguous copy of W_hh^T costs less than it saves: a product
with a transposed view takes up to three times as long."""


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
        total = x.dot(weights[0].T)
        add(total, h.dot(weights[1].T), total)
        if len(weights) > 2:
            add(total, weights[2] + weights[3], total)
        activation_like(total)(total, total)
        return (total,)

    def prepare(weights: Weights, steps: int) -> Prepared:
        """Transpose W_ih and W_hh, and add up b_ih and b_hh."""
        weight_ih, weight_hh, *biases = weights
        weight_hh_t = weight_hh.T
        if steps >= COPY_FROM_STEPS:
            weight_hh_t = weight_hh_t.copy()
        return weight_ih.T, biases[0] + biases[1] if biases else None, weight_hh_t

    def advance(products: Array, state: State, weight_hh_t: Array, _: Array) -> State:
        """Turn each a_t = W_ih x_t + b_ih + b_hh into ``h_t = f(a_t + W_hh h_{t-1})``."""
        (h,) = state
        recurrent = np.empty(h.shape, h.dtype)
        activation = activation_like(recurrent)
        for h_t in products:
            h.dot(weight_hh_t, recurrent)
            add(h_t, recurrent, h_t)
            activation(h_t, h_t)
            h = h_t
        return (h,)

    return Recurrence(1, step, prepare, advance)


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

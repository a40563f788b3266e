"""The long short-term memory, which `LSTM` and `LSTMCell` compute.

    i = sigmoid(W_ii x_t + b_ii + W_hi h_{t-1} + b_hi)
    f = sigmoid(W_if x_t + b_if + W_hf h_{t-1} + b_hf)
    g =    tanh(W_ig x_t + b_ig + W_hg h_{t-1} + b_hg)
    o = sigmoid(W_io x_t + b_io + W_ho h_{t-1} + b_ho)
    c_t = f * c_{t-1} + i * g
    h_t = o * tanh(c_t)                     with a projection: W_hr (o * tanh(c_t))

The weights hold the gates in this order. One tanh serves all of them, since
sigmoid(a) = tanh(a / 2) / 2 + 1/2: the pre-activations of i, f and o are halved before,
which is exact, and nothing overflows. A gate is then exact to half a unit in the last place
of 1; one that is nearly closed has no relative precision.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from numpy_rnn.kernels.gates import like, per_gate
from numpy_rnn.kernels.recurrence import Prepared, Recurrence, State, Weights

if TYPE_CHECKING:
    from numpy_rnn._typing import Array

FACTORS = (0.5, 0.5, 1.0, 0.5)
SHIFTS = (0.5, 0.5, 0.0, 0.5)
"""What makes sigmoids of the tanhs of i, f and o, and leaves g."""

add, multiply, tanh = np.add, np.multiply, np.tanh


def step(x: Array, state: State, weights: Weights) -> State:
    """Take one step from (h, c)."""
    h, c = state
    weight_ih, weight_hh, bias, weight_hr = _parts(weights)
    gates = x.dot(weight_ih.T)
    add(gates, h.dot(weight_hh.T), gates)
    if bias is not None:
        add(gates, bias, gates)
    multiply(gates, per_gate(FACTORS, c.shape[-1], c.dtype), gates)
    hidden, cell = np.empty(c.shape, c.dtype), c.copy()
    cell_of(gates)(cell, hidden)
    if weight_hr is not None:
        hidden = hidden.dot(weight_hr.T)
    return hidden, cell


def prepare(weights: Weights, _: int) -> Prepared:
    """Transpose the weights, halve the rows of i, f and o, and add up the biases."""
    weight_ih, weight_hh, bias, weight_hr = _parts(weights)
    factors = per_gate(FACTORS, len(weight_ih) // 4, weight_ih.dtype)
    return (
        multiply(weight_ih.T, factors, order="C"),
        None if bias is None else bias * factors,
        (
            multiply(weight_hh.T, factors, order="C"),
            None if weight_hr is None else weight_hr.T.copy(),
        ),
    )


def advance(products: Array, state: State, recurrent: Any, out: Array) -> State:
    """Take (h, c) through the steps whose halved input products are in `products`."""
    h, c = state[0], state[1].copy()
    weight_hh_t, weight_hr_t = recurrent
    gates = np.empty((*c.shape[:-1], weight_hh_t.shape[1]), c.dtype)
    update = cell_of(gates)
    unprojected = np.empty(c.shape, c.dtype)
    for a_t, h_t in zip(products, out):
        h.dot(weight_hh_t, gates)
        add(gates, a_t, gates)
        if weight_hr_t is None:
            update(c, h_t)
        else:
            update(c, unprojected)
            unprojected.dot(weight_hr_t, h_t)
        h = h_t
    return h, c


def cell_of(gates: Array) -> Callable[[Array, Array], None]:
    """Return ``update(c, h)``, which computes c_t in place and o * tanh(c_t) into `h`.

    `gates`, of shape ([N,] 4H), holds the pre-activations at each call, those of i, f and
    o halved; they are overwritten.
    """
    size = gates.shape[-1] // 4
    i, f = gates[..., :size], gates[..., size : 2 * size]
    g, o = gates[..., 2 * size : 3 * size], gates[..., 3 * size :]
    factors = like(gates, per_gate(FACTORS, size, gates.dtype))
    shifts = like(gates, per_gate(SHIFTS, size, gates.dtype))

    def update(c: Array, h: Array) -> None:
        tanh(gates, gates)
        multiply(gates, factors, gates)
        add(gates, shifts, gates)
        multiply(f, c, c)
        multiply(i, g, i)
        add(c, i, c)
        tanh(c, g)
        multiply(o, g, h)

    return update


def _parts(weights: Weights) -> tuple[Array, Array, Array | None, Array | None]:
    """Return W_ih, W_hh, the sum of b_ih and b_hh or None, and W_hr or None."""
    weight_ih, weight_hh, *rest = weights
    weight_hr = rest.pop() if len(rest) % 2 else None
    return weight_ih, weight_hh, rest[0] + rest[1] if rest else None, weight_hr


LSTM = Recurrence(4, step, prepare, advance)

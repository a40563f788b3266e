"""The gated recurrent unit, which `GRU` and `GRUCell` compute.

    r = sigmoid(W_ir x_t + b_ir + W_hr h_{t-1} + b_hr)
    z = sigmoid(W_iz x_t + b_iz + W_hz h_{t-1} + b_hz)
    n =    tanh(W_in x_t + b_in + r * (W_hn h_{t-1} + b_hn))
    h_t = (1 - z) * n + z * h_{t-1}

The weights hold the gates in this order. As in torch, and unlike in the original paper,
the reset gate acts after the product with W_hn, and b_hn stands inside. The sigmoids are
tanh(a / 2) / 2 + 1/2: the pre-activations of r and z are halved before, which is exact,
and nothing overflows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from numpy_rnn.kernels.gates import per_gate
from numpy_rnn.kernels.recurrence import Prepared, Recurrence, State, Weights

if TYPE_CHECKING:
    from numpy_rnn._typing import Array

FACTORS = (0.5, 0.5, 1.0)
"""What halves the pre-activations of r and z."""

HALVES = FACTORS[:2]

add, multiply, subtract, tanh = np.add, np.multiply, np.subtract, np.tanh


def step(x: Array, state: State, weights: Weights) -> State:
    """Take one step from (h,)."""
    (h,) = state
    size = h.shape[-1]
    halves, biases = per_gate(HALVES, size, h.dtype), weights[2:]
    if h.ndim == 2:
        x, h, halves = x.T, h.T, halves[:, np.newaxis]
        biases = [bias[:, np.newaxis] for bias in biases]
    products, gates = weights[0].dot(x), weights[1].dot(h)
    if biases:
        add(products, biases[0], products)
        add(gates, biases[1], gates)
    r_z = gates[: 2 * size]
    add(r_z, products[: 2 * size], r_z)
    multiply(r_z, halves, r_z)
    hidden = np.empty(h.shape, h.dtype)
    cell_of(gates, r_z, halves)(h, products[2 * size :], hidden)
    return (hidden if hidden.ndim == 1 else np.ascontiguousarray(hidden.T),)


def prepare(weights: Weights, _: int) -> Prepared:
    """Halve the rows of r and z, and add up their biases."""
    weight_ih, weight_hh, *biases = weights
    factors = per_gate(FACTORS, len(weight_ih) // 3, weight_ih.dtype)
    bias = bias_hn = None
    if biases:
        split = len(weight_ih) // 3 * 2
        bias = biases[0] * factors
        bias[:split] += biases[1][:split] * factors[:split]
        bias_hn = biases[1][split:]
    return (
        multiply(weight_ih.T, factors, order="C"),
        bias,
        (multiply(weight_hh, factors[:, np.newaxis], order="C"), bias_hn),
    )


def advance(products: Array, state: State, recurrent: Any, out: Array) -> State:
    """Take (h,) through the steps whose halved input products are in `products`.

    A batch is turned over for it: with a column for each sequence the rows of a gate lie
    one behind the other, and NumPy goes through them at once. It takes half the time.
    """
    weight_hh, bias_hn = recurrent
    h = np.ascontiguousarray(state[0].T)
    batched = h.ndim == 2
    inputs = products.swapaxes(1, 2).copy() if batched else products
    hidden = np.empty((len(out), *h.shape), h.dtype) if batched else out
    gates = np.empty((len(weight_hh), *h.shape[1:]), h.dtype)
    split = 2 * len(h)
    r_z, n = gates[:split], gates[split:]
    update = cell_of(gates, r_z, np.full(r_z.shape, 0.5, h.dtype))
    if bias_hn is not None:
        bias_hn = np.broadcast_to(bias_hn, n.T.shape).T.copy()
    for a_rz, a_n, h_t in zip(inputs[:, :split], inputs[:, split:], hidden):
        weight_hh.dot(h, gates)
        add(r_z, a_rz, r_z)
        if bias_hn is not None:
            add(n, bias_hn, n)
        update(h, a_n, h_t)
        h = h_t
    if batched:
        out[...] = hidden.swapaxes(1, 2)
    return (np.ascontiguousarray(h.T),)


def cell_of(gates: Array, r_z: Array, halves: Array) -> Callable[[Array, Array, Array], None]:
    """Return ``update(h, a_n, out)``, which computes h_t into `out`.

    `gates`, of shape (3H[, N]), holds at each call the halved pre-activations of r and z
    and the recurrent product W_hn h + b_hn; it is overwritten. `r_z` is its part for r
    and z, and `halves` fits that. `a_n` is the input product W_in x + b_in.
    """
    size = len(gates) // 3
    r, z, n = gates[:size], gates[size : 2 * size], gates[2 * size :]

    def update(h: Array, a_n: Array, out: Array) -> None:
        tanh(r_z, r_z)
        multiply(r_z, halves, r_z)
        add(r_z, halves, r_z)
        multiply(r, n, n)
        add(n, a_n, n)
        tanh(n, n)
        subtract(h, n, r)
        multiply(r, z, r)
        add(n, r, out)

    return update


GRU = Recurrence(3, step, prepare, advance)

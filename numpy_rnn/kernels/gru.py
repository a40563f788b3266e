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

from numpy_rnn.kernels.gates import like, per_gate
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
    products, gates = x.dot(weights[0].T), h.dot(weights[1].T)
    if len(weights) > 2:
        add(products, weights[2], products)
        add(gates, weights[3], gates)
    size = h.shape[-1]
    halves, hidden = per_gate(HALVES, size, h.dtype), np.empty(h.shape, h.dtype)
    r_z = gates[..., : 2 * size]
    add(r_z, products[..., : 2 * size], r_z)
    multiply(r_z, halves, r_z)
    cell_of(gates, r_z, halves)(h, products[..., 2 * size :], hidden)
    return (hidden,)


def prepare(weights: Weights, _: int) -> Prepared:
    """Transpose the weights, halve the rows of r and z, and add up their biases."""
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
        (multiply(weight_hh.T, factors, order="C"), bias_hn),
    )


def advance(products: Array, state: State, recurrent: Any, out: Array) -> State:
    """Take (h,) through the steps whose halved input products are in `products`."""
    (h,) = state
    weight_hh_t, bias_hn = recurrent
    gates = np.empty((*h.shape[:-1], weight_hh_t.shape[1]), h.dtype)
    split = 2 * h.shape[-1]
    r_z, n = gates[..., :split], gates[..., split:]
    update = cell_of(gates, r_z, like(r_z, per_gate(HALVES, split // 2, h.dtype)))
    if bias_hn is not None:
        bias_hn = like(n, bias_hn)
    for a_rz, a_n, h_t in zip(products[..., :split], products[..., split:], out):
        h.dot(weight_hh_t, gates)
        add(r_z, a_rz, r_z)
        if bias_hn is not None:
            add(n, bias_hn, n)
        update(h, a_n, h_t)
        h = h_t
    return (h,)


def cell_of(gates: Array, r_z: Array, halves: Array) -> Callable[[Array, Array, Array], None]:
    """Return ``update(h, a_n, out)``, which computes h_t into `out`.

    `gates`, of shape ([N,] 3H), holds at each call the halved pre-activations of r and z
    and the recurrent product W_hn h + b_hn; it is overwritten. `r_z` is its part for r
    and z, and `halves` of that shape. `a_n` is the input product W_in x + b_in.
    """
    size = gates.shape[-1] // 3
    r, z, n = gates[..., :size], gates[..., size : 2 * size], gates[..., 2 * size :]

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

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
from typing import TYPE_CHECKING

import numpy as np

from numpy_rnn.recurrence.gates import half_like
from numpy_rnn.recurrence.protocol import Advance, Prepared, Recurrence, State, Weights

if TYPE_CHECKING:
    from numpy_rnn._typing import Array

add, multiply, subtract, tanh = np.add, np.multiply, np.subtract, np.tanh


def step(x: Array, state: State, weights: Weights) -> State:
    """Take one step from (h,)."""
    (h,) = state
    biases = weights[2:]
    batched = h.ndim == 2
    if batched:
        x, h = x.T.copy(), h.T.copy()
        biases = [bias[:, np.newaxis] for bias in biases]
    products, gates = weights[0].dot(x), weights[1].dot(h)
    if biases:
        add(products, biases[0], products)
        add(gates, biases[1], gates)
    split = 2 * len(h)
    r_z = gates[:split]
    half = half_like(r_z)
    add(r_z, products[:split], r_z)
    multiply(r_z, half, r_z)
    hidden = np.empty(h.shape, h.dtype)
    update_of(gates, half)(h, products[split:], hidden)
    return (hidden.T.copy() if batched else hidden,)


def prepare(weights: Weights, _: int) -> Prepared:
    """Halve the rows of r and z, and add up their biases."""
    weight_ih, weight_hh, *biases = weights
    split = len(weight_ih) // 3 * 2
    weight_hh = _halved(weight_hh)
    bias = None
    if biases:
        bias = _halved(biases[0])
        bias[:split] += _halved(biases[1])[:split]

    def advance_like(state: State) -> Advance:
        (like,) = state
        gates = np.empty((len(weight_hh), *like.shape[1:]), like.dtype)
        r_z, n = gates[:split], gates[split:]
        update = update_of(gates, half_like(r_z))
        bias_hn = None
        if biases:
            bias_hn = np.broadcast_to(biases[1][split:], n.T.shape).T.copy()
        product = weight_hh.dot

        def advance(products: Array, state: State, out: Array) -> State:
            """Take (h,) through the steps whose halved input products are in `products`."""
            (h,) = state
            for a_rz, a_n, h_t in zip(products[:, :split], products[:, split:], out):
                product(h, gates)
                add(r_z, a_rz, r_z)
                if bias_hn is not None:
                    add(n, bias_hn, n)
                update(h, a_n, h_t)
                h = h_t
            return (h,)

        return advance

    return Prepared(_halved(weight_ih), bias, True, False, advance_like)


def update_of(gates: Array, half: Array) -> Callable[[Array, Array, Array], None]:
    """Return ``update(h, a_n, out)``, which computes the next state into `out`.

    `gates`, of shape (3 * H[, N]), holds at each call the halved pre-activations of r and
    z and the recurrent product W_hn h + b_hn; it is overwritten. `half` is `half_like` its
    part for r and z. `a_n` is the input product W_in x + b_in.
    """
    size = len(gates) // 3
    r_z, n = gates[: 2 * size], gates[2 * size :]
    r, z = gates[:size], gates[size : 2 * size]

    def update(h: Array, a_n: Array, out: Array) -> None:
        tanh(r_z, r_z)
        multiply(r_z, half, r_z)
        add(r_z, half, r_z)
        multiply(r, n, n)
        add(n, a_n, n)
        tanh(n, n)
        subtract(h, n, r)
        multiply(r, z, r)
        add(n, r, out)

    return update


def _halved(array: Array) -> Array:
    """Return a copy of weights or a bias with the rows of r and z halved."""
    copy = array.copy()
    r_z = copy[: len(copy) // 3 * 2]
    multiply(r_z, 0.5, r_z)
    return copy


GRU = Recurrence(3, step, prepare, additive=False)

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

In memory the gates are o, i, f, g, and c follows: so o, i, f are one array to take sigmoids
of, and (i, f) * (g, c) is one product.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from numpy_rnn.recurrence.gates import half_like
from numpy_rnn.recurrence.protocol import Advance, Prepared, Recurrence, State, Weights

if TYPE_CHECKING:
    from numpy_rnn._typing import Array

add, multiply, tanh = np.add, np.multiply, np.tanh


def step(x: Array, state: State, weights: Weights) -> State:
    """Take one step from (h, c)."""
    h, c = state
    weight_ih, weight_hh, bias, weight_hr = _parts(weights)
    batched = h.ndim == 2
    if batched:
        x, h, c = x.T.copy(), h.T.copy(), c.T
        bias = None if bias is None else bias[:, np.newaxis]
    products = weight_ih.dot(x)
    add(products, weight_hh.dot(h), products)
    if bias is not None:
        add(products, bias, products)
    gates, cell, half, update = gates_and_cell(c)
    _order(products, gates, half)
    hidden = np.empty(c.shape, c.dtype)
    update(hidden)
    if weight_hr is not None:
        hidden = weight_hr.dot(hidden)
    return (hidden.T.copy(), cell.T.copy()) if batched else (hidden, cell)


def prepare(weights: Weights, _: int) -> Prepared:
    """Order the gates as they lie in memory, and add up the biases."""
    weight_ih, weight_hh, bias, weight_hr = _parts(weights)
    weight_hh = _ordered(weight_hh)

    def advance_like(state: State) -> Advance:
        _, like = state
        gates, cell, _, update = gates_and_cell(like)
        product = weight_hh.dot
        unprojected = np.empty(like.shape, like.dtype)

        def advance(products: Array, state: State, out: Array) -> State:
            """Take (h, c) through the steps whose input products are in `products`."""
            h, cell[...] = state
            for a_t, h_t in zip(products, out):
                product(h, gates)
                add(gates, a_t, gates)
                if weight_hr is None:
                    update(h_t)
                else:
                    update(unprojected)
                    weight_hr.dot(unprojected, h_t)
                h = h_t
            return h, cell

        return advance

    bias = None if bias is None else _ordered(bias)
    return Prepared(_ordered(weight_ih), bias, True, False, advance_like)


def gates_and_cell(c: Array) -> tuple[Array, Array, Array, Callable[[Array], None]]:
    """Return memory for the gates, the cell state in it, and what updates it.

    Parameters
    ----------
    c : ndarray of shape (H[, N])
        The cell state to start from.

    Returns
    -------
    gates : ndarray of shape (4 * H[, N])
        For the pre-activations of o, i, f, g, the first three halved.
    cell : ndarray of shape (H[, N])
        A copy of `c`.
    half : ndarray of shape (3 * H[, N])
        `half_like` the part of `gates` for o, i, f.
    update : callable
        ``update(h)`` turns `gates` into gates, computes the next cell state in `cell`,
        and o * tanh(c) into `h`.
    """
    size = len(c)
    memory = np.empty((5 * size, *c.shape[1:]), c.dtype)
    gates, cell = memory[: 4 * size], memory[4 * size :]
    o_i_f = memory[: 3 * size]
    o, i, f = memory[:size], memory[size : 2 * size], memory[2 * size : 3 * size]
    i_f, g_c = memory[size : 3 * size], memory[3 * size :]
    half = half_like(o_i_f)
    cell[...] = c

    def update(h: Array) -> None:
        tanh(gates, gates)
        multiply(o_i_f, half, o_i_f)
        add(o_i_f, half, o_i_f)
        multiply(i_f, g_c, i_f)
        add(i, f, cell)
        tanh(cell, i)
        multiply(o, i, h)

    return gates, cell, half, update


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


def _parts(weights: Weights) -> tuple[Array, Array, Array | None, Array | None]:
    """Return W_ih, W_hh, the sum of b_ih and b_hh or None, and W_hr or None."""
    weight_ih, weight_hh, *rest = weights
    weight_hr = rest.pop() if len(rest) % 2 else None
    return weight_ih, weight_hh, rest[0] + rest[1] if rest else None, weight_hr


LSTM = Recurrence(4, step, prepare, additive=True)

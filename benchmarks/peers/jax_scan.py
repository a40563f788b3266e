"""JAX: ``lax.scan`` over the steps, compiled, with the input products hoisted."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from benchmarks.peers.problem import Peer, Problem


def rnn_step(state: Any, x: Any, w_hh: Any, _: Any) -> Any:
    (h,) = state
    return (jnp.tanh(x + h @ w_hh.T),)


def lstm_step(state: Any, x: Any, w_hh: Any, _: Any) -> Any:
    h, c = state
    i, f, g, o = jnp.split(x + h @ w_hh.T, 4, axis=-1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    return jax.nn.sigmoid(o) * jnp.tanh(c), c


def gru_step(state: Any, x: Any, w_hh: Any, b_hn: Any) -> Any:
    (h,) = state
    i_r, i_z, i_n = jnp.split(x, 3, axis=-1)
    h_r, h_z, h_n = jnp.split(h @ w_hh.T, 3, axis=-1)
    r, z = jax.nn.sigmoid(i_r + h_r), jax.nn.sigmoid(i_z + h_z)
    n = jnp.tanh(i_n + r * (h_n + b_hn))
    return ((1 - z) * n + z * h,)


STEPS = {"RNN": rnn_step, "LSTM": lstm_step, "GRU": gru_step}


def peer(problem: Problem) -> Peer:
    case = problem.case
    step, directions = STEPS[case.kind], case.directions

    @jax.jit
    def layers(x: Any, weights: Any, states: Any) -> Any:
        ends = []
        for first in range(0, len(weights), directions):
            halves = []
            for run in range(first, first + directions):
                w_ih, w_hh, b_ih, b_hh = weights[run]
                # b_hn is inside the reset gate's product; the rest is known beforehand
                inside = b_hh.at[: 2 * case.size].set(0) if case.kind == "GRU" else 0 * b_hh
                products = x @ w_ih.T + b_ih + (b_hh - inside)
                b_hn = inside[-case.size :]

                def advance(state: Any, x_t: Any, w_hh: Any = w_hh, b: Any = b_hn) -> Any:
                    state = step(state, x_t, w_hh, b)
                    return state, state[0]

                start = tuple(state[run] for state in states)
                end, hidden = lax.scan(advance, start, products, reverse=run > first)
                ends.append(end)
                halves.append(hidden)
            x = jnp.concatenate(halves, axis=-1)
        return [x, *(jnp.stack(arrays) for arrays in zip(*ends))]

    arguments = jax.device_put((problem.x, problem.weights, problem.states))
    return Peer(lambda: jax.block_until_ready(layers(*arguments)), arrays)


def arrays(result: Any) -> list[np.ndarray]:
    return [np.asarray(array) for array in result]

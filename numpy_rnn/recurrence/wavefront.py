"""Several layers advanced together, as one wider layer.

For few units a step costs its calls rather than its arithmetic. What advances side by side
is therefore joined: the states one behind the other, the weights as blocks of one matrix.
The blocks that stand for no connection are zeros.

- The two directions of a layer: one reads step t while the other reads step L-1-t.
- Stacked layers, as a wavefront: layer k is at step t-k while the first is at step t, so
  that what it reads is what the layer below computed the step before.

                                        W_hh of layer 0
        joint W_hh of three layers  =   W_ih of layer 1   W_hh of layer 1
                                                          W_ih of layer 2   W_hh of layer 2

Zeros times an infinity are NaN, which then would come from a layer that has no connection.
A NaN stays to the end, so that is where it is looked for, and with one there is no result:
the caller then runs layer by layer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from numpy_rnn.recurrence import heuristics
from numpy_rnn.recurrence.sequence import run_sequence

if TYPE_CHECKING:
    from numpy_rnn._typing import Array
    from numpy_rnn.recurrence.protocol import Recurrence, State, Weights

Blocks: TypeAlias = "dict[tuple[int, int], Array]"
"""The matrices of a joint one that are not zeros, by (row, column) of the block."""


def run_layers_together(
    recurrence: Recurrence, x: Array, weights: Sequence[Weights], starts: Sequence[State]
) -> tuple[Array, list[State]] | None:
    """Run stacked layers of one direction over a single sequence as a wavefront.

    Parameters
    ----------
    recurrence : Recurrence
        What every layer computes.
    x : ndarray of shape (L, H_in)
        The input.
    weights : sequence of weights
        Those of each layer.
    starts : sequence of states
        The state of each layer before the first step, arrays of shape (H,).

    Returns
    -------
    (ndarray of shape (L, H), list of state), or None
        The last layer's hidden states and the last state of each layer; None if this is
        not the way for these sizes, or cannot tell infinities apart.
    """
    layers, steps, size = len(weights), len(x), len(starts[0][0])
    if not (recurrence.joinable and recurrence.additive) or _projected(starts[0]):
        return None
    if layers == 1 or steps < layers:
        return None
    if not heuristics.layers_together(layers, steps, size):
        return None
    states = list(starts)

    def step(layer: int, below: Array) -> Array:
        states[layer] = recurrence.step(below, states[layer], weights[layer])
        return states[layer][0]

    # At the outset layer k is `layers - 1 - k` steps ahead of the last one.
    for t in range(layers - 1):
        below = x[t]
        for layer in range(layers - 1 - t):
            below = step(layer, below)

    joint = _joint_weights(
        recurrence.gates,
        {(0, 0): weights[0][0]},
        {(layer, layer): own[1] for layer, own in enumerate(weights)}
        | {(layer, layer - 1): weights[layer][0] for layer in range(1, layers)},
        weights,
    )
    prepared = recurrence.prepare(joint, 1)
    output = np.empty((steps, size), x.dtype)
    state = _joint_state(states)
    block = heuristics.block_steps(recurrence.gates * layers * size * x.itemsize)
    for t in range(layers - 1, steps, block):
        rows = x[t : t + block]
        hidden = np.empty((len(rows), layers * size), x.dtype)
        state = run_sequence(rows, prepared, state, hidden)
        top = t - layers + 1
        output[top : top + len(rows)] = hidden[:, -size:]
    if not _finite(state):
        return None

    # At the end layer k is k steps behind the first one.
    states = [_part(state, layer, size) for layer in range(layers)]
    for done in range(1, layers):
        for layer in range(layers - 1, done - 1, -1):
            step(layer, states[layer - 1][0])
        output[steps - layers + done] = states[-1][0]
    return output, states


def run_directions_together(
    recurrence: Recurrence,
    x: Array,
    weights: Sequence[Weights],
    starts: Sequence[State],
    output: Array,
) -> list[State] | None:
    """Run a layer in both directions over a single sequence at once.

    Parameters
    ----------
    recurrence : Recurrence
        What the layer computes.
    x : ndarray of shape (L, H_in)
        The input.
    weights : pair of weights
        Forwards and backwards.
    starts : pair of states
        The states before the first step, arrays of shape (H,).
    output : ndarray of shape (L, 2 * H)
        Where the hidden states go.

    Returns
    -------
    list of state, or None
        The last state of each direction; None if this is not the way for these sizes, or
        cannot tell infinities apart. `output` is then undefined.
    """
    steps, size = len(x), len(starts[0][0])
    if not recurrence.joinable or _projected(starts[0]):
        return None
    if not heuristics.directions_together(steps, size):
        return None
    joint = _joint_weights(
        recurrence.gates,
        {(run, run): own[0] for run, own in enumerate(weights)},
        {(run, run): own[1] for run, own in enumerate(weights)},
        weights,
    )
    prepared = recurrence.prepare(joint, 1)
    state = _joint_state(starts)
    block = heuristics.block_steps(recurrence.gates * 2 * size * x.itemsize)
    backwards, output_backwards = x[::-1], output[::-1, size:]
    for first in range(0, steps, block):
        rows = slice(first, first + block)
        both = np.concatenate((x[rows], backwards[rows]), axis=1)
        hidden = np.empty((len(both), 2 * size), x.dtype)
        state = run_sequence(both, prepared, state, hidden)
        output[rows, :size] = hidden[:, :size]
        output_backwards[rows] = hidden[:, size:]
    if not _finite(state):
        return None
    return [_part(state, 0, size), _part(state, 1, size)]


def _joint_weights(
    gates: int, blocks_ih: Blocks, blocks_hh: Blocks, weights: Sequence[Weights]
) -> list[Array]:
    """Return the weights of one layer that does what several do, in torch's order."""
    runs = len(weights)
    matrices = [_joint_matrix(gates, runs, blocks) for blocks in (blocks_ih, blocks_hh)]
    biases = [
        np.concatenate([bias.reshape(gates, -1) for bias in of_runs], axis=1).reshape(-1)
        for of_runs in zip(*[own[2:] for own in weights])
    ]
    return matrices + biases


def _joint_matrix(gates: int, runs: int, blocks: Blocks) -> Array:
    """Return the matrix of shape (gates * runs * H, columns) with these blocks, else zeros."""
    rows, columns = blocks[0, 0].shape
    size = rows // gates
    count = 1 + max(column for _, column in blocks)
    joint = np.zeros((gates, runs * size, count * columns), blocks[0, 0].dtype)
    for (row, column), block in blocks.items():
        place = slice(row * size, row * size + size)
        columns_there = slice(column * columns, column * columns + columns)
        joint[:, place, columns_there] = block.reshape(gates, size, columns)
    return joint.reshape(gates * runs * size, count * columns)


def _projected(state: State) -> bool:
    """Return whether the hidden state has fewer features than the cell state."""
    return len(state[0]) != len(state[-1])


def _finite(state: State) -> bool:
    """Return whether a hidden state is finite; one that is merely huge may count as not."""
    return math.isfinite(state[0].dot(state[0]))


def _joint_state(states: Sequence[State]) -> State:
    return tuple([np.concatenate(arrays) for arrays in zip(*states)])


def _part(state: State, run: int, size: int) -> State:
    return tuple([array[run * size : (run + 1) * size].copy() for array in state])

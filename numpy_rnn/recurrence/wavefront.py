"""Several layers or directions advanced together, as one wider layer.

With few units a step costs its calls rather than its arithmetic. What advances side by side
is therefore joined: the states concatenated, the weights as blocks of one matrix, with
zeros where there is no connection.

- The two directions of a layer: one reads step t while the other reads step L-1-t.
- Stacked layers, as a wavefront: layer k is at step t-k while the first is at step t, so
  that what it reads is what the layer below computed the step before.

                                        W_hh of layer 0
        joint W_hh of three layers  =   W_ih of layer 1   W_hh of layer 1
                                                          W_ih of layer 2   W_hh of layer 2

Zero times infinity is NaN, which would then reach a layer from one that it has no connection
to. A NaN stays until the end, so only the last state is checked. If it has one, nothing is
returned, and the caller runs layer by layer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from numpy_rnn.recurrence import heuristics
from numpy_rnn.recurrence.frozen import joint as kept_joint
from numpy_rnn.recurrence.frozen import take_step
from numpy_rnn.recurrence.sequence import BlocksByRows

if TYPE_CHECKING:
    from numpy_rnn._typing import Array
    from numpy_rnn.recurrence.protocol import PreparedLayer, Recurrence, State, Weights

Matrices: TypeAlias = "dict[tuple[int, int], Array]"
"""The blocks of a joint matrix that are not zeros, by (row, column)."""


def run_wavefront(
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
        slower for these sizes, or an infinity or NaN is among the results.
    """
    layers, steps, size = len(weights), len(x), len(starts[0][0])
    if layers == 1 or steps < layers or _projected(starts[0]) or not recurrence.additive:
        return None
    if not heuristics.as_wavefront(layers, steps, size):
        return None
    states = list(starts)

    def step(layer: int, below: Array) -> Array:
        states[layer] = take_step(recurrence, below, states[layer], weights[layer])
        return states[layer][0]

    # Before the joint steps layer k must be `layers - 1 - k` steps ahead of the last one.
    for t in range(layers - 1):
        below = x[t]
        for layer in range(layers - 1 - t):
            below = step(layer, below)

    def joined() -> PreparedLayer:
        return _joint_layer(
            recurrence,
            {(0, 0): weights[0][0]},
            {(layer, layer): own[1] for layer, own in enumerate(weights)}
            | {(layer, layer - 1): weights[layer][0] for layer in range(1, layers)},
            weights,
        )

    joint = kept_joint("layers", weights, joined)
    output = np.empty((steps, size), x.dtype)
    blocks = BlocksByRows(joint, _joint_state(states), steps - layers + 1)
    for block in blocks.slices():
        inputs = x[layers - 1 :][block]
        hidden = np.empty((len(inputs), layers * size), x.dtype)
        blocks.advance(inputs, hidden)
        output[: steps - layers + 1][block] = hidden[:, -size:]
    state = blocks.state()
    if not _finite(state):
        return None

    # After them layer k has done k steps fewer than the first one.
    states = [_slice_of(state, layer, size) for layer in range(layers)]
    for done in range(1, layers):
        for layer in range(layers - 1, done - 1, -1):
            step(layer, states[layer - 1][0])
        output[steps - layers + done] = states[-1][0]
    return output, states


def run_joint_directions(
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
        an infinity or NaN is among the results. `output` is then undefined.
    """
    steps, size = len(x), len(starts[0][0])
    if _projected(starts[0]) or not heuristics.directions_joined(steps, size):
        return None

    def joined() -> PreparedLayer:
        return _joint_layer(
            recurrence,
            {(direction, direction): own[0] for direction, own in enumerate(weights)},
            {(direction, direction): own[1] for direction, own in enumerate(weights)},
            weights,
        )

    joint = kept_joint("directions", weights, joined)
    backwards, output_backwards = x[::-1], output[::-1, size:]
    blocks = BlocksByRows(joint, _joint_state(starts), steps)
    for block in blocks.slices():
        both = np.concatenate((x[block], backwards[block]), axis=1)
        hidden = np.empty((len(both), 2 * size), x.dtype)
        blocks.advance(both, hidden)
        output[block, :size] = hidden[:, :size]
        output_backwards[block] = hidden[:, size:]
    state = blocks.state()
    if not _finite(state):
        return None
    return [_slice_of(state, 0, size), _slice_of(state, 1, size)]


def _joint_layer(
    recurrence: Recurrence, blocks_ih: Matrices, blocks_hh: Matrices, weights: Sequence[Weights]
) -> PreparedLayer:
    """Return one layer that computes the same as several."""
    gates, parts = len(recurrence.gates), len(weights)
    matrices = [_joint_matrix(gates, parts, blocks) for blocks in (blocks_ih, blocks_hh)]
    biases = [
        np.concatenate([bias.reshape(gates, -1) for bias in same], axis=1).reshape(-1)
        for same in zip(*[own[2:] for own in weights])
    ]
    return recurrence.prepare(matrices + biases, sequences=1)


def _joint_matrix(gates: int, parts: int, blocks: Matrices) -> Array:
    """Return the matrix of shape (gates * parts * H, columns) with these blocks, else zeros."""
    rows, columns = blocks[0, 0].shape
    size = rows // gates
    count = 1 + max(column for _, column in blocks)
    joint = np.zeros((gates, parts * size, count * columns), blocks[0, 0].dtype)
    for (row, column), block in blocks.items():
        place = slice(row * size, row * size + size)
        columns_there = slice(column * columns, column * columns + columns)
        joint[:, place, columns_there] = block.reshape(gates, size, columns)
    return joint.reshape(gates * parts * size, count * columns)


def _projected(state: State) -> bool:
    """Return whether the hidden state has fewer features than the cell state."""
    return len(state[0]) != len(state[-1])


def _finite(state: State) -> bool:
    """Return whether a hidden state is finite; a huge one may count as infinite."""
    return math.isfinite(state[0].dot(state[0]))


def _joint_state(states: Sequence[State]) -> State:
    return tuple([np.concatenate(arrays) for arrays in zip(*states)])


def _slice_of(state: State, number: int, size: int) -> State:
    """Return one layer's or direction's part of a joint state."""
    return tuple([array[number * size : (number + 1) * size].copy() for array in state])

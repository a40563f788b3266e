"""Stacked layers, each in all its directions, over a sequence or for a single step.

Shapes: L steps, N sequences, H_in features in, H_out features out, D directions. [N,] is
left out for a single sequence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from numpy_rnn.floating_point import silent
from numpy_rnn.recurrence.frozen import prepared, take_step
from numpy_rnn.recurrence.sequence import run_sequence
from numpy_rnn.recurrence.wavefront import run_joint_directions, run_wavefront

if TYPE_CHECKING:
    from numpy_rnn._typing import Array
    from numpy_rnn.recurrence.frozen import FrozenWeights
    from numpy_rnn.recurrence.protocol import PreparedLayer, Recurrence, State, Weights

Part: TypeAlias = "tuple[Array, Array]"
"""The input and the output of steps with the same number of sequences."""


@silent
def run_stack(
    recurrence: Recurrence,
    x: Array,
    weights: Sequence[Weights],
    starts: Sequence[State],
    directions: int,
    dropout: Callable[[Array], Array] | None = None,
    batch_sizes: Sequence[int] | None = None,
) -> tuple[Array, list[State]]:
    """Run stacked layers, each in all its directions, over a sequence.

    Parameters
    ----------
    recurrence : Recurrence
        What every layer computes.
    x : ndarray of shape (L, [N,] H_in), or (rows, H_in) if packed
        The input, L > 0; never written to.
    weights : sequence of layers * D weights
        Layer by layer, and for each layer direction by direction.
    starts : sequence of layers * D states
        The states before the first step, in the same order, h of shape ([N,] H_out) and c
        ([N,] H); never written to.
    directions : int
        D: 1, or 2 if layers also run backwards.
    dropout : callable, optional
        Applied to the output of every layer but the last.
    batch_sizes : sequence of int, optional
        If `x` is packed, how many of its rows each step has, in descending order.

    Returns
    -------
    output : ndarray of shape (L, [N,] D * H_out), or (rows, D * H_out) if packed
        The last layer's hidden states.
    ends : list of layers * D states
        The states after the last step. No two results share memory.
    """
    if batch_sizes is None and len(x) == 1:
        return _step(recurrence, x[0], weights, starts, directions, dropout)
    if x.ndim == 2 and batch_sizes is None and directions == 1 and dropout is None:
        result = run_wavefront(recurrence, x, weights, starts)
        if result is not None:
            return result
    ends = []
    for first in range(0, len(weights), directions):
        if first and dropout is not None:
            x = dropout(x)
        own = slice(first, first + directions)
        output = _output(x, starts[own], owned=first > 0)
        ends += _run_layer(recurrence, x, weights[own], starts[own], output, batch_sizes)
        x = output
    return x, ends


@silent
def run_step(recurrence: Recurrence, x: Array, state: State, weights: Weights) -> State:
    """Take a single layer in one direction through a single step, as `Recurrence.step`."""
    return take_step(recurrence, x, state, weights)


@silent
def run_frozen_step(
    x: Array,
    states: State,
    weights: Sequence[FrozenWeights],
    directions: int,
) -> State:
    """Take stacked layers with frozen weights through a single step of a single sequence.

    Parameters
    ----------
    x : ndarray of shape (1, 1, H_in)
    states : tuple of ndarray of shape (layers * D, 1, H)
        The states before the step, of all layers and directions.
    weights : sequence of layers * D FrozenWeights
    directions : int

    Returns
    -------
    tuple of ndarray of shape (layers * D, H), or (H,) of a single one
        Those after it, in memory of their own.
    """
    if len(weights) == 1:
        return weights[0].one_product.step(x, states)
    after = tuple([np.empty(array[:, 0].shape, array.dtype) for array in states])
    for first in range(0, len(weights), directions):
        for number in range(first, first + directions):
            before = tuple([array[number] for array in states])
            state = weights[number].one_product.step(x, before)
            for whole, array in zip(after, state):
                whole[number] = array
        x = after[0][first : first + directions].reshape(-1)
    return after


def _step(
    recurrence: Recurrence,
    x: Array,
    weights: Sequence[Weights],
    starts: Sequence[State],
    directions: int,
    dropout: Callable[[Array], Array] | None,
) -> tuple[Array, list[State]]:
    """Take stacked layers through a single step; `x` has no L axis, the result has.

    This is what streaming costs at every call. The calls cost more than the arithmetic
    there, so it takes as few as it can.
    """
    ends: list[State] = []
    for first in range(0, len(weights), directions):
        if first and dropout is not None:
            x = dropout(x)
        own = slice(first, first + directions)
        passes = zip(starts[own], weights[own])
        ends += [take_step(recurrence, x, start, of_pass) for start, of_pass in passes]
        x = np.concatenate([state[0] for state in ends[first:]], axis=-1)
    return x[np.newaxis], ends


def _run_layer(
    recurrence: Recurrence,
    x: Array,
    weights: Sequence[Weights],
    starts: Sequence[State],
    output: Array,
    batch_sizes: Sequence[int] | None = None,
) -> list[State]:
    """Run one layer in all its directions into `output`; return the last states.

    With one direction `output` may be `x`: each block of it is read before it is written.
    """
    if len(weights) == 1:
        return [_run_pass(recurrence, x, weights[0], starts[0], output, batch_sizes)]
    if x.ndim == 2 and batch_sizes is None:
        ends = run_joint_directions(recurrence, x, weights, starts, output)
        if ends is not None:
            return ends
    size = starts[0][0].shape[-1]
    forwards, backwards = output[..., :size], output[..., size:]
    return [
        _run_pass(recurrence, x, weights[0], starts[0], forwards, batch_sizes),
        _run_pass(recurrence, x, weights[1], starts[1], backwards, batch_sizes, True),
    ]


def _output(x: Array, starts: Sequence[State], owned: bool) -> Array:
    """Return an array for a layer's output: an `owned` input itself if it has that shape."""
    size = starts[0][0].shape[-1]
    if owned and len(starts) == 1 and x.shape[-1] == size:
        return x
    return np.empty((*x.shape[:-1], len(starts) * size), x.dtype)


def _run_pass(
    recurrence: Recurrence,
    x: Array,
    weights: Weights,
    start: State,
    output: Array,
    batch_sizes: Sequence[int] | None,
    backwards: bool = False,
) -> State:
    """Run a layer in one direction into `output`; return the last state."""
    if batch_sizes is None:
        layer = prepared(recurrence, weights, x.shape[1] if x.ndim == 3 else 1)
        if backwards:
            x, output = x[::-1], output[::-1]
        return run_sequence(layer, x, start, output)
    layer = prepared(recurrence, weights, len(start[0]))
    # Views: splitting the first axis never copies.
    parts = [
        (
            x[rows].reshape(steps, count, x.shape[-1]),
            output[rows].reshape(steps, count, output.shape[-1]),
        )
        for rows, steps, count in _equal_batches(batch_sizes)
    ]
    return (_run_widening if backwards else _run_narrowing)(layer, parts, start)


def _run_narrowing(layer: PreparedLayer, parts: Sequence[Part], state: State) -> State:
    """Run forwards: the state narrows by the sequences that end where a part ends."""
    ended: list[State] = []
    for x, output in parts:
        count = x.shape[1]
        ended.append(tuple([array[count:] for array in state]))
        state = tuple([array[:count] for array in state])
        state = run_sequence(layer, x, state, output)
    ended.append(state)
    return tuple([np.concatenate(arrays[::-1]) for arrays in zip(*ended)])


def _run_widening(layer: PreparedLayer, parts: Sequence[Part], start: State) -> State:
    """Run backwards: the state widens by the sequences that end where a part ends."""
    state = tuple([array[:0] for array in start])
    for x, output in reversed(parts):
        begun, count = len(state[0]), x.shape[1]
        state = tuple([np.concatenate((a, b[begun:count])) for a, b in zip(state, start)])
        state = run_sequence(layer, x[::-1], state, output[::-1])
    return state


def _equal_batches(batch_sizes: Sequence[int]) -> Iterator[tuple[slice, int, int]]:
    """Yield the rows, steps and sequences of each run of equal batch sizes.

    >>> list(_equal_batches([3, 3, 2, 1, 1]))
    [(slice(0, 6, None), 2, 3), (slice(6, 8, None), 1, 2), (slice(8, 10, None), 2, 1)]
    """
    row = 0
    for count, equal in groupby(batch_sizes):
        steps = len(list(equal))
        yield slice(row, row + steps * count), steps, count
        row += steps * count

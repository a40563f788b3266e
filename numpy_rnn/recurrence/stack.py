"""Stacked layers, each in all its directions, over a sequence or for a single step.

Shapes: L steps, N sequences, H_in features in, H_out features out, D directions. [N,] is
left out for a single sequence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from numpy_rnn.floating_point import silent
from numpy_rnn.recurrence.sequence import run_sequence
from numpy_rnn.recurrence.wavefront import run_directions_together, run_layers_together

if TYPE_CHECKING:
    from numpy_rnn._typing import Array
    from numpy_rnn.recurrence.protocol import Prepared, Recurrence, State, Weights

Segment: TypeAlias = "tuple[int, int, int]"
"""Steps of packed sequences with the same batch size: (first row, steps, sequences)."""

Part: TypeAlias = "tuple[Array, Array]"
"""The input and the output of such steps, (steps, sequences, features)."""

RunDirection: TypeAlias = "Callable[[Recurrence, Array, Weights, State, Array, bool], State]"
"""``run(recurrence, x, weights, start, output, backwards)``, which returns the end."""


@silent
def run_stack(
    recurrence: Recurrence,
    x: Array,
    weights: Sequence[Weights],
    starts: Sequence[State],
    directions: int,
    between_layers: Callable[[Array], Array] | None = None,
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
        Layer by layer, the directions of a layer one behind the other.
    starts : sequence of layers * D states
        The states before the first step, in the same order, each ([N,] H); never written
        to.
    directions : int
        D: 1, or 2 if layers also run backwards.
    between_layers : callable, optional
        Applied to the output of every layer but the last.
    batch_sizes : sequence of int, optional
        If `x` is packed, how many of its rows each step has; they decrease.

    Returns
    -------
    output : ndarray of shape (L, [N,] D * H_out), or (rows, D * H_out) if packed
        The last layer's hidden states.
    ends : list of layers * D states
        The states after the last step. No two results share memory.
    """
    single = x.ndim == 2 and batch_sizes is None
    if single and directions == 1 and between_layers is None:
        result = run_layers_together(recurrence, x, weights, starts)
        if result is not None:
            return result
    run: RunDirection = _run_direction
    if batch_sizes is not None:
        run = partial(_run_packed, segments(batch_sizes))
    ends: list[State] = []
    for first in range(0, len(weights), directions):
        if first and between_layers is not None:
            x = between_layers(x)
        own = slice(first, first + directions)
        x, layer_ends = _run_layer(run, recurrence, x, weights[own], starts[own], first > 0)
        ends += layer_ends
    return x, ends


@silent
def step_stack(
    recurrence: Recurrence,
    x: Array,
    weights: Sequence[Weights],
    starts: Sequence[State],
    directions: int,
    between_layers: Callable[[Array], Array] | None = None,
) -> tuple[Array, list[State]]:
    """Take stacked layers through a single step.

    This is what `run_stack` computes for a sequence of one step, and what streaming costs
    at every call; the calls cost more than the arithmetic there, so that it takes as few
    as it can. Parameters and results are those of `run_stack` without the L axis.
    """
    if len(weights) == 1:
        state = recurrence.step(x, starts[0], weights[0])
        return state[0].copy(), [state]
    ends: list[State] = []
    for first in range(0, len(weights), directions):
        if first and between_layers is not None:
            x = between_layers(x)
        runs = range(first, first + directions)
        ends += [recurrence.step(x, starts[run], weights[run]) for run in runs]
        x = np.concatenate([state[0] for state in ends[first:]], axis=-1)
    return x, ends


@silent
def step_cell(recurrence: Recurrence, x: Array, state: State, weights: Weights) -> State:
    """Take a single layer through a single step: what a cell computes."""
    return recurrence.step(x, state, weights)


def _run_layer(
    run: RunDirection,
    recurrence: Recurrence,
    x: Array,
    weights: Sequence[Weights],
    starts: Sequence[State],
    owned: bool,
) -> tuple[Array, list[State]]:
    """Run one layer over a sequence.

    With one direction the output may take the place of an input that is `owned`, if it is
    of the same size: each block of it is read before it is written.
    """
    size = starts[0][0].shape[-1]
    width = len(weights) * size
    replace = owned and len(weights) == 1 and x.shape[-1] == size
    output = x if replace else np.empty((*x.shape[:-1], width), x.dtype)
    if len(weights) == 1:
        return output, [run(recurrence, x, weights[0], starts[0], output, False)]
    if run is _run_direction and x.ndim == 2:
        ends = run_directions_together(recurrence, x, weights, starts, output)
        if ends is not None:
            return output, ends
    return output, [
        run(recurrence, x, weights[0], starts[0], output[..., :size], False),
        run(recurrence, x, weights[1], starts[1], output[..., size:], True),
    ]


def _run_direction(
    recurrence: Recurrence,
    x: Array,
    weights: Weights,
    state: State,
    output: Array,
    backwards: bool,
) -> State:
    """Run a layer in one direction into `output`; return the last state."""
    prepared = recurrence.prepare(weights, x.shape[1] if x.ndim == 3 else 1)
    if backwards:
        x, output = x[::-1], output[::-1]
    return run_sequence(x, prepared, state, output)


def _run_packed(
    pieces: Sequence[Segment],
    recurrence: Recurrence,
    x: Array,
    weights: Weights,
    start: State,
    output: Array,
    backwards: bool,
) -> State:
    """Run a layer in one direction over packed sequences; return each one's last state.

    The steps with the same number of sequences are a sequence of their own.
    """
    prepared = recurrence.prepare(weights, len(start[0]))
    parts = []
    for first, steps, count in pieces:
        rows = slice(first, first + steps * count)
        part = x[rows].reshape(steps, count, x.shape[-1])
        target = output[rows].reshape(steps, count, output.shape[-1])
        parts.append((part, target))
    run = _run_widening if backwards else _run_narrowing
    return run(parts, prepared, start)


def _run_narrowing(parts: Sequence[Part], prepared: Prepared, state: State) -> State:
    """Run forwards: the state narrows by the sequences that end where a part ends."""
    ended: list[State] = []
    for x, output in parts:
        count = x.shape[1]
        ended.append(tuple([array[count:] for array in state]))
        state = tuple([array[:count] for array in state])
        state = run_sequence(x, prepared, state, output)
    ended.append(state)
    return tuple([np.concatenate(arrays[::-1]) for arrays in zip(*ended)])


def _run_widening(parts: Sequence[Part], prepared: Prepared, start: State) -> State:
    """Run backwards: the state widens by the sequences that end where a part ends."""
    state = tuple([array[:0] for array in start])
    for x, output in reversed(parts):
        begun, count = len(state[0]), x.shape[1]
        state = tuple([np.concatenate((a, b[begun:count])) for a, b in zip(state, start)])
        state = run_sequence(x[::-1], prepared, state, output[::-1])
    return state


def segments(batch_sizes: Sequence[int]) -> list[Segment]:
    """Return the runs of equal batch sizes as (first row, steps, sequences).

    >>> segments([3, 3, 2, 1, 1])
    [(0, 2, 3), (6, 1, 2), (8, 2, 1)]
    """
    found = []
    row = 0
    for count, steps in groupby(batch_sizes):
        length = len(list(steps))
        found.append((row, length, count))
        row += length * count
    return found

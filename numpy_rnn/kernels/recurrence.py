"""A recurrence over time, and how a stack of layers runs it.

A recurrence is a few pure functions of arrays (`Recurrence`); one module each defines
them. What is here is the same for every recurrence: stacked layers, the two directions,
and the input products of many steps at once in blocks of bounded memory.

Shapes: L steps, N sequences, H_in features in, H_out features out, D directions. [N,] is
left out for a single sequence, since a product with a vector costs less than one with a
matrix of one row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from numpy_rnn.kernels.affine import affine
from numpy_rnn.kernels.floating_point import silent

if TYPE_CHECKING:
    from numpy_rnn._typing import Array

State: TypeAlias = "tuple[Array, ...]"
"""What is carried from step to step, each ([N,] H): (h,), or (h, c) for an LSTM."""

Weights: TypeAlias = "Sequence[Array]"
"""The weights of one direction of a layer, in torch's order."""

Prepared: TypeAlias = "tuple[Array, Array | None, Any]"
"""Those weights as a sequence uses them: W_ih^T of shape (H_in, gates * H), the bias of
shape (gates * H,) of every input product, or None, and what else the recurrence wants."""

Segment: TypeAlias = "tuple[int, int, int]"
"""Steps of packed sequences with the same batch size: (first row, steps, sequences)."""

Part: TypeAlias = "tuple[Array, Array]"
"""The input and the output of such steps, (steps, sequences, features)."""

RunDirection: TypeAlias = "Callable[[Recurrence, Array, Weights, State, Array, bool], State]"
"""``run(recurrence, x, weights, start, output, backwards)``, which returns the end."""

BLOCK_BYTES = 2**20
"""Size of the input products made at a time, so that a block stays in a core's cache."""


class Recurrence(NamedTuple):
    """What defines a recurrence.

    Attributes
    ----------
    gates : int
        Rows of W_ih and W_hh for each hidden unit.
    step : callable
        ``step(x, state, weights)`` returns the state after one step with the input `x`
        of shape ([N,] H_in): the recurrence as its equation has it.
    prepare : callable
        ``prepare(weights, steps)`` returns the `Prepared` for a run of `steps` steps.
    advance : callable
        ``advance(products, state, recurrent, out)`` takes the steps for which the input
        products W_ih x_t + b are there already, as `prepare` wants them. `products` is
        (B, [N,] gates * H); it writes the hidden states into `out`, (B, [N,] H_out), and
        returns the last state, which may share memory with `out`. `recurrent` is the
        last item of `Prepared`. With one gate `out` is `products` itself. Each step of
        either is C-contiguous.
    """

    gates: int
    step: Callable[[Array, State, Weights], State]
    prepare: Callable[[Weights, int], Prepared]
    advance: Callable[[Array, State, Any, Array], State]


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
        The states before the first step, in the same order; never written to.
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
    prepared = recurrence.prepare(weights, len(x))
    if backwards:
        x, output = x[::-1], output[::-1]
    return _run_blocks(recurrence, x, prepared, state, output)


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
    prepared = recurrence.prepare(weights, sum(steps for _, steps, _ in pieces))
    parts = []
    for first, steps, count in pieces:
        rows = slice(first, first + steps * count)
        part = x[rows].reshape(steps, count, x.shape[-1])
        target = output[rows].reshape(steps, count, output.shape[-1])
        parts.append((part, target))
    run = _run_widening if backwards else _run_narrowing
    return run(recurrence, parts, prepared, start)


def _run_narrowing(
    recurrence: Recurrence, parts: Sequence[Part], prepared: Prepared, state: State
) -> State:
    """Run forwards: the state narrows by the sequences that end where a part ends."""
    ended: list[State] = []
    for x, output in parts:
        count = x.shape[1]
        ended.append(tuple([array[count:] for array in state]))
        state = tuple([array[:count] for array in state])
        state = _run_blocks(recurrence, x, prepared, state, output)
    ended.append(state)
    return tuple([np.concatenate(arrays[::-1]) for arrays in zip(*ended)])


def _run_widening(
    recurrence: Recurrence, parts: Sequence[Part], prepared: Prepared, start: State
) -> State:
    """Run backwards: the state widens by the sequences that end where a part ends."""
    state = tuple([array[:0] for array in start])
    for x, output in reversed(parts):
        begun, count = len(state[0]), x.shape[1]
        state = tuple([np.concatenate((a, b[begun:count])) for a, b in zip(state, start)])
        state = _run_blocks(recurrence, x[::-1], prepared, state, output[::-1])
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


def _run_blocks(
    recurrence: Recurrence, x: Array, prepared: Prepared, state: State, output: Array
) -> State:
    """Run a layer through time as `x` has it, block by block; return the last state."""
    weight_ih_t, bias, recurrent = prepared
    gates = recurrence.gates
    # The hidden states go where they belong at once, unless the steps there do not lie
    # one behind the other. With one gate the input products stand in their place before,
    # and so must not overwrite the input.
    in_place = output.flags.c_contiguous and (gates > 1 or not np.may_share_memory(output, x))
    columns = weight_ih_t.shape[1]
    step_bytes = x[0, ..., 0].size * columns * x.itemsize
    block = max(1, BLOCK_BYTES // max(1, step_bytes))
    for first in range(0, len(x), block):
        rows, target = x[first : first + block], output[first : first + block]
        out = target if in_place else np.empty(target.shape, x.dtype)
        products = out if gates == 1 else np.empty((*rows.shape[:-1], columns), x.dtype)
        affine(
            rows.reshape(-1, rows.shape[-1]), weight_ih_t, bias, products.reshape(-1, columns)
        )
        state = recurrence.advance(products, state, recurrent, out)
        if not in_place:
            target[...] = out
    return tuple([array.copy() for array in state])

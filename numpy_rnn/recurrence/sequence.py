"""One layer in one direction over a sequence, in blocks of steps of bounded memory.

The input products of all steps of a block are one matrix product; what is left for each
step is what depends on the step before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from numpy_rnn.recurrence import heuristics
from numpy_rnn.recurrence.blocked_matmul import product

if TYPE_CHECKING:
    from numpy_rnn._typing import Array
    from numpy_rnn.recurrence.protocol import Prepared, State

RunBlock: TypeAlias = "Callable[[Array, State, Array], State]"
"""``run_block(x, state, output)`` runs a block; see `run_sequence`."""


def run_sequence(x: Array, prepared: Prepared, state: State, output: Array) -> State:
    """Run a layer through time as `x` has it.

    Parameters
    ----------
    x : ndarray of shape (L, [N,] H_in)
        The input, any strides; never written to.
    prepared : Prepared
        The layer.
    state : tuple of ndarray, each of shape ([N,] H)
        The state before the first step; never written to.
    output : ndarray of shape (L, [N,] H_out)
        Where the hidden states go, any strides. It may be `x`.

    Returns
    -------
    tuple of ndarray, each of shape ([N,] H)
        The state after the last step, in memory of its own.
    """
    if x.ndim == 3 and x.shape[1] == 1:
        one = tuple([array[0] for array in state])
        return tuple([a[None] for a in run_sequence(x[:, 0], prepared, one, output[:, 0])])
    by_columns = prepared.columns and x.ndim == 3
    state = _turned_over(state) if by_columns else tuple([array.copy() for array in state])
    step_bytes = x[0, ..., 0].size * len(prepared.weight_ih) * x.itemsize
    block = min(len(x), heuristics.block_steps(step_bytes))
    block_like = _columns_like if by_columns else _rows_like
    run_block = block_like(block, x, prepared, state, output)
    for first in range(0, len(x), block):
        steps = slice(first, first + block)
        end = run_block(x[steps], state, output[steps])
        for array, last in zip(state, end):
            array[...] = last
    return _turned_over(state) if by_columns else state


def _rows_like(
    block: int, x: Array, prepared: Prepared, state: State, output: Array
) -> RunBlock:
    """Return what runs up to `block` steps at once, with a row for each sequence."""
    rows = len(prepared.weight_ih)
    # The hidden states go where they belong at once, unless the steps there do not lie
    # one behind the other. With one gate the input products stand in their place before,
    # and so must not overwrite the input.
    single_gate = rows == output.shape[-1]
    in_place = output.flags.c_contiguous
    if single_gate and np.may_share_memory(output, x):
        in_place = False
    hidden = output if in_place else np.empty((block, *output.shape[1:]), x.dtype)
    if not (prepared.reads_inputs or single_gate):
        own_products = np.empty((block, *x.shape[1:-1], rows), x.dtype)
    advance = prepared.advance_like(state)

    def run_block(x: Array, state: State, output: Array) -> State:
        out = output if in_place else hidden[: len(x)]
        if prepared.reads_inputs:
            products = x
        else:
            products = out if single_gate else own_products[: len(x)]
            vectors = x.reshape(-1, x.shape[-1])
            product(vectors, prepared.weight_ih.T, products.reshape(-1, rows))
            if prepared.bias is not None:
                np.add(products, prepared.bias, products)
        state = advance(products, state, out)
        if not in_place:
            output[...] = out
        return state

    return run_block


def _columns_like(
    block: int, x: Array, prepared: Prepared, state: State, output: Array
) -> RunBlock:
    """Return what runs up to `block` steps at once, with a column for each sequence."""
    weight_ih = prepared.weight_ih
    bias = None if prepared.bias is None else prepared.bias[:, np.newaxis]
    rows = len(weight_ih)
    _, sequences, size = output.shape
    memory = np.empty(block * rows * sequences, x.dtype)
    by_step = np.empty((block, rows, sequences), x.dtype)
    single_gate = rows == size
    hidden = by_step if single_gate else np.empty((block, size, sequences), x.dtype)
    advance = prepared.advance_like(state)

    def run_block(x: Array, state: State, output: Array) -> State:
        products, out = by_step[: len(x)], hidden[: len(x)]
        by_row = memory[: products.size].reshape(rows, -1)
        product(weight_ih, x.reshape(-1, x.shape[-1]).T, by_row, products.reshape(rows, -1))
        if bias is not None:
            np.add(by_row, bias, by_row)
        products[...] = by_row.reshape(rows, len(x), sequences).swapaxes(0, 1)
        state = advance(products, state, out)
        output[...] = out.swapaxes(1, 2)
        return state

    return run_block


def _turned_over(state: State) -> State:
    """Return a copy of a state with rows and columns exchanged."""
    return tuple([array.T.copy() for array in state])

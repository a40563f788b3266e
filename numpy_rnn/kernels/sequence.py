"""One layer in one direction over a sequence, in blocks of steps of bounded memory.

The input products of all steps of a block are one matrix product; what is left for each
step is what depends on the step before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from numpy_rnn.kernels import variants
from numpy_rnn.kernels.product import product

if TYPE_CHECKING:
    from numpy_rnn._typing import Array
    from numpy_rnn.kernels.recurrence import Prepared, State


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
    run_block = _block_by_columns if by_columns else _block_by_rows
    if by_columns:
        state = _turned_over(state)
    step_bytes = x[0, ..., 0].size * len(prepared.weight_ih) * x.itemsize
    block = variants.block_steps(step_bytes)
    for first in range(0, len(x), block):
        steps = slice(first, first + block)
        state = run_block(x[steps], prepared, state, output[steps])
    return _turned_over(state) if by_columns else tuple([array.copy() for array in state])


def _block_by_rows(x: Array, prepared: Prepared, state: State, output: Array) -> State:
    rows = len(prepared.weight_ih)
    # The hidden states go where they belong at once, unless the steps there do not lie
    # one behind the other. With one gate the input products stand in their place before,
    # and so must not overwrite the input.
    single_gate = rows == output.shape[-1]
    in_place = output.flags.c_contiguous
    if single_gate and np.may_share_memory(output, x):
        in_place = False
    out = output if in_place else np.empty(output.shape, x.dtype)
    if prepared.reads_inputs:
        products = x
    else:
        products = out if single_gate else np.empty((*x.shape[:-1], rows), x.dtype)
        vectors = x.reshape(-1, x.shape[-1])
        product(vectors, prepared.weight_ih.T, products.reshape(-1, rows))
        if prepared.bias is not None:
            np.add(products, prepared.bias, products)
    state = prepared.advance(products, state, out)
    if not in_place:
        output[...] = out
    return state


def _block_by_columns(x: Array, prepared: Prepared, state: State, output: Array) -> State:
    weight_ih, bias = prepared.weight_ih, prepared.bias
    steps, sequences, size = output.shape
    products = np.empty((len(weight_ih), steps * sequences), x.dtype)
    product(weight_ih, x.reshape(-1, x.shape[-1]).T, products)
    if bias is not None:
        np.add(products, bias[:, np.newaxis], products)
    products = products.reshape(len(weight_ih), steps, sequences).swapaxes(0, 1).copy()
    single_gate = len(weight_ih) == size
    out = products if single_gate else np.empty((steps, size, sequences), x.dtype)
    state = prepared.advance(products, state, out)
    output[...] = out.swapaxes(1, 2)
    return state


def _turned_over(state: State) -> State:
    """Return a copy of a state with rows and columns exchanged."""
    return tuple([array.T.copy() for array in state])

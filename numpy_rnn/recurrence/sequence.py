"""One layer in one direction over a sequence, in blocks of steps of bounded memory.

The input products of all steps of a block are one matrix product; what is left for each
step is what depends on the step before.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from numpy_rnn.recurrence import heuristics
from numpy_rnn.recurrence.blocked_matmul import matmul

if TYPE_CHECKING:
    from numpy_rnn._typing import Array
    from numpy_rnn.recurrence.protocol import Layer, State


def run_sequence(layer: Layer, x: Array, state: State, output: Array) -> State:
    """Run a layer through time, in the order of the rows of `x`.

    Parameters
    ----------
    layer : Layer
        The prepared weights.
    x : ndarray of shape (L, [N,] H_in)
        The input, any strides; never written to.
    state : tuple of ndarray, each of shape ([N,] H)
        The state before the first step; never written to.
    output : ndarray of shape (L, [N,] H_out)
        Where the hidden states go, any strides. It may be `x`.

    Returns
    -------
    tuple of ndarray, each of shape ([N,] H)
        The state after the last step, in new memory.
    """
    if x.ndim == 3 and x.shape[1] == 1:
        one = tuple([array[0] for array in state])
        return tuple([a[None] for a in run_sequence(layer, x[:, 0], one, output[:, 0])])
    kind = BlocksByColumns if layer.by_columns and x.ndim == 3 else BlocksByRows
    blocks = kind(layer, state, len(x))
    for steps in blocks:
        blocks.advance(x[steps], output[steps])
    return blocks.state()


class Blocks(ABC):
    """A run of a layer over a sequence, block by block.

    Iterating yields the steps of each block as a slice. The memory for a block is taken
    once: large memory that is taken again for each block costs page faults.

    Parameters
    ----------
    layer : Layer
        The prepared weights.
    state : tuple of ndarray, each of shape ([N,] H)
        The state before the first step; copied.
    steps : int
        How many steps there are.
    """

    def __init__(self, layer: Layer, state: State, steps: int) -> None:
        *batch, self._size = state[0].shape
        self._rows = len(layer.weight_ih)
        self._dtype = state[0].dtype
        step_bytes = self._rows * math.prod(batch) * self._dtype.itemsize
        self._steps = steps
        self._length = min(steps, heuristics.block_steps(step_bytes))
        self._layer = layer
        # With one gate the input products go where the hidden states then take their place.
        self._one_gate = self._rows == self._size

    def __iter__(self) -> Iterator[slice]:
        for first in range(0, self._steps, self._length):
            yield slice(first, first + self._length)

    @abstractmethod
    def advance(self, x: Array, output: Array) -> None:
        """Run a block, from `x` into `output`, arrays as `run_sequence` takes them."""

    @abstractmethod
    def state(self) -> State:
        """Return the state after the last step, in new memory."""


class BlocksByRows(Blocks):
    """A row for each sequence, or no N axis."""

    def __init__(self, layer: Layer, state: State, steps: int) -> None:
        super().__init__(layer, state, steps)
        self._run = layer.begin(state)
        self._shape = (self._length, *state[0].shape[:-1])
        self._hidden: Array | None = None
        if not (layer.reads_inputs or self._one_gate):
            self._products = np.empty((*self._shape, self._rows), self._dtype)

    def advance(self, x: Array, output: Array) -> None:
        """Run a block; see `Blocks.advance`."""
        layer = self._layer
        # The hidden states go where they belong at once, if the steps there are contiguous,
        # and products that are put there first do not overwrite the input.
        out = output
        overwrites = self._one_gate and np.may_share_memory(output, x)
        if overwrites or not output.flags.c_contiguous:
            if self._hidden is None:
                self._hidden = np.empty((*self._shape, self._size), self._dtype)
            out = self._hidden[: len(x)]
        products = x
        if not layer.reads_inputs:
            products = out if self._one_gate else self._products[: len(x)]
            by_vector = products.reshape(-1, self._rows)
            matmul(x.reshape(-1, x.shape[-1]), layer.weight_ih.T, by_vector)
            if layer.bias is not None:
                np.add(products, layer.bias, products)
        self._run.advance(products, out)
        if out is not output:
            output[...] = out

    def state(self) -> State:
        """Return the state after the last step."""
        return tuple([array.copy() for array in self._run.state()])


class BlocksByColumns(Blocks):
    """A column for each sequence."""

    def __init__(self, layer: Layer, state: State, steps: int) -> None:
        super().__init__(layer, state, steps)
        self._run = layer.begin(tuple([array.T for array in state]))
        sequences = len(state[0])
        self._by_row = np.empty(self._length * self._rows * sequences, self._dtype)
        self._products = np.empty((self._length, self._rows, sequences), self._dtype)
        self._hidden = self._products
        if not self._one_gate:
            self._hidden = np.empty((self._length, self._size, sequences), self._dtype)

    def advance(self, x: Array, output: Array) -> None:
        """Run a block; see `Blocks.advance`."""
        layer, rows = self._layer, self._rows
        products, out = self._products[: len(x)], self._hidden[: len(x)]
        by_row = self._by_row[: products.size].reshape(rows, -1)
        columns = x.reshape(-1, x.shape[-1]).T
        matmul(layer.weight_ih, columns, by_row, products.reshape(rows, -1))
        if layer.bias is not None:
            np.add(by_row, layer.bias[:, np.newaxis], by_row)
        products[...] = by_row.reshape(rows, len(x), -1).swapaxes(0, 1)
        self._run.advance(products, out)
        output[...] = out.swapaxes(1, 2)

    def state(self) -> State:
        """Return the state after the last step."""
        return tuple([array.T.copy() for array in self._run.state()])

"""One layer in one direction over a sequence, in blocks of steps of bounded memory.

The input products of all steps of a block are one matrix product; what is left for each
step is what depends on the step before.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from numpy_rnn.recurrence import heuristics
from numpy_rnn.recurrence.blocked_matmul import matmul

if TYPE_CHECKING:
    from numpy_rnn._typing import Array
    from numpy_rnn.recurrence.protocol import PreparedLayer, State


def run_sequence(layer: PreparedLayer, x: Array, state: State, output: Array) -> State:
    """Run a layer through time, in the order of the rows of `x`.

    Parameters
    ----------
    layer : PreparedLayer
        The prepared weights.
    x : ndarray of shape (L, [N,] H_in)
        The input, any strides; never written to.
    state : tuple of ndarray
        The state before the first step, h of shape ([N,] H_out) and c ([N,] H); never
        written to.
    output : ndarray of shape (L, [N,] H_out)
        Where the hidden states go, any strides. It may be `x`.

    Returns
    -------
    tuple of ndarray
        The state after the last step, of the same shapes, in memory of its own.
    """
    if x.ndim == 3 and x.shape[1] == 1:
        unbatched = tuple([array[0] for array in state])
        end = run_sequence(layer, x[:, 0], unbatched, output[:, 0])
        return tuple([array[np.newaxis] for array in end])
    kind = BlocksByColumns if layer.by_columns and x.ndim == 3 else BlocksByRows
    blocks = kind(layer, state, len(x))
    for steps in blocks.slices():
        blocks.advance(x[steps], output[steps])
    return blocks.state()


class Blocks(ABC):
    """A run of a layer over a sequence, block by block.

    The memory for a block is taken once: large memory that is taken again for each block
    costs page faults.

    Parameters
    ----------
    layer : PreparedLayer
        The prepared weights.
    state : tuple of ndarray
        The state before the first step, h of shape ([N,] H_out) and c ([N,] H); copied.
    steps : int
        How many steps there are.
    """

    def __init__(self, layer: PreparedLayer, state: State, steps: int) -> None:
        h = state[0]
        self._layer = layer
        self._run = layer.begin(self._arranged(state))
        self._size: int = h.shape[-1]
        self._rows = len(layer.weight_ih)
        # With one gate the hidden states take the place of the input products.
        self._one_gate = self._rows == self._size and not layer.reads_inputs
        step_bytes = h.size // max(1, self._size) * self._rows * h.itemsize
        self._steps = steps
        self._length = min(steps, heuristics.block_steps(step_bytes))

    def slices(self) -> Iterator[slice]:
        """Yield the steps of each block, in order."""
        for first in range(0, self._steps, self._length):
            yield slice(first, first + self._length)

    @staticmethod
    @abstractmethod
    def _arranged(state: State) -> State:
        """Return a state as the layer takes it, or back."""

    @abstractmethod
    def advance(self, x: Array, output: Array) -> None:
        """Run a block, from `x` into `output`, arrays as `run_sequence` takes them."""

    def state(self) -> State:
        """Return the state after the last step, in memory of its own; to be called once."""
        return self._arranged(self._run.state())


class BlocksByRows(Blocks):
    """A row for each sequence, or no N axis."""

    def __init__(self, layer: PreparedLayer, state: State, steps: int) -> None:
        super().__init__(layer, state, steps)
        self._shape: tuple[int, ...] = (self._length, *state[0].shape[:-1])
        self._hidden: Array | None = None
        if not (layer.reads_inputs or self._one_gate):
            self._products: Array = np.empty((*self._shape, self._rows), state[0].dtype)

    @staticmethod
    def _arranged(state: State) -> State:
        return state

    def advance(self, x: Array, output: Array) -> None:
        """Run a block; see `Blocks.advance`."""
        layer = self._layer
        # The hidden states go where they belong at once, if the steps there are contiguous,
        # and products that are put there first do not overwrite the input.
        out = output
        overwrites = self._one_gate and np.may_share_memory(output, x)
        if overwrites or not output.flags.c_contiguous:
            if self._hidden is None:
                self._hidden = np.empty((*self._shape, self._size), x.dtype)
            out = self._hidden[: len(x)]
        products = x
        if not layer.reads_inputs:
            products = out if self._one_gate else self._products[: len(x)]
            vectors = x if x.ndim == 2 else x.reshape(-1, x.shape[-1])
            matmul(vectors, layer.weight_ih.T, products.reshape(-1, self._rows))
            if layer.bias is not None:
                np.add(products, layer.bias, products)
        self._run.advance(products, out)
        if out is not output:
            output[...] = out


class BlocksByColumns(Blocks):
    """A column for each sequence."""

    def __init__(self, layer: PreparedLayer, state: State, steps: int) -> None:
        super().__init__(layer, state, steps)
        sequences, dtype = len(state[0]), state[0].dtype
        self._by_row: Array = np.empty(self._length * self._rows * sequences, dtype)
        self._products: Array = np.empty((self._length, self._rows, sequences), dtype)
        self._hidden: Array = self._products
        if not self._one_gate:
            self._hidden = np.empty((self._length, self._size, sequences), dtype)

    @staticmethod
    def _arranged(state: State) -> State:
        return tuple([array.T.copy() for array in state])

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

"""What a recurrence is: the nouns that each kind of layer defines, and the engine uses.

A `Recurrence` holds the equation. It takes single steps with live weights, and prepares
weights for many steps: a `Layer`. A layer begins a `Run`, which owns its state and the
memory that its steps work in. `elman`, `lstm` and `gru` each define the three for one
equation; `sequence` and `stack` run any of them.

Shapes: B steps, N sequences, H_in features in, H hidden units, H_out features out (H,
except for a projection). [N,] is left out for a single sequence, since a product with a
vector costs less than one with a matrix of one row or column.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from numpy_rnn._typing import Array

State: TypeAlias = "tuple[Array, ...]"
"""What is carried from step to step: (h,), or (h, c) for an LSTM."""

Weights: TypeAlias = "Sequence[Array]"
"""The weights of one direction of a layer, in torch's order."""


class Inside(NamedTuple):
    """What happened inside a step: the arrays by gate, and the state after it.

    Attributes
    ----------
    pre_activations : dict of str to ndarray of shape ([N,] H)
        What each gate's sigmoid or tanh was applied to.
    gates : dict of str to ndarray of shape ([N,] H)
        The gates; empty for an Elman layer, whose only activation is its hidden state.
    state : tuple of ndarray
        The state after the step.
    """

    pre_activations: dict[str, Array]
    gates: dict[str, Array]
    state: State


class Recurrence(ABC):
    """An equation for the state after a step, given the input and the state before.

    Attributes
    ----------
    mode : str
        torch's name for it, such as ``'LSTM'``.
    gates : tuple of str
        The blocks of rows in W_ih and W_hh, H rows each, in torch's order.
    sigmoids : tuple of str
        Those that are sigmoids, so between 0 and 1.
    state : tuple of str
        The arrays that are carried from step to step, ``'h'`` first.
    additive : bool
        Whether only the sum of W_ih x and W_hh h matters, so that an input may just as
        well be part of the state. A wavefront of stacked layers relies on it.
    """

    mode: str
    gates: tuple[str, ...]
    sigmoids: tuple[str, ...] = ()
    state: tuple[str, ...] = ("h",)
    additive: bool = True

    @abstractmethod
    def step(self, x: Array, state: State, weights: Weights) -> State:
        """Return the state after one step.

        Parameters
        ----------
        x : ndarray of shape ([N,] H_in)
            The input.
        state : tuple of ndarray, each of shape ([N,] H)
            The state before the step; never written to.
        weights : sequence of ndarray
            As the module holds them: a single step copies none of them.

        Returns
        -------
        tuple of ndarray, each of shape ([N,] H)
            In new memory.
        """

    @abstractmethod
    def inside(self, x: Array, state: State, weights: Weights) -> Inside:
        """Take the same step and return what happened inside it."""

    @abstractmethod
    def prepare(self, weights: Weights, sequences: int) -> Layer:
        """Return the layer for runs over at most `sequences` sequences."""


class Layer(ABC):
    """The weights of one direction of a layer, prepared for many steps.

    Attributes
    ----------
    weight_ih : ndarray of shape (gates * H, H_in)
        The matrix of the input products.
    bias : ndarray of shape (gates * H,), or None
        What is added to each of them.
    by_columns : bool
        Whether a batch is transposed for the steps, to a column for each sequence. The
        values of a gate are then contiguous, and W_hh is used as it is.
    reads_inputs : bool
        Whether the steps of a single sequence take the inputs x_t themselves instead of
        their products.
    """

    weight_ih: Array
    bias: Array | None
    by_columns: bool = True
    reads_inputs: bool = False

    @abstractmethod
    def begin(self, state: State) -> Run:
        """Return a run that starts from a copy of `state`.

        Each array is of shape (H[, N]) if `by_columns`, else ([N,] H).
        """


class Run(ABC):
    """A layer on its way through a sequence: its state, and the memory of its steps."""

    @abstractmethod
    def advance(self, products: Array, out: Array) -> None:
        """Take B steps.

        Parameters
        ----------
        products : ndarray of shape (B, gates * H[, N]) if by columns, or (B, [N,] gates * H)
            ``W_ih x_t + b`` of each step, or the inputs if the layer reads them. With one
            gate this is `out` itself, and overwritten.
        out : ndarray of shape (B, H_out[, N]), or (B, [N,] H_out)
            Where the hidden states go.
        """

    @abstractmethod
    def state(self) -> State:
        """Return the state after the last step, which later steps overwrite."""

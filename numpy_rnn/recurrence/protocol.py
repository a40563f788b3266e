"""What a recurrence is: the nouns that each kind of layer defines, and the engine uses.

A `Recurrence` holds the equation. It takes single steps with live weights, and prepares
weights for many steps: a `PreparedLayer`. That begins a `Run`, which owns its state and
the memory that its steps work in. `elman`, `lstm` and `gru` each define the three for one
equation; `sequence` and `stack` run any of them.

Shapes: B steps, N sequences, H_in features in, H hidden units, H_out features out (H,
except for a projection). [N,] is left out for a single sequence, since a product with a
vector costs less than one with a matrix of one row or column.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

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


class StepGradient(NamedTuple):
    """The gradients of a loss that flow backwards through a step.

    Attributes
    ----------
    after : tuple of ndarray
        With respect to the state after the step, along all ways to the loss: of an LSTM that
        of c has what comes through h.
    inputs : ndarray of shape (N, gates * H)
        With respect to W_ih x + b_ih, and so to the pre-activations of the gates.
    recurrent : ndarray of shape (N, gates * H)
        With respect to W_hh h + b_hh: the same, but in a GRU.
    before : tuple of ndarray
        With respect to the state before the step.
    unprojected : ndarray of shape (N, H), or None
        What a projection W_hr multiplied, for the gradient with respect to W_hr.
    """

    after: State
    inputs: Array
    recurrent: Array
    before: State
    unprojected: Array | None = None


class Recurrence(ABC):
    """An equation for the state after a step, given the input and the state before.

    Attributes
    ----------
    mode : str
        torch's name for it, such as ``'LSTM'``.
    gates : tuple of str
        The blocks of rows in W_ih and W_hh, H rows each, in torch's order. An Elman layer
        has one block, though no gate.
    sigmoids : tuple of str
        Those that are sigmoids, so between 0 and 1.
    state_names : tuple of str
        The arrays that are carried from step to step, ``'h'`` first.
    additive : bool
        Whether a step depends on the sum W_ih x + W_hh h alone. It does not in a GRU, whose
        reset gate multiplies one of the two. Only if it does can stacked layers run as a
        wavefront, where the output of a layer is part of the joint state.

    Notes
    -----
    Weights are W_ih, W_hh and, if there are biases, b_ih and b_hh, each with H rows per
    gate; an LSTM's projection W_hr is last. Apart from the products with W_hh and W_hr a
    unit depends on its own gates and state alone: `wavefront` relies on it to join several
    layers into one wider layer.
    """

    mode: str
    gates: tuple[str, ...]
    sigmoids: tuple[str, ...] = ()
    state_names: tuple[str, ...] = ("h",)
    additive: bool = True

    @abstractmethod
    def step(self, x: Array, state: State, weights: Weights) -> State:
        """Return the state after one step.

        Parameters
        ----------
        x : ndarray of shape ([N,] H_in)
            The input.
        state : tuple of ndarray
            The state before the step, h of shape ([N,] H_out) and c ([N,] H); never
            written to.
        weights : sequence of ndarray
            As the module holds them: a single step copies none of them.

        Returns
        -------
        tuple of ndarray
            Of the same shapes, in memory of their own.
        """

    @abstractmethod
    def inside(self, x: Array, state: State, weights: Weights) -> Inside:
        """Take the same step and return what happened inside it."""

    @abstractmethod
    def backward(
        self, inside: Inside, state: State, weights: Weights, gradient: State
    ) -> StepGradient:
        """Take a step backwards, through which the gradient of a loss flows.

        Parameters
        ----------
        inside : Inside
            What happened inside the step, for N sequences.
        state : tuple of ndarray
            The state before it.
        weights : sequence of ndarray
        gradient : tuple of ndarray
            With respect to the state after it, of the shapes of `state`.
        """

    @abstractmethod
    def one_product(self, weights: Weights) -> OneProduct:
        """Return what takes single steps with weights that never change."""

    def way(self, weights: Weights, sequences: int) -> Hashable:  # noqa: ARG002  # one way
        """Return what `prepare` chooses by the number of sequences."""
        return None

    @abstractmethod
    def prepare(self, weights: Weights, sequences: int) -> PreparedLayer:
        """Return the layer for runs over at most `sequences` sequences."""


class PreparedLayer(ABC):
    """The weights of one direction of a layer, prepared for many steps.

    Attributes
    ----------
    weight_ih : ndarray of shape (gates * H, H_in)
        The matrix of the input products.
    bias : ndarray of shape (gates * H,), or None
        What is added to each of them; None if there are no biases, or the steps add them.
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

        Its arrays are transposed, (H[, N]), if `by_columns`.
        """


class Run(ABC):
    """A prepared layer on its way through a sequence: its state, and memory for a step.

    Parameters
    ----------
    h : ndarray of shape (H_out[, N]) if by columns, or ([N,] H_out)
        The hidden state to start from, which is copied.
    """

    def __init__(self, h: Array) -> None:
        self._h = h.copy()

    @abstractmethod
    def advance(self, products: Array, out: Array) -> None:
        """Take B steps.

        Parameters
        ----------
        products : ndarray of shape (B, gates * H[, N]) if by columns, or (B, [N,] gates * H)
            ``W_ih x_t + b`` of each step, or the inputs if the layer reads them. If it has
            one gate and does not read inputs, this is `out` itself.
        out : ndarray of shape (B, H_out[, N]), or (B, [N,] H_out)
            Where the hidden states go.
        """

    def state(self) -> State:
        """Return the state after the last step, in memory of its own; to be called once."""
        return (self._h,)


def step_vectors(h: Array, x: Array, columns: int) -> Array:
    """Return what one matrix multiplies in each step of a single sequence: ``[h_{t-1} x_t 1]``.

    Parameters
    ----------
    h : ndarray of shape (H_out,)
        The hidden state before the first step.
    x : ndarray of shape (B, H_in)
    columns : int
        H_out + H_in, or one more if there is a bias.

    Returns
    -------
    ndarray of shape (B + 1, columns)
        The hidden state after step t belongs into its row t + 1, where the next step reads it.
    """
    size, end = len(h), len(h) + x.shape[1]
    vectors = np.empty((len(x) + 1, columns), x.dtype)
    vectors[0, :size] = h
    vectors[:-1, size:end] = x
    vectors[:, end:] = 1.0
    return vectors


class OneProduct(ABC):
    """Single steps of a single sequence, with weights that never change as one matrix.

    The product of ``[W_hh W_ih b]`` with the vector ``[h x 1]`` is all that a step depends on.
    The vector, and whatever else a step writes to, belongs to the thread, so that threads may
    share the weights.

    Parameters
    ----------
    weight : ndarray of shape (rows, H_out + H_in[ + 1])
    hidden_size : int
        H_out.
    has_bias : bool
        Whether the last column is the bias.
    """

    def __init__(self, weight: Array, hidden_size: int, has_bias: bool) -> None:
        rows, columns = weight.shape
        # A product takes up to a quarter less time if this is a multiple of 16, by columns.
        self._weight = np.zeros((rows, -(-columns // 16) * 16), weight.dtype, order="F")
        self._weight[:, :columns] = weight
        self._thread = StepMemory(self._weight, columns - has_bias, hidden_size)

    @abstractmethod
    def step(self, x: Array, state: State) -> State:
        """Return the state after one step.

        Parameters
        ----------
        x : ndarray of shape (H_in,)
            The input.
        state : tuple of ndarray
            The state before the step, h of shape (H_out,) and c (H,). They and `x` may have
            more axes of length 1 before that.

        Returns
        -------
        tuple of ndarray
            Of shapes (H_out,) and (H,), in memory of their own.
        """


class BatchedOneProduct(OneProduct):
    """The same, which takes batches by one product too, a column for each sequence."""

    @abstractmethod
    def step_batch(self, x: Array, state: State) -> State:
        """Return the state after one step of N sequences.

        Parameters
        ----------
        x : ndarray of shape (N, H_in)
        state : tuple of ndarray
            The state before the step, h of shape (N, H_out) and c (N, H).

        Returns
        -------
        tuple of ndarray
            Of the same shapes, in memory of their own.
        """

    def _columns(self, x: Array, h: Array) -> Array:
        """Return the vector of each sequence as a column, of shape (columns, N)."""
        size, end = h.shape[1], h.shape[1] + x.shape[1]
        columns: Array = np.empty((self._weight.shape[1], len(x)), x.dtype)
        columns[:size] = h.T
        columns[size:end] = x.T
        columns[end:] = 1.0  # of the bias; the weights of rows after it are zeros
        return columns


class StepMemory(threading.local):
    """What a step works in, one for each thread.

    Attributes
    ----------
    vector : ndarray
        ``[h x 1]``, and zeros.
    h, x : ndarray
        The parts of it that change.
    """

    def __init__(self, weight: Array, end: int, hidden_size: int) -> None:
        self.vector: Array = np.zeros(weight.shape[1], weight.dtype)
        self.vector[end:] = 1.0  # of the bias; columns after it are zeros
        self.h: Array = self.vector[:hidden_size]
        self.x: Array = self.vector[hidden_size:end]

"""What a recurrence is: a few pure functions of arrays.

One module each defines one (`elman`, `lstm`, `gru`). What runs any of them over a sequence
is in `sequence` and `stack`.

Shapes: B steps, N sequences, H_in features in, H hidden units, H_out features out (H, but
for a projection). [N,] is left out for a single sequence, since a product with a vector
costs less than one with a matrix of one row or column.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from numpy_rnn._typing import Array

State: TypeAlias = "tuple[Array, ...]"
"""What is carried from step to step: (h,), or (h, c) for an LSTM."""

Weights: TypeAlias = "Sequence[Array]"
"""The weights of one direction of a layer, in torch's order."""

Advance: TypeAlias = "Callable[[Array, State, Array], State]"
"""``advance(products, state, out)``: see `Prepared`."""

AdvanceLike: TypeAlias = "Callable[[State], Advance]"
"""Given a state, returns an `Advance` for states of its shape and dtype."""


class Prepared(NamedTuple):
    """The weights of a layer, made ready for a run over many steps.

    Attributes
    ----------
    weight_ih : ndarray of shape (gates * H, H_in)
        What the input products are made with.
    bias : ndarray of shape (gates * H,), or None
        What is added to each of them.
    columns : bool
        Whether a batch is turned over for the steps, a column for each sequence. The
        values of a gate then lie one behind the other, and W_hh is used as it is.
    reads_inputs : bool
        Whether the steps take the inputs x_t themselves in place of their products; for
        a single sequence alone.
    advance_like : callable
        ``advance = advance_like(state)`` takes the memory that the steps work in, for
        states shaped as `state`. ``advance(products, state, out)`` then takes a state
        through B steps, the products ``W_ih x_t + b`` of which are made. It writes the
        hidden states into `out` and returns the last state, which may share memory with
        `out` or be overwritten by the next call, which takes it as it is; it leaves any
        other `state` as it is. `products` is of shape (B, gates * H[, N]), `out`
        (B, H_out[, N]) and the state (H[, N]) by columns; (B, [N,] gates * H),
        (B, [N,] H_out) and ([N,] H) if not. All are C-contiguous from step to step. With
        one gate, `out` is `products`.
    """

    weight_ih: Array
    bias: Array | None
    columns: bool
    reads_inputs: bool
    advance_like: AdvanceLike


class Recurrence(NamedTuple):
    """What defines a recurrence.

    Attributes
    ----------
    gates : int
        Rows of W_ih and W_hh for each hidden unit.
    step : callable
        ``step(x, state, weights)`` returns the state after one step with the input `x`
        of shape ([N,] H_in): the recurrence as its equation has it. States are ([N,] H).
    prepare : callable
        ``prepare(weights, sequences)`` returns the `Prepared` for a run over at most
        `sequences` sequences.
    additive : bool
        Whether only the sum of W_ih x and W_hh h matters, so that an input may as well be
        a part of the state: what it takes to advance stacked layers together.
    joinable : bool
        Whether layers and directions may be advanced together at all.
    """

    gates: int
    step: Callable[[Array, State, Weights], State]
    prepare: Callable[[Weights, int], Prepared]
    additive: bool
    joinable: bool = True

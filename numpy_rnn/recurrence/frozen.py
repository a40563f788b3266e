"""Weights that never change, and what is kept of them: no step and no sequence prepares again.

Live weights may be edited between two calls, so every call orders gates and adds up biases
anew. Of frozen ones the matrices are made once: one product ``W [h x 1]`` for a single step,
and the prepared layers of sequences.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING

from numpy_rnn.recurrence import heuristics
from numpy_rnn.recurrence.protocol import BatchedOneProduct

if TYPE_CHECKING:
    from numpy_rnn._typing import Array
    from numpy_rnn.recurrence.protocol import PreparedLayer, Recurrence, State, Weights


class FrozenWeights(tuple["Array", ...]):
    """The weights of one direction of a layer, read-only, with what is derived from them.

    Attributes
    ----------
    one_product : OneProduct
        For single steps.
    layers : dict of PreparedLayer
        For sequences, by the way of computing. A layer is made when it is first needed; two
        threads that need it at once make it twice, and either is kept.
    """

    def __new__(cls, recurrence: Recurrence, weights: Weights) -> FrozenWeights:
        """Make the matrix of single steps."""
        self = super().__new__(cls, weights)
        self.one_product = recurrence.one_product(weights)
        self.layers = {}
        return self

    if TYPE_CHECKING:
        from numpy_rnn.recurrence.protocol import OneProduct

        one_product: OneProduct
        layers: dict[Hashable, PreparedLayer]


def take_step(recurrence: Recurrence, x: Array, state: State, weights: Weights) -> State:
    """Return the state after one step, as `Recurrence.step`."""
    if type(weights) is FrozenWeights:
        one_product = weights.one_product
        if x.ndim == 1:
            return one_product.step(x, state)
        few_units = heuristics.batch_in_one_product(state[-1].shape[1])
        if few_units and isinstance(one_product, BatchedOneProduct):
            return one_product.step_batch(x, state)
    return recurrence.step(x, state, weights)


def prepared(recurrence: Recurrence, weights: Weights, sequences: int) -> PreparedLayer:
    """Return the layer for sequences, as `Recurrence.prepare`."""
    if type(weights) is not FrozenWeights:
        return recurrence.prepare(weights, sequences)
    key = recurrence.way(weights, sequences)
    return _kept(weights, key, lambda: recurrence.prepare(weights, sequences))


def joint(
    kind: str, weights: Sequence[Weights], make: Callable[[], PreparedLayer]
) -> PreparedLayer:
    """Return a layer that several are joined in; the first keeps it if they are frozen."""
    first = weights[0]
    return _kept(first, kind, make) if type(first) is FrozenWeights else make()


def _kept(
    weights: FrozenWeights, key: Hashable, make: Callable[[], PreparedLayer]
) -> PreparedLayer:
    layer = weights.layers.get(key)
    if layer is None:
        layer = weights.layers[key] = make()
    return layer

"""Backpropagation through time: how the gradient of a loss flows back through a layer.

The steps are taken in reverse. Each of them turns the gradient with respect to the state after
it into that with respect to the state before it, by the equations beside those of the step
(`numpy_rnn.recurrence.lstm` and its neighbours). The gradients of the weights are then sums
over steps, and one product each.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeVar, overload

import numpy as np

from numpy_rnn._typing import AnyArray, Array, Hx
from numpy_rnn.floating_point import silent
from numpy_rnn.recurrence.protocol import Inside
from numpy_rnn.utils.rnn import PackedSequence

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from numpy_rnn.recurrence.protocol import Recurrence, State, Weights
else:
    Figure = Any  # so that `typing.get_type_hints` needs no matplotlib

__all__ = ["Gradients", "LayerGradients"]

Output = TypeVar("Output", bound=Array | PackedSequence)


class Named(Protocol):
    """One of the layers of a `ByLayer`."""

    @property
    def name(self) -> str:
        """As in the names of the parameters."""


OfLayer = TypeVar("OfLayer", bound=Named)


class ByLayer(Generic[OfLayer]):
    """What has something for each layer and direction, by name or place.

    Attributes
    ----------
    layers : tuple
        Layer by layer, forward before backward.
    """

    layers: tuple[OfLayer, ...]

    def __iter__(self) -> Iterator[OfLayer]:
        """Yield the layers."""
        return iter(self.layers)

    def __contains__(self, name: object) -> bool:
        """Return whether there is a layer of that name."""
        return any(layer.name == name for layer in self.layers)

    def __len__(self) -> int:
        """Return how many layers there are, each direction counted."""
        return len(self.layers)

    @overload
    def __getitem__(self, key: str | int) -> OfLayer: ...
    @overload
    def __getitem__(self, key: slice) -> tuple[OfLayer, ...]: ...
    def __getitem__(self, key: str | int | slice) -> OfLayer | tuple[OfLayer, ...]:
        """Return the layer of that name, or at that place in `layers`."""
        if not isinstance(key, str):
            return self.layers[key]
        for layer in self.layers:
            if layer.name == key:
                return layer
        names = ", ".join(layer.name for layer in self.layers)
        raise KeyError(f"no layer {key!r}: the layers are {names}")


@dataclass(frozen=True, repr=False, eq=False)
class LayerGradients:
    """The gradients of a loss at every step of one direction of one layer.

    Arrays are laid out as those of the `LayerTrace` of the same name.

    Attributes
    ----------
    name : str
        As in the names of the parameters: ``'l0'``, ``'l0_reverse'``; ``'cell'`` for a cell.
    hidden : ndarray
        With respect to the hidden states, along all ways to the loss: through the output of
        the step, through the layers above, and through the steps after it.
    cell : ndarray or None
        With respect to the cell states of an LSTM, likewise.
    pre_activations : dict of str to ndarray
        With respect to what each gate's sigmoid or tanh was applied to.
    """

    name: str
    hidden: Array
    cell: Array | None = None
    pre_activations: dict[str, Array] = field(default_factory=dict)

    def __repr__(self) -> str:
        cell = "" if self.cell is None else ", cell"
        return (
            f"LayerGradients({self.name}: hidden{cell}, pre_activations; {self.hidden.shape})"
        )


@dataclass(frozen=True, repr=False, eq=False)
class Gradients(ByLayer[LayerGradients], Generic[Output, Hx]):
    """The gradients of a loss with respect to all that a recurrent layer or cell works with.

    Attributes
    ----------
    input : ndarray or PackedSequence
        With respect to the input, of its shape.
    hx : ndarray, or pair of ndarrays
        With respect to the initial state, zeros if none was given, of the shape of h_n.
    parameters : dict of str to ndarray
        By torch's names: ``'weight_ih_l0'`` and so on.
    layers : tuple of LayerGradients
        Layer by layer, forward before backward.
    """

    input: Output
    hx: Hx
    parameters: dict[str, Array]
    layers: tuple[LayerGradients, ...]
    batch_first: bool = False

    def plot(
        self,
        path: str | os.PathLike[str] | IO[bytes] | None = None,
        labels: Sequence[str] | None = None,
        *,
        sequence: int = 0,
    ) -> Figure:
        """Draw how large the gradient is at each step of each layer, on a logarithmic scale.

        Parameters
        ----------
        path : str, path, or binary file, optional
            The file to write; its suffix determines the format (png, svg, pdf).
        labels : sequence of str, optional
            What to write at the steps, for instance the letters of a word.
        sequence : int
            Which sequence of a batch to draw; 0 if there is no batch.

        Returns
        -------
        matplotlib.figure.Figure
            A line for each layer and direction: the length of the gradient with respect to
            its hidden state.

        Raises
        ------
        ImportError
            If matplotlib is not installed (``pip install matplotlib``).
        ValueError
            If they are those of a cell or of a packed input, or if `labels` does not have an
            element for each step.
        IndexError
            If there is no such sequence.

        Examples
        --------
        >>> import numpy as np
        >>> import numpy_rnn as nn
        >>> t = nn.trace(nn.LSTM(3, 8), np.ones((5, 3), np.float32))
        >>> figure = t.backward(h_n=np.ones((1, 8), np.float32)).plot(labels="hello")
        >>> [line.get_label() for line in figure.axes[0].get_lines()]
        ['l0 hidden', 'l0 cell']
        """
        from numpy_rnn.plotting import draw_gradients

        figure = draw_gradients(self, labels, sequence)
        if path is not None:
            figure.savefig(path)
        return figure

    def __repr__(self) -> str:
        data = self.input.data if isinstance(self.input, PackedSequence) else self.input
        return "\n  ".join([f"Gradients(input {data.shape})", *map(repr, self.layers)])


class Steps(NamedTuple):
    """One direction of a layer, step by step: what the way back needs.

    Arrays are of rows, a row for each step of each sequence.

    Attributes
    ----------
    name : str
    recurrence : Recurrence
    weights : sequence of ndarray
        Copies: the gradients are those of the weights that the trace saw.
    x : ndarray of shape (rows, H_in)
        The inputs.
    states : tuple of ndarray of shape (N + rows, H)
        The states that the sequences start from, and then those after each row.
    pre_activations, gates : dict of str to ndarray of shape (rows, H)
    order : sequence of (slice, ndarray)
        The rows of each step, and where the states before it are in `states`.
    """

    name: str
    recurrence: Recurrence
    weights: Weights
    x: Array
    states: State
    pre_activations: dict[str, Array]
    gates: dict[str, Array]
    order: Sequence[tuple[slice, AnyArray]]


class WayBack(NamedTuple):
    """What a way back through `Steps` gives.

    Attributes
    ----------
    states : tuple of ndarray of shape (rows, H)
        The gradients with respect to the states after each step.
    pre_activations : dict of str to ndarray of shape (rows, H)
    x : ndarray of shape (rows, H_in)
    start : tuple of ndarray of shape (N, H)
        With respect to the states that the sequences start from.
    weights : list of ndarray
    """

    states: State
    pre_activations: dict[str, Array]
    x: Array
    start: State
    weights: list[Array]


@silent
def back_through_time(steps: Steps, output: Array, last: State) -> WayBack:
    """Take all steps of one direction of a layer in reverse.

    Parameters
    ----------
    steps : Steps
    output : ndarray of shape (rows, H_out)
        The gradient with respect to the output of the direction.
    last : tuple of ndarray of shape (N, H)
        That with respect to the last states.
    """
    recurrence, weights = steps.recurrence, steps.weights
    sequences = len(last[0])
    latest = tuple([array.copy() for array in last])
    after = tuple([np.empty((len(output), array.shape[1]), array.dtype) for array in last])
    inputs = np.empty((len(output), len(weights[0])), output.dtype)
    recurrent = np.empty_like(inputs)
    h_before = np.empty_like(after[0])
    unprojected = np.empty(
        (len(output), weights[1].shape[0] // len(recurrence.gates)), output.dtype
    )
    for rows, before in reversed(steps.order):
        count = rows.stop - rows.start
        gradient = (latest[0][:count] + output[rows], *[array[:count] for array in latest[1:]])
        state = tuple([array[before] for array in steps.states])
        inside = Inside(
            {name: array[rows] for name, array in steps.pre_activations.items()},
            {name: array[rows] for name, array in steps.gates.items()},
            tuple([array[sequences:][rows] for array in steps.states]),
        )
        found = recurrence.backward(inside, state, weights, gradient)
        for whole, part in zip(after, found.after):
            whole[rows] = part
        for whole, part in zip(latest, found.before):
            whole[:count] = part
        inputs[rows], recurrent[rows], h_before[rows] = found.inputs, found.recurrent, state[0]
        if found.unprojected is not None:
            unprojected[rows] = found.unprojected
    ones = np.ones(len(output), output.dtype)
    of_weights: list[Array] = [inputs.T @ steps.x, recurrent.T @ h_before]
    if len(weights) > 3:
        of_weights += [ones @ inputs, ones @ recurrent]
    if len(weights) % 2:
        of_weights.append(after[0].T @ unprojected)
    parts = np.split(inputs, len(recurrence.gates), axis=1)
    pre_activations = {name: part.copy() for name, part in zip(recurrence.gates, parts)}
    return WayBack(after, pre_activations, inputs @ weights[0], latest, of_weights)


def back_through_layers(
    layers: Sequence[Sequence[Steps]], output: Array, last: Sequence[State]
) -> tuple[list[WayBack], Array]:
    """Take the layers from the last to the first.

    Parameters
    ----------
    layers : sequence of sequence of Steps
        The directions of each layer.
    output : ndarray of shape (rows, D * H_out)
        The gradient with respect to the output of the last layer.
    last : sequence of tuple of ndarray of shape (N, H)
        Those with respect to the last states, of each layer and direction.

    Returns
    -------
    list of WayBack, and ndarray of shape (rows, H_in)
        What each layer and direction gives, and the gradient with respect to the input.
    """
    found: list[WayBack] = []
    first = len(last)
    for directions in reversed(layers):
        first -= len(directions)
        parts = np.split(output, len(directions), axis=1)
        ways = [
            back_through_time(steps, part, state)
            for steps, part, state in zip(directions, parts, last[first:])
        ]
        found = ways + found
        output = sum((way.x for way in ways[1:]), ways[0].x)
    return found, output


def parameter_names(layer: str, weights: int) -> Iterable[str]:
    """Return torch's names of the weights of a layer or cell.

    >>> list(parameter_names("l0_reverse", 2)), list(parameter_names("cell", 2))
    (['weight_ih_l0_reverse', 'weight_hh_l0_reverse'], ['weight_ih', 'weight_hh'])
    """
    suffix = "" if layer == "cell" else f"_{layer}"
    names = ["weight_ih", "weight_hh"] + ["bias_ih", "bias_hh"] * (weights > 3)
    return [f"{name}{suffix}" for name in names + ["weight_hr"] * (weights % 2)]

"""A look inside recurrent layers: every state and every gate, at every step."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO, Any, Generic, TypeAlias, TypeVar, overload

import numpy as np

from numpy_rnn._typing import AnyArray, Array, Hx
from numpy_rnn.arguments import as_array
from numpy_rnn.floating_point import silent
from numpy_rnn.functional import sigmoid
from numpy_rnn.modules.rnn import RECURRENCES, RNNBase, RNNCellBase
from numpy_rnn.recurrence.protocol import (
    Advance,
    AdvanceLike,
    Prepared,
    Recurrence,
    State,
    Weights,
)
from numpy_rnn.utils.rnn import PackedSequence, packed_rows

__all__ = ["LayerTrace", "Trace", "trace"]

Output = TypeVar("Output", bound=Array | PackedSequence)

NamedArrays: TypeAlias = "dict[str, Array]"


@dataclass(frozen=True, repr=False, eq=False)
class LayerTrace:
    """What happened in one direction of one layer.

    All arrays are laid out as the layer's output is: (L, N, H), (N, L, H) if
    ``batch_first``, (L, H) for an unbatched input, (rows, H) for a packed one, and
    (N, H) or (H,) for a cell. Those of a backward direction are aligned with the input:
    step t is the one that read input t. An array of a packed trace is taken apart by
    ``unpack_sequence(trace.output._replace(data=array))``.

    Attributes
    ----------
    name : str
        As in the names of the parameters: ``'l0'``, ``'l0_reverse'``; ``'cell'`` for a
        cell.
    hidden : ndarray
        The hidden states, H_out features; exactly those that the layer computed.
    cell : ndarray or None
        The cell states of an LSTM, H features; exactly those that it computed.
    pre_activations : dict of str to ndarray
        What each gate's sigmoid or tanh was taken of: ``i f g o`` for an LSTM, ``r z n``
        for a GRU, ``h`` for an Elman layer. They and the gates are computed from the
        states, and equal to what the layer used up to rounding.
    gates : dict of str to ndarray
        The gates themselves, by the same names; empty for an Elman layer, which has none.
    """

    name: str
    hidden: Array
    cell: Array | None = None
    pre_activations: dict[str, Array] = field(default_factory=dict)
    gates: dict[str, Array] = field(default_factory=dict)

    def states_and_gates(self) -> Iterator[tuple[str, Array]]:
        """Yield (name, array) of what the layer has: ``'hidden'``, ``'gates.i'`` and so on."""
        yield "hidden", self.hidden
        if self.cell is not None:
            yield "cell", self.cell
        for name, array in self.gates.items():
            yield f"gates.{name}", array

    def items(self) -> Iterator[tuple[str, Array]]:
        """Yield (name, array) of everything, ``'pre_activations.i'`` included."""
        yield from self.states_and_gates()
        for name, array in self.pre_activations.items():
            yield f"pre_activations.{name}", array

    def _swapped(self) -> LayerTrace:
        """Return the same with the first two axes of every array swapped."""

        def swap(arrays: NamedArrays) -> NamedArrays:
            return {name: array.swapaxes(0, 1) for name, array in arrays.items()}

        cell = None if self.cell is None else self.cell.swapaxes(0, 1)
        return LayerTrace(
            self.name,
            self.hidden.swapaxes(0, 1),
            cell,
            swap(self.pre_activations),
            swap(self.gates),
        )

    def __repr__(self) -> str:
        names = ", ".join(name for name, _ in self.states_and_gates())
        return f"LayerTrace({self.name}: {names}; {self.hidden.shape})"


@dataclass(frozen=True, repr=False, eq=False)
class Trace(Generic[Output, Hx]):
    """What a recurrent layer or cell did with an input.

    Attributes
    ----------
    kind : str
        The class of the module, for instance ``'LSTM'``.
    output : ndarray or PackedSequence
        What the module returned: the output of a layer, the next state of a cell.
    hx : ndarray, or pair of ndarrays
        What the module returned as its last state: h_n, or (h_n, c_n).
    layers : tuple of LayerTrace
        Layer by layer, forward before backward.
    batch_first : bool
        Whether the arrays of a batch are (N, L, H).

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> t = nn.trace(nn.LSTM(3, 4, bidirectional=True), np.ones((5, 2, 3), np.float32))
    >>> t
    Trace(LSTM, output (5, 2, 8))
      LayerTrace(l0: hidden, cell, gates.i, gates.f, gates.g, gates.o; (5, 2, 4))
      LayerTrace(l0_reverse: hidden, cell, gates.i, gates.f, gates.g, gates.o; (5, 2, 4))
    >>> bool((t.layers[0].hidden == t.output[..., :4]).all())
    True
    >>> t["l0"].gates["f"].shape  # how much of the cell state was kept, at each step
    (5, 2, 4)
    """

    kind: str
    output: Output
    hx: Hx
    layers: tuple[LayerTrace, ...]
    batch_first: bool = False

    def __iter__(self) -> Iterator[LayerTrace]:
        """Yield the layers."""
        return iter(self.layers)

    def __contains__(self, name: object) -> bool:
        """Tell whether there is a layer of that name."""
        return any(layer.name == name for layer in self.layers)

    def __getitem__(self, name: str) -> LayerTrace:
        """Return the layer of that name."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        names = ", ".join(layer.name for layer in self.layers)
        raise KeyError(f"no layer {name!r}: there are {names}")

    def to_dict(self) -> dict[str, AnyArray]:
        """Return all arrays by dotted name, ready for ``numpy.savez(path, **...)``.

        Returns
        -------
        dict of str to ndarray
            ``'output'``, ``'h_n'``, ``'c_n'`` for an LSTM, and of each layer
            ``'l0.hidden'``, ``'l0.gates.i'`` and so on. Of a packed output ``'output'`` is
            the data, beside ``'batch_sizes'`` and, if it is not in the caller's order,
            ``'sorted_indices'`` and ``'unsorted_indices'``.
        """
        states = self.hx if isinstance(self.hx, tuple) else (self.hx,)
        arrays: dict[str, AnyArray] = dict(zip(("h_n", "c_n"), states))
        if isinstance(self.output, PackedSequence):
            named = zip(("output", *self.output._fields[1:]), self.output)
            arrays |= {name: array for name, array in named if array is not None}
        else:
            arrays["output"] = self.output
        for layer in self.layers:
            arrays |= {f"{layer.name}.{name}": array for name, array in layer.items()}
        return arrays

    def plot(
        self,
        path: str | os.PathLike[str] | IO[bytes],
        sequence: int = 0,
        labels: Sequence[str] | None = None,
    ) -> None:
        """Draw a heat map of each layer: its states and gates over time.

        Parameters
        ----------
        path : str, path, or binary file
            The picture; its ending says in which format (png, svg, pdf).
        sequence : int
            Which sequence of a batch to draw; 0 if there is no batch.
        labels : sequence of str, optional
            What to write at the steps, for instance the letters of a word.

        Raises
        ------
        ImportError
            If matplotlib is not installed (``pip install matplotlib``).
        ValueError
            If the trace is of a cell, which has no time axis, or if there are not as many
            labels as steps.
        IndexError
            If the batch has no such sequence.
        """
        from numpy_rnn.plotting import draw

        draw(self, sequence, labels).savefig(path)

    def __repr__(self) -> str:
        if isinstance(self.output, PackedSequence):
            output = f"{self.output.data.shape} packed"
        else:
            output = str(self.output.shape)
        head = f"Trace({self.kind}, output {output})"
        return "\n  ".join([head, *map(repr, self.layers)])


@overload
def trace(
    module: RNNBase[Hx] | RNNCellBase[Hx], input: Array, hx: Hx | None = None
) -> Trace[Array, Hx]: ...
@overload
def trace(
    module: RNNBase[Hx], input: PackedSequence, hx: Hx | None = None
) -> Trace[PackedSequence, Hx]: ...
def trace(module: object, input: Any, hx: Any = None) -> Trace[Any, Any]:
    """Run a recurrent layer or cell and return what happened inside.

    Parameters
    ----------
    module : RNN, LSTM, GRU, RNNCell, LSTMCell or GRUCell
        In eval mode, if it has dropout: the mask of a call is not kept.
    input, hx
        What the module takes.

    Returns
    -------
    Trace
        Its results are exactly those of ``module(input, hx)``. It holds every state and
        gate of every step: for an LSTM about eleven times the layer's output, and while it
        is made over twice that.

    Raises
    ------
    TypeError
        If `module` is none of these, or a subclass with another ``forward``.
    ValueError
        If dropout acts.
    Exception
        What the module itself raises.

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> gru = nn.GRU(3, 4, num_layers=2)
    >>> x = np.ones((5, 3), np.float32)
    >>> t = nn.trace(gru, x)
    >>> [layer.name for layer in t.layers]
    ['l0', 'l1']
    >>> bool((t.layers[-1].hidden == gru(x)[0]).all())
    True
    """
    if not isinstance(module, (RNNBase, RNNCellBase)):
        raise TypeError(
            f"trace takes a recurrent layer or cell, got {type(module).__name__}; trace the "
            "layers of a model one by one"
        )
    base = RNNCellBase if isinstance(module, RNNCellBase) else RNNBase
    if type(module).forward is not base.forward:
        raise TypeError(
            f"{type(module).__name__} has a forward of its own, which trace does not know"
        )
    if isinstance(module, RNNCellBase):
        return _trace_cell(module, input, hx)
    if module.training and module.dropout and module.num_layers > 1:
        raise ValueError("dropout acts in training mode: call eval() on the module before")
    return _trace_layers(module, input, hx)


def _trace_layers(module: RNNBase[Any], input: Any, hx: Any) -> Trace[Any, Any]:
    recurrence, runs = _recording(RECURRENCES[module.mode])
    layer_inputs: list[Array] = []

    def keep(layer_output: Array) -> Array:
        layer_inputs.append(layer_output.copy())
        return layer_output

    packed = isinstance(input, PackedSequence)
    run = module._run_packed if packed else module._run
    output, last = run(input, hx, recurrence, keep)
    x = input.data[: packed_rows(input)] if packed else as_array(input, "input")
    swapped = module.batch_first and x.ndim == 3
    layer_inputs.insert(0, x.swapaxes(0, 1) if swapped else x)
    x_shape = layer_inputs[0].shape

    directions = 2 if module.bidirectional else 1
    layers = []
    for index, (steps, weights) in enumerate(zip(runs, module.all_weights)):
        layer, backwards = divmod(index, directions)
        if backwards:
            steps.reverse()
        before, after = [_joined(states, x_shape) for states in zip(*steps)]
        layer_input = layer_inputs[layer]
        layer_input = layer_input.reshape(*x_shape[:-1], layer_input.shape[-1])
        name = f"l{layer}_reverse" if backwards else f"l{layer}"
        layers.append(_layer_trace(name, module.mode, weights, layer_input, before, after))
    if swapped:
        layers = [layer._swapped() for layer in layers]
    return Trace(type(module).__name__, output, last, tuple(layers), swapped)


def _trace_cell(module: RNNCellBase[Any], input: Any, hx: Any) -> Trace[Any, Any]:
    mode = module._mode()
    recurrence, runs = _recording(RECURRENCES[mode])
    end = module._step(recurrence, input, hx)
    x = as_array(input, "input")
    before, after = [_joined(states, x.shape) for states in zip(*runs[0])]
    layer = _layer_trace("cell", mode, module._weights(), x, before, after)
    return Trace(type(module).__name__, end[0], module._result(end), (layer,))


Steps: TypeAlias = "list[tuple[State, State]]"
"""The states before and after each step, in the order in which the steps were taken."""


def _recording(recurrence: Recurrence) -> tuple[Recurrence, list[Steps]]:
    """Return a recurrence of the same arithmetic that notes all states, and its notes.

    The notes are one list for each layer and direction, in the order of their parameters.
    """
    runs: list[Steps] = []

    def step(x: Array, state: State, weights: Weights) -> State:
        end = recurrence.step(x, state, weights)
        runs.append([(state, end)])
        return end

    def prepare(weights: Weights, sequences: int) -> Prepared:
        notes: Steps = []
        runs.append(notes)
        prepared = recurrence.prepare(weights, sequences)
        return prepared._replace(advance_like=_noting(prepared, notes))

    # Layers are run one by one, since each is to have notes of its own.
    return recurrence._replace(step=step, prepare=prepare, joinable=False), runs


def _noting(prepared: Prepared, notes: Steps) -> AdvanceLike:
    """Return an ``advance_like`` that takes one step at a time, and notes the states."""

    def rows(state: State) -> State:
        by_columns = prepared.columns and state[0].ndim == 2
        return tuple([(array.T if by_columns else array).copy() for array in state])

    def advance_like(state: State) -> Advance:
        advance = prepared.advance_like(state)

        def advance_noting(products: Array, state: State, out: Array) -> State:
            for t in range(len(products)):
                one = slice(t, t + 1)
                end = advance(products[one], state, out[one])
                end = tuple([array.copy() for array in end])
                notes.append((rows(state), rows(end)))
                state = end
            return state

        return advance_noting

    return advance_like


def _joined(states: Sequence[State], shape: tuple[int, ...]) -> State:
    """Join the states of all steps; `shape` is that of the input, time first."""
    return tuple(
        [
            np.concatenate([array.reshape(-1, array.shape[-1]) for array in arrays]).reshape(
                *shape[:-1], arrays[0].shape[-1]
            )
            for arrays in zip(*states)
        ]
    )


@silent
def _layer_trace(
    name: str, mode: str, weights: Sequence[Array], x: Array, before: State, after: State
) -> LayerTrace:
    """Compute the gates of all steps from the inputs and the states before."""
    inputs, recurrents = x @ weights[0].T, before[0] @ weights[1].T
    if len(weights) > 3:
        inputs, recurrents = inputs + weights[2], recurrents + weights[3]
    pre_activations, gates = GATES[mode](inputs, recurrents)
    cell = after[1] if len(after) > 1 else None
    return LayerTrace(name, after[0], cell, pre_activations, gates)


def _elman_gates(inputs: Array, recurrents: Array) -> tuple[NamedArrays, NamedArrays]:
    return {"h": inputs + recurrents}, {}


def _lstm_gates(inputs: Array, recurrents: Array) -> tuple[NamedArrays, NamedArrays]:
    i, f, g, o = np.split(inputs + recurrents, 4, axis=-1)
    gates = {"i": sigmoid(i), "f": sigmoid(f), "g": np.tanh(g), "o": sigmoid(o)}
    return {"i": i, "f": f, "g": g, "o": o}, gates


def _gru_gates(inputs: Array, recurrents: Array) -> tuple[NamedArrays, NamedArrays]:
    (r, z, n), (r_h, z_h, n_h) = np.split(inputs, 3, -1), np.split(recurrents, 3, -1)
    r, z = r + r_h, z + z_h
    reset = sigmoid(r)
    n = n + reset * n_h
    return {"r": r, "z": z, "n": n}, {"r": reset, "z": sigmoid(z), "n": np.tanh(n)}


GATES: dict[str, Callable[[Array, Array], tuple[NamedArrays, NamedArrays]]] = {
    "RNN_TANH": _elman_gates,
    "RNN_RELU": _elman_gates,
    "LSTM": _lstm_gates,
    "GRU": _gru_gates,
}
"""Of a mode: the pre-activations and the gates, from both products with their biases."""

"""Tracing of recurrent layers: every state and every gate, at every step."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import IO, TYPE_CHECKING, Any, Generic, TypeVar, overload

import numpy as np

from numpy_rnn._typing import AnyArray, Array, Hx
from numpy_rnn.arguments import as_array
from numpy_rnn.floating_point import silent
from numpy_rnn.gradients import (
    ByLayer,
    Gradients,
    LayerGradients,
    Steps,
    back_through_layers,
    parameter_names,
)
from numpy_rnn.modules.rnn import RNNBase, RNNCellBase
from numpy_rnn.recurrence import RECURRENCES
from numpy_rnn.recurrence.stack import run_stack
from numpy_rnn.utils.rnn import PackedSequence

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from numpy_rnn.recurrence.protocol import Recurrence, State, Weights
else:
    Figure = Any  # so that `typing.get_type_hints` needs no matplotlib

__all__ = ["LayerTrace", "Trace", "trace"]

Output = TypeVar("Output", bound=Array | PackedSequence)


@dataclass(frozen=True, repr=False, eq=False)
class LayerTrace:
    """What happened in one direction of one layer.

    All arrays are laid out as the layer's output is: (L, N, H), (N, L, H) if
    ``batch_first``, (L, H) for an unbatched input, (rows, H) for a packed one, and
    (N, H) or (H,) for a cell. Those of a backward direction are aligned with the input:
    step t is the one that read input t. An array of a packed trace is split into sequences by
    ``unpack_sequence(trace.output._replace(data=array))``.

    Attributes
    ----------
    name : str
        As in the names of the parameters: ``'l0'``, ``'l0_reverse'``; ``'cell'`` for a
        cell.
    hidden : ndarray
        The hidden states, H_out features. Those of the last layer are exactly the output;
        those of the layers below are equal to what was computed up to rounding.
    cell : ndarray or None
        The cell states of an LSTM, H features. They, the pre-activations and the gates are
        computed step by step from the hidden states, and equal up to rounding too.
    pre_activations : dict of str to ndarray
        What each gate's sigmoid or tanh was applied to: ``i f g o`` for an LSTM, ``r z n``
        for a GRU, ``h`` for an Elman layer.
    gates : dict of str to ndarray
        The gates, by the same names; empty for an Elman layer, which has none.
    sigmoids : tuple of str
        The gates that are sigmoids, and so between 0 and 1.
    """

    name: str
    hidden: Array
    cell: Array | None = None
    pre_activations: dict[str, Array] = field(default_factory=dict)
    gates: dict[str, Array] = field(default_factory=dict)
    sigmoids: tuple[str, ...] = ()

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

    def _mapped(self, function: Callable[[Array], Array]) -> LayerTrace:
        """Return the same with a function applied to every array."""
        return replace(
            self,
            hidden=function(self.hidden),
            cell=None if self.cell is None else function(self.cell),
            pre_activations={n: function(array) for n, array in self.pre_activations.items()},
            gates={name: function(array) for name, array in self.gates.items()},
        )

    def __repr__(self) -> str:
        names = ", ".join(name for name, _ in self.states_and_gates())
        return f"LayerTrace({self.name}: {names}; {self.hidden.shape})"


@dataclass(frozen=True, repr=False, eq=False)
class Trace(ByLayer[LayerTrace], Generic[Output, Hx]):
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
    >>> len(t), t[0] is t["l0"], [layer.name for layer in t]
    (2, True, ['l0', 'l0_reverse'])
    """

    kind: str
    output: Output
    hx: Hx
    layers: tuple[LayerTrace, ...]
    batch_first: bool = False
    _steps: tuple[tuple[Steps, ...], ...] = ()
    """The directions of each layer, for the way back."""

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

    def backward(
        self,
        output: AnyArray | PackedSequence | None = None,
        h_n: AnyArray | None = None,
        c_n: AnyArray | None = None,
    ) -> Gradients[Output, Hx]:
        """Return the gradients of a loss with respect to everything that led to the results.

        Of a loss that is computed from the results, give the gradients with respect to them,
        as ``grad_outputs`` of ``torch.autograd.grad``; those left out are zero.

        Parameters
        ----------
        output : ndarray, optional
            With respect to `output`, of its shape and dtype; of a packed one, to its data.
            A `PackedSequence` will do too.
        h_n, c_n : ndarray, optional
            With respect to the last states; of a cell `h_n` is the same as `output`.

        Returns
        -------
        Gradients
            With respect to the input, the initial state, the parameters, and every state and
            pre-activation on the way. The weights are those that the trace was made with.

        Raises
        ------
        ValueError
            If none is given, `c_n` of a layer without a cell state, or one of another shape.
        TypeError
            If one is not an array, or has another dtype than the output.

        Examples
        --------
        >>> import numpy as np
        >>> import numpy_rnn as nn
        >>> t = nn.trace(nn.GRU(3, 4), np.ones((5, 2, 3), np.float32))
        >>> g = t.backward(output=np.ones((5, 2, 4), np.float32))
        >>> g
        Gradients(input (5, 2, 3))
          LayerGradients(l0: hidden, pre_activations; (5, 2, 4))
        >>> g["l0"].pre_activations["z"].shape, g.parameters["weight_ih_l0"].shape
        ((5, 2, 4), (12, 3))
        """
        result: Any = self.output
        packed = result if isinstance(result, PackedSequence) else None
        data: Array = result if packed is None else packed.data
        states: tuple[Array, ...] = self.hx if isinstance(self.hx, tuple) else (self.hx,)
        if output is None and h_n is None and c_n is None:
            raise ValueError("give the gradient with respect to output, h_n or c_n")
        if c_n is not None and len(states) == 1:
            raise ValueError(f"c_n must be omitted: {self.kind} has no cell state")
        if isinstance(output, PackedSequence):
            output = output.data
        of_output = _gradient_like(output, data, "output")
        of_states = [_gradient_like(h_n, states[0], "h_n")]
        of_states += [_gradient_like(c_n, state, "c_n") for state in states[1:]]

        passes = [steps for directions in self._steps for steps in directions]
        is_cell = passes[0].name == "cell"
        if is_cell:  # whose output is its state
            rows, of_states[0] = np.zeros_like(of_states[0]), of_states[0] + of_output
            rows = np.atleast_2d(rows)
            last = [tuple([np.atleast_2d(array) for array in of_states])]
        else:
            rows = _rows(of_output.swapaxes(0, 1) if self.batch_first else of_output)
            last = _by_pass(of_states, packed)
        ways, of_rows = back_through_layers(self._steps, rows, last)

        def laid_out(array: Array) -> Array:
            """Return rows as the output is laid out."""
            if packed is not None:
                return array
            axes = data.swapaxes(0, 1) if self.batch_first else data
            shaped = array.reshape(*axes.shape[:-1], array.shape[-1])
            return shaped.swapaxes(0, 1) if self.batch_first else shaped

        layers = tuple(
            LayerGradients(
                steps.name,
                laid_out(way.states[0]),
                laid_out(way.states[1]) if len(way.states) > 1 else None,
                {name: laid_out(array) for name, array in way.pre_activations.items()},
            )
            for steps, way in zip(passes, ways)
        )
        starts = [np.stack(arrays) for arrays in zip(*(way.start for way in ways))]
        if packed is not None and packed.unsorted_indices is not None:
            starts = [array[:, packed.unsorted_indices] for array in starts]
        shaped = [array.reshape(state.shape) for array, state in zip(starts, states)]
        of_input: Any = laid_out(of_rows)
        if packed is not None:
            of_input = packed._replace(data=of_input)
        parameters = {
            name: array
            for steps, way in zip(passes, ways)
            for name, array in zip(parameter_names(steps.name, len(steps.weights)), way.weights)
        }
        hx: Any = tuple(shaped) if isinstance(self.hx, tuple) else shaped[0]
        return Gradients(of_input, hx, parameters, layers, self.batch_first)

    def plot(
        self,
        path: str | os.PathLike[str] | IO[bytes] | None = None,
        layers: str | int | Iterable[str | int] | None = None,
        units: int | Sequence[int] | AnyArray | None = None,
        gates: Iterable[str] | None = None,
        labels: Sequence[str] | None = None,
        *,
        sequence: int = 0,
        above: Mapping[str, AnyArray] | None = None,
    ) -> Figure:
        """Draw each layer as a row of heat maps: its states and gates over time.

        Gates are drawn from 0 to 1 if they are sigmoids and from -1 to 1 if they are a
        tanh; hidden states from -1 to 1, or as far as their values go beyond (those of
        relu, for instance); a cell state as far as it goes, with 0 in the middle. One unit
        is a line.

        Parameters
        ----------
        path : str, path, or binary file, optional
            The file to write; its suffix determines the format (png, svg, pdf).
        layers : str, int, or iterable of them, optional
            The layers to draw, as in ``trace["l0"]`` or ``trace[0]``; all by default.
        units : int or sequence of int, optional
            A sequence: the units with these indices, in this order. A number: that many,
            those whose state changes most over the steps, ordered by the step at which it
            is largest. By default all up to 32 units, and 32 of more.
        gates : iterable of str, optional
            The gates to draw after the states, as ``"if"`` or ``["f"]``; all by default,
            and none if it is empty.
        labels : sequence of str, optional
            What to write at the steps, for instance the letters of a word. Of more than 16
            labels only every second, third and so on is written.
        sequence : int
            Which sequence of a batch to draw; 0 if there is no batch.
        above : mapping of str to ndarray of shape (L,), optional
            Lines to draw above the first layer, a number for each step, for instance what
            a classifier answers after each. Of more than ten lines only those are named
            that are the highest at some step.

        Returns
        -------
        matplotlib.figure.Figure
            A notebook shows it. It can be changed, and saved with ``savefig``.

        Raises
        ------
        ImportError
            If matplotlib is not installed (``pip install matplotlib``).
        ValueError
            If the trace is of a cell, which has a single step; if there is no such gate, or
            no layer or unit to draw; or if `labels` or `above` do not have an element for
            each step.
        KeyError, IndexError
            If there is no such layer, unit or sequence.

        Examples
        --------
        >>> import numpy as np
        >>> import numpy_rnn as nn
        >>> t = nn.trace(nn.LSTM(3, 64), np.ones((5, 3), np.float32))
        >>> figure = t.plot(units=8, gates="f", labels="hello")
        >>> [axes.get_title() for axes in figure.axes if axes.get_title()]
        ['l0 hidden', 'l0 cell', 'l0 f']
        """
        from numpy_rnn.plotting import draw

        figure = draw(self, layers, units, gates, labels, sequence, above)
        if path is not None:
            figure.savefig(path)
        return figure

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
        gate of every step: for each layer of an LSTM ten times its output. `Trace.plot`
        draws them.

    Raises
    ------
    TypeError
        If `module` is something else, or a subclass with another ``forward``.
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
            f"module must be a recurrent layer or cell, got {type(module).__name__}: trace the "
            "layers of a model one at a time"
        )
    if type(module).forward not in (RNNBase.forward, RNNCellBase.forward):
        raise TypeError(
            f"module must not redefine forward, but {type(module).__name__} does: trace the "
            "layer that it calls"
        )
    if isinstance(module, RNNCellBase):
        return _trace_cell(module, input, hx)
    if module.training and module.dropout and module.num_layers > 1:
        raise ValueError(
            "module has dropout, which cannot be traced in training mode: call eval() on it"
        )
    return _trace_layers(module, input, hx)


def _trace_layers(module: RNNBase[Any], input: Any, hx: Any) -> Trace[Any, Any]:
    output, last = module(input, hx)
    if isinstance(input, PackedSequence):
        data, batch_first = output.data, False
        x, weights, starts = module._canonical_packed(input, hx)
        batch_sizes = packed = input.batch_sizes.tolist()
    else:
        data, batch_first = output, module.batch_first and output.ndim == 3
        x, weights, starts = module._canonical(as_array(input, "input"), hx)
        batch_sizes, packed = [x.shape[1] if x.ndim == 3 else 1] * len(x), None
    final = data.swapaxes(0, 1) if batch_first else data

    def laid_out(rows: Array) -> Array:
        """Return rows, one for each step of each sequence, as the output is laid out."""
        array = rows.reshape(*final.shape[:-1], rows.shape[-1])
        return array.swapaxes(0, 1) if batch_first else array

    recurrence = RECURRENCES[module.mode]
    directions = module._directions
    layers: list[LayerTrace] = []
    passes: list[tuple[Steps, ...]] = []
    for first in range(0, len(weights), directions):
        own = slice(first, first + directions)
        above = final
        if own.stop < len(weights):
            args = (recurrence, x, weights[own], starts[own], directions)
            above, _ = run_stack(*args, batch_sizes=packed)
        inputs, hidden = _rows(x), np.split(_rows(above), directions, axis=1)
        passes.append(())
        for direction, (of_pass, start) in enumerate(zip(weights[own], starts[own])):
            steps = _trace_pass(
                f"l{first // directions}" + ("_reverse" if direction else ""),
                recurrence,
                of_pass,
                inputs,
                hidden[direction],
                tuple([np.atleast_2d(array) for array in start]),
                list(_steps(batch_sizes, backwards=direction == 1)),
            )
            passes[-1] += (steps,)
            layers.append(_layer_trace(steps)._mapped(laid_out))
        x = above
    return Trace(type(module).__name__, output, last, tuple(layers), batch_first, tuple(passes))


@silent
def _trace_cell(module: RNNCellBase[Any], input: Any, hx: Any) -> Trace[Any, Any]:
    last = module(input, hx)
    output = last[0] if isinstance(last, tuple) else last
    x, weights, state = module._canonical(as_array(input, "input"), hx)
    recurrence = module._recurrence
    pre_activations, gates, _ = recurrence.inside(x, state, weights)
    cell = last[1].copy() if isinstance(last, tuple) else None
    layer = LayerTrace("cell", output.copy(), cell, pre_activations, gates, recurrence.sigmoids)
    after = last if isinstance(last, tuple) else (last,)
    rows = len(np.atleast_2d(x))
    steps = Steps(
        "cell",
        recurrence,
        [weight.copy() for weight in weights],
        np.atleast_2d(x).copy(),
        tuple([np.concatenate(np.atleast_2d(*pair)) for pair in zip(state, after)]),
        {name: np.atleast_2d(array) for name, array in pre_activations.items()},
        {name: np.atleast_2d(array) for name, array in gates.items()},
        [(slice(0, rows), np.arange(rows))],
    )
    return Trace(type(module).__name__, output, last, (layer,), False, ((steps,),))


@silent
def _trace_pass(
    name: str,
    recurrence: Recurrence,
    weights: Weights,
    x: Array,
    hidden: Array,
    start: State,
    order: Sequence[tuple[slice, AnyArray]],
) -> Steps:
    """Return what happened in one direction of a layer, by its inputs and hidden states.

    All arrays are of rows, a row for each step of each sequence. The state before a step
    is the start, or what another row has: `order` has the rows of each step, and where
    the states before it are among the start and the rows.
    """
    sequences = len(start[0])
    states = [
        np.concatenate((array, np.empty((len(x), array.shape[1]), array.dtype)))
        for array in start
    ]
    states[0][sequences:] = hidden
    pre_activations: dict[str, Array] = {}
    gates: dict[str, Array] = {}
    for rows, before in order:
        state = tuple([array[before] for array in states])
        inside = recurrence.inside(x[rows], state, weights)
        for array, after in zip(states[1:], inside.state[1:]):
            array[sequences:][rows] = after
        for found, step in ((pre_activations, inside.pre_activations), (gates, inside.gates)):
            for gate, values in step.items():
                if gate not in found:
                    found[gate] = np.empty((len(x), values.shape[1]), values.dtype)
                found[gate][rows] = values
    own = [weight.copy() for weight in weights]
    return Steps(name, recurrence, own, x.copy(), tuple(states), pre_activations, gates, order)


def _layer_trace(steps: Steps) -> LayerTrace:
    """Return the part of it that is shown, in memory of its own."""
    own = [array[len(array) - len(steps.x) :].copy() for array in steps.states]
    return LayerTrace(
        steps.name,
        own[0],
        own[1] if len(own) > 1 else None,
        {name: array.copy() for name, array in steps.pre_activations.items()},
        {name: array.copy() for name, array in steps.gates.items()},
        steps.recurrence.sigmoids,
    )


def _gradient_like(gradient: AnyArray | None, result: AnyArray, name: str) -> AnyArray:
    """Return a gradient that the caller gave, checked; zeros for None."""
    if gradient is None:
        return np.zeros_like(result)
    array = as_array(gradient, name)
    if array.shape != result.shape:
        raise ValueError(
            f"{name} must have the shape of the trace's {name}, {result.shape}, got "
            f"{array.shape}"
        )
    if array.dtype != result.dtype:
        raise TypeError(
            f"{name} must have the dtype of the trace's {name}, {result.dtype}, got "
            f"{array.dtype}. Convert {name}: {name}.astype(numpy.{result.dtype})"
        )
    return array


def _by_pass(states: Sequence[Array], packed: PackedSequence | None) -> list[State]:
    """Return the gradients with respect to the last states of each layer and direction."""
    if packed is not None and packed.sorted_indices is not None:
        states = [array[:, packed.sorted_indices] for array in states]
    return [tuple([np.atleast_2d(array) for array in arrays]) for arrays in zip(*states)]


def _steps(batch_sizes: Sequence[int], backwards: bool) -> Iterator[tuple[slice, AnyArray]]:
    """Yield for each step its rows, and where the states before it are.

    The places are of an array that has the starts first, and then the rows.

    >>> for rows, before in _steps([2, 2, 1], backwards=False):
    ...     print(rows, before)
    slice(0, 2, None) [0 1]
    slice(2, 4, None) [2 3]
    slice(4, 5, None) [4]
    >>> for rows, before in _steps([2, 2, 1], backwards=True):
    ...     print(rows, before)
    slice(4, 5, None) [0]
    slice(2, 4, None) [6 1]
    slice(0, 2, None) [4 5]
    """
    firsts = np.cumsum([0, *batch_sizes])[:-1].tolist()
    sequences = batch_sizes[0]
    latest = np.arange(sequences)
    steps = list(zip(firsts, batch_sizes))
    for first, count in reversed(steps) if backwards else steps:
        yield slice(first, first + count), latest[:count].copy()
        latest[:count] = np.arange(count) + sequences + first


def _rows(array: Array) -> Array:
    return array.reshape(-1, array.shape[-1])

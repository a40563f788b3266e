"""Recurrent layers, after ``torch.nn.modules.rnn``."""

from __future__ import annotations

import math
import numbers
import operator
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Generic,
    Literal,
    NoReturn,
    Protocol,
    TypeAlias,
    overload,
)

import numpy as np

from numpy_rnn import functional, init
from numpy_rnn._typing import AnyArray, Arguments, Array, DTypeLike, HasForward, Hx, Result
from numpy_rnn.arguments import as_array, dtype_mismatch, parse_size
from numpy_rnn.modules.module import Module
from numpy_rnn.modules.weighted import MisfitError, Shape, Shapes, WeightedLayer, listed
from numpy_rnn.recurrence import RECURRENCES, Recurrence
from numpy_rnn.recurrence.frozen import FrozenWeights
from numpy_rnn.recurrence.protocol import State
from numpy_rnn.recurrence.stack import run_frozen_step, run_stack, run_step
from numpy_rnn.utils.rnn import PackedSequence, packed_rows

__all__ = ["GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "RNNBase", "RNNCell", "RNNCellBase"]

WeightsOf: TypeAlias = "Callable[[dict[str, Any]], tuple[Array, ...]]"
"""A function that returns a module's parameters, all at once, from its attributes."""


Nonlinearity: TypeAlias = Literal["tanh", "relu"]


class RunsPacked(Protocol[Hx]):
    """A recurrent layer, unless a subclass has another ``forward``."""

    def forward(self, input: PackedSequence, hx: Hx | None = None) -> tuple[PackedSequence, Hx]:
        """Run the layers over packed sequences."""


class RNNBase(WeightedLayer, Generic[Hx]):
    """The base class of recurrent layers: parameters, checks and layouts.

    Parameters
    ----------
    mode : str
        What the layer computes, by torch's names: ``'RNN_TANH'``, ``'RNN_RELU'``,
        ``'LSTM'`` or ``'GRU'``.
    input_size : int
        Features of the input, H_in.
    hidden_size : int
        Features of the hidden state, H.
    num_layers : int, default 1
        How many layers are stacked, each reading the output of the one below.
    bias : bool, default True
        Whether there are the biases b_ih and b_hh.
    batch_first : bool, default False
        Whether batched input and output are (N, L, feature) instead of (L, N, feature).
        Hidden states are (layers * D, N, H_out) either way.
    dropout : float, default 0.0
        Probability with which elements of every layer's output but the last are zeroed
        in training mode. A new module is in training mode.
    bidirectional : bool, default False
        Whether each layer also runs backwards; D is then 2.
    proj_size : int, default 0
        Features of the hidden state if it is projected, fewer than ``hidden_size``; 0 for
        no projection.
    device : None or 'cpu'
        Accepted for torch's sake: arrays are on the CPU.
    dtype : dtype, default float32
        float32 or float64.
    """

    if TYPE_CHECKING:  # `get_parameter` is for those of further layers
        weight_ih_l0: Array
        weight_hh_l0: Array
        bias_ih_l0: Array
        bias_hh_l0: Array
        weight_ih_l0_reverse: Array
        weight_hh_l0_reverse: Array
        bias_ih_l0_reverse: Array
        bias_hh_l0_reverse: Array
        weight_ih_l1: Array
        weight_hh_l1: Array
        bias_ih_l1: Array
        bias_hh_l1: Array
        weight_ih_l1_reverse: Array
        weight_hh_l1_reverse: Array
        bias_ih_l1_reverse: Array
        bias_hh_l1_reverse: Array

    _weight_names = re.compile(
        # No layer has a number of five digits, and reading an endless one takes long.
        "(weight_ih|weight_hh|weight_hr|bias_ih|bias_hh)_l(0|[1-9][0-9]{0,3})(_reverse)?"
    )
    _gates: ClassVar[int] = 0  # set by each layer; this base class has no weights
    _has_projection: ClassVar[bool] = False

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: object = None,
        dtype: DTypeLike = None,
    ) -> None:
        super().__init__()
        self.dropout: float = _checked_dropout(dropout)
        if dropout > 0 and num_layers == 1:
            warnings.warn(
                "dropout option adds dropout after all but last recurrent layer, so "
                "non-zero dropout expects num_layers greater than 1, but got "
                f"dropout={dropout} and num_layers={num_layers}",
                stacklevel=3,
            )
        _check_bool("bias", bias)
        _check_bool("batch_first", batch_first)
        _check_size("input_size", input_size)
        _check_size("hidden_size", hidden_size)
        if parse_size(num_layers, "num_layers") <= 0:
            raise ValueError("num_layers must be greater than zero")
        _check_projection(proj_size, hidden_size)
        if mode not in RECURRENCES:
            raise ValueError(f"Unrecognized RNN mode: {mode}")
        _check_bool("bidirectional", bidirectional)

        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self._create_weights(device, dtype, gates=len(RECURRENCES[mode].gates))
        self._directions = 2 if bidirectional else 1
        self._passes = num_layers * self._directions
        shapes = ((proj_size or hidden_size,), (hidden_size,))
        self._state_shapes = shapes[: len(RECURRENCES[mode].state_names)]
        self._weights_of: WeightsOf = operator.itemgetter(*self._parameter_names)

    @classmethod
    def _shapes(cls, **arguments: Any) -> Shapes:
        suffixes = ("", "_reverse") if arguments["bidirectional"] else ("",)
        output_size = len(suffixes) * (arguments.get("proj_size") or arguments["hidden_size"])
        shapes: dict[str, Shape | None] = {}
        for layer in range(arguments["num_layers"]):
            of_pass = _pass_shapes({"gates": cls._gates} | arguments)
            arguments["input_size"] = output_size
            for suffix in suffixes:
                shapes |= {f"{name}_l{layer}{suffix}": shape for name, shape in of_pass.items()}
        return shapes

    @classmethod
    def _arguments_from(cls, shapes: Mapping[str, Shape]) -> dict[str, Any] | None:
        matches = [match for name in shapes if (match := cls._weight_names.fullmatch(name))]
        numbers = sorted({int(match[2]) for match in matches})
        if numbers != list(range(len(numbers))):
            raise MisfitError(
                f"layers must be numbered from 0 without gaps, got {listed(numbers)}"
            )
        gates, input_size, hidden_size = _sizes_in(shapes, "_l0")
        if input_size == 0:
            raise MisfitError("weight_ih_l0 must have at least one column")
        if gates != cls._gates:
            return None
        projection = shapes.get("weight_hr_l0", ())
        if projection and not (cls._has_projection and 0 < projection[0] < hidden_size):
            raise MisfitError(
                f"weight_hr_l0 has shape {projection}, but only an LSTM may have a projection, "
                f"and only to fewer features than its {hidden_size} hidden units"
            )
        arguments = {
            "input_size": input_size,
            "hidden_size": hidden_size,
            "num_layers": len(numbers),
            "bias": any(match[1].startswith("bias") for match in matches),
            "bidirectional": any(match[3] for match in matches),
        }
        if cls._has_projection:
            arguments["proj_size"] = projection[0] if projection else 0
        return arguments

    def reset_parameters(self) -> None:
        """Draw all parameters again from U(-k, k), k = 1 / sqrt(hidden_size)."""
        _draw_parameters(self, self.hidden_size)

    def flatten_parameters(self) -> None:
        """Do nothing, as in torch on a CPU; it exists for code that calls it."""

    @property
    def all_weights(self) -> list[list[Array]]:
        """The live parameters, one list for each layer and direction."""
        return [list(weights) for weights in self._weights()]

    def extra_repr(self) -> str:
        """Return the sizes and the options that are not at their defaults."""
        sizes = f"{self.input_size}, {self.hidden_size}"
        return sizes + self._changed(
            proj_size=0,
            num_layers=1,
            bias=True,
            batch_first=False,
            dropout=0,
            bidirectional=False,
        )

    @overload
    def __call__(
        self: RunsPacked[Hx], input: Array, hx: Hx | None = None
    ) -> tuple[Array, Hx]: ...
    @overload
    def __call__(
        self: RunsPacked[Hx], input: PackedSequence, hx: Hx | None = None
    ) -> tuple[PackedSequence, Hx]: ...
    @overload
    def __call__(
        self: HasForward[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Result: ...
    def __call__(self, input: Any, hx: Any = None) -> Any:  # type: ignore[misc]  # see below
        """Return what ``forward`` computes."""
        # Without *args a step takes 4 % less time than by `Module.__call__`. As called, since
        # a subclass or an instance may have a forward without `hx`.
        return self.forward(input) if hx is None else self.forward(input, hx)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Let a subclass that redefines ``forward`` be called with its arguments."""
        super().__init_subclass__(**kwargs)
        if cls.forward is not RNNBase.forward and cls.__call__ is RNNBase.__call__:
            cls.__call__ = Module.__call__  # type: ignore[assignment]  # as overloaded

    @overload
    def forward(self, input: Array, hx: Hx | None = None) -> tuple[Array, Hx]: ...
    @overload
    def forward(
        self, input: PackedSequence, hx: Hx | None = None
    ) -> tuple[PackedSequence, Hx]: ...
    def forward(
        self, input: Array | PackedSequence, hx: Any = None
    ) -> tuple[Array | PackedSequence, Any]:
        """Run the layers over a sequence.

        Parameters
        ----------
        input : ndarray of shape (L, N, H_in), (N, L, H_in) if batch_first, or (L, H_in)
            Of the weights' dtype, with any strides; L > 0, N may be 0. A CPU tensor of
            torch is taken as an array. Or a `PackedSequence` with data (rows, H_in).
        hx : ndarray of shape (layers * D, N, H_out), or (layers * D, H_out), optional
            The hidden states before the first step; zeros if omitted. For an `LSTM` the
            pair (h_0, c_0), where c_0 has H features also if there is a projection. For
            a `PackedSequence` its sequences are in the caller's order.

        Returns
        -------
        output : ndarray of shape (L, N, D * H_out), (N, L, D * H_out) or (L, D * H_out)
            The last layer's hidden state at every step, forward direction first. If
            `input` is packed, a `PackedSequence` with new data (rows, D * H_out) and the
            batch sizes and indices of `input` itself.
        h_n : ndarray of shape (layers * D, N, H_out), or (layers * D, H_out)
            The hidden state of each layer and direction after its last step, sequences in
            the caller's order; for an `LSTM` the pair (h_n, c_n).

        Raises
        ------
        ValueError
            If `input` has neither 2 nor 3 axes, or not the weights' dtype.
        RuntimeError
            If a size, the length, or `hx` does not fit.
        TypeError
            If `input` or `hx` is not an array, or `hx` not a pair of them for an `LSTM`.
        """
        if isinstance(input, PackedSequence):
            return self._forward_packed(input, hx)
        if (
            self._derived is not None
            and type(input) is np.ndarray
            and input.size == input.shape[-1]
        ):
            result = self._frozen_step(input, hx)
            if result is not None:
                return result
        x = as_array(input, "input")
        batched = x.ndim == 3
        x, weights, starts = self._canonical(x, hx)
        single = batched and x.ndim == 2
        recurrence = RECURRENCES[self.mode]
        if self._passes == 1 and len(x) == 1:
            state = run_step(recurrence, x[0], starts[0], weights[0])
            ends = self._final_states([state], single)
            output = (ends if len(state) == 1 else ends[0]).copy()
        else:
            dropout = self._drop if self.training and self.dropout else None
            output, states = run_stack(
                recurrence, x, weights, starts, self._directions, dropout
            )
            ends = self._final_states(states, single)
            if single:
                output = output[:, None]
        if batched and self.batch_first:
            output = output.swapaxes(0, 1)
        return output, ends

    def _derive(self, attributes: Mapping[str, Any]) -> list[FrozenWeights]:
        recurrence = RECURRENCES[self.mode]
        arrays = self._weights_of(dict(attributes))
        count = len(arrays) // self._passes
        return [
            FrozenWeights(recurrence, arrays[first : first + count])
            for first in range(0, len(arrays), count)
        ]

    def _frozen_step(self, x: Array, hx: Any) -> tuple[Array, Any] | None:
        """Return the result of a single step of one sequence, with nothing around it.

        None if it is not (1, 1, H_in), or if anything else is unusual: `forward` then checks.
        """
        weights: list[FrozenWeights] = self._derived
        dtype = weights[0][0].dtype
        if x.ndim != 3 or x.shape[2] != self.input_size or x.dtype != dtype:
            return None
        passes, shapes = self._passes, self._state_shapes
        if hx is None:
            states = self._zero_state((passes, 1), dtype)
        else:
            states = hx if type(hx) is tuple else (hx,)
            if len(states) != len(shapes):
                return None
            for state, shape in zip(states, shapes):
                if type(state) is not np.ndarray or state.dtype != dtype:
                    return None
                if state.shape != (passes, 1, *shape):
                    return None
        after = run_frozen_step(x, states, weights, self._directions)
        if passes == 1:
            h = after[0][None, None]
            return h.copy(), (h if len(after) == 1 else (h, after[1][None, None]))
        output = after[0][-self._directions :].reshape(1, 1, -1).copy()
        ends = tuple([array[:, None] for array in after])
        return output, (ends[0] if len(ends) == 1 else ends)

    def _forward_packed(self, packed: PackedSequence, hx: Any) -> tuple[PackedSequence, Any]:
        """Do the same for packed sequences, whose states are in the caller's order."""
        x, weights, starts = self._canonical_packed(packed, hx)
        output, ends = run_stack(
            RECURRENCES[self.mode],
            x,
            weights,
            starts,
            self._directions,
            self._drop if self.training and self.dropout else None,
            packed.batch_sizes.tolist(),
        )
        if packed.unsorted_indices is not None:
            ends = [tuple([a[packed.unsorted_indices] for a in state]) for state in ends]
        return packed._replace(data=output), self._final_states(ends, False)

    def _canonical(
        self, x: AnyArray, hx: Any
    ) -> tuple[Array, list[tuple[Array, ...]], list[State]]:
        """Check what the caller passed, and return it as the engine takes it.

        Returns
        -------
        x : ndarray of shape (L, N, H_in), or (L, H_in) for a single sequence
        weights : list of tuple of ndarray
            The live parameters of each layer and direction.
        starts : list of State
            The state that each of them starts from, arrays of shape ([N,] H).
        """
        axes = x.ndim
        if axes not in (2, 3):
            raise self._axes_error(axes)
        states = None if hx is None else self._given_states(hx, axes)
        weights = self._weights_for(x)
        if axes == 3 and self.batch_first:
            x = x.swapaxes(0, 1)
        batch = x.shape[1] if axes == 3 else 1
        if states is None:
            starts = [self._zero_state(() if batch == 1 else (batch,), x.dtype)] * len(weights)
        else:
            starts = self._starts(states, batch, x.dtype)
        if len(x) == 0:
            raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
        return x[:, 0] if axes == 3 and batch == 1 else x, weights, starts

    def _canonical_packed(
        self, packed: PackedSequence, hx: Any
    ) -> tuple[Array, list[tuple[Array, ...]], list[State]]:
        """Do the same for packed sequences: x is (rows, H_in), states are (N, H)."""
        x, batch_sizes, sorted_indices, _ = packed
        if x.ndim != 2:
            raise RuntimeError(f"input must have 2 dimensions, got {x.ndim}")
        x = x[: packed_rows(packed)]
        weights = self._weights_for(x)
        batch = int(batch_sizes[0])
        for name, indices in zip(packed._fields[2:], packed[2:]):
            if indices is None:
                continue
            if indices.shape != (batch,) or (np.sort(indices) != np.arange(batch)).any():
                raise RuntimeError(f"{name} must hold each index from 0 to {batch - 1} once")
        if hx is None:
            return x, weights, [self._zero_state((batch,), x.dtype)] * len(weights)
        starts = self._starts(self._given_states(hx, 3), batch, x.dtype, squeeze=False)
        if sorted_indices is not None:
            starts = [tuple([a[sorted_indices] for a in state]) for state in starts]
        return x, weights, starts

    def _weights_for(self, x: AnyArray) -> list[tuple[Array, ...]]:
        """Return the live parameters of each pass, after checking that the input fits them."""
        weights = self._weights()
        weight = weights[0][0]
        if x.dtype != weight.dtype or x.shape[-1] != self.input_size:
            raise self._input_error(x, weight)
        return weights

    def _weights(self) -> list[tuple[Array, ...]]:
        """Return the live parameters of each layer and direction, in torch's order."""
        if self._derived is not None:
            return self._derived  # type: ignore[no-any-return]  # what `_derive` returned
        try:
            arrays = self._weights_of(self.__dict__)
        except KeyError as error:
            raise AttributeError(f"the parameter {error} was deleted") from None
        if self._passes == 1:
            return [arrays]
        count = len(arrays) // self._passes
        return [arrays[first : first + count] for first in range(0, len(arrays), count)]

    def _given_states(self, hx: Any, axes: int) -> State:
        """Return the arrays that the caller passed as `hx`, which must have `axes` axes."""
        states = unpack_state(hx, len(self._state_shapes))
        for state in states:
            if state.ndim != axes:
                raise self._state_axes_error(states, axes)
        return states

    def _state_axes_error(self, states: State, axes: int) -> Exception:
        layout = f"For {'batched' if axes == 3 else 'unbatched'} {axes}-D input"
        if len(states) == 1:
            return RuntimeError(
                f"{layout}, hx should also be {axes}-D but got {states[0].ndim}-D array"
            )
        return RuntimeError(
            f"{layout}, hx and cx should also be {axes}-D but got "
            f"({states[0].ndim}-D, {states[1].ndim}-D) arrays"
        )

    def _zero_state(self, batch: tuple[int, ...], dtype: np.dtype[Any]) -> State:
        """Return a state of zeros: `batch` is (N,), or () for a single sequence."""
        h_0 = np.zeros(batch + self._state_shapes[0], dtype)
        if len(self._state_shapes) == 1:
            return (h_0,)
        return h_0, np.zeros(batch + self._state_shapes[1], dtype)

    def _starts(
        self, states: State, batch: int, dtype: np.dtype[Any], squeeze: bool = True
    ) -> list[State]:
        """Return the states that the layers and directions start from, each ([N,] H).

        `squeeze` drops the N axis of a single sequence.
        """
        passes = self._passes
        batched = states[0].ndim == 3
        outer = (passes, batch) if batched else (passes,)
        for state, shape in zip(states, self._state_shapes):
            if state.shape != outer + shape or state.dtype != dtype:
                raise self._state_error(states, batch, dtype)
        single = squeeze and batched and batch == 1
        if passes == 1:
            place = (0, 0) if single else 0
            return [tuple([state[place] for state in states])]
        if single:
            states = tuple([state[:, 0] for state in states])
        return [tuple([state[index] for state in states]) for index in range(passes)]

    def _final_states(self, ends: Sequence[State], single: bool) -> Any:
        """Return the states as the caller gets them: each array (layers * D, [N,] H)."""
        if len(ends) == 1:
            axes = (None, None) if single else None
            state = ends[0]
            if len(state) == 1:
                return state[0][axes]
            return state[0][axes], state[1][axes]
        arrays = [np.array(same) for same in zip(*ends)]
        return pack_state([array[:, None] for array in arrays] if single else arrays)

    def _drop(self, output: Array) -> Array:
        return functional.dropout(output, self.dropout)

    def _axes_error(self, axes: int) -> Exception:
        kind = self.mode.partition("_")[0]
        return ValueError(f"{kind}: Expected input to be 2D or 3D, got {axes}D array instead")

    def _input_error(self, x: AnyArray, weight: Array) -> Exception:
        """Return the error for an input of a wrong dtype, or else of a wrong size."""
        if x.dtype != weight.dtype:
            return ValueError(f"RNN {dtype_mismatch(x, weight=weight)}")
        return RuntimeError(
            "input.size(-1) must be equal to input_size. "
            f"Expected {self.input_size}, got {x.shape[-1]}"
        )

    def _state_error(self, states: State, batch: int, dtype: np.dtype[Any]) -> Exception:
        """Return the error for a state of a wrong shape, or else of a wrong dtype."""
        for item, state in enumerate(states):
            place = f"[{item}]" if len(states) > 1 else ""
            expected = (self._passes, batch, *self._state_shapes[item])
            shape = state.shape if state.ndim == 3 else (len(state), 1, state.shape[1])
            if shape != expected:
                return RuntimeError(
                    f"Expected hidden{place} size {expected}, got {list(shape)}"
                )
            if state.dtype != dtype:
                break
        return RuntimeError(
            f"hx{place} must have the dtype of the input, {dtype}, but got {state.dtype}. "
            f"Convert hx{place}: hx{place}.astype(numpy.{dtype})"
        )


class RNN(RNNBase[Array]):
    r"""A stack of Elman recurrent layers, after ``torch.nn.RNN``.

    Every layer computes, for each step t,

    .. math:: h_t = \tanh(W_{ih} x_t + b_{ih} + W_{hh} h_{t-1} + b_{hh})

    or the same with ReLU; :math:`x_t` is the input, or the hidden state
    of the layer below. In the shapes, L is the sequence length, N the batch size,
    D the number of directions, H_in ``input_size`` and H_out ``hidden_size``.

    Parameters
    ----------
    input_size : int
        Features of the input, H_in.
    hidden_size : int
        Features of the hidden state, H_out.
    num_layers : int, default 1
        How many layers are stacked, each reading the output of the one below.
    nonlinearity : {'tanh', 'relu'}
        The activation.
    bias : bool, default True
        Whether there are the biases b_ih and b_hh.
    batch_first : bool, default False
        Whether batched input and output are (N, L, feature) instead of (L, N, feature).
        Hidden states are (layers * D, N, H_out) either way.
    dropout : float, default 0.0
        Probability with which elements of every layer's output but the last are zeroed
        in training mode. A new module is in training mode.
    bidirectional : bool, default False
        Whether each layer also runs backwards; D is then 2.
    device : None or 'cpu'
        Accepted for torch's sake: arrays are on the CPU.
    dtype : dtype, default float32
        float32 or float64.
    **unsupported
        Not allowed: ``proj_size``, since only an `LSTM` has a projection, or any other.

    Attributes
    ----------
    weight_ih_l[k] : ndarray of shape (H_out, H_in), or (H_out, D * H_out) for k > 0
        Input weights of layer k; ``weight_ih_l[k]_reverse`` for its backward direction,
        and so for all that follow.
    weight_hh_l[k] : ndarray of shape (H_out, H_out)
        Recurrent weights of layer k.
    bias_ih_l[k], bias_hh_l[k] : ndarray of shape (H_out,)
        Biases of layer k, if ``bias``.
    all_weights : list of list of ndarray
        The same arrays, one list for each layer and direction.

    Raises
    ------
    TypeError
        For an argument of a wrong type.
    ValueError
        For a size that is not positive, a dropout outside [0, 1], an unknown
        nonlinearity, or a ``proj_size``, which only an LSTM has.
    RuntimeError
        For a device that is not the CPU.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.RNN.html

    Examples
    --------
    A batch of 2 sequences of 6 steps with 1 feature, through 4 layers of 5 units:

    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> rnn = nn.RNN(input_size=1, hidden_size=5, num_layers=4)
    >>> output, h_n = rnn(np.random.default_rng(0).random((6, 2, 1), np.float32))
    >>> output.shape, h_n.shape
    ((6, 2, 5), (4, 2, 5))
    >>> bool((output[-1] == h_n[-1]).all())
    True
    """

    _gates = len(RECURRENCES["RNN_TANH"].gates)
    _immaterial = WeightedLayer._immaterial | {"unsupported"}

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: Nonlinearity = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: object = None,
        dtype: DTypeLike = None,
        **unsupported: NoReturn,
    ) -> None:
        _refuse_projection(unsupported)
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(
                f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'."
            )
        super().__init__(
            f"RNN_{nonlinearity.upper()}",
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            device=device,
            dtype=dtype,
            **unsupported,
        )
        self.nonlinearity = nonlinearity


class LSTM(RNNBase[tuple[Array, Array]]):
    r"""A stack of long short-term memory layers, after ``torch.nn.LSTM``.

    Every layer computes, for each step t,

    .. math::
        i_t &= \sigma(W_{ii} x_t + b_{ii} + W_{hi} h_{t-1} + b_{hi}) \\
        f_t &= \sigma(W_{if} x_t + b_{if} + W_{hf} h_{t-1} + b_{hf}) \\
        g_t &= \tanh(W_{ig} x_t + b_{ig} + W_{hg} h_{t-1} + b_{hg}) \\
        o_t &= \sigma(W_{io} x_t + b_{io} + W_{ho} h_{t-1} + b_{ho}) \\
        c_t &= f_t \odot c_{t-1} + i_t \odot g_t \\
        h_t &= o_t \odot \tanh(c_t)

    where i, f, g and o are the input, forget, cell and output gates; with a projection
    :math:`h_t = W_{hr} (o_t \odot \tanh(c_t))`. In the shapes, H is ``hidden_size`` and
    H_out is ``proj_size`` if there is a projection, else H. L is the sequence length, N the
    batch size, D the number of directions and H_in ``input_size``.

    Parameters
    ----------
    input_size : int
        Features of the input, H_in.
    hidden_size : int
        Features of the cell state, and of the hidden state if it is not projected, H.
    num_layers : int, default 1
        How many layers are stacked, each reading the output of the one below.
    bias : bool, default True
        Whether there are the biases b_ih and b_hh.
    batch_first : bool, default False
        Whether batched input and output are (N, L, feature) instead of (L, N, feature).
        Hidden states are (layers * D, N, H_out) either way.
    dropout : float, default 0.0
        Probability with which elements of every layer's output but the last are zeroed
        in training mode. A new module is in training mode.
    bidirectional : bool, default False
        Whether each layer also runs backwards; D is then 2.
    proj_size : int, default 0
        Features of the hidden state if it is projected, fewer than ``hidden_size``; 0 for
        no projection.
    device : None or 'cpu'
        Accepted for torch's sake: arrays are on the CPU.
    dtype : dtype, default float32
        float32 or float64.

    Attributes
    ----------
    weight_ih_l[k] : ndarray of shape (4 * H, H_in), or (4 * H, D * H_out) for k > 0
        Input weights of layer k, the rows of the gates i, f, g, o in this order;
        ``weight_ih_l[k]_reverse`` for its backward direction, and so for all that follow.
    weight_hh_l[k] : ndarray of shape (4 * H, H_out)
        Recurrent weights of layer k.
    bias_ih_l[k], bias_hh_l[k] : ndarray of shape (4 * H,)
        Biases of layer k, if ``bias``.
    weight_hr_l[k] : ndarray of shape (proj_size, H)
        The projection of layer k, if there is one.

    Raises
    ------
    TypeError
        For an argument of a wrong type.
    ValueError
        For a size that is not positive, a dropout outside [0, 1], or a ``proj_size`` that
        is negative or not smaller than ``hidden_size``.
    RuntimeError
        For a device that is not the CPU.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> lstm = nn.LSTM(10, 20, num_layers=2, proj_size=5)
    >>> output, (h_n, c_n) = lstm(np.zeros((6, 3, 10), np.float32))
    >>> output.shape, h_n.shape, c_n.shape
    ((6, 3, 5), (2, 3, 5), (2, 3, 20))
    """

    if TYPE_CHECKING:
        weight_hr_l0: Array
        weight_hr_l0_reverse: Array
        weight_hr_l1: Array
        weight_hr_l1_reverse: Array

    _gates = len(RECURRENCES["LSTM"].gates)
    _has_projection = True

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: object = None,
        dtype: DTypeLike = None,
    ) -> None:
        super().__init__(
            "LSTM",
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            proj_size,
            device,
            dtype,
        )


class GRU(RNNBase[Array]):
    r"""A stack of gated recurrent unit layers, after ``torch.nn.GRU``.

    Every layer computes, for each step t,

    .. math::
        r_t &= \sigma(W_{ir} x_t + b_{ir} + W_{hr} h_{t-1} + b_{hr}) \\
        z_t &= \sigma(W_{iz} x_t + b_{iz} + W_{hz} h_{t-1} + b_{hz}) \\
        n_t &= \tanh(W_{in} x_t + b_{in} + r_t \odot (W_{hn} h_{t-1} + b_{hn})) \\
        h_t &= (1 - z_t) \odot n_t + z_t \odot h_{t-1}

    where r, z and n are the reset, update and new gates. As in torch, the reset gate acts
    after the product with W_hn; other frameworks and the original paper have it before.
    In the shapes, L is the sequence length, N the batch size, D the number of directions,
    H_in ``input_size`` and H_out ``hidden_size``.

    Parameters
    ----------
    input_size : int
        Features of the input, H_in.
    hidden_size : int
        Features of the hidden state, H_out.
    num_layers : int, default 1
        How many layers are stacked, each reading the output of the one below.
    bias : bool, default True
        Whether there are the biases b_ih and b_hh.
    batch_first : bool, default False
        Whether batched input and output are (N, L, feature) instead of (L, N, feature).
        Hidden states are (layers * D, N, H_out) either way.
    dropout : float, default 0.0
        Probability with which elements of every layer's output but the last are zeroed
        in training mode. A new module is in training mode.
    bidirectional : bool, default False
        Whether each layer also runs backwards; D is then 2.
    device : None or 'cpu'
        Accepted for torch's sake: arrays are on the CPU.
    dtype : dtype, default float32
        float32 or float64.
    **unsupported
        Not allowed: ``proj_size``, since only an `LSTM` has a projection, or any other.

    Attributes
    ----------
    weight_ih_l[k] : ndarray of shape (3 * H_out, H_in), or (3 * H_out, D * H_out) for k > 0
        Input weights of layer k, the rows of the gates r, z, n in this order;
        ``weight_ih_l[k]_reverse`` for its backward direction, and so for all that follow.
    weight_hh_l[k] : ndarray of shape (3 * H_out, H_out)
        Recurrent weights of layer k.
    bias_ih_l[k], bias_hh_l[k] : ndarray of shape (3 * H_out,)
        Biases of layer k, if ``bias``.

    Raises
    ------
    TypeError
        For an argument of a wrong type.
    ValueError
        For a size that is not positive, a dropout outside [0, 1], or a ``proj_size``, which
        only an LSTM has.
    RuntimeError
        For a device that is not the CPU.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.GRU.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> gru = nn.GRU(10, 20, bidirectional=True)
    >>> output, h_n = gru(np.zeros((6, 3, 10), np.float32))
    >>> output.shape, h_n.shape
    ((6, 3, 40), (2, 3, 20))
    """

    _gates = len(RECURRENCES["GRU"].gates)
    _immaterial = WeightedLayer._immaterial | {"unsupported"}

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: object = None,
        dtype: DTypeLike = None,
        **unsupported: NoReturn,
    ) -> None:
        _refuse_projection(unsupported)
        super().__init__(
            "GRU",
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            device=device,
            dtype=dtype,
            **unsupported,
        )


class RNNCellBase(WeightedLayer, Generic[Hx]):
    """The base class of cells, each one step of one layer.

    Parameters
    ----------
    input_size : int
        Features of the input, H_in.
    hidden_size : int
        Features of the hidden state, H_out.
    bias : bool, default True
        Whether there are the biases b_ih and b_hh.
    device : None or 'cpu'
        Accepted for torch's sake: arrays are on the CPU.
    dtype : dtype, default float32
        float32 or float64.
    """

    weight_ih: Array
    weight_hh: Array
    bias_ih: Array | None
    bias_hh: Array | None

    _weight_names = re.compile("weight_ih|weight_hh|bias_ih|bias_hh")
    _gates: ClassVar[int] = 0  # set by each layer; this base class has no weights

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: object = None,
        dtype: DTypeLike = None,
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        self._create_weights(device, dtype)

    @classmethod
    def _shapes(cls, **arguments: Any) -> Shapes:
        missing = dict.fromkeys(("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
        return missing | _pass_shapes({"gates": cls._gates} | arguments)

    @classmethod
    def _arguments_from(cls, shapes: Mapping[str, Shape]) -> dict[str, Any] | None:
        gates, input_size, hidden_size = _sizes_in(shapes, "")
        if gates != cls._gates:
            return None
        bias = "bias_ih" in shapes or "bias_hh" in shapes
        return {"input_size": input_size, "hidden_size": hidden_size, "bias": bias}

    def reset_parameters(self) -> None:
        """Draw all parameters again from U(-k, k), k = 1 / sqrt(hidden_size)."""
        _draw_parameters(self, self.hidden_size)

    def extra_repr(self) -> str:
        """Return the sizes and the options that are not at their defaults."""
        return f"{self.input_size}, {self.hidden_size}{self._changed(bias=True)}"

    @property
    def _recurrence(self) -> Recurrence:
        """What the cell computes."""
        raise NotImplementedError

    def forward(self, input: Array, hx: Hx | None = None) -> Hx:
        """Take one step.

        Parameters
        ----------
        input : ndarray of shape (N, H_in) or (H_in,)
            Of the weights' dtype.
        hx : ndarray of shape (N, H_out) or (H_out,), optional
            The hidden state; zeros if omitted. For an `LSTMCell` the pair (h, c).

        Returns
        -------
        ndarray of shape (N, H_out) or (H_out,)
            The next hidden state; for an `LSTMCell` the pair (h', c').

        Raises
        ------
        ValueError
            If an array has neither 1 nor 2 axes.
        RuntimeError
            If a size or dtype does not fit.
        TypeError
            If `input` or `hx` is not an array, or `hx` not a pair of them for an `LSTMCell`.
        """
        x, weights, state = self._canonical(as_array(input, "input"), hx)
        if x.ndim == 1 or len(x) != 1:
            end = run_step(self._recurrence, x, state, weights)
        else:
            unbatched = tuple([array[0] for array in state])
            end = run_step(self._recurrence, x[0], unbatched, weights)
            end = tuple([array[None] for array in end])
        next_state: Hx = pack_state(end)
        return next_state

    def _canonical(self, x: AnyArray, hx: Any) -> tuple[Array, tuple[Array, ...], State]:
        """Check what the caller passed; return the input, the live weights and the state."""
        if x.ndim not in (1, 2):
            raise self._axes_error("input", x)
        arrays = len(self._recurrence.state_names)
        given = None if hx is None else unpack_state(hx, arrays)
        for item, array in enumerate(given or ()):
            if array.ndim not in (1, 2):
                raise self._axes_error("hidden" if arrays == 1 else f"hx[{item}]", array)
        weights = self._weights()
        if x.shape[-1] != self.input_size:
            raise RuntimeError(
                f"input has inconsistent input_size: got {x.shape[-1]} expected "
                f"{self.input_size}"
            )
        if x.dtype != weights[0].dtype:
            raise RuntimeError(dtype_mismatch(x, weight=weights[0]))
        if given is None:
            zeros = np.zeros((*x.shape[:-1], self.hidden_size), x.dtype)
            return x, weights, (zeros,) * arrays
        for item, array in enumerate(given):
            self._check_state(item, array, x)
        return x, weights, given

    def _derive(self, attributes: Mapping[str, Any]) -> FrozenWeights:
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        arrays = [attributes[name] for name in names if attributes[name] is not None]
        return FrozenWeights(self._recurrence, arrays)

    def _weights(self) -> tuple[Array, ...]:
        """Return the live parameters of the step, in torch's order."""
        if self._derived is not None:
            return self._derived  # type: ignore[no-any-return]  # what `_derive` returned
        if self.bias_ih is None or self.bias_hh is None:
            return self.weight_ih, self.weight_hh
        return self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh

    def _axes_error(self, name: str, array: AnyArray) -> Exception:
        return ValueError(
            f"{type(self).__name__}: Expected {name} to be 1D or 2D, got {array.ndim}D instead"
        )

    def _check_state(self, item: int, state: AnyArray, x: AnyArray) -> None:
        """Raise for a state that does not fit the input: torch's checks, in its order."""
        batched = x.ndim == 2
        shape = state.shape if batched else (1, *state.shape)
        batch = len(x) if batched else 1
        if shape[0] != batch:
            raise RuntimeError(
                f"Input batch size {batch} doesn't match hidden{item} batch size {shape[0]}"
            )
        if len(shape) > 1 and shape[1] != self.hidden_size:
            raise RuntimeError(
                f"hidden{item} has inconsistent hidden_size: got {shape[1]}, expected "
                f"{self.hidden_size}"
            )
        if len(shape) != 2:
            raise RuntimeError(
                f"hidden{item} must have as many axes as the input, {x.ndim}, got {state.ndim}"
            )
        if state.dtype != x.dtype:
            raise RuntimeError(
                f"hidden{item} must have the dtype of the input, {x.dtype}, but got "
                f"{state.dtype}. Convert it with .astype(numpy.{x.dtype})"
            )


class RNNCell(RNNCellBase[Array]):
    r"""One step of an Elman layer, after ``torch.nn.RNNCell``.

    .. math:: h' = \tanh(W_{ih} x + b_{ih} + W_{hh} h + b_{hh})

    or the same with ReLU. In the shapes, N is the batch size, H_in ``input_size`` and
    H_out ``hidden_size``.

    Parameters
    ----------
    input_size : int
        Features of the input, H_in.
    hidden_size : int
        Features of the hidden state, H_out.
    bias : bool, default True
        Whether there are the biases b_ih and b_hh.
    nonlinearity : {'tanh', 'relu'}
        The activation.
    device : None or 'cpu'
        Accepted for torch's sake: arrays are on the CPU.
    dtype : dtype, default float32
        float32 or float64.

    Attributes
    ----------
    weight_ih : ndarray of shape (H_out, H_in)
        Input weights.
    weight_hh : ndarray of shape (H_out, H_out)
        Recurrent weights.
    bias_ih, bias_hh : ndarray of shape (H_out,), or None
        Biases, if ``bias``.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.RNNCell.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> cell, hx = nn.RNNCell(10, 20), None
    >>> for x in np.zeros((6, 3, 10), np.float32):
    ...     hx = cell(x, hx)
    >>> hx.shape
    (3, 20)
    """

    _gates = len(RECURRENCES["RNN_TANH"].gates)

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: Nonlinearity = "tanh",
        device: object = None,
        dtype: DTypeLike = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, device, dtype)
        self.nonlinearity = nonlinearity

    @property
    def _recurrence(self) -> Recurrence:
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        return RECURRENCES[f"RNN_{self.nonlinearity.upper()}"]

    def extra_repr(self) -> str:
        """Return the sizes and the options that are not at their defaults."""
        return super().extra_repr() + self._changed(nonlinearity="tanh")


class LSTMCell(RNNCellBase[tuple[Array, Array]]):
    r"""One step of a long short-term memory, after ``torch.nn.LSTMCell``.

    .. math::
        i &= \sigma(W_{ii} x + b_{ii} + W_{hi} h + b_{hi}) \\
        f &= \sigma(W_{if} x + b_{if} + W_{hf} h + b_{hf}) \\
        g &= \tanh(W_{ig} x + b_{ig} + W_{hg} h + b_{hg}) \\
        o &= \sigma(W_{io} x + b_{io} + W_{ho} h + b_{ho}) \\
        c' &= f \odot c + i \odot g \\
        h' &= o \odot \tanh(c')

    In the shapes, N is the batch size, H_in ``input_size`` and H_out ``hidden_size``.

    Parameters
    ----------
    input_size : int
        Features of the input, H_in.
    hidden_size : int
        Features of the hidden state, H_out.
    bias : bool, default True
        Whether there are the biases b_ih and b_hh.
    device : None or 'cpu'
        Accepted for torch's sake: arrays are on the CPU.
    dtype : dtype, default float32
        float32 or float64.

    Attributes
    ----------
    weight_ih : ndarray of shape (4 * H_out, H_in)
        Input weights, the rows of the gates i, f, g, o in this order.
    weight_hh : ndarray of shape (4 * H_out, H_out)
        Recurrent weights.
    bias_ih, bias_hh : ndarray of shape (4 * H_out,), or None
        Biases, if ``bias``.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTMCell.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> cell, hx = nn.LSTMCell(10, 20), None
    >>> for x in np.zeros((6, 3, 10), np.float32):
    ...     hx = cell(x, hx)
    >>> hx[0].shape, hx[1].shape
    ((3, 20), (3, 20))
    """

    _recurrence = RECURRENCES["LSTM"]
    _gates = len(_recurrence.gates)


class GRUCell(RNNCellBase[Array]):
    r"""One step of a gated recurrent unit, after ``torch.nn.GRUCell``.

    .. math::
        r &= \sigma(W_{ir} x + b_{ir} + W_{hr} h + b_{hr}) \\
        z &= \sigma(W_{iz} x + b_{iz} + W_{hz} h + b_{hz}) \\
        n &= \tanh(W_{in} x + b_{in} + r \odot (W_{hn} h + b_{hn})) \\
        h' &= (1 - z) \odot n + z \odot h

    In the shapes, N is the batch size, H_in ``input_size`` and H_out ``hidden_size``.

    Parameters
    ----------
    input_size : int
        Features of the input, H_in.
    hidden_size : int
        Features of the hidden state, H_out.
    bias : bool, default True
        Whether there are the biases b_ih and b_hh.
    device : None or 'cpu'
        Accepted for torch's sake: arrays are on the CPU.
    dtype : dtype, default float32
        float32 or float64.

    Attributes
    ----------
    weight_ih : ndarray of shape (3 * H_out, H_in)
        Input weights, the rows of the gates r, z, n in this order.
    weight_hh : ndarray of shape (3 * H_out, H_out)
        Recurrent weights.
    bias_ih, bias_hh : ndarray of shape (3 * H_out,), or None
        Biases, if ``bias``.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.GRUCell.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.GRUCell(10, 20)(np.zeros((3, 10), np.float32)).shape
    (3, 20)
    """

    _recurrence = RECURRENCES["GRU"]
    _gates = len(_recurrence.gates)


def _pass_shapes(arguments: Mapping[str, Any]) -> dict[str, Shape | None]:
    """Return the shapes of the weights of one layer and direction, in torch's order."""
    hidden_size, proj_size = arguments["hidden_size"], arguments.get("proj_size", 0)
    rows = arguments["gates"] * hidden_size
    shapes: dict[str, Shape | None] = {
        "weight_ih": (rows, arguments["input_size"]),
        "weight_hh": (rows, proj_size or hidden_size),
    }
    if arguments["bias"]:
        shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
    if proj_size:
        shapes["weight_hr"] = (proj_size, hidden_size)
    return shapes


def _sizes_in(shapes: Mapping[str, Shape], suffix: str) -> tuple[int, int, int]:
    """Return the number of gates, `input_size` and `hidden_size` of a cell or first layer."""
    input_size = _matrix(shapes, f"weight_ih{suffix}")[1]
    rows, hidden_size = _matrix(shapes, f"weight_hh{suffix}")
    if f"weight_hr{suffix}" in shapes:
        hidden_size = _matrix(shapes, f"weight_hr{suffix}")[1]
    *others, last = sorted({len(recurrence.gates) for recurrence in RECURRENCES.values()})
    gates, rest = divmod(rows, hidden_size) if hidden_size else (0, 0)
    if rest or gates not in (*others, last):
        raise MisfitError(
            f"weight_hh{suffix} must have {', '.join(map(str, others))} or {last} times as "
            f"many rows as hidden units, got {rows} rows for {hidden_size} hidden units"
        )
    return gates, input_size, hidden_size


def _matrix(shapes: Mapping[str, Shape], name: str) -> Shape:
    """Return the two sizes of a weight that determines those of the others."""
    if name not in shapes:
        raise MisfitError(f"{name} is missing")
    if len(shapes[name]) != 2:
        raise MisfitError(f"{name} must have two axes, got shape {shapes[name]}")
    return shapes[name]


def _draw_parameters(module: Module, hidden_size: int) -> None:
    bound = 1.0 / math.sqrt(hidden_size) if hidden_size > 0 else 0.0
    for parameter in module.parameters():
        init.uniform_(parameter, -bound, bound)


def unpack_state(hx: Any, arrays: int) -> State:
    """Return what a caller passed as `hx` as a state: the array h, or the pair (h, c).

    Raises
    ------
    TypeError, RuntimeError
        If it is not an array, or not the pair of arrays that the recurrence carries.
    """
    if arrays == 1:
        return (as_array(hx, "hx"),)
    if not isinstance(hx, (tuple, list)):
        raise TypeError(
            f"hx must be the pair (h_0, c_0) of NumPy arrays, got {type(hx).__name__}"
        )
    if len(hx) != 2:
        raise RuntimeError(
            f"hx must be the pair (h_0, c_0): an LSTM expects two hidden states, got {len(hx)}"
        )
    return as_array(hx[0], "hx[0]"), as_array(hx[1], "hx[1]")


def pack_state(state: Sequence[Array]) -> Any:
    """Return the arrays of a state as the caller gets them: h, or the pair (h, c)."""
    return state[0] if len(state) == 1 else tuple(state)


def _checked_dropout(dropout: Any) -> float:
    probability = float(dropout)
    is_number = isinstance(dropout, numbers.Real) and not isinstance(dropout, bool)
    if not is_number or not 0 <= probability <= 1:
        raise ValueError(
            "dropout should be a number in range [0, 1] representing the probability of an "
            "element being zeroed"
        )
    return probability


def _check_projection(proj_size: int, hidden_size: int) -> None:
    if parse_size(proj_size, "proj_size") < 0:
        raise ValueError(
            "proj_size should be a positive integer or zero to disable projections"
        )
    if proj_size >= hidden_size:
        raise ValueError("proj_size has to be smaller than hidden_size")


def _refuse_projection(keywords: Mapping[str, object]) -> None:
    if "proj_size" in keywords:
        raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")


def _check_bool(name: str, value: object) -> None:
    if not isinstance(value, bool):
        raise TypeError(f"{name} should be of type bool, got: {type(value).__name__}")


def _check_size(name: str, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} should be of type int, got: {type(value).__name__}")
    if value <= 0:
        raise ValueError(f"{name} must be greater than zero")

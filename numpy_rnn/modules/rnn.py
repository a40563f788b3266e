"""Recurrent layers, after ``torch.nn.modules.rnn``."""

from __future__ import annotations

import math
import numbers
import operator
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from numpy_rnn import functional, init
from numpy_rnn.arguments import FLOAT32, FLOAT64, as_array, check_device, parse_dtype
from numpy_rnn.kernels import elman
from numpy_rnn.kernels.recurrence import Recurrence, State, run_stack, step_stack
from numpy_rnn.modules.module import Module

if TYPE_CHECKING:
    from numpy_rnn._typing import AnyArray, Array, DTypeLike

__all__ = ["RNN", "RNNBase"]

RECURRENCES: dict[str, Recurrence] = {"RNN_TANH": elman.TANH, "RNN_RELU": elman.RELU}
"""What a layer computes, by torch's name of its mode."""


class RNNBase(Module):
    """What the recurrent layers share: parameters, checks and layouts.

    Parameters
    ----------
    mode : str
        What the layer computes, in torch's words: ``'RNN_TANH'`` or ``'RNN_RELU'``.
    input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional
        As in `RNN`.
    device, dtype
        As in `RNN`.
    """

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
        device: object = None,
        dtype: DTypeLike = None,
    ) -> None:
        super().__init__()
        _check_dropout(dropout)
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
        if operator.index(num_layers) <= 0:
            raise ValueError("num_layers must be greater than zero")
        if mode not in RECURRENCES:
            raise ValueError(f"Unrecognized RNN mode: {mode}")
        check_device(device)
        parameter_dtype = parse_dtype(dtype)

        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self._weights_of: list[Callable[[dict[str, Any]], tuple[Array, ...]]] = []
        rows = RECURRENCES[mode].gates * hidden_size
        suffixes = ("", "_reverse") if bidirectional else ("",)
        for layer in range(num_layers):
            columns = len(suffixes) * hidden_size if layer else input_size
            shapes: dict[str, tuple[int, ...]] = {
                "weight_ih": (rows, columns),
                "weight_hh": (rows, hidden_size),
            }
            if bias:
                shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
            for suffix in suffixes:
                names = [f"{kind}_l{layer}{suffix}" for kind in shapes]
                for name, shape in zip(names, shapes.values(), strict=True):
                    self.register_parameter(name, np.empty(shape, parameter_dtype))
                self._weights_of.append(operator.itemgetter(*names))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters anew from U(-k, k), k = 1 / sqrt(hidden_size)."""
        bound = 1.0 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def flatten_parameters(self) -> None:
        """Do nothing, as torch does on a CPU; there for the code that calls it."""

    @property
    def all_weights(self) -> list[list[Array]]:
        """The live parameters, one list for each layer and direction."""
        return [list(weights_of(self.__dict__)) for weights_of in self._weights_of]

    def extra_repr(self) -> str:
        """Return the sizes and the options that are not at their defaults."""
        text = f"{self.input_size}, {self.hidden_size}"
        if self.num_layers != 1:
            text += f", num_layers={self.num_layers}"
        if self.bias is not True:
            text += f", bias={self.bias}"
        if self.batch_first is not False:
            text += f", batch_first={self.batch_first}"
        if self.dropout != 0:
            text += f", dropout={self.dropout}"
        if self.bidirectional is not False:
            text += f", bidirectional={self.bidirectional}"
        return text

    def forward(self, input: Array, hx: Any = None) -> tuple[Array, Any]:
        """Run the layers over a sequence.

        Parameters
        ----------
        input : ndarray of shape (L, N, H_in), (N, L, H_in) if batch_first, or (L, H_in)
            Of the weights' dtype, with any strides; L > 0, N may be 0. A CPU tensor of
            torch is taken as an array.
        hx : ndarray of shape (layers * D, N, H_out), or (layers * D, H_out), optional
            The hidden states before the first step; zeros if omitted.

        Returns
        -------
        output : ndarray of shape (L, N, D * H_out), (N, L, D * H_out) or (L, D * H_out)
            The last layer's hidden state at every step, forward direction first.
        h_n : ndarray of the shape of `hx`
            The hidden state of each layer and direction after its last step.

        Raises
        ------
        ValueError
            If `input` has neither 2 nor 3 axes, or not the weights' dtype.
        RuntimeError
            If a size, the length, or `hx` does not fit.
        TypeError
            If `input` or `hx` is no array.
        """
        x = as_array(input, "input")
        axes = x.ndim
        if axes not in (2, 3):
            raise self._axes_error(axes)
        arrays = self.__dict__
        weights = [weights_of(arrays) for weights_of in self._weights_of]
        weight = weights[0][0]
        if x.dtype != weight.dtype or x.shape[-1] != self.input_size:
            raise self._input_error(x, weight)

        # Kernels take (L, N, H_in), or (L, H_in) for a single sequence.
        batched = axes == 3
        if batched and self.batch_first:
            x = x.swapaxes(0, 1)
        batch = x.shape[1] if batched else 1
        if hx is None:
            size = self.hidden_size
            zeros = np.zeros(size if batch == 1 else (batch, size), x.dtype)
            starts: list[State] = [(zeros,)] * len(weights)
        else:
            starts = self._starts(hx, batched, batch, x.dtype)
        recurrence = RECURRENCES[self.mode]
        directions = 2 if self.bidirectional else 1
        drop = self._drop if self.training and self.dropout else None
        single = batched and batch == 1

        if len(x) == 1:
            x_0 = x[0, 0] if single else x[0]
            hidden, ends = step_stack(recurrence, x_0, weights, starts, directions, drop)
            output = hidden[None, None] if single else hidden[None]
        elif len(x) == 0:
            raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
        else:
            x = x[:, 0] if single else x
            output, ends = run_stack(recurrence, x, weights, starts, directions, drop)
            output = output[:, None] if single else output

        if batched and self.batch_first:
            output = output.swapaxes(0, 1)
        return output, self._final_states(ends, single)

    def _starts(
        self, hx: object, batched: bool, batch: int, dtype: np.dtype[Any]
    ) -> list[State]:
        """Return the states that the layers and directions start from, each ([N,] H)."""
        state = as_array(hx, "hx")
        runs, size = len(self._weights_of), self.hidden_size
        expected = (runs, batch, size) if batched else (runs, size)
        if state.shape != expected or state.dtype != dtype:
            raise self._state_error(state, expected, dtype)
        if batch == 1:
            state = state.reshape(runs, size)
        return [(state[run],) for run in range(runs)]

    def _final_states(self, ends: Sequence[State], single: bool) -> Any:
        """Return the last states as (layers * D, [N,] H), with the N axis of a single one."""
        if len(ends) == 1:
            state = ends[0][0]
            return state[None, None] if single else state[None]
        stacked = np.array([state[0] for state in ends])
        return stacked[:, None] if single else stacked

    def _drop(self, output: Array) -> Array:
        return functional.dropout(output, self.dropout)

    def _axes_error(self, axes: int) -> Exception:
        kind = self.mode.partition("_")[0]
        return ValueError(f"{kind}: Expected input to be 2D or 3D, got {axes}D array instead")

    def _input_error(self, x: AnyArray, weight: Array) -> Exception:
        """Return the error for an input of a wrong dtype, or else of a wrong size."""
        if x.dtype != weight.dtype:
            remedy = f"Convert input: input.astype(numpy.{weight.dtype})"
            if x.dtype in (FLOAT32, FLOAT64):
                remedy += f", or convert model: model.to(numpy.{x.dtype})"
            return ValueError(
                f"RNN input dtype ({x.dtype}) does not match weight dtype ({weight.dtype}). "
                + remedy
            )
        return RuntimeError(
            "input.size(-1) must be equal to input_size. "
            f"Expected {self.input_size}, got {x.shape[-1]}"
        )

    def _state_error(
        self, state: AnyArray, expected: tuple[int, ...], dtype: np.dtype[Any]
    ) -> Exception:
        """Return the error for a state of a wrong number of axes, shape or dtype."""
        axes = len(expected)
        if state.ndim != axes:
            batched = "batched" if axes == 3 else "unbatched"
            return RuntimeError(
                f"For {batched} {axes}-D input, hx should also be {axes}-D but got "
                f"{state.ndim}-D array"
            )
        if state.shape != expected:
            return RuntimeError(f"Expected hidden size {expected}, got {list(state.shape)}")
        return RuntimeError(
            f"hx must have the dtype of the input, {dtype}, but got {state.dtype}. "
            f"Convert it: hx.astype(numpy.{dtype})"
        )


class RNN(RNNBase):
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
        How many layers are stacked, each fed with the output of the one below.
    nonlinearity : {'tanh', 'relu'}
        The activation.
    bias : bool, default True
        Whether there are the biases b_ih and b_hh.
    batch_first : bool, default False
        Whether batched input and output are (N, L, feature) instead of (L, N, feature).
        Hidden states are (layers * D, N, H_out) either way.
    dropout : float, default 0.0
        Probability with which elements of every layer's output but the last are zeroed
        in training mode, which a new module is in.
    bidirectional : bool, default False
        Whether each layer also runs backwards; D is then 2.
    device : None or 'cpu'
        There is one device.
    dtype : dtype, default float32
        float32 or float64.

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

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.RNN.html

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

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: object = None,
        dtype: DTypeLike = None,
        **unsupported: Any,
    ) -> None:
        if "proj_size" in unsupported:
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
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
            device,
            dtype,
            **unsupported,
        )
        self.nonlinearity = nonlinearity


def _check_dropout(dropout: Any) -> None:
    is_number = isinstance(dropout, numbers.Real) and not isinstance(dropout, bool)
    if not is_number or not 0 <= dropout <= 1:
        raise ValueError(
            "dropout should be a number in range [0, 1] representing the probability of an "
            "element being zeroed"
        )


def _check_bool(name: str, value: object) -> None:
    if not isinstance(value, bool):
        raise TypeError(f"{name} should be of type bool, got: {type(value).__name__}")


def _check_size(name: str, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} should be of type int, got: {type(value).__name__}")
    if value <= 0:
        raise ValueError(f"{name} must be greater than zero")

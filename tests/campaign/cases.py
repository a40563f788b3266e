"""What a case of the campaign is, and how either library builds and runs it."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch

import numpy_rnn as nn
from numpy_rnn.testing import pair
from numpy_rnn.testing.nested import leaves, map_leaves
from numpy_rnn.utils import rnn


@dataclass(frozen=True)
class Dtype:
    """A dtype by the name that both libraries have for it."""

    name: str

    def __repr__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Layer:
    """A module by its name and what its constructor is given."""

    name: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        given = [repr(a) for a in self.args] + [f"{k}={v!r}" for k, v in self.kwargs.items()]
        return f"{self.name}({', '.join(given)})"


class Packed(NamedTuple):
    """A `PackedSequence` by its fields."""

    data: Any
    batch_sizes: Any
    sorted_indices: Any = None
    unsorted_indices: Any = None


@dataclass(frozen=True)
class Case:
    """A call: of a module that is built for it, or of a function.

    Parameters
    ----------
    target : Layer or str
        The module; or the function by its path, such as ``"functional.pad"``.
    inputs, options : tuple, dict
        What is passed to it by position and by name.
    changes : tuple of (method, args)
        What is done to a container before.
    weights : str
        How the weights are drawn; see `WEIGHTS`.
    training : bool
        Whether the module is in training mode.
    seed : int
        Of the weights and of both libraries' generators.
    notes : tuple of str
        What was drawn, for the summary.
    nudge : int
        Not zero if all numbers are moved to a neighbour, up or down by this seed.
    """

    target: Layer | str
    inputs: tuple[Any, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    changes: tuple[tuple[str, tuple[Any, ...]], ...] = ()
    weights: str = "as drawn"
    training: bool = False
    seed: int = 0
    notes: tuple[str, ...] = ()
    nudge: int = 0

    @property
    def name(self) -> str:
        """The class or function that is called."""
        return self.target if isinstance(self.target, str) else self.target.name


WEIGHTS = ("as drawn", "normal", "large", "zero", "huge", "tiny", "infinite", "NaN")


class Ours:
    """numpy_rnn, as a case is run in it."""

    exact = False

    @staticmethod
    def function(path: str) -> Any:
        place, _, name = path.partition(".")
        return getattr(nn.functional if place == "functional" else rnn, name)

    @staticmethod
    def layer(name: str) -> Any:
        return getattr(nn, name)

    @classmethod
    def value(cls, value: Any) -> Any:
        """Return what stands in a case as this library takes it."""
        return _converted(cls, value)

    @staticmethod
    def array(array: np.ndarray) -> Any:
        return array

    @staticmethod
    def packed(fields: list[Any]) -> Any:
        return rnn.PackedSequence(*fields)

    @staticmethod
    def dtype(name: str) -> Any:
        return np.dtype(name)

    @staticmethod
    def seed(seed: int) -> None:
        nn.manual_seed(seed)

    @staticmethod
    def load(module: Any, state: dict[str, np.ndarray]) -> None:
        module.load_state_dict(state)


class Torch(Ours):
    """torch, in the precision of the case."""

    @staticmethod
    def function(path: str) -> Any:
        place, _, name = path.partition(".")
        modules = {"functional": torch.nn.functional, "rnn": torch.nn.utils.rnn}
        return getattr(modules[place], name)

    @staticmethod
    def layer(name: str) -> Any:
        return getattr(torch.nn, name)

    @staticmethod
    def array(array: np.ndarray) -> Any:
        copy = np.array(array, array.dtype.newbyteorder("="), order="C", subok=False)
        return torch.from_numpy(copy)

    @staticmethod
    def packed(fields: list[Any]) -> Any:
        return torch.nn.utils.rnn.PackedSequence(*fields)

    @staticmethod
    def dtype(name: str) -> Any:
        return getattr(torch, name)

    @staticmethod
    def seed(seed: int) -> None:
        torch.default_generator.manual_seed(seed)

    @staticmethod
    def load(module: Any, state: dict[str, np.ndarray]) -> None:
        for tensor, array in zip(module.state_dict().values(), state.values(), strict=True):
            tensor.copy_(torch.from_numpy(array))


class Truth(Torch):
    """torch in float64, from the values that the case has."""

    exact = True

    @staticmethod
    def array(array: np.ndarray) -> Any:
        tensor = Torch.array(array)
        return tensor.double() if tensor.is_floating_point() else tensor

    @staticmethod
    def dtype(name: str) -> Any:
        return torch.float64 if name == "float32" else getattr(torch, name)


def _converted(library: type[Ours], value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return library.array(value)
    if isinstance(value, Layer):
        args = [_converted(library, item) for item in value.args]
        kwargs = {key: _converted(library, item) for key, item in value.kwargs.items()}
        return library.layer(value.name)(*args, **kwargs)
    if isinstance(value, Packed):
        return library.packed([_converted(library, item) for item in value])
    if isinstance(value, Dtype):
        return library.dtype(value.name)
    if isinstance(value, OrderedDict):
        return OrderedDict((key, _converted(library, item)) for key, item in value.items())
    if type(value) in (list, tuple):
        return type(value)([_converted(library, item) for item in value])
    return value


@dataclass
class Outcome:
    """What came of a case in one library."""

    stage: str
    error: Exception | None = None
    result: Any = None
    module: Any = None
    given: tuple[Any, ...] = ()
    warned: tuple[str, ...] = ()


def run(case: Case, library: type[Ours]) -> Outcome:
    """Run a case in one library; what it raises is part of the outcome."""
    outcome = Outcome("construction")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            _run(case, library, outcome)
        except Exception as error:
            outcome.error = error
    outcome.warned = tuple([str(warning.message) for warning in caught])
    return outcome


def _run(case: Case, library: type[Ours], outcome: Outcome) -> None:
    library.seed(case.seed)
    call = None
    if isinstance(case.target, Layer):
        call = outcome.module = library.value(case.target)
        outcome.stage = "change"
        call = outcome.module = changed(case, library, call)
        if library.exact:
            call.double()
        outcome.stage = "weights"
        load_weights(case, library, call)
        if case.nudge:
            for tensor in call.state_dict().values():
                tensor.copy_(torch.from_numpy(nudged(tensor.numpy(), case.nudge)))
        call.train(case.training)
    outcome.stage = "input"
    inputs = nudged(case.inputs, case.nudge) if case.nudge else case.inputs
    outcome.given = library.value(inputs)
    options = {key: library.value(item) for key, item in case.options.items()}
    library.seed(case.seed + 1)
    outcome.stage = "call"
    if call is None:
        call = library.function(case.target)
    outcome.result = call(*outcome.given, **options)


def load_weights(case: Case, library: type[Ours], module: Any) -> None:
    """Give a module the weights of the case, in its own precision.

    They are drawn by shapes and the case's seed, and rounded to the module's dtype as the
    case has it, so that the truth has the same numbers.
    """
    if case.weights == "as drawn":
        if library.exact:
            Truth.load(module, arrays_of(run_construction(case)))
        return
    rng = np.random.default_rng(case.seed)
    state = {}
    for name, value in module.state_dict().items():
        array = np.asarray(value)
        if array.dtype.kind == "f":
            single = "float64" not in repr(case.target)
            drawn = _weights(rng, array.shape, case.weights, np.float32 if single else float)
            array = np.abs(drawn) if name.endswith("running_var") else drawn
        state[name] = array
    library.load(module, state)


def run_construction(case: Case) -> Any:
    """Return torch's module of the case as it is built, in the case's precision."""
    Torch.seed(case.seed)
    return changed(case, Torch, Torch.value(case.target))


def changed(case: Case, library: type[Ours], container: Any) -> Any:
    """Return a container after the changes of the case; some make another of it."""
    for method, args in case.changes:
        result = getattr(container, method)(*library.value(args))
        if method in ("__getitem__", "__add__", "__mul__", "__iadd__", "__imul__"):
            container = result
    return container


def arrays_of(module: Any) -> dict[str, np.ndarray]:
    """Return a module's state as arrays."""
    return {name: np.asarray(value) for name, value in module.state_dict().items()}


def _weights(
    rng: np.random.Generator, shape: tuple[int, ...], kind: str, dtype: Any
) -> np.ndarray:
    with np.errstate(all="ignore"):
        drawn = rng.standard_normal(shape)
        scale = {"large": 3.0, "zero": 0.0, "tiny": 1e-41, "huge": np.finfo(dtype).max / 50}
        drawn *= scale.get(kind, 0.5)
        if kind in ("infinite", "NaN"):
            hit = rng.random(shape) < 0.05
            drawn[hit] = np.nan if kind == "NaN" else np.copysign(np.inf, drawn[hit])
        return drawn.astype(dtype)


def nudged(value: Any, seed: int) -> Any:
    """Return float arrays with every element moved to a neighbour, up or down."""
    rng = np.random.default_rng(seed)
    return map_leaves(
        lambda leaf: pair.nudged(leaf, rng) if isinstance(leaf, np.ndarray) else leaf,
        value,
        Packed,
    )


def arrays_in(value: Any) -> list[np.ndarray]:
    """Return the arrays in what was passed or returned, but a batch's sizes and indices."""
    indices = tuple(f".{field}" for field in Packed._fields[1:])
    return [
        leaf
        for name, leaf in leaves(value)
        if isinstance(leaf, np.ndarray) and not name.endswith(indices)
    ]

"""Two models, one of them torch's, that are called with the same inputs."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from numpy_rnn._typing import AnyArray
from numpy_rnn.floating_point import silent
from numpy_rnn.modules import Module
from numpy_rnn.testing.nested import leaves, map_leaves
from numpy_rnn.utils.rnn import PackedSequence

__all__ = ["Inputs", "Pair", "Results", "as_array", "as_double", "map_arrays", "nudged"]

Inputs: TypeAlias = tuple[tuple[Any, ...], dict[str, Any]]
"""What a model is called with: by position, and by name."""

Results: TypeAlias = dict[str, AnyArray]
"""What a model returns, by the names of `leaves`."""


class Pair(NamedTuple):
    """Both models, and torch.

    Each call is made on a copy, so that the state that a model keeps is the same at every
    call. In `is_double`, torch makes float64 wherever the model asks for float32.
    """

    module: Module
    torch_module: Any
    torch: Any
    is_double: bool = False

    def ours(self, inputs: Inputs) -> Results:
        """Return what our model returns.

        Raises
        ------
        AssertionError
            If it fails.
        """
        args, keywords = map_arrays(np.copy, inputs)
        return self._results("ours", _copied("ours", self.module), args, keywords)

    def theirs(self, inputs: Inputs) -> Results:
        """Return what torch's model returns.

        Raises
        ------
        AssertionError
            If it fails.
        """
        packed = self.torch.nn.utils.rnn.PackedSequence
        args, keywords = map_arrays(self._tensor, inputs, packed)
        copied = self._torch_copy()
        with _double_by_default(self.torch) if self.is_double else contextlib.nullcontext():
            return self._results("torch's", copied, args, keywords)

    def _results(self, whose: str, model: Any, args: Any, keywords: Any) -> Results:
        try:
            result = model(*args, **keywords)
        except Exception as error:
            where = " in float64" if self.is_double else ""
            raise AssertionError(
                f"{whose} failed{where}: {type(error).__name__}: {error}"
            ) from error
        return {name: as_array(leaf) for name, leaf in leaves(result)}

    def _tensor(self, array: AnyArray) -> Any:
        return self.torch.from_numpy(np.array(array, order="C"))  # of its own memory

    def _torch_copy(self) -> Any:
        # A tensor that the model keeps from an earlier call, with its graph, cannot be copied.
        kept = [value for part in self.torch_module.modules() for value in vars(part).values()]
        computed = [
            leaf
            for value in kept
            for _, leaf in leaves(value)
            if isinstance(leaf, self.torch.Tensor) and not leaf.is_leaf
        ]
        detached = {id(tensor): tensor.detach().clone() for tensor in computed}
        return _copied("torch's", self.torch_module, detached)

    def doubled(self) -> Pair:
        """Return both in float64, with the state that they keep in attributes."""
        ours, theirs = _copied("ours", self.module).double(), self._torch_copy().double()
        for part in ours.modules():
            _replace_attributes(part, lambda value: map_arrays(as_double, value))
        for part in theirs.modules():
            _replace_attributes(part, self._doubled_tensors)
        return Pair(ours, theirs, self.torch, is_double=True)

    def _doubled_tensors(self, value: Any) -> Any:
        def doubled(leaf: Any) -> Any:
            is_float = isinstance(leaf, self.torch.Tensor) and leaf.is_floating_point()
            return leaf.double() if is_float else leaf

        return map_leaves(doubled, value, self.torch.nn.utils.rnn.PackedSequence)

    def nudged(self, rng: np.random.Generator) -> Pair:
        """Return torch's with the last bit of its weights changed."""
        torch_module = self._torch_copy()
        for parameter in torch_module.parameters():
            parameter.copy_(self._tensor(nudged(as_array(parameter), rng)))
        return self._replace(torch_module=torch_module)


def _copied(whose: str, model: Any, memo: dict[int, Any] | None = None) -> Any:
    try:
        return copy.deepcopy(model, memo)
    except Exception as error:
        raise AssertionError(
            f"{whose} cannot be copied, which each run needs: {type(error).__name__}: {error}"
        ) from error


def _replace_attributes(module: Any, function: Callable[[Any], Any]) -> None:
    """Replace what a module keeps in plain attributes: arrays, or nests of them."""
    registered = ("_parameters", "_buffers", "_modules")
    for name, value in vars(module).items():
        is_nest = isinstance(value, (tuple, list, dict)) or hasattr(value, "__array__")
        if is_nest and name not in registered:
            vars(module)[name] = function(value)


@contextlib.contextmanager
def _double_by_default(torch: Any) -> Iterator[None]:
    """Let torch make float64 tensors where float32 is asked for, by name or by default."""

    class Doubling(torch.overrides.TorchFunctionMode):  # type: ignore[misc]  # Any
        def __torch_function__(
            self, function: Any, _types: Any, args: Any = (), keywords: Any = None
        ) -> Any:
            if function is torch.Tensor.float:
                function = torch.Tensor.double
            args = [torch.float64 if value is torch.float32 else value for value in args]
            keywords = {
                name: torch.float64 if value is torch.float32 else value
                for name, value in (keywords or {}).items()
            }
            return function(*args, **keywords)

    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        with Doubling():
            yield
    finally:
        torch.set_default_dtype(before)


def as_array(value: Any) -> AnyArray:
    """Return a new array from an array, a tensor, or a list of them without axes.

    What is none of them becomes an array of one object.
    """
    if isinstance(value, list):
        return np.array([as_array(item) for item in value])
    return np.array(value.detach().cpu().numpy() if hasattr(value, "detach") else value)


def map_arrays(
    function: Callable[[AnyArray], Any], value: Any, packed: Callable[..., Any] = PackedSequence
) -> Any:
    """Return nested values with `function` applied to arrays and tensors, as arrays."""

    def mapped(leaf: Any) -> Any:
        return function(as_array(leaf)) if hasattr(leaf, "__array__") else leaf

    return map_leaves(mapped, value, packed)


def as_double(array: AnyArray) -> AnyArray:
    """Return floats in float64, and other arrays as they are."""
    return array.astype(np.float64) if array.dtype.kind == "f" else array


@silent
def nudged(array: AnyArray, rng: np.random.Generator) -> AnyArray:
    """Return an array of floats with the last bit of every number changed, up or down.

    Zeros, infinities, NaNs and arrays of integers stay as they are.
    """
    if array.dtype.kind != "f":
        return array
    towards = np.where(rng.random(array.shape) < 0.5, -np.inf, np.inf).astype(array.dtype)
    fixed = (array == 0) | ~np.isfinite(array)
    return np.asarray(np.where(fixed, array, np.nextafter(array, towards)))

"""torch's own databases of functions and modules, as calls of both libraries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.testing._internal.common_methods_invocations import op_db
from torch.testing._internal.common_modules import module_db

import numpy_rnn
from numpy_rnn import functional
from tests.support.compare import normalised, raised_by

PREFIX = "nn.functional."


def entries(*names: str) -> list[Any]:
    """Return the entries of torch's database for functions of ``torch.nn.functional``."""
    return [info for info in op_db if info.name in {PREFIX + name for name in names}]


def as_numpy(value: Any) -> Any:
    """Return tensors as arrays of their own, throughout tuples and lists."""
    if isinstance(value, torch.Tensor):
        return value.detach().resolve_conj().numpy().copy()
    if isinstance(value, (tuple, list)):
        return type(value)(as_numpy(item) for item in value)
    return value


def samples(info: Any, dtype: torch.dtype) -> Iterator[tuple[list[Any], dict[str, Any]]]:
    """Yield the arguments of an entry's calls that work, with arrays for tensors."""
    for sample in info.sample_inputs("cpu", dtype, requires_grad=False):
        inputs = [as_numpy(value) for value in (sample.input, *sample.args)]
        yield inputs, {name: as_numpy(value) for name, value in sample.kwargs.items()}


def faults(info: Any) -> Iterator[tuple[Callable[[], Any], Callable[[], Any]]]:
    """Yield an entry's calls that fail, ours and torch's."""
    name = info.name.removeprefix(PREFIX)
    ours, theirs = getattr(functional, name), getattr(torch.nn.functional, name)
    for error in info.error_inputs("cpu"):
        inputs, options = (error.sample_input.input, *error.sample_input.args), {}
        options = error.sample_input.kwargs
        yield (
            lambda inputs=inputs, options=options: ours(*as_numpy(inputs), **options),
            lambda inputs=inputs, options=options: theirs(*inputs, **options),
        )


def assert_same_fault(ours: Callable[[], Any], theirs: Callable[[], Any]) -> None:
    """Compare what both raise, where torch says tensor and we say array."""
    expected, got = raised_by(theirs), raised_by(ours)
    assert expected is not None, "torch raised nothing"
    assert got is not None, f"nothing was raised; torch says {expected!r}"
    assert type(got) is type(expected), f"{got!r} in place of {expected!r}"
    assert normalised(str(got)) == normalised(str(expected).replace("tensor", "array"))


MODULES = {info.module_cls.__name__: info for info in module_db}
OPTIONS = {"device": "cpu", "dtype": torch.float32, "requires_grad": False, "training": False}


def module_samples(name: str) -> Iterator[tuple[Any, Any, tuple[Any, ...]]]:
    """Yield our layer, torch's and the inputs of each entry for a class of layers."""
    for sample in MODULES[name].module_inputs_func(MODULES[name], **OPTIONS):
        arguments = sample.constructor_input
        ours = getattr(numpy_rnn, name)(*arguments.args, **arguments.kwargs).eval()
        theirs = getattr(torch.nn, name)(*arguments.args, **arguments.kwargs).eval()
        inputs = (*sample.forward_input.args, *sample.forward_input.kwargs.values())
        yield ours, theirs, as_numpy(inputs)


def assert_same_module_faults(name: str) -> int:
    """Compare what each faulty entry for a class of layers raises; return their number."""
    find = MODULES[name].module_error_inputs_func
    cases = find(MODULES[name], **OPTIONS) if find else []
    for case in cases:
        arguments = case.module_error_input.constructor_input
        inputs = case.module_error_input.forward_input.args
        ours = getattr(numpy_rnn, name)(*arguments.args, **arguments.kwargs)
        theirs = getattr(torch.nn, name)(*arguments.args, **arguments.kwargs)
        assert_same_fault(
            lambda: ours(*as_numpy(inputs)),  # noqa: B023  # called at once
            lambda: theirs(*inputs),  # noqa: B023
        )
    return len(cases)

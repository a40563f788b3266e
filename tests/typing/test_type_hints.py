"""Can everything public be asked for its types while it runs?"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterator

import pytest

import numpy_rnn as nn
import numpy_rnn.random
import numpy_rnn.testing
from numpy_rnn import modules

MODULES = (
    nn,
    nn.functional,
    nn.init,
    nn.utils.rnn,
    numpy_rnn.random,
    numpy_rnn.testing,
    modules,
    modules.module,
    modules.rnn,
)


SPECIAL = ("__init__", "__new__", "__call__", "__getitem__")


def functions_of(value: object) -> Iterator[Callable[..., object]]:
    """Yield a function of the package, or a class's public and special methods."""
    members = [value]
    if inspect.isclass(value):
        names = [name for name in dir(value) if name in SPECIAL or not name.startswith("_")]
        members = [inspect.getattr_static(value, name) for name in names]
    for member in members:
        function = getattr(member, "fget", None) or getattr(member, "__func__", member)
        if inspect.isfunction(function) and function.__module__.startswith("numpy_rnn"):
            yield function


FUNCTIONS = {
    f"{function.__module__}.{function.__qualname__}": function
    for module in MODULES
    for name in module.__all__
    for function in functions_of(getattr(module, name))
}
CLASSES = [value for value in vars(nn).values() if inspect.isclass(value)]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_type_hints_of_public_function_name_every_parameter(name):
    hints = typing.get_type_hints(FUNCTIONS[name])
    untyped = {*inspect.signature(FUNCTIONS[name]).parameters, "return"} - set(hints)
    assert untyped <= {"self", "cls"}


@pytest.mark.parametrize("kind", CLASSES)
def test_type_hints_of_public_class_resolve(kind):
    assert all(isinstance(name, str) for name in typing.get_type_hints(kind))


def test_type_hints_are_asked_of_constructors_and_inherited_methods():
    methods = {name.removeprefix("numpy_rnn.modules.") for name in FUNCTIONS}
    assert methods > {"rnn.GRU.__init__", "rnn.RNNBase.all_weights", "module.Module.eval"}

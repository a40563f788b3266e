"""Modules that hold modules, or parameters."""

from __future__ import annotations

import itertools
import operator
from collections import OrderedDict
from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import Any, TypeVar, overload

from numpy_rnn.modules.linear import Identity
from numpy_rnn.modules.module import Module
from numpy_rnn.modules.parameter import Parameter

__all__ = ["ModuleDict", "ModuleList", "ParameterDict", "ParameterList", "Sequential"]

S = TypeVar("S", bound="_Numbered")


class _Container(Module):
    """What the containers share: submodules as an ordered dict."""

    def _items(self) -> dict[str, Module]:
        return {name: self.__dict__[name] for name in self._module_names}

    def _replace(self, items: Iterable[tuple[str, Module]]) -> None:
        """Replace the modules by these, all of them or none."""
        held = set(self._module_names)
        twin = object.__new__(type(self))
        twin.__dict__ = {
            name: value for name, value in self.__dict__.items() if name not in held
        } | {"_module_names": []}
        for name, module in items:
            twin.add_module(name, module)
        self.__dict__ = twin.__dict__

    def __len__(self) -> int:
        return len(self._module_names)


class _Numbered(_Container):
    """What a list and a sequence share: names are numbers, unless given otherwise."""

    def _name_at(self, index: int) -> str:
        index = operator.index(index)
        if not -len(self) <= index < len(self):
            raise IndexError(f"index {index} is out of range")
        return self._module_names[index]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items().values())

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self: S, index: slice) -> S: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return self._part(index)
        return self.__dict__[self._name_at(index)]

    def _part(self, index: slice) -> Any:
        kind: Any = type(self)
        return kind(list(self)[index])

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, self._name_at(index), module)

    def __delitem__(self, index: int | slice) -> None:
        kept = list(self)
        if not isinstance(index, slice):
            self._name_at(index)
        del kept[index]
        self._replace((str(number), module) for number, module in enumerate(kept))

    def append(self: S, module: Module) -> S:
        """Add a module at the end; return this container."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self: S, modules: Iterable[Module]) -> S:
        """Add modules at the end; return this container.

        Raises
        ------
        TypeError
            If `modules` is not iterable.
        """
        if not isinstance(modules, Iterable):
            raise TypeError(
                f"{type(self).__name__}.extend should be called with an iterable, but got "
                f"{type(modules).__name__}"
            )
        for module in list(modules):
            self.append(module)
        return self

    def _insert(self, index: int, module: Module) -> None:
        if not isinstance(module, Module):
            raise AssertionError(f"module should be of type: {Module}")
        if not -len(self) <= index <= len(self):
            raise IndexError(f"Index out of range: {index}")
        index += len(self) if index < 0 else 0
        modules = list(self)
        modules.insert(index, module)
        names = [str(number) for number in range(len(modules))]
        before = self._module_names[:index]
        if not set(before) & set(names[index:]):
            names[:index] = before  # what comes before keeps its names, as in torch
        self._replace(zip(names, modules))

    def pop(self, key: int | slice) -> Any:
        """Remove a module, or several, and return them."""
        removed = self[key]
        del self[key]
        return removed


class Sequential(_Numbered):
    """Modules that are called in order, each with the output of the previous one.

    Parameters
    ----------
    *args : Module
        The modules, whose names are then numbers from 0; or one ``OrderedDict`` of names
        and modules.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.Sequential.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    >>> model
    Sequential(
      (0): Linear(in_features=3, out_features=4, bias=True)
      (1): ReLU()
      (2): Linear(in_features=4, out_features=2, bias=True)
    )
    >>> model(np.zeros((5, 3), np.float32)).shape
    (5, 2)
    >>> list(model.state_dict())
    ['0.weight', '0.bias', '2.weight', '2.bias']
    """

    def __init__(self, *args: Module | OrderedDict[str, Any]) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], OrderedDict):
            items: OrderedDict[str, Any] = args[0]
        else:
            items = OrderedDict((str(number), module) for number, module in enumerate(args))
        for name, module in items.items():
            self.add_module(name, module)

    def forward(self, input: Any) -> Any:
        """Call all modules in order and return the output of the last.

        Without modules an array is copied, as by `Identity`.
        """
        if not self._module_names:
            return Identity()(input)
        modules = self.__dict__
        for name in self._module_names:
            input = modules[name](input)
        return input

    def _part(self, index: slice) -> Sequential:
        return type(self)(OrderedDict(list(self._items().items())[index]))

    def insert(self, index: int, module: Module) -> Sequential:
        """Put a module before the one at `index`; return this container.

        Raises
        ------
        AssertionError
            If `module` is not a Module.
        IndexError
            If `index` is beyond the end.
        """
        self._insert(index, module)
        return self

    def __add__(self, other: Sequential) -> Sequential:
        return Sequential(*self).__iadd__(other)

    def __iadd__(self, other: Sequential) -> Sequential:
        if not isinstance(other, Sequential):
            raise ValueError(
                "add operator supports only objects of Sequential class, but "
                f"{type(other)} is given."
            )
        return self.extend(other)

    def __mul__(self, other: int) -> Sequential:
        self._check_factor(other)
        return Sequential(*list(self) * other)

    def __rmul__(self, other: int) -> Sequential:
        return self * other

    def __imul__(self, other: int) -> Sequential:
        self._check_factor(other)
        return self.extend(list(self) * (other - 1))

    def _check_factor(self, other: object) -> None:
        if not isinstance(other, int):
            raise TypeError(
                f"unsupported operand type(s) for *: {type(self)} and {type(other)}"
            )
        if other <= 0:
            raise ValueError(f"Non-positive multiplication factor {other} for {type(self)}")


class ModuleList(_Numbered):
    """A list of modules, whose names are numbers from 0.

    Parameters
    ----------
    modules : iterable of Module, optional
        What it holds first.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.ModuleList.html

    Examples
    --------
    >>> import numpy_rnn as nn
    >>> nn.ModuleList(nn.LSTMCell(8, 8) for _ in range(3))
    ModuleList(
      (0-2): 3 x LSTMCell(8, 8)
    )
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def insert(self, index: int, module: Module) -> None:
        """Put a module before the one at `index`.

        Raises
        ------
        AssertionError
            If `module` is not a Module.
        IndexError
            If `index` is beyond the end.
        """
        self._insert(index, module)

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList([*self, *other])

    def __iadd__(self, other: Iterable[Module]) -> ModuleList:
        return self.extend(other)

    def _shown_children(self) -> Iterator[str]:
        """Yield torch's form: neighbours that print the same are counted."""
        first = 0
        for text, run in itertools.groupby(map(repr, self)):
            end = first + len(list(run))
            counted = f"({first}-{end - 1}): {end - first} x {text}"
            yield f"({first}): {text}" if end == first + 1 else counted
            first = end


class ModuleDict(_Container):
    """An ordered dict of modules.

    Parameters
    ----------
    modules : mapping of str to Module, or iterable of pairs, optional
        What it holds first.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.ModuleDict.html

    Examples
    --------
    >>> import numpy_rnn as nn
    >>> heads = nn.ModuleDict({"state": nn.Linear(4, 2), "language": nn.Linear(4, 3)})
    >>> heads["language"]
    Linear(in_features=4, out_features=3, bias=True)
    """

    def __init__(
        self,
        modules: Mapping[str, Module] | ModuleDict | Iterable[tuple[str, Module]] | None = None,
    ) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key: str) -> Any:
        return self._items()[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        if key not in self:
            raise KeyError(key)
        delattr(self, key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._items())

    def __contains__(self, key: object) -> bool:
        return key in self._module_names

    def clear(self) -> None:
        """Remove all modules."""
        self._replace([])

    def pop(self, key: str) -> Any:
        """Remove the module `key` and return it.

        Raises
        ------
        KeyError
            If there is none.
        """
        module = self[key]
        del self[key]
        return module

    def keys(self) -> KeysView[str]:
        """Return the names."""
        return self._items().keys()

    def items(self) -> ItemsView[str, Any]:
        """Return pairs of name and module."""
        return self._items().items()

    def values(self) -> ValuesView[Any]:
        """Return the modules."""
        return self._items().values()

    def update(
        self, modules: Mapping[str, Module] | ModuleDict | Iterable[tuple[str, Module]]
    ) -> None:
        """Add modules, or replace those of the same names.

        Parameters
        ----------
        modules : mapping of str to Module, ModuleDict, or iterable of pairs
            In their order.

        Raises
        ------
        TypeError
            If `modules` is not iterable, or an element is not.
        ValueError
            If an element is not a pair.
        """
        if not isinstance(modules, Iterable):
            raise TypeError(
                "ModuleDict.update should be called with an iterable of key/value pairs, but "
                f"got {type(modules).__name__}"
            )
        pairs: Iterable[Any] = modules
        if isinstance(modules, (ModuleDict, Mapping)):
            pairs = modules.items()
        for key, module in _pairs("ModuleDict", pairs):
            self[key] = module


def _pairs(kind: str, elements: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
    """Yield elements that are pairs, or raise an error about the first that is not."""
    for number, pair in enumerate(elements):
        start = f"{kind} update sequence element #{number}"
        if not isinstance(pair, Iterable):
            raise TypeError(f"{start} should be Iterable; is {type(pair).__name__}")
        pair = tuple(pair)
        if len(pair) != 2:
            raise ValueError(f"{start} has length {len(pair)}; 2 is required")
        yield pair


class _ParameterContainer(Module):
    """What a list and a dict of parameters share: values by key, arrays as parameters."""

    _keys: dict[str, None]

    def __init__(self) -> None:
        super().__init__()
        self._keys = {}

    def __getstate__(self) -> dict[str, Any]:
        return super().__getstate__() | {"_keys": dict(self._keys)}

    def __len__(self) -> int:
        return len(self._keys)

    def _set(self, key: str, value: Any) -> None:
        if hasattr(value, "__array__") and not isinstance(value, Parameter):
            value = Parameter(value)
        setattr(self, key, value)
        self._keys[key] = None

    def forward(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ARG002  # it has none
        """Raise RuntimeError: it is only a container."""
        raise RuntimeError(f"{type(self).__name__} should not be called.")

    def extra_repr(self) -> str:
        """Return a line for each value."""
        lines = []
        for key in self._keys:
            value = getattr(self, key)
            text = f"Object of type: {type(value).__name__}"
            if isinstance(value, Parameter):
                sizes = "x".join(map(str, value.shape))
                text = f"Parameter containing: [{value.dtype} of size {sizes}]"
            lines.append(f"  ({key}): {text}")
        return "\n".join(lines)


class ParameterList(_ParameterContainer):
    """A list of parameters, which may hold other values as well.

    Arrays that are not parameters are copied, as `Parameter` copies them.

    Parameters
    ----------
    values : iterable, optional
        What it holds first.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.ParameterList.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.ParameterList([np.ones(3), np.zeros((2, 2))])
    ParameterList(
        (0): Parameter containing: [float64 of size 3]
        (1): Parameter containing: [float64 of size 2x2]
    )
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        if values is not None:
            self.extend(values)

    def _key_at(self, index: int) -> str:
        index = operator.index(index)
        if not -len(self) <= index < len(self):
            raise IndexError(f"index {index} is out of range")
        return str(index % len(self))

    @overload
    def __getitem__(self, idx: int) -> Any: ...
    @overload
    def __getitem__(self, idx: slice) -> ParameterList: ...
    def __getitem__(self, idx: int | slice) -> Any:
        if isinstance(idx, slice):
            return type(self)(list(self)[idx])
        return getattr(self, self._key_at(idx))

    def __setitem__(self, idx: int, param: Any) -> None:
        self._set(self._key_at(idx), param)

    def __iter__(self) -> Iterator[Any]:
        return (getattr(self, key) for key in self._keys)

    def __iadd__(self, parameters: Iterable[Any]) -> ParameterList:
        return self.extend(parameters)

    def append(self, value: Any) -> ParameterList:
        """Add a value at the end; return this list."""
        self._set(str(len(self)), value)
        return self

    def extend(self, values: Iterable[Any]) -> ParameterList:
        """Add values at the end; return this list.

        Raises
        ------
        TypeError
            If `values` is not iterable, or an array.
        """
        if not isinstance(values, Iterable) or hasattr(values, "__array__"):
            raise TypeError(
                "ParameterList.extend should be called with an iterable, but got "
                f"{type(values).__name__}"
            )
        for value in list(values):
            self.append(value)
        return self


class ParameterDict(_ParameterContainer):
    """An ordered dict of parameters, which may hold other values as well.

    Arrays that are not parameters are copied, as `Parameter` copies them.

    Parameters
    ----------
    parameters : mapping of str, or iterable of pairs, optional
        What it holds first. A plain dict is sorted by its keys, as in torch.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.ParameterDict.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> parameters = nn.ParameterDict({"left": np.ones(2), "right": np.zeros(2)})
    >>> parameters["left"]
    array([1., 1.])
    """

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        if parameters is not None:
            self.update(parameters)

    def __getitem__(self, key: str) -> Any:
        if not isinstance(key, str):
            raise TypeError(
                "Index given to ParameterDict cannot be used as a key as it is not a string "
                f"(type is '{type(key).__name__}'): use a string"
            )
        return getattr(self, key)

    def __setitem__(self, key: str, value: Any) -> None:
        self._set(key, value)

    def __delitem__(self, key: str) -> None:
        del self._keys[key]
        delattr(self, key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __reversed__(self) -> Iterator[str]:
        return reversed(self._keys)

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def __or__(self, other: Any) -> ParameterDict:
        result = self.copy()
        result.update(other)
        return result

    def __ror__(self, other: Any) -> ParameterDict:
        result = ParameterDict(other)
        result.update(self)
        return result

    def __ior__(self, other: Any) -> ParameterDict:
        self.update(other)
        return self

    def copy(self) -> ParameterDict:
        """Return a dict of the same parameters."""
        return ParameterDict(OrderedDict(self.items()))

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Return the value of a key, which is set to `default` first if there is none."""
        if key not in self:
            self[key] = default
        return self[key]

    def clear(self) -> None:
        """Remove all values."""
        for key in list(self):
            del self[key]

    def pop(self, key: str) -> Any:
        """Remove a value and return it."""
        value = self[key]
        del self[key]
        return value

    def popitem(self) -> tuple[str, Any]:
        """Remove the last pair of key and value and return it.

        Raises
        ------
        KeyError
            If there is none.
        """
        if not self._keys:
            raise KeyError("popitem(): dictionary is empty")
        key = next(reversed(self))
        return key, self.pop(key)

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of a key, or `default` if there is none."""
        return self[key] if key in self else default  # noqa: SIM401  # that is this

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> ParameterDict:
        """Return a new dict with these keys, and `default` as the value of each."""
        return ParameterDict((key, default) for key in keys)

    def keys(self) -> KeysView[str]:
        """Return the keys."""
        return self._keys.keys()

    def items(self) -> Iterable[tuple[str, Any]]:
        """Return pairs of key and value."""
        return ((key, self[key]) for key in self)

    def values(self) -> Iterable[Any]:
        """Return the values."""
        return (self[key] for key in self)

    def update(self, parameters: Any) -> None:
        """Set values, from a mapping or from pairs of key and value.

        Raises
        ------
        TypeError
            If `parameters` is not iterable, or an element is not.
        ValueError
            If an element is not a pair.
        """
        if not isinstance(parameters, Iterable):
            raise TypeError(
                "ParametersDict.update should be called with an iterable of key/value pairs, "
                f"but got {type(parameters).__name__}"
            )
        if isinstance(parameters, (OrderedDict, ParameterDict)):
            parameters = parameters.items()
        elif isinstance(parameters, Mapping):
            parameters = sorted(parameters.items())
        for key, value in _pairs("ParameterDict", parameters):
            self[key] = value

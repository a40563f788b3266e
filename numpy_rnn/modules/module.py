"""The base class of all modules: named arrays, submodules, and their transport."""

from __future__ import annotations

import operator
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np

from numpy_rnn._typing import AnyArray, Arguments, Array, DTypeLike, HasForward, Result
from numpy_rnn.arguments import FLOAT32, FLOAT64, FLOATS, as_array, parse_to, printable
from numpy_rnn.floating_point import cast
from numpy_rnn.modules.parameter import Parameter, as_parameter
from numpy_rnn.modules.reparametrized import Reparametrized, fold

__all__ = ["IncompatibleKeys", "Module"]

M = TypeVar("M", bound="Module")

_REGISTRIES = ("_parameter_names", "_buffer_names", "_transient_names", "_module_names")
"""The lists of names that a module has; transient buffers are not part of its state."""


class _Keys(NamedTuple):
    missing_keys: list[str]
    unexpected_keys: list[str]


class IncompatibleKeys(_Keys):
    """The names that `Module.load_state_dict` found on one side only.

    Attributes
    ----------
    missing_keys, unexpected_keys : list of str
        The two elements of the tuple.
    plain_arrays : list of str
        Those of the unexpected names that are attributes of the model, but plain arrays.
    """

    plain_arrays: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        text = (
            f"IncompatibleKeys(missing_keys={self.missing_keys}, "
            f"unexpected_keys={self.unexpected_keys})"
        )
        return "\n".join([text, *map(_plain_array_advice, self.plain_arrays)])


class _Frozen:
    """Whether a module is frozen; an attribute of a model's own of this name hides it."""

    def __get__(self, module: Module | None, owner: type) -> bool:
        return module is not None and _is_frozen(module)


class Module:
    """A tree of named parameters, after ``torch.nn.Module``, for inference.

    Parameters are plain arrays and ordinary attributes. They are live: a module reads
    them at every call and keeps nothing derived from them, so a weight that was loaded,
    assigned or edited in place counts from the next call on. A module owns its
    parameters: what is assigned or loaded is copied, so that the caller's array and the
    module's never share memory. An array that is already a parameter is shared instead:
    ``decoder.weight = embedding.weight`` ties the two, as in torch. Buffers are the arrays
    that are not weights, such as running statistics or a state; they are always copied, and
    may change their shape and dtype, or become None, by assignment. `freeze` gives all this up
    for speed.

    A subclass calls ``super().__init__()``, assigns its submodules and `Parameter`s of its
    own, registers other arrays with `register_buffer`, and defines ``forward``.

    Attributes
    ----------
    training : bool
        True in a new module, as in torch; `eval` makes it False.
    frozen : bool
        Whether `freeze` was called, and `unfreeze` was not since.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> class Tagger(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.rnn = nn.RNN(3, 4)
    ...         self.linear = nn.Linear(4, 2)
    ...
    ...     def forward(self, x):
    ...         return self.linear(self.rnn(x)[0])
    >>> tagger = Tagger().eval()
    >>> tagger
    Tagger(
      (rnn): RNN(3, 4)
      (linear): Linear(in_features=4, out_features=2, bias=True)
    )
    >>> [name for name, _ in tagger.named_parameters()][-2:]
    ['linear.weight', 'linear.bias']
    >>> tagger(np.zeros((5, 1, 3), np.float32)).shape
    (5, 1, 2)
    """

    training: bool
    _parameter_names: list[str]
    _buffer_names: list[str]
    _transient_names: list[str]
    _module_names: list[str]
    _output_axis: int = 0
    """The axis of the weight that is along the outputs."""
    frozen: _Frozen = _Frozen()
    _derived: Any = None
    """What a frozen module keeps of its weights; None unless it is frozen."""

    def __init__(self) -> None:
        self.training = True
        for names in _REGISTRIES:
            self.__dict__[names] = []

    def __getstate__(self) -> dict[str, Any]:
        """Return the attributes for a copy or a pickle; they share no list with this."""
        state = dict(self.__dict__)
        for names in _REGISTRIES:
            state[names] = list(state[names])
        if _is_frozen(self):
            state["_derived"] = True  # what is derived is made again
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the attributes of a copy or a pickle."""
        self.__dict__.update(state)
        for array in self._parameters.values():
            if array is not None:
                as_parameter(array)
        if _is_frozen(self):
            for array in _arrays_of(self).values():
                array.flags.writeable = False
            self.__dict__["_derived"] = self._derive(self.__dict__)

    def __call__(
        self: HasForward[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Result:
        """Return what ``forward`` computes."""
        return self.forward(*args, **kwargs)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the module's result; a subclass defines it."""
        raise NotImplementedError(
            f'Module [{type(self).__name__}] is missing the required "forward" function'
        )

    # Parameters and submodules as attributes

    def __setattr__(self, name: str, value: Any) -> None:
        registries = self.__dict__
        if "_derived" in registries:
            self._check_assignment(name, value)
        if isinstance(value, Parameter):
            self._assign_parameter(name, value)
        elif name in registries.get("_parameter_names", ()):
            registries[name] = self._owned(name, value)
        elif isinstance(value, Module):
            if name not in registries.get("_module_names", (name,)) and name in registries:
                delattr(self, name)  # a buffer or plain attribute gives way, as in torch
            self.add_module(name, value)
        elif value is not None and name in registries.get("_module_names", ()):
            raise TypeError(
                f"cannot assign '{type(value).__name__}' as child module '{name}' "
                "(numpy_rnn.Module or None expected)"
            )
        elif name in registries.get("_buffer_names", ()):
            if value is not registries[name]:
                registries[name] = _buffer_copy(name, value)
        else:
            object.__setattr__(self, name, value)

    def _assign_parameter(self, name: str, value: Parameter) -> None:
        """Share a parameter: what has its name gives way, as in torch."""
        names = self.__dict__.get("_parameter_names")
        if names is None:
            raise AttributeError("cannot assign parameters before Module.__init__() call")
        if name in names:
            self.__dict__[name] = value
            return
        if name in self.__dict__:
            delattr(self, name)
        self.register_parameter(name, value)

    def __delattr__(self, name: str) -> None:
        if _is_frozen(self) and any(name in self.__dict__[names] for names in _REGISTRIES):
            raise _frozen_error(f"`{name}` cannot be deleted")
        # A name is removed before its value, and added in one call with it, so that an
        # interrupt leaves none without a value.
        for names in _REGISTRIES:
            if name in self.__dict__[names]:
                self.__dict__[names].remove(name)
        object.__delattr__(self, name)

    def register_parameter(self, name: str, value: AnyArray | None) -> None:
        """Add a parameter: a copy of `value`, or None if the module has none of that name.

        A `Parameter` is not copied but shared.

        Parameters
        ----------
        name : str
            The attribute that holds it from now on; no dot in it.
        value : ndarray or None
            float32 or float64, of any shape.

        Raises
        ------
        KeyError
            If the name is empty, has a dot, or is taken.
        TypeError
            If `value` is not a float array.
        """
        self._check_new_name("parameter", name)
        if _is_frozen(self):
            raise _frozen_error(f"`{name}` cannot be registered")
        if value is not None and not isinstance(value, Parameter):
            value = _float_copy(name, value)
        self.__dict__.update({name: value, "_parameter_names": [*self._parameter_names, name]})

    def register_buffer(
        self, name: str, array: AnyArray | None, persistent: bool = True
    ) -> None:
        """Add a buffer: a copy of `array`, or None if it is assigned later.

        Parameters
        ----------
        name : str
            The attribute that holds it from now on; no dot in it.
        array : ndarray or None
            float32, float64, integers or bools, of any shape.
        persistent : bool
            Whether it is part of the `state_dict`.

        Raises
        ------
        KeyError
            If the name is empty, has a dot, or is taken by something else.
        TypeError
            If `array` is not such an array.
        """
        if name not in self.__dict__.get("_buffer_names", ()):
            self._check_new_name("buffer", name)
        if _is_frozen(self):
            raise _frozen_error(f"`{name}` cannot be registered")
        changed: dict[str, Any] = {name: _buffer_copy(name, array)}
        for registry, listed in (("_buffer_names", True), ("_transient_names", not persistent)):
            names = self.__dict__[registry]
            if name in names and not listed:
                changed[registry] = [other for other in names if other != name]
            elif name not in names and listed:
                changed[registry] = [*names, name]
        self.__dict__.update(changed)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add or replace the submodule `name`, as assigning an attribute does.

        Raises
        ------
        AttributeError
            If ``super().__init__()`` was not called.
        KeyError
            If the name is empty, has a dot, or is taken by something else.
        TypeError
            If `module` is not a Module.
        """
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"{type(module).__name__} is not a Module subclass")
        if _is_frozen(self):
            raise _frozen_error(f"`{name}` cannot be added")
        if name in self.__dict__.get("_module_names", ()):
            self.__dict__[name] = module
            return
        self._check_new_name("module", name)
        self.__dict__.update({name: module, "_module_names": [*self._module_names, name]})

    def register_module(self, name: str, module: Module | None) -> None:
        """Do what `add_module` does."""
        self.add_module(name, module)

    # torch's mappings, by which its users reach what is registered.

    @property
    def _parameters(self) -> MutableMapping[str, Any]:
        return _Registered(self, "_parameter_names", self.register_parameter)

    @property
    def _buffers(self) -> MutableMapping[str, Any]:
        return _Registered(self, "_buffer_names", self.register_buffer)

    @property
    def _modules(self) -> MutableMapping[str, Any]:
        return _Registered(self, "_module_names", self.add_module)

    # Frozen for inference

    def freeze(self: M) -> M:
        """Make the module faster, and its weights unchangeable; return it, in eval mode.

        Parameters and buffers become read-only copies, and layers keep what is derived from
        them, which takes about two to three times their memory. An edit in place then raises
        NumPy's error, and assignment, `load_state_dict`, `to` and ``train()`` raise one that
        says `unfreeze`. Arrays and views that were taken before are the module's no more.
        Results are those of the live module up to rounding. A frozen module may be called
        from many threads at once.

        `copy.deepcopy` and pickling keep it frozen. To freeze twice, or after a submodule was
        frozen or added, is no error.

        Examples
        --------
        >>> import numpy as np
        >>> import numpy_rnn as nn
        >>> lstm = nn.LSTM(3, 4).freeze()
        >>> lstm.frozen, lstm.training
        (True, False)
        >>> lstm.weight_ih_l0[0, 0] = 1
        Traceback (most recent call last):
        ValueError: assignment destination is read-only
        >>> lstm.unfreeze().weight_ih_l0[0, 0] = 1
        """
        modules = [module for module in self.modules() if not _is_frozen(module)]
        copies: dict[int, AnyArray] = {
            id(array): array
            for module in self.modules()
            if _is_frozen(module)
            for array in _arrays_of(module).values()
        }
        items = []
        for module in modules:
            arrays = {
                name: copies.setdefault(id(array), _read_only_copy(array))
                if id(array) not in copies
                else copies[id(array)]
                for name, array in _arrays_of(module).items()
            }
            attributes = module.__dict__ | arrays
            changed = arrays | {"training": False, "_derived": module._derive(attributes)}
            items.append((module.__dict__, changed))
        _update_all(items)
        return self

    def unfreeze(self: M) -> M:
        """Undo `freeze`: weights are copied, and may be edited again; return this module."""
        copies: dict[int, AnyArray] = {}
        items = []
        for module in self.modules():
            if not _is_frozen(module):
                continue
            for array in _arrays_of(module).values():
                if id(array) not in copies:
                    copy = np.array(array)
                    is_parameter = isinstance(array, Parameter)
                    copies[id(array)] = as_parameter(copy) if is_parameter else copy
            changed = {name: copies[id(a)] for name, a in _arrays_of(module).items()}
            items.append((module.__dict__, changed))
        for attributes, changed in items:
            # In this order an interrupt leaves a frozen module, or none that is.
            attributes.update(changed)
            del attributes["_derived"]
        return self

    def _derive(self, attributes: Mapping[str, Any]) -> object:  # noqa: ARG002  # of subclasses
        """Return what a frozen module keeps of its weights, from its attributes-to-be."""
        return True

    def _check_assignment(self, name: str, value: Any) -> None:
        """Raise if an assignment would change the weights or the mode of a frozen module."""
        registered = any(name in self.__dict__[names] for names in _REGISTRIES)
        adds = isinstance(value, (Parameter, Module))
        if registered or adds or (name == "training" and value):
            raise _frozen_error(f"`{name}` cannot be assigned")

    def _check_new_name(self, kind: str, name: str) -> None:
        if "_parameter_names" not in self.__dict__:
            raise AttributeError(f"cannot assign {kind} before Module.__init__() call")
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {type(name).__name__}")
        if name == "":
            raise KeyError(f'{kind} name can\'t be empty string ""')
        if "." in name:
            raise KeyError(f'{kind} name can\'t contain ".", got: {name}')
        if hasattr(self, name) and (name in self.__dict__ or name not in _NOT_TORCHS):
            raise KeyError(f"attribute '{name}' already exists")

    def _owned(self, name: str, value: Any) -> Array:
        """Return a copy of `value` that may take the place of the parameter `name`."""
        current = self.__dict__[name]
        if current is None:
            raise TypeError(
                f"cannot assign '{type(value).__name__}' as parameter '{name}': the module "
                "was built without it"
            )
        owned = _float_copy(name, value)
        if owned.shape != current.shape:
            raise ValueError(
                f"cannot assign an array of shape {owned.shape} as parameter '{name}' "
                f"of shape {current.shape}"
            )
        if owned.dtype != current.dtype:
            raise TypeError(
                f"cannot assign an array of {owned.dtype} as parameter '{name}' of dtype "
                f"{current.dtype}. Convert it with .astype(numpy.{current.dtype}), or the "
                f"module with .to(numpy.{owned.dtype})"
            )
        return owned

    # Walking the tree

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Yield (name, module) of the direct submodules, each module once."""
        seen = set()
        for name in self._module_names:
            module = self.__dict__[name]
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def get_submodule(self, target: str) -> Module:
        """Return the module of the dotted name `target`; this one for ``""``.

        Raises
        ------
        AttributeError
            If the module has none of that name.
        """
        module: Any = self
        for name in target.split(".") if target else ():
            if not hasattr(module, name):
                raise AttributeError(f"{type(module).__name__} has no attribute `{name}`")
            module = getattr(module, name)
            if not isinstance(module, Module):
                raise AttributeError(f"`{name}` is not an nn.Module")
        found: Module = module
        return found

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Replace the module of the dotted name `target`, or add it to its parent.

        Parameters
        ----------
        target : str
        module : Module
        strict : bool
            Whether there must be one.

        Raises
        ------
        ValueError
            If the name is empty, or `module` is not a Module.
        AttributeError
            If a module on the way is missing, or what is there is not a Module.
        """
        if target == "":
            raise ValueError("Cannot set the submodule without a target name!")
        if not isinstance(module, Module):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        if strict or hasattr(parent, name):
            parent.get_submodule(name)
        setattr(parent, name, module)

    def get_parameter(self, target: str) -> Array:
        """Return the live parameter of the dotted name `target`.

        Raises
        ------
        AttributeError
            If the module has none of that name.
        """
        array = self._get_array(target, "_parameter_names")
        if array is None:
            raise AttributeError(f"`{target.rpartition('.')[2]}` is not an nn.Parameter")
        return array

    def get_buffer(self, target: str) -> AnyArray | None:
        """Return the live buffer of the dotted name `target`, or None if its value is None.

        Raises
        ------
        AttributeError
            If the module has none of that name.
        """
        return self._get_array(target, "_buffer_names")

    def _get_array(self, target: str, registry: str) -> AnyArray | None:
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if not hasattr(module, name):
            raise AttributeError(f"{type(module).__name__} has no attribute `{name}`")
        if name not in module.__dict__[registry]:
            kind = "a buffer" if registry == "_buffer_names" else "an nn.Parameter"
            raise AttributeError(f"`{name}` is not {kind}")
        array: AnyArray | None = module.__dict__[name]
        return array

    def children(self) -> Iterator[Module]:
        """Yield the direct submodules, each once."""
        return (module for _, module in self.named_children())

    def named_modules(
        self, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """Yield (dotted name, module) of this module and all below it, depth first.

        Parameters
        ----------
        prefix : str
            This module's own name.
        remove_duplicate : bool
            Whether a module that is in several places is yielded once.
        """
        return self._walk(prefix, set() if remove_duplicate else None)

    def _walk(self, prefix: str, seen: set[Module] | None) -> Iterator[tuple[str, Module]]:
        if seen is not None:
            if self in seen:
                return
            seen.add(self)
        yield prefix, self
        for name in self._module_names:
            module = self.__dict__[name]
            if module is not None:
                yield from module._walk(f"{prefix}.{name}" if prefix else name, seen)

    def modules(self) -> Iterator[Module]:
        """Yield this module and all below it, each once."""
        return (module for _, module in self.named_modules())

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Array]]:
        """Yield (dotted name, array) of the live parameters.

        Parameters
        ----------
        prefix : str
            Put before every name, with a dot.
        recurse : bool
            Whether those of submodules are included.
        remove_duplicate : bool
            Whether one that is in several places, or whose module is, is yielded once.
        """
        return self._named_arrays("_parameter_names", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Array]:
        """Yield the live parameters; `recurse` includes those of submodules."""
        return (array for _, array in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, AnyArray]]:
        """Yield (dotted name, array) of the live buffers, persistent or not.

        The parameters are those of `named_parameters`.
        """
        return self._named_arrays("_buffer_names", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[AnyArray]:
        """Yield the live buffers; `recurse` includes those of submodules."""
        return (array for _, array in self.named_buffers(recurse=recurse))

    def _named_arrays(
        self, registry: str, prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterator[tuple[str, Any]]:
        tree = self.named_modules(prefix, remove_duplicate)
        seen = set()
        for path, module in tree if recurse else [(prefix, self)]:
            for name in module.__dict__[registry]:
                array = module.__dict__[name]
                if array is not None and id(array) not in seen:
                    if remove_duplicate:
                        seen.add(id(array))
                    yield (f"{path}.{name}" if path else name), array

    def _state(self) -> Iterator[tuple[str, AnyArray]]:
        """Yield the arrays of this module alone that a state dict has."""
        for name in (*self._parameter_names, *self._buffer_names):
            if self.__dict__[name] is not None and name not in self._transient_names:
                yield name, self.__dict__[name]

    def apply(self: M, fn: Callable[[Module], object]) -> M:
        """Call `fn` on every module of the tree, children first; return this module."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    # State

    def state_dict(self, *, prefix: str = "") -> dict[str, AnyArray]:
        """Return parameters and persistent buffers by dotted name.

        They are views of the live arrays, not copies: editing one edits the module.

        Parameters
        ----------
        prefix : str
            Put before every name as it is, as torch does: end it with a dot.
        """
        return {
            f"{prefix}{path}.{name}" if path else prefix + name: array.view()
            for path, module in self.named_modules(remove_duplicate=False)
            for name, array in module._state()
        }

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True
    ) -> IncompatibleKeys:
        """Copy arrays, or tensors of torch, into the parameters and buffers of the same names.

        Values are cast to the dtype that is there, as torch does. A weight that is there in
        parts, normed, pruned or of WeightDrop, is computed from them. Parameters and buffers
        stay the same arrays. If anything is wrong nothing is changed, and an interrupt
        comes before all of them are written or after.

        Parameters
        ----------
        state_dict : mapping of str to array
            What `state_dict` returned, here or in torch, or `numpy_rnn.load`.
        strict : bool
            Whether a missing or unexpected name is an error.

        Returns
        -------
        IncompatibleKeys
            The named tuple (missing_keys, unexpected_keys).

        Raises
        ------
        RuntimeError
            Naming everything that does not fit.
        TypeError
            If `state_dict` is not a mapping with str keys.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        for key in state_dict:
            if not isinstance(key, str):
                raise TypeError(f"Expected the keys of state_dict to be str, got {key!r}.")
        if any(map(_is_frozen, self.modules())):
            raise _frozen_error("no state_dict can be loaded")
        missing: list[str] = []
        unexpected: list[str] = []
        plain: list[str] = []
        problems: list[str] = []
        copies: list[tuple[AnyArray, AnyArray]] = []
        # torch notes there with which version of a module's class its arrays were saved.
        metadata = getattr(state_dict, "_metadata", {})
        state_dict = fold(state_dict, self.state_dict())
        for path, module in self.named_modules(remove_duplicate=False):
            prefix = path + "." if path else ""
            version: int | None = metadata.get(path, {}).get("version")
            own = dict(module._state())
            for name, parameter in own.items():
                key = prefix + name
                if key not in state_dict:
                    if not module._may_lack(name, version):
                        missing.append(key)
                    continue
                try:
                    # All copies are made before the first is written: values may share
                    # memory with the parameters they are meant for.
                    copies.append((parameter, module._loaded(key, state_dict[key], parameter)))
                except ValueError as error:
                    problems.append(str(error))
            unknown = list(module._unknown_keys(prefix, own, state_dict))
            unexpected += unknown
            attributes = vars(module)
            plain += [
                key
                for key in unknown
                if isinstance(attributes.get(key.removeprefix(prefix)), np.ndarray)
            ]

        if strict and unexpected:
            problems.insert(0, f"Unexpected key(s) in state_dict: {_quoted(unexpected)}. ")
        if strict and missing:
            problems.insert(0, f"Missing key(s) in state_dict: {_quoted(missing)}. ")
        if problems:
            problems += map(_plain_array_advice, plain)
        if problems and any(isinstance(value, Mapping) for value in state_dict.values()):
            problems.append(
                "To read the weights of a checkpoint alone, use numpy_rnn.read_state_dict."
            )
        if strict and missing and unexpected:
            problems += _prefix_advice(missing, unexpected)
        if problems:
            raise RuntimeError(
                f"Error(s) in loading state_dict for {type(self).__name__}:\n\t"
                + "\n\t".join(problems)
            )
        _set_all((parameter, ..., value) for parameter, value in copies)
        keys = IncompatibleKeys(missing, unexpected)
        keys.plain_arrays = plain
        return keys

    def _loaded(self, key: str, value: Any, parameter: AnyArray) -> AnyArray:
        """Return the array to be written into a parameter, or raise ValueError."""
        if isinstance(value, Reparametrized):

            def convert(name: str, part: Any) -> AnyArray:
                return cast(_checkpoint_array(name, part), parameter.dtype)

            try:
                value = value.computed(convert, self._output_axis)
            except ValueError as error:
                raise ValueError(f"While computing {key}: {error}.") from None
        return _checkpoint_copy(key, value, parameter)

    @classmethod
    def _may_lack(cls, name: str, version: int | None) -> bool:  # noqa: ARG003  # of subclasses
        """Return whether a checkpoint of a version of this class may lack an array."""
        return False

    def _unknown_keys(
        self, prefix: str, own: Mapping[str, AnyArray], state_dict: Mapping[str, Any]
    ) -> Iterator[str]:
        for key in state_dict:
            if key.startswith(prefix):
                head, dot, _ = key[len(prefix) :].partition(".")
                if head not in (self._module_names if dot else own):
                    yield key

    # Modes and dtypes

    def train(self: M, mode: bool = True) -> M:
        """Set training mode, in which dropout acts, throughout the tree.

        Raises
        ------
        ValueError
            If `mode` is not a bool.
        """
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        if mode and any(map(_is_frozen, self.modules())):
            raise _frozen_error("train() has no effect")
        self.training = mode
        for child in self.children():
            child.train(mode)
        return self

    def eval(self: M) -> M:
        """Leave training mode throughout the tree."""
        return self.train(False)

    def to(self: M, *args: Any, device: object = None, dtype: DTypeLike = None) -> M:
        """Cast every parameter, and every buffer of floats, to a dtype; return this module.

        All are cast before any takes its place, so that no error or interrupt leaves some.

        Parameters
        ----------
        *args : device, dtype, both, or ndarray
            By position as in torch: a string is a device unless it names a dtype; an array
            gives its dtype.
        device : None or 'cpu'
            Accepted for torch's sake: arrays are on the CPU.
        dtype : dtype, optional
            float32 or float64; None leaves all as it is.

        Raises
        ------
        RuntimeError
            For a device that is not the CPU.
        TypeError
            For a dtype that is not float32 or float64.
        """
        target = parse_to(args, device, dtype)
        if target is not None:
            if any(map(_is_frozen, self.modules())):
                raise _frozen_error(f"the dtype cannot become {target}")
            items = [
                (module.__dict__, name, array)
                for module in self.modules()
                for name in (*module._parameter_names, *module._buffer_names)
                if (array := module.__dict__[name]) is not None and array.dtype.kind == "f"
            ]
            once = {id(array): array for _, _, array in items}  # tied weights stay tied
            casts = {key: _cast(array, target) for key, array in once.items()}
            _set_all((place, name, casts[id(array)]) for place, name, array in items)
        return self

    def float(self: M) -> M:
        """Cast parameters and float buffers to float32; return this module."""
        return self.to(dtype=FLOAT32)

    def double(self: M) -> M:
        """Cast parameters and float buffers to float64; return this module."""
        return self.to(dtype=FLOAT64)

    def half(self: M) -> M:
        """Raise TypeError: modules are float32 or float64."""
        raise TypeError(_NO_HALF)

    def bfloat16(self: M) -> M:
        """Raise TypeError: modules are float32 or float64."""
        raise TypeError(_NO_HALF)

    def cpu(self: M) -> M:
        """Return this module: the CPU is where it is."""
        return self

    def cuda(self: M, device: object = None) -> M:  # noqa: ARG002  # torch's signature
        """Raise RuntimeError: there is the CPU only."""
        return self.to("cuda")

    def requires_grad_(self: M, requires_grad: bool = True) -> M:  # noqa: ARG002
        """Return this module: there are no gradients."""
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Do nothing: there are no gradients."""

    # How it prints

    def extra_repr(self) -> str:
        """Return what is between the parentheses of the repr."""
        return ""

    def __repr__(self) -> str:
        extra, children = self.extra_repr(), list(self._shown_children())
        if not children and "\n" not in extra:
            return f"{type(self).__name__}({extra})"
        body = "\n".join([extra, *children] if extra else children).replace("\n", "\n  ")
        return f"{type(self).__name__}(\n  {body}\n)"

    def _shown_children(self) -> Iterator[str]:
        """Yield how the submodules are shown in the repr."""
        return (f"({name}): {self.__dict__[name]!r}" for name in self._module_names)


class _Registered(MutableMapping[str, Any]):
    """What a module has registered, by name: a view of its attributes."""

    def __init__(
        self, module: Module, registry: str, register: Callable[[str, Any], None]
    ) -> None:
        self._module = module
        self._names: list[str] = module.__dict__[registry]
        self._register = register

    def __getitem__(self, name: str) -> Any:
        if name not in self._names:
            raise KeyError(name)
        return self._module.__dict__[name]

    def __setitem__(self, name: str, value: Any) -> None:
        if name in self._names:
            setattr(self._module, name, value)
        else:
            self._register(name, value)

    def __delitem__(self, name: str) -> None:
        if name not in self._names:
            raise KeyError(name)
        delattr(self._module, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return repr(dict(self))


_NOT_TORCHS = ("freeze", "frozen", "unfreeze")
"""Attributes that torch's modules lack: a submodule or array of such a name hides them."""

_NO_HALF = (
    "modules are float32 or float64: leave half precision out. Checkpoints in half precision "
    "are widened when they are loaded"
)


def _is_frozen(module: Module) -> bool:
    return "_derived" in module.__dict__


def _frozen_error(what: str) -> RuntimeError:
    return RuntimeError(f"{what}: this module is frozen. Call unfreeze() first")


def _arrays_of(module: Module) -> dict[str, AnyArray]:
    """Return the parameters and buffers of a module alone that are not None."""
    names = (*module._parameter_names, *module._buffer_names)
    return {name: array for name in names if (array := module.__dict__[name]) is not None}


def _read_only_copy(array: AnyArray) -> AnyArray:
    """Return a copy that cannot be made writeable, since its memory is not; parameters stay."""
    memory = np.array(array)
    memory.flags.writeable = False
    view = memory.view()
    return as_parameter(view) if isinstance(array, Parameter) else view


def _update_all(items: Sequence[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    """Update dictionaries, all or none: an interrupt cannot divide one call of C code."""
    if items:
        deque(map(dict.update, *zip(*items)), maxlen=0)


def _plain_array_advice(name: str) -> str:
    return (
        f"`{printable(name)}` is a plain array here: wrap it in nn.Parameter or "
        "register_buffer."
    )


def _cast(array: AnyArray, dtype: np.dtype[Any]) -> AnyArray:
    """Return a parameter or buffer in a dtype; a parameter stays one."""
    result = cast(array, dtype)
    return as_parameter(result) if isinstance(array, Parameter) else result


def _quoted(names: list[str]) -> str:
    return ", ".join(f'"{printable(name)}"' for name in names)


def _set_all(items: Iterable[tuple[Any, Any, Any]]) -> None:
    """Do ``target[key] = value`` for each (target, key, value): for all of them or for none.

    All values are made before the first is set, and setting them is one call of C code,
    which an interrupt cannot divide.
    """
    columns = tuple(zip(*items))
    if columns:
        deque(map(operator.setitem, *columns), maxlen=0)


def _float_copy(name: str, value: Any) -> Array:
    """Return a C-ordered copy of an array meant for a parameter."""
    copy: Array = as_parameter(_copy(f"parameter '{name}'", "numpy.ndarray", value))
    if copy.dtype not in FLOATS:
        raise TypeError(
            f"cannot assign an array of {copy.dtype} as parameter '{name}' "
            "(float32 or float64 expected)"
        )
    return copy


def _buffer_copy(name: str, value: Any) -> AnyArray | None:
    """Return a C-ordered copy of an array meant for a buffer; None stays None."""
    if value is None:
        return None
    copy = _copy(f"buffer '{name}'", "numpy.ndarray or None", value)
    if copy.dtype not in FLOATS and copy.dtype.kind not in "iub":
        raise TypeError(
            f"cannot assign an array of {copy.dtype} as buffer '{name}' "
            "(float32, float64, integers or bools expected)"
        )
    return copy


def _copy(place: str, expected: str, value: Any) -> AnyArray:
    """Return a C-ordered copy of an array meant for a place in a module."""
    if not hasattr(value, "__array__"):
        raise TypeError(
            f"cannot assign '{type(value).__name__}' as {place} ({expected} expected)"
        )
    return np.array(as_array(value, place), order="C")


def _checkpoint_array(key: str, value: Any) -> AnyArray:
    """Return a value of a checkpoint as an array, or raise ValueError."""
    if not hasattr(value, "__array__"):
        raise ValueError(
            f'While copying the parameter named "{key}", expected numpy.ndarray or '
            f"array-like object from checkpoint but received {type(value)}"
        )
    try:
        # NumPy has no bfloat16 and no float8: torch widens those.
        lacks = "float8" in str(value.dtype) or "bfloat16" in str(value.dtype)
        return as_array(value.float() if lacks else value, key)
    except (TypeError, RuntimeError, AttributeError) as error:
        raise ValueError(
            f'While copying the parameter named "{key}", an exception occurred: {error}'
        ) from error


def _checkpoint_copy(key: str, value: Any, parameter: AnyArray) -> AnyArray:
    """Return a copy of `value` of the parameter's shape and dtype, or raise ValueError."""
    array = _checkpoint_array(key, value)
    if not parameter.flags.writeable:
        raise ValueError(
            f'the parameter named "{key}" is read-only: set its flags.writeable to True'
        )
    if parameter.ndim == 0 and array.shape == (1,):
        array = array[0, ...]  # torch before 0.4 had no arrays without axes
    if array.shape != parameter.shape:
        raise ValueError(
            f"size mismatch for {key}: copying a param with shape {array.shape} from "
            f"checkpoint, the shape in current model is {parameter.shape}."
        )
    if array.dtype.kind not in "fiub":
        raise ValueError(
            f'While copying the parameter named "{key}", expected real numbers from '
            f"checkpoint but received {array.dtype}"
        )
    return np.array(cast(array, parameter.dtype), order="C")


def _prefix_advice(missing: Sequence[str], unexpected: Sequence[str]) -> list[str]:
    """Return what to do if the names found have a prefix that those wanted lack."""
    for name in missing:
        found = next((other for other in unexpected if other.endswith(f".{name}")), "")
        prefix = found.removesuffix(name)
        if prefix and all(other.startswith(prefix) for other in unexpected):
            return [
                f"All names begin with {prefix!r}: numpy_rnn.read_state_dict(file, "
                f"prefix={prefix!r}) reads them without it."
            ]
    return []

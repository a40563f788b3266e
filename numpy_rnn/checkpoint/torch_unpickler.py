"""What the pickle of a torch checkpoint may name, and what it means without torch.

The list is exact, by module and name: what ``torch.load(weights_only=True)`` reads, as
far as NumPy can hold it, and arrays of NumPy's.
"""

from __future__ import annotations

import mmap
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np

from numpy_rnn.checkpoint import numpy_pickles
from numpy_rnn.checkpoint.allowance import Allowance
from numpy_rnn.checkpoint.element_types import ELEMENT_TYPES
from numpy_rnn.checkpoint.errors import CheckpointError, shown
from numpy_rnn.checkpoint.numpy_pickles import NDARRAY, Dtype, NumpyPickles
from numpy_rnn.checkpoint.pickle_machine import PickleMachine, checked_key
from numpy_rnn.checkpoint.stubs import Global, Stub, UnknownNameError
from numpy_rnn.checkpoint.tensors import Tensor, TypedStorage, checked_length

if TYPE_CHECKING:
    pass

__all__ = ["InertUnpickler", "Storages", "TorchUnpickler", "Unpickler"]

STORAGE_TYPES: dict[Global, str] = {
    Global("torch.storage", "UntypedStorage"): "uint8",
} | {
    Global(module, f"{name}Storage"): element_type
    for module in ("torch", "torch.cuda")  # early files name the class of the GPU's
    for name, element_type in {
        "Bool": "bool",
        "Byte": "uint8",
        "Char": "int8",
        "Short": "int16",
        "Int": "int32",
        "Long": "int64",
        "Half": "float16",
        "BFloat16": "bfloat16",
        "Float": "float32",
        "Double": "float64",
        "ComplexFloat": "complex64",
        "ComplexDouble": "complex128",
    }.items()
}
"""The element type of each class of storage."""

DTYPES: dict[Global, np.dtype[Any] | str] = {
    Global("torch", name): name
    if name in ("bfloat16", "complex32") or name.startswith("float8")
    else np.dtype(name)
    for name in ELEMENT_TYPES
}
"""A dtype reads as NumPy's, or as its name where NumPy has none."""

ITEM = 256
"""Bytes of memory that an item of an OrderedDict may take."""

BARE_NAMES = {
    NDARRAY,
    Global("torch", "Tensor"),
    Global("torch.nn.parameter", "Parameter"),
    *STORAGE_TYPES,
}
"""Names that are an argument of a call, and are not called."""


class Storages(Protocol):
    """Where the storages of a format stand.

    The persistent id of a storage is ``('storage', class, key, location, size)`` and, in
    the legacy format, a view of it.
    """

    def find(self, key: str, element_type: str, size: int, view: Any) -> TypedStorage:
        """Return a storage of `size` elements.

        Raises
        ------
        CheckpointError
            If the file does not have it, or not of this size.
        """


class NoStorages:
    """Those of a pickle that stands alone."""

    def find(self, key: str, _element_type: str, _size: int, _view: Any) -> TypedStorage:
        """Refuse: there is nothing but the pickle."""
        raise CheckpointError(f"the file has no storage {shown(key)}")


class TorchUnpickler(PickleMachine):
    """Builds what a torch checkpoint holds, with arrays for its tensors.

    Parameters
    ----------
    data : bytes or mmap
        What the pickle stands in.
    allowance : Allowance
        For the memory of what is built.
    storages : Storages
        Where the elements of the tensors are.
    start : int
        Where the pickle begins.
    """

    def __init__(
        self,
        data: bytes | mmap.mmap,
        allowance: Allowance,
        storages: Storages | None = None,
        start: int = 0,
    ) -> None:
        super().__init__(data, allowance, start)
        self._storages = storages or NoStorages()
        self._typed: dict[int, tuple[Any, TypedStorage]] = {}
        self._numpy = NumpyPickles(allowance)

    def tensor(self, tensor: Tensor) -> Any:
        """Return what stands for a tensor: an array."""
        return tensor.array()

    def storage(self, storage: TypedStorage) -> Any:
        """Return what stands for a storage: an array of one axis."""
        return storage.array()

    def find(self, name: Global) -> Any:
        """Return the dtype that `name` is, or `name` if the list has it."""
        if name in DTYPES:
            return DTYPES[name]
        if name in BARE_NAMES or name in CALLABLE:
            return name
        raise UnknownNameError(f"the pickle names {name}, which is not allowed")

    def call(self, function: Any, arguments: tuple[Any, ...]) -> Any:
        """Return what the function on the list gives."""
        if type(function) is not Global:
            return super().call(function, arguments)
        try:
            if method := METHODS.get(function):
                return method(self, *arguments)
            if plain := FUNCTIONS.get(function):
                self._charge_copy(arguments)
                return plain(*arguments)
            if method := numpy_pickles.CALLS.get(function):
                return method(self._numpy, *arguments)
        except CheckpointError as error:
            raise CheckpointError(f"{function}: {error}") from None
        return super().call(function, arguments)

    def _charge_copy(self, arguments: tuple[Any, ...]) -> None:
        """Count what a call copies: the memo can give one argument to many calls."""
        for argument in arguments:
            if type(argument) in (str, bytes, bytearray):
                self.allowance.take(len(argument), "a string of bytes")
            elif isinstance(argument, (list, tuple, set, frozenset, dict)):
                self.allowance.take(ITEM * len(argument), "a container")

    def instantiate(self, kind: Any, arguments: tuple[Any, ...]) -> Any:
        """Return a new object: that of a class on the list, which is called for it."""
        return self.call(kind, arguments)

    def set_state(self, target: Any, state: Any) -> None:
        """Give arrays and dtypes of NumPy's their state."""
        if self._numpy.is_pending(target):
            self._numpy.set_state(target, state)
        elif type(target) is Dtype:
            target.set_state(state)
        else:
            super().set_state(target, state)

    def finish(self, result: Any) -> Any:
        """Return `result`, where no name may stand in place of a value."""
        _refuse_names(result)
        return result

    def load_persistent(self, identifier: Any) -> Any:
        """Return the storage, or the class of a module, that has this id."""
        if type(identifier) is not tuple or not 4 <= len(identifier) <= 6:
            raise CheckpointError(f"{shown(identifier)} is no id of a storage")
        # Types come first: to hash or compare what a file holds can take for ever.
        if type(identifier[0]) is str and identifier[0] == "module" and len(identifier) == 4:
            return identifier[1]  # the other parts are its source, which is not looked at
        if len(identifier) < 5:
            raise CheckpointError(f"{shown(identifier)} is no id of a storage")
        kind, storage_type, key, _, size = identifier[:5]
        types = (type(kind), type(storage_type), type(key), type(size))
        if types != (str, Global, str, int) or kind != "storage" or size < 0:
            raise CheckpointError(f"{shown(identifier)} is no id of a storage")
        element_type = STORAGE_TYPES.get(storage_type)
        if element_type is None:
            raise CheckpointError(f"{storage_type} is no class of storages")
        view = identifier[5] if len(identifier) == 6 else None
        typed = self._storages.find(key, element_type, size, view)
        value = self.storage(typed)
        self._typed[id(value)] = value, typed
        return value

    def _rebuild_tensor(
        self, storage: Any, offset: Any, shape: Any, strides: Any, *unused: Any
    ) -> Any:
        """Return a tensor; whether it required grad, and its hooks, mean nothing here."""
        found = self._typed.get(id(storage))
        if found is None:
            raise CheckpointError("a tensor without a storage")
        return self._tensor(found[1], offset, shape, strides, unused[2:])

    def _rebuild_tensor_of_dtype(
        self, storage: Any, offset: Any, shape: Any, strides: Any, *rest: Any
    ) -> Any:
        """Return a tensor in an untyped storage: `rest` has its dtype in third place."""
        if id(storage) not in self._typed or len(rest) < 3:
            raise CheckpointError("a tensor without a storage or a dtype")
        dtype = rest[2]
        name = str(dtype) if isinstance(dtype, (np.dtype, str)) else ""
        if name not in ELEMENT_TYPES:
            raise CheckpointError(f"a tensor of dtype {shown(dtype)}")
        untyped = self._typed[id(storage)][1].storage
        typed = TypedStorage(untyped, name, 0, checked_length(untyped.size, name))
        return self._tensor(typed, offset, shape, strides, rest[3:])

    def _tensor(
        self, storage: TypedStorage, offset: Any, shape: Any, strides: Any, metadata: Any
    ) -> Any:
        for item in metadata:
            if type(item) is dict and item:
                raise CheckpointError("a tensor that is conjugated or negated when it is read")
        return self.tensor(Tensor(storage, offset, shape, strides))

    def _rebuild_from_type(self, function: Any, _type: Any, args: Any, _state: Any) -> Any:
        """Return a tensor that carries attributes, without them."""
        if type(function) is not Global or function.module != "torch._utils":
            raise CheckpointError("a tensor without a way to build it")
        if type(args) is not tuple:
            raise CheckpointError("a tensor without a way to build it")
        return self.call(function, args)


class InertUnpickler(TorchUnpickler):
    """Builds what a torch checkpoint holds to look for weights in it.

    What is not on the list becomes a `Stub`, and a tensor stays in the file until it is
    asked for.

    Attributes
    ----------
    unknown : dict
        The names that are not on the list, in the order of the file.
    """

    def __init__(
        self,
        data: bytes | mmap.mmap,
        allowance: Allowance,
        storages: Storages | None = None,
        start: int = 0,
    ) -> None:
        super().__init__(data, allowance, storages, start)
        self.unknown: dict[Global, None] = {}

    def tensor(self, tensor: Tensor) -> Any:
        """Return what stands for a tensor: itself."""
        return tensor

    def storage(self, storage: TypedStorage) -> Any:
        """Return what stands for a storage: itself."""
        return storage

    def find(self, name: Global) -> Any:
        """Return the dtype that `name` is, or `name`."""
        if name in DTYPES:
            return DTYPES[name]
        if name not in BARE_NAMES and name not in CALLABLE:
            self.unknown[name] = None
        return name

    def call(self, function: Any, arguments: tuple[Any, ...]) -> Any:
        """Return what the function on the list gives, or a stub."""
        if isinstance(function, Stub):
            return Stub(function.name, arguments)
        known = type(function) is Global and function in CALLABLE
        if type(function) is Global and (not known or Stub in map(type, arguments)):
            return Stub(function, arguments)
        return super().call(function, arguments)

    def set_state(self, target: Any, state: Any) -> None:
        """Keep the state of a stub."""
        if isinstance(target, Stub):
            target.state = state
        else:
            super().set_state(target, state)

    def finish(self, result: Any) -> Any:
        """Return `result`: a name in place of a value means nothing."""
        return result


Unpickler: TypeAlias = type[TorchUnpickler]
"""The reader of a format is told by it what becomes of unknown classes and of tensors."""


def _refuse_names(result: Any) -> None:
    """Raise `CheckpointError` if a name stands where a value should."""
    seen: set[int] = set()
    pending = [result]
    while pending:
        value = pending.pop()
        if isinstance(value, (Global, Dtype)):
            name = value if isinstance(value, Global) else "numpy.dtype"
            raise CheckpointError(f"{name} stands where a value should")
        if isinstance(value, (dict, list, tuple, set, frozenset)) and id(value) not in seen:
            seen.add(id(value))
            pending.extend(value)
            if isinstance(value, dict):
                pending.extend(value.values())


def _rebuild_parameter(data: Any, *_: Any) -> Any:
    if not isinstance(data, (np.ndarray, Tensor)):
        raise CheckpointError("a parameter that is no tensor")
    return data


def _ordered_dict(items: Any = ()) -> OrderedDict[Any, Any]:
    if type(items) not in (list, tuple):
        raise CheckpointError("items that are no list")
    if not items:
        return OrderedDict()
    if not all(type(item) in (list, tuple) and len(item) == 2 for item in items):
        raise CheckpointError("items that are no pairs")
    return OrderedDict([(checked_key(key), value) for key, value in items])


def _counter(counts: Any = None) -> Counter[Any]:
    if type(counts) is not dict or not all(type(n) is int for n in counts.values()):
        raise CheckpointError("counts that are no dict of integers")
    return Counter(counts)


def _size(shape: Any = ()) -> tuple[int, ...]:
    if type(shape) is not tuple or not all(type(n) is int for n in shape):
        raise CheckpointError(f"the shape {shown(shape)}")
    return shape


def _device(*args: Any) -> str:
    """Return the name of a device, as torch prints it."""
    if not args or not all(type(part) in (str, int) for part in args):
        raise CheckpointError(f"the device {shown(args)}")
    return ":".join(str(part) for part in args)


def _set(items: Any = ()) -> set[Any]:
    if type(items) not in (list, tuple):
        raise CheckpointError("items that are no list")
    return {checked_key(item) for item in items}


def _frozen_set(items: Any = ()) -> frozenset[Any]:
    return frozenset(_set(items))


def _bytes(*args: Any) -> bytes:
    """Return no bytes, which is what protocol 2 calls for: others are encoded text."""
    if args:
        raise CheckpointError("bytes that are no bytes")
    return b""


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    """Return bytes, which protocol 2 writes as the latin-1 text of them."""
    if type(text) is not str or type(encoding) is not str or encoding != "latin1":
        raise CheckpointError(f"text in {shown(encoding)}")
    return text.encode("latin-1")


def _bytearray(*args: Any) -> bytearray:
    if not args:
        return bytearray()
    if len(args) == 2:
        return bytearray(_encode(*args))
    if len(args) > 1 or type(args[0]) is not bytes:
        raise CheckpointError("bytes that are no bytes")
    return bytearray(args[0])


def _complex(real: Any, imaginary: Any) -> complex:
    if type(real) is not float or type(imaginary) is not float:
        raise CheckpointError("parts that are no floats")
    return complex(real, imaginary)


METHODS: dict[Global, Callable[..., Any]] = {
    Global("torch._utils", "_rebuild_tensor"): TorchUnpickler._rebuild_tensor,
    Global("torch._utils", "_rebuild_tensor_v2"): TorchUnpickler._rebuild_tensor,
    Global("torch._utils", "_rebuild_tensor_v3"): TorchUnpickler._rebuild_tensor_of_dtype,
    Global("torch._tensor", "_rebuild_from_type_v2"): TorchUnpickler._rebuild_from_type,
}

FUNCTIONS: dict[Global, Callable[..., Any]] = {
    Global("collections", "OrderedDict"): _ordered_dict,
    Global("collections", "Counter"): _counter,
    Global("torch", "Size"): _size,
    Global("torch", "device"): _device,
    Global("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
    Global("torch._utils", "_rebuild_parameter_with_state"): _rebuild_parameter,
    Global("_codecs", "encode"): _encode,
    **{
        Global(module, name): function
        for module in ("builtins", "__builtin__")  # Python 2's name is in protocol 2
        for name, function in (
            ("set", _set),
            ("frozenset", _frozen_set),
            ("bytes", _bytes),
            ("bytearray", _bytearray),
            ("complex", _complex),
        )
    },
}

CALLABLE = {*METHODS, *FUNCTIONS, *numpy_pickles.CALLS}
"""All that a pickle may call."""

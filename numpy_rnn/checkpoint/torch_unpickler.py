"""What the pickle of a torch checkpoint may name, and what it means without torch.

The list is exact, by module and name: what ``torch.load(weights_only=True)`` reads, as
far as NumPy can hold it, and NumPy's arrays.
"""

from __future__ import annotations

import mmap
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from numpy_rnn.checkpoint import numpy_pickles
from numpy_rnn.checkpoint.dtypes import NUMPY_DTYPES, TORCH_DTYPES
from numpy_rnn.checkpoint.errors import CheckpointError, shown
from numpy_rnn.checkpoint.memory_budget import MemoryBudget, MemoryLimitError
from numpy_rnn.checkpoint.numpy_pickles import NDARRAY, Dtype, NumpyPickles
from numpy_rnn.checkpoint.pickle_machine import PickleMachine
from numpy_rnn.checkpoint.tensors import Tensor, TypedStorage, count_elements
from numpy_rnn.checkpoint.unknown_object import Global, UnknownNameError, UnknownObject

__all__ = [
    "KNOWN_NAMES",
    "STORAGE_CLASSES",
    "InertUnpickler",
    "Storages",
    "TorchUnpickler",
    "Unpickler",
]

STORAGE_CLASSES = {
    "bool": "BoolStorage",
    "uint8": "ByteStorage",
    "int8": "CharStorage",
    "int16": "ShortStorage",
    "int32": "IntStorage",
    "int64": "LongStorage",
    "float16": "HalfStorage",
    "bfloat16": "BFloat16Storage",
    "float32": "FloatStorage",
    "float64": "DoubleStorage",
    "complex64": "ComplexFloatStorage",
    "complex128": "ComplexDoubleStorage",
}
"""torch's class of storages for each dtype; newer dtypes have untyped storages, of bytes."""

STORAGE_DTYPES: dict[Global, str] = {
    Global("torch.storage", "UntypedStorage"): "uint8",
    **{
        Global(module, name): dtype
        for module in ("torch", "torch.cuda")  # early files name the GPU's classes
        for dtype, name in STORAGE_CLASSES.items()
    },
    Global("torch", "QInt8Storage"): "int8",
    Global("torch", "QUInt8Storage"): "uint8",
    Global("torch", "QInt32Storage"): "int32",
    Global("torch", "QUInt4x2Storage"): "uint8",
    Global("torch", "QUInt2x4Storage"): "uint8",
}
"""The dtype of the elements in a file; quantised tensors are made of integers."""

DTYPES: dict[Global, np.dtype[Any] | str] = {
    Global("torch", name): np.dtype(name) if name in NUMPY_DTYPES else name
    for name in TORCH_DTYPES
}
"""A dtype is read as NumPy's, or as its name where NumPy has none."""

BARE_NAMES = {
    NDARRAY,
    Global("torch", "Tensor"),
    Global("torch.nn.parameter", "Parameter"),
    *STORAGE_DTYPES,
}
"""Names that are arguments of a call, and are not called."""


MOST_ARGUMENTS = 16
"""Arguments of a call: more than any that is allowed has."""


class Storages:
    """The storages of a file.

    The persistent id of a storage is ``('storage', class, key, location, size)`` and, in
    the legacy format, a view of it.
    """

    def find(self, key: str, _dtype: str, _size: int, _view: Any) -> TypedStorage:
        """Return a storage of `size` elements.

        Raises
        ------
        CheckpointError
            If the file does not have it, or not of this size.
        """
        raise CheckpointError(
            f"a plain pickle has no storages, but names the storage {shown(key)}: read the "
            "whole file that torch.save wrote"
        )

    def from_bytes(self, _data: bytes, _budget: MemoryBudget) -> TypedStorage:
        """Return the storage that a string of bytes in the pickle is.

        Raises
        ------
        CheckpointError
            If it is damaged, or the file must not have one.
        """
        raise CheckpointError("only a plain pickle has storages in strings of bytes")


class TorchUnpickler(PickleMachine):
    """Builds what a torch checkpoint holds, with arrays for its tensors.

    Parameters
    ----------
    data : bytes or mmap
        What holds the pickle.
    budget : MemoryBudget
        For the memory of what is built.
    storages : Storages
        The elements of the tensors.
    start : int
        Where the pickle begins.
    """

    def __init__(
        self,
        data: bytes | mmap.mmap,
        budget: MemoryBudget,
        storages: Storages | None = None,
        start: int = 0,
    ) -> None:
        super().__init__(data, budget, start)
        self._storages = storages or Storages()
        self._typed: dict[int, tuple[Any, TypedStorage]] = {}
        self._numpy = NumpyPickles(budget)

    def value(self, view: Tensor | TypedStorage) -> Any:
        """Return a tensor or a storage as the result has it: an array."""
        return view.array()

    def find(self, name: Global) -> Any:
        """Return the dtype that `name` means, or `name` itself."""
        if name not in KNOWN_NAMES:
            raise UnknownNameError(name)
        return DTYPES.get(name, name)

    def call(self, function: Any, arguments: tuple[Any, ...]) -> Any:
        """Return the result of a function that is allowed."""
        if type(function) is not Global:
            return super().call(function, arguments)
        if len(arguments) > MOST_ARGUMENTS:
            raise CheckpointError(
                f"{function} must have at most {MOST_ARGUMENTS} arguments, got {len(arguments)}"
            )
        try:
            if method := METHODS.get(function):
                return method(self, *arguments)
            if plain := FUNCTIONS.get(function):
                self._pay_for_copies(arguments)
                return plain(*arguments)
            if method := numpy_pickles.CALLS.get(function):
                return method(self._numpy, *arguments)
        except CheckpointError as error:
            raise type(error)(f"{function}: {error}") from None
        return super().call(function, arguments)

    def _pay_for_copies(self, arguments: tuple[Any, ...]) -> None:
        """Pay for what a call copies: the memo can give one argument to many calls."""
        for argument in arguments:
            if type(argument) in (str, bytes, bytearray):
                self.budget.spend(len(argument), "a copy of bytes in the pickle")
            elif isinstance(argument, (list, tuple, set, frozenset, dict)):
                self.budget.spend_containers(len(argument))

    def set_state(self, target: Any, state: Any) -> None:
        """Set the state of NumPy's arrays and dtypes, and ignore that of an OrderedDict."""
        if isinstance(target, OrderedDict):
            # torch notes the versions of modules there, which mean nothing here.
            if type(state) is not dict or set(state) - {"_metadata"}:
                raise CheckpointError(
                    "an OrderedDict must have no attribute other than _metadata"
                )
        elif self._numpy.is_pending(target):
            self._numpy.set_state(target, state)
        elif type(target) is Dtype:
            target.set_state(state)
        else:
            super().set_state(target, state)

    def finish(self, result: Any) -> Any:
        """Return `result`, in which no name may be in place of a value."""
        seen: set[int] = set()
        pending = [result]
        while pending:
            value = pending.pop()
            if isinstance(value, (Global, Dtype)):
                name = value if isinstance(value, Global) else "numpy.dtype"
                raise CheckpointError(
                    f"the checkpoint must hold values, but has {name} itself in place of one"
                )
            if isinstance(value, (dict, list, tuple, set, frozenset)) and id(value) not in seen:
                seen.add(id(value))
                pending.extend(value)
                if isinstance(value, dict):
                    pending.extend(value.values())
        return result

    def load_persistent(self, identifier: Any) -> Any:
        """Return the storage, or the class of a module, that has this id."""
        parts = identifier if type(identifier) is tuple and len(identifier) <= 6 else ()
        # Check types first: hashing or comparing what a file holds can take for ever.
        types = [type(part) for part in parts]
        if len(parts) == 4 and types[0] is str and parts[0] == "module":
            return parts[1]  # the other parts are its source, which is ignored
        is_typed = len(parts) in (5, 6) and [*types[:3], types[4]] == [str, Global, str, int]
        if not is_typed or parts[0] != "storage" or parts[4] < 0:
            raise CheckpointError(
                "the persistent id of a storage must be ('storage', class, key, location, "
                f"size), got {shown(identifier)}"
            )
        _, storage_class, key, _, size, *view = parts
        dtype = STORAGE_DTYPES.get(storage_class)
        if dtype is None:
            raise CheckpointError(
                f"a storage must have a class of torch's, got {storage_class}"
            )
        self.budget.spend_containers()
        typed = self._storages.find(key, dtype, size, view[0] if view else None)
        value = self.value(typed)
        self._typed[id(value)] = value, typed
        return value

    def _rebuild_tensor(
        self, storage: Any, offset: Any, shape: Any, strides: Any, *unused: Any
    ) -> Any:
        """Return a tensor, without whether it requires grad and without its hooks."""
        typed = self._typed_storage(storage)
        return self._tensor(typed, offset, shape, strides, unused[2:])

    def _rebuild_tensor_of_dtype(
        self, storage: Any, offset: Any, shape: Any, strides: Any, *rest: Any
    ) -> Any:
        """Return a tensor in an untyped storage: the third of `rest` is its dtype."""
        untyped = self._typed_storage(storage).storage
        dtype = rest[2] if len(rest) > 2 else None
        name = str(dtype) if isinstance(dtype, (np.dtype, str)) else ""
        if name not in TORCH_DTYPES:
            raise CheckpointError(f"a tensor must have a torch dtype, got {shown(dtype)}")
        typed = TypedStorage(untyped, name, 0, count_elements(untyped.size, name))
        return self._tensor(typed, offset, shape, strides, rest[3:])

    def _load_from_bytes(self, data: Any) -> Any:
        """Return the storage in bytes that ``pickle.dump`` of a tensor makes of it."""
        if type(data) is not bytes:
            raise CheckpointError(f"a storage must be in bytes, got {shown(data)}")
        typed = self._storages.from_bytes(data, self.budget)
        value = self.value(typed)
        self._typed[id(value)] = value, typed
        return value

    def _typed_storage(self, storage: Any) -> TypedStorage:
        found = self._typed.get(id(storage))
        if found is None:
            raise CheckpointError(f"a tensor must be in a storage, got {shown(storage)}")
        return found[1]

    def _tensor(
        self, storage: TypedStorage, offset: Any, shape: Any, strides: Any, metadata: Any
    ) -> Any:
        if any(type(item) is dict and item for item in metadata):
            raise CheckpointError(
                "the tensor is conjugated or negated lazily: save tensor.resolve_conj() or "
                "tensor.resolve_neg()"
            )
        return self.value(Tensor(storage, offset, shape, strides))

    def _ordered_dict_of(self, items: Any = ()) -> OrderedDict[Any, Any]:
        _check_items(items)
        self._pay_for_copies((items,))
        result = OrderedDict()
        for item in items:
            if type(item) not in (list, tuple) or len(item) != 2:
                raise CheckpointError("the items must be pairs of key and value")
            result[self.check_key(item[0])] = item[1]
        return result

    def _set_of(self, items: Any = ()) -> set[Any]:
        _check_items(items)
        self._pay_for_copies((items,))
        return set(map(self.check_key, items))

    def _frozenset_of(self, items: Any = ()) -> frozenset[Any]:
        return frozenset(self._set_of(items))

    def _rebuild_from_type(self, function: Any, _type: Any, args: Any, _state: Any) -> Any:
        """Return a tensor that has attributes, without them."""
        is_call = type(function) is Global and type(args) is tuple
        if not is_call or function.module != "torch._utils":
            raise CheckpointError("a tensor must be made by a function of torch._utils")
        return self.call(function, args)


class InertUnpickler(TorchUnpickler):
    """Builds what a torch checkpoint holds to look for weights in it.

    A tensor stays in the file until it is needed, and so does NumPy's array. All else that
    is not built of containers, strings and numbers becomes an `UnknownObject`: classes that
    are not allowed, and calls of functions that are, with arguments that are not.
    """

    def value(self, view: Tensor | TypedStorage) -> Any:
        """Return a tensor or a storage as the result has it: not read yet."""
        return view

    def find(self, name: Global) -> Any:
        """Return the dtype that `name` means, or `name` itself."""
        return DTYPES.get(name, name)

    def call(self, function: Any, arguments: tuple[Any, ...]) -> Any:
        """Return the result of a function that is allowed, or an unknown object."""
        if isinstance(function, UnknownObject):
            self.budget.spend_containers(len(arguments))
            return UnknownObject(function.name, (function, *arguments))
        if type(function) is not Global:
            return super().call(function, arguments)
        if function not in METHODS and function not in FUNCTIONS:
            return UnknownObject(function, arguments)
        try:
            return super().call(function, arguments)
        except MemoryLimitError:
            raise
        except (CheckpointError, TypeError) as error:
            return UnknownObject(function, arguments, str(error))

    def set_state(self, target: Any, state: Any) -> None:
        """Keep the state of an unknown object."""
        if isinstance(target, UnknownObject):
            target.state = state
        elif not isinstance(target, OrderedDict):
            super().set_state(target, state)

    def check_key(self, key: Any) -> Any:
        """Return `key`, or an unknown object that holds it if it cannot be hashed safely."""
        try:
            return super().check_key(key)
        except MemoryLimitError:
            raise
        except CheckpointError as error:
            return UnknownObject(Global("builtins", type(key).__name__), (key,), str(error))

    def finish(self, result: Any) -> Any:
        """Return `result`, in which a name in place of a value is ignored."""
        return result


Unpickler: TypeAlias = type[TorchUnpickler]
"""It decides for a reader what becomes of unknown classes and of tensors."""


def _rebuild_parameter(data: Any, *_: Any) -> Any:
    if not isinstance(data, (np.ndarray, Tensor)):
        raise CheckpointError(f"a parameter must be a tensor, got {shown(data)}")
    return data


def _check_items(items: Any) -> None:
    if type(items) not in (list, tuple):
        raise CheckpointError(f"the items must be a list or a tuple, got {shown(items)}")


def _counter(counts: Any = None) -> Counter[Any]:
    if type(counts) is not dict or not all(type(n) is int for n in counts.values()):
        raise CheckpointError("the counts must be a dict of integers")
    return Counter(counts)


def _size(shape: Any = ()) -> tuple[int, ...]:
    if type(shape) is not tuple or not all(type(n) is int for n in shape):
        raise CheckpointError(f"a size must be a tuple of integers, got {shown(shape)}")
    return shape


def _device(*args: Any) -> str:
    """Return the name of a device, as torch prints it."""
    if not args or not all(type(part) in (str, int) for part in args):
        raise CheckpointError(f"a device must be a name and an index, got {shown(args)}")
    return ":".join(str(part) for part in args)


def _bytes(*args: Any) -> bytes:
    """Return empty bytes: protocol 2 writes all others as a call of `_encode`."""
    if args:
        raise CheckpointError(f"bytes must be made without arguments, got {shown(args)}")
    return b""


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    """Return bytes, which protocol 2 writes as their latin-1 text."""
    if type(text) is not str or type(encoding) is not str or encoding != "latin1":
        raise CheckpointError(f"bytes must be text in 'latin1', got {shown(encoding)}")
    return text.encode("latin-1")


def _bytearray(*args: Any) -> bytearray:
    if len(args) == 2:
        return bytearray(_encode(*args))
    if len(args) > 1 or not all(type(data) is bytes for data in args):
        raise CheckpointError(f"a bytearray must be made from bytes, got {shown(args)}")
    return bytearray(*args)


def _complex(real: Any, imaginary: Any) -> complex:
    if type(real) is not float or type(imaginary) is not float:
        raise CheckpointError("the parts of a complex number must be floats")
    return complex(real, imaginary)


BUILTINS = ("builtins", "__builtin__")
"""The module of Python's own names; protocol 2 has that of Python 2."""

METHODS: dict[Global, Callable[..., Any]] = {
    Global("torch._utils", "_rebuild_tensor"): TorchUnpickler._rebuild_tensor,
    Global("torch._utils", "_rebuild_tensor_v2"): TorchUnpickler._rebuild_tensor,
    Global("torch._utils", "_rebuild_tensor_v3"): TorchUnpickler._rebuild_tensor_of_dtype,
    Global("torch._tensor", "_rebuild_from_type_v2"): TorchUnpickler._rebuild_from_type,
    Global("torch.storage", "_load_from_bytes"): TorchUnpickler._load_from_bytes,
    Global("collections", "OrderedDict"): TorchUnpickler._ordered_dict_of,
    **{
        Global(module, name): method
        for module in BUILTINS
        for name, method in (
            ("set", TorchUnpickler._set_of),
            ("frozenset", TorchUnpickler._frozenset_of),
        )
    },
}

FUNCTIONS: dict[Global, Callable[..., Any]] = {
    Global("collections", "Counter"): _counter,
    Global("torch", "Size"): _size,
    Global("torch", "device"): _device,
    Global("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
    Global("torch._utils", "_rebuild_parameter_with_state"): _rebuild_parameter,
    Global("_codecs", "encode"): _encode,
    **{
        Global(module, name): function
        for module in BUILTINS
        for name, function in (
            ("bytes", _bytes),
            ("bytearray", _bytearray),
            ("complex", _complex),
        )
    },
}

CALLABLE = {*METHODS, *FUNCTIONS, *numpy_pickles.CALLS}
"""All that a pickle may call."""

KNOWN_NAMES = {*DTYPES, *BARE_NAMES, *CALLABLE}
"""All that a pickle may name."""

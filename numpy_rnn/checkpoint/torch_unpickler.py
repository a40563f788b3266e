"""What the pickle of a torch checkpoint may name, and what it means without torch.

The list is exact, by module and name: what ``torch.load(weights_only=True)`` reads, as
far as NumPy can hold it.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from numpy_rnn.checkpoint.errors import CheckpointError, shown
from numpy_rnn.checkpoint.pickle_machine import Global, PickleMachine, checked_key
from numpy_rnn.checkpoint.tensors import ELEMENT_TYPES, decode, strided_view

if TYPE_CHECKING:
    from numpy_rnn._typing import AnyArray

__all__ = ["TorchUnpickler"]

STORAGE_TYPES: dict[Global, str] = {
    Global("torch.storage", "UntypedStorage"): "uint8",
} | {
    Global("torch", f"{name}Storage"): element_type
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
    Global("torch", name): name if name in ("bfloat16", "complex32") else np.dtype(name)
    for name in ELEMENT_TYPES
}
"""A dtype reads as NumPy's, or as its name where NumPy has none."""

TENSOR_CLASSES = (Global("torch", "Tensor"), Global("torch.nn.parameter", "Parameter"))


class TorchUnpickler(PickleMachine):
    """Builds what a torch checkpoint holds, with arrays for its tensors.

    Parameters
    ----------
    read_storage : callable
        ``read_storage(key, size)`` returns the bytes of the storage `key` as a new
        uint8 array; `size` is how many there must be.
    big_endian : bool
        The byte order of the storages.
    """

    def __init__(
        self, read_storage: Callable[[str, int], AnyArray], big_endian: bool = False
    ) -> None:
        super().__init__()
        self._read_storage = read_storage
        self._big_endian = big_endian
        self._raw: dict[str, AnyArray] = {}
        self._decoded: dict[tuple[str, str], AnyArray] = {}
        self._keys: dict[int, str] = {}
        self._calls: dict[Global, Callable[..., Any]] = {
            Global("collections", "OrderedDict"): _ordered_dict,
            Global("collections", "Counter"): _counter,
            Global("torch", "Size"): _size,
            Global("torch", "device"): _device,
            Global("torch._utils", "_rebuild_tensor"): self._rebuild_tensor,
            Global("torch._utils", "_rebuild_tensor_v2"): self._rebuild_tensor,
            Global("torch._utils", "_rebuild_tensor_v3"): self._rebuild_tensor_of_dtype,
            Global("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
            Global("torch._utils", "_rebuild_parameter_with_state"): _rebuild_parameter,
            Global("torch._tensor", "_rebuild_from_type_v2"): self._rebuild_from_type,
        }
        for module in ("builtins", "__builtin__"):  # Python 2's name is in protocol 2
            self._calls[Global(module, "set")] = _set
            self._calls[Global(module, "bytearray")] = _bytearray
            self._calls[Global(module, "complex")] = _complex
        self._calls[Global("_codecs", "encode")] = _encode

    def find(self, name: Global) -> Any:
        """Return the dtype that `name` is, or `name` if the list has it."""
        if name in DTYPES:
            return DTYPES[name]
        if name in STORAGE_TYPES or name in TENSOR_CLASSES or name in self._calls:
            return name
        raise CheckpointError(
            f"the checkpoint names {name}, which is not allowed: it holds more than tensors. "
            "Where torch is, save the weights alone: torch.save(model.state_dict(), path)"
        )

    def call(self, function: Global, args: tuple[Any, ...]) -> Any:
        """Return what the function on the list gives."""
        if function not in self._calls:
            raise CheckpointError(f"the checkpoint calls {function}, which is not allowed")
        try:
            return self._calls[function](*args)
        except CheckpointError as error:
            raise CheckpointError(f"{function}: {error}") from None

    def load_persistent(self, identifier: Any) -> AnyArray:
        """Return the storage with this id as an array of one axis."""
        if type(identifier) is not tuple or len(identifier) != 5:
            raise CheckpointError(f"{shown(identifier)} is no id of a storage")
        kind, storage_type, key, _, size = identifier
        # Types come first: to hash or compare what a file holds can take for ever.
        types = [type(part) for part in (kind, storage_type, key, size)]
        if types != [str, Global, str, int] or kind != "storage" or size < 0:
            raise CheckpointError(f"{shown(identifier)} is no id of a storage")
        if storage_type not in STORAGE_TYPES:
            raise CheckpointError(f"{storage_type} is no class of storages")
        element_type = STORAGE_TYPES[storage_type]
        if key not in self._raw:
            itemsize = ELEMENT_TYPES[element_type].stored.itemsize
            self._raw[key] = self._read_storage(key, size * itemsize)
        return self._elements(key, element_type)

    def _elements(self, key: str, element_type: str) -> AnyArray:
        """Return a storage as elements of a type, the same array at every call."""
        if (key, element_type) not in self._decoded:
            raw, elements = self._raw[key], ELEMENT_TYPES[element_type]
            if raw.size % elements.stored.itemsize:
                raise CheckpointError(f"{raw.size} bytes are no whole number of {element_type}")
            array = decode(raw, elements, self._big_endian)
            self._decoded[key, element_type] = array
            self._keys[id(array)] = key
        return self._decoded[key, element_type]

    def _rebuild_tensor(
        self, storage: Any, offset: Any, shape: Any, strides: Any, *unused: Any
    ) -> AnyArray:
        """Return a tensor; whether it required grad, and its hooks, mean nothing here."""
        if id(storage) not in self._keys:
            raise CheckpointError("a tensor without a storage")
        if any(type(item) is dict and item for item in unused[2:]):
            raise CheckpointError("a tensor that is conjugated or negated when it is read")
        return strided_view(storage, offset, shape, strides)

    def _rebuild_tensor_of_dtype(
        self, storage: Any, offset: Any, shape: Any, strides: Any, *rest: Any
    ) -> AnyArray:
        """Return a tensor in an untyped storage: `rest` has its dtype in third place."""
        if id(storage) not in self._keys or len(rest) < 3:
            raise CheckpointError("a tensor without a storage or a dtype")
        dtype, metadata = rest[2], rest[3:]
        name = str(dtype) if isinstance(dtype, (np.dtype, str)) else ""
        if name not in ELEMENT_TYPES:
            raise CheckpointError(f"a tensor of dtype {shown(dtype)}")
        elements = self._elements(self._keys[id(storage)], name)
        return self._rebuild_tensor(elements, offset, shape, strides, *rest[:2], *metadata)

    def _rebuild_from_type(self, function: Any, _type: Any, args: Any, _state: Any) -> Any:
        """Return a tensor that carries attributes, without them."""
        if not isinstance(function, Global) or type(args) is not tuple:
            raise CheckpointError("a tensor without a way to build it")
        return self.call(function, args)


def _rebuild_parameter(data: Any, *_: Any) -> AnyArray:
    if not isinstance(data, np.ndarray):
        raise CheckpointError("a parameter that is no tensor")
    return data


def _ordered_dict(items: Any = ()) -> OrderedDict[Any, Any]:
    if type(items) not in (list, tuple):
        raise CheckpointError("items that are no list")
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

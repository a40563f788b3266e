"""Arrays in a pickle, as NumPy 1 and 2 write them in every protocol of pickles.

NumPy's pickles call four of its functions. What those do is done here with checked
arguments; an array of Python objects, which is a pickle in the pickle, is refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from numpy_rnn.checkpoint.errors import CheckpointError, shown
from numpy_rnn.checkpoint.memory_budget import MemoryBudget
from numpy_rnn.checkpoint.tensors import check_shape
from numpy_rnn.checkpoint.unknown_object import ForeignError, Global, UnknownObject

if TYPE_CHECKING:
    from numpy_rnn._typing import AnyArray

__all__ = [
    "CALLS",
    "NDARRAY",
    "Dtype",
    "NumpyPickles",
    "array_from_bytes",
    "build_array",
    "describes_weights",
]

NDARRAY = Global("numpy", "ndarray")
DTYPE = Global("numpy", "dtype")

CODES = re.compile(r"b1|[iu][1248]|f[248]|c(?:8|16)|[SU][1-9][0-9]{0,8}")
"""Booleans, numbers and text of fixed length."""


class Dtype:
    """A dtype in a pickle, which gets its byte order after it is made."""

    __slots__ = ("code", "order")

    def __init__(self, code: Any) -> None:
        if type(code) is not str or not CODES.fullmatch(code):
            raise ForeignError(
                f"a dtype must be of booleans, numbers or text, got {shown(code)}"
            )
        self.code: str = code
        self.order: Any = "="

    def set_state(self, state: Any) -> None:
        """Take the byte order, which is all that a simple dtype's state determines."""
        if type(state) is not tuple or not 2 <= len(state) <= 9 or type(state[1]) is not str:
            raise CheckpointError("the state of a dtype must be a tuple with its byte order")
        if state[1] not in ("<", ">", "|", "="):
            raise CheckpointError(
                f"the byte order of a dtype must be <, >, | or =, got {shown(state[1])}"
            )
        if any(type(part) is not int for part in state[2:] if part is not None):
            raise ForeignError("a dtype must not have fields: save each field as an array")
        self.order = state[1]

    def resolved(self) -> np.dtype[Any]:
        """Return NumPy's dtype."""
        dtype = np.dtype(self.code)
        return dtype if self.order == "|" else dtype.newbyteorder(self.order)


class NumpyPickles:
    """The functions that a pickled array calls.

    Parameters
    ----------
    budget : MemoryBudget
        For the memory of the arrays.
    """

    def __init__(self, budget: MemoryBudget) -> None:
        self._budget = budget
        self._pending: dict[int, AnyArray] = {}

    def _reconstruct(self, kind: Any, shape: Any, code: Any) -> AnyArray:
        """Return an array whose state is set next."""
        if kind != NDARRAY or shape != (0,) or type(code) not in (bytes, str):
            raise ForeignError(
                "the class of an array must be numpy.ndarray, not a subclass: convert it with "
                "numpy.asarray before saving"
            )
        array = np.empty(0, np.int8)
        self._pending[id(array)] = array
        return array

    def is_pending(self, target: Any) -> bool:
        """Return whether an object is an array that has no state yet."""
        return isinstance(target, np.ndarray) and id(target) in self._pending

    def set_state(self, target: AnyArray, state: Any) -> None:
        """Set the shape, dtype and elements of a new array."""
        if type(state) is not tuple or len(state) != 5:
            raise CheckpointError("the state of an array must be a tuple of five parts")
        _, shape, dtype, is_fortran, data = state
        array = self._array(_without_text(data), dtype, shape)
        fortran = type(is_fortran) in (bool, int) and bool(is_fortran)
        # The memo may have the array already, so its state is set in place. It owns the
        # copy of the elements that this makes.
        target.__setstate__(
            (1, array.shape, array.dtype, fortran, array.tobytes())  # type: ignore[arg-type]  # the stub wants NumPy's own bool
        )
        del self._pending[id(target)]

    def _from_buffer(
        self, data: Any, dtype: Any, shape: Any, order: Any, axes: Any = None
    ) -> AnyArray:
        array = self._array(data, dtype, shape).copy()
        if order == "F":
            return array.reshape(-1).reshape(array.shape, order="F")
        if order == "C" or (order == "K" and axes is None):
            return array
        if order != "K":
            raise CheckpointError(f"an array's order must be C, F or K, got {shown(order)}")
        # Check types first: comparing what a file holds can take for ever.
        is_integers = type(axes) is tuple and all(type(axis) is int for axis in axes)
        if not is_integers or sorted(axes) != list(range(array.ndim)):
            raise CheckpointError(
                f"the axes of an array must be a permutation of {array.ndim} axes, got "
                f"{shown(axes)}"
            )
        return array.transpose(axes)

    def _dtype(self, *arguments: Any) -> Dtype:
        flags = arguments[1:]
        if len(flags) not in (0, 2) or not all(type(flag) in (bool, int) for flag in flags):
            raise CheckpointError("a dtype must be made from a code and two flags")
        return Dtype(arguments[0])

    def _scalar(self, dtype: Any, data: Any) -> Any:
        return self._array(_without_text(data), dtype, ())[()]

    def _array(self, data: Any, dtype: Any, shape: Any) -> AnyArray:
        if type(dtype) is not Dtype or type(data) not in (bytes, bytearray):
            raise CheckpointError("an array must have a simple dtype, and bytes for elements")
        self._budget.spend(len(data), "an array in the pickle")
        raw = np.frombuffer(data, np.uint8)
        return array_from_bytes(raw, dtype.resolved(), shape, self._budget)


CALLS: dict[Global, Callable[..., Any]] = {
    DTYPE: NumpyPickles._dtype,
    **{
        Global(f"numpy.{core}.{module}", name): method
        for core in ("core", "_core")
        for module, name, method in (
            ("multiarray", "_reconstruct", NumpyPickles._reconstruct),
            ("multiarray", "scalar", NumpyPickles._scalar),
            ("numeric", "_frombuffer", NumpyPickles._from_buffer),
        )
    },
}
"""What a pickled array calls, as methods of `NumpyPickles`."""


ARRAY_CALLS = {name for name in CALLS if name.name in ("_reconstruct", "_frombuffer")}

MOST_PARTS = 6
"""Arguments of such a call, or parts of an array's state."""

MASKED = Global("numpy.ma.core", "_mareconstruct")

WEIGHT_CODES = re.compile(r"[biufcSU][0-9]{1,9}")
"""Dtypes of arrays that may be weights: not objects, dates or structures."""


def describes_weights(value: UnknownObject) -> bool:
    """Return whether an object is an array of numbers or text, even one that is not read."""
    if value.name == MASKED:
        return True
    parts = value.arguments if value.name.name == "_frombuffer" else value.state
    if value.name not in ARRAY_CALLS or type(parts) is not tuple or len(parts) > MOST_PARTS:
        return False
    codes = [part.arguments[:1] for part in parts if _is_dtype(part)]
    return any(type(code) is str and WEIGHT_CODES.fullmatch(code) for (code,) in codes)


def build_array(value: UnknownObject, budget: MemoryBudget) -> AnyArray:
    """Return the array that an object describes.

    Raises
    ------
    CheckpointError
        If it is damaged, or not of a class and dtype that are read.
    """
    if value.name == MASKED:
        raise CheckpointError(
            "the array must not be masked: save array.data and array.mask as two arrays"
        )
    numpy = NumpyPickles(budget)
    try:
        array: AnyArray = CALLS[value.name](numpy, *_with_dtypes(numpy, value.arguments))
    except TypeError:
        raise CheckpointError(
            f"{value.name} was called with {len(value.arguments)} arguments: the file is "
            "damaged"
        ) from None
    if type(value.state) is tuple:  # else it has none
        if not numpy.is_pending(array):
            raise CheckpointError("the array has elements and a state: the file is damaged")
        numpy.set_state(array, _with_dtypes(numpy, value.state))
    return array


def _is_dtype(part: Any) -> bool:
    return isinstance(part, UnknownObject) and part.name == DTYPE and len(part.arguments) > 0


def _with_dtypes(numpy: NumpyPickles, parts: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the arguments of a call with the dtypes among them built."""
    return tuple([_built_dtype(numpy, part) if _is_dtype(part) else part for part in parts])


def _built_dtype(numpy: NumpyPickles, value: UnknownObject) -> Dtype:
    dtype = numpy._dtype(*value.arguments)
    if value.state is not None:
        dtype.set_state(value.state)
    return dtype


def array_from_bytes(
    raw: AnyArray, dtype: np.dtype[Any], shape: Any, budget: MemoryBudget
) -> AnyArray:
    """Return bytes as an array of a simple dtype, in native byte order.

    Parameters
    ----------
    raw : ndarray of uint8
        The elements, in C order.
    dtype : numpy dtype
        Of booleans, numbers or text.
    shape : tuple of int
    budget : MemoryBudget
        For a copy.

    Returns
    -------
    ndarray
        A view of `raw` where the elements need no change.

    Raises
    ------
    CheckpointError
        If the bytes do not match the shape, or are not valid text.
    """
    check_shape(shape, dtype.itemsize)
    size = math.prod(shape) * dtype.itemsize
    if size != raw.size:
        raise CheckpointError(
            f"an array of shape {shown(shape)} and dtype {dtype} must have {size} bytes, got "
            f"{raw.size}"
        )
    if dtype.kind == "b":  # to NumPy, bytes other than 0 and 1 are neither False nor True
        budget.spend(raw.size, "an array of booleans")
        return np.not_equal(raw, 0).reshape(shape)
    array = raw.view(dtype)
    if not (array.dtype.isnative and array.flags.aligned):
        budget.spend(raw.size, "an array in native byte order")
        array = array.astype(dtype.newbyteorder("="))
    if dtype.kind == "U" and array.size and array.view(np.uint32).max() > 0x10FFFF:
        raise CheckpointError("an array of text must hold Unicode code points, got others")
    return array.reshape(shape)


def _without_text(data: Any) -> Any:
    """Return the bytes of a string of Python 2, which are read as latin-1 text."""
    try:
        return data.encode("latin-1") if type(data) is str else data
    except UnicodeEncodeError:
        raise CheckpointError("the elements of an array must be bytes, got text") from None

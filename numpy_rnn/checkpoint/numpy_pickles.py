"""Arrays in a pickle, as NumPy 1 and 2 write them in every protocol of pickles.

NumPy's pickles call four of its functions. What those would do is done here with checked
arguments; an array of Python objects, which is a pickle in the pickle, is refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from numpy_rnn.checkpoint.allowance import Allowance
from numpy_rnn.checkpoint.errors import CheckpointError, shown
from numpy_rnn.checkpoint.stubs import Global

if TYPE_CHECKING:
    from numpy_rnn._typing import AnyArray

__all__ = ["CALLS", "NDARRAY", "Dtype", "NumpyPickles", "checked_array"]

NDARRAY = Global("numpy", "ndarray")

MOST_AXES = 32

CODES = re.compile(r"b1|[iu][1248]|f[248]|c(?:8|16)|[SU][1-9][0-9]{0,8}")
"""Booleans, numbers and text of fixed length."""


class Dtype:
    """A dtype in a pickle, of which the byte order comes after it was made."""

    __slots__ = ("code", "order")

    def __init__(self, code: Any) -> None:
        if type(code) is not str or not CODES.fullmatch(code):
            raise CheckpointError(
                f"the dtype {shown(code)}: arrays may hold booleans, numbers and text"
            )
        self.code = code
        self.order: Any = "="

    def set_state(self, state: Any) -> None:
        """Take the byte order, which is all that a simple dtype has to tell."""
        if type(state) is not tuple or len(state) < 2 or type(state[1]) is not str:
            raise CheckpointError("the state of a dtype")
        if state[1] not in ("<", ">", "|", "="):
            raise CheckpointError(f"the byte order {shown(state[1])}")
        if any(type(part) is not int for part in state[2:] if part is not None):
            raise CheckpointError("a dtype of several fields")
        self.order = state[1]

    def resolved(self) -> np.dtype[Any]:
        """Return NumPy's dtype."""
        dtype = np.dtype(self.code)
        return dtype if self.order == "|" else dtype.newbyteorder(self.order)


class NumpyPickles:
    """The functions that a pickled array calls.

    Parameters
    ----------
    allowance : Allowance
        For the memory of the arrays.
    """

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._pending: dict[int, AnyArray] = {}

    def _reconstruct(self, kind: Any, shape: Any, code: Any) -> AnyArray:
        """Return an array that its state is put into next."""
        if kind != NDARRAY or shape != (0,) or type(code) not in (bytes, str):
            raise CheckpointError("an array that is no plain one")
        array = np.empty(0, np.int8)
        self._pending[id(array)] = array
        return array

    def is_pending(self, target: Any) -> bool:
        """Tell whether an object is an array that waits for its state."""
        return isinstance(target, np.ndarray) and id(target) in self._pending

    def set_state(self, target: AnyArray, state: Any) -> None:
        """Give a new array its shape, dtype and elements."""
        if type(state) is not tuple or len(state) != 5:
            raise CheckpointError("an array with a state of another kind")
        _, shape, dtype, is_fortran, data = state
        if type(data) is str:  # a string of Python 2
            data = _latin(data)
        array = self._array(data, dtype, shape)
        fortran = type(is_fortran) in (bool, int) and bool(is_fortran)
        # The memo may know the array already: its state is set in place, from a copy that
        # is the array's own from then on.
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
            raise CheckpointError(f"an array in the order {shown(order)}")
        # Types come first: to compare what a file holds can take for ever.
        is_integers = type(axes) is tuple and all(type(axis) is int for axis in axes)
        if not is_integers or sorted(axes) != list(range(array.ndim)):
            raise CheckpointError(f"an array with the axes {shown(axes)}")
        return array.transpose(axes)

    def _dtype(self, *arguments: Any) -> Dtype:
        flags = arguments[1:]
        if len(flags) not in (0, 2) or not all(type(flag) in (bool, int) for flag in flags):
            raise CheckpointError("a dtype with other arguments")
        return Dtype(arguments[0])

    def _scalar(self, dtype: Any, data: Any) -> Any:
        if type(data) is str:
            data = _latin(data)
        return self._array(data, dtype, ())[()]

    def _array(self, data: Any, dtype: Any, shape: Any) -> AnyArray:
        if type(dtype) is not Dtype or type(data) not in (bytes, bytearray):
            raise CheckpointError("an array that is no plain one")
        self._allowance.take(len(data), "an array")
        raw = np.frombuffer(data, np.uint8)
        return checked_array(raw, dtype.resolved(), shape, self._allowance)


CALLS: dict[Global, Callable[..., Any]] = {
    Global("numpy", "dtype"): NumpyPickles._dtype,
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


def checked_array(
    raw: AnyArray, dtype: np.dtype[Any], shape: Any, allowance: Allowance
) -> AnyArray:
    """Return bytes as an array of a simple dtype, in native byte order.

    Parameters
    ----------
    raw : ndarray of uint8
        The bytes, in C order.
    dtype : numpy dtype
        Of booleans, numbers or text.
    shape : tuple of int
    allowance : Allowance
        For a copy.

    Returns
    -------
    ndarray
        A view of `raw` where its elements need no change.

    Raises
    ------
    CheckpointError
        If the bytes are not those of the shape, or no text.
    """
    if type(shape) is not tuple or len(shape) > MOST_AXES:
        raise CheckpointError(f"an array of shape {shown(shape)}")
    if not all(type(n) is int and 0 <= n < 2**62 for n in shape):
        raise CheckpointError(f"an array of shape {shown(shape)}")
    if math.prod(max(n, 1) for n in shape) * dtype.itemsize >= 2**63:
        raise CheckpointError(f"an array of shape {shown(shape)} is too large")
    if math.prod(shape) * dtype.itemsize != raw.size:
        raise CheckpointError(
            f"an array of shape {shown(shape)} and dtype {dtype} in {raw.size} bytes"
        )
    if dtype.kind == "b":  # any other byte than 0 and 1 is neither False nor True to NumPy
        allowance.take(raw.size, "an array")
        return np.not_equal(raw, 0).reshape(shape)
    array = raw.view(dtype)
    if not (array.dtype.isnative and array.flags.aligned):
        allowance.take(raw.size, "an array")
        array = array.astype(dtype.newbyteorder("="))
    if dtype.kind == "U" and array.size and array.view(np.uint32).max() > 0x10FFFF:
        raise CheckpointError("text that is none")
    return array.reshape(shape)


def _latin(text: str) -> bytes:
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        raise CheckpointError("the elements of an array as text") from None

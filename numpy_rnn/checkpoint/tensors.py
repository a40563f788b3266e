"""Tensors in a checkpoint: strided views of storages, which are read when first needed."""

from __future__ import annotations

import math
import operator
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from numpy_rnn.checkpoint.dtypes import TORCH_DTYPES, decode
from numpy_rnn.checkpoint.errors import CheckpointError, shown
from numpy_rnn.checkpoint.memory_budget import MemoryBudget

if TYPE_CHECKING:
    from numpy_rnn._typing import AnyArray

__all__ = ["Storage", "Tensor", "TypedStorage", "check_shape", "count_elements"]

MOST_AXES = 32
"""As many as every supported NumPy can have."""


@dataclass(slots=True, eq=False, repr=False)
class Storage:
    """Bytes that tensors share, read once and when they are first needed.

    Parameters
    ----------
    size : int
        In bytes.
    read : callable
        ``read()`` returns the bytes as a new, writeable array of uint8.
    budget : MemoryBudget
    big_endian : bool
        The byte order of the elements.
    is_compressed : bool
        Whether it takes less than `size` in the file. Then a copy with wider elements is
        paid for; else only a second such copy is.
    """

    size: int
    read: Callable[[], AnyArray]
    budget: MemoryBudget
    big_endian: bool = False
    is_compressed: bool = False
    _is_copied: bool = field(default=False, init=False)
    _raw: AnyArray | None = field(default=None, init=False)
    _arrays: dict[str, AnyArray] = field(default_factory=dict, init=False)

    def elements(self, dtype: str) -> AnyArray:
        """Return the storage as elements of a torch dtype: the same array at every call."""
        if dtype not in self._arrays:
            count_elements(self.size, dtype)
            is_converted = TORCH_DTYPES[dtype].convert is not None
            if is_converted or self.big_endian:
                self._pay_for_copy()
            raw = self.read() if self._raw is None else self._raw
            if not is_converted:  # other dtypes are views of the same bytes
                self._raw = raw
            self._arrays[dtype] = decode(raw, dtype, self.big_endian)
        return self._arrays[dtype]

    def _pay_for_copy(self) -> None:
        if self.is_compressed or self._is_copied:
            self.budget.spend(4 * self.size, "converting a storage")
        self._is_copied = True


class TypedStorage(NamedTuple):
    """A part of a storage, as elements of a torch dtype."""

    storage: Storage
    dtype: str
    start: int
    length: int

    def array(self) -> AnyArray:
        """Return the elements as an array of one axis, a view of the storage."""
        return self.storage.elements(self.dtype)[self.start : self.start + self.length]


class Tensor(NamedTuple):
    """A tensor that has not been read from its file: a view of a storage.

    The offset of its first element and its strides count elements, as in torch.
    """

    storage: TypedStorage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def array(self) -> AnyArray:
        """Return the tensor as an array, a view of its storage.

        Raises
        ------
        CheckpointError
            If the shape or strides are not valid, or reach beyond the storage.
        """
        storage = self.storage.array()
        offset, shape, strides = self.offset, self.shape, self.strides
        itemsize = storage.itemsize
        check_shape(shape, itemsize)
        if type(strides) is not tuple or len(strides) != len(shape):
            raise CheckpointError(
                f"a tensor of shape {shown(shape)} must have a tuple of {len(shape)} strides, "
                f"got {shown(strides)}"
            )
        if not _are_sizes((offset, *strides), itemsize):
            raise CheckpointError(
                "the offset and the strides of a tensor must be integers from 0 to "
                f"{sys.maxsize // itemsize}, got {shown(offset)} and {shown(strides)}"
            )
        if 0 in shape:
            return np.empty(shape, storage.dtype)
        last = offset + sum(map(operator.mul, shape, strides)) - sum(strides)
        if last >= storage.size:
            raise CheckpointError(
                f"a tensor must lie within its storage of {storage.size} elements, but reaches "
                f"element {last}"
            )
        return np.ndarray(
            shape,
            storage.dtype,
            buffer=storage.data,
            offset=offset * itemsize,
            # NumPy checks the stride of an axis of length 1 too, though it is never used.
            strides=[s * itemsize if n > 1 else itemsize for n, s in zip(shape, strides)],
        )


def check_shape(shape: Any, itemsize: int) -> None:
    """Check that an array can have a shape.

    Raises
    ------
    CheckpointError
        If it is not a tuple of non-negative integers, or too large for this machine.
    """
    if type(shape) is tuple and len(shape) > MOST_AXES:
        raise CheckpointError(f"a shape must have at most {MOST_AXES} axes, got {len(shape)}")
    if type(shape) is not tuple or not _are_sizes(shape):
        raise CheckpointError(
            f"a shape must be a tuple of non-negative integers, got {shown(shape)}"
        )
    if math.prod(filter(None, shape)) * itemsize > sys.maxsize:  # as NumPy counts
        raise CheckpointError(
            f"the shape {shown(shape)} is too large: with elements of {itemsize} bytes it "
            f"would take more than {sys.maxsize} bytes"
        )


def count_elements(size: int, dtype: str) -> int:
    """Return how many elements of a torch dtype `size` bytes are."""
    itemsize = TORCH_DTYPES[dtype].stored.itemsize
    count, rest = divmod(size, itemsize)
    if rest:
        raise CheckpointError(
            f"a storage of {dtype} must have a multiple of {itemsize} bytes, got {size}"
        )
    return count


def _are_sizes(values: tuple[Any, ...], itemsize: int = 1) -> bool:
    """Return whether all values are non-negative integers that NumPy can take."""
    if not {int}.issuperset(map(type, values)):
        return False
    return not values or (min(values) >= 0 and max(values) * itemsize <= sys.maxsize)

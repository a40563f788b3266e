"""Tensors in a checkpoint: storages, and strided views of them, read when they are wanted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from numpy_rnn.checkpoint.allowance import Allowance
from numpy_rnn.checkpoint.element_types import ELEMENT_TYPES, decode
from numpy_rnn.checkpoint.errors import CheckpointError, shown

if TYPE_CHECKING:
    from numpy_rnn._typing import AnyArray

__all__ = ["Storage", "Tensor", "TypedStorage", "checked_length", "strided_view"]

MOST_AXES = 32
"""What every supported NumPy can have."""


class Storage:
    """The bytes that tensors share, which are read once and when they are wanted.

    Parameters
    ----------
    size : int
        Its bytes.
    read : callable
        ``read()`` returns them as a new array of uint8 that may be written.
    allowance : Allowance
    big_endian : bool
        The byte order of its elements.
    is_compressed : bool
        Whether it takes less than `size` in the file; its widening is then counted.
    """

    __slots__ = (
        "_allowance",
        "_big_endian",
        "_elements",
        "_is_copied",
        "_raw",
        "_read",
        "size",
    )

    def __init__(
        self,
        size: int,
        read: Callable[[], AnyArray],
        allowance: Allowance,
        big_endian: bool = False,
        is_compressed: bool = False,
    ) -> None:
        self.size = size
        self._read = read
        self._allowance = allowance
        self._big_endian = big_endian
        self._is_copied = is_compressed
        self._raw: AnyArray | None = None
        self._elements: dict[str, AnyArray] = {}

    def elements(self, element_type: str) -> AnyArray:
        """Return the storage as elements of a type, the same array at every call."""
        if element_type not in self._elements:
            kind = ELEMENT_TYPES[element_type]
            if self.size % kind.stored.itemsize:
                raise CheckpointError(
                    f"{self.size} bytes are no whole number of {element_type}"
                )
            if kind.widen is not None or self._big_endian:
                self._charge_copy()
            raw = self._read() if self._raw is None else self._raw
            if kind.widen is None:  # others are views of the same bytes
                self._raw = raw
            self._elements[element_type] = decode(raw, kind, self._big_endian)
        return self._elements[element_type]

    def _charge_copy(self) -> None:
        """Count a copy of elements that are widened: as a file is written there is one."""
        if self._is_copied:
            self._allowance.take(4 * self.size, "a storage, widened,")
        self._is_copied = True


class TypedStorage(NamedTuple):
    """A part of a storage, in elements of a type."""

    storage: Storage
    element_type: str
    start: int
    length: int

    def array(self) -> AnyArray:
        """Return the elements as an array of one axis."""
        elements = self.storage.elements(self.element_type)
        if self.length == elements.size:
            return elements
        return elements[self.start : self.start + self.length]


class Tensor(NamedTuple):
    """A tensor that stands in a file, and is not read yet."""

    storage: TypedStorage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def array(self) -> AnyArray:
        """Return the tensor as an array, a view of its storage."""
        return strided_view(self.storage.array(), self.offset, self.shape, self.strides)


def checked_length(storage_size: int, element_type: str) -> int:
    """Return how many elements of a type the bytes of a storage are."""
    itemsize = ELEMENT_TYPES[element_type].stored.itemsize
    if storage_size % itemsize:
        raise CheckpointError(f"{storage_size} bytes are no whole number of {element_type}")
    return storage_size // itemsize


def strided_view(storage: AnyArray, offset: Any, shape: Any, strides: Any) -> AnyArray:
    """Return the tensor that stands in a storage at an offset, as a view.

    Parameters
    ----------
    storage : ndarray of one axis
        The elements.
    offset : int
        Of the first element.
    shape, strides : tuple of int
        Both in elements, as torch has them.

    Raises
    ------
    CheckpointError
        If any of it is not what it should be or reaches outside of the storage.
    """
    if not (_are_sizes((offset,)) and _are_sizes(shape) and _are_sizes(strides)):
        raise CheckpointError(
            f"a tensor with offset {shown(offset)}, shape {shown(shape)} and strides "
            f"{shown(strides)}"
        )
    if len(shape) != len(strides) or len(shape) > MOST_AXES:
        raise CheckpointError(f"a tensor with {len(shape)} axes and {len(strides)} strides")
    itemsize = storage.itemsize
    last, size = offset, itemsize
    for n, stride in zip(shape, strides):  # as long as each other
        last += (n - 1) * stride
        size *= n or 1
    if size >= 2**63:
        raise CheckpointError(f"a tensor of shape {shown(shape)} is too large")
    if 0 in shape:
        return np.empty(shape, storage.dtype)
    if last >= storage.size:
        raise CheckpointError(
            f"a tensor reaches to element {last} of a storage that has {storage.size}"
        )
    return np.ndarray(
        shape,
        storage.dtype,
        buffer=storage.data,
        offset=offset * itemsize,
        strides=[stride * itemsize for stride in strides],
    )


def _are_sizes(values: Any) -> bool:
    """Tell whether `values` is a tuple of integers that are not negative."""
    if type(values) is not tuple:
        return False
    for n in values:  # noqa: SIM110  # all() takes twice as long
        if type(n) is not int or not 0 <= n < 2**63:
            return False
    return True

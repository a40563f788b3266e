"""Tensors in a checkpoint: element types, storages, and strided views of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from numpy_rnn.checkpoint.errors import CheckpointError, shown

if TYPE_CHECKING:
    from numpy_rnn._typing import AnyArray

__all__ = ["ELEMENT_TYPES", "ElementType", "decode", "strided_view"]

MOST_AXES = 32
"""What every supported NumPy can have."""


class ElementType(NamedTuple):
    """How the elements of a storage stand in the file, and what becomes of them.

    Attributes
    ----------
    stored : numpy dtype
        The elements as they are stored, in native byte order.
    widen : callable, or None
        What turns them into numbers, where NumPy or this package lacks the type.
    """

    stored: np.dtype[Any]
    widen: Callable[[AnyArray], AnyArray] | None = None


def _widen_half(stored: AnyArray) -> AnyArray:
    with np.errstate(all="ignore"):  # a signalling NaN
        return stored.astype(np.float32)


def _widen_bfloat16(stored: AnyArray) -> AnyArray:
    """Return float32: a bfloat16 is its upper half."""
    return (stored.astype(np.uint32) << np.uint32(16)).view(np.float32)


def _widen_complex_half(stored: AnyArray) -> AnyArray:
    return _widen_half(stored.view(np.float16)).view(np.complex64)


_PLAIN = """
    uint8 uint16 uint32 uint64 int8 int16 int32 int64 float32 float64 complex64 complex128
"""

ELEMENT_TYPES: dict[str, ElementType] = {
    **{name: ElementType(np.dtype(name)) for name in _PLAIN.split()},
    # Any other byte than 0 and 1 would be neither False nor True to NumPy.
    "bool": ElementType(np.dtype(np.uint8), lambda stored: stored != 0),
    "float16": ElementType(np.dtype(np.float16), _widen_half),
    "bfloat16": ElementType(np.dtype(np.uint16), _widen_bfloat16),
    "complex32": ElementType(np.dtype(np.uint32), _widen_complex_half),
}
"""By torch's names. Half precision becomes float32."""


def decode(raw: AnyArray, element_type: ElementType, big_endian: bool) -> AnyArray:
    """Return the elements of a storage.

    Parameters
    ----------
    raw : ndarray of uint8
        The bytes of the storage, a whole number of elements.
    element_type : ElementType
        What they are.
    big_endian : bool
        How they stand in the file.

    Returns
    -------
    ndarray of one axis
        Writeable; a view of `raw` where its elements need no change.
    """
    stored = element_type.stored
    # A complex32 is two numbers: their bytes are swapped one by one.
    unit = np.dtype(np.float16) if element_type.widen is _widen_complex_half else stored
    elements = raw.view(unit.newbyteorder(">" if big_endian else "<"))
    if not elements.dtype.isnative:
        elements = elements.astype(unit)
    elements = elements.view(stored)
    return elements if element_type.widen is None else element_type.widen(elements)


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
    if math.prod(max(n, 1) for n in shape) * storage.itemsize >= 2**63:
        raise CheckpointError(f"a tensor of shape {shown(shape)} is too large")
    if 0 in shape:
        return np.empty(shape, storage.dtype)
    last = offset + sum((n - 1) * stride for n, stride in zip(shape, strides, strict=True))
    if last >= storage.size:
        raise CheckpointError(
            f"a tensor reaches to element {last} of a storage that has {storage.size}"
        )
    itemsize = storage.itemsize
    return np.ndarray(
        shape,
        storage.dtype,
        buffer=storage.data,
        offset=offset * itemsize,
        strides=[stride * itemsize for stride in strides],
    )


def _are_sizes(values: Any) -> bool:
    """Tell whether `values` is a tuple of integers that are not negative."""
    return type(values) is tuple and all(type(n) is int and 0 <= n < 2**63 for n in values)

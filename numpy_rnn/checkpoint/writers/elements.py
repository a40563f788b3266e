"""Elements of arrays as the bytes that files have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy_rnn._typing import AnyArray

__all__ = ["little_endian", "unsupported"]


def little_endian(array: AnyArray) -> memoryview:
    """Return the bytes of the elements in C order: no copy where they stand so already."""
    ordered = np.asarray(array, array.dtype.newbyteorder("<"), order="C")
    return ordered.reshape(-1).view(np.uint8).data


def unsupported(name: str, array: AnyArray, where: str) -> TypeError:
    """Return the error for an array of a dtype that a format does not have."""
    return TypeError(f"{name!r} is of dtype {array.dtype}, which {where} does not have")

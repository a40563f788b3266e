"""Arrays of equal numbers in every memory layout, and the memory that a call takes."""

from __future__ import annotations

import tracemalloc

import numpy as np

ARRANGEMENTS = {
    "contiguous": lambda a: a,
    "Fortran": np.asfortranarray,
    "read-only": lambda a: read_only(a),
    "reversed": lambda a: a[::-1].copy()[::-1],
    "every other": lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
    "transposed": lambda a: np.ascontiguousarray(a.swapaxes(0, -1)).swapaxes(0, -1),
    "big-endian": lambda a: a.astype(a.dtype.newbyteorder(">")),
    "unaligned": lambda a: unaligned(a),
    "matrix axis of stride 0": lambda a: np.broadcast_to(a[:1], a.shape),
    "subclass": lambda a: a.view(type("Sub", (np.ndarray,), {})),
}


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


def unaligned(array):
    raw = np.zeros(array.nbytes + 1, np.uint8)
    view = raw[1:].view(array.dtype).reshape(array.shape)
    view[...] = array
    return view


def peak_memory(function):
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

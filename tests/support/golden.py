"""What the golden files in `tests/data` hold, as NumPy arrays.

`tests/data/make_golden.py` writes the same with torch.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

DATA = Path(__file__).parents[1] / "data"

PLAIN_DTYPES = [
    "bool",
    "uint8",
    "int8",
    "int16",
    "int32",
    "int64",
    "float32",
    "float64",
    "complex64",
    "complex128",
]
UNSIGNED_DTYPES = ["uint16", "uint32", "uint64"]
WIDENED_DTYPES = [
    "float16",
    "bfloat16",
    "float8_e4m3fn",
    "float8_e5m2",
    "float8_e4m3fnuz",
    "float8_e5m2fnuz",
]
"""Those that become float32. Each has all `VALUES` exactly."""

VALUES = [0, 1, 2, 3, 16, 96]

TAGGER_SHAPES = {
    "scale": (3,),
    "offset": (2,),
    "lstm.weight_ih_l0": (8, 3),
    "lstm.weight_hh_l0": (8, 2),
    "lstm.bias_ih_l0": (8,),
    "lstm.bias_hh_l0": (8,),
    "heads.0.weight": (1, 2),
    "heads.0.bias": (1,),
    "heads.1.weight": (1, 2),
    "heads.1.bias": (1,),
}
"""The state dict of `make_golden.Tagger`: its parameter, its buffer, its submodules."""


def dtypes(names: list[str]) -> dict[str, np.ndarray]:
    """Return `VALUES` in each dtype, or in the one that it becomes."""
    return {
        name: np.array(VALUES).astype("float32" if name in WIDENED_DTYPES else name)
        for name in names
    }


def views() -> dict[str, np.ndarray]:
    """Return arrays that share memory, have gaps, or no elements."""
    base = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    return {
        "base": base,
        "transposed": base.transpose(2, 0, 1),
        "part": base[1:, ::2, 3],
        "scalar": base[1, 2, 3],
        "empty": base[:0],
        "expanded": np.broadcast_to(np.float32(7), (20, 20)),
    }


def tagger(start: int = 0) -> dict[str, np.ndarray]:
    """Return the weights of a `make_golden.Tagger`, numbered from `start`."""
    weights = {}
    for index, (name, shape) in enumerate(TAGGER_SHAPES.items(), start):
        size = int(np.prod(shape))
        weights[name] = (np.arange(size, dtype=np.float32) / 8 + index).reshape(shape)
    return weights

"""The array types that signatures name."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.floating[Any]]
"""A float32 or float64 array: what parameters are and kernels work on."""

DTypeLike: TypeAlias = "npt.DTypeLike | None"
"""What names a dtype; None stands for the default."""

AnyArray: TypeAlias = npt.NDArray[Any]
"""An array of any dtype: what a caller or a checkpoint may hold."""

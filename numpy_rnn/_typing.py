"""The types that signatures name."""

from __future__ import annotations

from typing import Any, Literal, ParamSpec, Protocol, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.floating[Any]]
"""A float32 or float64 array: what parameters are, and what layers compute with."""

AnyArray: TypeAlias = npt.NDArray[Any]
"""An array of any dtype: what a caller or a checkpoint may hold."""

IntArray: TypeAlias = npt.NDArray[np.int64]
"""An array of int64: lengths and indices that this package returns."""

DTypeLike: TypeAlias = npt.DTypeLike | None
"""Anything that NumPy takes as a dtype; None means the default."""

Format: TypeAlias = Literal["safetensors", "npz", "torch_zip"]
"""The file formats that `save` writes."""

Hx = TypeVar("Hx", bound=Array | tuple[Array, ...])
"""What a recurrent layer or cell takes as `hx` and returns: h, or the pair (h, c)."""

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result", covariant=True)


class HasForward(Protocol[Arguments, Result]):
    """A module whose call takes the arguments of ``forward`` and returns its result."""

    def forward(self, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        """Compute the module's result."""

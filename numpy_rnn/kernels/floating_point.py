"""How kernels treat infinities and NaNs: as torch does, silently."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

F = TypeVar("F", bound=Callable[..., Any])


def silent(function: F) -> F:
    """Decorate a function so that its arithmetic neither warns nor raises.

    Whatever ``numpy.seterr`` is set to outside, an infinite input gives the infinities
    and NaNs that IEEE 754 says, and a caller's setting stands again afterwards.
    """
    if np.lib.NumpyVersion(np.__version__) >= "2.0.0":
        return np.errstate(all="ignore")(function)

    # NumPy 1 keeps the outer state in the decorator itself, which threads would share.
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with np.errstate(all="ignore"):
            return function(*args, **kwargs)

    return wrapper  # type: ignore[return-value]  # it has the function's signature

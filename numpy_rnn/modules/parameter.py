"""Arrays that a module registers as its parameters when they are assigned."""

from __future__ import annotations

import weakref
from typing import Any, cast

import numpy as np

from numpy_rnn._typing import AnyArray
from numpy_rnn.arguments import FLOATS, as_array

__all__ = ["Parameter"]

_PARAMETERS: weakref.WeakValueDictionary[int, AnyArray] = weakref.WeakValueDictionary()
"""All arrays that are parameters, by their id.

They are plain arrays, since arithmetic with a subclass is slower and results are of the
subclass too; so what makes them parameters is kept beside them.
"""


class _ParameterType(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return type(instance) is np.ndarray and _PARAMETERS.get(id(instance)) is instance


class Parameter(np.ndarray[Any, np.dtype[Any]], metaclass=_ParameterType):
    """Make a parameter: a module registers it where it is assigned to an attribute.

    What is returned is a plain array, a copy of `data`, for which
    ``isinstance(array, nn.Parameter)`` is true, as it is for the parameters of every module.
    Assigned in several places it is one array, so that weights can be tied. A copy of the
    array alone is not a parameter.

    Parameters
    ----------
    data : ndarray, optional
        float32 or float64, or also integers or bools if `requires_grad` is False; a new
        array without elements if omitted.
    requires_grad : bool, default True
        Otherwise without effect, since there are no gradients.

    Raises
    ------
    RuntimeError
        If `data` are integers or bools and `requires_grad` is True.
    TypeError
        If `data` is not an array, or has another dtype.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.parameter.Parameter.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> class Scale(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.scale = nn.Parameter(np.ones(3, np.float32))
    ...
    ...     def forward(self, x):
    ...         return x * self.scale
    >>> Scale().state_dict()
    {'scale': array([1., 1., 1.], dtype=float32)}
    """

    def __new__(cls, data: AnyArray | None = None, requires_grad: bool = True) -> Parameter:
        """Return a plain array."""
        if data is None:
            return as_parameter(np.empty(0, np.float32))
        array = np.array(as_array(data, "data"), order="C")
        if array.dtype.kind in "iub" and requires_grad:
            raise RuntimeError(
                "Only arrays of floating point dtype can require gradients: pass "
                "requires_grad=False"
            )
        if array.dtype not in FLOATS and array.dtype.kind not in "iub":
            raise TypeError(
                f"data must be a float32 or float64 array, got {array.dtype}. Convert data: "
                "data.astype(numpy.float32)"
            )
        return as_parameter(array)


def as_parameter(array: AnyArray) -> Parameter:
    """Return the array itself, which is a parameter from now on."""
    _PARAMETERS[id(array)] = array
    return cast(Parameter, array)

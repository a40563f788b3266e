"""What a caller passes, checked and turned into the arrays and dtypes that layers work on."""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy_rnn._typing import AnyArray, DTypeLike

FLOAT32 = np.dtype(np.float32)
FLOAT64 = np.dtype(np.float64)

NUMBERS = "biufc"
"""The kinds of dtype that hold numbers."""


def as_array(value: object, name: str) -> AnyArray:
    """Return `value` as a native-endian array, without a copy where it is one already.

    Parameters
    ----------
    value : array or object with ``__array__``
        A CPU tensor of torch has ``__array__``; one that requires grad is detached.
    name : str
        What the caller knows the value as, for the error.

    Raises
    ------
    TypeError
        If `value` is no array: a list or a number is not taken for one, as in torch.
    """
    if type(value) is not np.ndarray:
        if not hasattr(value, "__array__"):
            raise TypeError(f"{name} must be a NumPy array, got {type(value).__name__}")
        value = np.asarray(value.detach() if hasattr(value, "detach") else value)
    if not value.dtype.isnative:
        return value.astype(value.dtype.newbyteorder("="))
    return value


def parse_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    """Return the parameter dtype that `dtype` names; None is float32, torch's default.

    Raises
    ------
    TypeError
        For anything but float32 and float64.
    """
    if dtype is None:
        return FLOAT32
    try:
        parsed = np.dtype(dtype)
    except TypeError:
        parsed = np.dtype(object)
    if parsed not in (FLOAT32, FLOAT64):
        raise TypeError(f"dtype must be numpy.float32 or numpy.float64, got {dtype!r}")
    return parsed


def parse_size(size: object) -> int:
    """Return a size as an int.

    Raises
    ------
    TypeError
        If it is no integer: a bool is none.
    """
    refuse_bool(size)
    return operator.index(size)  # type: ignore[arg-type]  # that is what it finds out


def refuse_bool(size: object) -> None:
    """Raise TypeError for a bool in place of a size or an index."""
    if isinstance(size, (bool, np.bool_)):
        raise TypeError(f"'{type(size).__name__}' object cannot be interpreted as a size")


def new_array(shape: tuple[int, ...], dtype: np.dtype[Any]) -> AnyArray:
    """Return an array for parameters, not filled yet.

    Raises
    ------
    RuntimeError
        If a size is negative.
    TypeError
        If a size is no int.
    """
    sizes = tuple(map(parse_size, shape))
    for size in sizes:
        if size < 0:
            raise RuntimeError(
                f"Trying to create array with negative dimension {size}: {list(sizes)}"
            )
    return np.empty(sizes, dtype)


def parse_axis(dim: int, axes: int) -> int:
    """Return the axis that `dim` names among `axes`; a number counts as having one.

    Raises
    ------
    IndexError
        If there is no such axis.
    """
    axes = max(1, axes)
    if not -axes <= dim < axes:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-axes}, {axes - 1}], "
            f"but got {dim})"
        )
    return operator.index(dim) % axes


def check_device(device: object) -> None:
    """Raise RuntimeError unless `device` is None or names the CPU."""
    if device is not None and str(device) not in ("cpu", "cpu:0"):
        raise RuntimeError(
            f"numpy_rnn runs on the CPU: device must be None or 'cpu', got {device!r}"
        )


def parse_to(args: tuple[Any, ...], device: object, dtype: DTypeLike) -> np.dtype[Any] | None:
    """Return the dtype that the arguments of a method ``to`` name, or None for none.

    Parameters
    ----------
    args : tuple
        By position, as in torch: a device, a dtype, both, or an array whose dtype it is. A
        string is a device unless it names a dtype.
    device, dtype
        The same by name.

    Raises
    ------
    RuntimeError
        For a device that is not the CPU.
    TypeError
        For a dtype that is not float32 or float64.
    """
    for argument in args:
        if hasattr(argument, "__array__") and not isinstance(argument, type):
            if len(args) > 1 or device is not None or dtype is not None:
                raise TypeError("to() takes an array, for its dtype, as its only argument")
            return parse_dtype(str(argument.dtype).removeprefix("torch."))
    for argument in args:
        is_string = isinstance(argument, str) and argument not in ("float32", "float64")
        if is_string or type(argument).__name__ == "device":
            device = argument
        elif argument is not None:
            dtype = argument
    check_device(device)
    return None if dtype is None else parse_dtype(dtype)


def fill_value(name: str, value: Any, dtype: np.dtype[Any]) -> Any:
    """Return a value to fill an array with as one that `dtype` has, cut off as in torch.

    Of dtypes that torch does not have, such as strings, NumPy decides.
    """
    if dtype.kind not in NUMBERS:
        return value
    if not isinstance(value, (bool, int, float, complex, np.bool_, np.number)):
        raise type_error(name, "Number", value)
    number = value.item() if isinstance(value, np.generic) else value
    if dtype.kind == "b":
        return bool(number)
    real, imag = number.real, number.imag
    if dtype.kind == "c":
        fits = fits_float(real, dtype) and fits_float(imag, dtype)
        fill = number
    elif dtype.kind == "f":
        fits = imag == 0 and fits_float(real, dtype)
        fill = real
    else:
        limits = np.iinfo(dtype)
        # A negative int wraps around in an unsigned dtype, a negative float does not.
        wraps = dtype.kind == "u" and isinstance(number, int)
        fits = imag == 0 and (-limits.max if wraps else limits.min) <= real <= limits.max
        fill = int(real) % (limits.max + 1) if fits and wraps else real
    if not fits:
        raise RuntimeError(
            f"value cannot be converted to type {dtype} without overflow: {name} is {value!r}"
        )
    return fill


def fits_float(part: float, dtype: np.dtype[Any]) -> bool:
    """Return whether a number is not finite, or within the range of a dtype of floats."""
    return not math.isfinite(part) or abs(part) <= float(np.finfo(dtype).max)


def type_error(name: str, expected: str, value: object) -> TypeError:
    """Return the error for an argument of a wrong type."""
    kind = type(value)
    got = (
        kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
    )
    return TypeError(f"argument '{name}' must be {expected}, not {got}")

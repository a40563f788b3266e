"""Checks of what a caller passes, and its conversion to arrays, dtypes, sizes and axes."""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy_rnn._typing import AnyArray, Array, DTypeLike

FLOAT32 = np.dtype(np.float32)
FLOAT64 = np.dtype(np.float64)
FLOATS = (FLOAT32, FLOAT64)
"""The dtypes that parameters may have."""

NUMBERS = "biufc"
"""The kinds of dtypes of numbers."""


def printable(text: str, longest: int = 1000) -> str:
    r"""Return a text from a file, escaped and cut if it could steer a terminal or flood it.

    >>> printable("rnn.weight"), printable("a\x1b[2J"), printable("abcdef", 3)
    ('rnn.weight', "'a\\x1b[2J'", 'abc...')
    """
    cut = text if len(text) <= longest else text[:longest] + "..."
    return cut if cut.isprintable() else repr(cut)


def as_array(value: object, name: str) -> AnyArray:
    """Return `value` as a native-endian array, without a copy where it is one already.

    Parameters
    ----------
    value : array or object with ``__array__``
        A CPU tensor of torch has ``__array__``; one that requires grad is detached.
    name : str
        The caller's name for the value, for the error.

    Raises
    ------
    TypeError
        If `value` is not an array; as in torch, lists and numbers are not converted.
    """
    if type(value) is not np.ndarray:
        if not hasattr(value, "__array__"):
            raise TypeError(f"{name} must be a NumPy array, got {type(value).__name__}")
        value = np.asarray(value.detach() if hasattr(value, "detach") else value)
    if not value.dtype.isnative:
        return value.astype(value.dtype.newbyteorder("="))
    return value


def as_float_array(value: object, name: str) -> Array:
    """Return `value` as an array of float32 or float64.

    Raises
    ------
    TypeError
        If `value` is not an array, or has another dtype.
    """
    if type(value) is np.ndarray and value.dtype in FLOATS:  # as in nearly every call
        return value
    array: Array = as_array(value, name)
    if array.dtype not in FLOATS:
        raise TypeError(
            f"{name} must be a float32 or float64 array, got {array.dtype}. "
            f"Convert {name}: {name}.astype(numpy.float32)"
        )
    return array


def as_promoted_array(value: object, name: str) -> Array:
    """Return `value` as a float array as `as_float_array`, integers and bools as float32."""
    if type(value) is np.ndarray and value.dtype in FLOATS:  # as in nearly every call
        return value
    array = as_array(value, name)
    return as_float_array(array.astype(FLOAT32) if array.dtype.kind in "iub" else array, name)


def check_dtypes(input: AnyArray, **parameters: AnyArray | None) -> None:
    """Raise RuntimeError unless an input and all parameters but None have one dtype."""
    for array in parameters.values():
        if array is not None and array.dtype != input.dtype:
            raise RuntimeError(dtype_mismatch(input, **parameters))


def dtype_mismatch(input: AnyArray, **parameters: AnyArray | None) -> str:
    """Return the error message for an input and parameters of different dtypes.

    The first parameter decides: if the input differs from it, it is the input that is wrong.
    """
    dtypes = {name: array.dtype for name, array in parameters.items() if array is not None}
    reference = next(iter(dtypes))
    if dtypes[reference] not in FLOATS:  # it is the parameter that is wrong
        reference = "input"
    dtypes = {"input": input.dtype, **dtypes}
    expected = dtypes[reference]
    name, got = next((name, dtype) for name, dtype in dtypes.items() if dtype != expected)
    remedy = f"Convert {name}: {name}.astype(numpy.{expected})"
    if name == "input" and got in FLOATS:
        remedy += f", or convert model: model.to(numpy.{got})"
    return f"{name} dtype ({got}) does not match {reference} dtype ({expected}). {remedy}"


def parse_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    """Return `dtype` as a dtype that parameters may have; None is float32, torch's default.

    Raises
    ------
    TypeError
        If it is not float32 or float64.
    """
    if dtype is None:
        return FLOAT32
    try:
        parsed = np.dtype(dtype)
    except TypeError:
        parsed = np.dtype(object)
    if parsed not in FLOATS:
        raise TypeError(f"dtype must be numpy.float32 or numpy.float64, got {dtype!r}")
    return parsed


def parse_size(size: object, name: str = "a size") -> int:
    """Return a size as an int; `name` is the argument's, for the error.

    Raises
    ------
    TypeError
        If it is not an integer; a bool is not one.
    """
    refuse_bool(size, name)
    return operator.index(size)  # type: ignore[arg-type]  # that is what it finds out


def refuse_bool(value: object, name: str) -> None:
    """Raise TypeError for a bool in place of a size or an index."""
    if isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be an integer, got {type(value).__name__}")


def new_array(shape: tuple[int, ...], dtype: np.dtype[Any]) -> AnyArray:
    """Return an uninitialised array for parameters.

    Raises
    ------
    RuntimeError
        If a size is negative.
    TypeError
        If a size is not an integer.
    """
    sizes = tuple(map(parse_size, shape))
    for size in sizes:
        if size < 0:
            raise RuntimeError(
                f"Trying to create array with negative dimension {size}: {list(sizes)}"
            )
    return np.empty(sizes, dtype)


def parse_axis(dim: int, axes: int) -> int:
    """Return `dim` as an index of one of `axes` axes; an array without axes counts as one.

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


def check_device(device: object, name: str = "device") -> None:
    """Raise RuntimeError unless `device` is None or names the CPU; `name` is the argument's."""
    if device is not None and str(device) not in ("cpu", "cpu:0"):
        raise RuntimeError(
            f"{name} must be None or 'cpu', got {device!r}: numpy_rnn runs on the CPU only"
        )


def parse_to(args: tuple[Any, ...], device: object, dtype: DTypeLike) -> np.dtype[Any] | None:
    """Return the dtype among the arguments of a ``to`` method, or None.

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
                raise TypeError(
                    "to() takes an array as its only argument, but got others too: pass "
                    "dtype=array.dtype instead"
                )
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
    """Return a value to fill an array of `dtype` with; fractions are truncated, as in torch.

    For dtypes that torch does not have, such as strings, the value is left to NumPy.

    Raises
    ------
    RuntimeError
        If the value is beyond the range of the dtype.
    TypeError
        If the value is not a number, and the dtype is one of numbers.
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
    """Return whether a real number is within the range of a float dtype, or not finite."""
    return not math.isfinite(part) or abs(part) <= float(np.finfo(dtype).max)


def type_error(name: str, expected: str, value: object) -> TypeError:
    """Return the error for an argument of the wrong type."""
    kind = type(value)
    got = f"{kind.__module__}.{kind.__name__}".removeprefix("builtins.")
    return TypeError(f"argument '{name}' must be {expected}, not {got}")

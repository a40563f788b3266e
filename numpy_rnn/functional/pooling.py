"""Pools: the maximum or the mean of each window along the last axes.

A pool along one axis is one along two, the first of size 1. The windows along two axes are
all pairs of windows along one, so that an array is reduced along one axis after the other,
one tap of all windows at a time: no window is copied.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np

from numpy_rnn._typing import AnyArray, Array, IntArray
from numpy_rnn.arguments import as_array, as_float_array
from numpy_rnn.floating_point import silent
from numpy_rnn.functional.windows import ALL, Sliding, Windows, along, parse_ints

INTEGERS = tuple(map(np.dtype, ("int8", "uint8", "int16", "int32", "int64")))
"""The integers that torch takes the maximum of."""


@silent
def max_pool1d(
    input: AnyArray,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    r"""Return the maximum of each window along the last axis.

    .. math:: y_{n,c,t} = \max_k x_{n,\,c,\,t s + k d}

    Parameters
    ----------
    input : ndarray of shape (N, C, L) or (C, L)
        float32 or float64; with `return_indices` also integers.
    kernel_size : int or sequence of one
        The number of taps of a window.
    stride : int or sequence of one, optional
        The step s from one window to the next, `kernel_size` if omitted.
    padding : int or sequence of one
        How far windows reach beyond either end, at most half of `kernel_size`.
    dilation : int or sequence of one
        The step d from one tap to the next.
    ceil_mode : bool
        Whether a window that is cut off by the end counts.
    return_indices : bool
        Whether to return the places of the maxima too.

    Returns
    -------
    ndarray of shape (N, C, T) or (C, T)
        T is ``(L + 2 * padding - dilation * (kernel_size - 1) - 1) / stride + 1``, rounded
        down, or up in `ceil_mode`. A window with a NaN gives NaN.
    ndarray of int64 of the same shape
        Only with `return_indices`: where in the last axis the maximum is, the first if there
        are several; the last NaN if there are any.

    Raises
    ------
    RuntimeError
        If the axes are not those, or options do not fit the input.
    TypeError
        If the dtype is another, or an option is not an int.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.max_pool1d.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.functional.max_pool1d(np.array([[1.0, 5.0, 2.0, 3.0]]), 2)
    array([[5., 3.]])
    """
    call = "max_pool1d_with_indices" if return_indices else "max_pool1d"
    options = _parse_options(call, kernel_size, stride, padding, dilation)
    _check_bool(ceil_mode, call, "ceil_mode", " (position 6)")
    if not return_indices:
        x = as_float_array(input, "input")
        along_last = _check_max_pool1d(x, options, ceil_mode)
        windows = Windows.sliding(
            x.shape[-1], along_last.count(x.shape[-1], ceil_mode), along_last
        )
        return _reduced_along(x, -1, windows, np.maximum)
    x = _as_array_of(input, INTEGERS)
    _check_one_axis("max_pool1d", x, options)
    rows, columns = _windows(x[..., None, :], _below_a_height_of_one(options), ceil_mode)
    values, indices = _maxima(x[..., None, :], rows, columns)
    return values[..., 0, :], indices[..., 0, :]


@silent
def max_pool2d(
    input: AnyArray,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Return the maximum of each window along the last two axes.

    Parameters
    ----------
    input : ndarray of shape (N, C, H, W) or (C, H, W)
        float32, float64 or integers.
    kernel_size, stride, padding, dilation : int or sequence of two
        As of `max_pool1d`, for both axes or each.
    ceil_mode, return_indices : bool
        As of `max_pool1d`.

    Returns
    -------
    ndarray of shape (N, C, H_out, W_out) or (C, H_out, W_out)
        The sizes follow from H and W as T from L in `max_pool1d`.
    ndarray of int64 of the same shape
        Only with `return_indices`: the place among the H * W elements, as of `max_pool1d`.

    Raises
    ------
    RuntimeError
        If the axes are not those, or options do not fit the input.
    TypeError
        If the dtype is another, or an option is not an int.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.max_pool2d.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.functional.max_pool2d(np.arange(8.0).reshape(1, 2, 4), 2)
    array([[[5., 7.]]])
    """
    call = "max_pool2d_with_indices" if return_indices else "max_pool2d"
    options = _parse_options(call, kernel_size, stride, padding, dilation)
    _check_bool(ceil_mode, call, "ceil_mode", " (position 6)")
    x = _as_array_of(input, INTEGERS)
    sliding = _two_axes("max_pool2d", options)
    if x.ndim not in (3, 4):
        raise RuntimeError("non-empty 3D or 4D (batch mode) array expected for input")
    rows, columns = _windows(x, sliding, ceil_mode)
    if return_indices:
        return _maxima(x, rows, columns)
    return _reduced(x, rows, columns, np.maximum)


@silent
def avg_pool1d(
    input: AnyArray,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> AnyArray:
    r"""Return the mean of each window along the last axis.

    .. math:: y_{n,c,t} = \frac{1}{K} \sum_k x_{n,\,c,\,t s + k}

    Parameters
    ----------
    input : ndarray of shape (N, C, L) or (C, L)
        float32 or float64; or int64, whose means are truncated.
    kernel_size : int or sequence of one
        The number K of elements of a window.
    stride : int or sequence of one, optional
        The step s from one window to the next, `kernel_size` if omitted.
    padding : int or sequence of one
        Zeros on either side, at most half of `kernel_size`.
    ceil_mode : bool
        Whether a window that is cut off by the end counts.
    count_include_pad : bool
        Whether K counts those zeros too.

    Returns
    -------
    ndarray of shape (N, C, T) or (C, T)
        T is ``(L + 2 * padding - kernel_size) / stride + 1``, rounded down, or up in
        `ceil_mode`.

    Raises
    ------
    RuntimeError
        If the axes are not those, or options do not fit the input.
    TypeError
        If the dtype is another, or an option is not an int.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.avg_pool1d.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.functional.avg_pool1d(np.array([[1.0, 5.0, 2.0, 4.0]]), 2)
    array([[3., 3.]])
    """
    options = _parse_options("avg_pool1d", kernel_size, stride, padding)
    _check_bool(ceil_mode, "avg_pool1d", "ceil_mode")
    _check_bool(count_include_pad, "avg_pool1d", "count_include_pad")
    x = _as_array_of(input, (np.dtype(np.int64),))
    _check_one_axis("avg_pool1d", x, options)
    sliding = _below_a_height_of_one(options)
    x = x[..., None, :]
    return _sliding_means(x, sliding, ceil_mode, count_include_pad, None)[..., 0, :]


@silent
def avg_pool2d(
    input: AnyArray,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> AnyArray:
    """Return the mean of each window along the last two axes.

    Parameters
    ----------
    input : ndarray of shape (N, C, H, W) or (C, H, W)
        float32 or float64; or int64, whose means are truncated.
    kernel_size, stride, padding : int or sequence of two
        As of `avg_pool1d`, for both axes or each.
    ceil_mode, count_include_pad : bool
        As of `avg_pool1d`.
    divisor_override : int, optional
        What the sum is divided by instead of the number of elements.

    Returns
    -------
    ndarray of shape (N, C, H_out, W_out) or (C, H_out, W_out)
        The sizes follow from H and W as T from L in `avg_pool1d`.

    Raises
    ------
    IndexError
        If there are less than three axes.
    RuntimeError
        If the axes are not those otherwise, or options do not fit the input.
    TypeError
        If the dtype is another, or an option is not an int.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.avg_pool2d.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.functional.avg_pool2d(np.arange(8.0).reshape(1, 2, 4), 2)
    array([[[2.5, 4.5]]])
    """
    options = _parse_options("avg_pool2d", kernel_size, stride, padding)
    _check_bool(ceil_mode, "avg_pool2d", "ceil_mode")
    _check_bool(count_include_pad, "avg_pool2d", "count_include_pad")
    divisor = _parse_divisor(divisor_override)
    x = _as_array_of(input, (np.dtype(np.int64),))
    sliding = _two_axes("avg_pool2d", options)
    if divisor == 0:
        raise RuntimeError("divisor must be not zero")
    if x.ndim < 3:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-max(x.ndim, 1)}, "
            f"{max(x.ndim, 1) - 1}], but got -3)"
        )
    return _sliding_means(x, sliding, ceil_mode, count_include_pad, divisor)


@silent
def adaptive_avg_pool1d(input: Array, output_size: int | Sequence[int]) -> Array:
    """Return the means of windows that share the last axis evenly.

    Parameters
    ----------
    input : ndarray of shape (N, C, L) or (C, L)
        float32 or float64.
    output_size : int or sequence of one
        The number T of windows. The first begins at 0, number t at ``t * L / T`` rounded
        down, and each ends where the next begins, rounded up.

    Returns
    -------
    ndarray of shape (N, C, T) or (C, T)

    Raises
    ------
    RuntimeError
        If the axes are not those, or `output_size` is not possible.
    TypeError
        If the dtype is another, or `output_size` is not an int.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_avg_pool1d.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.functional.adaptive_avg_pool1d(np.array([[1.0, 5.0, 3.0]]), 2)
    array([[3., 4.]])
    """
    sizes = parse_ints(output_size, "adaptive_avg_pool1d", "output_size", 2)
    x = as_float_array(input, "input")
    _check_one_axis("adaptive_avg_pool1d", x, {"output_size": sizes})
    return _adaptive_means(x[..., None, :], (1, *sizes))[..., 0, :]


@silent
def adaptive_avg_pool2d(input: Array, output_size: int | Sequence[int | None] | None) -> Array:
    """Return the means of windows that share the last two axes evenly.

    Parameters
    ----------
    input : ndarray of shape (N, C, H, W) or (C, H, W)
        float32 or float64.
    output_size : int or sequence of two
        As of `adaptive_avg_pool1d`, for both axes or each; None is the input's size.

    Returns
    -------
    ndarray of shape (N, C, H_out, W_out) or (C, H_out, W_out)

    Raises
    ------
    RuntimeError, ValueError
        If the axes are not those, or `output_size` is not possible.
    TypeError
        If the dtype is another, or `output_size` is not an int.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_avg_pool2d.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.functional.adaptive_avg_pool2d(np.arange(8.0).reshape(1, 2, 4), (1, None))
    array([[[2., 3., 4., 5.]]])
    """
    x = as_float_array(input, "input")
    sizes = _parse_output_size("adaptive_avg_pool2d", x, output_size)
    if len(sizes) != 2:
        raise RuntimeError("adaptive_avg_pool2d: output_size must be 2")
    return _adaptive_means(x, sizes)


@silent
def adaptive_max_pool1d(
    input: Array, output_size: int | Sequence[int], return_indices: bool = False
) -> Any:
    """Return the maxima of windows that share the last axis evenly.

    Parameters
    ----------
    input : ndarray of shape (N, C, L) or (C, L)
        float32 or float64.
    output_size : int or sequence of one
        The number of windows, which are those of `adaptive_avg_pool1d`.
    return_indices : bool
        Whether to return the places of the maxima too, as of `max_pool1d`.

    Returns
    -------
    ndarray of shape (N, C, T) or (C, T)
    ndarray of int64 of the same shape
        Only with `return_indices`.

    Raises
    ------
    RuntimeError
        If the axes are not those, or `output_size` is not possible.
    TypeError
        If the dtype is another, or `output_size` is not an int.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_max_pool1d.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> values, places = nn.functional.adaptive_max_pool1d(np.array([[1.0, 5.0, 3.0]]), 1, True)
    >>> values, places.tolist()
    (array([[5.]]), [[1]])
    """
    sizes = parse_ints(output_size, "adaptive_max_pool1d", "output_size", 2)
    x = as_float_array(input, "input")
    _check_one_axis("adaptive_max_pool1d", x, {"output_size": sizes})
    _check_not_empty("adaptive_max_pool1d", x, range(1, x.ndim))
    x = x[..., None, :]
    rows, columns = _adaptive_windows(x, (1, *sizes))
    if not return_indices:
        return _reduced(x, rows, columns, np.maximum)[..., 0, :]
    values, indices = _maxima(x, rows, columns)
    return values[..., 0, :], indices[..., 0, :]


@silent
def adaptive_max_pool2d(
    input: Array,
    output_size: int | Sequence[int | None] | None,
    return_indices: bool = False,
) -> Any:
    """Return the maxima of windows that share the last two axes evenly.

    Parameters
    ----------
    input : ndarray of shape (N, C, H, W) or (C, H, W)
        float32 or float64.
    output_size : int or sequence of two
        As of `adaptive_avg_pool1d`, for both axes or each; None is the input's size.
    return_indices : bool
        Whether to return the places of the maxima too, as of `max_pool2d`.

    Returns
    -------
    ndarray of shape (N, C, H_out, W_out) or (C, H_out, W_out)
    ndarray of int64 of the same shape
        Only with `return_indices`.

    Raises
    ------
    RuntimeError, ValueError
        If the axes are not those, or `output_size` is not possible.
    TypeError
        If the dtype is another, or `output_size` is not an int.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.adaptive_max_pool2d.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.functional.adaptive_max_pool2d(np.arange(8.0).reshape(1, 2, 4), (None, 1))
    array([[[3.],
            [7.]]])
    """
    x = as_float_array(input, "input")
    sizes = _parse_output_size("adaptive_max_pool2d", x, output_size)
    if x.ndim not in (3, 4):
        raise RuntimeError(
            f"adaptive_max_pool2d(): Expected 3D or 4D array, but got: {list(x.shape)}"
        )
    _check_not_empty("adaptive_max_pool2d", x, range(1, x.ndim))
    if len(sizes) != 2:
        raise RuntimeError(
            "adaptive_max_pool2d(): internal error: output_size.size() must be 2"
        )
    rows, columns = _adaptive_windows(x, sizes)
    if return_indices:
        return _maxima(x, rows, columns)
    return _reduced(x, rows, columns, np.maximum)


# What they compute


def _reduced(x: AnyArray, rows: Windows, columns: Windows, ufunc: np.ufunc) -> AnyArray:
    """Reduce each window along the last two axes by a ufunc, into a new array."""
    if not rows.keep(x.shape[-2]):
        x = _reduced_along(x, -2, rows, ufunc)
    return _reduced_along(x, -1, columns, ufunc)


def _reduced_along(x: AnyArray, axis: int, windows: Windows, ufunc: np.ufunc) -> AnyArray:
    count = len(windows.starts)
    identity = _lowest(x.dtype) if ufunc is np.maximum else 0
    if count < windows.most_taps:
        return _reduced_one_by_one(x, axis, windows, ufunc, identity)
    taps = list(windows.taps())
    parts = [x[along(axis, inputs)] for outputs, inputs in taps if outputs is ALL]
    if parts:
        out: AnyArray = functools.reduce(ufunc, parts) if len(parts) > 1 else parts[0].copy()
    else:
        out = np.full(_shape(x, axis, count), identity, x.dtype)
    for outputs, inputs in taps:
        if outputs is not ALL:
            place = along(axis, outputs)
            out[place] = ufunc(out[place], x[along(axis, inputs)])
    return out


def _reduced_one_by_one(
    x: AnyArray, axis: int, windows: Windows, ufunc: np.ufunc, identity: Any
) -> AnyArray:
    """Do the same where there are less windows than taps."""
    out = np.empty(_shape(x, axis, len(windows.starts)), x.dtype)
    for number, (start, stop) in enumerate(zip(windows.firsts, windows.stops)):
        part = x[along(axis, slice(start, stop, windows.step))]
        place = along(axis, slice(number, number + 1))
        ufunc.reduce(part, axis, out=out[place], keepdims=True, initial=identity)
    return out


def _maxima(x: AnyArray, rows: Windows, columns: Windows) -> tuple[AnyArray, IntArray]:
    """Return the maximum of each window along the last two axes, and its place among both.

    Columns come first, so that of equal maxima the first row decides, then the first column.
    """
    height, width = x.shape[-2:]
    below = width * np.arange(height, dtype=np.int64)[:, None]
    indices = np.broadcast_to(below + np.arange(width), x.shape)
    values, indices = _maxima_along(x, indices, -1, columns, below + columns.firsts)
    below = width * rows.firsts[:, None]
    return _maxima_along(values, indices, -2, rows, below + columns.firsts)


def _maxima_along(
    x: AnyArray, indices: IntArray, axis: int, windows: Windows, firsts: IntArray
) -> tuple[AnyArray, IntArray]:
    shape = _shape(x, axis, len(windows.starts))
    values = np.full(shape, _lowest(x.dtype), x.dtype)
    best = np.array(np.broadcast_to(firsts, shape))
    for outputs, inputs in windows.taps():
        place, tap = along(axis, outputs), along(axis, inputs)
        better = (x[tap] > values[place]) | np.isnan(x[tap])
        values[place] = np.where(better, x[tap], values[place])
        best[place] = np.where(better, indices[tap], best[place])
    return values, best


def _sliding_means(
    x: AnyArray,
    options: Sequence[Sliding],
    ceil_mode: bool,
    count_include_pad: bool,
    divisor: int | None,
) -> AnyArray:
    rows, columns = _windows(x, options, ceil_mode)
    counts = [
        windows.most_elements(size, each) if count_include_pad else windows.elements
        for windows, size, each in zip((rows, columns), x.shape[-2:], options)
    ]
    return _divided(
        _reduced(x, rows, columns, np.add), np.outer(*counts) if divisor is None else divisor
    )


def _adaptive_means(x: Array, sizes: tuple[int, ...]) -> Array:
    if min(sizes) < 0:
        raise RuntimeError(
            "adaptive_avg_pool2d: elements of output_size must be greater than or equal to 0 "
            f"but received {{{sizes[0]}, {sizes[1]}}}"
        )
    if x.ndim not in (3, 4):
        raise RuntimeError(
            f"adaptive_avg_pool2d(): Expected 3D or 4D array, but got {list(x.shape)}"
        )
    _check_not_empty("adaptive_avg_pool2d", x, (x.ndim - 2, x.ndim - 1))
    rows, columns = _adaptive_windows(x, sizes)
    counts = np.outer(rows.elements, columns.elements)
    return _divided(_reduced(x, rows, columns, np.add), counts)


def _divided(sums: AnyArray, counts: IntArray | int) -> AnyArray:
    """Return sums divided by counts, integers towards zero."""
    if sums.dtype.kind == "i":
        sums -= np.fmod(sums, counts)
        sums //= counts
    else:
        np.divide(sums, counts, out=sums, dtype=sums.dtype, casting="unsafe")
    return sums


def _shape(x: AnyArray, axis: int, count: int) -> tuple[int, ...]:
    """Return the shape with another size of an axis."""
    shape = list(x.shape)
    shape[axis] = count
    return tuple(shape)


def _lowest(dtype: np.dtype[Any]) -> Any:
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


# What they are given

Options = dict[str, tuple[int, ...]]
"""The options of windows by name, each of one or two ints; a stride may be left out."""


def _parse_options(
    call: str, kernel_size: Any, stride: Any, padding: Any, dilation: Any = None
) -> Options:
    options = {"kernel_size": kernel_size, "stride": () if stride is None else stride}
    options["padding"] = padding
    if dilation is not None:
        options["dilation"] = dilation
    return {
        name: parse_ints(value, call, name, position)
        for position, (name, value) in enumerate(options.items(), 2)
    }


def _parse_divisor(divisor: Any) -> int | None:
    if divisor is None:
        return None
    if isinstance(divisor, (bool, np.bool_)) or not hasattr(divisor, "__index__"):
        kind = type(divisor).__name__
        raise TypeError(f"avg_pool2d(): argument 'divisor_override' must be int, not {kind}")
    return operator.index(divisor)


def _parse_output_size(call: str, x: AnyArray, output_size: Any) -> tuple[int, ...]:
    """Return the size of either axis, None as that of the input."""
    if not isinstance(output_size, (list, tuple)):
        return parse_ints(output_size, call, "output_size", 2) * 2
    if x.ndim <= len(output_size):
        raise ValueError(f"Input dimension should be at least {len(output_size) + 1}")
    defaults = x.shape[x.ndim - len(output_size) :]
    sizes = [size if size is not None else n for size, n in zip(output_size, defaults)]
    return parse_ints(sizes, call, "output_size", 2)


def _as_array_of(input: AnyArray, others: tuple[np.dtype[Any], ...]) -> AnyArray:
    """Return an array of float32, float64 or one of some other dtypes."""
    x = as_array(input, "input")
    return x if x.dtype in others else as_float_array(x, "input")


def _below_a_height_of_one(options: Options) -> list[Sliding]:
    kernel, stride, padding, *dilation = options.values()
    return [Sliding(1), Sliding(*kernel, *(stride or kernel), *padding, *chain(*dilation))]


def _two_axes(call: str, options: Options) -> list[Sliding]:
    """Return the windows of either axis."""
    for name, sizes in options.items():
        if len(sizes) not in ((0, 1, 2) if name == "stride" else (1, 2)):
            either = "either be omitted," if name == "stride" else "either be"
            either = "be either" if name == "dilation" else either
            raise RuntimeError(
                f"{call}: {name} must {either} a single int, or a tuple of two ints"
            )
    kernel, stride, *others = (sizes * (2 // max(len(sizes), 1)) for sizes in options.values())
    return [Sliding(*each) for each in zip(kernel, stride or kernel, *others)]


def _windows(
    x: AnyArray, options: Sequence[Sliding], ceil_mode: bool
) -> tuple[Windows, Windows]:
    """Return the windows of either axis after all checks."""
    for each in options:
        if each.stride == 0:
            raise RuntimeError("stride should not be zero")
        if each.padding < 0:
            raise RuntimeError(f"pad must be non-negative, but got pad: {each.padding}")
        if each.padding > int(each.reach / 2):
            raise RuntimeError(
                "pad should be at most half of effective kernel size, but got "
                f"pad={each.padding}, kernel_size={each.kernel} and dilation={each.dilation}"
            )
    _check_sliding(*options)
    _check_pooled(x)
    height, width = options
    if any(each.padding > each.kernel // 2 for each in options):
        raise RuntimeError(
            "pad should be smaller than or equal to half of kernel size, but got "
            f"padW = {width.padding}, padH = {height.padding}, kW = {width.kernel}, "
            f"kH = {height.kernel}"
        )
    channels, *sizes = x.shape[-3:]
    counts = [each.count(size, ceil_mode) for each, size in zip(options, sizes)]
    if min(counts) < 1:
        raise RuntimeError(
            f"Given input size: ({channels}x{sizes[0]}x{sizes[1]}). Calculated output size: "
            f"({channels}x{counts[0]}x{counts[1]}). Output size is too small"
        )
    rows, columns = map(Windows.sliding, sizes, counts, options)
    return rows, columns


def _adaptive_windows(x: AnyArray, sizes: tuple[int, ...]) -> tuple[Windows, Windows]:
    for size in sizes:
        if size < 0:
            shape = [*x.shape[:-2], *sizes]
            raise RuntimeError(
                f"Trying to create array with negative dimension {size}: {shape}"
            )
    rows, columns = map(Windows.adaptive, x.shape[-2:], sizes)
    return rows, columns


def _check_bool(value: object, call: str, name: str, place: str = "") -> None:
    if not isinstance(value, (bool, np.bool_)):
        kind = type(value).__name__
        raise TypeError(f"{call}(): argument '{name}'{place} must be bool, not {kind}")


def _check_one_axis(call: str, x: AnyArray, options: Options) -> None:
    if x.ndim not in (2, 3):
        raise RuntimeError(
            f"Expected 2 to 3 dimensions, but got {x.ndim}-dimensional array for argument #1 "
            f"'self' (while checking arguments for {call})"
        )
    for name, sizes in options.items():
        if len(sizes) != 1 and not (name == "stride" and not sizes):
            raise RuntimeError(
                f"{call}() argument '{name}' should contain one int (got {len(sizes)})"
            )


def _check_sliding(height: Sliding, width: Sliding) -> None:
    if min(height.kernel, width.kernel) <= 0:
        raise RuntimeError(
            "kernel size should be greater than zero, but got "
            f"kH: {height.kernel} kW: {width.kernel}"
        )
    if min(height.stride, width.stride) <= 0:
        raise RuntimeError(
            "stride should be greater than zero, but got "
            f"dH: {height.stride} dW: {width.stride}"
        )
    if min(height.dilation, width.dilation) <= 0:
        raise RuntimeError(
            "dilation should be greater than zero, but got "
            f"dilationH: {height.dilation} dilationW: {width.dilation}"
        )


def _check_pooled(x: AnyArray) -> None:
    if x.ndim not in (3, 4) or 0 in x.shape[x.ndim - 3 :]:
        raise RuntimeError(
            "Expected 3D or 4D (batch mode) array with optional 0 dim batch size for input, "
            f"but got:{list(x.shape)}"
        )


def _check_not_empty(call: str, x: AnyArray, axes: Iterable[int]) -> None:
    for axis in axes:
        if x.shape[axis] == 0:
            raise RuntimeError(
                f"{call}(): Expected input to have non-zero size for non-batch dimensions, "
                f"but input has sizes {list(x.shape)} with dimension {axis} being empty"
            )


def _check_max_pool1d(x: Array, options: Options, ceil_mode: bool) -> Sliding:
    """Return the windows after all checks, which torch words in another way here."""
    if x.ndim not in (2, 3) or 0 in x.shape[x.ndim - 2 :]:
        raise RuntimeError(
            "max_pool1d: Expected 2D or 3D (batch mode) array with optional 0 dim batch size "
            f"for input, but got:{list(x.shape)}"
        )
    types = {
        "kernel_size": "an int, list of ints or tuple of ints",
        "stride": "None, an int, list of ints, or tuple of ints",
        "padding": "an int, list of ints, or tuple of ints",
        "dilation": "an int, list of ints or tuple of ints",
    }
    for name, sizes in options.items():
        if len(sizes) != 1 and not (name == "stride" and not sizes):
            raise RuntimeError(
                f"max_pool1d() {name} must be {types[name]} of size 1 but got size {len(sizes)}"
            )
    sliding = _below_a_height_of_one(options)[1]
    for name, number in zip(("kernel_size", "stride"), sliding):
        if number <= 0:
            raise RuntimeError(
                f"max_pool1d() {name} must be greater than zero, but got {number}"
            )
    if sliding.padding < 0:
        raise RuntimeError(
            f"max_pool1d() padding must be non-negative, but got {sliding.padding}"
        )
    if sliding.padding > sliding.kernel // 2:
        raise RuntimeError(
            "max_pool1d() padding should be at most half of kernel size, but got "
            f"padding={sliding.padding} and kernel_size={sliding.kernel}"
        )
    if sliding.dilation <= 0:
        raise RuntimeError(
            f"max_pool1d() dilation must be greater than zero, but got {sliding.dilation}"
        )
    count = sliding.count(x.shape[-1], ceil_mode)
    if count < 1:
        raise RuntimeError(f"max_pool1d() Invalid computed output size: {count}")
    return sliding

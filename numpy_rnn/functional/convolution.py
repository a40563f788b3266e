"""Cross-correlation along one or two axes, which torch calls convolution, and its transpose.

Both are matrix products of unrolled windows, in blocks of bounded memory. Along one axis is
along two, the first of size 1.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np

from numpy_rnn._typing import Array
from numpy_rnn.arguments import as_array, as_float_array, check_dtypes, type_error
from numpy_rnn.floating_point import silent

COLUMN_BYTES = 2**21
"""How much of the input is unrolled at a time: this bounds memory and fits in a cache."""

MOST_WASTE = 1.25
"""Up to how many columns are computed for each that is wanted, to unroll whole rows."""

Ints: TypeAlias = tuple[int, ...]

Sizes: TypeAlias = int | Sequence[int]

Padding: TypeAlias = Literal["same", "valid"] | Sizes


@silent
def conv1d(
    input: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Sizes = 1,
    padding: Padding = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Array:
    r"""Correlate channels with filters along the last axis.

    .. math:: y_{n,o,t} = b_o + \sum_{c,k} w_{o,c,k} \, x_{n,\,c,\,t s + k d}

    Parameters
    ----------
    input : ndarray of shape (N, C_in, L) or (C_in, L)
        float32 or float64.
    weight : ndarray of shape (C_out, C_in / groups, K)
        Of the input's dtype.
    bias : ndarray of shape (C_out,), optional
        Of the input's dtype.
    stride : int or sequence of one
        The step s from one window to the next.
    padding : int, sequence of one, 'same' or 'valid'
        Zeros on either side; as many as keep the length, or none.
    dilation : int or sequence of one
        The step d from one element of a filter to the next.
    groups : int
        Number of groups that the channels of input and output are divided into; each
        group of the output is computed from one group of the input.

    Returns
    -------
    ndarray of shape (N, C_out, T) or (C_out, T)
        T is ``(L + 2 * padding - dilation * (K - 1) - 1) // stride + 1``.

    Raises
    ------
    RuntimeError
        If dtypes, sizes or options do not agree.
    TypeError
        If an array is not float32 or float64, or an option is not an int.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv1d.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> x, difference = np.array([[1.0, 4.0, 9.0, 16.0]]), np.array([[[-1.0, 1.0]]])
    >>> nn.functional.conv1d(x, difference)
    array([[3., 5., 7.]])
    """
    x, w, b = _arrays("conv1d", 1, input, weight, bias)
    return _convolved(x, w, b, stride, padding, dilation, groups)


@silent
def conv2d(
    input: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Sizes = 1,
    padding: Padding = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Array:
    r"""Correlate channels with filters along the last two axes.

    .. math::
        y_{n,o,t,u} = b_o + \sum_{c,k,l} w_{o,c,k,l} \, x_{n,\,c,\,t s + k d,\,u s + l d}

    Parameters
    ----------
    input : ndarray of shape (N, C_in, H, W) or (C_in, H, W)
        float32 or float64.
    weight : ndarray of shape (C_out, C_in / groups, K_H, K_W)
        Of the input's dtype.
    bias : ndarray of shape (C_out,), optional
        Of the input's dtype.
    stride, dilation : int or sequence of two
        The steps s and d, for both axes or each, as in `conv1d`.
    padding : int, sequence of two, 'same' or 'valid'
        As in `conv1d`.
    groups : int
        As in `conv1d`.

    Returns
    -------
    ndarray of shape (N, C_out, H_out, W_out) or (C_out, H_out, W_out)
        The sizes follow from H and W as T from L in `conv1d`.

    Raises
    ------
    RuntimeError
        If dtypes, sizes or options do not agree.
    TypeError
        If an array is not float32 or float64, or an option is not an int.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv2d.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> x, mean = np.arange(9.0).reshape(1, 3, 3), np.full((1, 1, 2, 2), 0.25)
    >>> nn.functional.conv2d(x, mean)
    array([[[2., 3.],
            [5., 6.]]])
    """
    x, w, b = _arrays("conv2d", 2, input, weight, bias)
    return _convolved(x, w, b, stride, padding, dilation, groups)


@silent
def conv_transpose1d(
    input: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
) -> Array:
    r"""Add up filters along the last axis, each times an element: the transpose of `conv1d`.

    .. math:: y_{n,\,o,\,t s + k d} \mathrel{+}= w_{c,o,k} \, x_{n,c,t}

    Parameters
    ----------
    input : ndarray of shape (N, C_in, L) or (C_in, L)
        float32 or float64.
    weight : ndarray of shape (C_in, C_out / groups, K)
        Of the input's dtype.
    bias : ndarray of shape (C_out,), optional
        Of the input's dtype.
    stride : int or sequence of one
        The step s in the output from one element of the input to the next.
    padding : int or sequence of one
        How many elements are left out of the output on either side.
    output_padding : int or sequence of one
        How many more there are at its end.
    groups : int
        As in `conv1d`.
    dilation : int or sequence of one
        The step d from one element of a filter to the next.

    Returns
    -------
    ndarray of shape (N, C_out, T) or (C_out, T)
        T is ``(L - 1) * stride - 2 * padding + dilation * (K - 1) + output_padding + 1``.

    Raises
    ------
    RuntimeError
        If dtypes, sizes or options do not agree.
    TypeError
        If an array is not float32 or float64, or an option is not an int.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv_transpose1d.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> x, twice = np.array([[1.0, 4.0, 9.0]]), np.ones((1, 1, 2))
    >>> nn.functional.conv_transpose1d(x, twice, stride=2)
    array([[1., 1., 4., 4., 9., 9.]])
    """
    x, w, b = _arrays("conv_transpose1d", 1, input, weight, bias)
    return _transposed(x, w, b, stride, padding, output_padding, groups, dilation)


@silent
def conv_transpose2d(
    input: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
) -> Array:
    """Add up filters along the last two axes: the transpose of `conv2d`.

    Parameters
    ----------
    input : ndarray of shape (N, C_in, H, W) or (C_in, H, W)
        float32 or float64.
    weight : ndarray of shape (C_in, C_out / groups, K_H, K_W)
        Of the input's dtype.
    bias : ndarray of shape (C_out,), optional
        Of the input's dtype.
    stride, padding, output_padding, dilation : int or sequence of two
        As of `conv_transpose1d`, for both axes or each.
    groups : int
        As in `conv1d`.

    Returns
    -------
    ndarray of shape (N, C_out, H_out, W_out) or (C_out, H_out, W_out)
        The sizes follow from H and W as T from L in `conv_transpose1d`.

    Raises
    ------
    RuntimeError
        If dtypes, sizes or options do not agree.
    TypeError
        If an array is not float32 or float64, or an option is not an int.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv_transpose2d.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> x, twice = np.array([[[1.0, 4.0]]]), np.ones((1, 1, 2, 2))
    >>> nn.functional.conv_transpose2d(x, twice, stride=2)
    array([[[1., 1., 4., 4.],
            [1., 1., 4., 4.]]])
    """
    x, w, b = _arrays("conv_transpose2d", 2, input, weight, bias)
    return _transposed(x, w, b, stride, padding, output_padding, groups, dilation)


# Arguments


def _arrays(
    call: str, axes: int, input: Array, weight: Array, bias: Array | None
) -> tuple[Array, Array, Array | None]:
    """Return the arrays, of the right numbers of axes and of one dtype."""
    x, w = as_array(input, "input"), as_array(weight, "weight")
    b = None if bias is None else as_array(bias, "bias")
    if w.ndim != axes + 2:
        raise RuntimeError(f"weight must have {axes + 2} axes, got an array of shape {w.shape}")
    if x.ndim not in (axes + 1, axes + 2):
        raise RuntimeError(
            f"Expected {axes + 1}D (unbatched) or {axes + 2}D (batched) input to {call}, but "
            f"got input of size: {list(x.shape)}"
        )
    if x.dtype != w.dtype or (b is not None and b.dtype != w.dtype):  # the call takes time
        check_dtypes(x, weight=w, bias=b)
    return x, as_float_array(w, "weight"), b


def _per_axis(name: str, value: Any, axes: int) -> Ints:
    """Return an option that is an int, or a sequence of one for each axis or for all."""
    if type(value) is tuple and len(value) == axes and {*map(type, value)} == {int}:
        return value  # as a layer passes it
    values = tuple(value) if isinstance(value, Iterable) else (value,)
    if isinstance(value, str) or any(isinstance(item, str) for item in values):
        count = "one int" if axes == 1 else f"{axes} ints"
        raise type_error(name, f"int or tuple of {count}", value)
    if len(values) not in (1, axes):
        raise RuntimeError(
            f"expected {name} to be a single integer value or a list of {axes} values to match "
            f"the convolution dimensions, but got {name}={list(values)}"
        )
    sizes = tuple(map(operator.index, values))
    return sizes if len(sizes) == axes else sizes * axes


def _positive(name: str, value: Any, axes: int) -> Ints:
    sizes = _per_axis(name, value, axes)
    if min(sizes) <= 0:
        raise RuntimeError(f"non-positive {name} is not supported")
    return sizes


def _not_negative(name: str, value: Any, axes: int) -> Ints:
    sizes = _per_axis(name, value, axes)
    if min(sizes) < 0:
        raise RuntimeError(f"negative {name} is not supported")
    return sizes


def _padding_sizes(padding: str | Sizes, strides: Ints, excess: Ints) -> tuple[Ints, Ints]:
    """Return how many zeros to add at the beginning and at the end of each axis.

    A filter makes the result `excess` elements shorter than the input.
    """
    if padding == "valid":
        padding = 0
    if padding == "same":
        if max(strides) > 1:
            raise RuntimeError("padding='same' is not supported for strided convolutions")
        before = tuple(size // 2 for size in excess)
        return before, tuple(map(operator.sub, excess, before))
    if isinstance(padding, str):
        raise RuntimeError(f"Invalid padding string: '{padding}'")
    sizes = _not_negative("padding", padding, len(strides))
    return sizes, sizes


def _check_groups(weight: Array, groups: int) -> None:
    """Check that filters, the first axis of `weight`, can be divided into groups."""
    if groups <= 0:
        raise RuntimeError("non-positive groups is not supported")
    count, size = len(weight), list(weight.shape)
    if count < groups or count % groups:
        wanted = f"at least {groups}" if count < groups else f"divisible by {groups}"
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be {wanted} at dimension 0, but got "
            f"weight of size {size} instead"
        )
    if 0 in weight.shape[2:]:
        raise RuntimeError(
            f"kernel size should be greater than zero, but got weight of size {size}"
        )


def _check_channels(given: str, weight: Array, x: Array, channels: int) -> None:
    if x.shape[1] != channels:
        raise RuntimeError(
            f"Given {given}, weight of size {list(weight.shape)}, expected "
            f"input{list(x.shape)} to have {channels} channels, but got {x.shape[1]} channels "
            "instead"
        )


def _check_bias(given: str, weight: Array, bias: Array | None, filters: int) -> None:
    if bias is not None and bias.shape != (filters,):
        raise RuntimeError(
            f"Given {given}weight of size {list(weight.shape)}, expected bias to be "
            f"1-dimensional with {filters} elements, but got bias of size {list(bias.shape)} "
            "instead"
        )


def _check_elements(x: Array) -> None:
    if len(x) and 0 in x.shape[2:]:
        raise RuntimeError(
            "Only zero batch or zero channel inputs are supported, but got input shape: "
            f"{list(x.shape)}"
        )


def _planes(array: Array) -> Array:
    """Return an array of three or four axes with four: a row is a plane of one row."""
    return array if array.ndim == 4 else array[:, :, None]


def _pair(sizes: Ints, other: int) -> tuple[int, int]:
    """Return the sizes for both axes of a plane; `other` is that of the first for a row."""
    return (sizes[0], sizes[1]) if len(sizes) == 2 else (other, sizes[0])


# Convolution


def _convolved(
    x: Array,
    w: Array,
    b: Array | None,
    stride: Sizes,
    padding: Padding,
    dilation: Sizes,
    groups: int,
) -> Array:
    """Check what the arguments are to each other, and return the result for `x`."""
    axes = w.ndim - 2
    batched = x if x.ndim == w.ndim else x[None]
    strides, spreads = _per_axis("stride", stride, axes), _per_axis("dilation", dilation, axes)
    excess = tuple([d * (k - 1) for d, k in zip(spreads, w.shape[2:])])
    before, after = _padding_sizes(padding, strides, excess)
    if min(strides) <= 0 or min(spreads) <= 0:
        _positive("stride", strides, axes)
        _positive("dilation", spreads, axes)
    _check_groups(w, groups)
    _check_channels(f"groups={groups}", w, batched, w.shape[1] * groups)
    _check_bias("", w, b, len(w))
    sizes = tuple(map(sum, zip(batched.shape[2:], before, after)))
    if any(map(operator.le, sizes, excess)):
        reach = [size + 1 for size in excess]
        padded, kernel = (" x ".join(map(str, numbers)) for numbers in (sizes, reach))
        raise RuntimeError(
            f"Calculated padded input size per channel: ({padded}). Kernel size: ({kernel}). "
            "Kernel size can't be greater than actual input size"
        )
    _check_elements(batched)
    planes = _with_zeros(_planes(batched), _pair(before, 0), _pair(after, 0))
    out = _correlate(planes, _planes(w), b, _pair(strides, 1), _pair(spreads, 1), groups)
    out = out if axes == 2 else out[:, :, 0]
    return out if x.ndim == w.ndim else out[0]


def _with_zeros(x: Array, before: tuple[int, int], after: tuple[int, int]) -> Array:
    """Return planes, C-contiguous, with zeros around each."""
    if not (any(before) or any(after)):
        return np.ascontiguousarray(x)
    *lead, height, width = x.shape
    (top, left), (bottom, right) = before, after
    padded = np.zeros((*lead, top + height + bottom, left + width + right), x.dtype)
    padded[..., top : top + height, left : left + width] = x
    return padded


def _correlate(
    x: Array,
    weight: Array,
    bias: Array | None,
    stride: tuple[int, int],
    dilation: tuple[int, int],
    groups: int,
) -> Array:
    """Correlate planes, C-contiguous and padded already, with filters.

    The windows of a group of channels, unrolled, are multiplied by its filters as one matrix.
    Windows that begin at neighbours are rows of the input as they are, which is quicker to
    copy than one at a time; where a window begins at every element, all rows of the input are
    one long row, and the windows that reach from one row into the next are left out after.
    """
    batch, _, height, width = x.shape
    filters, depth, *kernel = weight.shape
    rows = (height - dilation[0] * (kernel[0] - 1) - 1) // stride[0] + 1
    columns = (width - dilation[1] * (kernel[1] - 1) - 1) // stride[1] + 1
    n, c, h, w = x.strides
    taps = (h * dilation[0], w * dilation[1])
    steps = (h * stride[0], w * stride[1])
    is_long_row = rows > 1 and stride == (1, 1) and width <= MOST_WASTE * columns
    shape = (1, (rows - 1) * width + columns) if is_long_row else (rows, columns)
    windows: Array = np.ndarray(
        (batch, groups, depth, *kernel, *shape),
        x.dtype,
        x,
        strides=(n, c * depth, c, *taps, *steps),
    )
    matrices = weight.reshape(groups, filters // groups, -1)
    if not is_long_row:
        out = np.empty((batch, groups, filters // groups, rows, columns), x.dtype)
        _multiply(matrices, windows, out)
        out = out.reshape(batch, filters, rows, columns)
        if bias is not None:
            out += bias[:, None, None]
        return out
    long = np.empty((batch, groups, filters // groups, 1, rows * width), x.dtype)
    _multiply(matrices, windows, long[..., : shape[1]])
    wanted = long.reshape(batch, filters, rows, width)[..., :columns]
    return wanted.copy() if bias is None else wanted + bias[:, None, None]


def _multiply(matrices: Array, windows: Array, out: Array) -> None:
    """Write the products of windows, unrolled, with a matrix for each group into `out`."""
    _, groups, *unrolled, _, _ = windows.shape
    if 0 in windows.shape:
        out[...] = 0
        return
    size = math.prod(unrolled)
    count, height, width = len(out), out.shape[-2], out.shape[-1]
    place_bytes = groups * size * windows.itemsize
    for samples, rows, columns in _blocks(count, height, width, place_bytes):
        part, result = windows[samples, ..., rows, columns], out[samples, ..., rows, columns]
        operands = matrices, part.reshape(len(part), groups, size, -1)
        if result.flags.c_contiguous:
            np.matmul(*operands, result.reshape(*result.shape[:3], -1))
        else:
            result[...] = np.matmul(*operands).reshape(result.shape)


def _blocks(
    samples: int, rows: int, columns: int, place_bytes: int
) -> Iterator[tuple[slice, slice, slice]]:
    """Yield parts of all places of all samples that take at most `COLUMN_BYTES`, or one place.

    `place_bytes` is what is unrolled for one place.
    """
    places = max(1, COLUMN_BYTES // max(place_bytes, 1))
    sample_count = max(1, places // max(rows * columns, 1))
    row_count = max(1, min(rows, places // max(columns, 1)))
    column_count = max(1, min(columns, places))
    for sample in range(0, samples, sample_count):
        for row in range(0, rows, row_count):
            for column in range(0, columns, column_count):
                yield (
                    slice(sample, sample + sample_count),
                    slice(row, row + row_count),
                    slice(column, column + column_count),
                )


# Transposed convolution


def _transposed(
    x: Array,
    w: Array,
    b: Array | None,
    stride: Sizes,
    padding: Sizes,
    output_padding: Sizes,
    groups: int,
    dilation: Sizes,
) -> Array:
    """Check what the arguments are to each other, and return the result for `x`."""
    axes = w.ndim - 2
    batched = x if x.ndim == w.ndim else x[None]
    strides, spreads = _positive("stride", stride, axes), _positive("dilation", dilation, axes)
    padded = _not_negative("padding", padding, axes)
    more = _not_negative("output_padding", output_padding, axes)
    _check_groups(w, groups)
    _check_channels("transposed=1", w, batched, len(w))
    filters = w.shape[1] * groups
    _check_bias("transposed=1, ", w, b, filters)
    _check_elements(batched)
    if any(m >= max(s, d) for m, s, d in zip(more, strides, spreads)):
        raise RuntimeError(
            "output padding must be smaller than either stride or dilation, but got "
            f"output_padding={list(more)}, stride={list(strides)}, dilation={list(spreads)}"
        )
    whole = [
        (size - 1) * s + d * (k - 1) + 1 + m
        for size, k, s, d, m in zip(batched.shape[2:], w.shape[2:], strides, spreads, more)
    ]
    sizes = [size - 2 * p for size, p in zip(whole, padded)]
    if min(sizes) < 1 and len(batched):
        given, wanted = (" x ".join(map(str, n)) for n in (batched.shape[2:], sizes))
        raise RuntimeError(
            f"Given input size per channel: ({given}). Calculated output size per channel: "
            f"({wanted}). Output size is too small"
        )
    planes = np.zeros((len(batched), filters, *_pair(tuple(whole), 1)), x.dtype)
    _scatter(_planes(batched), _planes(w), planes, _pair(strides, 1), _pair(spreads, 1), groups)
    top, left = _pair(padded, 0)
    height, width = _pair(tuple(sizes), 1)
    wanted_part = planes[..., top : top + height, left : left + width]
    out = wanted_part.copy() if b is None else wanted_part + b[:, None, None]
    out = out if axes == 2 else out[:, :, 0]
    return out if x.ndim == w.ndim else out[0]


def _scatter(
    x: Array,
    weight: Array,
    out: Array,
    stride: tuple[int, int],
    dilation: tuple[int, int],
    groups: int,
) -> None:
    """Add filters times elements of planes to `out`, at the places of the elements.

    All elements of a block are multiplied by all filters at once; then what belongs to one
    tap is added up in one go.
    """
    batch, channels, height, width = x.shape
    depth, filters, *kernel = channels // groups, *weight.shape[1:]
    if 0 in x.shape or not filters:
        return
    taps = math.prod(kernel)
    matrices = weight.reshape(groups, depth, filters * taps).swapaxes(1, 2)
    grouped = x.reshape(batch, groups, depth, height, width)
    target = out.reshape(batch, groups, filters, *out.shape[2:])
    place_bytes = groups * (depth + filters * taps) * x.itemsize
    for samples, rows, columns in _blocks(batch, height, width, place_bytes):
        part = grouped[samples, ..., rows, columns]
        count, _, _, part_height, part_width = part.shape
        products = np.matmul(matrices, part.reshape(count, groups, depth, -1))
        products = products.reshape(
            count, groups, filters, kernel[0], kernel[1], part_height, part_width
        )
        for i in range(kernel[0]):
            for j in range(kernel[1]):
                top = i * dilation[0] + rows.start * stride[0]
                left = j * dilation[1] + columns.start * stride[1]
                bottom = top + (part_height - 1) * stride[0] + 1
                right = left + (part_width - 1) * stride[1] + 1
                place = target[samples, ..., top : bottom : stride[0], left : right : stride[1]]
                place += products[:, :, :, i, j]

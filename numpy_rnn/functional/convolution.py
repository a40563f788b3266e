"""Cross-correlation along one axis, which torch calls convolution."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np

from numpy_rnn._typing import Array
from numpy_rnn.arguments import as_array, as_float_array, check_dtypes, type_error
from numpy_rnn.floating_point import silent

COLUMN_BYTES = 2**20
"""How much of the input is unrolled at a time: this bounds memory and fits in a cache."""


@silent
def conv1d(
    input: Array,
    weight: Array,
    bias: Array | None = None,
    stride: int | Sequence[int] = 1,
    padding: Literal["same", "valid"] | int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
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
    x, w = as_array(input, "input"), as_array(weight, "weight")
    b = None if bias is None else as_array(bias, "bias")
    if w.ndim != 3:
        raise RuntimeError(f"weight must have 3 axes, got an array of shape {w.shape}")
    if x.ndim not in (2, 3):
        raise RuntimeError(
            "Expected 2D (unbatched) or 3D (batched) input to conv1d, but got input of size: "
            f"{list(x.shape)}"
        )
    check_dtypes(x, weight=w, bias=b)
    as_float_array(w, "weight")
    step, spread = _one("stride", stride), _one("dilation", dilation)
    reach = spread * (w.shape[2] - 1) + 1
    left, right = _padding_sizes(padding, step, reach - 1)
    for name, value in (("stride", step), ("dilation", spread), ("groups", groups)):
        if value <= 0:
            raise RuntimeError(f"non-positive {name} is not supported")
    batched = x if x.ndim == 3 else x[None]
    _check_sizes(batched, w, b, groups)
    length = batched.shape[2]
    if length + left + right < reach:
        raise RuntimeError(
            f"Calculated padded input size per channel: ({length + left + right}). Kernel "
            f"size: ({reach}). Kernel size can't be greater than actual input size"
        )
    if length == 0 and len(batched):
        raise RuntimeError(
            "Only zero batch or zero channel inputs are supported, but got input shape: "
            f"{list(batched.shape)}"
        )
    if left or right:
        padded = np.zeros((*batched.shape[:2], left + length + right), x.dtype)
        padded[..., left : left + length] = batched
    else:
        padded = np.ascontiguousarray(batched)
    out = _correlate(padded, w, step, spread, groups)
    if b is not None:
        out += b[:, None]
    return out if x.ndim == 3 else out[0]


def _correlate(x: Array, weight: Array, stride: int, dilation: int, groups: int) -> Array:
    """Correlate each group of channels with its filters, as one matrix product.

    `x` is C-contiguous, of shape (N, C_in, L), and padded already.
    """
    batch, channels, length = x.shape
    filters, depth, size = weight.shape
    steps = (length - dilation * (size - 1) - 1) // stride + 1
    out = np.empty((batch, groups, filters // groups, steps), x.dtype)
    if out.size == 0:
        return out.reshape(batch, filters, steps)
    n, c, t = x.strides
    shape = (batch, groups, depth, size, steps)
    strides = (n, c * depth, c, t * dilation, t * stride)
    windows: Array = np.ndarray(shape, x.dtype, x, strides=strides)
    rows = weight.reshape(groups, filters // groups, depth * size)
    if windows.nbytes <= COLUMN_BYTES:
        np.matmul(rows, windows.reshape(batch, groups, depth * size, steps), out)
    else:
        block = max(1, COLUMN_BYTES // (channels * size * x.itemsize))
        for sequence, result in zip(windows, out):
            for first in range(0, steps, block):
                part = sequence[..., first : first + block]
                columns = part.reshape(groups, depth * size, part.shape[-1])
                result[..., first : first + block] = rows @ columns
    return out.reshape(batch, filters, steps)


def _one(name: str, value: Any) -> int:
    """Return an option that is an int or a sequence of one."""
    values = tuple(value) if isinstance(value, Iterable) else (value,)
    if isinstance(value, str) or any(isinstance(item, str) for item in values):
        raise type_error(name, "int or tuple of one int", value)
    if len(values) != 1:
        raise RuntimeError(
            f"expected {name} to be a single integer value or a list of 1 values to match the "
            f"convolution dimensions, but got {name}={list(values)}"
        )
    return operator.index(values[0])


def _padding_sizes(
    padding: str | int | Sequence[int], stride: int, excess: int
) -> tuple[int, int]:
    """Return how many zeros to add on either side.

    A filter makes the result `excess` elements shorter than the input.
    """
    if padding == "valid":
        return 0, 0
    if padding == "same":
        if stride != 1:
            raise RuntimeError("padding='same' is not supported for strided convolutions")
        return excess // 2, excess - excess // 2
    if isinstance(padding, str):
        raise RuntimeError(f"Invalid padding string: '{padding}'")
    size = _one("padding", padding)
    if size < 0:
        raise RuntimeError("negative padding is not supported")
    return size, size


def _check_sizes(x: Array, weight: Array, bias: Array | None, groups: int) -> None:
    filters, depth, taps = weight.shape
    size = list(weight.shape)
    if filters < groups or filters % groups:
        wanted = f"at least {groups}" if filters < groups else f"divisible by {groups}"
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be {wanted} at dimension 0, but got "
            f"weight of size {size} instead"
        )
    if x.shape[1] != depth * groups:
        raise RuntimeError(
            f"Given groups={groups}, weight of size {size}, expected input{list(x.shape)} to "
            f"have {depth * groups} channels, but got {x.shape[1]} channels instead"
        )
    if taps == 0:
        raise RuntimeError(f"the last axis of weight must not be empty, got size {size}")
    if bias is not None and bias.shape != (filters,):
        raise RuntimeError(
            f"Given weight of size {size}, expected bias to be 1-dimensional with {filters} "
            f"elements, but got bias of size {list(bias.shape)} instead"
        )

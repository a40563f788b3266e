"""Cross-correlation along one axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from numpy_rnn.floating_point import silent

if TYPE_CHECKING:
    from numpy_rnn._typing import Array

COLUMN_BYTES = 2**20
"""How much of the input is unrolled at a time, which bounds memory and stays in a cache."""


@silent
def conv1d(
    x: Array, weight: Array, bias: Array | None, stride: int, dilation: int, groups: int
) -> Array:
    r"""Correlate each group of channels with its filters, as one product of matrices.

    .. math:: y_{n,o,t} = b_o + \sum_{c,k} w_{o,c,k} \, x_{n,\,c,\,t s + k d}

    with stride s and dilation d, and c over the channels of the group that o is in.

    Parameters
    ----------
    x : ndarray of shape (N, C_in, L)
        C-contiguous and padded already; L is at least ``dilation * (K - 1) + 1``.
    weight : ndarray of shape (C_out, C_in / groups, K)
        The filters.
    bias : ndarray of shape (C_out,), or None
        Added to each channel.
    stride, dilation, groups : int
        At least 1.

    Returns
    -------
    ndarray of shape (N, C_out, T)
        T is ``(L - dilation * (K - 1) - 1) // stride + 1``.
    """
    batch, channels, length = x.shape
    filters, depth, taps = weight.shape
    steps = (length - dilation * (taps - 1) - 1) // stride + 1
    out = np.empty((batch, groups, filters // groups, steps), x.dtype)
    if out.size == 0:
        return out.reshape(batch, filters, steps)
    along_batch, along_channel, along_time = x.strides
    windows: Array = np.ndarray(
        (batch, groups, depth, taps, steps),
        x.dtype,
        x,
        strides=(
            along_batch,
            along_channel * depth,
            along_channel,
            along_time * dilation,
            along_time * stride,
        ),
    )
    rows = weight.reshape(groups, filters // groups, depth * taps)
    if windows.nbytes <= COLUMN_BYTES:
        columns = windows.reshape(batch, groups, depth * taps, steps)
        np.matmul(rows, columns, out)
    else:
        block = max(1, COLUMN_BYTES // (channels * taps * x.itemsize))
        for sequence, result in zip(windows, out):
            for first in range(0, steps, block):
                part = sequence[..., first : first + block]
                columns = part.reshape(groups, depth * taps, part.shape[-1])
                result[..., first : first + block] = rows @ columns
    out = out.reshape(batch, filters, steps)
    if bias is not None:
        out += bias[:, None]
    return out

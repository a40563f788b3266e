"""Windows as columns, which torch's documentation lists under convolution functions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from numpy_rnn._typing import AnyArray
from numpy_rnn.arguments import as_array, as_float_array
from numpy_rnn.functional.windows import Sliding, Windows, along, parse_ints


def unfold(
    input: AnyArray,
    kernel_size: int | Sequence[int],
    dilation: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    stride: int | Sequence[int] = 1,
) -> AnyArray:
    """Return the windows along the last two axes, each as a column.

    Parameters
    ----------
    input : ndarray of shape (N, C, H, W) or (C, H, W)
        float32, float64, complex or bool.
    kernel_size : int or sequence of two
        K_h and K_w, the rows and columns of a window.
    dilation : int or sequence of two
        The steps from one element of a window to the next.
    padding : int or sequence of two
        Zeros on either side of both axes.
    stride : int or sequence of two
        The steps from one window to the next.

    Returns
    -------
    ndarray of shape (N, C * K_h * K_w, T) or (C * K_h * K_w, T)
        T is the number of windows, row by row.

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
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.unfold.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.functional.unfold(np.arange(6.0).reshape(1, 2, 3), 2)
    array([[0., 1.],
           [1., 2.],
           [3., 4.],
           [4., 5.]])
    """
    sizes = {"kernel_size": kernel_size, "dilation": dilation}
    sizes |= {"padding": padding, "stride": stride}
    options = {
        name: parse_ints(value, "im2col", name, position)
        * (1 if isinstance(value, (list, tuple)) else 2)
        for position, (name, value) in enumerate(sizes.items(), 2)
    }
    x = as_array(input, "input")
    if x.dtype.kind not in "bc":
        x = as_float_array(x, "input")
    rows, columns = _windows(x, options)
    k_h, k_w = options["kernel_size"]
    shape = (*x.shape[:-2], k_h, k_w, len(rows.starts), len(columns.starts))
    out = np.zeros(shape, x.dtype)
    for i, (to_rows, from_rows) in enumerate(rows.taps()):
        for j, (to_columns, from_columns) in enumerate(columns.taps()):
            taps = x[along(-2, from_rows)][along(-1, from_columns)]
            out[..., i, j, :, :][along(-2, to_rows)][along(-1, to_columns)] = taps
    *lead, channels, _, _, height, width = shape
    return out.reshape(*lead, channels * k_h * k_w, height * width)


def _windows(x: AnyArray, options: dict[str, tuple[int, ...]]) -> tuple[Windows, Windows]:
    """Return the windows along either axis after all checks."""
    for name, sizes in options.items():
        if len(sizes) != 2:
            raise RuntimeError(f"It is expected {name} equals to 2, but got size {len(sizes)}")
    for name, (least, wanted, shown) in LIMITS.items():
        height, width = options[name]
        if min(height, width) < least:
            raise RuntimeError(
                f"{wanted}, but got {shown}_height: {height} {shown}_width: {width}"
            )
    if x.ndim < 3 and 0 not in x.shape[1:]:
        axes = max(x.ndim, 1)
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-axes}, {axes - 1}], but "
            f"got {axes})"
        )
    if not 3 <= x.ndim <= 4 or 0 in x.shape[-3:]:
        raise RuntimeError(
            "Expected 3D or 4D (batch mode) array with possibly 0 batch size and other "
            f"non-zero dimensions for input, but got: {list(x.shape)}"
        )
    sizes = x.shape[-2:]
    kernel, dilation, padding, stride = options.values()
    both = [Sliding(*each) for each in zip(kernel, stride, padding, dilation)]
    counts = tuple(each.count(size) for each, size in zip(both, sizes))
    if min(counts) < 1:
        raise RuntimeError(
            f"Given input with spatial size {sizes}, kernel_size={kernel}, "
            f"dilation={dilation}, padding={padding}, calculated shape of the array of "
            f"sliding blocks as {counts}, but its components must be at least one."
        )
    rows, columns = map(Windows.sliding, sizes, counts, both)
    return rows, columns


LIMITS = {
    "kernel_size": (1, "kernel size should be greater than zero", "kernel"),
    "dilation": (1, "dilation should be greater than zero", "dilation"),
    "padding": (0, "padding should be non-negative", "pad"),
    "stride": (1, "stride should be greater than zero", "stride"),
}
"""The least value of each option, and how torch says so."""

"""Padding at the ends of axes, which torch's documentation lists under vision functions."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Literal

import numpy as np

from numpy_rnn._typing import AnyArray
from numpy_rnn.arguments import as_array, fill_value


def pad(
    input: AnyArray,
    pad: Sequence[int],
    mode: Literal["constant", "reflect", "replicate", "circular"] = "constant",
    value: float | None = None,
) -> AnyArray:
    """Return `input` with elements added at the ends of its axes, or removed.

    Parameters
    ----------
    input : ndarray
        Of any shape for mode 'constant'; for the others with one or two axes more than are
        padded.
    pad : sequence of int
        (left, right) for the last axis, then for the second last, and so on. Negative
        numbers remove elements. Modes other than 'constant' pad up to three axes.
    mode : {'constant', 'reflect', 'replicate', 'circular'}
        What to add: a constant; the elements next to the edge, in reverse; the edge;
        or the elements at the other end.
    value : float, optional
        The constant, 0 if omitted.

    Returns
    -------
    ndarray
        Of the same dtype.

    Raises
    ------
    NotImplementedError
        For another mode, or axes that the mode does not pad.
    RuntimeError
        If `pad` does not fit the input's axes or sizes.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.pad.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.functional.pad(np.array([[1, 2, 3]]), (2, 1), mode="reflect")
    array([[3, 2, 1, 2, 3, 2]])
    """
    x = as_array(input, "input")
    if mode != "constant" and mode not in MODES:
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    if len(pad) % 2:
        raise RuntimeError("Padding length must be divisible by 2")
    if len(pad) > 2 * x.ndim:
        raise RuntimeError(
            "Padding length should be less than or equal to two times the input dimension but "
            f"got padding length {len(pad)} and input of dimension {x.ndim}"
        )
    if mode == "constant":
        return _pad_constant(x, pad, 0 if value is None else value)
    if value is not None and value != 0:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    if not pad or x.ndim - len(pad) // 2 not in (1, 2) or len(pad) > 6:
        raise NotImplementedError(
            f"Padding size {len(pad)} is not supported for {x.ndim}D input array.\n{SUPPORTED}"
        )
    sizes = list(map(operator.index, pad))
    ends = list(zip(sizes[::2], sizes[1::2]))
    _check_sizes(x, ends, mode)
    for axis, (before, after) in enumerate(ends, 1):
        x = _padded(x.swapaxes(-axis, -1), before, after, mode).swapaxes(-axis, -1)
    return np.ascontiguousarray(x)


SUPPORTED = """Supported combinations for non-constant padding:
  - 2D or 3D input: padding size = 2 (pads last dimension)
  - 3D or 4D input: padding size = 4 (pads last 2 dimensions)
  - 4D or 5D input: padding size = 6 (pads last 3 dimensions)"""


def _pad_constant(x: AnyArray, pad: Sequence[int], value: float) -> AnyArray:
    ends = [*map(operator.index, pad), *[0] * (2 * x.ndim - len(pad))]  # last axis first
    sizes = list(zip(x.shape, ends[::2][::-1], ends[1::2][::-1]))
    if any(size + min(b, 0) + min(a, 0) < 0 for size, b, a in sizes):
        raise RuntimeError(
            f"pad must not remove more elements than input has, got {list(pad)} for input of "
            f"shape {x.shape}"
        )
    out = np.empty([size + b + a for size, b, a in sizes], x.dtype)
    if any(size > 0 for size in pad):
        out.fill(fill_value("value", value, x.dtype))
    inner = [slice(max(b, 0), size + b + min(a, 0)) for size, b, a in sizes]
    kept = [slice(max(-b, 0), size - max(-a, 0)) for size, b, a in sizes]
    out[tuple(inner)] = x[tuple(kept)]
    return out


def _reflect(x: AnyArray, left: int, right: int) -> AnyArray:
    """Return ``... x_2 x_1 [x_0 x_1 ... x_m x_n] x_m ...``: the edges are not repeated."""
    end = x[..., x.shape[-1] - 1 - right : x.shape[-1] - 1]
    return np.concatenate([x[..., left:0:-1], x, end[..., ::-1]], axis=-1)


def _replicate(x: AnyArray, left: int, right: int) -> AnyArray:
    """Return ``... x_0 x_0 [x_0 ... x_n] x_n ...``."""
    first, last = x[..., :1], x[..., -1:]
    return np.concatenate([first.repeat(left, -1), x, last.repeat(right, -1)], axis=-1)


def _circular(x: AnyArray, left: int, right: int) -> AnyArray:
    """Return ``... x_m x_n [x_0 x_1 ... x_n] x_0 x_1 ...``."""
    return np.concatenate([x[..., x.shape[-1] - left :], x, x[..., :right]], axis=-1)


MODES: dict[str, Callable[[AnyArray, int, int], AnyArray]] = {
    "reflect": _reflect,
    "replicate": _replicate,
    "circular": _circular,
}
"""The modes that add elements of the array itself."""


def _padded(x: AnyArray, left: int, right: int, mode: str) -> AnyArray:
    """Pad the last axis."""
    if mode == "circular":  # repeats what is left, the other modes what was there before
        return _circular(_cropped(x, left, right), max(left, 0), max(right, 0))
    return _cropped(MODES[mode](x, max(left, 0), max(right, 0)), left, right)


def _cropped(x: AnyArray, left: int, right: int) -> AnyArray:
    """Return `x` without the elements of its last axis that negative sizes remove."""
    return x[..., max(-left, 0) : x.shape[-1] - max(-right, 0)]


def _check_sizes(x: AnyArray, ends: list[tuple[int, int]], mode: str) -> None:
    """Check the padding of the last axis first, as `ends` has it."""
    count = len(ends)
    sizes = x.shape[: -count - 1 : -1]
    if mode != "circular" and 0 in x.shape[-count - 1 :]:
        raise RuntimeError(
            f"Expected {count + 1}D or {count + 2}D (batch mode) array with possibly 0 batch "
            f"size and other non-zero dimensions for input, but got: {list(x.shape)}"
        )
    for number, (size, (left, right)) in enumerate(zip(sizes, ends)):
        if mode == "circular" and max(left, right) > size + min(left, 0) + min(right, 0):
            raise RuntimeError("Padding value causes wrapping around more than once.")
        if mode == "reflect" and max(left, right) >= size:
            raise RuntimeError(
                f"Argument #{4 + 2 * number}: Padding size should be less than the "
                f"corresponding input dimension, but got: padding ({left}, {right}) at "
                f"dimension {x.ndim - 1 - number} of input {list(x.shape)}"
            )
    left_over = [size + left + right for size, (left, right) in zip(sizes, ends)]
    if min(left_over) < 0 or (mode != "circular" and max(left_over) < 1):
        raise RuntimeError(
            f"pad must leave an element of an axis, got {[*chain(*ends)]} for input of shape "
            f"{x.shape}"
        )

"""Padding of the last axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy_rnn._typing import AnyArray


def zeros(x: AnyArray, left: int, right: int) -> AnyArray:
    """Return `x` with zeros before and behind."""
    size = x.shape[-1]
    out = np.zeros((*x.shape[:-1], left + size + right), x.dtype)
    out[..., left : left + size] = x
    return out


def reflect(x: AnyArray, left: int, right: int) -> AnyArray:
    """Return ``... x_2 x_1 [x_0 x_1 ... x_m x_n] x_m ...``: the edges are not repeated."""
    size = x.shape[-1]
    return np.concatenate(
        [x[..., left:0:-1], x, x[..., size - 1 - right : size - 1][..., ::-1]], axis=-1
    )


def replicate(x: AnyArray, left: int, right: int) -> AnyArray:
    """Return ``... x_0 x_0 [x_0 ... x_n] x_n ...``."""
    return np.concatenate(
        [x[..., :1].repeat(left, -1), x, x[..., -1:].repeat(right, -1)], axis=-1
    )


def circular(x: AnyArray, left: int, right: int) -> AnyArray:
    """Return ``... x_m x_n [x_0 x_1 ... x_n] x_0 x_1 ...``."""
    size = x.shape[-1]
    return np.concatenate([x[..., size - left :], x, x[..., :right]], axis=-1)

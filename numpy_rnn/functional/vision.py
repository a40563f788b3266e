"""Images and signals resampled: at other sizes, or at points of a grid."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Literal, SupportsFloat

import numpy as np

from numpy_rnn._typing import AnyArray, Array, IntArray
from numpy_rnn.arguments import FLOAT32, as_array, as_float_array, check_dtypes
from numpy_rnn.floating_point import silent
from numpy_rnn.functional.pooling import adaptive_avg_pool1d, adaptive_avg_pool2d
from numpy_rnn.functional.windows import parse_ints

LINEAR = {3: "linear", 4: "bilinear"}
"""The modes that interpolate, by the axes of the input."""


@silent
def interpolate(
    input: AnyArray,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: Literal["nearest", "linear", "bilinear", "area"] = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> AnyArray:
    """Return a signal or an image at another size.

    Parameters
    ----------
    input : ndarray of shape (N, C, L) or (N, C, H, W)
        float32 or float64; for mode 'nearest' also uint8.
    size : int or sequence of int, optional
        The sizes of the axes after the second. Either this or `scale_factor` is needed.
    scale_factor : float or sequence of float, optional
        By what to multiply those sizes; the products are truncated.
    mode : {'nearest', 'linear', 'bilinear', 'area'}
        'nearest' takes one element, 'linear' (for L) and 'bilinear' (for H, W) interpolate
        between neighbours, 'area' is `adaptive_avg_pool1d` or `adaptive_avg_pool2d`.
    align_corners : bool, optional
        For the modes that interpolate: whether the first and the last elements keep their
        values, else elements are squares and their outer corners are kept.
    recompute_scale_factor : bool, optional
        Whether the truncated sizes determine the step from point to point, else
        `scale_factor` does.
    antialias : bool
        Only False: torch's filter against aliases is not here.

    Returns
    -------
    ndarray of shape (N, C, L_out) or (N, C, H_out, W_out)

    Raises
    ------
    NotImplementedError
        For another mode or other axes.
    RuntimeError
        If a size is not possible.
    TypeError
        If a dtype, a size or an option is of the wrong type.
    ValueError
        If options contradict each other, or do not fit the input's axes.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.interpolate.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.functional.interpolate(np.array([[[1.0, 2.0]]]), scale_factor=2, mode="linear")
    array([[[1.  , 1.25, 1.75, 2.  ]]])
    """
    if mode in ("nearest", "area", "nearest-exact") and align_corners is not None:
        raise ValueError(
            "align_corners option can only be set with the interpolating modes: linear | "
            "bilinear | bicubic | trilinear"
        )
    x = as_array(input, "input")
    sizes, scales = _sizes_and_scales(x, size, scale_factor)
    if recompute_scale_factor and size is not None:
        raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
    if antialias and not (mode in ("bilinear", "bicubic", "lanczos") and x.ndim == 4):
        raise ValueError(
            "Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and "
            "requires a 4-D array as input"
        )
    _check_mode(x, mode, antialias)
    whole = mode == "area" or bool(recompute_scale_factor)
    sizes = sizes or _scaled_sizes(x, scales, whole)
    if mode == "area":
        return (adaptive_avg_pool1d if x.ndim == 3 else adaptive_avg_pool2d)(x, sizes)
    steps: Scales = [None] * len(sizes) if whole or not scales else scales
    if mode == "nearest":
        x = x if x.dtype == np.uint8 else as_float_array(x, "input")
        _check_resampled(x, sizes)
        return _nearest(x, sizes, steps)
    corners = _parse_align_corners("interpolate", align_corners or False)
    x = as_float_array(x, "input")
    _check_resampled(x, sizes)
    return _linear(x, sizes, steps, corners)


Scales = list[float | None]
"""The scale factor of each axis if it is given and counts."""


def _sizes_and_scales(
    x: AnyArray, size: object, scale_factor: object
) -> tuple[tuple[int, ...], Scales]:
    """Return what is given for each axis after the second; the other is empty."""
    axes = max(x.ndim - 2, 0)
    shape = list(x.shape[2:])
    please = "Please provide input array in (N, C, d1, d2, ...,dK) format and"
    if size is not None and scale_factor is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    if size is None and scale_factor is None:
        raise ValueError("either size or scale_factor should be defined")
    if isinstance(size, (list, tuple)) and len(size) != axes:
        raise ValueError(
            "Input and output must have the same number of spatial dimensions, but got input "
            f"with spatial dimensions of {shape} and output size of {size}. {please} output "
            "size in (o1, o2, ...,oK) format."
        )
    if isinstance(scale_factor, (list, tuple)) and len(scale_factor) != axes:
        raise ValueError(
            "Input and scale_factor must have the same number of spatial dimensions, but got "
            f"input with spatial dimensions of {shape} and scale_factor of shape "
            f"{scale_factor}. {please} scale_factor in (s1, s2, ...,sK) format."
        )
    if size is not None:
        sizes = parse_ints(size, "interpolate", "size", 2)
        return sizes if isinstance(size, (list, tuple)) else sizes * axes, []
    factors = scale_factor if isinstance(scale_factor, (list, tuple)) else [scale_factor] * axes
    return (), [_parse_scale(factor) for factor in factors]


def _parse_scale(factor: object) -> float:
    if isinstance(factor, str) or not isinstance(factor, SupportsFloat):
        kind = type(factor).__name__
        raise TypeError(
            "interpolate(): argument 'scale_factor' must be float or tuple of floats, "
            f"not {kind}"
        )
    return float(factor)


def _parse_align_corners(call: str, value: object) -> bool:
    if not isinstance(value, (bool, np.bool_)):
        kind = type(value).__name__
        raise TypeError(f"{call}(): argument 'align_corners' must be bool, not {kind}")
    return bool(value)


def _scaled_sizes(x: AnyArray, scales: Scales, whole: bool) -> tuple[int, ...]:
    products = [size * (scale or 0.0) for size, scale in zip(x.shape[2:], scales)]
    if not whole and not np.isfinite(products).all():
        raise RuntimeError("value cannot be converted to type int64_t without overflow")
    return tuple(map(int, products))


def _check_mode(x: AnyArray, mode: str, antialias: bool) -> None:
    needed = {"linear": 3, "bilinear": 4, "bicubic": 4, "trilinear": 5, "lanczos": 4}
    if mode in ("linear", "bilinear", "trilinear") and x.ndim in {3, 4, 5} - {needed[mode]}:
        raise NotImplementedError(
            f"Got {x.ndim}D input, but {mode} mode needs {needed[mode]}D input"
        )
    if x.ndim not in LINEAR or mode not in ("nearest", "area", LINEAR[x.ndim]):
        raise NotImplementedError(
            f"Input Error: Only 3D and 4D input arrays supported (got {x.ndim}D) for the "
            f"modes: nearest | linear | bilinear | area (got {mode})"
        )
    if antialias:
        raise NotImplementedError("antialias must be False: the filter is not here")


def _check_resampled(x: AnyArray, sizes: tuple[int, ...]) -> None:
    before, after = x.shape[2:], sizes
    if min(*before, *after) <= 0:
        names = ["W"] if x.ndim == 3 else ["H", "W"]
        got, wanted = (
            ", ".join(f"{name}: {size}" for name, size in zip(names, each))
            for each in (before, after)
        )
        link = "and output" if x.ndim == 3 else "output"
        raise RuntimeError(
            "Input and output sizes should be greater than 0, but got input "
            f"({got}) {link} ({wanted})"
        )
    if x.shape[1] == 0:
        raise RuntimeError(
            f"Non-empty {x.ndim}D data array expected but got an array with sizes "
            f"{list(x.shape)}"
        )


def _nearest(x: AnyArray, sizes: tuple[int, ...], steps: Scales) -> AnyArray:
    if x.ndim == 4:  # for images torch ignores factors that keep a size or double it
        steps = [
            None if count in (size, 2 * size) else step
            for size, count, step in zip(x.shape[2:], sizes, steps)
        ]
    places = [_nearest_places(*each) for each in zip(x.shape[2:], sizes, steps)]
    for axis, each in enumerate(places, 2):
        x = x.take(each, axis)
    return x


def _nearest_places(size: int, count: int, scale: float | None) -> IntArray:
    """Return which elements are taken; torch rounds to float32 whatever the dtype."""
    points = np.arange(count).astype(np.float32) * _step(size, count, scale, FLOAT32)
    return np.minimum(points.astype(np.int64), size - 1)


def _step(size: int, count: int, scale: float | None, dtype: np.dtype[np.floating]) -> Array:
    """Return how far apart two points are in the input, as an array without axes."""
    if scale is not None and scale > 0:
        return np.asarray(1.0 / scale, dtype)
    return np.asarray(size, dtype) / np.asarray(count, dtype)


def _linear(x: Array, sizes: tuple[int, ...], steps: Scales, align_corners: bool) -> Array:
    """Interpolate along one axis after the other, the last first as in torch."""
    for axis in range(x.ndim - 1, 1, -1):
        size, count = x.shape[axis], sizes[axis - 2]
        if count == size:
            x = x + x * 0  # what is infinite becomes NaN, as in torch
            continue
        points = _linear_points(size, count, steps[axis - 2], align_corners, x.dtype)
        first = np.minimum(points.astype(np.int64), size - 1)
        share = np.clip(points - first.astype(x.dtype), 0, 1)
        share = share.reshape(-1, *[1] * (x.ndim - 1 - axis))
        second = np.minimum(first + 1, size - 1)
        x = x.take(first, axis) * (1 - share) + x.take(second, axis) * share
    return x


def _linear_points(
    size: int,
    count: int,
    scale: float | None,
    align_corners: bool,
    dtype: np.dtype[np.floating],
) -> Array:
    """Return where in the input the points are, in elements from the first."""
    number = np.arange(count).astype(dtype)
    if align_corners:
        return number * np.asarray((size - 1) / max(count - 1, 1), dtype)
    centres = number + np.asarray(0.5, dtype)
    return np.maximum(_times_less_half(centres, _step(size, count, scale, dtype)), 0)


def _times_less_half(points: Array, factor: Array) -> Array:
    """Return ``points * factor - 0.5``, rounded once as processors do: else torch is closer."""
    return (points.astype(np.float64) * factor - 0.5).astype(points.dtype)


def grid_sample(
    input: Array,
    grid: Array,
    mode: Literal["bilinear", "nearest", "bicubic"] = "bilinear",
    padding_mode: Literal["zeros", "border", "reflection"] = "zeros",
    align_corners: bool | None = None,
) -> Array:
    """Return images at the points of a grid.

    Parameters
    ----------
    input : ndarray of shape (N, C, H, W)
        float32 or float64.
    grid : ndarray of shape (N, H_out, W_out, 2)
        x and y of each point, from -1 at one end of the image to 1 at the other. Of the
        input's dtype.
    mode : {'bilinear', 'nearest'}
        How elements around a point make a value.
    padding_mode : {'zeros', 'border', 'reflection'}
        What is outside of the image: zeros, its edge, or the image mirrored.
    align_corners : bool, optional
        Whether -1 and 1 are the centres of the outermost elements, else their outer edges.
        Without it there is a warning, and the second.

    Returns
    -------
    ndarray of shape (N, C, H_out, W_out)

    Raises
    ------
    NotImplementedError
        For mode 'bicubic', and for volumes.
    RuntimeError
        If shapes or dtypes do not fit.
    TypeError
        If a dtype is another, or `align_corners` is not a bool.
    ValueError
        For an unknown mode.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.grid_sample.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> image, middle = np.array([[[[1.0, 2.0], [3.0, 4.0]]]]), np.zeros((1, 1, 1, 2))
    >>> nn.functional.grid_sample(image, middle, align_corners=True)
    array([[[[2.5]]]])
    """
    if mode not in ("bilinear", "nearest", "bicubic"):
        raise ValueError(
            "nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or "
            f"'bicubic', but got: '{mode}'"
        )
    if padding_mode not in ("zeros", "border", "reflection"):
        raise ValueError(
            "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or "
            f"'reflection', but got: '{padding_mode}'"
        )
    if align_corners is None:
        warnings.warn(
            "Default grid_sample and affine_grid behavior has changed to align_corners=False "
            "since 1.3.0. Please specify align_corners=True if the old behavior is desired. "
            "See the documentation of grid_sample for details.",
            stacklevel=2,
        )
    corners = _parse_align_corners("grid_sampler", align_corners or False)
    x, points = as_float_array(input, "input"), as_float_array(grid, "grid")
    check_dtypes(x, grid=points)
    _check_grid(x, points)
    if mode == "bicubic":
        raise NotImplementedError("mode 'bicubic' is not here: use 'bilinear' or 'nearest'")
    return _sampled(x, points, mode, padding_mode, corners)


def _check_grid(x: Array, grid: Array) -> None:
    both = f"input with sizes {list(x.shape)} and grid with sizes {list(grid.shape)}"
    if x.shape[:1] != grid.shape[:1]:
        raise RuntimeError(
            f"grid_sampler(): expected grid and input to have same batch size, but got {both}"
        )
    if grid.shape[-1:] != (x.ndim - 2,):
        raise RuntimeError(
            f"grid_sampler(): expected grid to have size {x.ndim - 2} in last dimension, but "
            f"got grid with sizes {list(grid.shape)}"
        )
    for axis in range(2, x.ndim):
        if x.shape[axis] == 0:
            raise RuntimeError(
                "grid_sampler(): expected input to have non-empty spatial dimensions, but "
                f"input has sizes {list(x.shape)} with dimension {axis} being empty"
            )
    if x.ndim == grid.ndim == 5:
        raise NotImplementedError("grid_sample takes images (4D) here, got 5D input")
    if x.ndim != 4 or grid.ndim != 4:
        raise RuntimeError(
            "grid_sampler(): expected 4D input and grid with same number of dimensions, but "
            f"got {both}"
        )


@silent
def _sampled(x: Array, grid: Array, mode: str, padding_mode: str, corners: bool) -> Array:
    height, width = x.shape[-2:]
    columns = _places(grid[..., 0], width, padding_mode, corners)
    rows = _places(grid[..., 1], height, padding_mode, corners)
    if mode == "nearest":
        return _elements(x, np.rint(rows), np.rint(columns))
    top, left = np.floor(rows), np.floor(columns)
    down, right = rows - top, columns - left
    up, one = 1 - down, np.ones((), x.dtype)
    out = _elements(x, top, left) * ((1 - right) * up)[:, None]
    out += _elements(x, top, left + one) * (right * up)[:, None]
    out += _elements(x, top + one, left) * ((1 - right) * down)[:, None]
    out += _elements(x, top + one, left + one) * (right * down)[:, None]
    return out


def _places(points: Array, size: int, padding_mode: str, align_corners: bool) -> Array:
    """Return points of one axis in elements from the first, those outside moved inside."""
    one, half = np.ones((), points.dtype), np.asarray(0.5, points.dtype)
    places: Array
    if align_corners:
        places = (points + one) * np.asarray((size - 1) / 2, points.dtype)
    else:
        places = _times_less_half(points + one, np.asarray(size / 2, points.dtype))
    if padding_mode == "zeros":
        return places
    if padding_mode == "reflection":
        span, low = (size - 1, 0 * half) if align_corners else (size, -half)
        places = _reflected(places - low, np.asarray(span, points.dtype)) + low
    return np.fmin(np.fmax(places, 0), np.asarray(size - 1, points.dtype))  # NaN becomes 0


def _reflected(places: Array, span: Array) -> Array:
    """Return places mirrored at 0 and at `span`, as often as needed."""
    if span == 0:
        return np.zeros_like(places)
    places, twice = abs(places), span + span
    rest = places - np.trunc(places / twice) * twice
    return np.minimum(rest, twice - rest)


def _elements(x: Array, rows: Array, columns: Array) -> Array:
    """Return elements of images by rows and columns, zeros where there are none."""
    count, channels, height, width = x.shape
    inside = (rows > -1) & (rows < height) & (columns > -1) & (columns < width)
    places = np.where(inside, rows, 0).astype(np.int64) * width
    places += np.where(inside, columns, 0).astype(np.int64)
    flat = x.reshape(count, channels, height * width)
    out = np.empty((count, channels, *rows.shape[1:]), x.dtype)
    for image, found, at in zip(flat, out, places):
        image.take(at, axis=1, out=found, mode="clip")
    return np.where(inside[:, None], out, np.zeros((), x.dtype))

"""What torch says in one word of tensors, and NumPy in several, or not at all.

``numpy-rnn port`` writes these functions where NumPy has no short spelling. Each takes and
returns arrays of any dtype. A result may share memory with its input where it does in torch:
`chunk`, `expand`, `flatten`, `narrow`, `split` and `unfold`.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from numpy_rnn._typing import AnyArray, Array, DTypeLike, IntArray
from numpy_rnn.random import default_generator

__all__ = [
    "ValuesAndIndices",
    "chunk",
    "expand",
    "flatten",
    "gather",
    "masked_fill",
    "max",
    "min",
    "multinomial",
    "narrow",
    "rand",
    "randn",
    "scatter",
    "sort",
    "split",
    "topk",
    "unfold",
]

Scalar = TypeVar("Scalar", bound=np.generic)


class ValuesAndIndices(NamedTuple):
    """What `max`, `min`, `sort` and `topk` return, after torch's named tuples."""

    values: AnyArray
    indices: IntArray


def split(
    x: npt.NDArray[Scalar], split_size: int | Sequence[int], dim: int = 0
) -> tuple[npt.NDArray[Scalar], ...]:
    """Return the parts of an array along an axis, after ``torch.split``.

    Parameters
    ----------
    x : array
    split_size : int or sequence of int
        The length of each part, the last of which may be shorter; or the lengths of all.
    dim : int
        The axis.

    Returns
    -------
    tuple of array
        Views of `x`.

    Raises
    ------
    ValueError
        If the lengths are negative or do not sum to the length of the axis.

    Examples
    --------
    >>> import numpy as np
    >>> from numpy_rnn import arrays
    >>> arrays.split(np.arange(5), 2)
    (array([0, 1]), array([2, 3]), array([4]))
    """
    axis = _axis(x, dim)
    length = x.shape[axis]
    if isinstance(split_size, Sequence):
        sizes = [operator.index(size) for size in split_size]
        if sum(sizes) != length or any(size < 0 for size in sizes):
            raise ValueError(
                f"split_size must be lengths whose sum is {length}, the length of axis {dim}, "
                f"got {sizes}"
            )
        ends = np.cumsum(sizes)[:-1]
        return tuple(np.split(x, ends, axis=axis)) if sizes else ()
    size = operator.index(split_size)
    if size < 0 or (size == 0 and length > 0):
        raise ValueError(f"split_size must be positive, got {size}")
    # As in torch, no element makes one empty part.
    return tuple(np.split(x, range(size, length, size) if length else [], axis=axis))


def chunk(x: npt.NDArray[Scalar], chunks: int, dim: int = 0) -> tuple[npt.NDArray[Scalar], ...]:
    """Return at most `chunks` parts of an array along an axis, after ``torch.chunk``.

    All have the same length but the last, which may be shorter; where that makes fewer parts,
    there are fewer.

    Parameters
    ----------
    x : array
    chunks : int
        At least 1.
    dim : int
        The axis.

    Returns
    -------
    tuple of array
        Views of `x`.

    Raises
    ------
    ValueError
        If `chunks` is below 1.

    Examples
    --------
    >>> import numpy as np
    >>> from numpy_rnn import arrays
    >>> arrays.chunk(np.arange(5), 2)
    (array([0, 1, 2]), array([3, 4]))
    """
    if chunks < 1:
        raise ValueError(f"chunks must be at least 1, got {chunks}")
    length = x.shape[_axis(x, dim)]
    if length == 0:
        return split(x, [0] * chunks, dim)
    return split(x, math.ceil(length / chunks), dim)


def expand(x: npt.NDArray[Scalar], *sizes: int | Sequence[int]) -> npt.NDArray[Scalar]:
    """Return a read-only view of an array repeated along axes of length 1.

    After ``torch.Tensor.expand``, where -1 keeps the length of an axis.

    Parameters
    ----------
    x : array
    *sizes : int or sequence of int
        The shape of the result, whose last axes are those of `x`.

    Raises
    ------
    ValueError
        If `x` cannot be repeated to that shape.

    Examples
    --------
    >>> import numpy as np
    >>> from numpy_rnn import arrays
    >>> arrays.expand(np.zeros((1, 4)), 3, -1).shape
    (3, 4)
    """
    wanted = _sizes(sizes)
    own = (*[-1] * (len(wanted) - x.ndim), *x.shape)
    if len(own) > len(wanted):
        raise ValueError(f"sizes must be at least {x.ndim}, one for each axis, got {wanted}")
    shape = tuple(length if size == -1 else size for size, length in zip(wanted, own))
    return np.broadcast_to(x, shape)


def flatten(
    x: npt.NDArray[Scalar], start_dim: int = 0, end_dim: int = -1
) -> npt.NDArray[Scalar]:
    """Return an array with the axes from `start_dim` to `end_dim` made one.

    After ``torch.flatten``; ``x.reshape(len(x), -1)`` is an error where `x` is empty.

    Parameters
    ----------
    x : array
    start_dim, end_dim : int
        The first and the last of the axes.

    Raises
    ------
    ValueError
        If `start_dim` is after `end_dim`.

    Examples
    --------
    >>> import numpy as np
    >>> from numpy_rnn import arrays
    >>> arrays.flatten(np.zeros((2, 3, 4)), 1).shape
    (2, 12)
    """
    if x.ndim == 0:
        return x.reshape(1)
    start, end = _axis(x, start_dim), _axis(x, end_dim)
    if start > end:
        raise ValueError(f"start_dim {start_dim} must not be after end_dim {end_dim}")
    return x.reshape(*x.shape[:start], math.prod(x.shape[start : end + 1]), *x.shape[end + 1 :])


def narrow(x: npt.NDArray[Scalar], dim: int, start: int, length: int) -> npt.NDArray[Scalar]:
    """Return a view of `length` elements of an axis from `start`, after ``torch.narrow``.

    Parameters
    ----------
    x : array
    dim : int
        The axis.
    start : int
        From the end if negative.
    length : int

    Raises
    ------
    ValueError
        If the elements are not all there.
    """
    axis = _axis(x, dim)
    first = start + x.shape[axis] if start < 0 else start
    if not 0 <= first <= first + length <= x.shape[axis]:
        raise ValueError(
            f"start {start} and length {length} must be within axis {dim} of length "
            f"{x.shape[axis]}"
        )
    return x[(slice(None),) * axis + (slice(first, first + length),)]


def gather(x: npt.NDArray[Scalar], dim: int, index: IntArray) -> npt.NDArray[Scalar]:
    """Return the elements of an array that an array of indices chooses along an axis.

    After ``torch.gather``: ``result[i, j, k] = x[i, index[i, j, k], k]`` for `dim` 1.

    Parameters
    ----------
    x : array
    dim : int
        The axis.
    index : array of int
        With as many axes as `x`; of its length or shorter along all others than `dim`.

    Returns
    -------
    array
        In the shape of `index`.

    Raises
    ------
    IndexError
        If an index is out of range; unlike NumPy's, a negative one is.

    Examples
    --------
    >>> import numpy as np
    >>> from numpy_rnn import arrays
    >>> arrays.gather(np.array([[1, 2], [3, 4]]), 1, np.array([[0], [1]]))
    array([[1],
           [4]])
    """
    place = _place(x, dim, index)
    return x[place]


def scatter(
    x: npt.NDArray[Scalar], dim: int, index: IntArray, src: AnyArray | float
) -> npt.NDArray[Scalar]:
    """Return a copy of an array with elements along an axis replaced, after ``torch.scatter``.

    ``result[i, index[i, j, k], k] = src[i, j, k]`` for `dim` 1.

    Parameters
    ----------
    x : array
    dim : int
        The axis.
    index : array of int
        With as many axes as `x`; of its length or shorter along all others than `dim`.
    src : array or number
        The new elements. Where an element is chosen twice, either may win.

    Raises
    ------
    IndexError
        If an index is out of range; unlike NumPy's, a negative one is.
    """
    result = x.copy()
    if isinstance(src, np.ndarray):
        src = src[tuple(slice(length) for length in index.shape)]
    result[_place(x, dim, index)] = src
    return result


def masked_fill(
    x: npt.NDArray[Scalar], mask: npt.NDArray[np.bool_], value: AnyArray | float
) -> npt.NDArray[Scalar]:
    """Return an array with `value` where a mask is true, in the dtype of `x`.

    After ``torch.masked_fill``.

    Parameters
    ----------
    x : array
    mask : array of bool
        Of a shape that NumPy broadcasts with that of `x`.
    value : number

    Examples
    --------
    >>> import numpy as np
    >>> from numpy_rnn import arrays
    >>> arrays.masked_fill(np.ones(3, np.float32), np.array([True, False, True]), -np.inf)
    array([-inf,   1., -inf], dtype=float32)
    """
    return np.where(mask, np.asarray(value).astype(x.dtype), x)


def max(x: AnyArray, dim: int, keepdim: bool = False) -> ValuesAndIndices:
    """Return the largest elements along an axis and where they are, after ``torch.max``.

    Parameters
    ----------
    x : array
    dim : int
        The axis.
    keepdim : bool
        If True, the axis stays, with length 1.

    Examples
    --------
    >>> import numpy as np
    >>> from numpy_rnn import arrays
    >>> values, indices = arrays.max(np.array([[1, 5], [4, 2]]), 1)
    >>> values, indices
    (array([5, 4]), array([1, 0]))
    """
    indices = np.argmax(x, axis=dim, keepdims=keepdim)
    return ValuesAndIndices(np.max(x, axis=dim, keepdims=keepdim), np.asarray(indices))


def min(x: AnyArray, dim: int, keepdim: bool = False) -> ValuesAndIndices:
    """Return the smallest elements along an axis and where they are, as `max` the largest."""
    indices = np.argmin(x, axis=dim, keepdims=keepdim)
    return ValuesAndIndices(np.min(x, axis=dim, keepdims=keepdim), np.asarray(indices))


def sort(x: AnyArray, dim: int = -1, descending: bool = False) -> ValuesAndIndices:
    """Return the sorted elements along an axis and where they were, after ``torch.sort``.

    Parameters
    ----------
    x : array
    dim : int
        The axis.
    descending : bool
        If True, the largest comes first, and NaN before it. Equal elements stay in their order.

    Examples
    --------
    >>> import numpy as np
    >>> from numpy_rnn import arrays
    >>> lengths, order = arrays.sort(np.array([4, 7, 1]), descending=True)
    >>> lengths, order
    (array([7, 4, 1]), array([1, 0, 2]))
    """
    if x.ndim == 0:
        return ValuesAndIndices(x.copy(), np.zeros((), np.int64))
    if descending:  # equal elements keep their order if the array is reversed before and after
        backwards = np.argsort(np.flip(x, dim), axis=dim, kind="stable")
        indices = x.shape[dim] - 1 - np.flip(backwards, dim)
    else:
        indices = np.argsort(x, axis=dim, kind="stable")
    return ValuesAndIndices(np.take_along_axis(x, indices, dim), indices)


def topk(x: AnyArray, k: int, dim: int = -1, largest: bool = True) -> ValuesAndIndices:
    """Return the `k` largest elements along an axis and where they are, after ``torch.topk``.

    Parameters
    ----------
    x : array
    k : int
        At most the length of the axis.
    dim : int
        The axis.
    largest : bool
        If False, the smallest. The result is sorted in either case.

    Raises
    ------
    ValueError
        If `k` is negative or greater than the axis is long.

    Examples
    --------
    >>> import numpy as np
    >>> from numpy_rnn import arrays
    >>> arrays.topk(np.array([4, 7, 1]), 2).indices
    array([1, 0])
    """
    length = x.shape[_axis(x, dim)]
    if not 0 <= k <= length:
        raise ValueError(f"k must be from 0 to {length}, the length of axis {dim}, got {k}")
    values, indices = sort(x, dim, descending=largest)
    return ValuesAndIndices(narrow(values, dim, 0, k), narrow(indices, dim, 0, k))


def unfold(x: npt.NDArray[Scalar], dimension: int, size: int, step: int) -> npt.NDArray[Scalar]:
    """Return all windows along an axis as a last axis, after ``torch.Tensor.unfold``.

    Parameters
    ----------
    x : array
    dimension : int
        The axis.
    size, step : int
        The length of a window, and the distance from one to the next.

    Examples
    --------
    >>> import numpy as np
    >>> from numpy_rnn import arrays
    >>> arrays.unfold(np.arange(5), 0, 3, 2)
    array([[0, 1, 2],
           [2, 3, 4]])
    """
    windows = sliding_window_view(x, size, axis=dimension)
    axis = _axis(x, dimension)
    return windows[(slice(None),) * axis + (slice(None, None, step),)]


def multinomial(
    probabilities: AnyArray, num_samples: int, replacement: bool = False
) -> IntArray:
    """Draw indices with given probabilities, after ``torch.multinomial``.

    They come from the stream that `numpy_rnn.manual_seed` restarts, but are not those that
    torch draws.

    Parameters
    ----------
    probabilities : array of shape (K,) or (N, K)
        Not negative; each row is divided by its sum.
    num_samples : int
        How many are drawn from each row.
    replacement : bool
        If True, an index may be drawn more than once.

    Returns
    -------
    array of int64
        In the shape ``(num_samples,)`` or ``(N, num_samples)``.

    Raises
    ------
    ValueError
        If a row has a negative number, one that is not finite, only zeros, or, without
        replacement, fewer than `num_samples` others.
    """
    rows = np.atleast_2d(np.asarray(probabilities, np.float64))
    if not (np.isfinite(rows).all() and (rows >= 0).all() and (rows.sum(-1) > 0).all()):
        raise ValueError(
            "probabilities must be finite and not negative, with a positive sum in each row"
        )
    if replacement:
        ends = rows.cumsum(-1)
        drawn = default_generator.uniform((len(rows), num_samples), 0.0, 1.0, np.float64)
        beyond = drawn[..., None] * ends[:, None, -1:] >= ends[:, None]
        result = beyond.sum(-1, dtype=np.int64)
    else:
        if ((rows > 0).sum(-1) < num_samples).any():
            raise ValueError(
                f"num_samples must not exceed the positive probabilities of a row without "
                f"replacement, got {num_samples}"
            )
        # The first of exponential waiting times at these rates has these probabilities.
        uniform = default_generator.uniform(rows.shape, 0.0, 1.0, np.float64)
        with np.errstate(divide="ignore"):
            waiting = -np.log1p(-uniform) / rows
        waiting[rows == 0] = np.inf
        result = np.argsort(waiting, axis=-1, kind="stable")[:, :num_samples]
    return np.asarray(result[0] if probabilities.ndim == 1 else result)


def rand(*size: int | Sequence[int], dtype: DTypeLike = np.float32) -> Array:
    """Draw from the uniform distribution on [0, 1), after ``torch.rand``.

    Parameters
    ----------
    *size : int or sequence of int
        Shape of the result.
    dtype : dtype
        float32 or float64.

    Returns
    -------
    array
        What torch draws after ``torch.manual_seed``, if `numpy_rnn.manual_seed` was called.
    """
    return default_generator.uniform(_sizes(size), 0.0, 1.0, dtype)


def randn(*size: int | Sequence[int], dtype: DTypeLike = np.float32) -> Array:
    """Draw from the standard normal distribution, after ``torch.randn``; as `rand`."""
    return default_generator.normal(_sizes(size), dtype=dtype)


def _axis(x: AnyArray, dim: int) -> int:
    """Return an axis counted from the first."""
    axis = operator.index(dim)
    if not -x.ndim <= axis < x.ndim:
        raise IndexError(f"dim must be from {-x.ndim} to {x.ndim - 1}, got {dim}")
    return axis % x.ndim


def _sizes(sizes: tuple[int | Sequence[int], ...]) -> tuple[int, ...]:
    """Return sizes that came apart or in one sequence."""
    if len(sizes) == 1 and isinstance(sizes[0], Sequence):
        return tuple(operator.index(size) for size in sizes[0])
    return tuple(operator.index(size) for size in sizes)  # type: ignore[arg-type]  # not nested


def _place(x: AnyArray, dim: int, index: IntArray) -> tuple[IntArray, ...]:
    """Return the indices of the elements that `index` chooses along an axis."""
    axis = _axis(x, dim)
    if index.ndim != x.ndim:
        raise ValueError(f"index must have as many axes as x, {x.ndim}, got {index.ndim}")
    if index.size and not (index.min() >= 0 and index.max() < x.shape[axis]):
        raise IndexError(
            f"index must be from 0 to {x.shape[axis] - 1} along axis {dim}, got "
            f"{index.min()} to {index.max()}"
        )
    place = list(np.ogrid[tuple(slice(length) for length in index.shape)])
    place[axis] = index
    return tuple(place)

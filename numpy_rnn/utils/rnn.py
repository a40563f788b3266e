"""Batches of sequences of different lengths, after ``torch.nn.utils.rnn``.

In the shapes, L is the length of a sequence, T that of the longest in the batch, B the
number of sequences, and ``*`` any number of further axes. No function here returns an array
that shares memory with its arguments.
"""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple, TypeVar, overload

import numpy as np

from numpy_rnn._typing import AnyArray, DTypeLike, IntArray
from numpy_rnn.arguments import (
    FLOAT32,
    FLOAT64,
    NUMBERS,
    as_array,
    fill_value,
    parse_to,
    type_error,
)
from numpy_rnn.floating_point import cast, silent

__all__ = [
    "PackedSequence",
    "invert_permutation",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]

P = TypeVar("P", bound="PackedSequence")


class _PackedFields(NamedTuple):
    data: AnyArray
    batch_sizes: IntArray
    sorted_indices: IntArray | None
    unsorted_indices: IntArray | None


class PackedSequence(_PackedFields):
    """The sequences of a batch without padding: step by step, longest sequence first.

    `pack_sequence` and `pack_padded_sequence` return it. It is a named tuple, keeps the
    arrays that it is given, and can be pickled and copied.

    Parameters
    ----------
    data : ndarray of shape (sum of lengths, *)
        The first step of all sequences, the second step of those that have one, and so
        on; of any dtype. Or a pair ``(data, batch_sizes)``.
    batch_sizes : ndarray of shape (T,)
        How many sequences have each step; integers.
    sorted_indices : ndarray of shape (B,), optional
        The index of each of the sorted sequences in the caller's batch; integers. None if
        the caller's order is that of `data`.
    unsorted_indices : ndarray of shape (B,), optional
        The inverse permutation of `sorted_indices`; computed from it if omitted.

    Attributes
    ----------
    data, batch_sizes, sorted_indices, unsorted_indices
        As above; all but `data` are int64.

    Raises
    ------
    AssertionError
        If `batch_sizes` is omitted and `data` is not a pair.
    TypeError
        If an argument is not an array, or one other than `data` not an array of integers.
    RuntimeError, IndexError
        If `sorted_indices` is not a permutation.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.PackedSequence.html

    Examples
    --------
    The sequences ``a b c`` and ``x``, as numbers:

    >>> import numpy as np
    >>> pack_sequence([np.array([1, 2, 3]), np.array([7])])
    PackedSequence(data=array([1, 7, 2, 3]), batch_sizes=array([2, 1, 1]),
                   sorted_indices=None, unsorted_indices=None)
    """

    __slots__ = ()

    def __new__(
        cls,
        data: Any,
        batch_sizes: AnyArray | None = None,
        sorted_indices: AnyArray | None = None,
        unsorted_indices: AnyArray | None = None,
    ) -> PackedSequence:
        """Check the fields, and compute `unsorted_indices` if they are omitted."""
        if batch_sizes is None:
            if not isinstance(data, (list, tuple)) or len(data) != 2:
                raise AssertionError("Expected data to be a list or tuple of length 2")
            data, batch_sizes = data
        if sorted_indices is not None:
            sorted_indices = _as_integers(sorted_indices, "sorted_indices")
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        else:
            unsorted_indices = _as_integers(unsorted_indices, "unsorted_indices")
        counts = _as_integers(batch_sizes, "batch_sizes")
        return super().__new__(
            cls, as_array(data, "data"), counts, sorted_indices, unsorted_indices
        )

    def to(self: P, *args: Any, device: object = None, dtype: DTypeLike = None) -> P:
        """Return the batch with its data cast to a dtype; itself if it has that dtype.

        Parameters
        ----------
        *args : device, dtype, both, or an array
            By position as in torch: a string is a device, unless it is 'float32' or
            'float64'; of an array the dtype is taken.
        device : None or 'cpu'
            Accepted for torch's sake: arrays are on the CPU.
        dtype : dtype, optional
            float32 or float64; None keeps the dtype.

        Raises
        ------
        RuntimeError
            For a device that is not the CPU.
        TypeError
            For a dtype that is not float32 or float64.
        """
        target = parse_to(args, device, dtype)
        if target is None or target == self.data.dtype:
            return self
        return self._replace(data=cast(self.data, target))

    def float(self: P) -> P:
        """Return the batch with float32 data."""
        return self.to(dtype=FLOAT32)

    def double(self: P) -> P:
        """Return the batch with float64 data."""
        return self.to(dtype=FLOAT64)

    def cpu(self: P) -> P:
        """Return the batch itself: the CPU is where it is."""
        return self


@overload
def invert_permutation(permutation: None) -> None: ...
@overload
def invert_permutation(permutation: AnyArray) -> IntArray: ...
def invert_permutation(permutation: AnyArray | None) -> IntArray | None:
    """Return the inverse of a permutation, or None for None.

    Parameters
    ----------
    permutation : ndarray of shape (B,), optional
        Each of the integers from 0 to B - 1 once.

    Returns
    -------
    ndarray of shape (B,), or None
        int64.

    Raises
    ------
    TypeError
        If `permutation` is not an array of integers.
    IndexError
        If it does not have one axis.
    RuntimeError
        If an index is out of bounds, or occurs twice.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.invert_permutation.html

    Examples
    --------
    >>> import numpy as np
    >>> invert_permutation(np.array([2, 0, 1]))
    array([1, 2, 0])
    """
    if permutation is None:
        return None
    indices = _as_integers(permutation, "permutation")
    if indices.ndim != 1:
        raise IndexError(f"permutation must have one axis (B,), got {indices.ndim}D array")
    size = len(indices)
    _check_bounds(indices, size)
    inverse = np.full(size, -1, np.int64)
    inverse[indices] = np.arange(size, dtype=np.int64)
    if (inverse < 0).any():
        missing = int(np.argmin(inverse))
        raise RuntimeError(
            f"permutation must hold each index from 0 to {size - 1} once, but {missing} is "
            "missing"
        )
    return inverse


def pack_padded_sequence(
    input: AnyArray,
    lengths: AnyArray | Sequence[int],
    batch_first: bool = False,
    enforce_sorted: bool = True,
) -> PackedSequence:
    """Pack a padded batch of sequences.

    Parameters
    ----------
    input : ndarray of shape (T, B, *), or (B, T, *) if batch_first
        The padded batch, of any dtype.
    lengths : list, or ndarray of shape (B,)
        Lengths of the sequences, from 1 to T; the steps after them are left out. Fractions
        are truncated.
    batch_first : bool
        Whether `input` is (B, T, *) instead of (T, B, *).
    enforce_sorted : bool
        If True, the lengths have to be in descending order. If False, the sequences are
        sorted, and as in torch `lengths` may be for the first few of them only.

    Returns
    -------
    PackedSequence
        Sequences of equal length keep the order of the batch.

    Raises
    ------
    TypeError
        If `input` is not an array, `lengths` are not numbers, or `batch_first` is not a bool.
    IndexError
        If `input` has fewer than two axes.
    RuntimeError
        If the number of lengths is not that of the sequences, if lengths are out of range
        or not in descending order, or if there is nothing to pack.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pack_padded_sequence.html

    Examples
    --------
    >>> import numpy as np
    >>> padded = np.array([[1, 2, 0], [3, 0, 0], [4, 5, 6]])
    >>> pack_padded_sequence(padded, [2, 1, 3], batch_first=True, enforce_sorted=False)
    PackedSequence(data=array([4, 1, 3, 5, 2, 6]), batch_sizes=array([3, 2, 1]),
                   sorted_indices=array([2, 0, 1]), unsorted_indices=array([1, 2, 0]))
    """
    x = as_array(input, "input")
    # NaN becomes a negative number, which is refused.
    counts = cast(_as_lengths(lengths), np.dtype(np.int64))
    _check_batch_first(batch_first)
    if x.ndim < 2:
        raise IndexError(f"input must have at least two axes (T, B, *), got {x.ndim}D array")
    if batch_first:
        x = x.swapaxes(0, 1)
    limit, batch_size = x.shape[:2]
    if not enforce_sorted:
        batch_size = min(batch_size, len(counts))
    if x.size == 0 or batch_size == 0:
        raise RuntimeError("Cannot pack empty arrays.")
    if len(counts) != batch_size:
        raise RuntimeError(
            "Expected `len(lengths)` to be equal to batch_size, but got "
            f"{len(counts)} (batch_size={batch_size})"
        )
    order = None if enforce_sorted else _descending_order(counts)
    if order is not None:
        counts = counts[order]
    _check_descending(counts)
    if counts[0] > limit:
        raise RuntimeError(
            "Length of all samples has to be at most the length of the padded input, "
            f"{limit}, but found {counts[0]} in 'lengths'"
        )

    batch_sizes = _conjugate(counts)
    steps = np.repeat(np.arange(len(batch_sizes)), batch_sizes.astype(np.intp))
    ranks = np.arange(len(steps)) - _first_rows(batch_sizes)[steps]
    data = x[steps, ranks if order is None else order[ranks]]
    return PackedSequence(np.ascontiguousarray(data), batch_sizes, order)


def pad_packed_sequence(
    sequence: PackedSequence,
    batch_first: bool = False,
    padding_value: Any = 0.0,
    total_length: int | None = None,
) -> tuple[AnyArray, IntArray]:
    """Pad a packed batch of sequences: the inverse of `pack_padded_sequence`.

    Parameters
    ----------
    sequence : PackedSequence
        The batch.
    batch_first : bool
        Whether the result is (B, T, *) instead of (T, B, *).
    padding_value : number
        The value of the result after the end of a sequence.
    total_length : int, optional
        T of the result, at least the length of the longest sequence, which is the default.

    Returns
    -------
    padded : ndarray of shape (T, B, *), or (B, T, *) if batch_first
        The sequences in the caller's order, of the dtype of the packed data.
    lengths : ndarray of shape (B,)
        Their lengths; int64.

    Raises
    ------
    ValueError
        If `total_length` is less than the length of the longest sequence.
    TypeError
        If `batch_first` is not a bool, `total_length` not an int or `padding_value` not a
        number.
    RuntimeError
        If `padding_value` is beyond the range of the data's dtype, or if the fields of
        `sequence` are inconsistent.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pad_packed_sequence.html

    Examples
    --------
    >>> import numpy as np
    >>> packed = pack_sequence([np.array([1]), np.array([2, 3])], enforce_sorted=False)
    >>> padded, lengths = pad_packed_sequence(packed, padding_value=-1, total_length=3)
    >>> padded
    array([[ 1,  2],
           [-1,  3],
           [-1, -1]])
    >>> lengths
    array([1, 2])
    """
    first_rows, ranks, lengths = _unpacked(sequence)
    longest = steps_in_all = len(first_rows)
    if total_length is not None:
        if not isinstance(total_length, (int, np.integer)) or isinstance(total_length, bool):
            raise type_error("total_length", "int", total_length)
        if total_length < longest:
            raise ValueError(
                "Expected total_length to be at least the length of the longest sequence in "
                f"input, but got total_length={total_length} and max sequence length being "
                f"{longest}"
            )
        steps_in_all = int(total_length)
    _check_batch_first(batch_first)
    data = sequence.data
    fill = fill_value("padding_value", padding_value, data.dtype)
    shape = (len(ranks), steps_in_all) if batch_first else (steps_in_all, len(ranks))
    padded = np.full((*shape, *data.shape[1:]), fill, data.dtype)

    by_step = padded.swapaxes(0, 1) if batch_first else padded
    steps, columns = np.nonzero(np.arange(longest)[:, None] < lengths)
    by_step[steps, columns] = data[first_rows[steps] + ranks[columns]]
    return padded, lengths


@silent
def pad_sequence(
    sequences: AnyArray | Iterable[AnyArray],
    batch_first: bool = False,
    padding_value: Any = 0.0,
    padding_side: Literal["right", "left"] = "right",
) -> AnyArray:
    """Stack sequences of different lengths, padded to the length of the longest.

    Parameters
    ----------
    sequences : iterable of ndarrays of shape (L, *)
        At least one. All take the dtype of the first, and as in torch trailing axes of
        the others are broadcast to those of the first.
    batch_first : bool
        Whether the result is (B, T, *) instead of (T, B, *).
    padding_value : float
        The value of the result where a sequence has no step.
    padding_side : {'right', 'left'}
        Whether a sequence is padded after its end or before its start.

    Returns
    -------
    ndarray of shape (T, B, *), or (B, T, *) if batch_first

    Raises
    ------
    TypeError
        If a sequence is not an array, `batch_first` not a bool, `padding_value` not a real
        number or `padding_side` not a string.
    IndexError
        If a sequence has no axis.
    RuntimeError
        If `sequences` is not iterable or empty, if trailing axes do not fit, if
        `padding_value` is beyond the range of the dtype, or for an unknown `padding_side`.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pad_sequence.html

    Examples
    --------
    >>> import numpy as np
    >>> sequences = [np.array([1, 2, 3]), np.array([4])]
    >>> pad_sequence(sequences, batch_first=True)
    array([[1, 2, 3],
           [4, 0, 0]])
    >>> pad_sequence(sequences, batch_first=True, padding_value=-1, padding_side="left")
    array([[ 1,  2,  3],
           [-1, -1,  4]])
    """
    if not isinstance(sequences, Iterable):
        raise RuntimeError(
            "pad_sequence: Expected iterable for input sequences, but got arg of type: "
            f"{type(sequences)}"
        )
    _check_batch_first(batch_first)
    if not isinstance(padding_side, str):
        raise type_error("padding_side", "str", padding_side)
    sequences = list(sequences)
    if not sequences:
        _as_real(padding_value)  # as torch checks it before it finds the list empty
    arrays = _as_sequences(sequences)
    dtype = arrays[0].dtype
    if dtype.kind in NUMBERS:
        padding_value = _as_real(padding_value)
    if padding_side not in ("left", "right"):
        raise RuntimeError(
            f"Expected padding_side to be one of left or right, but got {padding_side}."
        )
    fill = fill_value("padding_value", padding_value, dtype)
    longest = max(len(array) for array in arrays)
    shape = (len(arrays), longest) if batch_first else (longest, len(arrays))
    padded = np.full((*shape, *arrays[0].shape[1:]), fill, dtype)

    by_sequence = padded if batch_first else padded.swapaxes(0, 1)
    for row, array in zip(by_sequence, arrays, strict=True):
        first = longest - len(array) if padding_side == "left" else 0
        row[first : first + len(array)] = array
    return padded


def unpad_sequence(
    padded_sequences: AnyArray, lengths: AnyArray | Sequence[int], batch_first: bool = False
) -> list[AnyArray]:
    """Split a padded batch into its sequences: the inverse of `pad_sequence`.

    Parameters
    ----------
    padded_sequences : ndarray of shape (T, B, *), or (B, T, *) if batch_first
        Sequences that are padded on the right, of any dtype.
    lengths : list, or ndarray of shape (B,)
        As in torch a length greater than T counts as T, one below zero as zero.
    batch_first : bool
        Whether `padded_sequences` is (B, T, *) instead of (T, B, *).

    Returns
    -------
    list of B ndarrays of shape (L, *)

    Raises
    ------
    TypeError
        If `padded_sequences` is not an array, or `lengths` are not numbers.
    IndexError
        If `padded_sequences` has fewer than two axes.
    ValueError
        If there are not as many lengths as sequences.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.unpad_sequence.html

    Examples
    --------
    >>> import numpy as np
    >>> unpad_sequence(np.array([[1, 2, 3], [4, 0, 0]]), [3, 1], batch_first=True)
    [array([1, 2, 3]), array([4])]
    """
    x = as_array(padded_sequences, "padded_sequences")
    counts = _as_lengths(lengths)
    if x.ndim < 2:
        raise IndexError(
            f"padded_sequences must have at least two axes (T, B, *), got {x.ndim}D array"
        )
    if not batch_first:
        x = x.swapaxes(0, 1)
    if len(counts) != len(x):
        raise ValueError(
            "Expected `len(lengths)` to be equal to batch_size, but got "
            f"{len(counts)} (batch_size={len(x)})"
        )
    steps = np.arange(x.shape[1])
    return [
        np.ascontiguousarray(sequence[steps < count])
        for sequence, count in zip(x, counts, strict=True)
    ]


@silent
def pack_sequence(
    sequences: AnyArray | Iterable[AnyArray], enforce_sorted: bool = True
) -> PackedSequence:
    """Pack sequences of different lengths.

    Parameters
    ----------
    sequences : iterable of ndarrays of shape (L, *)
        At least one, L > 0. Dtypes and trailing axes are handled as by `pad_sequence`.
    enforce_sorted : bool
        If True, the lengths have to be in descending order. If False, the sequences are
        sorted.

    Returns
    -------
    PackedSequence
        As `pack_padded_sequence` returns it for the padded sequences, without the memory
        that padding takes.

    Raises
    ------
    TypeError
        If `sequences` is not iterable, or one of them is not an array.
    IndexError
        If a sequence has no axis.
    RuntimeError
        If there is no sequence or an empty one, if trailing axes do not fit, or if the
        lengths are not in descending order.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pack_sequence.html

    Examples
    --------
    >>> import numpy as np
    >>> pack_sequence([np.array([1, 2, 3]), np.array([4, 5]), np.array([6])])
    PackedSequence(data=array([1, 4, 6, 2, 5, 3]), batch_sizes=array([3, 2, 1]),
                   sorted_indices=None, unsorted_indices=None)
    """
    arrays = _as_sequences(sequences)
    if all(array.size == 0 for array in arrays):
        raise RuntimeError("Cannot pack empty arrays.")
    dtype, trailing = arrays[0].dtype, arrays[0].shape[1:]
    lengths = np.array([len(array) for array in arrays], np.int64)
    order = None if enforce_sorted else _descending_order(lengths)
    if order is not None:
        lengths = lengths[order]
        arrays = [arrays[index] for index in order]
    _check_descending(lengths)

    batch_sizes = _conjugate(lengths)
    first_rows = _first_rows(batch_sizes)
    data = np.empty((lengths.sum(), *trailing), dtype)
    for rank, array in enumerate(arrays):
        data[first_rows[: len(array)] + rank] = array
    return PackedSequence(data, batch_sizes, order)


def unpack_sequence(packed_sequences: PackedSequence) -> list[AnyArray]:
    """Split a packed batch into its sequences: the inverse of `pack_sequence`.

    Parameters
    ----------
    packed_sequences : PackedSequence
        The batch.

    Returns
    -------
    list of B ndarrays of shape (L, *)
        In the caller's order, of the dtype of the packed data.

    Raises
    ------
    RuntimeError
        If the fields of `packed_sequences` are inconsistent.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.unpack_sequence.html

    Examples
    --------
    >>> import numpy as np
    >>> packed = pack_sequence([np.array([1, 2, 3]), np.array([4, 5]), np.array([6])])
    >>> unpack_sequence(packed)
    [array([1, 2, 3]), array([4, 5]), array([6])]
    """
    first_rows, ranks, lengths = _unpacked(packed_sequences)
    data = packed_sequences.data
    return [
        np.ascontiguousarray(data[first_rows[:length] + rank])
        for rank, length in zip(ranks, lengths, strict=True)
    ]


# The layout of packed data


def _descending_order(lengths: IntArray) -> IntArray:
    """Return the indices that sort lengths in descending order, equal ones as they came."""
    # The complement reverses the order as minus does, but cannot overflow.
    return np.argsort(~lengths, kind="stable").astype(np.int64, copy=False)


def _conjugate(sizes: IntArray) -> IntArray:
    """Return, for each k from 0 to below the greatest size, how many sizes exceed k.

    Lengths and batch sizes, both in descending order, are conjugates of each other.
    """
    greater = len(sizes) - np.searchsorted(sizes[::-1], np.arange(sizes[0]), side="right")
    return greater.astype(np.int64)


def _first_rows(batch_sizes: IntArray) -> IntArray:
    """Return the row of the packed data where each step begins."""
    rows: IntArray = np.cumsum(batch_sizes) - batch_sizes
    return rows


def packed_rows(sequence: PackedSequence) -> int:
    """Return how many rows of its data a packed batch uses.

    Raises
    ------
    RuntimeError
        If the batch sizes are negative or not in descending order, or if they need more
        rows than the data has.
    """
    batch_sizes, data = sequence.batch_sizes, sequence.data
    if batch_sizes.ndim != 1 or len(batch_sizes) == 0:
        raise RuntimeError(
            f"batch_sizes must have the shape (T,), T > 0, got {batch_sizes.shape}"
        )
    if batch_sizes[-1] < 0 or (batch_sizes[1:] > batch_sizes[:-1]).any():
        raise RuntimeError("batch_sizes must be in descending order and not negative")
    rows: int = sum(batch_sizes.tolist())
    if data.ndim == 0 or rows > len(data):
        raise RuntimeError(
            f"data must have the shape ({rows}, *) for these batch_sizes, got {data.shape}"
        )
    return rows


def _unpacked(sequence: PackedSequence) -> tuple[IntArray, IntArray, IntArray]:
    """Return where the sequences are in the packed data.

    Returns
    -------
    first_rows : ndarray of shape (T,)
        The row where each step begins.
    ranks : ndarray of shape (B,)
        How many rows after that one each sequence is; sequences in the caller's order.
    lengths : ndarray of shape (B,)
        The sequences' lengths.
    """
    packed_rows(sequence)
    batch_sizes = sequence.batch_sizes
    lengths = _conjugate(batch_sizes)
    ranks = np.arange(len(lengths), dtype=np.int64)
    unsorted_indices = sequence.unsorted_indices
    if unsorted_indices is not None:
        if unsorted_indices.ndim != 1:
            raise IndexError(
                f"unsorted_indices must have one axis (B,), got {unsorted_indices.ndim}D array"
            )
        _check_bounds(unsorted_indices, len(ranks))
        ranks, lengths = unsorted_indices, lengths[unsorted_indices]
    return _first_rows(batch_sizes), ranks, lengths


def _check_descending(lengths: IntArray) -> None:
    if lengths[-1] <= 0:
        raise RuntimeError(
            "Length of all samples has to be greater than 0, but found an element in "
            "'lengths' that is <= 0"
        )
    if (lengths[1:] > lengths[:-1]).any():
        raise RuntimeError(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is "
            "True. You can pass `enforce_sorted=False` to pack_padded_sequence and/or "
            "pack_sequence to sidestep this requirement."
        )


# Checks and conversions of arguments


def _as_integers(value: object, name: str) -> IntArray:
    array = as_array(value, name)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name} must be an array of integers, got {array.dtype}")
    return array.astype(np.int64, copy=False)


def _as_lengths(lengths: object) -> AnyArray:
    """Return the lengths as an array of shape (B,), in the dtype that they have."""
    is_array = hasattr(lengths, "__array__")
    try:
        array = as_array(lengths, "lengths") if is_array else np.asarray(lengths)
    except ValueError as error:  # nested lists of unequal lengths
        raise ValueError(f"lengths must be integers, got {reprlib.repr(lengths)}") from error
    if array.dtype.kind not in "iubf":
        raise TypeError(f"lengths must be integers, got {reprlib.repr(lengths)}")
    if array.ndim != 1:
        raise RuntimeError(
            f"'lengths' argument should be a 1D int64 array, but got {array.ndim}D array"
        )
    return array


def _as_sequences(sequences: Iterable[object]) -> list[AnyArray]:
    """Return the sequences as arrays of shape (L, *) with the trailing axes of the first."""
    arrays = [as_array(value, f"sequences[{place}]") for place, value in enumerate(sequences)]
    if not arrays:
        raise RuntimeError("received an empty list of sequences")
    if arrays[0].dtype.kind != "c":
        # As in torch imaginary parts are dropped; NumPy would warn about that.
        arrays = [array.real if array.dtype.kind == "c" else array for array in arrays]
    for place, array in enumerate(arrays):
        if array.ndim == 0:
            raise IndexError(
                f"sequences[{place}] must have at least one axis (L, *), got 0D array"
            )
        expected = (len(array), *arrays[0].shape[1:])
        if array.shape != expected:
            try:
                arrays[place] = np.broadcast_to(array, expected)
            except ValueError:
                raise RuntimeError(
                    "The sequences must have the same trailing axes: expected "
                    f"sequences[{place}] to have the shape {expected}, got {array.shape}"
                ) from None
    return arrays


def _as_real(value: Any) -> float:
    """Return a number as a float, as torch does with the padding of `pad_sequence`."""
    if not isinstance(value, (bool, int, float, np.bool_, np.integer, np.floating)):
        raise type_error("padding_value", "float", value)
    return float(value)


def _check_batch_first(value: object) -> None:
    if not isinstance(value, bool):
        raise type_error("batch_first", "bool", value)


def _check_bounds(indices: IntArray, size: int) -> None:
    outside = indices[(indices < 0) | (indices >= size)]
    if len(outside):
        raise RuntimeError(
            f"index {outside[0]} is out of bounds for dimension 0 with size {size}"
        )

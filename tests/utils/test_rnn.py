"""`numpy_rnn.utils.rnn` gives what ``torch.nn.utils.rnn`` gives, values and errors."""

import copy
import inspect
import pickle
import re
import tracemalloc
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.utils.rnn as torch_rnn
from hypothesis import given
from hypothesis import strategies as st

import numpy_rnn as nn
from numpy_rnn.testing import assert_parity
from numpy_rnn.utils import rnn
from tests.support.compare import leaves, to_torch

FUNCTIONS = [name for name in rnn.__all__ if name != "PackedSequence"]

BETTERED = re.compile(
    r"Dimension (out of range|specified)|tuple index out of range|invalid slice"
    r"|The size of tensor a|doesn't match the broadcast shape|is invalid for input"
    r"|must be Tensor|expected Tensor|zip\(\) argument|INDICES element|self\.dtype"
    r"|dtype int32/int64|interpreted as an int|to type int64 without|supported between"
    r"|iteration over|expected sequence of length"
)
"""What torch's errors say where ours say more; only the types are compared then."""

STABLE = 16
"""For up to so many lengths torch keeps the order of equal ones; its sort is not stable."""


# The comparison with torch


def outcome(function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    try:
        return function(*args, **kwargs)
    except Exception as error:
        return error


def assert_equal(ours: Any, theirs: Any) -> None:
    if is_sorted_unstably(theirs):
        assert type(ours) is rnn.PackedSequence
        assert_equal(ours.batch_sizes, theirs.batch_sizes)
        assert_equal(rnn.unpack_sequence(ours), torch_rnn.unpack_sequence(theirs))
    elif isinstance(theirs, torch.Tensor):
        assert type(ours) is np.ndarray
        np.testing.assert_array_equal(ours, theirs.numpy(), strict=True)
    elif isinstance(theirs, (list, tuple)):
        assert type(ours).__name__ == type(theirs).__name__
        assert len(ours) == len(theirs)
        for our_item, their_item in zip(ours, theirs, strict=True):
            assert_equal(our_item, their_item)
    else:
        assert ours == theirs


def is_sorted_unstably(theirs: Any) -> bool:
    """Return whether torch's batch may have equal lengths in another order than given."""
    if not isinstance(theirs, torch_rnn.PackedSequence) or theirs.sorted_indices is None:
        return False
    lengths = [len(sequence) for sequence in torch_rnn.unpack_sequence(theirs)]
    return len(lengths) > max(STABLE, len(set(lengths)))


def assert_same_error(ours: Any, theirs: Exception) -> None:
    assert type(ours) is type(theirs), (ours, theirs)
    if BETTERED.search(str(theirs)):
        return
    expected = str(theirs)
    for pattern, replacement in (
        (r"^\w+\(\): (argument '\w+') \(position \d\)", r"\1"),
        (r"tensor", "array"),
        (r" if you do not need ONNX exportability", ""),
        (
            r"1D CPU int64 array, but got (\d)D cpu \w+ array",
            r"1D int64 array, but got \1D array",
        ),
        (r"type \S+ without overflow", "type * without overflow"),
    ):
        expected = re.sub(pattern, replacement, expected)
    message = re.sub(r"type \S+ without overflow:.*", "type * without overflow", str(ours))
    assert message == expected


def assert_as_torch(name: str, *args: Any, **kwargs: Any) -> Any:
    """Assert that both functions return the same or refuse alike; return our result.

    Also that nothing given is written to, and that nothing returned shares its memory.
    """
    given_arrays = arrays_in([args, kwargs])
    before = [array.copy() for array in given_arrays]
    theirs = outcome(
        getattr(torch_rnn, name), to_torch(args), {k: to_torch(v) for k, v in kwargs.items()}
    )
    ours = outcome(getattr(rnn, name), args, kwargs)
    for array, copied in zip(given_arrays, before, strict=True):
        np.testing.assert_array_equal(array, copied, strict=True)
    if isinstance(theirs, Exception):
        assert_same_error(ours, theirs)
        return None
    if isinstance(ours, Exception):
        raise ours
    assert_equal(ours, theirs)
    results = arrays_in(ours)
    for index, result in enumerate(results):
        assert result.flags.c_contiguous
        assert result.flags.writeable
        for array in (*given_arrays, *results[:index]):
            assert not np.shares_memory(result, array)
    return ours


def arrays_in(value: Any) -> list[np.ndarray]:
    return [leaf for leaf in leaves(value) if isinstance(leaf, np.ndarray)]


# What is drawn

DTYPES = [np.float32, np.float64, np.float16, np.int8, np.uint8, np.int32, np.int64, np.bool_]
DTYPES += [np.complex64, np.complex128]


def laid_out(array: np.ndarray, layout: str) -> np.ndarray:
    """Return the same values in another memory layout."""
    if layout == "Fortran":
        return np.asfortranarray(array)
    if layout == "reversed":
        return array[::-1].copy()[::-1]
    if layout == "strided":
        return np.repeat(array, 2, axis=-1)[..., ::2]
    array = array.copy()
    array.flags.writeable = layout != "read-only"
    return array


def values(shape: tuple[int, ...], dtype: Any = np.float32, seed: int = 0) -> np.ndarray:
    drawn = np.random.default_rng(seed).normal(0, 40, shape)
    return np.clip(drawn, 0 if dtype is np.uint8 else -128, 127).astype(dtype)


# In a float16 array of a single element torch lets any padding overflow.
dtypes = st.sampled_from([dtype for dtype in DTYPES if dtype is not np.float16])
trailing_shapes = st.lists(st.integers(1, 3), max_size=2).map(tuple)
layouts = st.sampled_from(["C", "Fortran", "reversed", "strided", "read-only"])
numbers = [0.0, 1, -1, 2.5, -0.5, True, 200, 300, -128.5, 1e30, 1e300, np.nan, np.inf, 1j]
numbers += [2 + 0j, np.float32(1.5), np.int8(-3), np.bool_(True)]
paddings = st.sampled_from([*numbers, "0", None])


@st.composite
def arrays(draw: Any, *shape: int, dtype: Any = None) -> np.ndarray:
    """Draw an array with these axes and up to two more."""
    dtype = draw(dtypes) if dtype is None else dtype
    whole = (*shape, *draw(trailing_shapes))
    return laid_out(values(whole, dtype, draw(st.integers(0, 99))), draw(layouts))


@st.composite
def sequence_lists(draw: Any, lowest: int = 1, alike: bool = True) -> list[np.ndarray]:
    """Draw sequences of shape (L, *); if not `alike`, the last may not fit the others."""
    lengths = draw(st.lists(st.integers(lowest, 6), min_size=1, max_size=24))
    if draw(st.booleans()):
        lengths.sort(reverse=True)
    dtype, trailing = draw(dtypes), draw(trailing_shapes)
    sequences = [
        laid_out(values((length, *trailing), dtype, index), draw(layouts))
        for index, length in enumerate(lengths)
    ]
    if not alike:
        other_dtype = np.float64 if np.dtype(dtype).kind == "f" else dtype
        sequences[-1] = values((lengths[-1], *draw(trailing_shapes)), other_dtype)
    return sequences


@st.composite
def packed_batches(draw: Any) -> rnn.PackedSequence:
    """Draw a batch that remembers the caller's order, or one that was in order anyway."""
    sequences = draw(sequence_lists())
    lengths = [len(sequence) for sequence in sequences]
    in_order = lengths == sorted(lengths, reverse=True)
    return rnn.pack_sequence(sequences, enforce_sorted=in_order and draw(st.booleans()))


@st.composite
def lengths_for(draw: Any, batch_size: int, limit: int, enforce_sorted: bool) -> Any:
    """Draw lengths for a padded batch: mostly valid ones."""
    lowest = draw(st.sampled_from([1, 1, 1, 0, -1]))
    # Sequences that are too many are refused with one of two errors in torch.
    numbers = [batch_size, batch_size, max(batch_size - 1, 0)]
    if enforce_sorted:
        numbers.append(batch_size + 1)
    number = draw(st.sampled_from(numbers))
    lengths = draw(
        st.lists(st.integers(lowest, max(limit, 1)), min_size=number, max_size=number)
    )
    if draw(st.integers(0, 3)):
        lengths.sort(reverse=True)
    if draw(st.booleans()):
        return np.array(lengths, draw(st.sampled_from([np.int64, np.int32, np.float32])))
    return draw(st.sampled_from([list, tuple]))(lengths)


# Every function against torch


def test_packing_signatures_equal_torch() -> None:
    for name in (*FUNCTIONS, "PackedSequence"):
        ours, theirs = (
            [
                (parameter.name, parameter.default)
                for parameter in inspect.signature(getattr(module, name)).parameters.values()
            ]
            for module in (rnn, torch_rnn)
        )
        assert ours == theirs
    assert set(rnn.__all__) == set(torch_rnn.__all__)


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("trailing", [(), (3,), (2, 3)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_pack_padded_and_pad_packed_equal_torch(
    batch_first: bool, trailing: tuple[int, ...], dtype: Any
) -> None:
    padded = values((3, 4, *trailing) if batch_first else (4, 3, *trailing), dtype)
    for lengths in ([4, 2, 1], [3, 3, 3], [1, 1, 1]):
        packed = assert_as_torch("pack_padded_sequence", padded, lengths, batch_first)
        assert packed.sorted_indices is None
        assert_as_torch("pad_packed_sequence", packed, batch_first)
    for lengths in ((2, 4, 1), np.array([1, 2, 4]), np.array([2, 3, 2], np.int16)):
        packed = assert_as_torch(
            "pack_padded_sequence", padded, lengths, batch_first, enforce_sorted=False
        )
        assert_as_torch("pad_packed_sequence", packed, batch_first, -1, 6)


@given(st.data())
def test_pack_padded_sequence_random_batches_equal_torch(data: st.DataObject) -> None:
    limit, batch_size = data.draw(st.integers(0, 7)), data.draw(st.integers(0, 24))
    batch_first, enforce_sorted = data.draw(st.booleans()), data.draw(st.booleans())
    shape = (batch_size, limit) if batch_first else (limit, batch_size)
    padded = data.draw(arrays(*shape))
    lengths = data.draw(lengths_for(batch_size, limit, enforce_sorted))
    assert_as_torch("pack_padded_sequence", padded, lengths, batch_first, enforce_sorted)


@given(
    packed_batches(),
    st.booleans(),
    st.one_of(
        st.tuples(paddings, st.sampled_from([None, 6, 9, np.int64(7)])),
        st.tuples(st.just(0.0), st.sampled_from([0, -1, 3, 9.5])),
    ),
)
def test_pad_packed_sequence_random_batches_equal_torch(
    packed: rnn.PackedSequence, batch_first: bool, options: tuple[Any, Any]
) -> None:
    assert_as_torch("pad_packed_sequence", packed, batch_first, *options)


@given(
    st.one_of(
        st.tuples(sequence_lists(lowest=0), paddings),
        st.tuples(sequence_lists(lowest=0, alike=False), st.just(0.0)),
    ),
    st.booleans(),
    st.sampled_from(["right", "left"]),
)
def test_pad_sequence_random_batches_equal_torch(
    case: tuple[Any, Any], batch_first: bool, padding_side: str
) -> None:
    sequences, padding_value = case
    assert_as_torch("pad_sequence", sequences, batch_first, padding_value, padding_side)


@given(st.data())
def test_unpad_sequence_random_batches_equal_torch(data: st.DataObject) -> None:
    limit, batch_size = data.draw(st.integers(0, 7)), data.draw(st.integers(0, 9))
    batch_first = data.draw(st.booleans())
    padded = data.draw(arrays(*((batch_size, limit) if batch_first else (limit, batch_size))))
    number = data.draw(st.sampled_from([batch_size, batch_size, batch_size + 1]))
    lengths = data.draw(st.lists(st.integers(-2, 9), min_size=number, max_size=number))
    dtype = data.draw(st.sampled_from([np.int64, np.int8, np.float32, np.bool_]))
    halves = 0.5 if dtype is np.float32 else 0
    assert_as_torch(
        "unpad_sequence", padded, np.array(lengths, dtype) + dtype(halves), batch_first
    )


@given(
    st.one_of(
        sequence_lists(),
        sequence_lists(lowest=0),
        sequence_lists(alike=False),
        arrays(3, 2),
    ),
    st.booleans(),
)
def test_pack_sequence_random_batches_equal_torch(sequences: Any, enforce_sorted: bool) -> None:
    assert_as_torch("pack_sequence", sequences, enforce_sorted)


@given(packed_batches())
def test_unpack_sequence_random_batches_equal_torch(packed: rnn.PackedSequence) -> None:
    assert_as_torch("unpack_sequence", packed)


@given(st.integers(0, 40).flatmap(lambda size: st.permutations(range(size))), layouts)
def test_invert_permutation_random_permutations_equal_torch(
    permutation: list[int], layout: str
) -> None:
    indices = laid_out(np.array(permutation, np.int64), layout)
    inverse = assert_as_torch("invert_permutation", indices)
    np.testing.assert_array_equal(rnn.invert_permutation(inverse), indices)


# The order of equal lengths


def assert_sorted(lengths: np.ndarray) -> None:
    padded = np.arange(len(lengths))[None].repeat(max(lengths), axis=0)
    packed = assert_as_torch("pack_padded_sequence", padded, lengths, enforce_sorted=False)
    in_order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    np.testing.assert_array_equal(packed.sorted_indices, np.array(in_order), strict=True)
    sequences = [padded[:length, index] for index, length in enumerate(lengths)]
    for ours, theirs in zip(rnn.pack_sequence(sequences, enforce_sorted=False), packed):
        np.testing.assert_array_equal(ours, theirs, strict=True)


@given(
    st.integers(1, 8).flatmap(
        lambda greatest: st.lists(st.integers(1, greatest), min_size=1, max_size=120)
    )
)
def test_pack_of_equal_lengths_keeps_their_order(lengths: list[int]) -> None:
    assert_sorted(np.array(lengths))


@pytest.mark.parametrize("size", [15, 16, 17, 18, 33, 100, 257, 700])
def test_pack_of_patterns_of_lengths_sorts_them(size: int) -> None:
    up = np.arange(size)
    sawtooth = np.concatenate([up[: size // 2], up[: size - size // 2]])
    for pattern in (0 * up, up, up % 7, sawtooth, np.minimum(up, up[::-1])):
        for ties in (1, 3):
            assert_sorted(pattern // ties + 1)
            assert_sorted(pattern[::-1] // ties + 1)


@pytest.fixture
def indices_of_32_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `np.repeat` take counts as in WebAssembly, where it refuses int64."""
    repeat = np.repeat

    def strict_repeat(a: Any, repeats: np.ndarray) -> np.ndarray:
        return repeat(a, repeats.astype(np.int32, casting="safe"))

    monkeypatch.setattr(np, "intp", np.int32)
    monkeypatch.setattr(np, "repeat", strict_repeat)
    with pytest.raises(TypeError, match="according to the rule 'safe'"):
        np.repeat(np.arange(2), np.array([1, 2], np.int64))


@pytest.mark.usefixtures("indices_of_32_bits")
def test_pack_padded_sequence_where_indices_have_32_bits_casts_the_counts() -> None:
    for lengths in (np.array([3, 2, 1]), [1, 3, 2]):
        assert_as_torch("pack_padded_sequence", values((3, 3)), lengths, enforce_sorted=False)


@pytest.mark.usefixtures("indices_of_32_bits")
def test_parity_of_packed_output_where_indices_have_32_bits_casts_the_counts() -> None:
    theirs = torch.nn.GRU(2, 3)
    ours = nn.GRU.from_state_dict(theirs.state_dict())
    assert_parity(ours, theirs, rnn.pack_sequence([values((3, 2)) / 40, values((1, 2)) / 40]))


# What is refused


def test_pack_padded_sequence_wrong_lengths_raise() -> None:
    padded = values((4, 3, 2))
    for lengths, error, match in (
        ([4, 2, 0], RuntimeError, "Length of all samples has to be greater than 0"),
        ([4, 2, -1], RuntimeError, "Length of all samples has to be greater than 0"),
        ([1, 2, 3], RuntimeError, "must be sorted in decreasing order"),
        ([4, 2], RuntimeError, r"equal to batch_size, but got 2 \(batch_size=3\)"),
        ([4, 2, 1, 1], RuntimeError, r"equal to batch_size, but got 4 \(batch_size=3\)"),
        ([], RuntimeError, r"equal to batch_size, but got 0 \(batch_size=3\)"),
        ([[4, 2, 1]], RuntimeError, "should be a 1D int64 array, but got 2D array"),
        (4, RuntimeError, "should be a 1D int64 array, but got 0D array"),
        (None, TypeError, "lengths must be integers, got None"),
        ([4, None, 1], TypeError, r"lengths must be integers, got \[4, None, 1\]"),
        ([4j, 2, 1], TypeError, "lengths must be integers"),
        ([[4, 2], [1]], ValueError, r"lengths must be integers, got \[\[4, 2\], \[1\]\]"),
        (np.array([4, 2, np.nan]), RuntimeError, "has to be greater than 0"),
        ([4, np.nan, 1], RuntimeError, "must be sorted in decreasing order"),
    ):
        with pytest.raises(error, match=match):
            rnn.pack_padded_sequence(padded, lengths)
        assert_as_torch("pack_padded_sequence", padded, lengths)
    assert_as_torch("pack_padded_sequence", padded, [4, 0, 2], enforce_sorted=False)
    lowest = np.array([np.iinfo(np.int64).min, 3, 2])  # its negative would overflow
    assert_as_torch("pack_padded_sequence", padded, lowest, enforce_sorted=False)
    assert_as_torch("pack_padded_sequence", padded, [], enforce_sorted=False)


@pytest.mark.parametrize("batch_first", [False, True])
def test_pack_padded_sequence_more_lengths_than_sequences_raise(batch_first: bool) -> None:
    padded = values((3, 3))
    for enforce_sorted in (True, False):
        with pytest.raises(RuntimeError, match=r"but got 4 \(batch_size=3\)"):
            rnn.pack_padded_sequence(padded, [1] * 4, batch_first, enforce_sorted)
        with pytest.raises((RuntimeError, IndexError), match=r"(batch_size|out of)"):
            torch_rnn.pack_padded_sequence(
                torch.ones(3, 3), [1] * 4, batch_first, enforce_sorted
            )


@pytest.mark.parametrize("enforce_sorted", [False, True])
@pytest.mark.parametrize("batch_first", [False, True])
def test_pack_padded_sequence_lengths_beyond_the_input_raise(
    batch_first: bool, enforce_sorted: bool
) -> None:
    padded = values((3, 4, 2) if batch_first else (4, 3, 2))
    with pytest.raises(
        RuntimeError, match="at most the length of the padded input, 4, but found 9"
    ):
        rnn.pack_padded_sequence(padded, [9, 2, 1], batch_first, enforce_sorted)
    # torch gives a batch whose sizes count more rows than it has, and cannot pad it again.
    theirs = torch_rnn.pack_padded_sequence(
        to_torch(padded), [9, 2, 1], batch_first, enforce_sorted
    )
    assert theirs.batch_sizes.sum() > len(theirs.data)


def test_pack_padded_sequence_wrong_input_raises() -> None:
    for shape, lengths in (((4, 0), []), ((0, 2), [1, 1]), ((2, 1, 0), [2])):
        with pytest.raises(RuntimeError, match="Cannot pack empty arrays"):
            rnn.pack_padded_sequence(np.ones(shape), lengths)
        assert_as_torch("pack_padded_sequence", np.ones(shape), lengths)
        assert_as_torch("pack_padded_sequence", np.ones(shape), lengths, enforce_sorted=False)
    for shape in ((), (3,)):
        for batch_first in (False, True):
            with pytest.raises(
                IndexError, match=r"input must have at least two axes \(T, B, \*\)"
            ):
                rnn.pack_padded_sequence(np.ones(shape), [1], batch_first)
            assert_as_torch("pack_padded_sequence", np.ones(shape), [1], batch_first)
            with pytest.raises(
                IndexError, match="padded_sequences must have at least two axes"
            ):
                rnn.unpad_sequence(np.ones(shape), np.array([1]), batch_first)
            assert_as_torch("unpad_sequence", np.ones(shape), np.array([1]), batch_first)
    with pytest.raises(TypeError, match="input must be a NumPy array, got list"):
        rnn.pack_padded_sequence([[1.0]], [1])
    with pytest.raises(TypeError, match="padded_sequences must be a NumPy array, got list"):
        rnn.unpad_sequence([[1.0]], [1])


@pytest.mark.parametrize("batch_first", [1, None, "yes", np.bool_(True)])
def test_packing_batch_first_not_a_bool_raises(batch_first: Any) -> None:
    padded = values((4, 3))
    packed = rnn.pack_padded_sequence(padded, [4, 2, 1])
    for name, args in (
        ("pack_padded_sequence", (padded, [4, 2, 1])),
        ("pad_packed_sequence", (packed,)),
        ("pad_sequence", ([padded],)),
    ):
        with pytest.raises(TypeError, match="argument 'batch_first' must be bool, not "):
            getattr(rnn, name)(*args, batch_first=batch_first)
        assert_as_torch(name, *args, batch_first=batch_first)


def test_pad_packed_sequence_small_total_length_raises() -> None:
    packed = rnn.pack_padded_sequence(values((4, 3)), [4, 2, 1])
    for total_length in (3, 0, -1):
        match = f"total_length={total_length} and max sequence length being 4"
        with pytest.raises(ValueError, match=match):
            rnn.pad_packed_sequence(packed, total_length=total_length)
        assert_as_torch("pad_packed_sequence", packed, total_length=total_length)
    for total_length in (4.0, True, "4"):
        with pytest.raises(TypeError, match="argument 'total_length' must be int, not "):
            rnn.pad_packed_sequence(packed, total_length=total_length)


def test_padding_value_beyond_the_dtype_raises() -> None:
    wrong = [
        (np.int8, 128),
        (np.int8, np.nan),
        (np.uint8, -0.5),
        (np.uint8, -256),
        (np.int64, np.inf),
        (np.float16, 65519),
        (np.float32, 1e300),
        (np.complex64, 1e300),
    ]
    for dtype, value in wrong:
        sequences = [values((2,), dtype), values((1,), dtype)]
        match = f"cannot be converted to type {np.dtype(dtype)} without overflow"
        with pytest.raises(RuntimeError, match=match):
            rnn.pad_sequence(sequences, padding_value=value)
        assert_as_torch("pad_sequence", sequences, padding_value=value)
        packed = rnn.pack_sequence(sequences)
        with pytest.raises(RuntimeError, match=match):
            rnn.pad_packed_sequence(packed, padding_value=value)
        assert_as_torch("pad_packed_sequence", packed, padding_value=value)
    with pytest.raises(RuntimeError, match="cannot be converted to type float32"):
        rnn.pad_packed_sequence(rnn.pack_sequence([values((2,))]), padding_value=1j)
    with pytest.raises(TypeError, match="'padding_value' must be float, not complex"):
        rnn.pad_sequence([values((2,))], padding_value=1j)
    with pytest.raises(TypeError, match=r"'padding_value' must be float, not numpy\.ndarray"):
        rnn.pad_sequence([values((2,))], padding_value=np.ones(2))
    with pytest.raises(TypeError, match="'padding_value' must be Number, not str"):
        rnn.pad_packed_sequence(rnn.pack_sequence([values((2,))]), padding_value="1")


def test_pad_packed_sequence_negative_padding_wraps_around_in_unsigned_data() -> None:
    packed = rnn.pack_sequence([values((2,), np.uint8), values((1,), np.uint8)])
    padded, _ = assert_as_torch("pad_packed_sequence", packed, padding_value=-1)
    assert padded[1, 1] == 255


def test_pad_sequence_not_a_list_of_arrays_raises() -> None:
    for sequences, error, match in (
        (
            5,
            RuntimeError,
            "Expected iterable for input sequences, but got arg of type: <class 'int'>",
        ),
        (None, RuntimeError, "Expected iterable for input sequences"),
        ([], RuntimeError, "received an empty list of sequences"),
        ("abc", TypeError, r"sequences\[0\] must be a NumPy array, got str"),
        ([np.ones(2), [1.0]], TypeError, r"sequences\[1\] must be a NumPy array, got list"),
        ([np.ones(2), np.ones(())], IndexError, r"sequences\[1\] must have at least one axis"),
        ([np.ones((2, 3)), np.ones((1, 2))], RuntimeError, r"shape \(1, 3\), got \(1, 2\)"),
        ([np.ones(2), np.ones((1, 2))], RuntimeError, r"shape \(1,\), got \(1, 2\)"),
        ([np.ones((2, 3)), np.ones((0, 2))], RuntimeError, r"shape \(0, 3\), got \(0, 2\)"),
    ):
        with pytest.raises(error, match=match):
            rnn.pad_sequence(sequences)
        assert_as_torch("pad_sequence", sequences)


def test_pad_sequence_of_nothing_with_wrong_padding_value_raises() -> None:
    with pytest.raises(TypeError, match="'padding_value' must be float, not str"):
        rnn.pad_sequence([], padding_value="0")
    assert_as_torch("pad_sequence", [], padding_value="0")


@pytest.mark.parametrize("side", ["middle", "", "Left", None, 1])
def test_pad_sequence_unknown_side_raises(side: Any) -> None:
    error = RuntimeError if isinstance(side, str) else TypeError
    with pytest.raises(error, match="padding_side"):
        rnn.pad_sequence([np.ones(2)], padding_side=side)
    assert_as_torch("pad_sequence", [np.ones(2)], padding_side=side)


def test_pack_sequence_wrong_sequences_raise() -> None:
    for sequences, error, match in (
        (3, TypeError, "'int' object is not iterable"),
        ([], RuntimeError, "received an empty list of sequences"),
        ([np.ones(2), np.ones(0)], RuntimeError, "has to be greater than 0"),
        ([np.ones(0), np.ones(0)], RuntimeError, "Cannot pack empty arrays"),
        ([np.ones((2, 0))], RuntimeError, "Cannot pack empty arrays"),
        ([np.ones(1), np.ones(2)], RuntimeError, "must be sorted in decreasing order"),
        ([np.ones(())], IndexError, r"sequences\[0\] must have at least one axis"),
        ([np.ones((2, 3)), np.ones((1, 2))], RuntimeError, "the same trailing axes"),
    ):
        with pytest.raises(error, match=match):
            rnn.pack_sequence(sequences)
        assert_as_torch("pack_sequence", sequences)
    with pytest.raises(TypeError, match=r"sequences\[0\] must be a NumPy array, got list"):
        rnn.pack_sequence([[1.0, 2.0]])


def test_unpad_sequence_wrong_number_of_lengths_raises() -> None:
    for lengths in ([4, 2], [4, 2, 1, 1]):
        match = rf"equal to batch_size, but got {len(lengths)} \(batch_size=3\)"
        with pytest.raises(ValueError, match=match):
            rnn.unpad_sequence(values((4, 3)), lengths)
        assert_as_torch("unpad_sequence", values((4, 3)), np.array(lengths))


def test_invert_permutation_not_a_permutation_raises() -> None:
    assert rnn.invert_permutation(None) is None
    for permutation, error, match in (
        (
            np.array([2, 0, 3]),
            RuntimeError,
            "index 3 is out of bounds for dimension 0 with size 3",
        ),
        (np.array([2, 0, -3]), RuntimeError, "index -3 is out of bounds"),
        (np.array([[1, 0]]), IndexError, "permutation must have one axis"),
        ([1, 0], TypeError, "permutation must be a NumPy array, got list"),
    ):
        with pytest.raises(error, match=match):
            rnn.invert_permutation(permutation)
        assert_as_torch("invert_permutation", permutation)
    with pytest.raises(RuntimeError, match="from 0 to 2 once, but 1 is missing"):
        rnn.invert_permutation(np.array([2, 0, 0]))
    with pytest.raises(
        TypeError, match="permutation must be an array of integers, got float64"
    ):
        rnn.invert_permutation(np.array([1.0, 0.0]))


@pytest.mark.parametrize(
    ("batch_sizes", "unsorted_indices", "error", "match"),
    [
        ([3, 2], None, RuntimeError, r"data must have the shape \(5, \*\)"),
        ([2**62] * 4, None, RuntimeError, "data must have the shape"),
        ([1, 2], None, RuntimeError, "batch_sizes must be in descending order"),
        ([2, -1], None, RuntimeError, "batch_sizes must be in descending order"),
        ([], None, RuntimeError, r"batch_sizes must have the shape \(T,\), T > 0"),
        ([[2, 1]], None, RuntimeError, r"batch_sizes must have the shape \(T,\)"),
        ([2, 1], [0, 2], RuntimeError, "index 2 is out of bounds"),
        ([2, 1], [0, -1], RuntimeError, "index -1 is out of bounds"),
        ([2, 1], [[0, 1]], IndexError, "unsorted_indices must have one axis"),
    ],
)
def test_packing_inconsistent_fields_raise(
    batch_sizes: Any, unsorted_indices: Any, error: type[Exception], match: str
) -> None:
    indices = None if unsorted_indices is None else np.array(unsorted_indices)
    packed = rnn.PackedSequence(values((3,)), np.array(batch_sizes, np.int64), None, indices)
    for function in (rnn.pad_packed_sequence, rnn.unpack_sequence):
        with pytest.raises(error, match=match):
            function(packed)


def test_packing_not_a_packed_sequence_raises() -> None:
    for name in ("pad_packed_sequence", "unpack_sequence"):
        with pytest.raises(
            AttributeError, match="'tuple' object has no attribute 'batch_sizes'"
        ):
            getattr(rnn, name)((values((3,)), np.array([2, 1])))
        assert_as_torch(name, (values((3,)), np.array([2, 1])))


# What is like torch although it may surprise


def test_pack_padded_sequence_fewer_lengths_pack_the_first_sequences() -> None:
    packed = assert_as_torch(
        "pack_padded_sequence", values((4, 3)), [1, 2], enforce_sorted=False
    )
    assert len(packed.sorted_indices) == 2


def test_packing_dtype_and_trailing_axes_are_those_of_the_first() -> None:
    sequences = [values((1, 3), np.int32), values((4, 1), np.float64), values((3,), np.float32)]
    padded = assert_as_torch("pad_sequence", sequences, padding_side="left")
    assert (padded.dtype, padded.shape) == (np.int32, (4, 3, 3))
    assert_as_torch("pack_sequence", sequences, enforce_sorted=False)


def test_packing_imaginary_parts_are_dropped_without_warning() -> None:
    sequences = [values((2,)), values((1,), np.complex64) + 1j]
    for name in ("pad_sequence", "pack_sequence"):
        with warnings.catch_warnings():  # torch warns of it, once
            warnings.simplefilter("ignore")
            expected = getattr(torch_rnn, name)(to_torch(sequences))
        assert_equal(getattr(rnn, name)(sequences), expected)


def test_packing_numbers_beyond_the_dtype_become_infinite_without_warning() -> None:
    sequences = [values((2,)), np.array([1e300])]
    assert_as_torch("pad_sequence", sequences)
    assert_as_torch("pack_sequence", sequences)


def test_packing_array_is_taken_as_its_rows() -> None:
    assert_as_torch("pad_sequence", values((3, 2, 2)))
    assert_as_torch("pack_sequence", values((3, 2, 2)))


def test_packing_uncounted_rows_are_left_out() -> None:
    packed = rnn.PackedSequence(values((9,)), np.array([2, 1, 0]), None, np.array([1, 1, 0]))
    assert_as_torch("pad_packed_sequence", packed)
    assert_as_torch("unpack_sequence", packed)


# What torch does not have


def test_packing_lists_and_generators_are_taken() -> None:
    expected = rnn.unpad_sequence(values((4, 3)), np.array([4, 2, 1]))
    assert_equal(rnn.unpad_sequence(values((4, 3)), [4, 2, 1]), to_torch(expected))
    sequences = [values((2,)), values((1,))]
    packed = rnn.pack_sequence(sequence for sequence in sequences)
    assert_equal(packed, torch_rnn.pack_sequence(to_torch(sequences)))
    indices = np.array([2, 0, 1])
    for dtype in (np.int8, np.uint64, ">i4"):
        inverse = rnn.invert_permutation(indices.astype(dtype))
        assert_equal(inverse, torch_rnn.invert_permutation(to_torch(indices)))


def test_packing_tensors_are_taken_as_arrays() -> None:
    sequences = [torch.randn(3, 2), torch.randn(2, 2, requires_grad=True)]
    detached = [sequence.detach() for sequence in sequences]
    assert_equal(rnn.pad_sequence(sequences), torch_rnn.pad_sequence(detached))
    theirs = torch_rnn.pack_sequence(detached)
    assert_equal(rnn.pack_sequence(sequences), theirs)
    assert_equal(rnn.unpack_sequence(rnn.PackedSequence(*theirs)), detached)
    padded, lengths = torch_rnn.pad_packed_sequence(theirs)
    for numbers in (lengths, list(lengths)):
        assert_equal(rnn.pack_padded_sequence(padded, numbers), theirs)
    assert_equal(rnn.unpad_sequence(padded, lengths), detached)


@pytest.mark.parametrize(
    "sequences",
    [
        [np.array(["ab", "c"]), np.array(["e"])],
        [np.array(["2024-01-01", "NaT"], "M8[D]"), np.array(["2025-01-01"], "M8[D]")],
        [np.array([None, 1], object), np.array([2], object)],
        [np.zeros(2, "i4,f8"), np.ones(1, "i4,f8")],
        [np.array([1, 2], np.uint16), np.array([3], np.uint16)],
        [np.array([1, 2], np.longdouble), np.array([3], np.longdouble)],
        [np.array([1, 2], ">f4"), np.array([3], ">f4")],
    ],
)
def test_packing_dtypes_unknown_to_torch_are_kept(sequences: list[np.ndarray]) -> None:
    for unpacked in (
        rnn.unpack_sequence(rnn.pack_sequence(sequences)),
        rnn.unpad_sequence(rnn.pad_sequence(sequences), [2, 1]),
    ):
        for before, after in zip(sequences, unpacked, strict=True):
            np.testing.assert_array_equal(after, before)
            assert after.dtype == sequences[0].dtype.newbyteorder("=")


def test_packing_takes_memory_of_the_sequences_alone() -> None:
    steps, short = 100_000, 1000
    sequences = [np.ones(1)] * short + [np.ones(steps)]
    tracemalloc.start()
    try:
        rnn.unpack_sequence(rnn.pack_sequence(sequences, enforce_sorted=False))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10 * 8 * (steps + short) < 8 * steps * short / 50


# Round trips


@given(sequence_lists(), st.booleans())
def test_pack_and_unpack_return_the_sequences(
    sequences: list[np.ndarray], batch_first: bool
) -> None:
    packed = rnn.pack_sequence(sequences, enforce_sorted=False)
    padded, lengths = rnn.pad_packed_sequence(packed, batch_first)
    np.testing.assert_array_equal(padded, rnn.pad_sequence(sequences, batch_first))
    again = rnn.pack_padded_sequence(padded, lengths, batch_first, enforce_sorted=False)
    for unpacked in (
        rnn.unpack_sequence(packed),
        rnn.unpack_sequence(again),
        rnn.unpad_sequence(padded, lengths, batch_first),
    ):
        for before, after in zip(sequences, unpacked, strict=True):
            np.testing.assert_array_equal(after, before, strict=True)


# PackedSequence


def packed_example() -> rnn.PackedSequence:
    sequences = [values((1,), np.float64), values((3,), np.float64)]
    return rnn.pack_sequence(sequences, enforce_sorted=False)


def test_packed_sequence_missing_fields_are_completed_as_torch() -> None:
    data, batch_sizes, order, _ = packed_example()
    for args in (
        (data, batch_sizes),
        (data, batch_sizes, order),
        (data, batch_sizes, None, order),
        ((data, batch_sizes),),
        ([data, batch_sizes], None, order),
    ):
        ours, theirs = rnn.PackedSequence(*args), torch_rnn.PackedSequence(*to_torch(args))
        assert_equal(ours, theirs)
        assert ours._fields == theirs._fields
        assert ours.data is data
    assert rnn.PackedSequence(data, batch_sizes.astype(np.int16)).batch_sizes.dtype == np.int64


def test_packed_sequence_wrong_fields_raise() -> None:
    data, batch_sizes, order, _ = packed_example()
    for args in ((data,), ((data, batch_sizes, None),)):
        with pytest.raises(
            AssertionError, match="Expected data to be a list or tuple of length 2"
        ):
            rnn.PackedSequence(*args)
        with pytest.raises(
            AssertionError, match="Expected data to be a list or tuple of length 2"
        ):
            torch_rnn.PackedSequence(*to_torch(args))
    for args, match in (
        (([1.0], batch_sizes), "data must be a NumPy array, got list"),
        ((data, [2, 1, 1]), "batch_sizes must be a NumPy array, got list"),
        ((data, data), "batch_sizes must be an array of integers, got float64"),
        ((data, batch_sizes, [1, 0]), "sorted_indices must be a NumPy array, got list"),
        ((data, batch_sizes, order, data), "unsorted_indices must be an array of integers"),
    ):
        with pytest.raises(TypeError, match=match):
            rnn.PackedSequence(*args)


def test_packed_sequence_repr_is_that_of_a_named_tuple() -> None:
    packed = rnn.pack_sequence([np.array([1]), np.array([2, 3])], enforce_sorted=False)
    ours = "".join(repr(packed).split())
    theirs = "".join(repr(to_torch(packed)).split())
    assert ours == theirs.replace("tensor(", "array(")


@pytest.mark.parametrize(
    "duplicate", [copy.copy, copy.deepcopy, lambda packed: pickle.loads(pickle.dumps(packed))]
)
def test_packed_sequence_can_be_copied_and_pickled(duplicate: Callable[[Any], Any]) -> None:
    packed = packed_example()
    again = duplicate(packed)
    assert type(again) is rnn.PackedSequence
    assert_equal(again, to_torch(packed))


def test_packed_sequence_casts_equal_torch() -> None:
    packed, theirs = packed_example(), to_torch(packed_example())
    for ours in (packed.float(), packed.to(np.float32), packed.to("cpu", np.float32)):
        assert_equal(ours, theirs.float())
        assert type(ours) is rnn.PackedSequence
    for same in (packed.double(), packed.cpu(), packed.to("cpu"), packed.to(dtype=np.float64)):
        assert same is packed
    tokens = rnn.pack_sequence([np.array([1, 2]), np.array([3])])
    assert_equal(tokens.double(), to_torch(tokens).double())
    huge = rnn.pack_sequence([np.array([1e300])])
    assert_equal(huge.float(), to_torch(huge).float())


def test_packed_sequence_other_dtype_or_device_raises() -> None:
    with pytest.raises(TypeError, match=r"dtype must be numpy\.float32 or numpy\.float64"):
        packed_example().to(np.int64)
    with pytest.raises(RuntimeError, match="device must be None or 'cpu', got 'cuda'"):
        packed_example().to("cuda")

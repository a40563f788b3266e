"""The criterion of parity allows what it says and nothing more."""

from __future__ import annotations

import numpy as np
import pytest

from numpy_rnn.testing import compare
from numpy_rnn.testing.criterion import allowed_error
from numpy_rnn.testing.nested import leaves, map_leaves
from numpy_rnn.utils.rnn import PackedSequence, pack_sequence

SINGLE_ULP = 2.0**-23


def singles(*values):
    return np.array(values, np.float32)


@pytest.mark.parametrize("largest", [0.5, 1.0, 1000.0])
def test_compare_float64_allows_1e_12_of_the_largest_value_or_of_1(largest):
    theirs = np.array([largest, 0.0])
    allowed = 1e-12 * max(largest, 1.0)
    below, above = (np.array([largest, part * allowed]) for part in (0.9, 1.1))
    assert compare(below, theirs).agrees
    assert not compare(above, theirs).agrees
    assert not compare(above, theirs, margin=2).agrees


@pytest.mark.parametrize(("ulps", "agrees"), [(0, True), (2, True), (3, False)])
def test_compare_float32_allows_two_ulps_where_torch_is_exact(ulps, agrees):
    theirs = singles(1.0, 0.25)
    ours = theirs + singles(ulps * SINGLE_ULP, 0)
    assert compare(ours, theirs, theirs.astype(np.float64)).agrees == agrees


@pytest.mark.parametrize(("ulps", "agrees"), [(22, True), (23, False)])
def test_compare_float32_allows_twice_torchs_own_error(ulps, agrees):
    truth = np.array([1.0, 0.5])
    theirs = singles(1.0, 0.5 - 10 * SINGLE_ULP)
    found = compare(singles(1.0 + ulps * SINGLE_ULP, 0.5), theirs, truth)
    assert found.own == 10 * SINGLE_ULP
    assert found.error == ulps * SINGLE_ULP
    assert found.allowed == 22 * SINGLE_ULP
    assert found.agrees == agrees


def test_compare_with_a_margin_allows_so_many_times_as_much():
    theirs, truth = singles(1.0, 0.5), np.array([1.0, 0.5 + SINGLE_ULP])
    once, twice = (compare(theirs, theirs, truth, margin=margin) for margin in (1, 2))
    assert twice.allowed == 2 * once.allowed == 8 * SINGLE_ULP


def test_compare_takes_infinities_and_nans_that_are_torchs():
    theirs = singles(np.inf, -np.inf, np.nan, 1.0)
    truth = np.array([1e39, -1e39, np.nan, 1.0])
    found = compare(theirs.copy(), theirs, truth)
    assert found.agrees
    assert found.allowed == 2 * SINGLE_ULP


@pytest.mark.parametrize("other", [np.inf, -np.inf, np.nan, 1.0])
@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan, 1.0])
def test_compare_takes_no_other_infinity_or_nan(value, other):
    truth = np.array([value, 1.0])
    found = compare(singles(other, 1.0), singles(value, 1.0), truth)
    assert found.agrees == (str(value) == str(other))


def test_compare_integers_counts_those_that_differ():
    theirs = np.array([2**60, 2, 3])
    assert compare(theirs.copy(), theirs).agrees
    found = compare(np.array([2**60 + 1, 2, 4]), theirs)
    assert (found.error, found.agrees) == (2.0, False)


@pytest.mark.parametrize(
    "ours", [np.ones((2, 1), np.float32), np.ones(2), np.ones((1, 2), np.float32)]
)
def test_compare_of_another_shape_or_dtype_never_agrees(ours):
    assert compare(ours, np.ones(2, np.float32)).error == np.inf


def test_compare_of_nothing_agrees():
    empty = np.empty((0, 3), np.float32)
    assert compare(empty, empty.copy(), empty.astype(np.float64)).agrees


def test_allowed_error_beyond_the_largest_number_is_finite():
    assert np.isfinite(allowed_error(0.0, 1e39, np.dtype(np.float32)))


def test_leaves_names_the_fields_of_a_packed_sequence():
    packed = pack_sequence([np.ones(2), np.ones(1)])
    names = [name for name, _ in leaves((packed, None), "x")]
    assert names == [
        "x[0].data",
        "x[0].batch_sizes",
        "x[0].sorted_indices",
        "x[0].unsorted_indices",
        "x[1]",
    ]


def test_map_leaves_keeps_packed_sequences_lists_and_dicts():
    packed = pack_sequence([np.ones(2), np.ones(1)])
    result, (number,) = map_leaves(lambda leaf: leaf, ({"a": packed}, [3]))
    assert type(result["a"]) is PackedSequence
    assert number == 3

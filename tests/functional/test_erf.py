"""The error function beside ``math.erf`` and torch's."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from numpy_rnn.functional import erf as module
from numpy_rnn.functional.erf import erf


@given(hnp.arrays(np.float64, st.integers(0, 40), elements=st.floats(-8, 8)))
def test_erf_equals_math_within_three_units_in_the_last_place(x):
    x = np.where(np.abs(x) < 1e-300, 0, x)  # whose last place is not a normal number
    expected = np.array([math.erf(element) for element in x.tolist()])
    assert (np.abs(erf(x) - expected) <= 3 * np.spacing(np.abs(expected))).all()


def test_erf_over_its_range_equals_math_and_torch():
    x = np.concatenate([np.linspace(-7, 7, 20001), np.linspace(0.99, 1.01, 2001)])
    expected = np.array([math.erf(element) for element in x.tolist()])
    assert (np.abs(erf(x) - expected) <= 3 * np.spacing(np.abs(expected))).all()
    np.testing.assert_allclose(erf(x), torch.erf(torch.from_numpy(x)).numpy(), rtol=1e-15)
    single = x[np.abs(x) > 1e-9].astype(np.float32)  # np.spacing of 0 is not a normal number
    exact = torch.erf(torch.from_numpy(single).double()).numpy()
    got = erf(single)
    assert got.dtype == np.float32
    assert (np.abs(got - exact) <= 0.51 * np.spacing(np.abs(got))).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_erf_extreme_inputs_equal_torch(dtype):
    x = np.array([np.inf, -np.inf, np.nan, 0.0, -0.0, 1e30, -1e30, 6, 27, 1e-30], dtype)
    got = erf(x)
    expected = torch.erf(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(got, expected, rtol=1e-6)
    np.testing.assert_array_equal(np.signbit(got[3:5]), [False, True])


def test_erf_in_blocks_of_any_layout_equals_one_block(rng, monkeypatch):
    x = rng.standard_normal((7, 5, 3))
    whole = erf(x)
    monkeypatch.setattr(module, "BLOCK", 8)
    np.testing.assert_array_equal(erf(x), whole)
    np.testing.assert_array_equal(erf(x.T[::-1]), whole.T[::-1])

"""Functions of vectors: `normalize`, `cosine_similarity` and `one_hot`."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from numpy_rnn import functional as F  # noqa: N812  # as it is always imported
from tests.support.compare import (
    assert_function_parity,
    assert_same_error,
    raised_by,
    to_torch,
)

SHAPES = hnp.array_shapes(min_dims=1, max_dims=4, max_side=5)
FLOATS = SHAPES.flatmap(
    lambda shape: st.one_of(
        hnp.arrays(np.float32, shape, elements=st.floats(-100, 100, width=32)),
        hnp.arrays(np.float64, shape, elements=st.floats(-100, 100)),
    )
)


@given(FLOATS, st.sampled_from([2, 2.0, 1, 3.5, 0, math.inf, -math.inf]), st.data())
def test_normalize_equals_torch(x, p, data):
    axis = st.integers(-x.ndim, x.ndim - 1)
    dim = data.draw(
        st.one_of(axis, st.lists(axis, unique_by=lambda i: i % x.ndim, min_size=1).map(tuple))
    )
    assert_function_parity(
        "normalize", x, p=p, dim=dim, eps=data.draw(st.sampled_from([1e-12, 3]))
    )


def test_normalize_without_axes_or_elements_equals_torch():
    for x in (np.array(-3.0), np.zeros((0, 3)), np.zeros((3, 0))):
        assert_function_parity("normalize", x, dim=-1)


def test_normalize_wrong_input_raises():
    x = np.zeros((2, 3))
    for dim in (2, -3):
        assert_same_error(
            lambda: F.normalize(x, dim=dim),  # noqa: B023
            lambda: torch.nn.functional.normalize(torch.from_numpy(x), dim=dim),  # noqa: B023
        )
    with pytest.raises(TypeError, match="input must be a float32 or float64 array, got int64"):
        F.normalize(np.zeros((2, 3), int))


@given(
    hnp.mutually_broadcastable_shapes(num_shapes=2, min_dims=1, max_dims=3, max_side=4),
    st.data(),
    st.integers(0, 2**32),
)
def test_cosine_similarity_equals_torch(shapes, data, seed):
    rng = np.random.default_rng(seed)
    axes = len(shapes.result_shape)
    dim = data.draw(st.integers(-axes, axes - 1))
    dtype = data.draw(st.sampled_from([np.float32, np.float64]))
    arrays = [rng.standard_normal(shape).astype(dtype) for shape in shapes.input_shapes]
    assert_function_parity("cosine_similarity", *arrays, dim=dim)
    assert_function_parity("cosine_similarity", *(a * 0 for a in arrays), dim=dim, eps=0.5)


def test_cosine_similarity_of_two_dtypes_is_float64_as_torch(rng):
    single, double = rng.standard_normal((2, 3)).astype(np.float32), rng.standard_normal((2, 3))
    expected = torch.nn.functional.cosine_similarity(*to_torch((single, double))).numpy()
    got = F.cosine_similarity(single, double)
    assert got.dtype == expected.dtype == np.float64
    exact = torch.nn.functional.cosine_similarity(*to_torch((single.astype(float), double)))
    np.testing.assert_allclose(got, exact, rtol=1e-12)
    np.testing.assert_allclose(expected, exact, rtol=1e-6)  # torch has norms in float32


def test_cosine_similarity_without_axes_equals_torch():
    assert_function_parity("cosine_similarity", np.array(2.0), np.array(-3.0), dim=0)


def test_cosine_similarity_wrong_input_raises():
    x = np.zeros((2, 3))
    assert_same_error(
        lambda: F.cosine_similarity(x, x, 2),
        lambda: torch.nn.functional.cosine_similarity(*to_torch((x, x)), 2),
    )
    assert (
        type(
            raised_by(
                lambda: torch.nn.functional.cosine_similarity(*to_torch((x, np.zeros((2, 4)))))
            )
        )
        is RuntimeError
    )
    with pytest.raises(RuntimeError, match=r"broadcast together, got the shapes \(2, 3\) and"):
        F.cosine_similarity(x, np.zeros((2, 4)))
    with pytest.raises(TypeError, match="x2 must be a float32 or float64 array, got int64"):
        F.cosine_similarity(x, np.zeros((2, 3), int))


@given(
    hnp.arrays(np.int64, hnp.array_shapes(min_dims=0, max_side=4), elements=st.integers(-1, 5)),
    st.integers(-2, 7),
)
def test_one_hot_equals_torch(indices, num_classes):
    expected = raised_by(
        lambda: torch.nn.functional.one_hot(torch.from_numpy(indices), num_classes)
    )
    if expected is not None:
        assert_same_error(
            lambda: F.one_hot(indices, num_classes),
            lambda: torch.nn.functional.one_hot(torch.from_numpy(indices), num_classes),
        )
        return
    got = F.one_hot(indices, num_classes)
    theirs = torch.nn.functional.one_hot(torch.from_numpy(indices), num_classes).numpy()
    np.testing.assert_array_equal(got, theirs)
    assert got.dtype == np.int64


def test_one_hot_of_nothing_equals_torch():
    empty = np.zeros((2, 0), np.int64)
    assert F.one_hot(empty, 3).shape == (2, 0, 3)
    error = raised_by(lambda: torch.nn.functional.one_hot(torch.from_numpy(empty)))
    assert type(error) is RuntimeError
    with pytest.raises(RuntimeError, match="Can not infer total number of classes from empty"):
        F.one_hot(empty)


@pytest.mark.parametrize("dtype", ["int32", "uint8", "float32", "bool"])
def test_one_hot_of_another_dtype_raises_as_torch(dtype):
    indices = np.zeros(2, dtype)
    error = raised_by(lambda: torch.nn.functional.one_hot(torch.from_numpy(indices)))
    assert type(error) is RuntimeError
    with pytest.raises(RuntimeError, match=rf"only applicable to arrays of int64, got {dtype}"):
        F.one_hot(indices)

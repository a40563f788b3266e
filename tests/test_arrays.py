"""`numpy_rnn.arrays` beside torch: values, dtypes, shapes, views, errors."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import numpy_rnn as nn
from numpy_rnn import arrays

ARRAYS = hnp.arrays(
    st.sampled_from([np.float32, np.float64, np.int64]),
    hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4),
    elements=st.integers(-3, 3),
)


def assert_equal(got, expected):
    if isinstance(expected, torch.Tensor):
        np.testing.assert_array_equal(got, expected.numpy(), strict=True)
    else:
        assert len(got) == len(expected)
        for mine, other in zip(got, expected, strict=True):
            assert_equal(mine, other)


@given(ARRAYS, st.data())
def test_arrays_parts_equal_torch(x, data):
    dim = data.draw(st.integers(-x.ndim, x.ndim - 1))
    size = data.draw(st.integers(1, 5))
    tensor = torch.from_numpy(x.copy())
    assert_equal(arrays.split(x, size, dim), tensor.split(size, dim))
    assert_equal(arrays.chunk(x, size, dim), tensor.chunk(size, dim))
    cut = data.draw(st.integers(0, x.shape[dim]))
    sizes = [cut, 0, x.shape[dim] - cut]
    assert_equal(arrays.split(x, sizes, dim), tensor.split(sizes, dim))
    assert_equal(arrays.narrow(x, dim, cut, sizes[2]), tensor.narrow(dim, cut, sizes[2]))
    start = data.draw(st.integers(0, x.ndim - 1))
    assert_equal(arrays.flatten(x, start), tensor.flatten(start))
    assert_equal(arrays.flatten(x, 0, start), tensor.flatten(0, start))


@given(ARRAYS, st.data())
def test_arrays_order_equals_torch(x, data):
    dim = data.draw(st.integers(-x.ndim, x.ndim - 1))
    descending = data.draw(st.booleans())
    tensor = torch.from_numpy(x.copy())
    expected = torch.sort(tensor, dim=dim, descending=descending, stable=True)
    assert_equal(arrays.sort(x, dim, descending), tuple(expected))
    k = data.draw(st.integers(0, x.shape[dim]))
    values = arrays.topk(x, k, dim, largest=descending).values
    assert_equal(values, tensor.topk(k, dim, largest=descending).values)
    if x.shape[dim]:
        assert_equal(arrays.max(x, dim).values, tensor.max(dim).values)
        assert_equal(arrays.min(x, dim, keepdim=True).values, tensor.min(dim, True).values)


@given(ARRAYS, st.data())
def test_arrays_gather_and_scatter_equal_torch(x, data):
    dim = data.draw(st.integers(-x.ndim, x.ndim - 1))
    shape = [data.draw(st.integers(0, length)) for length in x.shape]
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    length = x.shape[dim]
    if length == 0:
        shape = [0] * x.ndim
    # Along the axis no index twice, or torch's order of writing decides.
    order = rng.permuted(np.broadcast_to(np.arange(length), (*shape, length)), axis=-1)
    index = np.zeros(shape, np.int64)
    if index.size:
        places = np.arange(shape[dim]).reshape(
            [-1 if a == dim % x.ndim else 1 for a in range(x.ndim)]
        )
        lines = np.take(order, 0, axis=dim % x.ndim) if x.ndim > 1 else order[0]
        lines = np.expand_dims(lines, dim % x.ndim)
        index = np.take_along_axis(lines, np.broadcast_to(places, shape)[..., None], -1)[..., 0]
    tensor, indices = torch.from_numpy(x.copy()), torch.from_numpy(index)
    assert_equal(arrays.gather(x, dim, index), tensor.gather(dim, indices))
    source = (x + 7).astype(x.dtype)
    before = x.copy()
    expected = tensor.scatter(dim, indices, torch.from_numpy(source))
    assert_equal(arrays.scatter(x, dim, index, source), expected)
    assert_equal(arrays.scatter(x, dim, index, 2), tensor.scatter(dim, indices, 2))
    np.testing.assert_array_equal(x, before)


def test_arrays_expand_and_unfold_equal_torch(rng):
    x = rng.standard_normal((1, 5))
    tensor = torch.from_numpy(x)
    assert_equal(arrays.expand(x, 3, -1), tensor.expand(3, -1))
    assert_equal(arrays.expand(x, (2, 3, 5)), tensor.expand(2, 3, 5))
    assert_equal(arrays.unfold(x, 1, 3, 2), tensor.unfold(1, 3, 2))
    assert_equal(arrays.unfold(x, -1, 5, 1), tensor.unfold(-1, 5, 1))
    assert not arrays.expand(x, 3, -1).flags.writeable


def test_arrays_masked_fill_keeps_the_dtype(rng):
    x = rng.standard_normal((2, 3)).astype(np.float32)
    mask = np.array([[True], [False]])
    expected = torch.from_numpy(x).masked_fill(torch.from_numpy(mask), -1e9)
    assert_equal(arrays.masked_fill(x, mask, -1e9), expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_arrays_rand_and_randn_draw_what_torch_draws(dtype):
    kind = torch.float32 if dtype is np.float32 else torch.float64
    torch.manual_seed(3)
    nn.manual_seed(3)
    assert_equal(arrays.rand(2, 3, dtype=dtype), torch.rand(2, 3, dtype=kind))
    np.testing.assert_allclose(
        arrays.randn((4, 9), dtype=dtype), torch.randn(4, 9, dtype=kind).numpy(), rtol=1e-6
    )


@pytest.mark.parametrize("replacement", [True, False])
def test_arrays_multinomial_draws_with_its_probabilities(replacement):
    nn.manual_seed(0)
    p = np.array([0.0, 1.0, 3.0], np.float32)
    drawn = arrays.multinomial(np.tile(p, (4000, 1)), 1, replacement)
    assert drawn.shape == (4000, 1)
    assert drawn.dtype == np.int64
    counts = np.bincount(drawn[:, 0], minlength=3)
    assert counts[0] == 0
    assert abs(counts[2] / 4000 - 0.75) < 0.03
    assert sorted(arrays.multinomial(p, 2)) == [1, 2]


X = np.zeros((2, 3))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: arrays.split(X, [1, 3], 1),
            ValueError,
            "split_size must be lengths whose sum is 3",
        ),
        (lambda: arrays.split(X, 0), ValueError, "split_size must be positive, got 0"),
        (lambda: arrays.chunk(X, 0), ValueError, "chunks must be at least 1, got 0"),
        (
            lambda: arrays.narrow(X, 1, 2, 2),
            ValueError,
            "start 2 and length 2 must be within axis 1",
        ),
        (
            lambda: arrays.flatten(X, 1, 0),
            ValueError,
            "start_dim 1 must not be after end_dim 0",
        ),
        (lambda: arrays.flatten(X, 2), IndexError, "dim must be from -2 to 1, got 2"),
        (
            lambda: arrays.expand(X, 3),
            ValueError,
            "sizes must be at least 2, one for each axis",
        ),
        (
            lambda: arrays.gather(X, 1, np.array([0])),
            ValueError,
            "index must have as many axes as x",
        ),
        (
            lambda: arrays.gather(X, 1, np.array([[-1]])),
            IndexError,
            "index must be from 0 to 2 along",
        ),
        (
            lambda: arrays.topk(X, 4),
            ValueError,
            "k must be from 0 to 3, the length of axis -1, got 4",
        ),
        (
            lambda: arrays.multinomial(-X - 1, 1),
            ValueError,
            "probabilities must be finite and not",
        ),
        (
            lambda: arrays.multinomial(np.array([1.0, 0]), 2),
            ValueError,
            "num_samples must not exceed",
        ),
    ],
)
def test_arrays_bad_arguments_raise(call, error, message):
    with pytest.raises(error, match=re.escape(message)):
        call()

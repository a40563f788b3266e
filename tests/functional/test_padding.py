"""Padding against torch: its database of functions, several axes, errors."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from numpy_rnn import functional as F  # noqa: N812  # as it is always imported
from tests.support.arrays import ARRANGEMENTS
from tests.support.compare import assert_close, raised_by
from tests.support.databases import assert_same_fault, entries, samples

DATABASE = entries("pad")
MODES = ["reflect", "replicate", "circular"]
OVERFLOW = ("multiplication overflow", "is too small", "negative dimension", "Negative padding")
"""What torch says where negative padding leaves nothing."""


@pytest.mark.parametrize("info", DATABASE, ids=lambda info: info.variant_test_name)
def test_pad_every_sample_input_equals_torch(info):
    count = 0
    for dtype in (torch.float32, torch.float64, torch.int64, torch.uint8, torch.complex64):
        for inputs, options in samples(info, dtype):
            x, sizes = torch.from_numpy(inputs[0]), inputs[1:]
            expected = torch.nn.functional.pad(x, *sizes, **options)
            assert_equal(F.pad(*inputs, **options), expected)
            count += 1
    assert count > 20


def assert_equal(ours, theirs):
    assert type(ours) is np.ndarray
    assert ours.dtype == theirs.numpy().dtype
    np.testing.assert_array_equal(ours, theirs.numpy())


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("mode", MODES)
@given(st.data())
def test_pad_reflect_replicate_circular_equal_torch(mode, axes, data):
    dims = axes + data.draw(st.integers(1, 2))
    side = hnp.array_shapes(min_dims=dims, max_dims=dims, min_side=1, max_side=5)
    x = data.draw(hnp.arrays(np.int64, side, elements=st.integers(0, 99), fill=st.nothing()))
    sizes = data.draw(st.lists(st.integers(-2, 4), min_size=2 * axes, max_size=2 * axes))
    tensor = torch.from_numpy(x)
    for axis in range(axes):  # where a circle goes round more than is left, torch reads beyond
        before, after = sizes[2 * axis : 2 * axis + 2]
        left_over = x.shape[-1 - axis] + min(before, 0) + min(after, 0)
        wraps = min(before, after) < 0 and max(before, after) > left_over
        assume(mode != "circular" or not wraps)
    expected = raised_by(lambda: torch.nn.functional.pad(tensor, sizes, mode))
    if expected is None:
        got = F.pad(x, sizes, mode)
        assert_equal(got, torch.nn.functional.pad(tensor, sizes, mode))
        assert not np.shares_memory(got, x)
    elif any(text in str(expected) for text in OVERFLOW):
        with pytest.raises(RuntimeError, match="pad must leave an element of an axis"):
            F.pad(x, sizes, mode)
    else:
        assert_same_fault(
            lambda: F.pad(x, sizes, mode), lambda: torch.nn.functional.pad(tensor, sizes, mode)
        )


SHAPES = [
    *((), (3,), (4, 4), (2, 4, 4), (2, 3, 4, 4), (1, 2, 3, 4, 4), (1, 1, 2, 3, 4, 4)),
    *((0, 2, 4, 4), (2, 0, 4, 4), (2, 2, 0, 4), (2, 2, 4, 0), (0, 4, 4), (2, 0, 4), (2, 4, 0)),
    *((0, 4), (4, 0)),
]


@pytest.mark.parametrize("count", [0, 1, 2, 4, 6, 8])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("mode", MODES)
def test_pad_of_any_axes_does_what_torch_does(mode, shape, count):
    x, sizes = np.ones(shape), (1,) * count
    tensor = torch.from_numpy(x)
    if raised_by(lambda: torch.nn.functional.pad(tensor, sizes, mode)) is None:
        assert_close(F.pad(x, sizes, mode), torch.nn.functional.pad(tensor, sizes, mode))
    else:
        assert_same_fault(
            lambda: F.pad(x, sizes, mode), lambda: torch.nn.functional.pad(tensor, sizes, mode)
        )


@pytest.mark.parametrize("sizes", [(0, 0, 0, 0), (1, 2, 0, 1), (-1, 1, 1, -1)], ids=str)
@pytest.mark.parametrize("mode", ["constant", *MODES])
@pytest.mark.parametrize("layout", ARRANGEMENTS)
def test_pad_every_memory_layout_gives_equal_unshared_results(rng, layout, mode, sizes):
    x = ARRANGEMENTS[layout](rng.standard_normal((2, 3, 5, 4)).astype(np.float32))
    plain = np.array(x, np.float32)
    got = F.pad(x, sizes, mode)
    assert_equal(got, torch.nn.functional.pad(torch.from_numpy(plain), sizes, mode))
    assert got.flags.c_contiguous
    assert got.flags.writeable
    np.testing.assert_array_equal(x, plain)
    assert not np.shares_memory(got, x)

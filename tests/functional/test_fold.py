"""unfold against torch: its database of functions, a grid of options, errors."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from numpy_rnn import functional as F  # noqa: N812  # as it is always imported
from tests.support.arrays import ARRANGEMENTS
from tests.support.compare import raised_by
from tests.support.databases import assert_same_fault, entries, samples

DTYPES = [torch.float32, torch.float64, torch.complex64, torch.bool]


def assert_same_outcome(x, *arguments):
    tensor = torch.from_numpy(x)
    if raised_by(lambda: torch.nn.functional.unfold(tensor, *arguments)) is None:
        theirs = torch.nn.functional.unfold(tensor, *arguments).numpy()
        ours = F.unfold(x, *arguments)
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)
    else:
        assert_same_fault(
            lambda: F.unfold(x, *arguments),
            lambda: torch.nn.functional.unfold(tensor, *arguments),
        )


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_unfold_every_sample_input_equals_torch(dtype):
    (info,) = entries("unfold")
    count = 0
    for inputs, options in samples(info, dtype):
        x, *arguments = inputs
        assert not options
        assert_same_outcome(x, *arguments)
        count += 1
    assert count > 100


OPTION = st.tuples(st.integers(1, 3), st.integers(1, 3))


@given(
    st.sampled_from([(2, 3), (3,), (0, 2)]),
    st.integers(1, 7),
    st.integers(1, 7),
    *[OPTION] * 2,
    st.tuples(st.integers(0, 3), st.integers(0, 3)),
    OPTION,
)
def test_unfold_equals_torch(lead, height, width, kernel, dilation, padding, stride):
    x = np.arange(1.0, 1 + int(np.prod((*lead, height, width)))).reshape(*lead, height, width)
    assert_same_outcome(x, kernel, dilation, padding, stride)


@pytest.mark.parametrize(
    "arguments",
    [
        *(((2,),), ((2, 2, 2),), (0,), (-1,), (5,), ((),), ((2, 0),)),
        *((2, 0), (2, 1, -1), (2, 1, 0, 0), (2, 1, 0, -1), (2, (1,)), (2, 1, (1,))),
        (2, 1, 0, (1,)),
    ],
    ids=str,
)
def test_unfold_wrong_option_raises_as_torch(arguments):
    assert_same_outcome(np.zeros((1, 1, 4, 4)), *arguments)


@pytest.mark.parametrize("value", [2.0, True, "a", None, (2, 0.5)], ids=str)
def test_unfold_option_of_another_type_raises(value):
    tensor = torch.zeros(1, 1, 4, 4)
    assert type(raised_by(lambda: torch.nn.functional.unfold(tensor, value))) is TypeError
    with pytest.raises(
        TypeError, match=r"im2col\(\): argument 'kernel_size' \(position 2\) must"
    ):
        F.unfold(tensor.numpy(), value)


@pytest.mark.parametrize(
    "shape",
    [
        *((3,), (4, 4), (2, 4, 4), (1, 2, 3, 4, 4), (0, 3, 4, 4), (2, 0, 4, 4), (2, 3, 0, 4)),
        *((2, 3, 4, 0), (0, 4, 4), (2, 0, 4), (2, 4, 0)),
    ],
    ids=str,
)
def test_unfold_of_any_shape_does_what_torch_does(shape):
    assert_same_outcome(np.ones(shape), 2)


@pytest.mark.parametrize("dtype", ["int64", "uint8", "float16"])
def test_unfold_of_another_dtype_raises(dtype):
    with pytest.raises(TypeError, match=f"input must be a float32 or float64 .* got {dtype}"):
        F.unfold(np.zeros((1, 4, 4), dtype), 2)


@pytest.mark.parametrize("layout", ARRANGEMENTS)
def test_unfold_every_memory_layout_gives_equal_unshared_results(rng, layout):
    x = ARRANGEMENTS[layout](rng.standard_normal((2, 3, 5, 4)).astype(np.float32))
    plain = np.array(x, np.float32)
    for kernel in (1, 2):
        got = F.unfold(x, kernel)
        assert type(got) is np.ndarray
        np.testing.assert_array_equal(got, F.unfold(plain, kernel))
        assert not np.shares_memory(got, x)
    np.testing.assert_array_equal(x, plain)

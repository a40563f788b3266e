"""Pools against torch: its database of functions, grids of options, NaN, integers, errors."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from numpy_rnn import functional as F  # noqa: N812  # as it is always imported
from tests.support.arrays import ARRANGEMENTS, peak_memory
from tests.support.compare import assert_function_parity, raised_by
from tests.support.databases import assert_same_fault, entries, faults, samples

FUNCTIONS = [
    *("max_pool1d", "max_pool2d", "avg_pool1d", "avg_pool2d"),
    *("adaptive_avg_pool1d", "adaptive_avg_pool2d"),
    *("adaptive_max_pool1d", "adaptive_max_pool2d"),
]
DATABASE = entries(*FUNCTIONS)


def axes_of(name):
    return int(name[-2])


def with_torch(name, x, *arguments, **options):
    """Return our results and torch's, as lists of arrays."""
    ours = getattr(F, name)(x, *arguments, **options)
    theirs = getattr(torch.nn.functional, name)(torch.from_numpy(x), *arguments, **options)
    if not isinstance(ours, tuple):
        ours, theirs = (ours,), (theirs,)
    return list(ours), [tensor.numpy() for tensor in theirs]


def assert_equal(name, x, *arguments, **options):
    for mine, other in zip(*with_torch(name, x, *arguments, **options), strict=True):
        assert mine.dtype == other.dtype
        np.testing.assert_array_equal(mine, other)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("info", DATABASE, ids=lambda info: info.name)
def test_pool_every_sample_input_equals_torch(info, dtype):
    count = 0
    for inputs, options in samples(info, dtype):
        assert_function_parity(info.name.removeprefix("nn.functional."), *inputs, **options)
        count += 1
    assert count > 3


@pytest.mark.parametrize("info", DATABASE, ids=lambda info: info.name)
def test_pool_every_error_input_raises_as_torch(info):
    count = 0
    for ours, theirs in faults(info):
        assert_same_fault(ours, theirs)
        count += 1
    assert count > 1


def test_pool_database_has_every_function():
    assert {info.name.removeprefix("nn.functional.") for info in DATABASE} == set(FUNCTIONS)


SIZES = st.integers(1, 9)
OPTION = st.integers(1, 4)


@st.composite
def arrays(draw, axes, dtypes=(np.float32, np.float64), elements=None):
    lead = draw(st.sampled_from([(2,), (3, 2), (0, 2)]))
    shape = (*lead, *(draw(SIZES) for _ in range(axes)))
    dtype = draw(st.sampled_from(dtypes))
    if elements is None:
        elements = st.floats(-100, 100, width=32)
    return draw(hnp.arrays(dtype, shape, elements=elements))


@st.composite
def sliding(draw, axes, dilated):
    kernel = tuple(draw(OPTION) for _ in range(axes))
    options = {
        "kernel_size": kernel,
        "stride": draw(st.one_of(st.none(), OPTION, st.tuples(*[OPTION] * axes))),
        "padding": tuple(draw(st.integers(0, size // 2)) for size in kernel),
        "ceil_mode": draw(st.booleans()),
    }
    if dilated:
        options["dilation"] = tuple(draw(st.integers(1, 3)) for _ in range(axes))
    return options


ACCIDENTS = ("has no len()", "failed to unpack", "found element of type str")
"""Parts of messages that depend on how torch happens to look at what it was given."""


def assert_same_outcome(name, x, *arguments, **options):
    def ours():
        return getattr(F, name)(x, *arguments, **options)

    def theirs():
        return getattr(torch.nn.functional, name)(torch.from_numpy(x), *arguments, **options)

    expected = raised_by(theirs)
    if expected is None:
        assert_function_parity(name, x, *arguments, **options)
    elif any(accident in str(expected) for accident in ACCIDENTS):
        assert type(raised_by(ours)) is type(expected)
    else:
        assert_same_fault(ours, theirs)


FEW = st.sampled_from([0.0, -0.0, 1.0, 2.0, -1.0, np.nan, np.inf, -np.inf])


@pytest.mark.parametrize("return_indices", [False, True])
@pytest.mark.parametrize("name", ["max_pool1d", "max_pool2d"])
@given(st.data())
def test_max_pool_ties_nans_and_infinities_equal_torch(name, return_indices, data):
    axes = axes_of(name)
    x = data.draw(arrays(axes, elements=FEW))
    options = data.draw(sliding(axes, dilated=True)) | {"return_indices": return_indices}
    tensor = torch.from_numpy(x)
    if raised_by(lambda: getattr(torch.nn.functional, name)(tensor, **options)) is None:
        assert_equal(name, x, **options)
    else:
        assert_same_outcome(name, x, **options)


@pytest.mark.parametrize("name", ["avg_pool1d", "avg_pool2d"])
@given(st.data())
def test_avg_pool_equals_torch(name, data):
    axes = axes_of(name)
    options = data.draw(sliding(axes, dilated=False))
    options["count_include_pad"] = data.draw(st.booleans())
    if axes == 2:
        options["divisor_override"] = data.draw(st.sampled_from([None, 3, -2, 1]))
    assert_same_outcome(name, data.draw(arrays(axes)), **options)


@pytest.mark.parametrize("name", ["adaptive_avg_pool1d", "adaptive_avg_pool2d"])
@given(st.data())
def test_adaptive_avg_pool_equals_torch(name, data):
    axes = axes_of(name)
    sizes = st.integers(0, 12) if axes == 1 else st.one_of(st.none(), st.integers(0, 12))
    size = tuple(data.draw(sizes) for _ in range(axes))
    assert_same_outcome(name, data.draw(arrays(axes)), output_size=size)


@pytest.mark.parametrize("return_indices", [False, True])
@pytest.mark.parametrize("name", ["adaptive_max_pool1d", "adaptive_max_pool2d"])
@given(st.data())
def test_adaptive_max_pool_ties_nans_and_infinities_equal_torch(name, return_indices, data):
    axes = axes_of(name)
    sizes = st.integers(0, 12) if axes == 1 else st.one_of(st.none(), st.integers(0, 12))
    size = tuple(data.draw(sizes) for _ in range(axes))
    x = data.draw(arrays(axes, elements=FEW))
    assert_equal(name, x, size, return_indices=return_indices)


@pytest.mark.parametrize("name", ["avg_pool1d", "avg_pool2d", "adaptive_avg_pool2d"])
def test_mean_of_nans_and_infinities_equals_torch(name):
    x = np.zeros((1, 2, 2, 8))
    x[..., 1], x[..., 2], x[..., 4], x[..., 7] = np.nan, np.inf, np.inf, -np.inf
    assert_equal(name, x[0] if axes_of(name) == 1 else x, 2)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32", "int64"])
def test_max_pool_of_integers_equals_torch(rng, dtype):
    limits = np.iinfo(dtype)
    x = rng.integers(limits.min, limits.max, (2, 3, 5, 6), dtype, endpoint=True)
    for return_indices in (False, True):
        assert_equal("max_pool2d", x, 3, 2, 1, return_indices=return_indices)
    assert_equal("max_pool1d", x[0], 3, 2, 1, return_indices=True)


@given(st.data())
def test_avg_pool_of_int64_is_truncated_as_torch(data):
    x = data.draw(arrays(2, dtypes=(np.int64,), elements=st.integers(-9, 9)))
    options = data.draw(sliding(2, dilated=False))
    options["divisor_override"] = data.draw(st.sampled_from([None, 3, -2]))
    if (
        raised_by(lambda: torch.nn.functional.avg_pool2d(torch.from_numpy(x), **options))
        is None
    ):
        assert_equal("avg_pool2d", x, **options)


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("max_pool1d", "int64"),
        ("max_pool2d", "bool"),
        ("max_pool2d", "float16"),
        ("max_pool2d", "complex64"),
        ("avg_pool1d", "int32"),
        ("avg_pool2d", "uint8"),
        ("adaptive_avg_pool1d", "int64"),
        ("adaptive_avg_pool2d", "float16"),
        ("adaptive_max_pool1d", "int64"),
        ("adaptive_max_pool2d", "bool"),
    ],
)
def test_pool_of_another_dtype_raises(name, dtype):
    with pytest.raises(TypeError, match=f"input must be a float32 or float64 .* got {dtype}"):
        getattr(F, name)(np.zeros((1, 4, 4), dtype), 2)
    with pytest.raises(TypeError, match="input must be a NumPy array, got list"):
        getattr(F, name)([[[1.0]]], 1)


SLIDING_FAULTS = [
    *({"kernel_size": value} for value in [0, -1, 7, (2, 2, 2), (), 2.0, "2", True, None]),
    *({"kernel_size": value} for value in [(2.0,), (True, 2)]),
    *({"stride": value} for value in [0, -1, (1, 1, 1), 1.0, (0, 0.5)]),
    *({"padding": value} for value in [-1, 2, (1, 1, 1), 0.5]),
    *({"dilation": value} for value in [0, -1, (1, 1, 1), 1.5]),
    {"kernel_size": 3, "padding": 2, "dilation": 2},
    {"kernel_size": 3, "padding": 3, "dilation": 2},
    {"kernel_size": 4, "dilation": 2},
    {"kernel_size": -1, "stride": 1},
]
ADAPTIVE_FAULTS = [
    *(-1, (), (2, 2, 2), 2.0, "a", True, (2.0,), (True, 2), None, (-1, 2), (2, -1)),
]
SHAPES = [
    *((3,), (4, 4), (2, 4, 4), (2, 3, 4, 4), (1, 2, 3, 4, 4), (0, 3, 4, 4), (2, 0, 4, 4)),
    *((2, 3, 0, 4), (2, 3, 4, 0), (0, 4, 4), (2, 0, 4), (2, 4, 0), (0, 4), (4, 0)),
]


@pytest.mark.parametrize("return_indices", [False, True])
@pytest.mark.parametrize("fault", SLIDING_FAULTS, ids=str)
@pytest.mark.parametrize("name", ["max_pool1d", "max_pool2d"])
def test_max_pool_wrong_option_raises_as_torch(name, fault, return_indices):
    x = np.zeros((2, 3, 6, 6)[: axes_of(name) + 2])
    options = {"kernel_size": 2, "stride": 1, "return_indices": return_indices} | fault
    if "kernel_size" in fault and "stride" not in fault:
        del options["stride"]
    assert_same_outcome(name, x, **options)


@pytest.mark.parametrize("fault", [f for f in SLIDING_FAULTS if "dilation" not in f], ids=str)
@pytest.mark.parametrize("name", ["avg_pool1d", "avg_pool2d"])
def test_avg_pool_wrong_option_raises_as_torch(name, fault):
    x = np.zeros((2, 3, 6, 6)[: axes_of(name) + 2])
    options = {"kernel_size": 2, "stride": 1} | fault
    if "kernel_size" in fault and "stride" not in fault:
        del options["stride"]
    assert_same_outcome(name, x, *options.values())


@pytest.mark.parametrize("divisor", [0, 1.5, True, "2"])
def test_avg_pool2d_wrong_divisor_raises_as_torch(divisor):
    x = np.zeros((1, 4, 4))
    assert_same_outcome("avg_pool2d", x, kernel_size=2, divisor_override=divisor)


@pytest.mark.parametrize("option", ["ceil_mode", "count_include_pad"])
@pytest.mark.parametrize("name", ["max_pool1d", "max_pool2d", "avg_pool1d", "avg_pool2d"])
def test_pool_option_that_is_no_bool_raises_as_torch(name, option):
    if option == "ceil_mode" or "avg" in name:
        x = np.zeros((2, 3, 6, 6)[: axes_of(name) + 2])
        for value in (1, None):
            assert_same_outcome(name, x, kernel_size=2, **{option: value})


@pytest.mark.parametrize("fault", ADAPTIVE_FAULTS, ids=repr)
@pytest.mark.parametrize("name", [name for name in FUNCTIONS if "adaptive" in name])
def test_adaptive_pool_wrong_size_raises_as_torch(name, fault):
    x = np.zeros((2, 3, 6, 6)[: axes_of(name) + 2])
    assert_same_outcome(name, x, fault)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_pool_of_any_shape_does_what_torch_does(name, shape):
    assert_same_outcome(name, np.ones(shape), **{size_name(name): 2})
    if "max" in name:
        options = {size_name(name): 2, "return_indices": True}
        assert_same_outcome(name, np.ones(shape), **options)


def size_name(name):
    return "output_size" if "adaptive" in name else "kernel_size"


@pytest.mark.parametrize("layout", ARRANGEMENTS)
@pytest.mark.parametrize("size", [1, 2, (5, 4)], ids=str)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_pool_every_memory_layout_gives_equal_unshared_results(rng, name, size, layout):
    if axes_of(name) == 1 and size == (5, 4):
        size = 4
    shape = (2, 3, 5, 4) if axes_of(name) == 2 else (2, 3, 4)
    x = ARRANGEMENTS[layout](rng.standard_normal(shape).astype(np.float32))
    plain = np.array(x, np.float32)
    got = getattr(F, name)(x, size)
    assert type(got) is np.ndarray
    assert got.dtype == np.float32
    assert got.flags.writeable
    np.testing.assert_allclose(got, getattr(F, name)(plain, size), rtol=0, atol=1e-6)
    np.testing.assert_array_equal(x, plain)
    assert not np.shares_memory(got, x)


@pytest.mark.parametrize("name", ["max_pool2d", "avg_pool2d"])
def test_pool_large_kernel_takes_memory_of_its_output(rng, name):
    """(1, 8, 128, 128) through windows of 31 x 31: the windows themselves would be 300 MiB."""
    x = rng.standard_normal((1, 8, 128, 128)).astype(np.float32)
    assert peak_memory(lambda: getattr(F, name)(x, 31, 1, 15)) < 5 * x.nbytes

"""Activation functions: what they take, and their errors. Values are in `modules/`."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from numpy_rnn import functional as F  # noqa: N812  # as it is always imported
from tests.support.compare import assert_function_parity, assert_same_error, raised_by

INTEGERS = hnp.arrays(
    st.sampled_from([np.int64, np.int32, np.uint8]),
    hnp.array_shapes(min_dims=0, max_dims=2),
    elements=st.integers(0, 9),
)


@given(INTEGERS, st.integers(0, 7), st.integers(0, 9))
def test_functions_of_integers_equal_torch(x, low, value):
    for name, arguments in [
        ("relu", ()),
        ("relu6", ()),
        ("hardtanh", (low, low + 2)),
        ("threshold", (low, value)),
        ("threshold", (low + 0.5, value + 0.5)),
    ]:
        expected = getattr(torch.nn.functional, name)(torch.from_numpy(x), *arguments).numpy()
        got = getattr(F, name)(x, *arguments)
        assert got.dtype == x.dtype
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("relu6", ()), ("hardtanh", ()), ("threshold", (0.1, 2.0))],
)
def test_functions_of_bools_raise(name, arguments):
    x = np.array([True])
    error = raised_by(
        lambda: getattr(torch.nn.functional, name)(torch.from_numpy(x), *arguments)
    )
    assert isinstance(error, RuntimeError)
    with pytest.raises(
        RuntimeError, match=f"Boolean inputs not supported for ({name[:4]}|hardt)"
    ):
        getattr(F, name)(x, *arguments)


@pytest.mark.parametrize(
    "name", ["elu", "selu", "silu", "gelu", "glu", "softplus", "logsigmoid"]
)
def test_functions_of_integers_raise(name):
    x = np.zeros(2, np.int64)
    assert raised_by(lambda: getattr(torch.nn.functional, name)(torch.from_numpy(x)))
    with pytest.raises(TypeError, match="input must be a float32 or float64 array, got int64"):
        getattr(F, name)(x)


@pytest.mark.parametrize(
    ("name", "shape", "arguments"),
    [
        ("glu", (), ()),
        ("glu", (3,), ()),
        ("glu", (2, 3), (1,)),
        ("glu", (2, 4), (2,)),
        ("hardtanh", (2,), (1.0, 0.5)),
        ("gelu", (2,), {"approximate": "erf"}),
    ],
)
def test_functions_of_wrong_arguments_raise_as_torch(name, shape, arguments):
    x = np.zeros(shape)
    args, kwargs = ((), arguments) if isinstance(arguments, dict) else (arguments, {})
    assert_same_error(
        lambda: getattr(F, name)(x, *args, **kwargs),
        lambda: getattr(torch.nn.functional, name)(torch.from_numpy(x), *args, **kwargs),
    )


@pytest.mark.parametrize(
    ("shape", "weight"),
    [((2, 3), (2,)), ((2, 3), (3, 1)), ((), (2,)), ((3,), (3,)), ((2, 3), (0,))],
)
def test_prelu_of_wrong_sizes_raises_as_torch(shape, weight):
    x, w = np.zeros(shape), np.zeros(weight)
    error = raised_by(
        lambda: torch.nn.functional.prelu(torch.from_numpy(x), torch.from_numpy(w))
    )
    got = raised_by(lambda: F.prelu(x, w))
    assert type(got) is type(error) is RuntimeError
    assert str(got) == str(error).replace("tensor", "array")


@pytest.mark.parametrize("shape", [(), (4,), (2, 3), (2, 3, 4)])
@pytest.mark.parametrize("weight", [(), (1,)])
def test_prelu_of_one_weight_equals_torch(rng, shape, weight):
    x = np.asarray(rng.standard_normal(shape))
    assert_function_parity("prelu", x, np.full(weight, -0.3))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("elu", {"alpha": 1e300}),
        ("hardtanh", {"min_val": -1e300}),
        ("softplus", {"beta": 1e300}),
        ("softplus", {"threshold": 1e300}),
        ("threshold", {"threshold": 1e300, "value": 0}),
    ],
)
def test_numbers_beyond_the_dtype_raise(name, options):
    with pytest.raises(RuntimeError, match="cannot be converted to type float32 without"):
        getattr(F, name)(np.zeros(2, np.float32), **options)

"""`init` beside ``torch.nn.init``: the same values for the same seed."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import numpy_rnn as nn
from numpy_rnn.testing import compare
from tests.support.compare import assert_same_error, raised_by
from tests.support.processor import needs_avx2

DTYPES = {np.dtype(np.float32): torch.float32, np.dtype(np.float64): torch.float64}
SHAPES = ((3, 4), (20, 7), (4, 2, 3), (2, 3, 4, 1), (6, 2, 1, 2, 3))
SEEDS = st.integers(0, 2**32)
FUNCTIONS = st.sampled_from(
    ["linear", "conv2d", "conv_transpose1d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"]
)
KAIMING = st.fixed_dictionaries(
    {},
    optional={
        "a": st.floats(0, 3),
        "mode": st.sampled_from(["fan_in", "fan_out", "FAN_OUT"]),
        "nonlinearity": FUNCTIONS,
    },
)
XAVIER = st.fixed_dictionaries({}, optional={"gain": st.floats(0.01, 10)})
OPTIONS = {
    "uniform_": st.just({"a": -1, "b": 2.5}),
    "normal_": st.just({"mean": 1, "std": 0.5}),
    "constant_": st.fixed_dictionaries({"val": st.floats(-9, 9)}),
    "ones_": st.just({}),
    "zeros_": st.just({}),
    "xavier_uniform_": XAVIER,
    "xavier_normal_": XAVIER,
    "kaiming_uniform_": KAIMING,
    "kaiming_normal_": KAIMING,
    "trunc_normal_": st.fixed_dictionaries(
        {},
        optional={
            "mean": st.floats(-1, 1),
            "std": st.floats(0.1, 3),
            "a": st.floats(-3, -0.2),
            "b": st.floats(0, 0.3),
        },
    ),
    "eye_": st.just({}),
    "sparse_": st.fixed_dictionaries({"sparsity": st.floats(0, 1)}),
    "dirac_": st.fixed_dictionaries({}, optional={"groups": st.sampled_from([1, 2])}),
}
"""The functions whose values are torch's bit for bit, and strategies for their options."""


def both(name, shape, dtype, seed, *arguments, **options):
    """Return what both libraries fill an array with."""
    array, tensor = np.full(shape, 7, dtype), torch.full(shape, 7, dtype=DTYPES[dtype])
    nn.manual_seed(seed)
    torch.manual_seed(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert getattr(nn.init, name)(array, *arguments, **options) is array
        getattr(torch.nn.init, name)(tensor, *arguments, **options)
    return array, tensor.numpy()


@needs_avx2
@pytest.mark.parametrize("name", OPTIONS)
@given(st.data())
def test_init_values_equal_torch_bit_for_bit(name, data):
    shapes = {"eye_": SHAPES[:2], "sparse_": SHAPES[:2], "dirac_": SHAPES[2:]}.get(name, SHAPES)
    shape, dtype = data.draw(st.sampled_from(shapes)), data.draw(st.sampled_from([*DTYPES]))
    ours, theirs = both(name, shape, dtype, data.draw(SEEDS), **data.draw(OPTIONS[name]))
    np.testing.assert_array_equal(ours, theirs)
    assert ours.dtype == dtype
    np.testing.assert_array_equal(  # as many numbers were drawn
        nn.init.uniform_(np.empty(3)), torch.empty(3, dtype=torch.float64).uniform_().numpy()
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [*SHAPES, (5, 5), (1, 6), (6, 1), (60, 50)])
def test_init_orthogonal_equals_torch_to_rounding(shape, dtype):
    ours, theirs = both("orthogonal_", shape, dtype, 5, gain=1.5)
    assert ours.dtype == theirs.dtype
    if dtype == np.float64:
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)
        return
    torch.manual_seed(5)
    drawn = torch.empty(shape[0], theirs.size // shape[0]).normal_().double()
    q, r = torch.linalg.qr(drawn.T if shape[0] < drawn.shape[1] else drawn)
    q = q * torch.diag(r).sign() * 1.5
    truth = (q.T if shape[0] < drawn.shape[1] else q).reshape(shape).numpy()
    assert compare(ours, theirs, truth).agrees


def test_init_covers_torch():
    assert sorted(nn.init.__all__) == sorted(torch.nn.init.__all__)
    ours = {name[:-1] for name in nn.init.__all__ if name.endswith("_")}
    assert ours == {name[:-1] for name in OPTIONS} | {"orthogonal"}


def test_init_own_generator_leaves_the_default_one():
    nn.manual_seed(1)
    torch.manual_seed(1)
    for name in ("uniform_", "xavier_uniform_", "kaiming_uniform_"):
        mine, its = np.empty((2, 3), np.float32), torch.empty(2, 3)
        generator = nn.random.Generator().manual_seed(2)
        getattr(nn.init, name)(mine, generator=generator)
        getattr(torch.nn.init, name)(its, generator=torch.Generator().manual_seed(2))
        np.testing.assert_array_equal(mine, its.numpy())
    np.testing.assert_array_equal(
        nn.init.uniform_(np.empty(2, np.float32)), torch.empty(2).uniform_().numpy()
    )


@pytest.mark.parametrize("nonlinearity", ["leaky_relu", "relu", "tanh", "selu", "conv3d"])
@pytest.mark.parametrize("param", [None, 0.2, 3])
def test_calculate_gain_equals_torch(nonlinearity, param):
    expected = torch.nn.init.calculate_gain(nonlinearity, param)
    assert nn.init.calculate_gain(nonlinearity, param) == expected


@pytest.mark.parametrize("arguments", [("gelu",), ("leaky_relu", "x"), ("leaky_relu", True)])
def test_calculate_gain_wrong_arguments_raise_as_torch(arguments):
    assert_same_error(
        lambda: nn.init.calculate_gain(*arguments),
        lambda: torch.nn.init.calculate_gain(*arguments),
    )


@pytest.mark.parametrize(
    ("name", "shape", "arguments"),
    [
        ("eye_", (3,), ()),
        ("dirac_", (3, 3), ()),
        ("dirac_", (3, 3, 3), (2,)),
        ("orthogonal_", (3,), ()),
        ("sparse_", (3, 3, 3), (0.5,)),
        ("kaiming_uniform_", (3, 3), (0, "fan")),
        ("kaiming_normal_", (3, 3), (0, "fan_in", "gelu")),
    ],
)
def test_init_wrong_arguments_raise_as_torch(name, shape, arguments):
    assert_same_error(
        lambda: getattr(nn.init, name)(np.empty(shape), *arguments),
        lambda: getattr(torch.nn.init, name)(torch.empty(shape), *arguments),
    )


def test_init_fan_of_a_vector_raises():
    for name in ("xavier_uniform_", "xavier_normal_", "kaiming_uniform_", "kaiming_normal_"):
        error = raised_by(lambda: getattr(torch.nn.init, name)(torch.empty(3)))  # noqa: B023
        assert type(error) is ValueError
        with pytest.raises(ValueError, match=r"fewer than 2 dimensions: its shape is \(3,\)"):
            getattr(nn.init, name)(np.empty(3))


def test_init_constant_beyond_the_dtype_raises():
    with pytest.raises(RuntimeError, match="cannot be converted to type float32"):
        nn.init.constant_(np.empty(2, np.float32), 1e300)


@pytest.mark.parametrize("name", ["kaiming_uniform_", "kaiming_normal_"])
def test_init_kaiming_without_elements_warns(name):
    with pytest.warns(UserWarning, match="zero-element arrays is a no-op"):
        getattr(nn.init, name)(np.empty((0, 3)))


def test_init_trunc_normal_far_from_its_mean_warns():
    with pytest.warns(UserWarning, match="mean is more than 2 std from"):
        nn.init.trunc_normal_(np.empty(3), mean=5)


@pytest.mark.parametrize("name", [n for n in nn.init.__all__ if n + "_" in nn.init.__all__])
def test_init_deprecated_name_warns_and_does_the_same(name):
    arguments = {"constant": (2,), "sparse": (0.5,)}.get(name, ())
    shape = (2, 2, 2) if name == "dirac" else (2, 2)
    nn.manual_seed(0)
    expected = getattr(nn.init, name + "_")(np.empty(shape), *arguments)
    nn.manual_seed(0)
    with pytest.warns(FutureWarning, match=rf"`nn.init.{name}` is now deprecated in favor"):
        got = getattr(nn.init, name)(np.empty(shape), *arguments)
    np.testing.assert_array_equal(got, expected)

"""The same seed gives torch's weights and draws, bit for bit."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import assume, example, given
from hypothesis import strategies as st

import numpy_rnn as nn
from numpy_rnn import random
from numpy_rnn.random.fused import fused_multiply_add
from tests.support.compare import assert_same_error, raised_by
from tests.support.processor import needs_avx2

DTYPES = {np.float32: torch.float32, np.float64: torch.float64}
SEEDS = st.one_of(st.integers(0, 2**32), st.integers(-(2**63), 2**64 - 1))


def assert_equal_parameters(ours, theirs):
    for mine, reference in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert mine.dtype == reference.detach().numpy().dtype
        np.testing.assert_array_equal(mine, reference.detach().numpy())


@given(
    st.sampled_from(["RNN", "LSTM", "GRU"]),
    st.integers(0, 3),
    st.fixed_dictionaries(
        {
            "input_size": st.integers(1, 40),
            "hidden_size": st.integers(4, 70),
            "num_layers": st.integers(1, 3),
            "bias": st.booleans(),
            "bidirectional": st.booleans(),
        }
    ),
    st.sampled_from(sorted(DTYPES, key=str)),
    SEEDS,
)
def test_manual_seed_weights_equal_torch(kind, proj_size, configuration, dtype, seed):
    if kind == "LSTM":
        configuration = {**configuration, "proj_size": proj_size}
    nn.manual_seed(seed)
    torch.manual_seed(seed)
    for _ in range(2):  # the stream goes on to the modules after it
        assert_equal_parameters(
            getattr(nn, kind)(**configuration, dtype=dtype),
            getattr(torch.nn, kind)(**configuration, dtype=DTYPES[dtype]),
        )
    sizes = (configuration["input_size"], configuration["hidden_size"], configuration["bias"])
    assert_equal_parameters(
        getattr(nn, f"{kind}Cell")(*sizes, dtype=dtype),
        getattr(torch.nn, f"{kind}Cell")(*sizes, dtype=DTYPES[dtype]),
    )
    assert_equal_parameters(
        nn.Linear(configuration["input_size"], 3, configuration["bias"], dtype=dtype),
        torch.nn.Linear(
            configuration["input_size"], 3, configuration["bias"], dtype=DTYPES[dtype]
        ),
    )


@given(
    st.floats(-1e6, 1e6), st.floats(1e-9, 1e6), st.sampled_from(sorted(DTYPES, key=str)), SEEDS
)
@example(3.05e-294, 3.0, np.float64, 0)
def test_uniform_equals_torch(low, width, dtype, seed):
    high = low + width
    torch.manual_seed(seed)
    expected = torch.empty(200, dtype=DTYPES[dtype]).uniform_(low, high).numpy()
    drawn = random.Generator().manual_seed(seed).uniform(200, low, high, dtype)
    np.testing.assert_array_equal(drawn, expected)


@given(st.floats(0, 1, exclude_max=True), st.floats(-1e3, 1e3), st.floats(-1e3, 1e3))
@example(1.5 * 2.0**-26 + 0.25, 3.0, 1e-200)
@example(1 - 2.0**-53, 1 + 2.0**-52, 2.0**-160)
def test_fused_multiply_add_float64_rounds_the_exact_result_once(x, y, z):
    assume(all(number == 0 or abs(number) > 1e-100 for number in (x, y)))
    exact = Fraction(x) * Fraction(y) + Fraction(z)
    assert fused_multiply_add(np.array([x]), y, z)[0] == float(exact)


def test_reset_parameters_continues_the_stream():
    ours, theirs = nn.RNN(3, 4), torch.nn.RNN(3, 4)
    nn.manual_seed(7)
    torch.manual_seed(7)
    for _ in range(2):
        ours.reset_parameters()
        theirs.reset_parameters()
        assert_equal_parameters(ours, theirs)


@pytest.mark.parametrize("seed", [0, 1, -1, 2**64 - 1, -(2**63), True, 1.9])
def test_manual_seed_values_are_taken_as_torch(seed):
    assert nn.manual_seed(seed) is random.default_generator
    assert random.initial_seed() == torch.manual_seed(seed).initial_seed()


@pytest.mark.parametrize("seed", [2**64, -(2**63) - 1])
def test_manual_seed_out_of_range_raises(seed):
    assert type(raised_by(lambda: torch.manual_seed(seed))) is ValueError
    with pytest.raises(ValueError, match=r"seed must be from -2\*\*63 to 2\*\*64 - 1, got"):
        nn.manual_seed(seed)


def test_generator_without_seed_differs_from_another():
    draws = [random.Generator().uniform(4, 0.0, 1.0) for _ in range(2)]
    assert not np.array_equal(*draws)
    assert random.seed() != random.seed()
    assert "initial_seed=" in repr(random.Generator())


def test_init_uniform_fills_in_place_as_torch():
    array = np.zeros((2, 3), np.float32)
    nn.manual_seed(3)
    assert nn.init.uniform_(array, -2, 5) is array
    torch.manual_seed(3)
    np.testing.assert_array_equal(array, torch.empty(2, 3).uniform_(-2, 5).numpy())


@given(
    st.lists(st.integers(0, 200), min_size=1, max_size=6),
    st.one_of(st.just((0.0, 1.0)), st.tuples(st.floats(-1e3, 1e3), st.floats(1e-3, 1e3))),
    st.sampled_from(sorted(DTYPES, key=str)),
    SEEDS,
)
@needs_avx2
def test_normal_few_draws_equal_torch_bit_for_bit(sizes, parameters, dtype, seed):
    generator = random.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    for size in sizes:  # below 16 draws are made in pairs, of which one may be left over
        drawn = generator.normal(size, *parameters, dtype)
        expected = torch.empty(size, dtype=DTYPES[dtype]).normal_(*parameters).numpy()
        np.testing.assert_array_equal(drawn, expected)
        generator.uniform(1, 0.0, 1.0)
        torch.empty(1).uniform_()


@needs_avx2
def test_normal_many_draws_equal_torch():
    for dtype, torch_dtype in DTYPES.items():
        drawn = random.Generator().manual_seed(4).normal((1003, 301), dtype=dtype)
        torch.manual_seed(4)
        expected = torch.empty(1003, 301, dtype=torch_dtype).normal_().numpy()
        np.testing.assert_array_equal(drawn, expected)


def test_normal_draws_equal_torch_within_rounding():
    """On every processor, also where torch rounds its logarithms differently."""
    for size in (5, 1000):
        drawn = random.Generator().manual_seed(4).normal(size)
        torch.manual_seed(4)
        expected = torch.empty(size).normal_().numpy()
        np.testing.assert_allclose(drawn, expected, rtol=1e-5, atol=1e-6)


def test_normal_draws_have_normal_moments():
    drawn = random.Generator().manual_seed(0).normal(10**6, dtype=np.float64)
    moments = [np.mean(drawn**power) for power in (1, 2, 3, 4)]
    np.testing.assert_allclose(moments, [0, 1, 0, 3], atol=0.02)


def test_init_normal_fills_in_place_as_torch():
    array = np.zeros((5, 7), np.float32)
    nn.manual_seed(3)
    assert nn.init.normal_(array, 1, 2) is array
    torch.manual_seed(3)
    expected = torch.nn.init.normal_(torch.empty(5, 7), 1, 2).numpy()
    np.testing.assert_allclose(array, expected, rtol=1e-5, atol=1e-6)


def test_normal_negative_deviation_raises():
    assert_same_error(
        lambda: random.Generator().normal(3, 0.0, -1.0),
        lambda: torch.empty(3).normal_(0.0, -1.0),
    )
    with pytest.raises(RuntimeError, match=r"normal expects std >= 0\.0, but found std nan"):
        random.Generator().normal(3, 0.0, float("nan"))


@pytest.mark.parametrize(
    ("low", "high"), [(1, 0), (float("nan"), 1), (0, float("inf")), (-1e39, 0), (-3e38, 3e38)]
)
def test_uniform_wrong_bounds_raise_as_torch(low, high):
    assert type(raised_by(lambda: torch.empty(1).uniform_(low, high))) is RuntimeError
    with pytest.raises(
        RuntimeError, match=r"expects to return a \[from, to\) range of float32"
    ):
        random.Generator().uniform(1, low, high)


def test_generator_uniform_edge_arguments_equal_torch_or_raise():
    generator = random.Generator().manual_seed(0)
    assert generator.uniform((), 0.0, 1.0).shape == ()
    assert generator.bernoulli(np.int64(3), 0.5).shape == (3,)
    assert generator.uniform((0, 2), 0.0, 1.0).shape == (0, 2)
    torch.manual_seed(1)
    expected = torch.empty(50, dtype=torch.float64).uniform_(-8e307, 8e307).numpy()
    drawn = generator.manual_seed(1).uniform(50, -8e307, 8e307, np.float64)
    np.testing.assert_array_equal(drawn, expected)
    with pytest.raises(TypeError, match=r"dtype must be numpy.float32 or numpy.float64"):
        generator.uniform(1, 0.0, 1.0, np.int64)

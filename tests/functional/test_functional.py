"""The functions, and `Linear` on one of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import numpy_rnn as nn
from numpy_rnn import functional as F  # noqa: N812  # as it is always imported
from tests.support.compare import assert_parity, assert_same_error

FLOATS = st.one_of(
    hnp.arrays(
        np.float32, hnp.array_shapes(min_side=0), elements=st.floats(-200, 200, width=32)
    ),
    hnp.arrays(np.float64, hnp.array_shapes(min_side=0), elements=st.floats(-900, 900)),
)


@given(FLOATS)
def test_sigmoid_equals_torch(x):
    got = F.sigmoid(x)
    expected = torch.sigmoid(torch.from_numpy(x).double()).numpy()
    assert got.dtype == x.dtype
    assert not np.shares_memory(got, x)
    tiny, eps = np.finfo(x.dtype).tiny, np.finfo(x.dtype).eps
    with np.errstate(under="ignore"):  # of the comparison itself
        np.testing.assert_allclose(got, expected, rtol=4 * eps, atol=tiny)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sigmoid_extreme_inputs_never_warn(dtype):
    x = np.array([-np.inf, -1e4, -100, -0.0, 0.0, 100, 1e4, np.inf, np.nan], dtype)
    expected = torch.sigmoid(torch.from_numpy(x)).numpy()
    # torch flushes what is smaller than the smallest normal number to zero.
    np.testing.assert_allclose(F.sigmoid(x), expected, rtol=1e-6, atol=np.finfo(dtype).tiny)


def test_sigmoid_integers_give_float32_as_torch():
    x = np.array([-2, 0, 3])
    got = F.sigmoid(x)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, torch.sigmoid(torch.from_numpy(x)).numpy(), rtol=1e-6)
    with pytest.raises(
        TypeError,
        match=r"input must be a float32 or float64 array, got float16\. Convert input: "
        r"input\.astype\(numpy\.float32\)$",
    ):
        F.sigmoid(x.astype(np.float16))


@pytest.mark.parametrize("dim", [0, 1, -1, -3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_log_softmax_equals_torch(rng, dim, dtype):
    x = rng.standard_normal((4, 5, 6)).astype(dtype) * 30
    expected = torch.log_softmax(torch.from_numpy(x).double(), dim).numpy()
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(
        F.log_softmax(x, dim), expected, rtol=8 * eps, atol=8 * eps * np.abs(x).max()
    )


@pytest.mark.parametrize("rows", [1, 7])
@pytest.mark.parametrize("size", [1, 64, 600])
@pytest.mark.parametrize("shift", [0, 20, 80, 1e4, -5, -20, -100, -1e4])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_softmax_keeps_its_relative_precision_wherever_inputs_are(
    rows, size, shift, dtype, rng
):
    """Exponentials of the inputs as they are would overflow, or vanish."""
    x = (rng.standard_normal((rows, size)) * 5).astype(dtype)
    x[-1] += dtype(shift)
    expected = torch.softmax(torch.from_numpy(x).double(), -1).numpy()
    np.testing.assert_allclose(F.softmax(x, -1), expected, rtol=60 * np.finfo(dtype).eps)


@pytest.mark.parametrize("function", [F.softmax, F.log_softmax])
def test_softmax_takes_any_strides_and_leaves_its_input(function, rng):
    x = rng.standard_normal((6, 5, 4))[::2, :, ::-1].swapaxes(0, 2)
    before = x.copy()
    np.testing.assert_allclose(function(x, -1), function(before, -1))
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("x", [np.zeros((0, 3)), np.array(2.0), np.zeros((3, 0))])
def test_log_softmax_of_empty_arrays_and_numbers_equals_torch(x):
    expected = torch.log_softmax(torch.from_numpy(x), -1).numpy()
    np.testing.assert_array_equal(F.log_softmax(x, -1), expected)


def test_log_softmax_infinities_never_warn():
    x = np.array([[0.0, np.inf], [-np.inf, 1.0], [-np.inf, -np.inf], [np.nan, 0.0]])
    expected = torch.log_softmax(torch.from_numpy(x), -1).numpy()
    np.testing.assert_allclose(F.log_softmax(x, -1), expected)


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan, 2.0])
def test_functions_of_arrays_without_axes_return_arrays(value):
    x = np.array(value, np.float32)
    for function in (F.sigmoid, lambda x: F.log_softmax(x, 0), F.dropout):
        assert type(function(x)) is np.ndarray
    expected = torch.log_softmax(torch.from_numpy(x), 0).numpy()
    np.testing.assert_array_equal(F.log_softmax(x, 0), expected)


@pytest.mark.parametrize("sizes", [(0, 3), (3, 0)])
def test_linear_of_no_features_returns_the_bias(sizes):
    linear = nn.Linear(*sizes)
    out = linear(np.zeros((2, sizes[0]), np.float32))
    np.testing.assert_array_equal(out, np.broadcast_to(linear.bias, (2, sizes[1])))


@pytest.mark.parametrize("dim", [3, -4])
def test_log_softmax_of_an_unknown_axis_raises_as_torch(dim):
    x = np.zeros((1, 2, 3))
    assert_same_error(
        lambda: F.log_softmax(x, dim), lambda: torch.log_softmax(torch.from_numpy(x), dim)
    )


def test_dropout_scales_the_elements_it_keeps(rng):
    x = rng.standard_normal(10_000)
    nn.manual_seed(0)
    dropped = F.dropout(x, 0.25)
    kept = dropped != 0
    assert 0.7 < kept.mean() < 0.8
    np.testing.assert_allclose(dropped[kept], x[kept] / 0.75)
    assert not F.dropout(x, 1.0).any()


@pytest.mark.parametrize("arguments", [(0.5, False), (0.0, True)])
def test_dropout_that_drops_nothing_returns_a_copy(rng, arguments):
    x = rng.standard_normal((3, 2))
    got = F.dropout(x, *arguments)
    np.testing.assert_array_equal(got, x)
    assert not np.shares_memory(got, x)


@pytest.mark.parametrize("p", [-0.1, 1.5])
def test_dropout_of_a_wrong_probability_raises_as_torch(p):
    assert_same_error(
        lambda: F.dropout(np.ones(2), p), lambda: torch.nn.functional.dropout(torch.ones(2), p)
    )


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(3,), (5, 3), (0, 3), (2, 4, 3), (2, 0, 3)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_linear_equals_torch(rng, bias, shape, dtype):
    x = rng.standard_normal(shape).astype(dtype)
    theirs = torch.nn.Linear(3, 4, bias, dtype=getattr(torch, dtype))
    ours = nn.Linear(3, 4, bias, dtype=dtype)
    assert repr(ours) == repr(theirs)
    assert_parity(ours, theirs, x)


def test_linear_of_wrong_sizes_or_types_raises():
    linear = nn.Linear(3, 4)
    with pytest.raises(RuntimeError, match=r"Expected 3, got input of shape \(2, 5\)"):
        linear(np.zeros((2, 5), np.float32))
    with pytest.raises(RuntimeError, match="Expected 3, got input of shape"):
        linear(np.zeros((), np.float32))
    for bias, message in [(np.zeros(5, np.float32), "shape"), (np.zeros(4), "bias dtype")]:
        with pytest.raises(RuntimeError, match=message):
            F.linear(np.zeros((2, 3), np.float32), linear.weight, bias)
    with pytest.raises(RuntimeError, match="weight must have 2 axes"):
        F.linear(np.zeros(3, np.float32), np.zeros(3, np.float32))
    with pytest.raises(TypeError, match="weight must be a NumPy array, got list"):
        F.linear(np.zeros(3, np.float32), [[1.0, 2.0, 3.0]])


# Dtypes that do not agree


@pytest.mark.parametrize(
    ("layer", "first"),
    [
        (nn.Linear(3, 3), "weight"),
        (nn.Conv1d(3, 3, 1), "weight"),
        (nn.LayerNorm(3), "weight"),
        (nn.BatchNorm1d(3).eval(), "weight"),
        (nn.BatchNorm1d(3, affine=False).eval(), "running_mean"),
    ],
)
def test_layer_of_input_of_another_dtype_says_to_convert_the_input(layer, first):
    shape = (1, 3, 3) if isinstance(layer, nn.Conv1d) else (2, 3)
    with pytest.raises(
        RuntimeError,
        match=rf"^input dtype \(float64\) does not match {first} dtype \(float32\)\. "
        r"Convert input: input\.astype\(numpy\.float32\), "
        r"or convert model: model\.to\(numpy\.float64\)$",
    ):
        layer(np.zeros(shape))


def test_function_of_a_parameter_of_another_dtype_says_to_convert_the_parameter():
    x, w = np.zeros((2, 3), np.float32), np.zeros((3, 3), np.float32)
    b = np.zeros(3)
    for call in (
        lambda: F.linear(x, w, b),
        lambda: F.conv1d(x[None].swapaxes(1, 2), w[..., None], b),
        lambda: F.layer_norm(x, (3,), w[0], b),
        lambda: F.batch_norm(x, w[0], w[0], w[0], b),
    ):
        with pytest.raises(
            RuntimeError,
            match=r"^bias dtype \(float64\) does not match weight dtype \(float32\)\. "
            r"Convert bias: bias\.astype\(numpy\.float32\)$",
        ):
            call()


def test_function_of_integer_weights_says_to_convert_the_weights():
    with pytest.raises(
        RuntimeError,
        match=r"^weight dtype \(int32\) does not match input dtype \(float32\)\. "
        r"Convert weight: weight\.astype\(numpy\.float32\)$",
    ):
        F.linear(np.zeros((2, 3), np.float32), np.zeros((3, 3), np.int32))


def test_layer_of_integers_does_not_say_to_convert_the_model():
    with pytest.raises(RuntimeError, match=r"input\.astype\(numpy\.float32\)$"):
        nn.Linear(3, 3)(np.zeros((2, 3), np.int32))


# Dropout of channels


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("dropout1d", (4, 6, 5)),
        ("dropout1d", (6, 5)),
        ("dropout2d", (4, 6, 5, 3)),
        ("dropout2d", (2, 3, 0, 3)),
    ],
)
def test_dropout_of_channels_drops_whole_ones(rng, name, shape):
    x = rng.standard_normal(shape)
    nn.manual_seed(0)
    got = getattr(F, name)(x, 0.25)
    kept = got != 0
    count = int(np.prod(shape[:-2] if name == "dropout2d" else shape[:-1]))
    channels = kept.reshape(count, x.size // count)
    assert (channels.all(1) | ~channels.any(1)).all()
    assert x.size == 0 or 0 < channels.mean() < 1
    np.testing.assert_allclose(got, x * kept / 0.75)
    for arguments in [(0.25, False), (0.0, True)]:
        same = getattr(F, name)(x, *arguments)
        np.testing.assert_array_equal(same, x)
        assert not np.shares_memory(same, x)
    assert not getattr(F, name)(x, 1.0).any()


@pytest.mark.parametrize(
    ("name", "shape"), [("dropout1d", (3,)), ("dropout1d", (2, 3, 4, 5)), ("dropout2d", (3,))]
)
@pytest.mark.filterwarnings("ignore:dropout2d")
def test_dropout_of_channels_of_other_axes_raises_as_torch(name, shape):
    x = np.ones(shape)
    for p in (0.5, -1.0):
        assert_same_error(
            lambda: getattr(F, name)(x, p),  # noqa: B023
            lambda: getattr(torch.nn.functional, name)(torch.from_numpy(x), p),  # noqa: B023
        )


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 4), (2, 3, 4, 5, 6)])
def test_dropout2d_of_other_axes_warns_as_torch(shape):
    x = np.ones(shape)
    caught = []
    for function in (F.dropout2d, lambda x: torch.nn.functional.dropout2d(torch.from_numpy(x))):
        with pytest.warns(UserWarning, match="dropout2d: Received a") as found:
            assert function(x).shape == shape
        caught.append([str(warning.message) for warning in found])
    assert caught[0] == caught[1]

"""Convolutions and their transposes, against torch."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import numpy_rnn as nn
from numpy_rnn import functional as F  # noqa: N812  # as it is always imported
from tests.support.arrays import peak_memory
from tests.support.compare import assert_parity, assert_same_error, pair, raised_by, to_torch

DTYPES = ["float32", "float64"]
CONVOLUTION = "numpy_rnn.functional.convolution"


# Along one axis


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("padding_mode", ["zeros", "reflect", "replicate", "circular"])
@pytest.mark.parametrize("padding", [0, 1, 2, "same", "valid"])
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("stride", [1, 3])
@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.usefixtures("quiet_torch")
def test_conv1d_equals_torch(rng, dtype, padding_mode, padding, dilation, stride, groups, bias):
    stride = 1 if padding == "same" else stride
    ours, theirs = pair(
        "Conv1d", 4, 8, 3, stride, padding, dilation, groups, bias, padding_mode, dtype=dtype
    )
    assert repr(ours) == repr(theirs)
    for shape in [(2, 4, 9), (4, 9), (1, 4, 5), (0, 4, 6)]:
        assert_parity(ours, theirs, rng.standard_normal(shape).astype(dtype))


@given(
    st.data(),
    st.sampled_from(DTYPES),
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(1, 7),
    st.integers(1, 4),
    st.integers(1, 4),
    st.sampled_from(["zeros", "reflect", "replicate", "circular"]),
    st.integers(0, 2**32),
)
def test_conv1d_random_sizes_equal_torch(
    data, dtype, groups, depth, filters, taps, stride, dilation, padding_mode, seed
):
    rng = np.random.default_rng(seed)
    length = data.draw(st.integers(1, 40))
    padding = data.draw(st.one_of(st.integers(0, length), st.sampled_from(["same", "valid"])))
    stride = 1 if padding == "same" else stride
    with warnings.catch_warnings():  # of torch, about padding an odd number of zeros
        warnings.simplefilter("ignore")
        ours, theirs = pair(
            *("Conv1d", groups * depth, groups * filters, taps, stride, padding, dilation),
            groups=groups,
            padding_mode=padding_mode,
            dtype=dtype,
        )
        x = rng.standard_normal((data.draw(st.integers(1, 3)), groups * depth, length))
        x = x.astype(dtype)
        expected = raised_by(lambda: theirs(torch.from_numpy(x)))
        if expected is None:
            assert_parity(ours, theirs, x)
        else:
            assert_same_error(lambda: ours(x), lambda: theirs(torch.from_numpy(x)))


def test_conv1d_long_input_in_blocks_equals_torch(rng, monkeypatch):
    monkeypatch.setattr("numpy_rnn.functional.convolution.COLUMN_BYTES", 1000)
    for groups in (1, 2):
        ours, theirs = pair("Conv1d", 4, 6, 5, 2, 3, 2, groups)
        assert_parity(ours, theirs, rng.standard_normal((3, 4, 200)).astype(np.float32))


@pytest.mark.parametrize(
    ("arguments", "shape"),
    [
        ({}, (3,)),
        ({}, (2, 4, 5, 5)),
        ({}, (2, 5, 7)),
        ({}, (5, 7)),
        ({"groups": 2}, (1, 3, 7)),
        ({}, (2, 4, 2)),
        ({"dilation": 3, "padding": 1}, (2, 4, 2)),
        ({}, (2, 4, 0)),
        ({"stride": 0}, (2, 4, 5)),
        ({"stride": -1}, (2, 4, 5)),
        ({"padding": -1}, (2, 4, 5)),
        ({"dilation": 0}, (2, 4, 5)),
        ({"stride": (1, 2)}, (2, 4, 5)),
        ({"padding": (1, 2)}, (2, 4, 5)),
        ({"padding": 5, "padding_mode": "reflect"}, (1, 4, 5)),
        ({"padding": 6, "padding_mode": "circular"}, (1, 4, 5)),
    ],
    ids=repr,
)
def test_conv1d_wrong_input_raises_as_torch(arguments, shape):
    ours, theirs = pair("Conv1d", 4, 6, 3, **arguments)
    x = np.zeros(shape, np.float32)
    assert_same_error(lambda: ours(x), lambda: theirs(torch.from_numpy(x)))


@pytest.mark.parametrize(
    "arguments",
    [
        (4, 6, 3, 2, "same"),
        (4, 6, 3, 1, 0, 1, 3),
        (6, 4, 3, 1, 0, 1, 3),
        (4, 6, 3, 1, 0, 1, 0),
        (4, 6, 3, 1, 0, 1, -1),
    ],
)
def test_conv1d_wrong_arguments_raise_as_torch(arguments):
    assert_same_error(lambda: nn.Conv1d(*arguments), lambda: torch.nn.Conv1d(*arguments))


def test_conv1d_wrong_shape_raises_with_the_argument():
    with pytest.raises(ValueError, match="Invalid padding string 'full', should be one of"):
        nn.Conv1d(4, 6, 3, padding="full")
    with pytest.raises(ValueError, match="padding_mode must be one of"):
        nn.Conv1d(4, 6, 3, padding_mode="mirror")
    with pytest.raises(RuntimeError, match="dilation is not supported"):
        nn.Conv1d(4, 6, 3, dilation=-1)(np.zeros((4, 9), np.float32))
    with pytest.raises(RuntimeError, match=r"weight must have 3 axes, got .* \(6, 4, 3, 3\)"):
        nn.Conv1d(4, 6, (3, 3))(np.zeros((4, 5), np.float32))
    with pytest.raises(RuntimeError, match="kernel size should be greater than zero, but"):
        F.conv1d(np.zeros((4, 5)), np.zeros((6, 4, 0)))
    with pytest.raises(TypeError, match="weight must be a float32 or float64 array, got int64"):
        F.conv1d(np.zeros((4, 5), int), np.zeros((6, 4, 3), int))
    functions = F.conv1d, torch.nn.functional.conv1d
    x, weight = np.zeros((1, 4, 5)), np.zeros((6, 4, 3))
    for arrays, options in [
        ((x, weight, np.zeros(5)), {}),
        ((x, weight), {"padding": "full"}),
        ((x, weight), {"padding": "same", "stride": 2}),
        ((x, weight), {"groups": 2}),
        ((x, weight), {"groups": 0}),
        ((x[:, :3], np.zeros((1, 3, 4))), {"groups": 3}),
    ]:
        assert_same_error(
            lambda: functions[0](*arrays, **options),  # noqa: B023
            lambda: functions[1](*to_torch(arrays), **options),  # noqa: B023
        )


def test_conv1d_padded_input_without_length_raises():
    x, weight = np.zeros((1, 2, 0)), np.zeros((3, 2, 1))
    assert (
        type(raised_by(lambda: torch.nn.functional.conv1d(*to_torch((x, weight)), padding=2)))
        is RuntimeError
    )
    with pytest.raises(RuntimeError, match=r"Only zero batch or zero channel inputs are supp"):
        F.conv1d(x, weight, padding=2)
    assert F.conv1d(x[:0], weight, padding=2).shape == (0, 3, 4)


@pytest.mark.parametrize("option", ["stride", "dilation"])
def test_conv1d_str_for_a_number_raises(option):
    arrays = np.zeros((1, 2, 5)), np.zeros((3, 2, 1))
    with pytest.raises(TypeError, match=f"argument '{option}' must be int or tuple of one"):
        F.conv1d(*arrays, **{option: "same"})
    with pytest.raises(TypeError, match=f"argument '{option}' must be int or tuple of one"):
        nn.Conv1d(2, 3, 1, **{option: "same"}, dtype=np.float64)(arrays[0])


# Along two axes


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("padding", [0, 1, (2, 0), "same", "valid"])
@pytest.mark.parametrize("dilation", [1, (1, 2)])
@pytest.mark.parametrize("stride", [1, 2, (3, 1)])
@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("kernel", [1, (3, 2), (1, 5)])
@pytest.mark.usefixtures("quiet_torch")
def test_conv2d_equals_torch(rng, dtype, padding, dilation, stride, groups, kernel):
    stride = 1 if padding == "same" else stride
    arguments = (4, 8, kernel, stride, padding, dilation, groups, kernel != 1)
    ours, theirs = pair("Conv2d", *arguments, dtype=dtype)
    assert repr(ours) == repr(theirs)
    for shape in [(2, 4, 7, 11), (4, 5, 9), (0, 4, 6, 9)]:
        assert_parity(ours, theirs, rng.standard_normal(shape).astype(dtype))


TRANSPOSED = [("ConvTranspose1d", 1), ("ConvTranspose2d", 2)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "axes"), TRANSPOSED)
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("padding", [0, 1])
@pytest.mark.parametrize("more", [0, 1])
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("dilation", [1, 2])
def test_conv_transpose_equals_torch(
    rng, dtype, name, axes, stride, padding, more, groups, dilation
):
    arguments = (4, 6, 3, stride, padding, more, groups, padding == 0, dilation)
    ours, theirs = pair(name, *arguments, dtype=dtype)
    assert repr(ours) == repr(theirs)
    for lead in ((2, 4), (4,), (0, 4)):
        x = rng.standard_normal((*lead, 5, 7)[: len(lead) + axes]).astype(dtype)
        if more < max(stride, dilation):
            assert_parity(ours, theirs, x)
        else:
            with pytest.raises(RuntimeError, match="output padding must be smaller than eit"):
                ours(x)


@given(
    st.data(),
    st.sampled_from(["Conv2d", *(name for name, _ in TRANSPOSED)]),
    st.sampled_from(DTYPES),
    st.tuples(*[st.integers(1, 3)] * 3),
    st.integers(0, 2**32),
)
def test_convolutions_random_sizes_equal_torch(data, name, dtype, channels, seed):
    rng = np.random.default_rng(seed)
    groups, depth, filters = channels
    axes = int(name[-2])
    sizes = {
        option: data.draw(st.tuples(*[st.integers(least, most)] * axes))
        for option, least, most in [
            ("kernel_size", 1, 5),
            ("stride", 1, 3),
            ("padding", 0, 3),
            ("dilation", 1, 3),
            ("output_padding", 0, 2),
        ]
        if name != "Conv2d" or option != "output_padding"
    }
    options = {"groups": groups, "bias": data.draw(st.booleans()), "dtype": dtype}
    ours, theirs = pair(name, groups * depth, groups * filters, **sizes, **options)
    lead = data.draw(st.sampled_from([(), (1,), (3,)]))
    space = [data.draw(st.integers(1, 12)) for _ in range(axes)]
    x = rng.standard_normal((*lead, groups * depth, *space)).astype(dtype)
    expected = raised_by(lambda: theirs(torch.from_numpy(x)))
    if expected is None:
        assert_parity(ours, theirs, x)
    else:
        assert type(raised_by(lambda: ours(x))) is type(expected)


# Ways of computing


@pytest.mark.parametrize("most_waste", [0, 100])
@pytest.mark.parametrize("column_bytes", [1, 300, 2000, 10**9])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("Conv2d", {}),
        ("Conv2d", {"padding": 1, "dilation": (1, 2), "bias": False}),
        ("Conv2d", {"stride": (2, 1)}),
        ("Conv2d", {"groups": 2}),
        ("ConvTranspose2d", {"stride": 2}),
        ("ConvTranspose2d", {"groups": 2, "padding": 1}),
        ("ConvTranspose1d", {"stride": 3}),
    ],
)
def test_convolution_of_every_block_and_layout_equals_torch(
    rng, monkeypatch, name, options, column_bytes, most_waste
):
    monkeypatch.setattr(f"{CONVOLUTION}.COLUMN_BYTES", column_bytes)
    monkeypatch.setattr(f"{CONVOLUTION}.MOST_WASTE", most_waste)
    ours, theirs = pair(name, 4, 6, 3, **options)
    x = rng.standard_normal((3, 4, 8, 13)[: 2 + int(name[-2])]).astype(np.float32)
    assert_parity(ours, theirs, x)


def test_conv1d_long_input_takes_memory_of_its_output(rng):
    """(1, 64, 100000) through 64 filters of 3: the columns alone would be 73 MiB."""
    conv = nn.Conv1d(64, 64, 3, padding=1)
    x = rng.standard_normal((1, 64, 100_000)).astype(np.float32)
    assert peak_memory(lambda: conv(x)) < 2 * x.nbytes + 8 * 2**20


def test_convolutions_of_large_planes_take_memory_of_their_output(rng):
    """All columns would be 144 and 256 MiB; padding, a long row and the result are 4 each."""
    x = rng.standard_normal((1, 16, 256, 256)).astype(np.float32)
    conv, transposed = nn.Conv2d(16, 16, 3, padding=1), nn.ConvTranspose2d(16, 16, 4)
    assert peak_memory(lambda: conv(x)) < 3 * x.nbytes + 12 * 2**20
    assert peak_memory(lambda: transposed(x)) < 3 * x.nbytes + 12 * 2**20


# The size of a transposed convolution's output


@pytest.mark.parametrize(("name", "axes"), TRANSPOSED)
def test_conv_transpose_output_size_equals_torch(rng, name, axes):
    ours, theirs = pair(name, 4, 6, 3, 3, 1, dilation=2)
    ours.load_state_dict(theirs.state_dict())
    for lead in ((2, 4), (4,)):
        x = rng.standard_normal((*lead, 5, 7)[: len(lead) + axes]).astype(np.float32)
        for size in (15, 16, 17):
            sizes = [size, size + 6][:axes]
            for wanted in (sizes, [*lead[:-1], 6, *sizes]):
                expected = theirs(torch.from_numpy(x), output_size=wanted).detach().numpy()
                np.testing.assert_allclose(ours(x, wanted), expected, atol=1e-5)


@pytest.mark.parametrize("wanted", [(14, 21), (15, 24), (15,), (1, 2, 3, 4, 5), [18, 21]])
def test_conv_transpose_impossible_output_size_raises_as_torch(wanted):
    ours, theirs = pair("ConvTranspose2d", 4, 6, 3, 3, 1, dilation=2)
    x = np.zeros((2, 4, 5, 7), np.float32)
    expected = raised_by(lambda: theirs(torch.from_numpy(x), output_size=wanted))
    got = raised_by(lambda: ours(x, output_size=wanted))
    assert type(got) is type(expected) is ValueError
    text = str(expected).replace("torch.Size(", "").replace("7]))", "7])")
    assert str(got) == text.replace(str(wanted), str(list(wanted)))


# Errors


@pytest.mark.parametrize(
    ("name", "arguments", "shape"),
    [
        ("Conv2d", {}, (4, 5)),
        ("Conv2d", {}, (2, 1, 4, 5, 5)),
        ("Conv2d", {}, (2, 5, 7, 7)),
        ("Conv2d", {}, (2, 4, 2, 7)),
        ("Conv2d", {"dilation": 3, "padding": 1}, (2, 4, 2, 9)),
        ("Conv2d", {}, (2, 4, 0, 9)),
        ("Conv2d", {"stride": 0}, (2, 4, 5, 5)),
        ("Conv2d", {"padding": -1}, (2, 4, 5, 5)),
        ("Conv2d", {"stride": (1, 2, 3)}, (2, 4, 5, 5)),
        ("ConvTranspose1d", {}, (4,)),
        ("ConvTranspose1d", {}, (2, 1, 4, 5)),
        ("ConvTranspose1d", {}, (2, 5, 7)),
        ("ConvTranspose1d", {"stride": 0}, (2, 4, 5)),
        ("ConvTranspose1d", {"padding": -1}, (2, 4, 5)),
        ("ConvTranspose1d", {"output_padding": -1}, (2, 4, 5)),
        ("ConvTranspose2d", {}, (4, 5)),
        ("ConvTranspose2d", {}, (2, 5, 7, 7)),
        ("ConvTranspose2d", {}, (2, 4, 5, 0)),
        ("ConvTranspose2d", {"stride": (1, 2, 3)}, (2, 4, 5, 5)),
    ],
    ids=repr,
)
def test_convolutions_wrong_input_raises_as_torch(name, arguments, shape):
    ours, theirs = pair(name, 4, 6, 3, **arguments)
    x = np.zeros(shape, np.float32)
    assert_same_error(lambda: ours(x), lambda: theirs(torch.from_numpy(x)))


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("Conv2d", (4, 6, 3, (1, 2), "same")),
        ("Conv2d", (4, 6, 3, 1, 0, 1, 3)),
        ("ConvTranspose1d", (4, 6, 3, 1, 0, 0, 3)),
        ("ConvTranspose1d", (6, 4, 3, 1, 0, 0, 3)),
        ("ConvTranspose2d", (4, 6, 3, 1, 0, 0, 0)),
        ("ConvTranspose2d", (4, 6, 3, 1, 0, 0, 1, True, 1, "reflect")),
    ],
)
def test_convolutions_wrong_arguments_raise_as_torch(name, arguments):
    assert_same_error(
        lambda: getattr(nn, name)(*arguments), lambda: getattr(torch.nn, name)(*arguments)
    )


def test_conv_transpose_wrong_arrays_raise_as_torch():
    functions = F.conv_transpose1d, torch.nn.functional.conv_transpose1d
    x, weight = np.zeros((1, 4, 5)), np.zeros((4, 3, 3))
    for arrays, options in [
        ((x, weight, np.zeros(5)), {}),
        ((x[:, :3], weight), {}),
        ((x, weight), {"groups": 0}),
        ((x[:, :2], weight[:2]), {"groups": 5}),
        ((x[..., :1], weight), {"padding": 2}),  # torch's layer says something of oneDNN's
        ((x[..., :0], weight), {}),
    ]:
        expected = raised_by(lambda: functions[1](*to_torch(arrays), **options))  # noqa: B023
        got = raised_by(lambda: functions[0](*arrays, **options))  # noqa: B023
        assert type(got) is type(expected) is RuntimeError
        # torch has a height of one before the length.
        assert str(got) == str(expected).replace("(1 x ", "(").replace("1, 0]", "0]")
    with pytest.raises(RuntimeError, match=r"weight must have 4 axes, got .* \(4, 3, 3\)"):
        F.conv_transpose2d(x[None], weight)


# Their weights


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("name", ["Conv2d", *(name for name, _ in TRANSPOSED)])
def test_convolution_from_its_state_dict_is_the_same(rng, name, groups, bias):
    layer = getattr(nn, name)(4, 6, 3, groups=groups, bias=bias)
    unseen = groups > 1 and not (bias and name.startswith("ConvT"))
    options = {"groups": groups} if unseen else {}
    again = getattr(nn, name).from_state_dict(layer.state_dict(), **options)
    assert repr(again) == repr(layer)
    x = rng.standard_normal((2, 4, 5, 7)[: 2 + int(name[-2])]).astype(np.float32)
    np.testing.assert_array_equal(again(x), layer(x))


def test_convolution_described_by_shapes_and_name():
    described = {
        name: next(iter(nn.describe(layer.state_dict(prefix=f"{name}.")))).constructor
        for name, layer in {
            "conv": nn.Conv2d(4, 6, (3, 2)),
            "upsample": nn.ConvTranspose2d(4, 4, 3),
            "decoder": nn.ConvTranspose1d(4, 6, 3),
        }.items()
    }
    assert described == {
        "conv": "nn.Conv2d(4, 6, (3, 2))",
        "upsample": "nn.ConvTranspose2d(4, 4, (3, 3))",
        "decoder": "nn.ConvTranspose1d(4, 6, 3)",
    }

"""The layers around recurrent ones equal torch's: results, errors, how they print."""

from __future__ import annotations

import copy
import inspect
import itertools
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import numpy_rnn as nn
from numpy_rnn import functional as F  # noqa: N812  # as it is always imported
from tests.support.arrays import ARRANGEMENTS
from tests.support.compare import (
    assert_close,
    assert_parity,
    assert_same_error,
    pair,
    raised_by,
    to_torch,
)

DTYPES = ["float32", "float64"]


def unsettle(module):
    """Give a torch module weights and statistics that are not those of a new one."""
    for name, array in itertools.chain(module.named_parameters(), module.named_buffers()):
        if array.is_floating_point():
            torch.nn.init.normal_(array.detach())
            if name.endswith("running_var"):
                array.abs_().add_(0.1)
    return module


def assert_same_state(ours, theirs):
    for mine, reference in zip(
        ours.state_dict().values(), theirs.state_dict().values(), strict=True
    ):
        assert mine.dtype == reference.numpy().dtype
        np.testing.assert_array_equal(mine, reference.numpy())


# Signatures, attributes, how they print

CONSTRUCTIONS = [
    ("Linear", (3, 4), {}),
    ("Linear", (3, 4, False), {}),
    ("Embedding", (5, 3), {}),
    ("Embedding", (5, 3, 0), {}),
    ("Embedding", (5, 3, -1, 1.5, 1.0, True, True), {}),
    ("Conv1d", (4, 6, 3), {}),
    ("Conv1d", (4, 6, 3, 2, 1, 2, 2, False, "reflect"), {}),
    ("Conv1d", (4, 6, (3,), (1,), "same", (2,)), {}),
    ("Conv1d", (4, 6, 3), {"padding": "valid", "padding_mode": "circular"}),
    ("Conv2d", (4, 6, 3), {}),
    ("Conv2d", (4, 6, (3, 2), (2, 1), (1, 0), 2, 2, False, "reflect"), {}),
    ("Conv2d", (4, 6, 2), {"padding": "same", "groups": 2}),
    ("ConvTranspose1d", (4, 6, 3), {}),
    ("ConvTranspose1d", (4, 6, 3, 2, 1, 1, 2, False, 2), {}),
    ("ConvTranspose2d", (4, 6, (3, 2)), {}),
    ("ConvTranspose2d", (4, 6, 3, (2, 1), 1, (1, 0), 2, True, (1, 2)), {}),
    ("BatchNorm1d", (3,), {}),
    ("BatchNorm1d", (3, 1e-3, None, False, True), {}),
    ("BatchNorm1d", (3, 1e-3, 0.2, True, False), {}),
    ("BatchNorm1d", (3,), {"bias": False}),
    ("LayerNorm", (3,), {}),
    ("LayerNorm", ([2, 3], 1e-3, True, False), {}),
    ("LayerNorm", ((2, 3), 1e-3, False), {}),
    ("BatchNorm2d", (3,), {}),
    ("BatchNorm2d", (3, 1e-3, None, False, True), {}),
    ("BatchNorm2d", (3, 1e-3, 0.2, True, False), {"bias": False}),
    ("InstanceNorm1d", (3,), {}),
    ("InstanceNorm1d", (3, 1e-3, 0.2, True, True), {}),
    ("InstanceNorm2d", (3,), {"affine": True, "bias": False}),
    ("InstanceNorm2d", (3, 1e-3, None, False, True), {}),
    ("GroupNorm", (2, 4), {}),
    ("GroupNorm", (4, 4, 1e-3, False), {}),
    ("GroupNorm", (1, 4), {"bias": False}),
    ("Bilinear", (3, 4, 5), {}),
    ("Bilinear", (3, 4, 5, False), {}),
    ("MaxPool1d", (3,), {}),
    ("MaxPool1d", ((3,), 2, 1, 2, True, True), {}),
    ("MaxPool2d", ((3, 2), None, (1, 0)), {}),
    ("AvgPool1d", (3,), {}),
    ("AvgPool1d", (3, 2, 1, True, False), {}),
    ("AvgPool2d", ((3, 2), 1, 1, True, False, 3), {}),
    ("AdaptiveAvgPool1d", (3,), {}),
    ("AdaptiveAvgPool2d", ((3, None),), {}),
    ("AdaptiveMaxPool1d", (3, True), {}),
    ("AdaptiveMaxPool2d", (None,), {"return_indices": True}),
    ("ZeroPad1d", ((1, 2),), {}),
    ("ZeroPad2d", (1,), {}),
    ("ConstantPad1d", ((1, 2), 3), {}),
    ("ConstantPad2d", (1, 0.5), {}),
    ("ConstantPad3d", (1, 0.5), {}),
    ("ReflectionPad1d", (1,), {}),
    ("ReflectionPad2d", ([1, 2, 3, 4],), {}),
    ("ReplicationPad1d", (1,), {}),
    ("ReplicationPad2d", (1,), {}),
    ("Unfold", (3, (1, 2), 1, 2), {}),
    ("Upsample", ((3, 4),), {}),
    ("Upsample", (None, 2, "bilinear", True, False), {}),
    ("Dropout", (), {}),
    ("Dropout1d", (), {}),
    ("Dropout2d", (0.2, True), {}),
    ("Dropout", (0.2, True), {}),
    ("Identity", (1, 2), {"unused": 3}),
    ("Flatten", (), {}),
    ("Flatten", (0, -2), {}),
    ("ReLU", (), {}),
    ("ReLU", (True,), {}),
    ("LeakyReLU", (), {}),
    ("LeakyReLU", (0.2, True), {}),
    ("Threshold", (0.1, -2), {}),
    ("Threshold", (0.1, 20.0, True), {}),
    ("Hardtanh", (), {}),
    ("Hardtanh", (-2, 0.5, True), {}),
    ("ReLU6", (), {}),
    ("ReLU6", (True,), {}),
    ("ELU", (), {}),
    ("ELU", (0.5, True), {}),
    ("SELU", (), {}),
    ("SELU", (True,), {}),
    ("SiLU", (), {}),
    ("SiLU", (True,), {}),
    ("GELU", (), {}),
    ("GELU", ("tanh",), {}),
    ("GLU", (), {}),
    ("GLU", (1,), {}),
    ("PReLU", (), {}),
    ("PReLU", (3, -0.5), {}),
    ("Softplus", (), {}),
    ("Softplus", (2, 1.5), {}),
    ("LogSigmoid", (), {}),
    ("Tanh", (), {}),
    ("Sigmoid", (), {}),
    ("Softmax", (), {}),
    ("Softmax", (1,), {}),
    ("LogSoftmax", (), {}),
    ("LogSoftmax", (-1,), {}),
]
NAMES = sorted({name for name, _, _ in CONSTRUCTIONS})
WITH_ARRAYS = (
    *("Linear", "Bilinear", "Embedding", "PReLU", "LayerNorm", "GroupNorm", "Conv1d"),
    *("Conv2d", "ConvTranspose1d", "ConvTranspose2d"),
    *("BatchNorm1d", "BatchNorm2d", "InstanceNorm1d", "InstanceNorm2d"),
)


@pytest.mark.parametrize(("name", "args", "kwargs"), CONSTRUCTIONS, ids=repr)
def test_layer_repr_and_names_equal_torch(name, args, kwargs):
    ours, theirs = pair(name, *args, **kwargs)
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for key, value in theirs.state_dict().items():
        array = ours.state_dict()[key]
        assert (array.shape, array.dtype) == (tuple(value.shape), value.numpy().dtype), key
    public = {key for key in vars(theirs) if not key.startswith("_")}
    unlike = {"device", "transposed", "output_padding"}
    for attribute in public - unlike:
        assert getattr(ours, attribute) == getattr(theirs, attribute), attribute


@pytest.mark.parametrize("name", NAMES)
def test_layer_signatures_equal_torch(name):
    def arguments(module):
        parameters = inspect.signature(module.__init__).parameters.values()
        return [(p.name, p.default, p.kind) for p in parameters]

    expected = arguments(getattr(torch.nn, name))
    if name in (
        "Tanh",
        "Sigmoid",
        "LogSigmoid",
    ):  # they take nothing, whatever torch's signature says
        expected = expected[:1]
        assert type(raised_by(lambda: getattr(torch.nn, name)(3))) is TypeError
        assert type(raised_by(lambda: getattr(nn, name)(3))) is TypeError
    else:
        assert arguments(getattr(nn, name)) == expected


BUILT_IN = {
    *("bilinear", "conv1d", "conv2d", "conv_transpose1d", "conv_transpose2d"),
    *("cosine_similarity", "gelu", "linear", "logsigmoid", "one_hot"),
    *("prelu", "softplus", "adaptive_avg_pool1d", "avg_pool1d", "avg_pool2d"),
}
"""Functions of which torch's have no signature."""


@pytest.mark.parametrize(
    "name",
    sorted(set(F.__all__) - BUILT_IN),
)
def test_function_signatures_equal_torch(name):
    def arguments(function):
        return [(p.name, p.default) for p in inspect.signature(function).parameters.values()]

    theirs = getattr(torch.nn.functional, name)  # or one of the two that it chooses from
    expected = arguments(getattr(torch.nn.functional, f"{name}_with_indices", theirs))
    if name == "normalize":
        assert expected.pop() == ("out", None)  # no argument is ever written into
    assert arguments(getattr(F, name)) == expected


@pytest.mark.parametrize(("name", "args", "kwargs"), CONSTRUCTIONS, ids=repr)
@pytest.mark.parametrize("dtype", DTYPES)
def test_layer_seeded_weights_equal_torch(name, args, kwargs, dtype):
    if name not in WITH_ARRAYS:
        dtype = None
    for seed in (0, 1, 2**40):
        nn.manual_seed(seed)
        torch.manual_seed(seed)
        for _ in range(2):  # the stream goes on to the modules after it
            ours, theirs = pair(name, *args, dtype=dtype, **kwargs)
            assert_same_state(ours, theirs)
            if name in WITH_ARRAYS:
                ours.reset_parameters()
                theirs.reset_parameters()
                assert_same_state(ours, theirs)


@given(
    st.integers(1, 300),
    st.integers(1, 70),
    st.integers(0, 2**64 - 1),
    st.sampled_from(DTYPES),
)
def test_embedding_seeded_weights_of_every_size_equal_torch(rows, columns, seed, dtype):
    nn.manual_seed(seed)
    torch.manual_seed(seed)
    for _ in range(2):
        ours, theirs = pair("Embedding", rows, columns, dtype=dtype)
        np.testing.assert_array_equal(ours.weight, theirs.weight.detach().numpy())


# Embedding


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("index_dtype", [np.int64, np.int32])
@pytest.mark.parametrize("shape", [(), (0,), (4,), (3, 5), (2, 0, 3), (2, 3, 4)])
@pytest.mark.parametrize("padding_idx", [None, 0, -1])
def test_embedding_equals_torch(rng, dtype, index_dtype, shape, padding_idx):
    ours, theirs = pair("Embedding", 7, 3, padding_idx, dtype=dtype)
    assert_parity(ours, theirs, rng.integers(0, 7, shape).astype(index_dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("norm_type", [1.0, 2.0, 3.0, float("inf")])
def test_embedding_max_norm_scales_the_output_alone(rng, dtype, norm_type):
    ours, theirs = pair("Embedding", 9, 4, max_norm=1.7, norm_type=norm_type, dtype=dtype)
    before = {key: value.clone() for key, value in theirs.state_dict().items()}
    indices = rng.integers(0, 9, (5, 6))
    ours.load_state_dict(before)
    exact = copy.deepcopy(theirs).double()
    with torch.no_grad():
        assert_close(
            ours(indices), theirs(torch.from_numpy(indices)), exact(torch.from_numpy(indices))
        )
    np.testing.assert_array_equal(ours.weight, before["weight"].numpy())


@pytest.mark.parametrize("index", [7, -1, 2**40, -(2**62)])
def test_embedding_indices_out_of_range_raise(index):
    ours, theirs = pair("Embedding", 7, 3)
    indices = np.array([[0, index]])
    assert type(raised_by(lambda: theirs(torch.from_numpy(indices)))) is IndexError
    message = f"index out of range in self: input must have indices from 0 to 6, got {index}$"
    with pytest.raises(IndexError, match=message):
        ours(indices)


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8", "int8", "int16", "bool"])
def test_embedding_indices_of_wrong_dtype_raise_as_torch(dtype):
    ours, theirs = pair("Embedding", 7, 3)
    indices = np.zeros(2, dtype)
    assert type(raised_by(lambda: theirs(torch.from_numpy(indices)))) is RuntimeError
    with pytest.raises(RuntimeError, match=rf"but got {dtype}\. Convert input: input\.astype"):
        ours(indices)


def test_embedding_wrong_arguments_raise():
    for padding_idx in (5, -6):
        assert_same_error(
            lambda: nn.Embedding(5, 3, padding_idx),  # noqa: B023
            lambda: torch.nn.Embedding(5, 3, padding_idx),  # noqa: B023
        )
        arrays = np.array([1]), np.zeros((5, 2))
        assert_same_error(
            lambda: F.embedding(*arrays, padding_idx),  # noqa: B023
            lambda: torch.nn.functional.embedding(*to_torch(arrays), padding_idx),  # noqa: B023
        )
    assert_same_error(
        lambda: nn.Embedding(5, 3, _weight=np.zeros((2, 3))),
        lambda: torch.nn.Embedding(5, 3, _weight=torch.zeros(2, 3)),
    )
    assert_same_error(
        lambda: nn.Embedding.from_pretrained(np.zeros(2)),
        lambda: torch.nn.Embedding.from_pretrained(torch.zeros(2)),
    )
    for shape in [(5,), (5, 2, 2)]:
        with pytest.raises(RuntimeError, match="'weight' must be 2-D, got an array of shape"):
            F.embedding(np.array([1]), np.zeros(shape))
    with pytest.raises(
        TypeError, match="cannot assign an array of int64 as parameter 'weight'"
    ):
        nn.Embedding.from_pretrained(np.zeros((2, 3), int))
    with pytest.raises(TypeError, match="input must be a NumPy array, got list"):
        nn.Embedding(5, 3)([1, 2])


def test_embedding_wrong_padding_idx_raises_first():
    arrays = np.array([1]), np.zeros((2, 3, 4))
    assert_same_error(
        lambda: F.embedding(*arrays, 2),
        lambda: torch.nn.functional.embedding(*to_torch(arrays), 2),
    )
    for library in (nn, torch.nn):
        assert type(raised_by(lambda: library.Embedding(0, 3, 0))) is IndexError  # noqa: B023


def test_embedding_from_pretrained_copies_the_table(rng):
    table = rng.standard_normal((5, 3))
    embedding = nn.Embedding.from_pretrained(table, padding_idx=1)
    assert repr(embedding) == repr(
        torch.nn.Embedding.from_pretrained(torch.from_numpy(table), padding_idx=1)
    )
    np.testing.assert_array_equal(embedding(np.arange(5)), table)
    assert not np.shares_memory(embedding.weight, table)


# Padding


@given(
    hnp.arrays(np.int64, hnp.array_shapes(min_dims=1, max_dims=3, max_side=6), unique=True),
    st.lists(st.integers(-3, 6), max_size=6),
)
def test_pad_constant_equals_torch(x, sizes):
    expected = raised_by(lambda: torch.nn.functional.pad(torch.from_numpy(x), sizes))
    if expected is None:
        got = F.pad(x, sizes, value=7)
        theirs = torch.nn.functional.pad(torch.from_numpy(x), sizes, value=7).numpy()
        np.testing.assert_array_equal(got, theirs)
        assert got.dtype == theirs.dtype
        assert not np.shares_memory(got, x)
    else:
        assert type(raised_by(lambda: F.pad(x, sizes))) is RuntimeError


@pytest.mark.parametrize(
    ("shape", "arguments"),
    [
        ((2, 3), ((1,),)),
        ((2, 3), ((1, 1, 1, 1, 1, 1),)),
        ((2, 3), ((1, 1), "reflect", 1.0)),
        ((2, 3), ((1, 1), "mirror")),
        ((2, 3), ((3, 1), "reflect")),
        ((2, 3), ((4, 0), "circular")),
        ((2, 3), ((1,), "mirror")),
        ((2, 3), ((1, 1), "mirror", 1.0)),
    ],
)
def test_pad_wrong_arguments_raise_as_torch(shape, arguments):
    x = np.zeros(shape)
    assert_same_error(
        lambda: F.pad(x, *arguments),
        lambda: torch.nn.functional.pad(torch.from_numpy(x), *arguments),
    )


@pytest.mark.parametrize("sizes", [(-4, 2), (4, -4), (-5, 1), (2, -5), (-2, 3)])
def test_pad_circular_beyond_the_rest_raises(sizes):
    with pytest.raises(RuntimeError, match="wrapping around more than once"):
        F.pad(np.arange(4)[None], sizes, "circular")


@pytest.mark.parametrize("value", [1e300, -1e39, 1j])
def test_pad_value_beyond_the_dtype_raises(value):
    x = np.zeros((2, 3), np.float32)
    for call in (
        lambda f, x: f.pad(x, (1, 1), value=value),
        lambda f, x: f.leaky_relu(x, value),
    ):
        expected = raised_by(lambda: call(torch.nn.functional, torch.from_numpy(x)))  # noqa: B023
        assert isinstance(expected, (RuntimeError, TypeError))
        with pytest.raises(RuntimeError, match="cannot be converted to type float32 without"):
            call(F, x)
    assert np.isinf(F.pad(x, (1, 1), value=np.inf)[0, 0])
    assert F.pad(x, (0, -1), value=value).shape == (2, 2)  # where nothing is filled


# Normalisation


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("tracked", [True, False])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(6, 3), (1, 3, 4), (5, 3, 7), (0, 3), (2, 3, 0)])
def test_batch_norm_equals_torch(rng, dtype, affine, tracked, bias, shape):
    ours, theirs = pair("BatchNorm1d", 3, 1e-3, 0.1, affine, tracked, dtype=dtype, bias=bias)
    unsettle(theirs)
    x = (rng.standard_normal(shape) * 3 + 2).astype(dtype)
    assert_parity(ours, theirs, x)


def test_batch_norm_training_module_raises():
    norm = nn.BatchNorm1d(3)
    with pytest.raises(RuntimeError, match=r"must be in evaluation mode, .* call eval\(\)"):
        norm(np.zeros((2, 3), np.float32))
    with pytest.raises(RuntimeError, match="running_mean and running_var must be None if"):
        F.batch_norm(np.zeros((2, 3)), np.zeros(3), np.ones(3), training=True)
    untracked = nn.BatchNorm1d(3, track_running_stats=False)
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(untracked(x), untracked.eval()(x))


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({}, (3,)),
        ({}, (2, 3, 4, 5)),
        ({}, (2, 4)),
        ({}, (2, 4, 3)),
        ({"track_running_stats": False}, (1, 3)),
        ({"track_running_stats": False}, (2, 4)),
    ],
)
def test_batch_norm_wrong_input_raises_as_torch(options, shape):
    ours, theirs = pair("BatchNorm1d", 3, **options)
    x = np.zeros(shape, np.float32)
    assert_same_error(lambda: ours(x), lambda: theirs(torch.from_numpy(x)))


def test_batch_norm_wrong_argument_raises_with_its_name():
    x, three, four = np.zeros((2, 3)), np.ones(3), np.ones(4)
    for arrays in [
        (x, None, None),
        (x, three, None),
        (x, four, three),
        (x, three, four),
        (x, three, three, four),
        (x, three, three, three, four),
        (np.zeros(3), three, three),
    ]:
        assert_same_error(
            lambda: F.batch_norm(*arrays),  # noqa: B023
            lambda: torch.nn.functional.batch_norm(*to_torch(arrays)),  # noqa: B023
        )
    assert_same_error(
        lambda: F.batch_norm(x, three, three, eps=-1.0),
        lambda: torch.nn.functional.batch_norm(*to_torch((x, three, three)), eps=-1.0),
    )
    with pytest.raises(RuntimeError, match=r"running_var must have one axis, got .* \(1, 3\)"):
        F.batch_norm(x, three, three[None])


@pytest.mark.parametrize(
    ("shape", "error", "message"),
    [
        ((), IndexError, "at least two axes"),
        ((2,), IndexError, "at least two axes"),
        ((1,), ValueError, "more than 1 value per channel"),
    ],
)
def test_batch_norm_training_without_channels_raises(shape, error, message):
    x = np.zeros(shape)
    theirs = torch.nn.functional.batch_norm
    assert (
        type(raised_by(lambda: theirs(torch.from_numpy(x), None, None, training=True))) is error
    )
    with pytest.raises(error, match=message):
        F.batch_norm(x, None, None, training=True)


def test_batch_norm_reset_running_stats_equals_torch():
    norm, theirs = nn.BatchNorm1d(3), unsettle(torch.nn.BatchNorm1d(3))
    norm.load_state_dict(theirs.state_dict())
    norm.reset_parameters()
    assert_same_state(norm, torch.nn.BatchNorm1d(3))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("options", [{}, {"bias": False}, {"elementwise_affine": False}])
@pytest.mark.parametrize(
    ("shape", "normalized"),
    [((4,), 4), ((6, 4), 4), ((2, 3, 40), [40]), ((2, 3, 4), (3, 4)), ((0, 4), 4), ((2, 0), 0)],
)
def test_layer_norm_equals_torch(rng, dtype, options, shape, normalized):
    ours, theirs = pair("LayerNorm", normalized, **options, dtype=dtype)
    unsettle(theirs)
    assert_parity(ours, theirs, (rng.standard_normal(shape) * 3 + 2).astype(dtype))


@pytest.mark.parametrize(
    ("normalized", "shape"), [(4, (2, 3)), (4, ()), ((3, 4), (4,)), ((), (2, 3))]
)
def test_layer_norm_wrong_input_raises_as_torch(normalized, shape):
    ours, theirs = pair("LayerNorm", normalized)
    x = np.zeros(shape, np.float32)
    assert_same_error(lambda: ours(x), lambda: theirs(torch.from_numpy(x)))


def test_layer_norm_wrong_argument_raises_with_its_name():
    x = np.zeros((2, 4))
    for arrays in [(x, 4), (x, (4,), np.ones(3)), (x, (4,), np.ones(4), np.ones(3))]:
        assert_same_error(
            lambda: F.layer_norm(*arrays),  # noqa: B023
            lambda: torch.nn.functional.layer_norm(*to_torch(arrays)),  # noqa: B023
        )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("tracked", [True, False])
@pytest.mark.parametrize("options", [{}, {"affine": True}, {"affine": True, "bias": False}])
@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("BatchNorm2d", (5, 3, 4, 6)),
        ("BatchNorm2d", (1, 3, 2, 1)),
        ("BatchNorm2d", (0, 3, 4, 6)),
        ("InstanceNorm1d", (5, 3, 7)),
        ("InstanceNorm1d", (3, 7)),
        ("InstanceNorm2d", (5, 3, 4, 6)),
        ("InstanceNorm2d", (3, 40, 60)),
    ],
)
def test_norm_of_channels_equals_torch(rng, dtype, tracked, options, name, shape):
    ours, theirs = pair(name, 3, 1e-3, track_running_stats=tracked, dtype=dtype, **options)
    unsettle(theirs)
    x = (rng.standard_normal(shape) * 3 + 2).astype(dtype)
    kept = x.copy()
    assert_parity(ours, theirs, x)
    if not tracked:  # then a module in training mode does the same
        assert_parity(ours.train(), theirs.train(), x)
    np.testing.assert_array_equal(x, kept)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("options", [{}, {"affine": False}, {"bias": False}])
@pytest.mark.parametrize("groups", [1, 2, 6])
@pytest.mark.parametrize("shape", [(5, 6, 7), (2, 6, 4, 5), (3, 6, 2), (0, 6, 3), (2, 6, 0)])
def test_group_norm_equals_torch(rng, dtype, options, groups, shape):
    ours, theirs = pair("GroupNorm", groups, 6, 1e-3, dtype=dtype, **options)
    unsettle(theirs)
    x = (rng.standard_normal(shape) * 3 + 2).astype(dtype)
    assert_parity(ours, theirs, x)


@given(st.data(), st.integers(1, 4), st.integers(1, 3), st.sampled_from(DTYPES))
def test_norms_random_sizes_equal_torch(data, groups, depth, dtype):
    channels = groups * depth
    spatial = data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=2))
    shape = (data.draw(st.integers(1, 4)), channels, *spatial)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    x = (rng.standard_normal(shape) * 3 + 2).astype(dtype)
    for name, args in [
        ("GroupNorm", (groups, channels)),
        (f"InstanceNorm{len(spatial)}d", (channels,)),
        (f"BatchNorm{len(spatial)}d", (channels,)),
    ]:
        ours, theirs = pair(name, *args, affine=True, dtype=dtype)
        unsettle(theirs)
        expected = raised_by(lambda: theirs(torch.from_numpy(x)))  # noqa: B023
        if expected is None:
            assert_parity(ours, theirs, x)
        else:
            assert_same_error(lambda: ours(x), lambda: theirs(torch.from_numpy(x)))  # noqa: B023


@pytest.mark.parametrize(
    ("name", "args", "shape"),
    [
        ("BatchNorm2d", (3,), (2, 3, 4)),
        ("BatchNorm2d", (3,), (2, 4, 4, 4)),
        ("InstanceNorm1d", (3,), (3,)),
        ("InstanceNorm1d", (3,), (2, 3, 4, 5)),
        ("InstanceNorm1d", (3, 1e-5, 0.1, True), (2, 4, 5)),
        ("InstanceNorm1d", (3, 1e-5, 0.1, True), (4, 5)),
        ("InstanceNorm1d", (3,), (2, 3, 1)),
        ("InstanceNorm1d", (3,), (3, 1)),
        ("InstanceNorm2d", (3,), (2, 3)),
        ("InstanceNorm2d", (3,), (2, 3, 1, 1)),
        ("GroupNorm", (2, 4), (2, 6)),
        ("GroupNorm", (2, 4), (2, 5)),
        ("GroupNorm", (2, 2), (1, 2)),
    ],
)
def test_norm_wrong_input_raises_as_torch(name, args, shape):
    ours, theirs = pair(name, *args)
    x = np.zeros(shape, np.float32)
    assert_same_error(lambda: ours(x), lambda: theirs(torch.from_numpy(x)))


def test_norm_wrong_argument_raises_with_its_name():
    x, three, four = np.ones((2, 4, 3)), np.ones(3), np.ones(4)
    for name, arrays in [
        ("group_norm", (x, 2, three)),
        ("group_norm", (x, 3)),
        ("group_norm", (x, -1)),
        ("instance_norm", (x, None, None, None, None, False)),
        ("instance_norm", (x, four, None, None, None, False)),
    ]:
        assert_same_error(
            lambda: getattr(F, name)(*arrays),  # noqa: B023
            lambda: getattr(torch.nn.functional, name)(*to_torch(arrays)),  # noqa: B023
        )
    assert_same_error(lambda: nn.GroupNorm(2, 5), lambda: torch.nn.GroupNorm(2, 5))
    with pytest.raises(RuntimeError, match=r"got bias of shape \[3\] and input of shape \["):
        F.group_norm(x, 2, four, three)  # torch shows the shape of the weight
    with pytest.raises(RuntimeError, match="Expected at least 2 dimensions for input array"):
        F.group_norm(four, 2)
    with pytest.raises(RuntimeError, match="weight should contain 4 elements not 3"):
        F.instance_norm(x, weight=three)
    with pytest.raises(RuntimeError, match="must be None if use_input_stats, since they"):
        F.instance_norm(x, four, four)


def test_instance_norm_of_no_samples_is_empty_where_torch_fails():
    ours, theirs = pair("InstanceNorm1d", 3, affine=True)
    x = np.zeros((0, 3, 7), np.float32)
    assert type(raised_by(lambda: theirs(torch.from_numpy(x)))) is IndexError
    assert ours(x).shape == x.shape


@pytest.mark.parametrize("name", ["BatchNorm2d", "InstanceNorm1d", "InstanceNorm2d"])
def test_norm_in_training_mode_that_tracks_raises(name):
    norm = getattr(nn, name)(3, track_running_stats=True)
    x = np.zeros((2, 3, 4, 4) if name.endswith("2d") else (2, 3, 4), np.float32)
    with pytest.raises(RuntimeError, match=rf"{name} must be in evaluation mode, .* call eval"):
        norm(x)


def test_instance_norm_of_other_channels_warns_as_torch():
    ours, theirs = pair("InstanceNorm1d", 3)
    x = np.arange(8, dtype=np.float32).reshape(2, 4)
    message = "input's size at dim=0 does not match num_features. You can silence"
    with pytest.warns(UserWarning, match=message):
        expected = theirs(torch.from_numpy(x))
    with pytest.warns(UserWarning, match=message) as caught:
        got = ours(x)
    np.testing.assert_allclose(got, expected.numpy(), atol=1e-6)
    assert caught[0].filename == __file__


# Bilinear


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("lead", [(), (1,), (7,), (2, 3), (0,)])
def test_bilinear_equals_torch(rng, dtype, bias, lead):
    ours, theirs = pair("Bilinear", 3, 4, 5, bias, dtype=dtype)
    inputs = [rng.standard_normal((*lead, size)).astype(dtype) for size in (3, 4)]
    assert_parity(ours, theirs, *inputs)


@pytest.mark.parametrize(
    "shapes", [((2, 3), (4,)), ((2, 3), (3, 4)), ((2, 4), (2, 4)), ((2, 3), (2, 3))]
)
def test_bilinear_wrong_input_raises_as_torch(shapes):
    ours, theirs = pair("Bilinear", 3, 4, 5)
    inputs = [np.zeros(shape, np.float32) for shape in shapes]
    assert_same_error(lambda: ours(*inputs), lambda: theirs(*to_torch(inputs)))


def test_bilinear_wrong_argument_raises():
    assert_same_error(lambda: nn.Bilinear(0, 3, 4), lambda: torch.nn.Bilinear(0, 3, 4))
    x, weight = np.zeros((2, 3)), np.zeros((4, 3, 3))
    with pytest.raises(RuntimeError, match=r"weight must have 3 axes, got .* \(3, 3\)"):
        F.bilinear(x, x, weight[0])
    with pytest.raises(RuntimeError, match=r"bias size does not match weight size: got \(3,\)"):
        F.bilinear(x, x, weight, np.zeros(3))
    with pytest.raises(RuntimeError, match=r"input2 dtype .* does not match weight dtype"):
        F.bilinear(x, x.astype(np.float32), weight)


# Activations and shapes

FLOATS = hnp.array_shapes(min_dims=1, max_dims=4, max_side=5).flatmap(
    lambda shape: st.one_of(
        hnp.arrays(np.float32, shape, elements=st.floats(-150, 150, width=32)),
        hnp.arrays(np.float64, shape, elements=st.floats(-900, 900)),
    )
)


ACTIVATIONS = [
    (name, args)
    for name, args, _ in CONSTRUCTIONS
    if name
    in (
        *("ReLU", "LeakyReLU", "Tanh", "Sigmoid", "Threshold", "Hardtanh", "ReLU6", "ELU"),
        *("SELU", "SiLU", "GELU", "Softplus", "LogSigmoid", "Dropout"),
    )
]


@pytest.mark.parametrize(("name", "args"), ACTIVATIONS, ids=repr)
@given(FLOATS)
def test_activation_layers_equal_torch(name, args, x):
    before = x.copy()
    assert_parity(*pair(name, *args), x)
    np.testing.assert_array_equal(x, before)


@given(FLOATS, st.data())
def test_glu_equals_torch(x, data):
    dim = data.draw(st.integers(-x.ndim, x.ndim - 1))
    x = np.concatenate([x, x[::-1]], axis=dim)
    assert_parity(*pair("GLU", dim), x)


@given(FLOATS, st.integers(0, 2**32))
def test_prelu_equals_torch(x, seed):
    torch.manual_seed(seed)
    for count in {1, x.shape[1] if x.ndim > 1 else 1}:
        ours, theirs = pair("PReLU", count, dtype=str(x.dtype))
        assert_parity(ours, unsettle(theirs), x)


@given(FLOATS, st.data(), st.sampled_from(["Softmax", "LogSoftmax"]))
def test_softmax_layers_equal_torch(x, data, name):
    dim = data.draw(st.integers(-x.ndim, x.ndim - 1))
    assert_parity(*pair(name, dim), x)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "name",
    [
        *("relu", "leaky_relu", "tanh", "sigmoid", "hardtanh", "relu6", "elu", "selu", "silu"),
        *("gelu", "softplus", "logsigmoid"),
    ],
)
def test_activation_infinities_and_nans_equal_torch(dtype, name):
    x = np.array([np.inf, -np.inf, np.nan, 1e38, -1e38, 0.0, 1e-40], dtype)
    got = getattr(F, name)(x)
    expected = getattr(torch.nn.functional, name)(torch.from_numpy(x)).numpy()
    if name == "gelu":
        expected[0] = np.inf  # torch's own in float64; in float32 it is NaN
    with np.errstate(under="ignore"):  # of the comparison itself
        np.testing.assert_allclose(got, expected, rtol=1e-6, atol=np.finfo(dtype).tiny)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), ()])
@pytest.mark.parametrize("name", ["Softmax", "LogSoftmax"])
def test_softmax_extreme_inputs_equal_torch(shape, name):
    ours, theirs = pair(name, -1)
    x = np.full(shape, 2.0)
    np.testing.assert_array_equal(ours(x), theirs(torch.from_numpy(x)).numpy())


def test_softmax_infinities_equal_torch():
    x = np.array([[0.0, np.inf], [-np.inf, 1.0], [-np.inf, -np.inf], [np.nan, 0.0]])
    expected = torch.softmax(torch.from_numpy(x), -1).numpy()
    np.testing.assert_allclose(F.softmax(x, -1), expected)


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize("shape", [(), (2,), (2, 3), (2, 3, 4), (2, 3, 4, 5)])
def test_softmax_without_dim_warns_and_chooses_as_torch(rng, name, shape):
    x = np.asarray(rng.standard_normal(shape))
    message = f"Implicit dimension choice for {name} has been deprecated. Change the call"
    with pytest.warns(UserWarning, match=message):
        expected = getattr(torch.nn.functional, name)(torch.from_numpy(x))
    with pytest.warns(UserWarning, match=message) as caught:
        assert_close(getattr(F, name)(x), expected)
    assert caught[0].filename == __file__
    module = nn.Softmax() if name == "softmax" else nn.LogSoftmax()
    with pytest.warns(UserWarning, match=message) as caught:
        assert_close(module(x), expected)
    assert caught[0].filename == __file__


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_wrong_dim_raises_as_torch(name):
    ours, theirs = getattr(F, name), getattr(torch.nn.functional, name)
    x = np.zeros((2, 3))
    assert_same_error(lambda: ours(x, 2), lambda: theirs(torch.from_numpy(x), 2))
    for dim in (1.0, True, "a"):
        assert type(raised_by(lambda: theirs(torch.from_numpy(x), dim))) is TypeError  # noqa: B023
        with pytest.raises(TypeError, match=rf"{name}\(\): argument 'dim' must be int, not"):
            ours(x, dim)
    with pytest.raises(TypeError, match="input must be a float32 or float64 array, got int64"):
        ours(np.zeros(3, np.int64), 0)
    with pytest.raises(TypeError, match=r"dtype must be numpy.float32 or numpy.float64"):
        ours(x, 0, dtype=np.int64)


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_dtype_is_cast_first(rng, name):
    x = rng.standard_normal((3, 4)).astype(np.float32)
    for given_array in (x, np.arange(6).reshape(2, 3)):
        got = getattr(F, name)(given_array, 1, dtype=np.float64)
        expected = getattr(torch.nn.functional, name)(
            torch.from_numpy(given_array), 1, dtype=torch.float64
        )
        assert_close(got, expected)


def test_function_integer_input_is_taken_as_torch():
    x = np.array([[-3, 0], [2, 5]])
    np.testing.assert_array_equal(F.relu(x), torch.relu(torch.from_numpy(x)).numpy())
    assert F.relu(x).dtype == np.int64
    assert F.tanh(x).dtype == np.float32
    np.testing.assert_allclose(F.tanh(x), torch.tanh(torch.from_numpy(x)).numpy(), rtol=1e-6)
    np.testing.assert_array_equal(nn.Dropout().eval()(x), x)
    assert_same_error(
        lambda: F.relu(x > 0), lambda: torch.nn.functional.relu(torch.from_numpy(x) > 0)
    )
    for function in (F.leaky_relu, lambda x: F.dropout(x, 0.5)):
        with pytest.raises(TypeError, match="must be a float32 or float64 array, got int64"):
            function(x)


@given(FLOATS, st.integers(-4, 3), st.integers(-4, 3))
def test_flatten_equals_torch(x, start, end):
    ours, theirs = pair("Flatten", start, end)
    if raised_by(lambda: theirs(torch.from_numpy(x))) is None:
        assert_parity(ours, theirs, x)
    else:
        assert_same_error(lambda: ours(x), lambda: theirs(torch.from_numpy(x)))


def test_flatten_scalar_and_other_dtypes_equal_torch():
    for x in (np.array(3.0), np.ones((2, 2), bool), np.arange(6).reshape(1, 2, 3)):
        expected = torch.nn.Flatten(0)(torch.from_numpy(x)).numpy()
        np.testing.assert_array_equal(nn.Flatten(0)(x), expected)
    assert_same_error(
        lambda: nn.Flatten()(np.array(1.0)), lambda: torch.nn.Flatten()(torch.tensor(1.0))
    )


@pytest.mark.parametrize("p", [1.5, -1])
def test_dropout_wrong_probability_raises_as_torch(p):
    assert_same_error(lambda: nn.Dropout(p), lambda: torch.nn.Dropout(p))


def test_dropout_eval_mode_changes_nothing():
    dropout = nn.Dropout(0.5)
    x = np.ones(1000)
    assert 400 < (dropout(x) == 0).sum() < 600
    np.testing.assert_array_equal(dropout.eval()(x), x)


def test_identity_copies_arrays_and_returns_other_values():
    identity, x = nn.Identity(), np.ones(3)
    assert identity((x, None))[0] is x
    assert identity(3) == 3
    assert not np.shares_memory(identity(x), x)


# What all of them keep to

SMALL = {
    "Linear": (nn.Linear(4, 3), (2, 5, 4)),
    "Conv1d": (nn.Conv1d(5, 3, 3, padding=1), (2, 5, 4)),
    "Conv2d": (nn.Conv2d(5, 3, 3, padding=1), (2, 5, 4, 6)),
    "Conv2d of one tap": (nn.Conv2d(5, 3, 1), (2, 5, 4, 3)),
    "ConvTranspose1d": (nn.ConvTranspose1d(5, 3, 3, 2), (2, 5, 4)),
    "ConvTranspose2d of one tap": (nn.ConvTranspose2d(5, 3, 1), (2, 5, 4, 3)),
    "Conv1d of one tap": (nn.Conv1d(5, 3, 1), (2, 5, 4)),
    "Conv1d circular": (nn.Conv1d(5, 3, 3, padding=1, padding_mode="circular"), (2, 5, 4)),
    "BatchNorm1d": (nn.BatchNorm1d(5), (2, 5, 4)),
    "BatchNorm1d untracked": (nn.BatchNorm1d(5, track_running_stats=False), (2, 5, 4)),
    "LayerNorm": (nn.LayerNorm(4), (2, 5, 4)),
    "LayerNorm without weights": (nn.LayerNorm(4, elementwise_affine=False), (2, 5, 4)),
    "Dropout": (nn.Dropout(), (2, 5, 4)),
    "Identity": (nn.Identity(), (2, 5, 4)),
    "Flatten": (nn.Flatten(), (2, 5, 4)),
    "Flatten of one axis": (nn.Flatten(1, 1), (2, 5, 4)),
    "ReLU": (nn.ReLU(inplace=True), (2, 5, 4)),
    "LeakyReLU": (nn.LeakyReLU(inplace=True), (2, 5, 4)),
    "Tanh": (nn.Tanh(), (2, 5, 4)),
    "Sigmoid": (nn.Sigmoid(), (2, 5, 4)),
    "Softmax": (nn.Softmax(-1), (2, 5, 4)),
    "LogSoftmax": (nn.LogSoftmax(-1), (2, 5, 4)),
    "Sequential": (nn.Sequential(nn.Linear(4, 4), nn.ReLU(inplace=True)), (2, 5, 4)),
    "MaxPool1d": (nn.MaxPool1d(2, 1, 1), (2, 5, 4)),
    "MaxPool2d of one element": (nn.MaxPool2d(1), (2, 5, 4)),
    "AvgPool1d": (nn.AvgPool1d(2, 1, 1), (2, 5, 4)),
    "AdaptiveAvgPool2d": (nn.AdaptiveAvgPool2d((3, None)), (2, 5, 4)),
    "AdaptiveMaxPool1d": (nn.AdaptiveMaxPool1d(4), (2, 5, 4)),
    "ZeroPad1d of nothing": (nn.ZeroPad1d(0), (2, 5, 4)),
    "ReplicationPad2d": (nn.ReplicationPad2d(1), (2, 5, 4)),
    "Unfold": (nn.Unfold(2), (2, 5, 4)),
    "Upsample": (nn.Upsample(scale_factor=1.5), (2, 5, 4)),
    "Upsample to the same size": (nn.Upsample(4, mode="linear"), (2, 5, 4)),
}


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("layout", ARRANGEMENTS)
def test_layer_every_memory_layout_gives_equal_unshared_results(rng, name, layout):
    module, shape = SMALL[name]
    module.eval()
    x = ARRANGEMENTS[layout](rng.standard_normal(shape).astype(np.float32))
    plain = np.array(x, np.float32)
    weights = [array.copy() for array in (*module.parameters(), *module.buffers())]
    got = module(x)
    assert type(got) is np.ndarray
    assert got.dtype == np.float32
    assert got.flags.writeable
    np.testing.assert_allclose(got, module(plain), rtol=0, atol=1e-6)
    np.testing.assert_array_equal(x, plain)
    for array, before in zip((*module.parameters(), *module.buffers()), weights, strict=True):
        np.testing.assert_array_equal(array, before)
        assert not np.shares_memory(got, array)
    assert not np.shares_memory(got, x)


@pytest.mark.parametrize("layout", ARRANGEMENTS)
def test_embedding_indices_of_every_memory_layout_give_equal_results(rng, layout):
    embedding = nn.Embedding(9, 3)
    x = ARRANGEMENTS[layout](rng.integers(0, 9, (4, 5)))
    np.testing.assert_array_equal(embedding(x), embedding.weight[np.array(x, np.int64)])
    assert not np.shares_memory(embedding(x), embedding.weight)


@pytest.mark.parametrize("name", SMALL)
def test_layer_infinities_and_nans_never_warn(name):
    module, shape = SMALL[name]
    x = np.full(shape, np.inf, np.float32)
    x[0, 0], x[-1] = np.nan, -np.inf
    module.eval()(x)


@pytest.mark.parametrize("name", SMALL)
def test_layer_copies_and_pickles_are_independent(rng, name):
    module, shape = SMALL[name]
    module.eval()
    x = rng.standard_normal(shape).astype(np.float32)
    for twin in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        np.testing.assert_array_equal(twin(x), module(x))
        assert repr(twin) == repr(module)
        for one, other in zip(twin.state_dict().values(), module.state_dict().values()):
            assert not np.shares_memory(one, other)

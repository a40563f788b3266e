"""Constructors take what torch's take, of whatever type, and refuse the rest as torch does."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import numpy_rnn as nn
from tests.support.compare import normalised, raised_by

VALUES = [
    *(True, False, np.bool_(True), np.bool_(False)),
    *(0, 1, 2, -1, np.int64(1), np.int32(2), np.uint8(3), np.int64(-1)),
    *(1.0, 2.5, np.float64(1.0), np.float32(0.5), "2", "same", None, 1j, (2,), (2, 3)),
]

STACK = {"input_size": 4, "hidden_size": 4, "num_layers": 2}
FLAGS = ("bias", "batch_first", "dropout", "bidirectional")
CELL = {"input_size": 4, "hidden_size": 4}
WINDOW = {"kernel_size": 2}

ARGUMENTS = {
    "RNN": (STACK, ("nonlinearity", *FLAGS)),
    "LSTM": (STACK, ("proj_size", *FLAGS)),
    "GRU": (STACK, FLAGS),
    "RNNCell": (CELL, ("bias", "nonlinearity")),
    "LSTMCell": (CELL, ("bias",)),
    "GRUCell": (CELL, ("bias",)),
    "Linear": ({"in_features": 4, "out_features": 4}, ("bias",)),
    "Embedding": (
        {"num_embeddings": 4, "embedding_dim": 4},
        ("padding_idx", "max_norm", "norm_type", "scale_grad_by_freq", "sparse"),
    ),
    "Conv1d": (
        {"in_channels": 4, "out_channels": 4, "kernel_size": 3},
        ("stride", "padding", "dilation", "groups", "bias", "padding_mode"),
    ),
    "BatchNorm1d": (
        {"num_features": 4},
        ("eps", "momentum", "affine", "track_running_stats", "bias"),
    ),
    "BatchNorm2d": (
        {"num_features": 4},
        ("eps", "momentum", "affine", "track_running_stats", "bias"),
    ),
    "InstanceNorm1d": (
        {"num_features": 4},
        ("eps", "momentum", "affine", "track_running_stats", "bias"),
    ),
    "LayerNorm": ({"normalized_shape": 4}, ("eps", "elementwise_affine", "bias")),
    "MaxPool1d": (WINDOW, ("stride", "padding", "dilation", "return_indices", "ceil_mode")),
    "AvgPool1d": (WINDOW, ("stride", "padding", "ceil_mode", "count_include_pad")),
    "AvgPool2d": (WINDOW, ("stride", "padding", "ceil_mode", "divisor_override")),
    "Unfold": (WINDOW, ("dilation", "padding", "stride")),
    "AdaptiveMaxPool2d": ({"output_size": 2}, ("return_indices",)),
    "AdaptiveAvgPool1d": ({"output_size": 2}, ()),
    "ZeroPad2d": ({"padding": 1}, ()),
    "ReflectionPad1d": ({"padding": 1}, ()),
    "Upsample": (
        {},
        ("size", "scale_factor", "mode", "align_corners", "recompute_scale_factor"),
    ),
    "GroupNorm": ({"num_groups": 2, "num_channels": 4}, ("eps", "affine", "bias")),
    "PReLU": ({"num_parameters": 4}, ("init",)),
    "Bilinear": ({"in1_features": 4, "in2_features": 4, "out_features": 4}, ("bias",)),
    "Hardtanh": ({}, ("min_val", "max_val", "inplace", "min_value", "max_value")),
    "ELU": ({}, ("alpha", "inplace")),
    "GLU": ({}, ("dim",)),
    "GELU": ({}, ("approximate",)),
    "Softplus": ({}, ("beta", "threshold")),
    "Dropout1d": ({}, ("p", "inplace")),
}
CASES = [
    (kind, name, value)
    for kind, (sizes, others) in ARGUMENTS.items()
    for name in (*sizes, *others)
    for value in VALUES
]

WITHOUT_WEIGHTS = (
    *("MaxPool1d", "AvgPool1d", "AvgPool2d", "Unfold", "AdaptiveMaxPool2d"),
    *("AdaptiveAvgPool1d", "ZeroPad2d", "ReflectionPad1d", "Upsample"),
)
"""They look at sizes when they run."""

NOT_A_BOOL = {"proj_size", "padding_idx"}
NOT_A_BOOL |= {
    name
    for kind, (sizes, _) in ARGUMENTS.items()
    for name in sizes
    if kind not in WITHOUT_WEIGHTS
} - {"in_channels"}
"""Sizes and indices. torch takes a bool for some of them, depending on its place in a shape;
`in_channels` is divided by `groups` before it gets there."""

ACCIDENTS = (
    "empty()",  # of torch's parser
    "not supported between",  # of Python's operators
    "is not iterable",
    "are valid indices",
    "Invalid padding string",  # lists the elements of a set
    "padding_mode must be one of",
    "fill_() received",  # of torch's parser
    "without overflow",  # ours says of which argument
)
"""Parts of torch's messages that depend on how it happens to use what it was given."""


def built(library, kind, arguments):
    """Return how a layer prints and the shapes of its weights."""
    layer = getattr(library, kind)(**arguments)
    shapes = {name: tuple(array.shape) for name, array in layer.state_dict().items()}
    return repr(layer), shapes


@pytest.mark.parametrize(("kind", "name", "value"), CASES, ids=repr)
@pytest.mark.filterwarnings("ignore")  # of empty weights, of dropout, and NumPy's of 1j
def test_constructor_of_any_argument_does_what_torchs_does(kind, name, value):
    arguments = ARGUMENTS[kind][0] | {name: value}

    def ours():
        return built(nn, kind, arguments)

    def theirs():
        return built(torch.nn, kind, arguments)

    checked = name in NOT_A_BOOL and kind not in WITHOUT_WEIGHTS
    if checked and isinstance(value, (bool, np.bool_)):
        assert type(raised_by(ours)) is TypeError
        return
    if name == "bidirectional" and not isinstance(value, bool):  # torch looks when it runs
        layer = getattr(torch.nn, kind)(**arguments)
        assert type(raised_by(lambda: layer(torch.zeros(5, 1, 4)))) is TypeError
        got_type = type(value).__name__
        with pytest.raises(TypeError, match=f"^{name} should be of type bool, got: {got_type}"):
            ours()
        return
    expected, got = raised_by(theirs), raised_by(ours)
    assert type(got) is type(expected), (got, expected)
    if expected is None:
        assert ours() == theirs()
    elif not any(accident in str(expected) for accident in ACCIDENTS):
        assert normalised(str(got)) == normalised(str(expected).replace("tensor", "array"))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("nn.RNN(True, 4)", "input_size should be of type int, got: bool"),
        ("nn.RNN(4, 4, True)", "num_layers must be an integer, got bool"),
        ("nn.LSTM(4, 4, proj_size=False)", "proj_size must be an integer, got bool"),
        ("nn.GRUCell(4, True)", "a size must be an integer, got bool"),
        ("nn.Linear(3, True)", "a size must be an integer, got bool"),
        ("nn.Conv1d(2, 4, True)", "a size must be an integer, got bool"),
        ("nn.LayerNorm(True)", "a size must be an integer, got bool"),
        ("nn.Embedding(4, 4, np.bool_(True))", "padding_idx must be an integer, got bool"),
    ],
)
def test_constructor_refuses_a_bool_as_a_size_or_an_index(line, message):
    with pytest.raises(TypeError, match=message):
        eval(line)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("Linear", (-1, 3)),
        ("Linear", (3, -2)),
        ("Embedding", (-1, 3)),
        ("Embedding", (3, -2)),
        ("Conv1d", (2, 4, -3)),
        ("Conv1d", (2, -4, 3)),
        ("BatchNorm1d", (-3,)),
        ("BatchNorm2d", (-3,)),
        ("LayerNorm", ((-3, 2),)),
        ("GroupNorm", (1, -3)),
        ("PReLU", (-3,)),
        ("Bilinear", (3, -2, 4)),
        ("RNNCell", (-1, 4)),
        ("LSTMCell", (3, -1)),
        ("GRUCell", (-2, -1)),
    ],
)
def test_constructor_refuses_a_negative_size_in_torchs_words(name, arguments):
    got = raised_by(lambda: getattr(nn, name)(*arguments))
    expected = raised_by(lambda: getattr(torch.nn, name)(*arguments))
    assert type(got) is type(expected) is RuntimeError
    assert str(got) == str(expected).replace("tensor", "array")

"""The layers refuse what torch refuses, in its words; where those are useless, in better."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import numpy_rnn as nn
from tests.support.compare import assert_same_error, to_torch


def arrays(**shapes):
    return {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}


@pytest.mark.parametrize(
    "arguments",
    [
        (0, 4),
        (3, 0),
        (-1, 4),
        (3.0, 4),
        (3, "4"),
        (np.int64(3), 4),
        (3, np.int32(4)),
        (3, 4, 0),
        (3, 4, -1),
        (3, 4, 1.5),
        (3, 4, 1, "gelu"),
        (3, 4, 1, None),
        (3, 4, 1, "tanh", 1),
        (3, 4, 1, "tanh", None),
        (3, 4, 1, "tanh", True, 0),
        (3, 4, 1, "tanh", True, "yes"),
        (3, 4, 2, "tanh", True, False, -0.1),
        (3, 4, 2, "tanh", True, False, 1.1),
        (3, 4, 2, "tanh", True, False, True),
        (3, 4, 2, "tanh", True, False, float("nan")),
    ],
    ids=repr,
)
def test_rnn_wrong_arguments_raise_as_torch(arguments):
    assert_same_error(lambda: nn.RNN(*arguments), lambda: torch.nn.RNN(*arguments))


@pytest.mark.parametrize("layer", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize(
    "keywords",
    [{"proj_size": -1}, {"proj_size": 4}, {"proj_size": 9}, {"depth": 2}, {"num_layers": 0}],
    ids=repr,
)
def test_rnn_unknown_keywords_raise_as_torch(layer, keywords):
    assert_same_error(
        lambda: getattr(nn, layer)(3, 4, **keywords),
        lambda: getattr(torch.nn, layer)(3, 4, **keywords),
    )


def test_rnn_proj_size_or_nonlinearity_of_another_layer_raises():
    for keywords in ({"proj_size": 2}, {"proj_size": 0}, {"proj_size": 2, "depth": 1}):
        for layer in ("RNN", "GRU"):
            assert_same_error(
                lambda: getattr(nn, layer)(3, 4, **keywords),  # noqa: B023  # called at once
                lambda: getattr(torch.nn, layer)(3, 4, **keywords),  # noqa: B023
            )
    for layer in (nn.LSTM, nn.GRU):
        with pytest.raises(TypeError, match="unexpected keyword argument 'nonlinearity'"):
            layer(3, 4, nonlinearity="relu")


@pytest.mark.parametrize("proj_size", [1.5, "2"])
def test_lstm_proj_size_not_an_integer_raises(proj_size):
    with pytest.raises(TypeError, match="cannot be interpreted as an integer"):
        nn.LSTM(3, 4, proj_size=proj_size)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((True, 4), TypeError, "input_size should be of type int, got: bool"),
        ((3, 4, True), TypeError, "num_layers must be an integer, got bool"),
        (
            (3, 4, 1, "tanh", True, False, 0.0, 1),
            TypeError,
            "bidirectional should be of type bool, got: int",
        ),
        ((3, 4, "2"), TypeError, "'str' object cannot be interpreted as an integer"),
        ((3, 4, 2, "tanh", True, False, "0.5"), ValueError, "dropout should be a number"),
    ],
    ids=repr,
)
def test_rnn_wrong_arguments_raise_clearer_than_torch(arguments, error, message):
    with pytest.raises(error, match=message):
        nn.RNN(*arguments)


@pytest.mark.parametrize(
    "dtype", [np.float16, np.int32, np.complex64, "float", "x", 3.5, object]
)
def test_rnn_other_dtype_raises(dtype):
    if dtype == "float":
        assert nn.RNN(3, 4, dtype=dtype).weight_ih_l0.dtype == np.float64
        return
    with pytest.raises(TypeError, match=r"dtype must be numpy.float32 or numpy.float64, got"):
        nn.RNN(3, 4, dtype=dtype)


def test_rnn_other_device_raises():
    assert nn.RNN(3, 4, device="cpu").hidden_size == 4
    assert nn.RNN(3, 4, device=torch.device("cpu")).hidden_size == 4
    for device in ("cuda", "gpu", 0, torch.device("meta")):
        with pytest.raises(RuntimeError, match="device must be None or 'cpu', got"):
            nn.RNN(3, 4, device=device)


def test_rnn_dropout_in_one_layer_warns_as_torch():
    with pytest.warns(UserWarning, match="dropout option adds dropout") as ours:
        nn.RNN(3, 4, dropout=0.5)
    with pytest.warns(UserWarning, match="dropout option adds dropout") as theirs:
        torch.nn.RNN(3, 4, dropout=0.5)
    assert str(ours[0].message) == str(theirs[0].message)
    assert ours[0].filename == __file__


@pytest.mark.parametrize(
    "shapes",
    [
        {"x": (3,)},
        {"x": ()},
        {"x": (1, 5, 2, 3)},
        {"x": (5, 2, 7)},
        {"x": (5, 7)},
        {"x": (5, 2, 0)},
        {"x": (0, 3)},
        {"x": (0, 0, 3)},
        {"x": (5, 2, 3), "hx": (2, 4)},
        {"x": (5, 2, 3), "hx": (1, 2, 2, 4)},
        {"x": (5, 3), "hx": (2, 1, 4)},
        {"x": (5, 2, 3), "hx": (1, 2, 4)},
        {"x": (5, 2, 3), "hx": (2, 1, 4)},
        {"x": (5, 2, 3), "hx": (2, 2, 5)},
        {"x": (5, 1, 3), "hx": (2, 2, 4)},
        {"x": (1, 2, 3), "hx": (2, 3, 4)},
        {"x": (5, 3), "hx": (1, 4)},
        {"x": (5, 3), "hx": (2, 5)},
        {"x": (5, 7), "hx": (2, 1, 4)},
    ],
    ids=repr,
)
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("layer", ["RNN", "LSTM", "GRU"])
def test_rnn_wrong_input_raises_as_torch(layer, shapes, batch_first):
    ours = getattr(nn, layer)(3, 4, 2, batch_first=batch_first)
    theirs = getattr(torch.nn, layer)(3, 4, 2, batch_first=batch_first)
    x, *hx = arrays(**shapes).values()
    inputs = (x, *([(hx[0], hx[0])] if hx and layer == "LSTM" else hx))
    assert_same_error(lambda: ours(*inputs), lambda: theirs(*to_torch(inputs)))


@pytest.mark.parametrize(
    ("h_0", "c_0"), [((2, 2, 4), (2, 2, 5)), ((2, 2, 4), (2, 4)), ((2, 2, 5), (2, 3, 4))]
)
def test_lstm_wrong_state_raises_with_its_part(h_0, c_0):
    inputs = (*arrays(x=(5, 2, 3)).values(), tuple(arrays(h=h_0, c=c_0).values()))
    assert_same_error(
        lambda: nn.LSTM(3, 4, 2)(*inputs), lambda: torch.nn.LSTM(3, 4, 2)(*to_torch(inputs))
    )


def test_lstm_state_not_a_pair_raises():
    """torch's errors say that an index is out of range, or nothing of use."""
    lstm, (x, h) = nn.LSTM(3, 4), arrays(x=(5, 2, 3), h=(1, 2, 4)).values()
    with pytest.raises(TypeError, match=r"hx must be the pair \(h_0, c_0\) .*, got ndarray"):
        lstm(x, h)
    for hx in ((h,), (h, h, h), ()):
        with pytest.raises(RuntimeError, match=f"expects two hidden states, got {len(hx)}"):
            lstm(x, hx)
    with pytest.raises(TypeError, match=r"hx\[1\] must be a NumPy array, got NoneType"):
        lstm(x, (h, None))
    assert lstm(x, [h, h])[0].shape == (5, 2, 4)
    with pytest.raises(TypeError, match="hx must be a NumPy array, got tuple"):
        nn.GRU(3, 4)(x, (h, h))


@pytest.mark.parametrize("layer", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("sorted_", [True, False])
def test_rnn_packed_wrong_input_raises(layer, sorted_):
    lengths = [5, 3] if sorted_ else [3, 5]

    def pack(shape, dtype=np.float32):
        x = np.zeros(shape, dtype)
        return nn.utils.rnn.pack_padded_sequence(x, lengths, enforce_sorted=sorted_)

    ours = getattr(nn, layer)(3, 4, 2)
    theirs = getattr(torch.nn, layer)(3, 4, 2)
    for shape in ((5, 2), (5, 2, 3, 3)):
        packed = pack(shape)
        if layer != "LSTM":  # torch's LSTM does not look before it multiplies
            assert_same_error(lambda: ours(packed), lambda: theirs(to_torch(packed)))  # noqa: B023
        with pytest.raises(RuntimeError, match="input must have 2 dimensions, got"):
            ours(packed)
    with pytest.raises(RuntimeError, match=r"must be equal to input_size. Expected 3, got 7"):
        ours(pack((5, 2, 7)))
    with pytest.raises(
        ValueError, match=r"input dtype \(float64\) does not match weight dtype"
    ):
        ours(pack((5, 2, 3), np.float64))
    for shape in ((2, 1, 4), (2, 3, 4), (1, 2, 4), (2, 2, 5)):
        h = np.zeros(shape, np.float32)
        with pytest.raises(
            RuntimeError, match=r"Expected hidden(\[0\])? size \(2, 2, 4\), got"
        ):
            ours(pack((5, 2, 3)), (h, h) if layer == "LSTM" else h)
    h = np.zeros((2, 4), np.float32)
    with pytest.raises(RuntimeError, match=r"hx (and cx )?should also be 3-D but got"):
        ours(pack((5, 2, 3)), (h, h) if layer == "LSTM" else h)


def test_rnn_sequence_without_steps_raises():
    for batch_first, shape in [(False, (0, 2, 3)), (True, (2, 0, 3))]:
        x = np.zeros(shape, np.float32)
        assert_same_error(
            lambda: nn.RNN(3, 4, batch_first=batch_first)(x),  # noqa: B023  # called at once
            lambda: torch.nn.RNN(3, 4, batch_first=batch_first)(to_torch(x)),  # noqa: B023
        )


def test_rnn_packed_inconsistent_fields_raise():
    """torch reads out of bounds, or reports a shape somewhere behind."""
    data, layer = np.zeros((6, 3), np.float32), nn.GRU(3, 4)
    for sizes, message in [
        ([4, 3], r"data must have the shape \(7, \*\) for these batch_sizes"),
        ([2, 4], "batch_sizes must be in descending order"),
        ([7, -1], "batch_sizes must be in descending order and not negative"),
        ([], r"batch_sizes must have the shape \(T,\), T > 0"),
    ]:
        packed = nn.utils.rnn.PackedSequence(data, np.array(sizes, np.int64))
        with pytest.raises(RuntimeError, match=message):
            layer(packed)
    for order in ([0], [0, 2], [-1, 0], [1, 1], [[0], [1]], 0):
        packed = nn.utils.rnn.PackedSequence(
            data, np.array([2, 2, 2]), np.array(order), np.array(order)
        )
        with pytest.raises(
            RuntimeError, match="sorted_indices must hold each index from 0 to 1"
        ):
            layer(packed)
    fewer = nn.utils.rnn.PackedSequence(data, np.array([3, 2]))
    assert layer(fewer)[0].data.shape == (5, 4)


def test_rnn_wrong_dtype_raises_as_torch():
    x = np.zeros((5, 2, 3), np.float64)
    assert_same_error(lambda: nn.RNN(3, 4)(x), lambda: torch.nn.RNN(3, 4)(torch.from_numpy(x)))
    assert_same_error(
        lambda: nn.RNN(3, 4, dtype=np.float64)(x.astype(np.float32)),
        lambda: torch.nn.RNN(3, 4, dtype=torch.float64)(torch.from_numpy(x).float()),
    )


@pytest.mark.parametrize("dtype", [np.int64, np.float16, np.complex64, bool])
def test_rnn_input_of_unsupported_dtype_raises_with_advice(dtype):
    with pytest.raises(ValueError, match=r"Convert input: input.astype\(numpy.float32\)$"):
        nn.RNN(3, 4)(np.zeros((5, 2, 3), dtype))


def test_rnn_state_of_another_dtype_raises_with_both():
    rnn, x = nn.RNN(3, 4), np.zeros((5, 2, 3), np.float32)
    with pytest.raises(RuntimeError, match=r"hx must have .* float32, but got float64"):
        rnn(x, np.zeros((1, 2, 4)))


@pytest.mark.parametrize("value", [[[1.0]], 3.0, None, "x", {}])
def test_rnn_input_not_an_array_raises(value):
    rnn = nn.RNN(1, 2)
    with pytest.raises(TypeError, match="input must be a NumPy array, got"):
        rnn(value)
    if value is not None:
        with pytest.raises(TypeError, match="hx must be a NumPy array, got"):
            rnn(np.zeros((1, 1, 1), np.float32), value)

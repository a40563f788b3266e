"""A tagger as a user writes one: mypy and pyright check its types, and it runs."""

from __future__ import annotations

import io
import sys
from collections import OrderedDict
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

import numpy_rnn as nn
import numpy_rnn.functional as F  # noqa: N812  # as users of torch write
from numpy_rnn.utils.rnn import (
    PackedSequence,
    pack_padded_sequence,
    pack_sequence,
    pad_packed_sequence,
    pad_sequence,
    unpack_sequence,
)

if sys.version_info >= (3, 11):
    from typing import assert_type
else:
    from typing_extensions import assert_type

Array: TypeAlias = npt.NDArray[np.floating[Any]]
IntArray: TypeAlias = npt.NDArray[np.int64]
AnyArray: TypeAlias = npt.NDArray[Any]


class Tagger(nn.Module):
    """Characters to tags, with an array of its own beside the layers."""

    scale: Array

    def __init__(self, characters: int, tags: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(characters, 8, padding_idx=0)
        self.lstm = nn.LSTM(8, 16, num_layers=2, bidirectional=True, dropout=0.1)
        self.norm = nn.LayerNorm(32)
        self.dropout = nn.Dropout(0.1)
        self.head = nn.Linear(32, tags)
        self.scale = nn.Parameter(np.ones(tags, np.float32))

    def forward(self, text: IntArray, lengths: IntArray) -> tuple[Array, IntArray]:
        embedded = self.embedding(text)
        packed = pack_padded_sequence(embedded, lengths, enforce_sorted=False)
        output, (h_n, c_n) = self.lstm(packed)
        assert_type(output, PackedSequence)
        assert_type(h_n, Array)
        assert_type(c_n, Array)
        padded, lengths = pad_packed_sequence(output)
        logits = self.head(self.dropout(self.norm(padded)))
        return F.log_softmax(logits * self.scale, dim=-1), lengths


class Encoder(nn.GRU):
    """A layer with another ``forward``, which torch's own types do not like either."""

    def forward(self, text: Array) -> Array:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        output, _ = super().forward(text)
        return output


class Decoder(nn.Module):
    """Cells, one step at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.cells = nn.ModuleList(nn.LSTMCell(4, 4) for _ in range(2))
        self.last = nn.GRUCell(4, 4, bias=False)

    def forward(self, x: Array, steps: int = 3) -> Array:
        states: list[tuple[Array, Array] | None] = [None] * len(self.cells)
        hidden: Array | None = None
        for _ in range(steps):
            for number, cell in enumerate(self.cells):
                x, _ = states[number] = cell(x, states[number])
            hidden = self.last(x, hidden)
            x = hidden
        return x


def calls_have_the_types_of_forward() -> None:
    x = np.zeros((5, 2, 3), np.float32)
    packed = pack_sequence([x[:, 0], x[:3, 1]])
    h_0 = np.zeros((1, 2, 4), np.float32)

    for layer in (nn.RNN(3, 4, nonlinearity="relu"), nn.GRU(3, 4)):
        assert_type(layer(x), tuple[Array, Array])
        assert_type(layer(x, hx=h_0), tuple[Array, Array])
        assert_type(layer(packed), tuple[PackedSequence, Array])
    lstm = nn.LSTM(3, 4)
    assert_type(lstm(x), tuple[Array, tuple[Array, Array]])
    assert_type(lstm(packed, (h_0, h_0)), tuple[PackedSequence, tuple[Array, Array]])
    assert_type(lstm.forward(x), tuple[Array, tuple[Array, Array]])
    assert_type(nn.RNNCell(3, 4)(x[0]), Array)
    assert_type(nn.GRUCell(3, 4)(x[0], h_0[0]), Array)
    assert_type(nn.LSTMCell(3, 4)(x[0], (h_0[0], h_0[0])), tuple[Array, Array])

    assert_type(nn.Linear(3, 2)(x), Array)
    assert_type(nn.Conv1d(2, 4, 3, padding="same", padding_mode="reflect")(x), Array)
    assert_type(nn.Embedding(5, 2)(np.array([1, 4])), Array)
    assert_type(nn.LayerNorm(3)(x), Array)
    assert_type(nn.BatchNorm1d(3).eval()(x[0]), Array)
    assert_type(nn.Dropout(0.5)(x), Array)
    assert_type(nn.Flatten()(x), AnyArray)
    assert_type(nn.Identity()("anything"), str)
    for activation in (nn.ReLU(), nn.LeakyReLU(), nn.Tanh(), nn.Sigmoid()):
        assert_type(activation(x), Array)
    for softmax in (nn.Softmax(dim=1), nn.LogSoftmax(dim=1)):
        assert_type(softmax(x), Array)
    assert_type(Encoder(3, 4)(x), Array)
    assert_type(Decoder()(np.zeros((2, 4), np.float32), steps=2), Array)

    model = nn.Sequential(OrderedDict(first=nn.Linear(3, 4), second=nn.ReLU()))
    assert_type(model(x), Any)
    assert_type(model[0], Any)
    assert_type(model[:1], nn.Sequential)
    heads = nn.ModuleDict({"state": nn.Linear(4, 2)})
    assert_type(heads["state"], Any)


def parameters_and_options_are_declared() -> None:
    linear = nn.Linear(3, 2)
    assert_type(linear.weight, Array)
    assert_type(linear.bias, Array | None)
    assert_type(linear.in_features, int)
    gru = nn.GRU(3, 4, 2, bidirectional=True)
    assert_type(gru.weight_ih_l0, Array)
    assert_type(gru.bias_hh_l1_reverse, Array)
    assert_type(gru.get_parameter("weight_hh_l1"), Array)
    assert_type(gru.all_weights, list[list[Array]])
    assert_type(gru.bias, bool)
    assert_type(nn.LSTM(3, 4, proj_size=2).weight_hr_l0, Array)
    cell = nn.LSTMCell(3, 4)
    assert_type(cell.weight_hh, Array)
    assert_type(cell.bias_ih, Array | None)
    norm = nn.BatchNorm1d(3)
    assert_type(norm.running_mean, Array | None)
    assert_type(norm.num_batches_tracked, IntArray | None)
    assert_type(Tagger(5, 2).scale, Array)


def models_travel() -> None:
    tagger = Tagger(5, 2)
    assert_type(tagger.eval().to(np.float64).double().float(), Tagger)
    state_dict = tagger.state_dict()
    assert_type(state_dict, dict[str, AnyArray])
    missing, unexpected = tagger.load_state_dict(state_dict)
    assert_type(missing + unexpected, list[str])

    file = io.BytesIO()
    nn.save(tagger, file, format="safetensors")
    file.seek(0)
    assert_type(nn.load(file), Any)
    file.seek(0)
    weights = nn.read_state_dict(file)
    assert_type(weights, dict[str, AnyArray])
    assert_type(nn.LSTM.from_state_dict(weights, "lstm"), nn.LSTM)
    assert_type(nn.Embedding.from_pretrained(np.ones((3, 2), np.float32)), nn.Embedding)
    description = nn.describe(weights)
    assert_type(description["lstm"].kind, str)
    assert_type(description["lstm"].arguments, dict[str, Any])
    layers: list[nn.Module] = [layer.build(weights) for layer in description]
    assert_type(layers[0].eval(), nn.Module)


def sequences_keep_their_types() -> None:
    packed = pack_sequence([np.array([1, 2]), np.array([3])])
    assert_type(packed.data, AnyArray)
    assert_type(packed.batch_sizes, IntArray)
    assert_type(packed.sorted_indices, IntArray | None)
    assert_type(packed.to(np.float64), PackedSequence)
    assert_type(unpack_sequence(packed), list[AnyArray])
    assert_type(pad_packed_sequence(packed), tuple[AnyArray, IntArray])
    assert_type(pad_sequence([np.ones(2)], padding_side="left"), AnyArray)


def traces_have_the_types_of_the_call() -> None:
    x = np.zeros((5, 3), np.float32)
    trace = nn.trace(nn.LSTM(3, 4), x)
    assert_type(trace.output, Array)
    assert_type(trace.hx, tuple[Array, Array])
    assert_type(trace["l0"].gates["f"], Array)
    assert_type(trace["l0"].cell, Array | None)
    assert_type(trace.to_dict(), dict[str, AnyArray])
    assert_type(nn.trace(nn.GRU(3, 4), pack_sequence([x])).output, PackedSequence)
    assert_type(nn.trace(nn.GRUCell(3, 4), x).hx, Array)
    assert_type(nn.trace(nn.LSTMCell(3, 4), x).output, Array)


def functions_return_arrays() -> None:
    x = np.zeros((2, 3))
    assert_type(F.linear(x, np.ones((4, 3))), Array)
    assert_type(F.sigmoid(F.tanh(F.relu(F.leaky_relu(x)))), Array)
    assert_type(F.softmax(x, dim=1), Array)
    assert_type(F.dropout(x, 0.5, training=False), Array)
    assert_type(F.embedding(np.array([0, 1]), x), Array)
    assert_type(F.conv1d(x, np.ones((1, 2, 2))), Array)
    assert_type(F.pad(x, (1, 1), mode="constant", value=1.0), AnyArray)
    assert_type(F.layer_norm(x, (3,)), Array)
    assert_type(F.batch_norm(x, None, None, training=True), Array)


PROGRAM = (
    calls_have_the_types_of_forward,
    parameters_and_options_are_declared,
    models_travel,
    sequences_keep_their_types,
    traces_have_the_types_of_the_call,
    functions_return_arrays,
)

"""`numpy_rnn.testing.assert_parity` passes honest ports, chaotic ones too, and no other."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

import numpy_rnn as nn
from numpy_rnn import functional
from numpy_rnn.testing import assert_parity

pytestmark = pytest.mark.usefixtures("quiet_torch")

NETS = {"ordinary": (1.0, 12), "chaotic": (6.0, 300)}
"""A factor of the weights, and steps."""


def torch_layer(kind, net, **options):
    """Return a layer of torch's with weights of a size, and an input."""
    gain, steps = NETS[net]
    layer = getattr(torch.nn, kind)(5, 24, **options)
    with torch.no_grad():
        for name, parameter in layer.named_parameters():
            if "weight" in name:
                parameter.mul_(gain)
    generator = np.random.default_rng(steps)
    x = generator.standard_normal((steps, 3, 5)).astype(np.float32)
    return layer.eval(), x


def ported(layer, cls):
    """Return a layer of ours with torch's weights and options."""
    names = ["num_layers", "bidirectional", "batch_first", "dropout"]
    options = {name: getattr(layer, name) for name in names}
    if layer.proj_size:
        options["proj_size"] = layer.proj_size
    port = cls(layer.input_size, layer.hidden_size, **options).eval()
    port.load_state_dict(layer.state_dict())
    return port


def twin(layer, edit, dtype=None):
    """Return a sound layer with weights that were edited."""
    weights = {name: array.copy() for name, array in layer.state_dict().items()}
    edit(weights)
    kind = next(cls for cls in (nn.RNN, nn.LSTM, nn.GRU) if isinstance(layer, cls))
    other = copy.deepcopy(layer)
    other.__class__ = kind
    other.load_state_dict(weights)
    return other.to(dtype or layer.weight_ih_l0.dtype)


class SwappedGates(nn.LSTM):
    def forward(self, input, hx=None):
        def swap(weights):
            for array in weights.values():
                i, f, g, o = np.split(array.copy(), 4)
                array[...] = np.concatenate([f, i, g, o])

        return twin(self, swap)(input, hx)


class DroppedBias(nn.GRU):
    def forward(self, input, hx=None):
        return twin(self, lambda weights: weights["bias_hh_l0"].fill(0))(input, hx)


class ResetBeforeProduct(nn.GRU):
    def forward(self, input, _=None):
        h = np.zeros((input.shape[1], self.hidden_size), input.dtype)
        output = []
        for x in input:
            gi = functional.linear(x, self.weight_ih_l0, self.bias_ih_l0)
            gh = functional.linear(h, self.weight_hh_l0, self.bias_hh_l0)
            r, z, _ = np.split(functional.sigmoid(gi + gh), 3, axis=1)
            weight, bias = np.split(self.weight_hh_l0, 3)[2], np.split(self.bias_hh_l0, 3)[2]
            n = np.tanh(np.split(gi, 3, axis=1)[2] + functional.linear(r * h, weight, bias))
            h = (1 - z) * n + z * h
            output.append(h)
        return np.stack(output), h[np.newaxis]


class ReversedOffByOne(nn.RNN):
    def forward(self, input, hx=None):
        output, h_n = super().forward(input, hx)
        output[..., self.hidden_size :] = np.roll(output[..., self.hidden_size :], 1, axis=0)
        return output, h_n


class StaleWeight(nn.RNN):
    def forward(self, input, hx=None):
        if not hasattr(self, "kept"):
            self.kept = (self.weight_hh_l0.copy(),)
        (old,) = self.kept
        return twin(self, lambda weights: weights.update(weight_hh_l0=old))(input, hx)


class Float32Inside(nn.LSTM):
    def forward(self, input, hx=None):
        single = twin(self, lambda _: None, np.float32)
        output, (h_n, c_n) = single(input.astype(np.float32), hx)
        return output.astype(input.dtype), (h_n.astype(input.dtype), c_n.astype(input.dtype))


class WrongOrder(nn.GRU):
    def forward(self, input, hx=None):
        output, h_n = super().forward(input, hx)
        return output, h_n[[0, 2, 1, 3]]


class DropoutOn(nn.RNN):
    def forward(self, input, hx=None):
        output, h_n = super().forward(input, hx)
        return functional.dropout(output, 0.5, training=True), h_n


class WrongProjection(nn.LSTM):
    def forward(self, input, hx=None):
        def turn(weights):
            weights["weight_hr_l0"][...] = weights["weight_hr_l0"][::-1].copy()

        return twin(self, turn)(input, hx)


class UlpOfBias(nn.RNN):
    def forward(self, input, hx=None):
        def nudge(weights):
            bias = weights["bias_ih_l0"]
            bias += np.spacing(bias.astype(np.float32))

        return twin(self, nudge)(input, hx)


FAULTS = {
    SwappedGates: ("LSTM", {}),
    DroppedBias: ("GRU", {}),
    ResetBeforeProduct: ("GRU", {}),
    ReversedOffByOne: ("RNN", {"bidirectional": True}),
    StaleWeight: ("RNN", {}),
    Float32Inside: ("LSTM", {}),
    WrongOrder: ("GRU", {"num_layers": 2, "bidirectional": True}),
    DropoutOn: ("RNN", {}),
    WrongProjection: ("LSTM", {"proj_size": 7}),
    UlpOfBias: ("RNN", {}),
}


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_assert_parity_planted_fault_raises(fault, net):
    kind, options = FAULTS[fault]
    layer, x = torch_layer(kind, net, **options)
    port = ported(layer, fault)
    if fault is StaleWeight:
        port(x)
        layer.weight_hh_l0.data *= 1.01
        port.load_state_dict(layer.state_dict())
    assert assert_parity(ported(layer, getattr(nn, kind)), layer, x).agrees
    with pytest.raises(AssertionError, match=r"(DIFFERS|gives other results)"):
        assert_parity(port, layer, x)


def test_assert_parity_float32_inside_float64_raises():
    layer, x = torch_layer("LSTM", "ordinary")
    port = ported(layer, Float32Inside).double()
    with pytest.raises(AssertionError, match="DIFFERS"):
        assert_parity(port, layer.double(), x.astype(np.float64))


def test_assert_parity_dropout_left_on_raises():
    layer, x = torch_layer("RNN", "ordinary", num_layers=2, dropout=0.5)
    port = ported(layer, nn.RNN).train()
    with pytest.raises(
        AssertionError, match="ours gives other results when it is called again"
    ):
        assert_parity(port, layer, x)
    with pytest.raises(AssertionError, match="torch's gives other results when it is called"):
        assert_parity(port, layer.train(), x)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_assert_parity_chaotic_layer_says_so(kind):
    layer = getattr(torch.nn, kind)(5, 64)
    with torch.no_grad():
        layer.weight_hh_l0.mul_(20.0)
    x = np.random.default_rng(0).standard_normal((1000, 4, 5)).astype(np.float32)
    report = assert_parity(ported(layer, getattr(nn, kind)), layer, x)
    (start,) = [
        row.undecided_from
        for row in report.rows
        if (row.run, row.output) == ("float32", "output[0]")
    ]
    assert 3 < start < 900
    assert f"float32 cannot decide output[0]: from step {start} on" in str(report)


def test_assert_parity_different_weights_raise_with_their_names():
    layer, x = torch_layer("GRU", "ordinary")
    port = ported(layer, nn.GRU)
    bias = port.bias_ih_l0
    bias[3] = np.nextafter(bias[3], np.float32(9))
    with pytest.raises(AssertionError, match=r"the weights differ: bias_ih_l0 by up to \d"):
        assert_parity(port, layer, x)
    with pytest.raises(AssertionError, match="ours has no bias_hh_l0"):
        assert_parity(nn.GRU(5, 24, bias=False), layer, x)
    with pytest.raises(AssertionError, match="torch's has no bias_hh_l0"):
        assert_parity(port, torch.nn.GRU(5, 24, bias=False), x)
    with pytest.raises(
        AssertionError, match=r"weight_ih_l0 is float32 \(72, 5\), torch's float64"
    ):
        assert_parity(port, layer.double(), x)


def test_assert_parity_module_of_another_library_raises():
    layer, x = torch_layer("GRU", "ordinary")
    with pytest.raises(
        TypeError, match=r"torch_module must be a torch.nn.Module, got numpy_rnn"
    ):
        assert_parity(ported(layer, nn.GRU), ported(layer, nn.GRU), x)
    with pytest.raises(TypeError, match=r"module must be a numpy_rnn.Module, got torch"):
        assert_parity(layer, layer, x)


def test_assert_parity_other_shape_or_count_raises():
    class Batchwise(nn.RNN):
        def forward(self, input, hx=None):
            output, h_n = super().forward(input, hx)
            return output.swapaxes(0, 1), h_n

    class OutputAlone(nn.RNN):
        def forward(self, input, hx=None):
            return super().forward(input, hx)[:1]

    layer, x = torch_layer("RNN", "ordinary")
    with pytest.raises(
        AssertionError, match=r"output\[0\] is float64 \(3, 4, 24\), torch's float64 \(4, 3"
    ):
        assert_parity(ported(layer, Batchwise), layer, x)
    with pytest.raises(AssertionError, match=r"ours has no output\[1\]"):
        assert_parity(ported(layer, OutputAlone), layer, x)


class Tagger:
    """A whole model: words in, labels, scores and a state by name out."""

    def build(self, nn, packing):
        class Model(nn.Module):
            def __init__(self):
                super().__init__()
                self.embedding = nn.Embedding(20, 6)
                self.rnn = nn.GRU(6, 8, batch_first=True)
                self.head = nn.Linear(8, 3)

            def forward(self, words, lengths, hx=None):
                packed = packing.pack_padded_sequence(
                    self.embedding(words), lengths, batch_first=True, enforce_sorted=False
                )
                output, h_n = self.rnn(packed, hx)
                padded, _ = packing.pad_packed_sequence(output, batch_first=True)
                scores = self.head(padded)
                return {"labels": scores.argmax(-1), "scores": scores}, output, h_n

        return Model().eval()


def test_assert_parity_model_of_words_and_packed_sequences_agrees(rng):
    original = Tagger().build(torch.nn, torch.nn.utils.rnn)
    port = Tagger().build(nn, nn.utils.rnn)
    port.load_state_dict(original.state_dict())
    words, lengths = rng.integers(20, size=(4, 9)), np.array([3, 9, 1, 5])
    report = assert_parity(port, original, words, lengths)
    outputs = {row.output for row in report.rows}
    assert {"output[0]['labels']", "output[0]['scores']", "output[1].data"} <= outputs
    assert (
        "the first 4 steps are not run alone: torch's failed in float64: RuntimeError"
        in str(report)
    )
    hx = rng.standard_normal((1, 4, 8)).astype(np.float32)
    assert_parity(port, original, words, lengths, hx)


def test_assert_parity_packed_input_and_states_agree(rng):
    layer, x = torch_layer("LSTM", "ordinary")
    packed = nn.utils.rnn.pack_padded_sequence(x, [4, 12, 7], enforce_sorted=False)
    hx = tuple(rng.standard_normal((2, 1, 3, 24)).astype(np.float32))
    report = assert_parity(ported(layer, nn.LSTM), layer, packed, hx)
    assert [row.output for row in report.rows[:2]] == [
        "output[0].data",
        "output[0].batch_sizes",
    ]


def test_assert_parity_report_is_a_table():
    layer, x = torch_layer("RNN", "ordinary")
    port = ported(layer, UlpOfBias)
    with pytest.raises(AssertionError) as caught:
        assert_parity(port, layer, x)
    lines = str(caught.value).splitlines()
    assert lines[0] == "the results differ from torch's"
    assert lines[1].split() == ["run", "output", "step", "ours", "torch's", "allowed"]
    assert lines[2].startswith("float64, 4 steps  output[0]  ")
    assert lines[2].endswith("DIFFERS")


def test_assert_parity_changes_neither_model():
    layer, x = torch_layer("GRU", "ordinary")
    port = ported(layer, nn.GRU)
    before, weights = x.copy(), copy.deepcopy(layer.state_dict())
    assert_parity(port, layer, x)
    np.testing.assert_array_equal(x, before)
    assert port.weight_hh_l0.dtype == np.float32
    for name, tensor in layer.state_dict().items():
        assert torch.equal(tensor, weights[name])

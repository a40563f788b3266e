"""`assert_parity` takes originals as they are: nothing of them is edited for its sake."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

import numpy as np
import pytest
import torch

import numpy_rnn as nn
from numpy_rnn.testing import assert_parity

pytestmark = pytest.mark.usefixtures("quiet_torch")


def weighted(original, port):
    """Return both in evaluation mode, the port with the original's weights."""
    port.load_state_dict(original.state_dict())
    return port.eval(), original.eval()


def runs_of(report):
    return list(dict.fromkeys(row.run for row in report.rows))


ALL_RUNS = ["float64, 4 steps", "float64", "float32"]


# Float32 by name or by default


def build(library, zeros, start=lambda _: None):
    """Return a model that makes its first state itself."""

    class Model(library.Module):
        def __init__(self):
            super().__init__()
            self.rnn = library.GRU(5, 8)
            start(self)

        def forward(self, x):
            output, self.last = self.rnn(x, zeros(self, x))
            return output

    return Model()


ZEROS = {
    "default dtype": lambda _, x: torch.zeros(1, x.size(1), 8),
    "float32 by keyword": lambda _, x: torch.zeros(1, x.size(1), 8, dtype=torch.float32),
    "float32 by position": lambda _, x: torch.zeros(1, x.size(1), 8).to(torch.float32),
    "float": lambda _, x: (x[:1, :, :1].int() * 0).float().repeat(1, 1, 8),
    "new_zeros": lambda _, x: x.new_zeros(1, x.size(1), 8, dtype=torch.float32),
}


@pytest.mark.parametrize("zeros", ZEROS)
def test_assert_parity_original_that_makes_float32_agrees_with_port_that_follows(zeros, rng):
    original = build(torch.nn, ZEROS[zeros])
    port = build(nn, lambda _, x: np.zeros((1, x.shape[1], 8), x.dtype))
    x = rng.standard_normal((9, 3, 5)).astype(np.float32)
    report = assert_parity(*weighted(original, port), x)
    assert runs_of(report) == ALL_RUNS
    assert torch.get_default_dtype() == torch.float32


@pytest.mark.parametrize("calls", [0, 2])
def test_assert_parity_state_kept_on_the_model_is_that_of_before_the_call(calls, rng):
    def start(model):
        model.last = None

    original = build(torch.nn, lambda model, _: model.last, start)
    port = build(nn, lambda model, _: model.last, start)
    weighted(original, port)
    x = rng.standard_normal((6, 3, 5)).astype(np.float32)
    for _ in range(calls):
        original(torch.from_numpy(x))
        port.last = original.last.detach().numpy().copy()  # torch's still has its graph
    before = None if port.last is None else port.last.copy()
    assert assert_parity(port, original, x).agrees
    np.testing.assert_array_equal(port.last, before)


def test_assert_parity_port_that_makes_float32_says_which_failed():
    original = build(torch.nn, ZEROS["default dtype"])
    port = build(nn, lambda _, x: np.zeros((1, x.shape[1], 8), np.float32))
    with pytest.raises(AssertionError, match=r"ours failed in float64: .*float32") as caught:
        assert_parity(*weighted(original, port), np.ones((9, 3, 5), np.float32))
    assert caught.value.__cause__.__traceback__ is not None


def test_assert_parity_original_that_fails_is_named():
    original, port = torch.nn.GRU(5, 8), nn.GRU(5, 8)
    with pytest.raises(AssertionError, match=r"torch's failed in float64: RuntimeError: "):
        assert_parity(*weighted(original, port), np.ones((9, 3, 4), np.float32))


def test_assert_parity_port_that_rounds_to_float32_gets_a_hint(rng):
    class Rounds(nn.Linear):
        def forward(self, input):
            return super().forward(input).astype(np.float32).astype(input.dtype)

    x = rng.standard_normal((9, 5)).astype(np.float32)
    with pytest.raises(AssertionError, match=r"float64 alone differs, and by little"):
        assert_parity(*weighted(torch.nn.Linear(5, 3), Rounds(5, 3)), x)


# Which inputs may change, and where they are cut


def test_assert_parity_floats_that_are_indices_stay_exact(rng):
    class Original(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding, self.rnn = torch.nn.Embedding(7, 5), torch.nn.GRU(5, 8)

        def forward(self, x):
            return self.rnn(self.embedding(x.int()))[0]

    class Port(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding, self.rnn = nn.Embedding(7, 5), nn.GRU(5, 8)

        def forward(self, x):
            return self.rnn(self.embedding(x.astype(np.int32)))[0]

    words = rng.integers(1, 7, (9, 3)).astype(np.float32)
    report = assert_parity(*weighted(Original(), Port()), words)
    assert all(row.undecided_from is None for row in report.rows)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("is_batched", [False, True])
@pytest.mark.parametrize("has_state", [False, True])
def test_assert_parity_first_steps_are_never_the_first_sequences(
    bidirectional, batch_first, is_batched, has_state, rng
):
    shapes = []

    class Port(nn.GRU):
        def forward(self, input, hx=None):
            shapes.append(input.shape)
            return super().forward(input, hx)

    options = {"bidirectional": bidirectional, "batch_first": batch_first}
    steps, batch = 9, 6
    shape = [steps, 5]
    if is_batched:
        shape.insert(0 if batch_first else 1, batch)
    inputs = [rng.standard_normal(shape).astype(np.float32)]
    if has_state:
        state = (1 + bidirectional, batch, 8) if is_batched else (1 + bidirectional, 8)
        inputs.append(rng.standard_normal(state).astype(np.float32))
    port, original = weighted(torch.nn.GRU(5, 8, **options), Port(5, 8, **options))
    report = assert_parity(port, original, *inputs)
    assert runs_of(report) == ALL_RUNS
    shorter = [4 if size == steps else size for size in shape]
    assert set(shapes) == {tuple(shape), tuple(shorter)}


def test_assert_parity_batch_of_words_is_cut_along_its_steps(rng):
    def model(library):
        class Model(library.Module):
            def __init__(self):
                super().__init__()
                self.embedding = library.Embedding(7, 5)
                self.rnn = library.LSTM(5, 8, batch_first=True)

            def forward(self, words):
                assert words.shape[0] == 6
                return self.rnn(self.embedding(words))

        return Model()

    report = assert_parity(*weighted(model(torch.nn), model(nn)), rng.integers(7, size=(6, 9)))
    assert runs_of(report) == ALL_RUNS


def test_assert_parity_model_without_recurrent_layer_is_not_cut(rng):
    x = rng.standard_normal((9, 5)).astype(np.float32)
    report = assert_parity(*weighted(torch.nn.Linear(5, 3), nn.Linear(5, 3)), x)
    assert runs_of(report) == ALL_RUNS[1:]
    assert "the first 4 steps are not run alone: the model has no recurrent layers" in str(
        report
    )


def test_assert_parity_model_that_begins_with_a_convolution_is_not_cut(rng):
    def model(library):
        class Model(library.Module):
            def __init__(self):
                super().__init__()
                self.conv, self.rnn = library.Conv1d(6, 5, 3), library.GRU(5, 8)

            def forward(self, x):
                assert x.shape == (9, 6, 7)
                return self.rnn(self.conv(x).swapaxes(1, 2).swapaxes(0, 1))

        return Model()

    x = rng.standard_normal((9, 6, 7)).astype(np.float32)
    report = assert_parity(*weighted(model(torch.nn), model(nn)), x)
    assert runs_of(report) == ALL_RUNS[1:]
    assert "a convolution, conv, comes before the recurrent layers" in str(report)


def test_assert_parity_layers_that_differ_in_batch_first_are_not_cut(rng):
    def model(library):
        class Model(library.Module):
            def __init__(self):
                super().__init__()
                self.one, self.two = library.GRU(5, 8, batch_first=True), library.GRU(8, 3)

            def forward(self, x):
                return self.two(self.one(x)[0].swapaxes(0, 1))

        return Model()

    x = rng.standard_normal((6, 9, 5)).astype(np.float32)
    report = assert_parity(*weighted(model(torch.nn), model(nn)), x)
    assert runs_of(report) == ALL_RUNS[1:]
    assert "the recurrent layers do not agree on batch_first" in str(report)


# Nested inputs and outputs


class Batch(NamedTuple):
    features: object
    state: object


def nested(library, flatten):
    class Model(library.Module):
        def __init__(self):
            super().__init__()
            self.rnn = library.GRU(5, 8)

        def forward(self, batch, *, scale, extra=None):
            output, h_n = self.rnn(batch.features * scale["factor"], batch.state)
            best = output.argmax(-1)
            lists = {"first": flatten(best[0]), "none": extra, "empty": []}
            return OrderedDict(batch=Batch(output, h_n), lists=lists, parts=[best, (h_n,)])

    return Model()


def test_assert_parity_nests_and_keywords_in_and_out_agree(rng):
    port = nested(nn, lambda array: list(array))  # NumPy's integers, not Python's
    original = nested(torch.nn, lambda tensor: tensor.tolist())
    x = rng.standard_normal((9, 3, 5)).astype(np.float32)
    state = rng.standard_normal((1, 3, 8)).astype(np.float32)
    factor = np.float32(rng.uniform(1, 2, (3, 1)))
    report = assert_parity(*weighted(original, port), Batch(x, state), scale={"factor": factor})
    assert runs_of(report) == ALL_RUNS[1:]
    assert [row.output for row in report.rows if row.run == "float32"] == [
        "output['batch'].features",
        "output['batch'].state",
        "output['lists']['first']",
        "output['parts'][0]",
        "output['parts'][1][0]",
    ]


def best_of(library, wrong=False):
    class Model(library.GRU):
        def forward(self, x):
            best = super().forward(x)[0].argmax(-1)
            return best + 1 if wrong and x.dtype == np.float32 else best

    return Model(5, 8)


def test_assert_parity_integers_alone_are_compared_in_float32_too(rng):
    x = rng.standard_normal((9, 3, 5)).astype(np.float32)
    report = assert_parity(*weighted(best_of(torch.nn), best_of(nn)), x)
    assert runs_of(report) == ALL_RUNS
    with pytest.raises(AssertionError, match=r"float32 +output .* DIFFERS"):
        assert_parity(*weighted(best_of(torch.nn), best_of(nn, wrong=True)), x)


def test_assert_parity_other_number_of_outputs_says_both():
    class OutputAlone(nn.GRU):
        def forward(self, x):
            return super().forward(x)[0]

    port, original = weighted(torch.nn.GRU(5, 8), OutputAlone(5, 8))
    with pytest.raises(AssertionError, match=r"\(ours has 1 arrays, torch's 2\)"):
        assert_parity(port, original, np.ones((9, 3, 5), np.float32))


# Options


def stacked(library, **options):
    return library.Sequential(
        library.Linear(5, 6),
        library.LeakyReLU(options.get("negative_slope", 0.01)),
        library.LayerNorm(6, eps=options.get("eps", 1e-5)),
        library.RNN(6, 4, 2, nonlinearity=options.get("nonlinearity", "tanh")),
    )


@pytest.mark.parametrize(
    ("option", "value", "line"),
    [
        ("negative_slope", 0.2, "1.negative_slope is 0.2, torch's 0.01"),
        ("eps", 1e-3, "2.eps is 0.001, torch's 1e-05"),
        ("nonlinearity", "relu", "3.nonlinearity is 'relu', torch's 'tanh'"),
    ],
)
def test_assert_parity_lost_option_is_named_before_any_number(option, value, line, rng):
    port, original = weighted(stacked(torch.nn), stacked(nn, **{option: value}))
    with pytest.raises(AssertionError) as caught:
        assert_parity(port, original, rng.standard_normal((9, 3, 5)).astype(np.float32))
    assert str(caught.value).splitlines()[1] == line


def test_assert_parity_option_without_effect_is_shown_and_agrees(rng):
    port, original = weighted(torch.nn.GRU(5, 8, 2, dropout=0.5), nn.GRU(5, 8, 2))
    x = rng.standard_normal((9, 3, 5)).astype(np.float32)
    assert str(assert_parity(port, original, x)).startswith("dropout is 0.0, torch's 0.5\n")


def test_assert_parity_forgotten_batch_first_is_said_to_be_that(rng):
    port, original = weighted(torch.nn.GRU(5, 8, batch_first=True), nn.GRU(5, 8))
    with pytest.raises(AssertionError) as caught:
        assert_parity(port, original, rng.standard_normal((6, 9, 5)).astype(np.float32))
    assert str(caught.value).startswith("batch_first is False, torch's True\n")

    class Swaps(nn.GRU):
        def forward(self, x):
            output, h_n = super().forward(x.swapaxes(0, 1))
            return output, h_n

    port, original = weighted(torch.nn.GRU(5, 8, batch_first=True), Swaps(5, 8))
    with pytest.raises(AssertionError, match="its first two axes are swapped, as by another"):
        assert_parity(port, original, rng.standard_normal((6, 9, 5)).astype(np.float32))

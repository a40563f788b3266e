"""`Module.freeze`: the same results, nothing stale, errors that say what to do."""

from __future__ import annotations

import copy
import itertools
import pickle
import re
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import numpy_rnn as nn
from numpy_rnn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from tests.support.heuristics import WAYS, force

KINDS = ("RNN", "LSTM", "GRU")
OPTIONS = [
    {"num_layers": layers, "bidirectional": bidirectional, "bias": bias}
    for layers, bidirectional, bias in itertools.product((1, 2), (False, True), (True, False))
]


class Model(nn.Module):
    """A model with a tied weight, a buffer, a cell and dropout."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(7, 4)
        self.rnn = nn.LSTM(4, 5, 2, bidirectional=True, dropout=0.5)
        self.cell = nn.GRUCell(10, 4)
        self.norm = nn.BatchNorm1d(4)
        self.head = nn.Linear(4, 7, bias=False)
        self.head.weight = self.embedding.weight
        self.register_buffer("scale", np.full(1, 2, np.float32))

    def forward(self, tokens):
        output, _ = self.rnn(self.embedding(tokens))
        return self.head(self.norm(self.cell(output[-1]))) * self.scale


TOKENS = np.array([[1, 2], [3, 4], [5, 6]])


def arrays_of(result):
    """Return the arrays in a nest of tuples."""
    if isinstance(result, tuple):
        return [array for part in result for array in arrays_of(part)]
    return [result]


def assert_close(got, expected):
    for mine, other in zip(arrays_of(got), arrays_of(expected), strict=True):
        assert mine.dtype == other.dtype
        assert mine.shape == other.shape
        tolerance = 2e-6 if mine.dtype == np.float32 else 1e-13
        np.testing.assert_allclose(mine, other, rtol=0, atol=tolerance)


@pytest.mark.parametrize("kind", [*KINDS, "relu", "projection"])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("size", [4, 128])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_frozen_layer_equals_the_live_one(kind, options, size, dtype, rng):
    extra = {"relu": {"nonlinearity": "relu"}, "projection": {"proj_size": 3}}.get(kind, {})
    layer_class = {"relu": nn.RNN, "projection": nn.LSTM}.get(kind) or getattr(nn, kind)
    live = layer_class(6, size, **options, **extra, dtype=dtype).eval()
    frozen = copy.deepcopy(live).freeze()
    passes = options["num_layers"] * (2 if options["bidirectional"] else 1)
    for steps, batch in ((1, 1), (1, 3), (9, 1), (20, 1), (9, 4)):
        x = rng.standard_normal((steps, batch, 6)).astype(dtype)
        h = rng.standard_normal((passes, batch, extra.get("proj_size", size))).astype(dtype)
        c = rng.standard_normal((passes, batch, size)).astype(dtype)
        for hx in (None, (h, c) if layer_class is nn.LSTM else h):
            for _ in range(2):  # the second call has what the first one kept
                assert_close(frozen(x, hx), live(x, hx))
    one = rng.standard_normal((1, 6)).astype(dtype)
    assert_close(frozen(one), live(one))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", KINDS)
def test_frozen_layer_equals_the_live_one_in_every_way(kind, way, monkeypatch, rng):
    live = getattr(nn, kind)(3, 5, 2, bidirectional=True)
    shapes = ((1, 1, 3), (20, 1, 3), (1, 4, 3))
    inputs = [rng.standard_normal(shape).astype(np.float32) for shape in shapes]
    expected = [live(x) for x in inputs]
    force(monkeypatch, way)
    frozen = copy.deepcopy(live).freeze()
    for x, result in zip(inputs, expected, strict=True):
        assert_close(frozen(x), result)


@pytest.mark.parametrize("kind", KINDS)
def test_frozen_layer_takes_packed_sequences(kind, rng):
    live = getattr(nn, kind)(3, 4, 2, bidirectional=True)
    frozen = copy.deepcopy(live).freeze()
    packed = pack_padded_sequence(rng.standard_normal((5, 3, 3)).astype(np.float32), [5, 3, 1])
    (got, got_last), (expected, last) = frozen(packed), live(packed)
    assert_close(pad_packed_sequence(got)[0], pad_packed_sequence(expected)[0])
    assert_close(got_last, last)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bias", [True, False])
def test_frozen_cell_equals_the_live_one(kind, bias, rng):
    live = getattr(nn, f"{kind}Cell")(3, 4, bias=bias)
    frozen = copy.deepcopy(live).freeze()
    for batch in ((), (1,), (5,)):
        x = rng.standard_normal((*batch, 3)).astype(np.float32)
        h = rng.standard_normal((*batch, 4)).astype(np.float32)
        hx = (h, h + 1) if kind == "LSTM" else h
        assert_close(frozen(x, hx), live(x, hx))
        assert_close(frozen(x), live(x))


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("shape", [(1, 4), (3, 4), (2, 4, 5), (2, 4, 5, 6), (0, 4)])
def test_frozen_batch_norm_gives_the_bits_of_the_live_one(affine, shape, rng):
    live = (nn.BatchNorm2d if len(shape) == 4 else nn.BatchNorm1d)(4, affine=affine).eval()
    for array in (*live.parameters(), live.running_mean, live.running_var):
        array[...] = rng.random(4)
    frozen = copy.deepcopy(live).freeze()
    x = rng.standard_normal(shape).astype(np.float32)
    np.testing.assert_array_equal(frozen(x), live(x))
    live.eps = frozen.eps = 0.5
    np.testing.assert_array_equal(frozen(x), live(x))
    for wrong in (x.astype(np.float64), np.zeros((2, 3), np.float32), np.zeros(4)):
        with pytest.raises((RuntimeError, ValueError)) as expected:
            live(wrong)
        with pytest.raises(expected.type, match=re.escape(str(expected.value))):
            frozen(wrong)


def test_frozen_batch_norm_without_statistics_uses_those_of_the_batch(rng):
    live = nn.BatchNorm1d(4, track_running_stats=False).eval()
    x = rng.standard_normal((3, 4)).astype(np.float32)
    expected = live(x)
    np.testing.assert_array_equal(live.freeze()(x), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_frozen_step_results_share_no_memory_and_inputs_stay(kind, rng):
    layer = getattr(nn, kind)(3, 4).freeze()
    x, h = rng.standard_normal((1, 1, 3)), rng.standard_normal((1, 1, 4))
    x, h = x.astype(np.float32), h.astype(np.float32)
    hx = (h, h.copy()) if kind == "LSTM" else h
    copies = copy.deepcopy((x, hx))
    results = [arrays_of(layer(x, hx)) for _ in range(2)]
    for array, other in itertools.combinations(
        [x, *arrays_of(hx), *results[0], *results[1]], 2
    ):
        assert not np.shares_memory(array, other)
    for array, before in zip(arrays_of((x, hx)), arrays_of(copies), strict=True):
        np.testing.assert_array_equal(array, before)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [3, 128])
@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan, 1e38])
def test_frozen_step_takes_infinities_as_the_live_one_silently(kind, size, value):
    layer = getattr(nn, kind)(2, size)
    x = np.array([[[value, 1]]], np.float32)
    expected = layer(x)
    with np.errstate(all="raise"):
        got = layer.freeze()(x)
    for mine, other in zip(arrays_of(got), arrays_of(expected), strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((np.zeros((1, 1, 4), np.float32),), RuntimeError),
        ((np.zeros((1, 1, 3)),), ValueError),
        ((np.zeros((1, 1, 3), np.float32), np.zeros((1, 1, 5), np.float32)), RuntimeError),
        ((np.zeros((1, 1, 3), np.float32), np.zeros((1, 1, 4))), RuntimeError),
        ((np.zeros((1, 1, 3), np.float32), 3), TypeError),
        ((np.zeros((1, 1, 1, 3), np.float32),), ValueError),
    ],
)
def test_frozen_layer_raises_what_the_live_one_does(arguments, error):
    live = nn.GRU(3, 4)
    with pytest.raises(error) as expected:  # compared below
        live(*arguments)
    with pytest.raises(error, match=re.escape(str(expected.value))):
        live.freeze()(*arguments)


def test_freeze_makes_arrays_read_only_and_keeps_ties():
    model = Model()
    before = model.embedding.weight
    expected = model.eval()(TOKENS)
    assert model.freeze() is model
    assert model.freeze() is model
    assert model.frozen
    assert model.rnn.frozen
    assert not model.training
    assert model.head.weight is model.embedding.weight
    before[...] = 0  # it was taken before, and is the model's no more
    assert_close(model(TOKENS), expected)
    for array in (*model.parameters(), *model.buffers(), *model.state_dict().values()):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
        with pytest.raises(ValueError, match="WRITEABLE"):
            array.flags.writeable = True
    assert repr(model) == repr(Model())


FORBIDDEN = [
    ("`head` cannot be assigned", lambda m: setattr(m, "head", nn.Linear(4, 7))),
    ("`weight` cannot be assigned", lambda m: setattr(m.head, "weight", m.head.weight)),
    ("`scale` cannot be assigned", lambda m: setattr(m, "scale", None)),
    ("`extra` cannot be assigned", lambda m: setattr(m, "extra", nn.Parameter(np.ones(2)))),
    ("`training` cannot be assigned", lambda m: setattr(m, "training", True)),
    ("`head` cannot be deleted", lambda m: delattr(m, "head")),
    ("`extra` cannot be registered", lambda m: m.register_parameter("extra", None)),
    ("`extra` cannot be registered", lambda m: m.register_buffer("extra", None)),
    ("`extra` cannot be added", lambda m: m.add_module("extra", nn.Identity())),
    ("no state_dict can be loaded", lambda m: m.load_state_dict(m.state_dict())),
    ("the dtype cannot become float64", lambda m: m.double()),
    ("train() has no effect", lambda m: m.train()),
]


@pytest.mark.parametrize(("message", "change"), FORBIDDEN)
def test_frozen_module_cannot_be_changed(message, change):
    model = Model().freeze()
    expected = model(TOKENS)
    error = re.escape(f"{message}: this module is frozen. Call unfreeze() first")
    with pytest.raises(RuntimeError, match=error):
        change(model)
    np.testing.assert_array_equal(model(TOKENS), expected)
    parent = nn.Sequential(model)
    if message.startswith(("no state", "the dtype", "train")):
        with pytest.raises(RuntimeError, match="this module is frozen"):
            change(parent)


def test_frozen_module_may_change_what_is_no_weight():
    model = Model().freeze()
    model.state = np.zeros(3)
    model.state = None
    del model.state
    assert model.eval() is model
    assert model.to("cpu") is model
    assert model.zero_grad() is None


def test_unfreeze_makes_weights_live_again():
    model = Model().freeze()
    expected = model(TOKENS)
    assert model.unfreeze() is model
    assert model.unfreeze() is model
    assert not model.frozen
    assert model.head.weight is model.embedding.weight
    assert_close(model(TOKENS), expected)
    assert isinstance(model.head.weight, nn.Parameter)
    model.rnn.weight_hh_l0[...] += 1
    assert np.abs(model(TOKENS) - expected).max() > 1e-3
    model.double().train()


@pytest.mark.parametrize(
    "way", [copy.deepcopy, copy.copy, lambda m: pickle.loads(pickle.dumps(m))]
)
def test_copy_of_a_frozen_module_is_frozen(way):
    model = Model().freeze()
    twin = way(model)
    assert twin.frozen
    assert twin.rnn.frozen
    assert twin.head.weight is twin.embedding.weight
    np.testing.assert_array_equal(twin(TOKENS), model(TOKENS))
    with pytest.raises(ValueError, match="read-only"):
        twin.rnn.weight_hh_l0[...] = 0
    if way is not copy.copy:
        twin.unfreeze().rnn.weight_hh_l0[...] = 0
        assert model.frozen
        assert np.abs(twin(TOKENS) - model(TOKENS)).max() > 1e-4


def test_pickle_of_a_frozen_module_has_nothing_derived():
    live = nn.LSTM(30, 40)
    size = len(pickle.dumps(live))
    assert len(pickle.dumps(live.freeze())) < size * 1.1


def test_part_of_a_model_may_be_frozen():
    model = Model().eval()
    expected = model(TOKENS)
    model.rnn.freeze()
    assert not model.frozen
    assert_close(model(TOKENS), expected)
    model.head.weight[...] *= 2
    model.cell.weight_hh[...] *= 2
    assert np.abs(model(TOKENS) - expected).max() > 1e-4
    with pytest.raises(RuntimeError, match="this module is frozen"):
        model.load_state_dict(model.state_dict())
    assert model.freeze().frozen
    assert model.unfreeze().rnn.frozen is False


def test_model_with_an_attribute_named_frozen_keeps_it():
    class Backbone(nn.Module):
        def __init__(self):
            super().__init__()
            self.frozen = "conv"
            self.rnn = nn.GRU(2, 3)

    other = nn.Module()
    other.add_module("freeze", nn.GRU(2, 3))
    assert isinstance(other.freeze, nn.GRU)
    with pytest.raises(KeyError, match="attribute 'eval' already exists"):
        other.add_module("eval", nn.GRU(2, 3))
    model = Backbone()
    model.freeze()
    assert model.frozen == "conv"
    assert model.rnn.frozen
    model.unfreeze().rnn.weight_hh_l0[...] = 0


@pytest.mark.parametrize("kind", KINDS)
def test_frozen_layer_in_16_threads_gives_the_same_bits(kind, rng):
    layer = getattr(nn, kind)(8, 16, 2).freeze()
    inputs = rng.standard_normal((16, 200, 1, 1, 8)).astype(np.float32)

    def streamed(chunks):
        state, outputs = None, []
        for chunk in chunks:
            output, state = layer(chunk, state)
            outputs.append(output)
        return np.concatenate(outputs)

    expected = [streamed(chunks) for chunks in inputs]
    found: dict[int, np.ndarray] = {}
    start = threading.Barrier(16)

    def work(number):
        start.wait()
        found[number] = streamed(inputs[number])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, output in enumerate(expected):
        np.testing.assert_array_equal(found[number], output)


ACTIONS = ("freeze", "unfreeze", "edit", "load", "cast", "copy", "pickle", "assign", "part")


@settings(max_examples=60)
@given(
    st.sampled_from(KINDS), st.lists(st.sampled_from(ACTIONS), max_size=12), st.integers(0, 99)
)
def test_nothing_is_stale_whatever_is_done(kind, actions, seed):
    """After every action a new live layer with the same weights gives the same."""
    rng = np.random.default_rng(seed)
    model = nn.Sequential(getattr(nn, kind)(3, 4, 2, bidirectional=True).eval())
    for action in actions:
        weight = model[0].weight_hh_l0
        change = rng.standard_normal(weight.shape).astype(weight.dtype)
        try:
            if action == "freeze":
                model.freeze()
            elif action == "unfreeze":
                model.unfreeze()
            elif action == "edit":
                weight[...] = change
            elif action == "load":
                state = model.state_dict()
                model.load_state_dict({name: array * 0.5 for name, array in state.items()})
            elif action == "cast":
                model.double() if weight.dtype == np.float32 else model.float()
            elif action == "copy":
                model = copy.deepcopy(model)
            elif action == "pickle":
                model = pickle.loads(pickle.dumps(model))
            elif action == "part":
                model[0].freeze()
            else:
                model[0].weight_hh_l0 = change
        except (RuntimeError, ValueError) as error:
            refused = str(error)
            assert "frozen" in refused or "read-only" in refused
        dtype = model[0].weight_hh_l0.dtype
        fresh = getattr(nn, kind)(3, 4, 2, bidirectional=True, dtype=dtype)
        fresh.load_state_dict(model[0].state_dict())
        for steps, batch in ((1, 1), (6, 1), (20, 1), (5, 2)):
            x = rng.standard_normal((steps, batch, 3)).astype(dtype)
            assert_close(model[0](x), fresh(x))

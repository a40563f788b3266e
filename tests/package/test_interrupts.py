"""An interrupt or a lack of memory in the middle of a call loses that call and nothing else.

`tests/support/faults.py` raises errors at the instructions of the package, one after another;
real signals come at any time.
"""

from __future__ import annotations

import contextlib
import copy
import pickle
import signal

import numpy as np
import pytest

import numpy_rnn as nn
from numpy_rnn.floating_point import CONTEXT_HAS_SETTINGS
from tests.support.compare import leaves
from tests.support.faults import raise_at_instructions
from tests.support.recurrent import KINDS, both, draw_hx, draw_input
from tests.support.whole_model import build

ERRORS = [KeyboardInterrupt, MemoryError]
FORMATS = [".npz", ".safetensors", ".pt"]

collected = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""A file is closed by the garbage collector if the error comes before its ``with``."""


@pytest.fixture
def raise_in(deep):
    """Return `raise_at_instructions`, for every one with --deep and for fewer without."""

    def raise_in(work, error, every=1, prepare=lambda: None):
        rounds, every = (3, 1) if deep else (1, every)
        return raise_at_instructions(work, error, rounds, every, prepare)

    return raise_in


@pytest.fixture
def seconds_until_signals(rng, deep):
    """Return times after which a signal comes, from 10 microseconds up to `longest`."""
    return lambda longest: rng.uniform(1e-5, longest, 2000 if deep else 100)


def same(one, other):
    """Return whether results have equal bits and dtypes."""
    pairs = zip(leaves(one), leaves(other), strict=True)
    return all(a.dtype == b.dtype and a.tobytes() == b.tobytes() for a, b in pairs)


def snapshot(module):
    return {name: array.copy() for name, array in module.state_dict().items()}


def same_state(module, state):
    own = module.state_dict()
    return list(own) == list(state) and same(list(own.values()), list(state.values()))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("steps", "batch", "layout", "error"),
    [
        (5, 2, "batched", MemoryError),
        (1, 1, "batched", KeyboardInterrupt),
        (4, 3, "packed", KeyboardInterrupt),
    ],
)
def test_rnn_call_interrupted_anywhere_leaves_the_layer_unchanged(
    raise_in, rng, kind, steps, batch, layout, error
):
    layer, _ = both(kind, 3, 4, num_layers=2, bidirectional=batch > 1)
    x, hx = draw_input(rng, layer, steps, batch, layout), draw_hx(rng, layer, batch)
    given = [array for array in leaves((x, hx)) if array is not None]
    copies, state = copy.deepcopy(given), snapshot(layer)
    expected, settings = layer(x, hx), np.geterr()
    arrays = [array for array in leaves(expected) if array is not None]
    for place in raise_in(lambda: layer(x, hx), error, every=3):
        again = [array for array in leaves(layer(x, hx)) if array is not None]
        assert same(again, arrays), place
        assert same_state(layer, state), place
        if CONTEXT_HAS_SETTINGS:  # NumPy 1 sets and resets them by instructions of its own
            assert np.geterr() == settings, place
        np.seterr(**settings)
    assert same(given, copies)


@pytest.mark.parametrize("cell", [nn.RNNCell, nn.LSTMCell, nn.GRUCell])
def test_cell_interrupted_step_can_be_repeated(raise_in, rng, cell):
    cell = cell(3, 4)
    x = rng.standard_normal((2, 3)).astype(np.float32)
    hx = cell(x)
    expected = cell(x, hx)
    for place in raise_in(lambda: cell(x, hx), KeyboardInterrupt):
        assert same(cell(x, hx), expected), place


def small_model():
    return nn.ModuleDict(
        {"norm": nn.BatchNorm1d(3), "rnn": nn.GRU(3, 4), "head": nn.Linear(4, 2)}
    )


def raised(model):
    """Return weights that differ from a model's everywhere."""
    return {name: array + array.dtype.type(1) for name, array in model.state_dict().items()}


CHANGES = {
    "load_state_dict": lambda model: model.load_state_dict(raised(model)),
    "load_state_dict of a part": lambda model: model.load_state_dict(
        {name: array for name, array in raised(model).items() if "bias" in name}, strict=False
    ),
    "double": lambda model: model.double(),
    "to": lambda model: model.to("cpu", np.float64),
    "assignment": lambda model: setattr(model["rnn"], "weight_hh_l0", np.ones((12, 4), "f")),
}


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("change", CHANGES)
def test_module_change_interrupted_changes_all_weights_or_none(raise_in, error, change):
    original = small_model()
    changed = copy.deepcopy(original)
    CHANGES[change](changed)
    before, after = snapshot(original), snapshot(changed)
    assert not same_state(changed, before)
    model = original

    def renew():
        nonlocal model
        model = copy.deepcopy(original)

    seen = set()
    for place in raise_in(lambda: CHANGES[change](model), error, prepare=renew):
        states = same_state(model, before), same_state(model, after)
        assert any(states), place
        seen.add(states)
    assert len(seen) == 2


def test_load_state_dict_refused_and_interrupted_changes_nothing(raise_in):
    layer = nn.LSTM(3, 4)
    before, bad = snapshot(layer), raised(layer)
    bad["bias_hh_l0"] = np.zeros(3, np.float32)

    def refused():
        with pytest.raises(RuntimeError, match="size mismatch for bias_hh_l0"):
            layer.load_state_dict(bad)

    for place in raise_in(refused, KeyboardInterrupt):
        assert same_state(layer, before), place


EDITS = {
    "insert": lambda layers: layers.insert(1, nn.Tanh()),
    "del": lambda layers: layers.__delitem__(1),
    "del of a slice": lambda layers: layers.__delitem__(slice(1, 3)),
    "pop": lambda layers: layers.pop(0),
    "assignment": lambda layers: layers.__setitem__(2, nn.Tanh()),
    "append": lambda layers: layers.append(nn.Tanh()),
}


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("edit", EDITS)
def test_modulelist_edit_interrupted_is_done_whole_or_not(raise_in, error, edit):
    held = [nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 1), nn.ReLU()]
    changed = nn.ModuleList(held)
    EDITS[edit](changed)
    layers = nn.ModuleList()

    def renew():
        nonlocal layers
        layers = nn.ModuleList(held)

    for place in raise_in(lambda: EDITS[edit](layers), error, prepare=renew):
        assert repr(layers) in (repr(nn.ModuleList(held)), repr(changed)), place
        assert list(layers.state_dict()) == list(nn.ModuleList(layers).state_dict()), place
        EDITS[edit](layers)  # it can still be edited


REGISTRATIONS = {
    "a parameter": lambda module: module.register_parameter("p", np.ones(2)),
    "a buffer": lambda module: module.register_buffer("p", np.ones(2), persistent=False),
    "a module": lambda module: module.add_module("p", nn.Linear(2, 2)),
    "a module for another": lambda module: setattr(module, "head", nn.Tanh()),
    "deleting": lambda module: delattr(module, "head"),
    "deleting a buffer": lambda module: delattr(module.norm, "running_mean"),
}


@pytest.mark.parametrize("registration", REGISTRATIONS)
def test_module_registration_interrupted_leaves_no_name_without_value(raise_in, registration):
    module = nn.Module()

    def renew():
        nonlocal module
        module = nn.Module()
        module.norm, module.head = nn.BatchNorm1d(3), nn.Linear(3, 2)

    work = REGISTRATIONS[registration]
    for place in raise_in(lambda: work(module), KeyboardInterrupt, prepare=renew):
        assert repr(module).startswith("Module("), place
        copy.deepcopy(module).double().load_state_dict(module.state_dict())
        for walk in (module.named_modules, module.named_parameters, module.named_buffers):
            assert all(value is not None for _, value in walk()), place


READINGS = {
    "from_state_dict": lambda layer: nn.LSTM.from_state_dict(layer.state_dict()),
    "a copy": copy.deepcopy,
    "a pickle": lambda layer: pickle.loads(pickle.dumps(layer)),
    "trace": lambda layer: (nn.trace(layer, np.ones((3, 2), np.float32)), layer)[1],
    "eval": lambda layer: layer.eval(),
}


@pytest.mark.parametrize("reading", READINGS)
def test_module_reading_interrupted_leaves_it_unchanged(raise_in, reading):
    layer = nn.LSTM(2, 3)
    state = snapshot(layer)
    for place in raise_in(lambda: READINGS[reading](layer), KeyboardInterrupt, every=3):
        assert same_state(layer, state), place
    assert same_state(READINGS[reading](layer), state)


@collected
@pytest.mark.parametrize("suffix", FORMATS)
def test_save_interrupted_leaves_the_old_file_or_the_new(raise_in, tmp_path, suffix):
    path = tmp_path / f"w{suffix}"
    old, new = nn.Linear(2, 3), nn.Linear(2, 3)
    contents = []
    for module in (old, new):
        nn.save(module, path)
        contents.append(path.read_bytes())

    def renew():
        path.write_bytes(contents[0])

    seen = set()
    for place in raise_in(lambda: nn.save(new, path), KeyboardInterrupt, 3, prepare=renew):
        seen.add(contents.index(path.read_bytes()))
        assert list(tmp_path.iterdir()) == [path], place
    assert seen == {0, 1}


@collected
@pytest.mark.parametrize("suffix", FORMATS)
def test_read_state_dict_interrupted_can_be_repeated(raise_in, tmp_path, suffix):
    path = tmp_path / f"w{suffix}"
    layer = nn.Linear(2, 3)
    nn.save(layer, path)

    def read():
        return {name: nn.read_state_dict(path)[name] for name in ("weight", "bias")}

    for place in raise_in(read, MemoryError, every=11):
        assert same_state(layer, read()), place


class Alarm:
    """A real SIGALRM that raises KeyboardInterrupt, as Ctrl-C does, after some seconds."""

    def __enter__(self):
        self.before = signal.signal(signal.SIGALRM, signal.default_int_handler)
        return self

    def __exit__(self, *_):
        signal.signal(signal.SIGALRM, self.before)

    def interrupt(self, work, seconds):
        """Call `work` again and again until the signal comes."""
        with contextlib.suppress(KeyboardInterrupt):
            signal.setitimer(signal.ITIMER_REAL, seconds)
            while True:
                work()


needs_signals = pytest.mark.skipif(
    not hasattr(signal, "setitimer"), reason="this system has no timer that sends signals"
)


@needs_signals
def test_whole_model_after_signals_gives_equal_results(rng, seconds_until_signals):
    model = build()[0].eval()
    tokens, lengths = rng.integers(0, 11, (3, 7)), np.array([7, 3, 5])
    expected = model(tokens, lengths)
    with Alarm() as alarm:
        for seconds in seconds_until_signals(2e-3):
            alarm.interrupt(lambda: model(tokens, lengths), seconds)
            assert same(model(tokens, lengths), expected)


@needs_signals
@pytest.mark.skipif(
    not CONTEXT_HAS_SETTINGS, reason="NumPy 1 has its settings in the thread, and loses them"
)
@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTMCell])
def test_errstate_after_signals_is_the_callers(seconds_until_signals, kind):
    layer, x = kind(2, 3), np.ones((1, 2), np.float32)
    settings = np.geterr()
    with Alarm() as alarm:
        for seconds in seconds_until_signals(5e-4):
            alarm.interrupt(lambda: layer(x), seconds)
            assert np.geterr() == settings


@needs_signals
def test_load_state_dict_after_signals_holds_one_checkpoint(seconds_until_signals):
    model = build()[0]
    states = snapshot(model), raised(model)

    def load_both():
        for state in states:
            model.load_state_dict(state)

    with Alarm() as alarm:
        for seconds in seconds_until_signals(2e-3):
            alarm.interrupt(load_both, seconds)
            assert any(same_state(model, state) for state in states)

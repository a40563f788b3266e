"""An interrupt, or a want of memory, in the middle of a call costs that call and no more.

`tests/faults.py` raises at every instruction of the package, one after the other; real
signals say that nothing else lies between.
"""

from __future__ import annotations

import copy
import pickle
import signal
import sys

import numpy as np
import pytest

import numpy_rnn as nn
from tests.compare import leaves
from tests.faults import at_every_instruction
from tests.test_recurrent_parity import KINDS, both, draw_hx, draw_input
from tests.test_whole_model import build

ERRORS = [KeyboardInterrupt, MemoryError]
FORMATS = [".npz", ".safetensors", ".pt"]

collected = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""A file that is open, but not yet in the care of its `with`, is closed by the collector."""


def same(one, other):
    """Return whether results are equal, bit for bit, also in their dtypes."""
    pairs = zip(leaves(one), leaves(other), strict=True)
    return all(a.dtype == b.dtype and a.tobytes() == b.tobytes() for a, b in pairs)


def snapshot(module):
    return {name: array.copy() for name, array in module.state_dict().items()}


def same_state(module, state):
    own = module.state_dict()
    return list(own) == list(state) and same(list(own.values()), list(state.values()))


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("steps", "batch", "layout"), [(5, 2, "batched"), (1, 1, "batched"), (4, 3, "packed")]
)
def test_a_call_that_is_stopped_anywhere_leaves_the_layer_as_it_was(
    rng, error, kind, steps, batch, layout
):
    layer, _ = both(kind, 3, 4, num_layers=2, bidirectional=batch > 1)
    x, hx = draw_input(rng, layer, steps, batch, layout), draw_hx(rng, layer, batch)
    given = [array for array in leaves((x, hx)) if array is not None]
    copies, state = copy.deepcopy(given), snapshot(layer)
    expected, settings = layer(x, hx), np.geterr()
    arrays = [array for array in leaves(expected) if array is not None]
    for place in at_every_instruction(lambda: layer(x, hx), error, rounds=1):
        again = [array for array in leaves(layer(x, hx)) if array is not None]
        assert same(again, arrays), place
        assert same_state(layer, state), place
        assert np.geterr() == settings, place
    assert same(given, copies)


@pytest.mark.parametrize("cell", [nn.RNNCell, nn.LSTMCell, nn.GRUCell])
def test_a_stream_goes_on_from_the_step_that_was_stopped(rng, cell):
    cell = cell(3, 4)
    x = rng.standard_normal((2, 3)).astype(np.float32)
    hx = cell(x)
    expected = cell(x, hx)
    for place in at_every_instruction(lambda: cell(x, hx), KeyboardInterrupt):
        assert same(cell(x, hx), expected), place


def small_model():
    return nn.ModuleDict({"norm": nn.BatchNorm1d(3), "rnn": nn.GRU(3, 4), "head": nn.Linear(4, 2)})


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
def test_weights_are_all_changed_or_none(error, change):
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
    for place in at_every_instruction(
        lambda: CHANGES[change](model), error, prepare=renew
    ):
        states = same_state(model, before), same_state(model, after)
        assert any(states), place
        seen.add(states)
    assert len(seen) == 2


def test_a_load_that_is_refused_or_stopped_says_so_once_more():
    """What is refused stays refused after an interrupt, and what is good loads."""
    layer = nn.LSTM(3, 4)
    good = {name: array + 1 for name, array in snapshot(layer).items()}
    bad = good | {"weight_hh_l0": np.zeros(3, np.float32)}
    before = snapshot(layer)

    def refused():
        with pytest.raises(RuntimeError, match="size mismatch for weight_hh_l0"):
            layer.load_state_dict(bad)

    for place in at_every_instruction(refused, KeyboardInterrupt):
        assert same_state(layer, before), place
    layer.load_state_dict(good)
    assert same_state(layer, good)

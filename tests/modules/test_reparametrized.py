"""Weights that torch keeps in parts: they are computed when they are loaded."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from torch.nn.utils import parametrizations, prune

import numpy_rnn as nn
from tests.support.compare import assert_close


def old(name):
    """Return a function of torch.nn.utils, without its advice to use another."""

    def normed(*args, **kwargs):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            return getattr(torch.nn.utils, name)(*args, **kwargs)

    return normed


WEIGHT_NORMS = {"old": old("weight_norm"), "new": parametrizations.weight_norm}
SPECTRAL_NORMS = {"old": old("spectral_norm"), "new": parametrizations.spectral_norm}

LAYERS = {
    "Linear": (4, 4),
    "Conv1d": (4, 4, 3),
    "Conv2d": (4, 6, (3, 2)),
    "ConvTranspose1d": (4, 6, 3),
    "ConvTranspose2d": (6, 4, 3),
    "Embedding": (6, 4),
    "LSTMCell": (4, 4),
}


def weight_of(layer, name):
    """Return the weight that a layer of torch computes with."""
    with torch.no_grad():
        for hook in layer._forward_pre_hooks.values():
            hook(layer, ())
        return getattr(layer, name).detach()


def changed(layer, name="weight"):
    """Return a layer of torch, in evaluation mode, with parameters other than a new one's.

    In training mode the vectors of a spectral norm are improved at each call.
    """
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.mul_(torch.rand_like(parameter) + 0.5)
    for _ in range(20):
        weight_of(layer, name)
    return layer.eval()


def assert_loads_the_same(theirs, name="weight"):
    """Load a layer of torch's into ours and compare the weight, in both precisions."""
    kind = type(theirs).__name__.removeprefix("Parametrized")
    ours = getattr(nn, kind)(*LAYERS[kind])
    assert ours.load_state_dict(theirs.state_dict()) == ([], [])
    single = weight_of(theirs, name).clone()
    exact = weight_of(theirs.double(), name)
    assert_close(getattr(ours, name), single, exact)
    ours.double().load_state_dict(theirs.state_dict())
    assert_close(getattr(ours, name), exact)


@pytest.mark.parametrize("dim", [0, 1, 2, -1, None])
@pytest.mark.parametrize("normed", WEIGHT_NORMS.values(), ids=WEIGHT_NORMS)
def test_load_weight_norm_of_each_dim_equals_torch(normed, dim):
    assert_loads_the_same(changed(normed(torch.nn.Conv1d(4, 4, 3), dim=dim)))


@pytest.mark.parametrize("norms", [WEIGHT_NORMS, SPECTRAL_NORMS], ids=["weight", "spectral"])
@pytest.mark.parametrize("form", ["old", "new"])
@pytest.mark.parametrize(
    ("kind", "name"),
    [("Linear", "weight"), ("Embedding", "weight"), ("LSTMCell", "weight_hh")],
)
def test_load_normed_layer_equals_torch(norms, form, kind, name):
    theirs = norms[form](getattr(torch.nn, kind)(*LAYERS[kind]), name)
    assert_loads_the_same(changed(theirs, name), name)


@pytest.mark.parametrize("dim", [None, 1])
@pytest.mark.parametrize("normed", SPECTRAL_NORMS.values(), ids=SPECTRAL_NORMS)
def test_load_spectral_norm_of_a_dim_equals_torch(normed, dim):
    theirs = changed(normed(torch.nn.Linear(4, 4), dim=dim))
    ours = nn.utils.spectral_norm(nn.Linear(4, 4), dim=dim)
    ours.load_state_dict(theirs.state_dict())
    single = weight_of(theirs, "weight").clone()
    assert_close(ours.weight, single, weight_of(theirs.double(), "weight"))


def test_load_pruned_weights_equals_torch():
    theirs = torch.nn.Linear(4, 4)
    prune.l1_unstructured(theirs, "weight", 5)
    prune.l1_unstructured(theirs, "bias", 2)
    ours = nn.Linear(4, 4)
    ours.load_state_dict(theirs.state_dict())
    np.testing.assert_array_equal(ours.weight, theirs.weight.detach())
    np.testing.assert_array_equal(ours.bias, theirs.bias.detach())


@pytest.mark.parametrize("stale", [False, True])
def test_load_raw_weight_of_weight_drop_takes_its_place(stale):
    lstm = nn.LSTM(3, 4)
    state_dict = lstm.state_dict(prefix="rnn.")
    raw = state_dict.pop("rnn.weight_hh_l0")
    state_dict["rnn.weight_hh_l0_raw"] = raw
    if stale:
        state_dict["rnn.weight_hh_l0"] = np.zeros_like(raw)
    ours = nn.ModuleDict({"rnn": nn.LSTM(3, 4)})
    assert ours.load_state_dict(state_dict) == ([], [])
    np.testing.assert_array_equal(ours["rnn"].weight_hh_l0, raw)
    assert not np.shares_memory(ours["rnn"].weight_hh_l0, raw)


@pytest.mark.parametrize("form", ["old", "new"])
def test_load_whole_recurrent_model_equals_torch(form, rng):
    """Constructors run unchanged; every weight of a layer is normed."""
    normed = WEIGHT_NORMS[form]
    theirs, ours = torch.nn.LSTM(3, 4, bidirectional=True), nn.LSTM(3, 4, bidirectional=True)
    for name in [*ours.state_dict()]:
        if name.startswith("weight"):
            normed(theirs, name)
            nn.utils.weight_norm(ours, name)
    changed(theirs, "weight_hh_l0")
    ours.load_state_dict(theirs.state_dict())
    x = rng.standard_normal((5, 2, 3)).astype(np.float32)
    with torch.inference_mode():
        expected = theirs(torch.from_numpy(x))
        truth = theirs.double()(torch.from_numpy(x).double())
    assert_close(ours.eval()(x), expected, truth)


def test_load_module_with_such_names_of_its_own_leaves_them():
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_parameter("weight_g", np.ones((2, 1), np.float32))
            self.register_parameter("weight_v", np.ones((2, 3), np.float32))

    state_dict = {"weight_g": np.full((2, 1), 2.0), "weight_v": np.full((2, 3), 3.0)}
    ours = Own()
    ours.load_state_dict(state_dict)
    assert (ours.weight_g == 2).all()
    assert (ours.weight_v == 3).all()


@pytest.mark.parametrize(
    ("state_dict", "message"),
    [
        ({"weight_g": np.ones((2, 1)), "weight_v": np.ones((3, 4))}, r"shape \(2, 1\)"),
        ({"weight_g": "no", "weight_v": np.ones((3, 4))}, "Missing key"),
        ({"weight_orig": np.ones((3, 4)), "weight_mask": np.ones(4)}, r"mask of \(4,\)"),
        (
            {"weight_orig": np.ones((3, 4)), "weight_u": np.ones(4), "weight_v": np.ones(3)},
            r"singular vectors of 4 and 3 elements",
        ),
        ({"weight_g": np.ones((2, 1))}, r'Missing key.*\n.*Unexpected key.*"weight_g"'),
        ({"weight_raw": np.ones((2, 4))}, "size mismatch for weight"),
    ],
)
def test_load_parts_that_do_not_fit_raises_and_changes_nothing(state_dict, message):
    ours = nn.Linear(4, 3, bias=False)
    before = ours.weight.copy()
    with pytest.raises(RuntimeError, match=message):
        ours.load_state_dict(state_dict)
    np.testing.assert_array_equal(ours.weight, before)


@pytest.mark.parametrize("form", ["old", "new"])
def test_describe_and_from_state_dict_take_parts_as_one_weight(form):
    theirs = changed(WEIGHT_NORMS[form](torch.nn.Conv1d(4, 6, 3)))
    state_dict = {f"net.{name}": value for name, value in theirs.state_dict().items()}
    description = nn.describe(state_dict)
    assert not description.unrecognised
    assert not description.inconsistent
    (layer,) = description
    assert layer.constructor == "nn.Conv1d(4, 6, 3)"
    assert set(layer.parameters) == set(state_dict)
    built = layer.build(state_dict)
    assert_close(built.weight, theirs.weight.detach(), weight_of(theirs.double(), "weight"))


@pytest.mark.parametrize(
    "call",
    [
        nn.utils.weight_norm,
        nn.utils.spectral_norm,
        nn.utils.remove_weight_norm,
        nn.utils.remove_spectral_norm,
        nn.utils.parametrizations.weight_norm,
        nn.utils.parametrizations.spectral_norm,
        nn.utils.parametrize.remove_parametrizations,
    ],
)
def test_norm_functions_return_the_layer(call):
    linear = nn.Linear(3, 4)
    assert call(linear, "weight") is linear
    with pytest.raises(AttributeError, match="nonsense"):
        call(linear, "nonsense")


def test_spectral_norm_no_iterations_raises_as_torch():
    for package in (nn, torch.nn):
        with pytest.raises(ValueError, match="Expected n_power_iterations to be positive"):
            package.utils.parametrizations.spectral_norm(
                package.Linear(3, 4), n_power_iterations=0
            )

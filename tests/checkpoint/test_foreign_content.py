"""What has nothing to do with the weights is skipped, and no weight is lost with it."""

from __future__ import annotations

import copy
import functools
import io
import pickle
import re
import warnings
from collections import Counter, OrderedDict, deque
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest
import safetensors.numpy
import torch
from hypothesis import given
from hypothesis import strategies as st

import numpy_rnn as nn
from tests.support.torch_files import saved

OPTIONS = [{}, {"_use_new_zipfile_serialization": False}]

WEIGHTS = OrderedDict(a=torch.ones(2), b=torch.zeros(3))


class OwnArray(np.ndarray):
    """An array of a user's own class."""


def optimizer_after_a_step():
    layer = torch.nn.Linear(2, 2)
    optimizer = torch.optim.Adam(layer.parameters())
    layer(torch.ones(2)).sum().backward()
    optimizer.step()
    return optimizer


def quantized_tensor():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8)


FOREIGN: dict[str, Any] = {
    "objects": np.array(["a", None], dtype=object),
    "dates": np.array(["2020-01-01"], "M8[D]"),
    "durations": np.array([1], "m8[s]"),
    "structures": np.zeros(2, [("a", "i4"), ("b", "f8")]),
    "void": np.void(b"abc"),
    "longdouble": np.zeros(2, np.longdouble),
    "longdouble scalar": np.longdouble(1),
    "dtype": np.dtype(object),
    "matrix": np.ones((1, 1)).view(np.matrix),
    "record array": np.rec.array([(1, 2.0)], names="a,b"),
    "masked array": np.ma.masked_array([1.0, 2.0], [0, 1]),
    "array of its own class": np.ones(2).view(OwnArray),
    "keys: NumPy scalars": {np.float32(1): 2, np.int64(3): 1},
    "keys: nested tuples": {(1, (2, 3)): 1},
    "keys: frozensets": {frozenset([1]): 1},
    "keys: dtypes": {np.dtype("f4"): 1},
    "keys: tensors": {torch.ones(1): 1},
    "keys: parameters": {torch.nn.Parameter(torch.ones(1)): 2},
    "keys: a large integer": {10**5000: 1},
    "keys: a long tuple": {tuple(range(2000)): 1},
    "items: tensors": {torch.ones(1)},
    "counter": Counter({"a": 1.5, (1, 2): "x"}),
    "deque": deque([1, "a"]),
    "optimiser": optimizer_after_a_step(),
    "scheduler": torch.optim.lr_scheduler.StepLR(optimizer_after_a_step(), 1),
    "quantised": quantized_tensor(),
    "sparse": torch.eye(2).to_sparse(),
}


def assert_weights(file, expected=WEIGHTS, **where):
    found = nn.read_state_dict(file, **where)
    assert list(found) == list(expected)
    for name, tensor in expected.items():
        np.testing.assert_array_equal(found[name], tensor.detach().numpy(), strict=True)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("options", OPTIONS, ids=["zip", "legacy"])
@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_content_beside_weights_is_skipped(name, options):
    for where in ({}, {"key": "model"}):
        assert_weights(saved({"model": WEIGHTS, "other": FOREIGN[name]}, **options), **where)


ATOMS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
NAMES = [name for name in FOREIGN if not name.startswith(("keys", "items"))]
PARTS = ATOMS | st.sampled_from(NAMES).map(lambda name: FOREIGN[name])
KEYS = st.integers() | st.text() | st.tuples(st.integers(), st.text()) | st.frozensets(ATOMS)


def nests(parts):
    return (
        st.lists(parts, max_size=3)
        | st.lists(parts, max_size=3).map(tuple)
        | st.dictionaries(KEYS, parts, max_size=3)
        | parts.map(lambda part: functools.partial(print, part))
        | st.lists(parts, max_size=2).map(deque)
    )


@pytest.mark.filterwarnings("ignore")
@given(
    before=st.recursive(PARTS, nests, max_leaves=8),
    after=st.recursive(PARTS, nests, max_leaves=8),
    options=st.sampled_from(OPTIONS),
)
def test_nests_of_foreign_objects_never_change_the_weights(before, after, options):
    shared = {"x": before, "again": [before, after]}
    assert_weights(saved({"x": shared, "state_dict": WEIGHTS, "y": [shared, after]}, **options))


class Net(torch.nn.Module):
    """A recurrent layer and a linear one."""

    def __init__(self):
        super().__init__()
        self.lstm = torch.nn.LSTM(2, 3)
        self.fc = torch.nn.Linear(3, 1)


class Named(NamedTuple):
    """A tuple with weights."""

    step: int
    weights: dict[str, Any]


@dataclass(frozen=True)
class Slotted:
    """An object whose state is a list."""

    __slots__ = ("step", "weights")
    step: int
    weights: dict[str, Any]


class WithTupleState:
    """An object whose state is a tuple."""

    def __getstate__(self):
        return 1, WEIGHTS


class Reduced:
    """An object that is made by a call with its weights."""

    def __reduce__(self):
        return Named, (1, WEIGHTS)


def compiled(module):
    return torch.compile(module, backend="eager")


NET = Net()
NAMED_0 = {f"0.{name}": tensor for name, tensor in NET.lstm.state_dict().items()}
PLAIN = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU())


@pytest.mark.parametrize("options", OPTIONS, ids=["zip", "legacy"])
@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: compiled(NET), NET.state_dict()),
        (lambda: {"model": torch.nn.Sequential(compiled(NET.lstm))}, NAMED_0),
        (lambda: torch.fx.symbolic_trace(PLAIN), PLAIN.state_dict()),
        (lambda: functools.partial(NET), NET.state_dict()),
        (lambda: Named(1, WEIGHTS), WEIGHTS),
        (lambda: Slotted(1, WEIGHTS), WEIGHTS),
        (WithTupleState, WEIGHTS),
        (Reduced, WEIGHTS),
    ],
    ids=["compiled", "compiled part", "fx", "partial", "tuple", "slots", "state", "call"],
)
@pytest.mark.filterwarnings("ignore")
def test_weights_in_the_arguments_and_states_of_unknown_objects_are_found(
    make, expected, options
):
    assert_weights(saved(make(), **options), expected)


@pytest.mark.parametrize("options", OPTIONS, ids=["zip", "legacy"])
@pytest.mark.parametrize(
    ("obj", "message"),
    [
        (
            {"model": {"a": torch.ones(1), "l": [torch.ones(1), (torch.ones(1),)]}},
            "2 tensors among the weights have no name and would be lost: 'l.0', 'l.1.0'",
        ),
        (
            {"a": torch.ones(1), "mask": np.ma.masked_array([1.0], [0])},
            "'mask': the array must not be masked: save array.data and array.mask",
        ),
        (
            {"a": torch.ones(1), "long": np.zeros(2, np.longdouble)},
            "'long': a dtype must be of booleans, numbers or text, got 'f16'",
        ),
        (
            {"model": {"a": torch.ones(1), "inner": {"b": torch.ones(1)}}},
            "2 sets of weights: choose one with key='model' (1 arrays), key='model.inner'",
        ),
    ],
    ids=["list", "masked", "longdouble", "inner"],
)
def test_tensors_without_a_name_are_an_error_that_counts_them(obj, message, options):
    with pytest.raises(nn.CheckpointError, match=re.escape(message)):
        nn.read_state_dict(saved(obj, **options))


def quantized(dtype):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kinds = {torch.nn.Linear, torch.nn.LSTM}
        return torch.ao.quantization.quantize_dynamic(copy.deepcopy(NET), kinds, dtype)


@pytest.mark.parametrize("options", OPTIONS, ids=["zip", "legacy"])
@pytest.mark.parametrize("dtype", [torch.qint8, torch.float16], ids=str)
@pytest.mark.filterwarnings("ignore")
def test_quantised_models_are_never_read_in_part(dtype, options):
    model = quantized(dtype)
    for obj in (model, model.state_dict()):
        with pytest.raises(nn.CheckpointError, match="The model is quantised: save the state"):
            nn.read_state_dict(saved(obj, **options))
    beside = {"state_dict": WEIGHTS, "quantised": model.state_dict(), "module": model}
    assert_weights(saved(beside, **options), key="state_dict")
    assert_weights(saved({"state_dict": WEIGHTS, "quantised": model}, **options))


def test_wrappers_names_are_removed_wherever_they_are():
    weights = {"encoder.module.w": WEIGHTS["a"], "fc._orig_mod.w": WEIGHTS["b"]}
    assert_weights(saved(weights), {"encoder.w": WEIGHTS["a"], "fc.w": WEIGHTS["b"]})
    averaged = torch.optim.swa_utils.AveragedModel(NET)
    for obj in (averaged, averaged.state_dict()):
        assert_weights(saved(obj), NET.state_dict())
    beside = {"module.w": WEIGHTS["a"], "other.w": WEIGHTS["b"]}  # a part called module
    assert_weights(saved(beside), beside)


def test_prefix_chooses_names_and_is_removed():
    weights = {"model.a": WEIGHTS["a"], "model.b": WEIGHTS["b"], "loss.a": WEIGHTS["a"]}
    assert_weights(saved(weights), prefix="model.")
    message = "no name of the weights begins with 'net.'; names begin with 'model.', 'loss.'"
    with pytest.raises(nn.CheckpointError, match=re.escape(message)):
        nn.read_state_dict(saved(weights), prefix="net.")
    with pytest.raises(TypeError, match="prefix must be a str, got int"):
        nn.read_state_dict(saved(weights), prefix=1)


def test_lightnings_state_dict_is_preferred_to_its_hyper_parameters():
    """The layout of Lightning 2's checkpoints, which is too large for the tests."""
    checkpoint = {
        "pytorch-lightning_version": "2.5.0",
        "state_dict": {f"model.{name}": tensor for name, tensor in WEIGHTS.items()},
        "hyper_parameters": {"model": NET, "net": NET},
        "optimizer_states": [optimizer_after_a_step().state_dict()],
    }
    assert_weights(saved(checkpoint), prefix="model.")


def test_extra_state_is_no_set_of_weights():
    state = {**WEIGHTS, "layer._extra_state": {"amax": torch.ones(1)}}
    assert_weights(saved({"model": state}))


@pytest.mark.parametrize("options", OPTIONS, ids=["zip", "legacy"])
def test_load_lists_unknown_classes_beside_what_else_it_refuses(options):
    obj = {"names": FOREIGN["objects"], "queue": deque(), "partial": functools.partial(print)}
    message = (
        r"collections.deque \(queue\), functools.partial \(partial\).* and numpy.dtype: a "
    )
    with pytest.raises(nn.CheckpointError, match=message):
        nn.load(saved(obj, **options))


def test_load_takes_the_keys_and_items_that_torch_takes():
    obj = {(1, (2.5, "a")): 1, (1j, None): {(), ((1,),)}, True: None, 1j: 0, torch.Size([2]): 1}
    assert nn.load(saved(obj)) == torch.load(saved(obj), weights_only=True) == obj


def test_pickled_arrays_are_found_beside_foreign_ones():
    arrays = {"w": np.ones(3, np.float32), "names": np.array(["a", None], dtype=object)}
    data = pickle.dumps({"model": arrays, "when": np.array(["2020"], "M8[Y]")})
    found = nn.read_state_dict(io.BytesIO(data))
    assert list(found) == ["w"]
    np.testing.assert_array_equal(found["w"], arrays["w"])


def test_key_is_taken_by_itself_where_a_usual_name_is_below_it():
    inner = {"w": WEIGHTS["a"], "net": {"v": WEIGHTS["b"]}}
    checkpoint = {"teacher": inner, "student": inner}
    assert_weights(saved(checkpoint), {"v": WEIGHTS["b"]}, key="teacher.net")
    assert_weights(saved(checkpoint), {"w": WEIGHTS["a"]}, key="teacher")


def test_names_that_are_one_without_wrappers_are_an_error():
    weights = {"net._orig_mod.a": WEIGHTS["a"], "net.a": WEIGHTS["b"]}
    with pytest.raises(nn.CheckpointError, match=r"two names of weights are 'net\.a' without"):
        nn.read_state_dict(saved(weights))
    assert_weights(saved({"_orig_mod": WEIGHTS["a"]}), {"_orig_mod": WEIGHTS["a"]})
    counted = {"module.a": WEIGHTS["a"], "n_averaged.weight": WEIGHTS["b"]}
    assert_weights(saved(counted), {"a": WEIGHTS["a"], "n_averaged.weight": WEIGHTS["b"]})


def test_tensor_beside_a_wrapped_module_is_an_error():
    class Wrapper:
        def __init__(self, module, extra):
            self.parts = module, extra

        def __reduce__(self):
            return reduced, self.parts

    net = copy.deepcopy(NET)
    net._modules["wrapped"] = Wrapper(torch.nn.Linear(2, 2), torch.ones(3))
    with pytest.raises(nn.CheckpointError, match="1 tensors among the weights have no name"):
        nn.read_state_dict(saved(net))
    net._modules["wrapped"] = Wrapper(torch.nn.Linear(2, 2), "text")
    assert "wrapped.weight" in nn.read_state_dict(saved(net))


def reduced(*parts):
    """What a pickle names; it is never called."""


def test_name_that_ends_like_extra_state_is_a_set_of_weights():
    state = {**WEIGHTS, "lora_extra_state": {"q": torch.ones(1)}}
    with pytest.raises(nn.CheckpointError, match="2 sets of weights"):
        nn.read_state_dict(saved({"model": state}))


@pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")
@pytest.mark.parametrize("options", OPTIONS, ids=["zip", "legacy"])
def test_storage_among_weights_is_an_array(options):
    file = saved({"model": {**WEIGHTS, "s": torch.arange(3.0).storage()}}, **options)
    np.testing.assert_array_equal(nn.read_state_dict(file)["s"], np.arange(3, dtype=np.float32))


def test_note_in_safetensors_is_no_weight():
    weights = {"fc.weight": np.ones(2, np.float32), "b": np.ones(1, np.float32)}
    notes = {"best": "fc.weight", "author": "b", "tied.weight": "fc.weight"}
    found = nn.load(io.BytesIO(safetensors.numpy.save(weights, notes)))
    assert found.keys() == {*weights, "tied.weight"}

"""`nn.read_state_dict` finds the weights in whatever they are wrapped in."""

from __future__ import annotations

import argparse
import io
import pickle
import re
import types
import zipfile
from collections import OrderedDict, defaultdict
from pathlib import Path

import numpy as np
import pytest
import torch

import numpy_rnn as nn
from tests.support import golden
from tests.support.golden import DATA
from tests.support.torch_files import saved

LEGACY = {"_use_new_zipfile_serialization": False}


def assert_equal(loaded, expected):
    assert list(loaded) == list(expected)
    for name, array in expected.items():
        assert type(loaded[name]) is np.ndarray, name
        expected_array = np.asarray(array.detach() if hasattr(array, "detach") else array)
        assert loaded[name].dtype == expected_array.dtype
        np.testing.assert_array_equal(loaded[name], expected_array, err_msg=name)


@pytest.mark.parametrize(
    "name",
    [
        "state_dict.pt",
        "state_dict_legacy.pt",
        "module.pt",
        "module_legacy.pt",
        "data_parallel.pt",
        "data_parallel_state.pt",
        "checkpoint.pt",
        "checkpoint_legacy.pt",
        "forecasting.pt",
        "forecasting_legacy.pt",
        "tensors.pkl",
        "policies.zip",
        "script.pt",
        "deflated.pt",
        "big_endian.pt",
        "weights.npz",
    ],
)
def test_golden_files_have_the_same_weights(name):
    assert_equal(nn.read_state_dict(DATA / name), golden.tagger())


class Own(torch.nn.Module):
    """What a pickled module may have: shared weights, None, sets, and other objects."""

    def __init__(self):
        super().__init__()
        self.encoder = torch.nn.LSTM(3, 4, 2, bidirectional=True)
        self.norm = torch.nn.BatchNorm1d(4)
        self.tied = self.encoder
        self.blocks = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU())
        self.by_name = torch.nn.ModuleDict({"a": torch.nn.GRUCell(2, 2)})
        self.own = torch.nn.ParameterList([torch.nn.Parameter(torch.ones(2))])
        self.nothing = None
        self.register_buffer("cache", torch.zeros(3), persistent=False)
        self.register_buffer("table", torch.arange(3))
        self.options = argparse.Namespace(path=Path("a"), function=print)


@pytest.mark.parametrize("options", [{}, LEGACY], ids=["zip", "legacy"])
@pytest.mark.parametrize("wrap", [lambda m: m, torch.nn.DataParallel], ids=["", "parallel"])
def test_read_state_dict_of_a_whole_module_equals_torchs(options, wrap):
    model = Own()
    loaded = nn.read_state_dict(saved(wrap(model), **options))
    assert_equal(loaded, model.state_dict())
    assert np.shares_memory(loaded["encoder.weight_ih_l0"], loaded["tied.weight_ih_l0"])


def test_read_state_dict_of_torchs_module_loads_into_ours():
    model = torch.nn.LSTM(3, 4, 2)
    lstm = nn.LSTM(3, 4, 2)
    lstm.load_state_dict(nn.read_state_dict(saved(model)))
    np.testing.assert_array_equal(lstm.weight_hh_l1, model.weight_hh_l1.detach().numpy())


def test_golden_exported_program_has_its_weights_parameters_first():
    loaded, expected = nn.read_state_dict(DATA / "exported.pt2"), golden.tagger()
    assert_equal({name: loaded[name] for name in expected}, expected)
    assert list(loaded) == [*(name for name in expected if name != "offset"), "offset"]


def test_golden_file_of_lightning_has_the_weights_below_a_prefix():
    loaded = nn.read_state_dict(DATA / "lightning.ckpt", prefix="model.")
    assert_equal(loaded, golden.tagger())
    with pytest.raises(nn.CheckpointError, match=r"Tagger \(hyper_parameters\.model\)"):
        nn.load(DATA / "lightning.ckpt")


@pytest.mark.parametrize("key", [None, "policy.pth"])
def test_golden_file_of_stable_baselines3_has_the_policys_weights(key):
    with zipfile.ZipFile(DATA / "recurrent_ppo.zip") as archive:
        policy = torch.load(archive.open("policy.pth"), weights_only=True)
    assert len(policy) > 10
    assert_equal(nn.read_state_dict(DATA / "recurrent_ppo.zip", key), policy)


def test_read_state_dict_at_a_key_of_golden_files_with_tables():
    for name in ("forecasting.pt", "forecasting_legacy.pt"):
        assert_equal(nn.read_state_dict(DATA / name, "model"), golden.tagger())
        with pytest.raises(nn.CheckpointError, match=r"pandas\.DataFrame \(frame\).* 7 more"):
            nn.load(DATA / name)


WEIGHTS = OrderedDict(a=torch.ones(2), b=torch.zeros(3))


@pytest.mark.parametrize(
    "obj",
    [
        WEIGHTS,
        dict(WEIGHTS, step=3, name="x", none=None),
        {"state_dict": WEIGHTS},
        {"model_state_dict": WEIGHTS, "metrics": {"loss": torch.ones(1)}},
        {"model": {"net": WEIGHTS}},
        {"anything": {"at": [{"all": WEIGHTS}]}},
        {"model": WEIGHTS, "best": torch.ones(1), "args": argparse.Namespace(lr=0.1)},
        {"module.a": WEIGHTS["a"], "module.b": WEIGHTS["b"]},
        {"model": {"_orig_mod.module.a": WEIGHTS["a"], "_orig_mod.module.b": WEIGHTS["b"]}},
        argparse.Namespace(weights=WEIGHTS, other=1),
        defaultdict(list, weights=WEIGHTS),
        types.SimpleNamespace(model=WEIGHTS),
        {"net": WEIGHTS, "optimizer": torch.optim.SGD([torch.ones(2)], 0.1)},
        {"net": WEIGHTS, "classes": {int, Path}, Path("key"): 1},
    ],
    ids=range(14),
)
@pytest.mark.parametrize("options", [{}, LEGACY], ids=["zip", "legacy"])
def test_read_state_dict_finds_weights_in_containers_of_all_kinds(obj, options):
    assert_equal(nn.read_state_dict(saved(obj, **options)), WEIGHTS)


def test_read_state_dict_of_several_sets_lists_their_keys():
    first, second = {"a": torch.ones(1)}, {"a": torch.zeros(2), "b": torch.zeros(2)}
    file = saved({"encoder": first, "decoder": {"rnn.cell": second}})
    listed = "choose one with key='encoder' (1 arrays), key='decoder.rnn.cell' (2 arrays)"
    with pytest.raises(nn.CheckpointError, match=re.escape(listed)):
        nn.read_state_dict(file)
    for key, expected in (
        ("encoder", first),
        ("decoder", second),
        ("decoder.rnn.cell", second),
    ):
        file.seek(0)
        assert_equal(nn.read_state_dict(file, key), expected)


def test_read_state_dict_of_two_usual_names_lists_their_keys():
    file = saved({"model": WEIGHTS, "ema": WEIGHTS.copy(), "other": {"a": torch.ones(1)}})
    with pytest.raises(nn.CheckpointError, match=r"key='model' .*key='ema' .*key='other'"):
        nn.read_state_dict(file)
    file.seek(0)
    assert_equal(nn.read_state_dict(file, key="ema"), WEIGHTS)


def test_read_state_dict_keys_reach_lists_and_the_top_level():
    file = saved({"models": [WEIGHTS, {"c": torch.ones(1)}], "mean": torch.ones(2)})
    assert_equal(nn.read_state_dict(file, "models.1"), {"c": torch.ones(1)})
    file.seek(0)
    assert_equal(nn.read_state_dict(file, ""), {"mean": torch.ones(2)})


def test_read_state_dict_without_weights_says_so():
    file = saved({"model": WEIGHTS, "steps": [1]})
    with pytest.raises(
        nn.CheckpointError, match=r"no container at key 'absent'.*'model', 'steps'"
    ):
        nn.read_state_dict(file, "absent")
    for key, name in (("steps", "'steps' of the file"), (None, "the file")):
        file = saved({"steps": [1]})
        with pytest.raises(nn.CheckpointError, match=f"{name} holds no named weights"):
            nn.read_state_dict(file, key)
    for obj in (
        [torch.ones(1)],
        torch.ones(1),
        3,
        {"optimizer": {"state": {}, "param_groups": []}},
    ):
        with pytest.raises(nn.CheckpointError, match="holds no named weights"):
            nn.read_state_dict(saved(obj))
    with pytest.raises(nn.CheckpointError, match="no named arrays at key ''"):
        nn.read_state_dict(saved({"model": WEIGHTS}), "")
    with pytest.raises(TypeError, match="key must be a str, got int"):
        nn.read_state_dict(saved(WEIGHTS), 3)


@pytest.mark.parametrize(
    ("tensor", "name"),
    [
        (torch.eye(2).to_sparse(), "_rebuild_sparse_tensor"),
        (torch.zeros(2, device="meta"), "_rebuild_meta_tensor_no_storage"),
    ],
    ids=["sparse", "meta"],
)
def test_read_state_dict_sparse_or_meta_tensor_is_refused(tensor, name):
    with pytest.raises(
        nn.CheckpointError,
        match=rf"'w' must be a dense tensor that torch.save wrote, but is made by .*{name}",
    ):
        nn.read_state_dict(saved({"w": tensor, "a": torch.ones(1)}))


def test_read_state_dict_leaves_an_optimisers_state_in_the_file(tmp_path, monkeypatch):
    from numpy_rnn.checkpoint.source import Source

    model = torch.nn.Linear(300, 300)
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(300)).sum().backward()
    optimizer.step()
    state = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
    sizes = []
    array = Source.array

    def counted(self, start, length):
        sizes.append(length)
        return array(self, start, length)

    monkeypatch.setattr(Source, "array", counted)
    for options in ({}, LEGACY):
        sizes.clear()
        path = tmp_path / "checkpoint.pt"
        torch.save(state, path, **options)
        assert path.stat().st_size > 1_080_000
        assert_equal(nn.read_state_dict(path), model.state_dict())
        assert 360_000 < sum(sizes) < 380_000


def test_read_state_dict_ignores_damage_in_other_tensors():
    optimizer = torch.full((100,), 7.0)
    data = saved({"model": WEIGHTS, "optimizer": {"state": {0: optimizer}, "param_groups": []}})
    data = bytearray(data.getvalue())
    data[data.index(optimizer.numpy().tobytes())] ^= 1
    assert_equal(nn.read_state_dict(io.BytesIO(data)), WEIGHTS)
    with pytest.raises(nn.CheckpointError, match="Bad CRC-32"):
        nn.load(io.BytesIO(data))


def test_read_state_dict_ignores_names_that_cannot_be_keys():
    obj = {
        "history": list(range(10**5)),
        10**5000: {"a": {}},
        (1, 2): {"b": {}},
        "net": WEIGHTS,
    }
    assert_equal(nn.read_state_dict(saved(obj)), WEIGHTS)
    with pytest.raises(
        nn.CheckpointError,
        match="no container at key 'x': the keys at its top level are 'history'",
    ):
        nn.read_state_dict(saved(obj), "x")


def test_errors_do_not_grow_with_names_in_a_file():
    names = ["a" * 10**6, "b" * 10**6]
    for obj in ({name: WEIGHTS.copy() for name in names}, {names[0]: {names[1]: []}}):
        for key in (None, "x"):
            with pytest.raises(nn.CheckpointError) as caught:
                nn.read_state_dict(saved(obj), key)
            assert len(str(caught.value)) < 2000
    with pytest.raises(nn.CheckpointError) as caught:
        nn.load(io.BytesIO(b"\x80\x02c" + b"a" * 10**6 + b"\n" + b"b" * 10**6 + b"\n."))
    assert len(str(caught.value)) < 2000


@pytest.mark.parametrize("options", [{}, LEGACY], ids=["zip", "legacy"])
def test_load_lists_unknown_classes_with_their_places(options):
    model = torch.nn.Sequential(torch.nn.Linear(1, 1))
    file = saved({"args": argparse.Namespace(path=Path("a")), "model": model}, **options)
    with pytest.raises(nn.CheckpointError) as caught:
        nn.load(file)
    message = str(caught.value)
    for expected in (
        "argparse.Namespace (args)",
        f"{type(Path()).__module__}.PosixPath (args.path)",
        "torch.nn.modules.container.Sequential (model)",
        "torch.nn.modules.linear.Linear (model._modules.0)",
        "To read the weights alone, use read_state_dict",
    ):
        assert expected in message
    with pytest.raises(nn.CheckpointError, match=r"Linear \(the top level\)"):
        nn.load(saved(model[0]))


def test_read_state_dict_of_a_pickle_finds_arrays():
    arrays = {"w": np.ones(3), "v": np.arange(2)}
    data = pickle.dumps({"model": arrays, "when": Path("x")}, 4)
    assert_equal(nn.read_state_dict(io.BytesIO(data)), arrays)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_tensors_pickled_without_torch_save_are_read(protocol):
    """Their storages are files of torch's in the pickle."""
    base = torch.arange(6.0)
    weights = {"w": base.reshape(2, 3).T, "v": base[1:3], "h": torch.ones(2).half()}
    data = pickle.dumps(weights, protocol)
    expected = {**weights, "h": torch.ones(2)}
    for loaded in (nn.load(io.BytesIO(data)), nn.read_state_dict(io.BytesIO(data))):
        assert_equal(loaded, expected)
    model = Own()
    data = pickle.dumps({"model": model, "when": Path("x")}, protocol)
    assert_equal(nn.read_state_dict(io.BytesIO(data)), model.state_dict())


def test_a_storage_in_a_pickle_that_is_something_else_is_refused():
    call = b"ctorch.storage\n_load_from_bytes\n"
    for inner, message in (
        (b"N.", "in torch's legacy format"),
        (b"not a pickle", "instruction b'n' is not allowed"),
        (saved([1], **LEGACY).getvalue(), "expected a storage in the pickle, got a list"),
        (saved(OrderedDict(), **LEGACY).getvalue(), "calls collections.OrderedDict"),
    ):
        data = b"\x80\x03" + call + b"B" + len(inner).to_bytes(4, "little") + inner + b"\x85R."
        with pytest.raises(nn.CheckpointError, match=message):
            nn.load(io.BytesIO(data))

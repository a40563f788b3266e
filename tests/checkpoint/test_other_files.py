"""Files of other kinds that hold weights are read; those that do not say what they are."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import tarfile
import warnings
import zipfile
import zlib
from collections import OrderedDict

import numpy as np
import pytest
import safetensors.torch
import torch

import numpy_rnn as nn
from tests.support.torch_files import saved

WEIGHTS = OrderedDict(a=torch.arange(6.0).reshape(2, 3), b=torch.zeros(3))


def assert_weights(found, expected=WEIGHTS):
    assert list(found) == list(expected)
    for name, tensor in expected.items():
        np.testing.assert_array_equal(found[name], tensor.detach().numpy(), strict=True)


def zipped(members):
    """Return a zip file of these members."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def tarred(name, data):
    """Return a tar archive of one member."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return file.getvalue()


class Tied(torch.nn.Module):
    """Two names of one tensor."""

    def __init__(self):
        super().__init__()
        self.embedding = torch.nn.Embedding(3, 2)
        self.head = torch.nn.Linear(2, 3, bias=False)
        self.head.weight = self.embedding.weight


# Zip files with checkpoints in them, as Stable-Baselines3 2 writes its models


def test_zip_of_one_checkpoint_is_read_as_it():
    data = zipped({"data": "{}", "policy.pth": saved(WEIGHTS).getvalue()})
    assert_weights(nn.load(io.BytesIO(data)))
    assert_weights(nn.read_state_dict(io.BytesIO(data)))


def test_zip_of_several_checkpoints_is_read_by_name():
    optimizer = torch.optim.Adam([torch.nn.Parameter(torch.ones(2))]).state_dict()
    members = {
        "data": "{}",
        "policy.pth": saved(WEIGHTS).getvalue(),
        "policy.optimizer.pth": saved(optimizer).getvalue(),
        "pytorch_variables.pth": saved(None).getvalue(),
        "_stable_baselines3_version": "2.7.0",
    }
    data = zipped(members)
    assert_weights(nn.read_state_dict(io.BytesIO(data)))
    assert_weights(nn.read_state_dict(io.BytesIO(data), "policy.pth"))
    assert list(nn.load(io.BytesIO(data))) == [
        name for name in members if name.endswith(".pth")
    ]
    two = zipped({"a.pt": members["policy.pth"], "b.pt": members["policy.pth"]})
    with pytest.raises(
        nn.CheckpointError, match=r"2 sets of weights: .*key='a.pt'.*key='b.pt'"
    ):
        nn.read_state_dict(io.BytesIO(two))


def test_zip_errors_name_the_member_and_do_not_go_deeper():
    with pytest.raises(nn.CheckpointError, match=r"'policy.pth': not a checkpoint"):
        nn.load(io.BytesIO(zipped({"policy.pth": b"nothing of the kind"})))
    inner = zipped({"policy.pth": saved(WEIGHTS).getvalue()})
    with pytest.raises(
        nn.CheckpointError, match=r"'a.pt': not a checkpoint: the zip file must"
    ):
        nn.load(io.BytesIO(zipped({"a.pt": inner})))


def test_zip_with_other_files_beside_checkpoints_is_read():
    policy = saved(WEIGHTS).getvalue()
    data = zipped({"policy.pth": policy, "data.bin": b"nothing of the kind"})
    assert_weights(nn.read_state_dict(io.BytesIO(data)))
    assert_weights(nn.read_state_dict(io.BytesIO(data), "policy.pth"))
    for read in (nn.load, lambda file: nn.read_state_dict(file, "data.bin")):
        with pytest.raises(nn.CheckpointError, match=r"'data.bin': not a checkpoint"):
            read(io.BytesIO(data))


def test_zip_with_a_damaged_checkpoint_is_read_by_name_alone():
    policy = saved(WEIGHTS).getvalue()
    data = zipped({"policy.pth": policy, "opt.pth": policy[:-9]})
    assert_weights(nn.read_state_dict(io.BytesIO(data), "policy.pth"))
    with pytest.raises(nn.CheckpointError, match=r"2 sets of weights: .*key='opt.pth'"):
        nn.read_state_dict(io.BytesIO(data))
    with pytest.raises(nn.CheckpointError, match=r"'opt.pth': .*zip"):
        nn.read_state_dict(io.BytesIO(data), "opt.pth")


@pytest.mark.parametrize(
    "foreign",
    [
        np.array("2020", dtype="datetime64[D]"),
        np.zeros(2, [("a", "<i4"), ("b", "<f8", (2,))]),
        np.zeros(2, "V7"),
    ],
    ids=["dates", "structures", "bytes"],
)
def test_npz_with_arrays_of_other_kinds_has_the_others(foreign):
    file = io.BytesIO()
    np.savez(file, w=np.ones(2), foreign=foreign)
    for options in ({}, {"key": ""}):
        file.seek(0)
        assert list(nn.read_state_dict(file, **options)) == ["w"]
    file.seek(0)
    with pytest.raises(nn.CheckpointError, match="'foreign': the array must be of booleans"):
        nn.load(file)


# torch.export


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16], ids=str)
def test_exported_program_has_the_weights_of_its_module(dtype):
    module = (
        torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3)).eval().to(dtype)
    )
    program = torch.export.export(module, (torch.ones(1, 2, dtype=dtype),))
    file = io.BytesIO()
    torch.export.save(program, file)
    widened = {
        name: t.float() if t.dtype == torch.bfloat16 else t
        for name, t in program.state_dict.items()
    }
    for read in (nn.load, nn.read_state_dict):
        file.seek(0)
        assert_weights(read(file), widened)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"path_name": "b"}, "no member 'archive/data/weights/b'"),
        ({"use_pickle": True}, "must be dense"),
        ({"tensor_meta": None}, "not subscriptable"),
        ({}, "within its storage of 1 elements"),
    ],
)
def test_exported_program_with_a_forged_weight_is_refused(entry, message):
    import json

    meta = {
        "dtype": 7,
        "sizes": [{"as_int": 2}],
        "strides": [{"as_int": 1}],
        "storage_offset": {"as_int": 0},
    }
    entry = {"path_name": "a", "use_pickle": False, "tensor_meta": meta} | entry
    folder = "archive/data/weights/"
    members = {
        folder + "model_weights_config.json": json.dumps({"config": {"w": entry}}),
        folder + "a": b"\0" * 4,
    }
    with pytest.raises(nn.CheckpointError, match=message):
        nn.load(io.BytesIO(zipped(members)))


# NumPy's files


def test_npz_with_an_array_of_objects_has_its_weights():
    file = io.BytesIO()
    objects = np.array(["a", None], dtype=object)
    np.savez(file, w=np.ones(3, np.float32), names=objects)
    found = nn.read_state_dict(io.BytesIO(file.getvalue()))
    assert list(found) == ["w"]
    with pytest.raises(
        nn.CheckpointError, match=r"'names': the array must hold.*read_state_dict"
    ):
        nn.load(io.BytesIO(file.getvalue()))


def test_npy_of_a_dict_of_arrays_is_read():
    file = io.BytesIO()
    np.save(file, {"w": np.ones(3, np.float32), "step": 1})
    found = nn.read_state_dict(io.BytesIO(file.getvalue()))
    assert list(found) == ["w"]
    np.testing.assert_array_equal(found["w"], np.ones(3, np.float32), strict=True)


def test_npz_of_bfloat16_is_widened():
    """`ml_dtypes` names the dtype ``V2`` in files."""
    values = np.array([[1.0, -2.5], [0.0, 3.0]], np.float32)
    halves = (values.view(np.uint32) >> 16).astype(np.uint16).view("V2")
    for array in (halves, np.asfortranarray(halves), halves[:0]):
        file = io.BytesIO()
        np.savez(file, w=array)
        found = nn.load(io.BytesIO(file.getvalue()))["w"]
        np.testing.assert_array_equal(found, values[: len(array)], strict=True)


def test_safetensors_names_of_shared_tensors_are_given_back(tmp_path):
    model = Tied()
    safetensors.torch.save_model(model, str(tmp_path / "model.safetensors"))
    loaded = nn.load(tmp_path / "model.safetensors")
    assert sorted(loaded) == ["embedding.weight", "head.weight"]
    assert loaded["embedding.weight"] is loaded["head.weight"]
    np.testing.assert_array_equal(loaded["head.weight"], model.head.weight.detach())


# Files that hold no weights


TAR = tarred("model/weights.pt", b"...")

FILES = {
    "lfs": (
        b"version https://git-lfs.github.com/spec/v1\noid",
        "a Git LFS pointer.*git lfs pull",
    ),
    "html": (b"\n<!DOCTYPE html><html></html>", "a web page.*download the file itself"),
    "onnx": (b"\x08\x07\x12\x07pytorch", "an ONNX model"),
    "hdf5": (b"\x89HDF\r\n\x1a\n....", "an HDF5 file, as Keras writes"),
    "gguf": (b"GGUF\3\0\0\0", "a GGUF file"),
    "index": (
        b'{\n "metadata": {}, "weight_map": {"a": "b"}}',
        "an index of shards: read each",
    ),
    "json": (b'{"a": 1}                 ', "JSON text"),
    "gzip": (gzip.compress(b"anything"), "gzipped. Open it with gzip.open"),
    "tar.gz": (gzip.compress(TAR), "gzipped; it is a tar archive.*'model/weights.pt': extract"),
    "tar": (TAR, "a tar archive, whose first member is 'model/weights.pt': extract"),
    "joblib": (b"\x80\x04cjoblib.numpy_pickle\nNumpyArrayWrapper\n", "joblib's: load it with"),
    "zlib": (zlib.compress(b"anything"), "compressed by zlib, as joblib does"),
    "zstd": (b"\x28\xb5\x2f\xfd....", "compressed by zstd"),
    "7z": (b"7z\xbc\xaf\x27\x1c..", "a 7z archive: extract"),
    "truncated": (saved(WEIGHTS).getvalue()[:-100], "cut short"),
    "protocol": (b"\x80\x63N.", "must be of protocol 5 or lower, got 99"),
}


@pytest.mark.parametrize("name", FILES)
def test_other_files_say_what_they_are_and_what_to_do(name):
    data, message = FILES[name]
    for read in (nn.load, nn.read_state_dict):
        with pytest.raises(nn.CheckpointError, match=message):
            read(io.BytesIO(data))


def test_load_state_dict_names_a_prefix_that_all_names_have():
    linear = nn.Linear(3, 2)
    weights = {f"model.{name}": array for name, array in linear.state_dict().items()}
    message = (
        r"All names begin with 'model\.': numpy_rnn\.read_state_dict\(file, prefix='model\.'"
    )
    with pytest.raises(RuntimeError, match=message):
        linear.load_state_dict(weights)
    with pytest.raises(RuntimeError) as caught:
        linear.load_state_dict({"model.weight": np.ones((2, 3)), "other": np.ones(1)})
    assert "All names" not in str(caught.value)


# Where the bytes come from


def test_a_reader_around_a_compressed_file_is_not_mapped(tmp_path, monkeypatch):
    """Its number is that of the compressed file, whose bytes are others."""
    monkeypatch.setattr("numpy_rnn.checkpoint.source.MAPPED_FROM", 1)
    path = tmp_path / "w.safetensors.gz"
    path.write_bytes(gzip.compress(safetensors.torch.save(dict(WEIGHTS))))
    with gzip.open(path) as file, io.BufferedReader(file) as reader:
        assert_weights(nn.load(reader))


def test_a_file_is_mapped_unless_told_otherwise(tmp_path, monkeypatch):
    monkeypatch.setattr("numpy_rnn.checkpoint.source.MAPPED_FROM", 1)
    path = tmp_path / "w.safetensors"
    nn.save(dict(WEIGHTS), path)
    for read in (nn.load, nn.read_state_dict):
        assert_weights(read(path, mmap=False), WEIGHTS)
        mapped, copied = read(path)["a"], read(path, mmap=False)["a"]
        bases = [mapped, copied]
        while any(isinstance(base, np.ndarray) for base in bases):
            bases = [b.base if isinstance(b, np.ndarray) else b for b in bases]
        assert [type(base).__name__ for base in bases] == ["memoryview", "NoneType"]


@pytest.mark.parametrize("buffering", [0, -1])
def test_weights_of_an_open_file_can_be_saved_into_it(tmp_path, monkeypatch, buffering):
    """It is not mapped, so what was loaded does not change with it."""
    monkeypatch.setattr("numpy_rnn.checkpoint.source.MAPPED_FROM", 1)
    path = tmp_path / "w.safetensors"
    nn.save(dict(WEIGHTS), path)
    with path.open("r+b", buffering=buffering) as file:
        weights = nn.load(file)
        file.seek(0)
        file.truncate()
        nn.save(weights, file, "npz")
    assert_weights(weights)
    assert_weights(nn.load(path))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_named_pipe_without_a_writer_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for read in (nn.load, nn.read_state_dict):
        with pytest.raises(
            io.UnsupportedOperation, match="only be loaded from a file that is s"
        ):
            read(tmp_path / "pipe")


def test_checksums_of_npz_files_are_always_compared():
    """Without any, torch's files are read: it has an option to leave them out."""
    file = io.BytesIO()
    np.savez(file, w=np.ones(3))
    with zipfile.ZipFile(file) as archive:
        (member,) = archive.infolist()
    data = file.getvalue().replace(member.CRC.to_bytes(4, "little"), b"\0" * 4)
    with pytest.raises(nn.CheckpointError, match="Bad CRC-32"):
        nn.load(io.BytesIO(data))


@pytest.mark.parametrize("protocol", [2, 5])
@pytest.mark.parametrize(
    "array", [np.ones(60 * 2**20, bool), np.ones(15 * 2**20, ">f4")], ids=["bool", "big-endian"]
)
def test_large_honest_pickled_array_is_read(array, protocol):
    found = nn.load(io.BytesIO(pickle.dumps({"weight": array}, protocol)))
    np.testing.assert_array_equal(found["weight"], array)


def test_large_honest_vocabulary_is_read():
    vocabulary = {f"word{number}": number for number in range(600_000)}
    assert nn.load(io.BytesIO(pickle.dumps(vocabulary, 4))) == vocabulary


def test_large_honest_safetensors_of_scalars_is_read():
    weights = {f"layer{number}.scale": np.float32(number) for number in range(38_000)}
    file = io.BytesIO()
    nn.save({name: np.asarray(value) for name, value in weights.items()}, file, "safetensors")
    assert nn.load(io.BytesIO(file.getvalue())) == weights


def test_pickled_weights_and_warnings_do_not_mix():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = pickle.dumps(WEIGHTS)
        assert_weights(nn.load(io.BytesIO(data)))

"""Every format that torch and NumPy write is read, equal to their own reading."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import subprocess
import sys
import tracemalloc
import zipfile

import numpy as np
import pytest
import safetensors.numpy
import safetensors.torch
import torch

import numpy_rnn as nn
from numpy_rnn.checkpoint import source
from tests.support import golden
from tests.support.golden import DATA
from tests.support.torch_files import saved

FORMATS = {"zip": {}, "legacy": {"_use_new_zipfile_serialization": False}}


def assert_equal(loaded, expected):
    assert list(loaded) == list(expected)
    for name, array in expected.items():
        assert type(loaded[name]) is np.ndarray, name
        assert loaded[name].dtype == array.dtype, name
        assert loaded[name].shape == array.shape, name
        np.testing.assert_array_equal(loaded[name], array, err_msg=name)
        assert loaded[name].dtype.isnative
        assert loaded[name].flags.aligned


def as_arrays(tensors):
    """Return tensors as arrays, in the dtypes that `nn.load` gives."""
    widened = {torch.float16, torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2}
    return {
        name: (t.detach().float() if t.dtype in widened else t.detach()).numpy()
        for name, t in tensors.items()
    }


# Golden files


@pytest.mark.parametrize(
    "name",
    [
        "state_dict.pt",
        "state_dict_legacy.pt",
        "deflated.pt",
        "big_endian.pt",
        "script.pt",
        "weights.safetensors",
        "weights.npz",
        "deflated.npz",
    ],
)
def test_load_golden_state_dicts_equal_their_values(name):
    loaded = nn.load(DATA / name)
    if "safetensors" in name:  # the package sorts by dtype and name
        loaded = {key: loaded[key] for key in golden.tagger()}
    assert_equal(loaded, golden.tagger())
    for array in loaded.values():
        array += 1
    assert_equal({key: nn.load(DATA / name)[key] for key in golden.tagger()}, golden.tagger())


def test_load_golden_dtypes_and_views_equal_their_values():
    names = golden.PLAIN_DTYPES + golden.UNSIGNED_DTYPES + golden.WIDENED_DTYPES
    assert_equal(nn.load(DATA / "zip.pt"), {**golden.dtypes(names), **golden.views()})
    names = [*golden.PLAIN_DTYPES, "float16", "bfloat16"]
    assert_equal(nn.load(DATA / "legacy.pt"), {**golden.dtypes(names), **golden.views()})
    names = [*golden.PLAIN_DTYPES, *golden.UNSIGNED_DTYPES, *golden.WIDENED_DTYPES]
    names.remove("complex128")
    loaded = nn.load(DATA / "dtypes.safetensors")
    assert_equal({name: loaded[name] for name in names}, golden.dtypes(names))


@pytest.mark.parametrize("name", ["zip.pt", "legacy.pt"])
def test_golden_views_share_memory_and_an_expanded_one_takes_none(name):
    loaded = nn.load(DATA / name)
    for view in ("transposed", "part", "scalar"):
        assert np.shares_memory(loaded[view], loaded["base"])
    assert loaded["expanded"].strides == (0, 0)


def test_load_golden_legacy_views_share_storages():
    np.testing.assert_array_equal(nn.load(DATA / "views_legacy.pt"), np.float32([1, 2]))


def test_load_golden_frozen_script_equals_its_values():
    loaded = nn.load(DATA / "script_frozen.pt")
    assert set(loaded) == {f"CONSTANTS.c{index}" for index in range(len(loaded))}
    for weight in golden.tagger().values():
        assert any(np.array_equal(weight, constant) for constant in loaded.values())


@pytest.mark.parametrize("numpy_version", [1, 2])
@pytest.mark.parametrize("protocol", range(6))
def test_load_golden_pickles_of_every_protocol_equal_their_values(protocol, numpy_version):
    loaded = nn.load(DATA / f"numpy_{numpy_version}_protocol_{protocol}.pkl")
    assert_equal(loaded.pop("dtype"), golden.dtypes(["int16"]))
    views = golden.views()
    scalar = loaded.pop("scalar")
    assert type(scalar) is np.float32
    assert scalar == views.pop("scalar")
    assert_equal(loaded, views)
    assert all(array.flags.writeable for array in loaded.values())


def test_load_golden_npy_equals_its_values():
    assert_equal({"a": nn.load(DATA / "array.npy")}, {"a": golden.views()["transposed"]})


# Live, compared with torch, NumPy and safetensors


@pytest.mark.parametrize("options", FORMATS.values(), ids=FORMATS)
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_load_every_protocol_of_torch_equals_torch(options, protocol):
    tensors = {"a": torch.arange(5.0), "b": torch.arange(6).reshape(2, 3).t()}
    file = saved(tensors, pickle_protocol=protocol, **options)
    reference = as_arrays(torch.load(file, weights_only=False))
    file.seek(0)
    assert_equal(nn.load(file), reference)


@pytest.mark.parametrize("options", FORMATS.values(), ids=FORMATS)
def test_load_training_checkpoint_equals_torch(options):
    model = torch.nn.LSTM(3, 4, 2)
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.zeros(5, 2, 3))[0].sum().backward()
    optimizer.step()
    file = saved(
        {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 1},
        **options,
    )
    reference = torch.load(file)
    file.seek(0)
    loaded = nn.load(file)
    assert_equal(loaded["model"], as_arrays(reference["model"]))
    for index, state in reference["optimizer"]["state"].items():
        assert_equal(loaded["optimizer"]["state"][index], as_arrays(state))
    groups = reference["optimizer"]["param_groups"]
    assert loaded["optimizer"]["param_groups"] == groups
    assert loaded["epoch"] == 1


@pytest.mark.parametrize(
    "dtype",
    [
        torch.float8_e4m3fn,
        torch.float8_e5m2,
        torch.float8_e4m3fnuz,
        torch.float8_e5m2fnuz,
        torch.float8_e8m0fnu,
    ],
    ids=str,
)
def test_load_every_float8_equals_torch(dtype):
    tensor = torch.arange(256, dtype=torch.uint8).view(dtype)
    expected = tensor.float().numpy()
    for file in (
        saved({"a": tensor}),
        io.BytesIO(safetensors.torch.save({"a": tensor})),
    ):
        loaded = nn.load(file)["a"]
        assert_equal({"a": loaded}, {"a": expected})
        np.testing.assert_array_equal(
            np.signbit(loaded)[loaded == 0], np.signbit(expected)[expected == 0]
        )


def test_load_float8_of_more_than_a_piece_equals_torch():
    tensor = torch.arange(200_000).to(torch.uint8).view(torch.float8_e5m2)
    assert_equal({"a": nn.load(saved(tensor))}, {"a": tensor.float().numpy()})


CPU, GPU = b"\x03\x00\x00\x00cpu", b"\x06\x00\x00\x00cuda:1"


def test_load_zip_file_from_a_gpu_equals_one_from_the_cpu():
    """Its storages have another location."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(saved({"a": torch.arange(4.0)})) as cpu,
        zipfile.ZipFile(file, "w") as gpu,
    ):
        assert CPU in cpu.read("archive/data.pkl")
        for name in cpu.namelist():
            gpu.writestr(name, cpu.read(name).replace(CPU, GPU))
    file.seek(0)
    assert nn.load(file)["a"].tolist() == [0, 1, 2, 3]


def test_load_legacy_file_from_a_gpu_equals_one_from_the_cpu():
    """Its storages have classes of their own."""
    data = saved({"a": torch.arange(4.0)}, **FORMATS["legacy"]).getvalue()
    assert CPU in data
    data = data.replace(CPU, GPU).replace(b"ctorch\nFloat", b"ctorch.cuda\nFloat")
    assert nn.load(io.BytesIO(data))["a"].tolist() == [0, 1, 2, 3]


@pytest.mark.usefixtures("quiet_torch")
@pytest.mark.parametrize("kind", [torch.nn.LSTM, torch.nn.GRU, torch.nn.RNN])
def test_load_scripts_equals_torch(tmp_path, kind):
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
    for module in (kind(3, 4, 2, bidirectional=True), model):
        path = tmp_path / "script.pt"
        torch.jit.script(module).save(str(path))
        reference = torch.jit.load(str(path)).state_dict()
        assert_equal(nn.load(path), as_arrays(reference))
        assert_equal(nn.read_state_dict(path), as_arrays(reference))
    traced = torch.jit.trace(model.eval(), torch.ones(2, 3))
    file = io.BytesIO(traced.save_to_buffer())
    assert_equal(nn.load(file), as_arrays(traced.state_dict()))


def test_load_safetensors_equals_the_package_both_ways(tmp_path):
    rng = np.random.default_rng(0)
    arrays = {
        dtype: rng.integers(0, 2, (3, 2)).astype(dtype)
        for dtype in ("bool", "uint8", "int8", "uint16", "int64", "float32", "float64")
    }
    arrays |= {"complex": np.ones((2, 1), np.complex64), "empty": np.ones((0, 3), np.int8)}
    arrays |= {"scalar": np.array(1.5), "name\n\u00e4 \u2603": np.ones(1)}
    path = tmp_path / "a.safetensors"
    safetensors.numpy.save_file(arrays, path, {"note": "text"})
    loaded = nn.load(path)
    assert_equal({name: loaded[name] for name in arrays}, arrays)
    # What was read goes back through the package as it was.
    assert safetensors.numpy.save(loaded, {"note": "text"}) == path.read_bytes()
    assert nn.load(io.BytesIO(safetensors.numpy.save({}))) == {}


def test_load_numpy_files_equals_numpy(tmp_path):
    arrays = {
        "floats": np.arange(6.0).reshape(2, 3),
        "fortran": np.asfortranarray(np.arange(6, dtype=np.int16).reshape(2, 3)),
        "big": np.arange(3, dtype=">f4"),
        "half": np.ones(2, np.float16),
        "flags": np.array([True, False]),
        "text": np.array(["a", "\u00e4\u2603"]),
        "bytes": np.array([b"a", b"bc"]),
        "scalar": np.array(1 + 2j),
        "empty": np.ones((3, 0)),
    }
    for write in (np.savez, np.savez_compressed):
        write(tmp_path / "a.npz", **arrays)
        loaded = nn.load(tmp_path / "a.npz")
        with np.load(tmp_path / "a.npz") as reference:
            assert_equal(
                loaded, {k: v.astype(v.dtype.newbyteorder("=")) for k, v in reference.items()}
            )
    for array in arrays.values():
        np.save(tmp_path / "a.npy", array)
        np.testing.assert_array_equal(nn.load(tmp_path / "a.npy"), array)
    np.savez(tmp_path / "none.npz")
    assert nn.load(tmp_path / "none.npz") == {}


@pytest.mark.parametrize("protocol", range(6))
def test_load_pickles_equals_python(protocol):
    obj = {
        "weights": np.arange(2000.0).reshape(40, 50),
        "more": [np.float32(1.5), np.int64(-3), np.bool_(True), {1, 2}, frozenset({3})],
        "fortran": np.asfortranarray(np.arange(6, dtype=">i2").reshape(2, 3)),
        "axes": np.arange(24.0).reshape(2, 3, 4).transpose(1, 0, 2),
        "text": ["", "a\nb\\", "\u00e4\u2603\U0001f600", b"", b"\x00\xff", bytearray(b"ab")],
        "numbers": [0, -1, 255, 2**31, -(2**100), 1e300, 1j, None, True],
        (1, "key"): ((), (1,)),
        "words": np.array(["ab", "c"]),
    }
    loaded = nn.load(io.BytesIO(pickle.dumps(obj, protocol)))
    reference = pickle.loads(pickle.dumps(obj, protocol))
    assert loaded.keys() == reference.keys()
    for name, value in reference.items():
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(loaded[name], value)
            assert loaded[name].flags.writeable
        else:
            assert loaded[name] == value
            assert type(loaded[name]) is type(value)


def test_load_pickle_of_python_2_is_read():
    data = (
        b"(dp0\nS'weights'\np1\ncnumpy.core.multiarray\n_reconstruct\np2\n(cnumpy\nndarray\n"
        b"p3\n(I0\ntp4\nS'b'\np5\ntp6\nRp7\n(I1\n(I2\ntp8\ncnumpy\ndtype\np9\n(S'f4'\np10\n"
        b"I0\nI1\ntp11\nRp12\n(I3\nS'<'\np13\nNNNI-1\nI-1\nI0\ntp14\nbI00\n"
        b"S'\\x00\\x00\\x80?\\x00\\x00\\x00@'\np15\ntp16\nbs."
    )
    assert nn.load(io.BytesIO(data))["weights"].tolist() == [1, 2]


def test_load_array_pickled_twice_is_one_array():
    array = np.ones(3)
    one, other = nn.load(io.BytesIO(pickle.dumps([array, array])))
    assert one is other


@pytest.mark.parametrize("name", ["zip.pt", "legacy.pt", "weights.safetensors", "weights.npz"])
def test_load_detects_formats_by_content(tmp_path, name):
    path = tmp_path / "file.txt"
    path.write_bytes((DATA / name).read_bytes())
    assert list(nn.load(path)) == list(nn.load(DATA / name))
    compressed = tmp_path / "file.gz"
    compressed.write_bytes(gzip.compress(path.read_bytes()))
    with gzip.open(compressed) as file:
        assert list(nn.load(file)) == list(nn.load(DATA / name))
    with pytest.raises(nn.CheckpointError, match=r"gzipped. Open it with gzip\.open"):
        nn.load(compressed)


def test_load_safetensors_whose_length_looks_like_a_pickle_is_read():
    """A header of 0x280 bytes begins as pickles of protocol 2 do."""
    data = safetensors.numpy.save({"a": np.ones(1)}, {"pad": "x" * 500})
    pad = 0x280 - int.from_bytes(data[:8], "little")
    data = safetensors.numpy.save({"a": np.ones(1)}, {"pad": "x" * (500 + pad)})
    assert data[:2] == b"\x80\x02"
    assert nn.load(io.BytesIO(data))["a"].tolist() == [1]


# Large files are mapped


@pytest.fixture
def _mapped(monkeypatch):
    """Map files of any size."""
    monkeypatch.setattr(source, "MAPPED_FROM", 1)


@pytest.mark.usefixtures("_mapped")
@pytest.mark.parametrize("path", sorted(DATA.glob("*.*[!y]")), ids=lambda path: path.name)
def test_load_mapped_file_equals_the_read_one(path, monkeypatch):
    key = "" if path.suffix == ".pkl" else None
    try:
        mapped = nn.read_state_dict(path, key)
    except nn.CheckpointError:
        assert path.name == "views_legacy.pt"  # a tensor without a name
        return
    before = path.read_bytes()
    monkeypatch.setattr(source, "MAPPED_FROM", 2**40)
    assert_equal(mapped, nn.read_state_dict(path, key))
    for array in mapped.values():
        if array.flags.writeable and 0 not in array.strides:
            array[...] = 1
    assert path.read_bytes() == before


@pytest.mark.usefixtures("_mapped")
@pytest.mark.parametrize("error", [OSError, ValueError, OverflowError])
def test_load_file_that_cannot_be_mapped_is_read(error, monkeypatch):
    """Not every file system can; 32 bits cannot address every file."""

    def refuse(*_, **__):
        raise error("cannot map")

    monkeypatch.setattr(source.mmap, "mmap", refuse)
    assert_equal(nn.load(DATA / "state_dict.pt"), golden.tagger())


@pytest.mark.usefixtures("_mapped")
def test_load_mapped_file_takes_the_memory_of_what_is_used(tmp_path):
    path = tmp_path / "large.pt"
    torch.save({f"{i}": torch.ones(10**6) for i in range(10)}, path)
    tracemalloc.start()
    try:
        loaded = nn.load(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * 2**20
    assert loaded["7"].base is not None
    loaded["7"][:] = 2
    assert loaded["7"].max() == 2
    assert nn.load(path)["7"].max() == 1


def test_load_file_that_cannot_seek_is_refused_as_in_torch():
    class Stream(io.RawIOBase):
        def readable(self):
            return True

    with pytest.raises(io.UnsupportedOperation, match="seekable"):
        torch.load(Stream())
    with pytest.raises(io.UnsupportedOperation, match="seekable"):
        nn.load(Stream())
    reading, writing = os.pipe()
    with (
        open(reading, "rb") as pipe,  # noqa: PTH123
        open(writing, "wb"),  # noqa: PTH123
        pytest.raises(io.UnsupportedOperation, match="seekable"),
    ):
        nn.load(f"/dev/fd/{pipe.fileno()}")


def test_import_leaves_readers_for_later():
    code = (
        "import numpy, sys; before = set(sys.modules); import numpy_rnn;"
        "print(*set(sys.modules) - before)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    imported = set(result.stdout.split())
    assert "numpy_rnn.checkpoint" in imported
    assert not imported & {
        "json",
        "mmap",
        "zipfile",
        "pickletools",
        "numpy_rnn.checkpoint.detect",
    }


def test_load_text_file_is_refused():
    with pytest.raises(TypeError, match="f must be a path or a binary file, got StringIO"):
        nn.load(io.StringIO("text"))


def test_load_zip_file_without_crcs_is_read():
    previous = torch.serialization.get_crc32_options()
    torch.serialization.set_crc32_options(False)
    try:
        file = saved({"a": torch.arange(3.0)})
    finally:
        torch.serialization.set_crc32_options(previous)
    assert nn.load(file)["a"].tolist() == [0, 1, 2]

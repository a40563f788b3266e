"""`nn.save` writes what others read, and a failure loses nothing."""

from __future__ import annotations

import io
import os
import shutil
import stat
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

import numpy_rnn as nn
from numpy_rnn.checkpoint.saving import FORMATS

COMMON = [
    "bool",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "int8",
    "int16",
    "int32",
    "int64",
    "float16",
    "float32",
    "float64",
]
DTYPES = {
    "safetensors": [*COMMON, "complex64"],
    "npz": [*COMMON, "complex64", "complex128"],
    "torch_zip": [*COMMON, "complex64", "complex128"],
}


def read_npz(data):
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return dict(arrays)


def read_torch_zip(data):
    loaded = torch.load(io.BytesIO(data), weights_only=True)
    return {name: tensor.numpy() for name, tensor in loaded.items()}


READERS = {
    "safetensors": safetensors.numpy.load,
    "npz": read_npz,
    "torch_zip": read_torch_zip,
}


def saved(obj, format):
    file = io.BytesIO()
    nn.save(obj, file, format)
    return file.getvalue()


def assert_equal(read, arrays):
    assert set(read) == set(arrays)
    for name, array in arrays.items():
        assert read[name].dtype == array.dtype.newbyteorder("=")
        assert read[name].shape == array.shape
        assert read[name].tobytes() == array.astype(read[name].dtype).tobytes()


def state_dicts(format):
    names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
    dtypes = st.sampled_from(DTYPES[format]).map(np.dtype)
    dtypes = dtypes.flatmap(lambda dtype: st.sampled_from([dtype, dtype.newbyteorder(">")]))
    arrays = arrays_of.arrays(dtypes, arrays_of.array_shapes(min_dims=0, min_side=0))
    strided = arrays.map(lambda array: array.T[::2] if array.ndim else array)
    return st.dictionaries(names, arrays | strided, min_size=1, max_size=5)


@pytest.mark.parametrize("format", FORMATS)
def test_save_is_read_by_others_and_by_us(format):
    @given(state_dicts(format))
    def check(arrays):
        data = saved(arrays, format)
        assert_equal(READERS[format](data), arrays)
        ours = nn.read_state_dict(io.BytesIO(data))
        assert set(ours) == set(arrays)
        for name, array in arrays.items():
            expected = array.astype(np.float32) if array.dtype == np.float16 else array
            with np.errstate(all="ignore"):  # a signalling NaN
                np.testing.assert_array_equal(ours[name].astype(expected.dtype), expected)

    with np.errstate(all="ignore"):
        check()


@pytest.mark.parametrize("format", FORMATS)
def test_save_every_dtype_of_a_format_is_read_by_others(format):
    arrays = {name: np.arange(6).reshape(2, 3).astype(name) for name in DTYPES[format]}
    assert_equal(READERS[format](saved(arrays, format)), arrays)


def test_save_module_is_read_by_torch(tmp_path):
    ours, theirs = nn.LSTM(3, 4, 2, proj_size=2), torch.nn.LSTM(3, 4, 2, proj_size=2)
    nn.save(ours, tmp_path / "m.pt")
    loaded = torch.load(tmp_path / "m.pt", weights_only=True)
    assert list(loaded) == list(ours.state_dict())
    theirs.load_state_dict(loaded)
    for name, tensor in theirs.state_dict().items():
        np.testing.assert_array_equal(tensor.numpy(), ours.state_dict()[name])


@pytest.mark.parametrize("suffix", [".safetensors", ".npz", ".pt", ".pth", ".ckpt", ".BIN"])
def test_save_suffix_determines_the_format(tmp_path, suffix):
    arrays = {"a": np.arange(3.0)}
    nn.save(arrays, tmp_path / f"w{suffix}")
    assert_equal(nn.read_state_dict(tmp_path / f"w{suffix}"), arrays)
    nn.save(arrays, str(tmp_path / f"v{suffix}"), format="npz")
    assert_equal(read_npz((tmp_path / f"v{suffix}").read_bytes()), arrays)


def test_save_takes_tensors_of_torch():
    weights = torch.nn.Linear(2, 3).state_dict() | {"p": torch.nn.Parameter(torch.ones(2))}
    read = safetensors.numpy.load(saved(weights, "safetensors"))
    assert read["p"].tolist() == [1, 1]
    np.testing.assert_array_equal(read["weight"], weights["weight"].numpy())


def test_save_torch_zip_keeps_shared_and_repeated_memory():
    array = np.arange(6.0).reshape(2, 3)
    huge = np.broadcast_to(np.arange(3, dtype=np.uint16)[:, None], (2**20, 3, 2**20))
    arrays = {"a": array, "again": array, "transposed": array.T, "huge": huge}
    data = saved(arrays, "torch_zip")
    assert len(data) < 4096
    read = torch.load(io.BytesIO(data), weights_only=True)
    assert read["a"].data_ptr() == read["again"].data_ptr() != read["transposed"].data_ptr()
    assert read["transposed"].tolist() == array.T.tolist()
    assert read["huge"].shape == huge.shape
    assert read["huge"].stride() == (0, 1, 0)
    assert read["huge"][2**19, :, 2**18].tolist() == [0, 1, 2]
    assert nn.load(io.BytesIO(data))["huge"].strides == (0, 2, 0)


def data_offsets(data):
    """Return where the data of each member begins."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for info in archive.infolist():
            start = info.header_offset
            lengths = np.frombuffer(data, "<u2", 2, start + 26)
            yield start + 30 + int(lengths.sum())


@pytest.mark.parametrize("limit", [zipfile.ZIP64_LIMIT, 5])
def test_save_torch_zip_is_aligned_and_torch_can_map_it(limit, tmp_path, monkeypatch):
    """Also where members are so large that their header has one field more."""
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", limit)
    arrays = {f"a{n}": np.arange(float(n)) for n in range(20)}
    nn.save(arrays, tmp_path / "w.pt")
    monkeypatch.undo()
    data = (tmp_path / "w.pt").read_bytes()
    assert all(offset % 64 == 0 for offset in data_offsets(data))
    mapped = torch.load(tmp_path / "w.pt", weights_only=True, mmap=True)
    assert_equal({name: tensor.numpy() for name, tensor in mapped.items()}, arrays)


def test_save_torch_zip_has_torchs_members():
    file = io.BytesIO()
    torch.save({"a": torch.ones(2)}, file)
    ours = saved({"a": np.ones(2, np.float32)}, "torch_zip")
    with zipfile.ZipFile(file) as theirs, zipfile.ZipFile(io.BytesIO(ours)) as mine:
        names = [name for name in theirs.namelist() if "serialization_id" not in name]
        assert mine.namelist() == names
        for name in names:
            assert name.endswith(".pkl") or mine.read(name) == theirs.read(name)


def test_save_safetensors_equals_the_package():
    arrays = {"b": np.ones(3, np.int8), "a": np.ones(2), "c": np.ones((), np.float32)}
    assert saved(arrays, "safetensors") == safetensors.numpy.save(arrays, {"format": "pt"})


def test_save_metadata_are_read_by_the_package(tmp_path):
    path = tmp_path / "w.safetensors"
    nn.save({"a": np.ones(2)}, path, metadata={"author": "me"})
    with safetensors.safe_open(path, "np") as file:
        assert file.metadata() == {"format": "pt", "author": "me"}


def test_save_metadata_for_another_format_or_of_other_types_is_refused():
    for format in ("npz", "torch_zip"):
        with pytest.raises(
            ValueError, match=f"metadata must be omitted for the format {format}"
        ):
            nn.save({}, io.BytesIO(), format=format, metadata={"a": "b"})
    with pytest.raises(TypeError, match="metadata must map str to str"):
        nn.save({}, io.BytesIO(), format="safetensors", metadata={"a": 1})


def test_save_bfloat16_tensor_is_named():
    with pytest.raises(
        TypeError, match=r"'w' has the dtype bfloat16.*convert it by .float\(\)"
    ):
        nn.save({"w": torch.ones(1, dtype=torch.bfloat16)}, io.BytesIO(), format="npz")


@pytest.mark.skipif(os.name != "posix", reason="this system has no permissions by mode")
def test_save_over_a_private_file_is_private_while_it_is_written(tmp_path, monkeypatch):
    path = tmp_path / "w.npz"
    nn.save({"a": np.ones(2)}, path)
    path.chmod(0o600)
    modes = []
    replace = Path.replace

    def noted(self, target):
        modes.append(stat.S_IMODE(self.stat().st_mode))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", noted)
    monkeypatch.setattr(shutil, "copymode", lambda *_: None)
    nn.save({"a": np.zeros(2)}, path)
    assert modes == [0o600]


@pytest.mark.parametrize("format", FORMATS)
def test_save_equal_weights_gives_equal_files(format):
    arrays = {"a": np.arange(3.0), "b": np.ones((2, 2), np.int8)}
    assert saved(arrays, format) == saved(arrays, format)
    assert READERS[format](saved({}, format)) == {}


ANY = {"a": np.ones(2)}


@pytest.mark.parametrize(
    ("obj", "format", "error", "message"),
    [
        ([1], "npz", TypeError, "obj must be a Module or a state_dict, got list"),
        ({1: np.ones(1)}, "npz", TypeError, "names in a state_dict must be str, got 1"),
        (ANY | {"b": 3}, "npz", TypeError, "'b' must be a NumPy array, got int"),
        (ANY | {"b": {}}, "torch_zip", TypeError, "'b' must be a NumPy array, got dict"),
        (ANY | {"b": np.array([{}])}, "npz", TypeError, "'b' has dtype object"),
        (
            ANY | {"b": np.array(["x"])},
            "torch_zip",
            TypeError,
            "<U1, which torch does not support",
        ),
        (
            ANY | {"b": np.ones(1, "M8[s]")},
            "safetensors",
            TypeError,
            "'b' has dtype datetime",
        ),
        (ANY | {"b": np.ones(1) * 1j}, "safetensors", TypeError, "'b' has dtype complex128"),
        (
            ANY | {"b\ud800": np.ones(1)},
            "npz",
            ValueError,
            r"the name 'b\\ud800' is not valid Unicode",
        ),
        (ANY | {"b\0": np.ones(1)}, "npz", ValueError, "cannot be a name in a zip file"),
        (ANY | {"b" * 2**16: np.ones(1)}, "npz", ValueError, "cannot be a name in a zip file"),
        (
            ANY | {"a.npy": np.ones(1)},
            "npz",
            ValueError,
            "cannot distinguish 'a.npy' from the same",
        ),
        (
            {"__metadata__": np.ones(1)},
            "safetensors",
            ValueError,
            "reserves the name '__metadata",
        ),
        (
            {"b" * 10**8: np.ones(1)},
            "safetensors",
            ValueError,
            "header must have at most 100000000 bytes, got",
        ),
        (ANY, "hdf5", ValueError, "must be one of safetensors, npz, torch_zip, got 'hdf5'"),
        (ANY, None, ValueError, "format must be given for a file object: one of safetensors"),
    ],
    ids=range(16),
)
def test_save_of_what_a_format_lacks_is_refused_and_loses_nothing(
    obj, format, error, message, tmp_path
):
    file = io.BytesIO()
    with pytest.raises(error, match=message):
        nn.save(obj, file, format)
    assert file.getvalue() == b""
    if format is not None:
        path = tmp_path / "w.npz"
        path.write_bytes(b"old")
        with pytest.raises(error, match=message):
            nn.save(obj, path, format)
        assert path.read_bytes() == b"old"
        assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("file", "error", "message"),
    [
        (io.StringIO(), TypeError, "f must be a path or a binary file, got StringIO"),
        (3, TypeError, "f must be a path or a binary file, got int"),
        (
            "w.h5",
            ValueError,
            r"f must end in one of \.safetensors, .*\.bin, got 'w\.h5': rename it, or",
        ),
        ("absent/w.npz", FileNotFoundError, "absent/w.npz"),
        ("folder.npz", IsADirectoryError, "folder.npz"),
    ],
)
def test_save_to_an_unwritable_file_names_it(file, error, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("folder.npz").mkdir()
    with pytest.raises(error, match=message):
        nn.save(ANY, file)
    assert [path.name for path in tmp_path.iterdir()] == ["folder.npz"]


def test_save_failure_keeps_the_existing_file(tmp_path, monkeypatch):
    path = tmp_path / "w.safetensors"
    nn.save(ANY, path)
    before = path.read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("numpy_rnn.checkpoint.safetensors.encode", full)
    with pytest.raises(OSError, match="No space left on device"):
        nn.save({"a": np.zeros(2)}, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions and links")
def test_save_keeps_permissions_and_links(tmp_path):
    path, link = tmp_path / "w.npz", tmp_path / "link.npz"
    nn.save(ANY, path)
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask
    path.chmod(0o640)
    link.symlink_to(path)
    nn.save({"b": np.zeros(1)}, link)
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert list(read_npz(path.read_bytes())) == ["b"]
    nn.save(ANY, os.devnull, format="npz")
    assert not Path(os.devnull).is_file()


def test_save_file_object_is_written_from_its_position():
    class Pipe(io.RawIOBase):
        """A file without tell and seek."""

        def __init__(self):
            self.data = b""

        def writable(self):
            return True

        def write(self, data):
            self.data += bytes(data)
            return len(data)

    pipe = Pipe()
    nn.save(ANY, pipe, format="torch_zip")
    assert_equal(read_torch_zip(pipe.data), ANY)
    with tempfile.TemporaryFile() as file:
        file.write(b"before")
        nn.save(ANY, file, format="npz")
        file.seek(0)
        assert file.read() == b"before" + saved(ANY, "npz")


def test_save_over_the_file_that_was_read_is_complete(tmp_path):
    path = tmp_path / "w.pt"
    nn.save(ANY, path)
    nn.save(nn.read_state_dict(path), path)
    assert_equal(nn.read_state_dict(path), ANY)

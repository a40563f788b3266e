"""`nn.load` reads the zip files that torch writes, and nothing in them is executed."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections import Counter, OrderedDict

import numpy as np
import pytest
import torch

import numpy_rnn as nn
from tests.support.torch_files import saved

DTYPES = [
    torch.float32,
    torch.float64,
    torch.float16,
    torch.bfloat16,
    torch.int8,
    torch.int16,
    torch.int32,
    torch.int64,
    torch.uint8,
    torch.uint16,
    torch.uint32,
    torch.uint64,
    torch.bool,
    torch.complex64,
    torch.complex128,
]
WIDENED = {torch.float16: torch.float32, torch.bfloat16: torch.float32}


def assert_equals(array, tensor):
    reference = tensor.detach().to(WIDENED.get(tensor.dtype, tensor.dtype)).numpy()
    assert type(array) is np.ndarray
    assert array.dtype == reference.dtype
    assert array.shape == reference.shape
    np.testing.assert_array_equal(array, reference)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_load_every_dtype_equals_torch(dtype):
    values = torch.tensor([0, 1, 2, 3, 100, 117]).to(dtype).reshape(2, 3)
    for tensor in (values, values.t(), values[1], values[:, 1:], values[0, 0], values[:0]):
        assert_equals(nn.load(saved(tensor)), tensor)


def test_load_half_precision_extremes_equal_torch():
    for dtype in (torch.float16, torch.bfloat16):
        limits = torch.finfo(dtype)
        extremes = [limits.max, limits.min, limits.tiny, limits.smallest_normal / 4]
        tensor = torch.tensor([*extremes, float("inf"), -float("inf"), float("nan"), -0.0])
        assert_equals(nn.load(saved(tensor.to(dtype))), tensor.to(dtype))


def test_load_complex_half_is_widened():
    tensor = torch.view_as_complex(torch.tensor([[1.5, -2.0], [0.25, 8.0]]))
    with pytest.warns(UserWarning, match="ComplexHalf support is experimental"):
        half = tensor.to(torch.complex32)
    np.testing.assert_array_equal(nn.load(saved(half)), tensor.numpy())


def test_load_bool_of_any_byte_is_false_or_true():
    tensor = torch.tensor([0, 1, 2, 255], dtype=torch.uint8).view(torch.bool)
    assert nn.load(saved(tensor)).astype(int).tolist() == [0, 1, 1, 1]


def test_load_views_equal_torch_and_share_memory():
    base = torch.arange(60.0).reshape(3, 4, 5)
    tensors = {
        "base": base,
        "transposed": base.transpose(0, 2),
        "offset": base[1:, ::2, 3],
        "diagonal": torch.diagonal(base, dim1=0, dim2=1),
        "windows": torch.arange(10.0).unfold(0, 4, 2),
        "empty": torch.empty(0, 3),
        "scalar": base[1, 2, 3],
    }
    loaded = nn.load(saved(tensors))
    for name, tensor in tensors.items():
        assert_equals(loaded[name], tensor)
    loaded["base"][1, 2, 3] = -1
    assert loaded["scalar"] == loaded["transposed"][3, 2, 1] == -1
    assert not np.shares_memory(loaded["base"], loaded["windows"])


def test_load_half_precision_views_share_memory():
    base = torch.arange(6.0).half()
    loaded = nn.load(saved([base, base[2:]]))
    assert np.shares_memory(*loaded)


def test_load_expanded_tensor_takes_no_memory():
    tensor = torch.ones(1).expand(2**20, 2**20)
    loaded = nn.load(saved(tensor))
    assert loaded.shape == (2**20, 2**20)
    assert loaded.strides == (0, 0)


def test_load_containers_and_plain_values_are_equal():
    obj = {
        "text": "ä\n\ud7ff😀",
        "numbers": [1, -2, 2**40, -(2**90), 1.5, float("inf"), True, False, None, 1 + 2j],
        "tuple": ((), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)),
        "set": {1, "a", (1, 2)},
        "bytes": b"\x00\xff",
        "bytearray": bytearray(b"\x80abc"),
        "ordered": OrderedDict([("b", 1), ("a", 2)]),
        "counter": Counter("banana"),
        5: {"nested": [{}, []]},
        (1, "key"): 2,
    }
    loaded = nn.load(saved(obj))
    assert loaded == obj
    assert [type(value) for value in loaded.values()] == [type(v) for v in obj.values()]


def test_load_torch_values_become_numpys_and_pythons():
    obj = [
        torch.Size([2, 3]),
        torch.device("cuda:1"),
        torch.float16,
        torch.bfloat16,
        torch.int64,
    ]
    assert nn.load(saved(obj)) == [
        (2, 3),
        "cuda:1",
        np.dtype(np.float16),
        "bfloat16",
        np.dtype(np.int64),
    ]


def test_load_parameters_and_tensors_with_attributes_are_arrays():
    parameter = torch.nn.Parameter(torch.arange(3.0))
    tensor = torch.arange(4.0)
    tensor.note = "kept by torch"
    loaded = nn.load(saved([parameter, tensor]))
    assert_equals(loaded[0], parameter)
    assert_equals(loaded[1], tensor)


@pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")  # once in a process
def test_load_typed_storage_is_an_array():
    storage = torch.arange(3.0).storage()
    np.testing.assert_array_equal(nn.load(saved(storage)), [0, 1, 2])


def test_load_training_checkpoint_keeps_its_structure():
    model = torch.nn.RNN(3, 4, 2)
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.zeros(5, 2, 3))[0].sum().backward()
    optimizer.step()
    loaded = nn.load(
        saved({"epoch": 3, "model": model.state_dict(), "optimizer": optimizer.state_dict()})
    )
    assert type(loaded["model"]) is OrderedDict
    rnn = nn.RNN(3, 4, 2)
    rnn.load_state_dict(loaded["model"])
    np.testing.assert_array_equal(rnn.weight_hh_l1, model.weight_hh_l1.detach().numpy())
    step = loaded["optimizer"]["state"][0]
    assert set(step) == {"step", "exp_avg", "exp_avg_sq"}


def test_load_takes_paths_and_open_files(tmp_path):
    path = tmp_path / "weights.pt"
    torch.save({"a": torch.ones(2)}, path)
    assert nn.load(path)["a"].tolist() == nn.load(str(path))["a"].tolist() == [1, 1]
    with path.open("rb") as file:
        assert nn.load(file)["a"].tolist() == [1, 1]
        assert not file.closed
    with pytest.raises(FileNotFoundError, match=r"absent.pt"):
        nn.load(tmp_path / "absent.pt")


def test_load_big_endian_file_is_swapped():
    """As torch writes it on such a machine: swapped storages, and a member that says so."""
    source = zipfile.ZipFile(saved([torch.tensor([1.5, -2]), torch.tensor([1, 256])]))
    swapped = io.BytesIO()
    itemsizes = {"archive/data/0": 4, "archive/data/1": 8}
    with zipfile.ZipFile(swapped, "w") as archive:
        for name in source.namelist():
            data = source.read(name)
            if name in itemsizes:
                data = np.frombuffer(data, f"u{itemsizes[name]}").byteswap().tobytes()
            archive.writestr(name, b"big" if name.endswith("byteorder") else data)
    swapped.seek(0)
    floats, integers = nn.load(swapped)
    assert floats.tolist() == [1.5, -2]
    assert integers.tolist() == [1, 256]
    assert floats.dtype.isnative


# Refusals


class Evil:
    def __init__(self, function, *args):
        self.call = (function, args)

    def __reduce__(self):
        return self.call


def torch_zip(data_pickle, **storages):
    """Return a zip file like torch's around a given pickle."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", data_pickle)
        archive.writestr("archive/byteorder", b"little")
        for key, data in storages.items():
            archive.writestr(f"archive/data/{key.removeprefix('_')}", data)
    file.seek(0)
    return file


@pytest.mark.parametrize(
    ("obj", "name"),
    [
        (Evil(eval, "1/0"), r"(builtins|__builtin__).eval"),
        (Evil(getattr, "x", "upper"), r"(builtins|__builtin__).getattr"),
        (Evil(__import__("os").system, "true"), r"(posix|nt|os).system"),
        (torch.nn.RNN(1, 1), r"torch.nn.modules.rnn.RNN"),
        (np.random.default_rng(0), r"numpy"),
        (Exception("x"), r"exceptions.Exception|builtins.Exception"),
    ],
    ids=["eval", "getattr", "system", "module", "generator", "exception"],
)
@pytest.mark.parametrize("protocol", [2, 4])
def test_load_unknown_name_is_refused_with_its_place(obj, name, protocol):
    file = torch_zip(pickle.dumps({"weights": obj}, protocol=protocol))
    with pytest.raises(nn.CheckpointError, match=rf"names .*\b({name})\S* \(weights"):
        nn.load(file)


def test_load_name_in_place_of_a_value_is_refused():
    file = torch_zip(pickle.dumps([OrderedDict], protocol=2))
    with pytest.raises(
        nn.CheckpointError, match=r"must hold values, but has collections.OrderedDict itself"
    ):
        nn.load(file)


def tensor_pickle(offset=0, shape=(2,), strides=(1,), numel=2, key="0", storage="FloatStorage"):
    """Return the pickle of a tensor with the given parts, right or wrong."""

    class Storage:
        pass

    class Pickler(pickle._Pickler):
        def persistent_id(self, obj):
            return (
                ("storage", GlobalName("torch", storage), key, "cpu", numel)
                if isinstance(obj, Storage)
                else None
            )

    class GlobalName:
        def __init__(self, module, name):
            self.module, self.name = module, name

        def __reduce__(self):
            return f"{self.module} {self.name}"

    def save_global(self, obj):
        self.write(pickle.GLOBAL + f"{obj.module}\n{obj.name}\n".encode())

    Pickler.dispatch = dict(pickle._Pickler.dispatch)
    Pickler.dispatch[GlobalName] = save_global
    file = io.BytesIO()
    pickler = Pickler(file, protocol=2)
    file.write(pickle.PROTO + b"\x02")
    save_global(pickler, GlobalName("torch._utils", "_rebuild_tensor_v2"))
    pickler.save((Storage(), offset, shape, strides, False, {}))
    file.write(pickle.REDUCE + pickle.STOP)
    return file.getvalue()


def test_load_forged_pickle_without_a_change_is_read():
    assert nn.load(torch_zip(tensor_pickle(), _0=b"\0\0\x80\x3f" * 2)).tolist() == [1, 1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"offset": 1}, "within its storage of 2 elements, but reaches element 2"),
        ({"offset": 2**62}, f"from 0 to {2**61 - 1}, got {2**62}"),
        ({"offset": -1}, r"got -1 and \(1,\)"),
        ({"offset": 0.0}, r"got 0.0 and \(1,\)"),
        ({"shape": (3,)}, "reaches element 2"),
        ({"strides": (2,)}, "reaches element 2"),
        ({"strides": (-1,)}, r"got 0 and \(-1,\)"),
        ({"strides": (2**60,)}, "reaches element"),
        ({"strides": (2**62,)}, rf"from 0 to {2**61 - 1}, got 0 and \({2**62},\)"),
        ({"shape": (-2,)}, r"non-negative integers, got \(-2,\)"),
        ({"shape": (True,)}, r"non-negative integers, got \(True,\)"),
        ({"shape": [2]}, "non-negative integers, got a list"),
        ({"shape": (2, 1)}, r"a tuple of 2 strides, got \(1,\)"),
        ({"shape": (1,) * 33, "strides": (0,) * 33}, "at most 32 axes, got 33"),
        ({"shape": (2**62, 2**62), "strides": (0, 0)}, "is too large"),
        ({"shape": (0, 2**62, 2**62), "strides": (0, 0, 0)}, "is too large"),
        ({"shape": (2**64,)}, "non-negative integers, got"),
        ({"numel": 3}, "must have 12 bytes, got 8"),
        ({"numel": 2**62}, r"must have \d+ bytes, got 8"),
        ({"numel": -1}, "the persistent id of a storage must be"),
        ({"key": "1"}, "has no storage '1'"),
        ({"key": "../data.pkl"}, "has no storage"),
        ({"key": 0}, "the persistent id of a storage must be"),
        ({"storage": "DoubleStorage"}, "must have 16 bytes, got 8"),
        ({"storage": "QInt8Storage"}, "must have 2 bytes, got 8"),
        ({"storage": "OwnStorage"}, "names torch.OwnStorage"),
    ],
    ids=repr,
)
def test_load_forged_tensor_is_refused(change, message):
    with pytest.raises(nn.CheckpointError, match=message):
        nn.load(torch_zip(tensor_pickle(**change), _0=b"\0" * 8))


@pytest.mark.parametrize("stride", [2**61, 2**63 - 1, 2**63])
@pytest.mark.parametrize("read", [nn.load, nn.read_state_dict])
def test_strides_beyond_numpys_integers_are_refused(read, stride):
    """The stride of an axis with one element reaches nowhere, but NumPy has to hold it."""
    tensor = tensor_pickle(shape=(1,), strides=(stride,))
    data = b"\x80\x02}X\x01\x00\x00\x00a" + tensor[2:-1] + b"s."
    with pytest.raises(nn.CheckpointError, match=rf"from 0 to {2**61 - 1}, got 0 and"):
        read(torch_zip(data, _0=b"\0" * 8))


def test_load_tensor_too_large_for_32_bits_is_refused_there(monkeypatch):
    file = saved({"a": torch.ones(1).expand(2**20, 2**20), "b": torch.ones(3)})
    monkeypatch.setattr("sys.maxsize", 2**31 - 1)
    with pytest.raises(
        nn.CheckpointError, match=r"the shape \(1048576, 1048576\) is too large"
    ):
        nn.load(file)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b".",
        b"\x80\x02.",
        b"\x80\x02}",
        b"\x80\x02](K\x01K\x02e",
        b"\x80\x02e.",
        b"\x80\x020.",
        b"\x80\x02h\x05.",
        b"\x80\x02K\x01K\x02.",
        b"\x80\x02(K\x01.",
        b"\x80\x02}(K\x01u.",
        b"\x80\x02}]K\x01s.",
        b"\x80\x02]K\x01b.",
        b"\x80\x02K\x01)R.",
        b"\x80\x02\x86.",
        b"\x80\x02]}b.",
        b"\x80\x02X\xff\xff\xff\xffabc.",
        b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\xffabc.",
        b"\x80\x02ccollections\nOrderedDict\n)R}X\x01\x00\x00\x00aK\x01sb.",
        b"\x80\x02ccollections\nOrderedDict\n(K\x01tR.",
        b"\x80\x02c__builtin__\nset\n(]]atR.",
        b"\x80\x02(lp0\n0(cos\nsystem\no.",
        b"\x80\x02\x82\x01.",
        b"\xff\xfe",
        b"not a pickle",
    ],
    ids=repr,
)
def test_load_damaged_pickle_is_refused(data):
    with pytest.raises(nn.CheckpointError, match="pickle"):
        nn.load(torch_zip(data))


def test_load_takes_torchs_arguments():
    file = saved(torch.ones(2))
    assert nn.load(file, map_location="cpu", weights_only=True).tolist() == [1, 1]
    with pytest.raises(RuntimeError, match=r"^map_location must be None or 'cpu', got 'cuda'"):
        nn.load(file, "cuda")
    with pytest.raises(ValueError, match="weights_only must be True, got False"):
        nn.load(file, weights_only=False)
    with pytest.raises(TypeError, match="f must be a path or a binary file, got bytes"):
        nn.load(file.getvalue())
    with pytest.raises(nn.CheckpointError, match="the file is empty"):
        nn.load(io.BytesIO())


@pytest.mark.parametrize("data", [b"PK", b"\x89HDF", b"x" * 1000])
def test_load_other_format_is_refused_with_those_that_are_read(data):
    with pytest.raises(
        nn.CheckpointError,
        match=r"not a checkpoint: the file starts with b'.*numpy_rnn reads .*\.safetensors",
    ):
        nn.load(io.BytesIO(data))


def test_load_other_zip_file_is_refused():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.txt", b"x")
    with pytest.raises(
        nn.CheckpointError,
        match=r"must hold one FOLDER/data.pkl.* holds 0 data.pkl among 1 files",
    ):
        nn.load(io.BytesIO(file.getvalue()))


@pytest.mark.parametrize("tensor", [torch.eye(3).to_sparse(), torch.zeros(2, device="meta")])
def test_load_sparse_or_meta_tensor_is_refused(tensor):
    with pytest.raises(
        nn.CheckpointError, match="allows only tensors, arrays and plain values"
    ):
        nn.load(saved(tensor))


def test_load_zip_cut_short_anywhere_is_refused():
    whole = saved({"a": torch.arange(3.0)}).getvalue()
    for length in range(len(whole)):
        with pytest.raises(nn.CheckpointError, match=r"(the (zip )?file is|not a checkpoint)"):
            nn.load(io.BytesIO(whole[:length]))


def test_load_storage_with_a_changed_byte_is_refused():
    tensor = torch.arange(100.0)
    whole = bytearray(saved(tensor).getvalue())
    whole[whole.index(tensor.numpy().tobytes()) + 40] ^= 1
    with pytest.raises(nn.CheckpointError, match="Bad CRC-32"):
        nn.load(io.BytesIO(bytes(whole)))


STORAGE = b"X\x07\x00\x00\x00storage"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            b"\x80\x02(" + STORAGE + b")" + b"\x85" * 100_000 + b"K\x00K\x00K\x02tQ.",
            "persistent id of a storage",
        ),
        (
            b"\x80\x02(" + STORAGE + b")" + b"2\x86" * 200 + b"K\x00K\x00K\x02tQ.",
            "persistent id of a storage",
        ),
        (b"\x80\x02)" + b"2\x86" * 200 + b"Q.", "persistent id of a storage"),
        (
            b"\x80\x02c__builtin__\nbytearray\n" + b")" + b"2\x86" * 200 + b"\x85R.",
            "must be made from bytes",
        ),
        (
            b"\x80\x02ctorch\nSize\n)" + b"2\x86" * 200 + b"\x85R.",
            "a size must be a tuple of integers, got a tuple",
        ),
        (
            b"\x80\x02ctorch\ndevice\n)" + b"2\x86" * 200 + b"\x85R.",
            "a device must be .* got a tuple",
        ),
        (b"\x80\x02ctorch\ndevice\n)R.", r"a device must be .* got \(\)"),
        (
            b"\x80\x02ccollections\nCounter\n}X\x01\x00\x00\x00aNs\x85R.",
            "counts must be a dict of integers",
        ),
        (b"\x80\x02ccollections\nOrderedDict\n](K\x01e\x85R.", "items must be pairs"),
        (b"\x80\x02ccollections\nOrderedDict\n](]K\x01\x86e\x85R.", "a key of a dict"),
        (b"\x80\x02ccollections\nOrderedDict\nN\x85R.", "items must be a list or a tuple"),
        (
            b"\x80\x02ccollections\nOrderedDict\n)R}X\x01\x00\x00\x00aNsb.",
            "no attribute other than _metadata",
        ),
        (b"\x80\x02c__builtin__\nset\nN\x85R.", "items must be a list or a tuple"),
        (b"\x80\x02c__builtin__\ncomplex\nK\x01K\x02\x86R.", "must be floats"),
        (b"\x80\x02c__builtin__\nbytearray\nK\x09\x85R.", "must be made from bytes"),
        (
            b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x04\x00\x00\x00utf7\x86R.",
            "must be text in 'latin1', got",
        ),
        (b"\x80\x02c_codecs\nencode\nK\x01\x85R.", "must be text in 'latin1', got"),
        (
            b"\x80\x02ctorch._utils\n_rebuild_parameter\nK\x01\x85R.",
            "a parameter must be a tensor",
        ),
        (
            b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(K\x00K\x00))tR.",
            "a tensor must be in a storage",
        ),
        (
            b"\x80\x02ctorch._utils\n_rebuild_tensor_v3\n(K\x00K\x00))tR.",
            "a tensor must be in a storage",
        ),
        (
            b"\x80\x02ctorch._tensor\n_rebuild_from_type_v2\n(NN)NtR.",
            "made by a function of torch._utils",
        ),
        (b"\x80\x02ctorch\nTensor\n)R.", "calls torch.Tensor"),
        (b"\x80\x04](K\x01](e\x91.", "pickle"),
        (b"\x80\x04(]\x91.", "item of a set"),
        (b"S'\\d'\n.", "an invalid escape"),
        (
            b"\x80\x02}X\x01\x00\x00\x00actorch\nTensor\ns.",
            "must hold values, but has torch.Tensor itself",
        ),
        (b"\x80\x04K\x01K\x02\x93.", "the module and the name of a global must be strings"),
    ],
    ids=range(27),
)
def test_load_forged_pickle_is_refused(data, message):
    with pytest.raises(nn.CheckpointError, match=message):
        nn.load(torch_zip(data))


def test_load_list_that_holds_itself_is_read():
    loaded = nn.load(torch_zip(b"\x80\x02]q\x00h\x00a."))
    assert loaded[0] is loaded


def test_load_pickle_bomb_is_refused():
    text = b"X\x40\x42\x0f\x00" + b"a" * 1_000_000 + b"q\x00X\x06\x00\x00\x00latin1q\x010"
    copies = b"c__builtin__\nbytearray\nq\x0200" + b"h\x02h\x00h\x01\x86Ra" * 100
    with pytest.raises(nn.CheckpointError, match="expands to far more than its size"):
        nn.load(torch_zip(b"\x80\x02]" + text + copies + b"."))


def test_load_compressed_pickle_bomb_is_refused():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02]" + b"N" * 3 * 10**6 + b".")
    with pytest.raises(nn.CheckpointError, match="expands to far more than its size"):
        nn.load(io.BytesIO(file.getvalue()))


def test_load_zip_with_a_member_twice_is_refused():
    file = torch_zip(tensor_pickle(), _0=b"\0" * 8)
    with (
        zipfile.ZipFile(file, "a") as archive,
        pytest.warns(UserWarning, match="Duplicate name"),
    ):
        archive.writestr("archive/data/0", b"\1" * 8)
    with pytest.raises(nn.CheckpointError, match="the member 'archive/data/0' twice"):
        nn.load(io.BytesIO(file.getvalue()))


def test_load_concatenated_checkpoints_are_refused():
    """torch reads the first of them, and zip readers the last."""
    file = io.BytesIO()
    torch.save(torch.ones(1), file)
    torch.save(torch.zeros(1), file)
    file.seek(10)
    with pytest.raises(
        nn.CheckpointError, match=r"must be at its beginning, but is at byte 10: call seek\(0\)"
    ):
        nn.load(file)
    file.seek(0)
    with pytest.raises(nn.CheckpointError, match="more than one zip file"):
        nn.load(file)


@pytest.mark.parametrize("seed", range(4))
def test_load_zip_with_random_damage_is_refused_or_read(seed):
    rng = np.random.default_rng(seed)
    whole = saved({"a": torch.arange(4.0), "b": [1, "x", torch.ones(2).half()]}).getvalue()
    refused = 0
    for _ in range(1000):
        data = bytearray(whole)
        # Half of the damage goes to the directory at the end, which says where all is.
        start = 0 if rng.random() < 0.5 else len(data) - 600
        for place in rng.integers(start, len(data), rng.integers(1, 4)):
            data[place] = rng.integers(256)
        try:
            nn.load(io.BytesIO(bytes(data)))
        except nn.CheckpointError:
            refused += 1
    assert refused > 300


def test_load_large_stride_of_an_axis_of_length_one_is_ignored():
    data = torch_zip(tensor_pickle(shape=(1, 2), strides=(2**60, 1)), _0=b"\0" * 8)
    assert nn.load(data).shape == (1, 2)


def test_load_storage_of_two_dtypes_is_refused():
    """torch reads it by the class that comes first, and refuses to write it."""

    def tensor(storage):
        parts = [
            b"ctorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storagectorch\n" + storage,
            b"\nX\1\0\0\x000X\3\0\0\0cpuK\2tQK\0K\2\x85K\1\x85\x89",
            b"ccollections\nOrderedDict\n)RtR",
        ]
        return b"".join(parts)

    def file(*storages):
        return torch_zip(b"\x80\2(" + b"".join(map(tensor, storages)) + b"l.", _0=b"\0" * 8)

    assert len(nn.load(file(b"FloatStorage", b"FloatStorage"))) == 2
    for read in (nn.load, nn.read_state_dict):
        with pytest.raises(
            nn.CheckpointError, match="is described twice, with different dtypes"
        ):
            read(file(b"FloatStorage", b"IntStorage"))


def test_load_deep_nesting_ends_without_recursion():
    depth = 200_000
    loaded = nn.load(torch_zip(b"\x80\x02" + b"]" * depth + b"a" * (depth - 1) + b"."))
    assert type(loaded) is list
    with pytest.raises(nn.CheckpointError, match="a key must have at most 1000 parts"):
        nn.load(torch_zip(b"\x80\x02})" + b"\x85" * depth + b"K\x01s."))

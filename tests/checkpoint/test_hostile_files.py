"""A file that attacks its reader gets a `CheckpointError`: no call, no memory, no crash."""

from __future__ import annotations

import io
import json
import pickle
import struct
import subprocess
import sys
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
import safetensors
import safetensors.numpy
import torch

import numpy_rnn as nn
from tests.support import hostile, mutations
from tests.support.golden import DATA
from tests.support.hostile import npy, st, zip_of
from tests.support.refusals import READERS, assert_cheap, refusal
from tests.support.torch_files import saved

ROOT = Path(__file__).parents[2]
MEBIBYTE = 2**20


# Code


@pytest.fixture(scope="module")
def watched():
    """What reading all tricks, in every format that has pickles, did in another process."""
    result = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.support.hostile"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return json.loads(result.stdout)


def test_tricks_call_open_and_import_nothing(watched):
    """Only `id`, which the readers call themselves, may raise an event."""
    assert set(watched["events"]) <= {"builtins.id"}
    assert not watched["made"]
    assert len(watched["outcomes"]) > 2000


def test_tricks_are_refused_or_stay_unknown_objects(watched):
    golden = {path.name for path in DATA.glob("*.*[!y]")}
    for label, outcome in watched["outcomes"].items():
        reader, file = label.split(", ", 1)
        if outcome != "refused":
            # read_state_dict reads the weights next to a trick.
            assert outcome == "read", label
            assert file in golden or (
                reader == "read_state_dict" and "next to weights" in file
            ), label


def test_watch_sees_what_pythons_unpickler_does():
    """A watch that misses these would prove nothing."""
    code = (
        "import sys, pickle; seen = []; sys.addaudithook(lambda e, _: seen.append(e));"
        "pickle.loads(b'\\x80\\x02cos\\nsystem\\nX\\x04\\x00\\x00\\x00true\\x85R.');"
        "print('pickle.find_class' in seen, 'os.system' in seen)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.split() == ["True", "True"]


# Pickles


@pytest.mark.parametrize(
    ("bomb", "repeats"),
    [
        (b"\x8f", 10**6),  # EMPTY_SET
        (b"}", 10**6),
        (b"(", 10**6),
        (b"]", 10**6),
        (b"N\x94", 10**6),  # MEMOIZE
        (b")\x81", 10**6),
        (b"ccollections\nOrderedDict\n)R", 10**5),
        (b"ccollections\nCounter\n)R", 10**5),
        (b"cargparse\nNamespace\n)\x81", 10**5),
        (b"cnumpy\ndtype\nX\x02\x00\x00\x00f4\x85R", 10**5),
        (b"2\x86", 10**6),
        (b"]2a", 10**6),
    ],
    ids=repr,
)
def test_pickle_bomb_of_small_objects_is_refused_cheaply(bomb, repeats, deep):
    """`read_state_dict` builds all that `load` does, and unknown objects."""
    readers = READERS if deep else [nn.read_state_dict]
    assert_cheap(b"\x80\x04N" + bomb * repeats, readers)


def test_pickle_bomb_of_calls_with_one_argument_is_refused_cheaply():
    items = b"\x80\x02](" + b"N" * 10**5 + b"eq\x00c__builtin__\nset\nq\x01"
    assert_cheap(items + b"h\x01h\x00\x85R" * 10**5 + b".")
    pairs = b"\x80\x02](" + b"K\x01K\x02\x86" * 10**4 + b"eq\x00"
    pairs += b"ccollections\nOrderedDict\nq\x01"
    assert_cheap(pairs + b"h\x01h\x00\x85R" * 10**4 + b".")
    data = (
        b"\x80\x04B"
        + struct.pack("<I", 10**6)
        + b"\0" * 10**6
        + b"\x940c__builtin__\nbytearray\n\x940"
    )
    assert_cheap(data + b"h\x01h\x00\x85R" * 1000 + b".")


def test_pickle_bomb_of_wide_strings_is_refused_cheaply():
    wide = "a" * 2_000_000 + "\U0001f600"
    assert_cheap(b"\x80\x02" + hostile.text(wide) * 30)


@pytest.mark.parametrize("deep", [b"]" * 10**5 + b"a" * (10**5 - 1), b")" + b"\x85" * 10**5])
def test_pickle_nested_deeply_ends_without_recursion(deep):
    assert nn.load(io.BytesIO(b"\x80\x02" + deep + b".")) is not None
    assert "no named weights" in refusal(b"\x80\x02" + deep + b".", nn.read_state_dict)


def test_pickle_of_nested_unknown_objects_ends_without_recursion():
    deep = b"ca\nb\nq\x000" + b"h\x00)\x81}X\x01\x00\x00\x00a" * 20_000
    deep += b"N" + b"sb" * 20_000
    assert "names a.b" in refusal(b"\x80\x02" + deep + b".")
    assert "no named weights" in refusal(b"\x80\x02" + deep + b".", nn.read_state_dict)


def test_pickle_of_values_slow_to_compare_is_refused():
    """Two equal tuples of tuples of tuples ..., which share their parts."""
    endless = b")" + b"2\x86" * 200
    dtype = hostile.calling("numpy", "dtype", hostile.text("f8"), b"\x89", b"\x88")
    for arguments in (
        (b"C\x08abcdefgh", dtype, b"K\x01\x85", hostile.text("K"), endless + endless + b"\x86"),
        (b"C\x08abcdefgh", dtype, b"K\x01\x85", endless),
        (b"C\x08abcdefgh", dtype, endless, hostile.text("C")),
        (b"C\x08abcdefgh", endless, b"K\x01\x85", hostile.text("C")),
    ):
        data = b"\x80\x04" + hostile.calling("numpy.core.numeric", "_frombuffer", *arguments)
        assert "_frombuffer" in refusal(data + b".")


def module(children):
    """Return the instructions of a pickled module with others in it."""
    return (
        b"cm\nM\n)\x81}("
        + hostile.text("_parameters")
        + b"}"
        + hostile.text("_buffers")
        + b"}"
        + hostile.text("_modules")
        + b"}("
        + children
        + b"uub"
    )


def test_modules_nested_too_deeply_are_refused():
    deep = b""
    for _ in range(300):
        deep = hostile.text("a") + module(deep)
    message = refusal(b"\x80\x02" + module(deep) + b".", nn.read_state_dict)
    assert "modules are nested more than 200 levels deep" in message


def test_modules_that_share_submodules_exponentially_are_refused():
    """Each of 100 has the next one twice: 2**100 names."""
    shared = module(b"")
    for index in range(100):
        put, get = b"r" + struct.pack("<I", index), b"j" + struct.pack("<I", index)
        shared = module(hostile.text("a") + shared + put + hostile.text("b") + get)
    data = b"\x80\x02" + shared + b"."
    assert "expands to far more than its size" in refusal(data, nn.read_state_dict)
    assert_cheap(data)


def test_module_that_holds_itself_is_refused():
    data = b"\x80\x02" + module(b"")
    data = data[:9] + b"q\x00" + data[9:]
    data = data.replace(
        hostile.text("_modules") + b"}(u",
        hostile.text("_modules") + b"}(" + hostile.text("a") + b"h\x00u",
    )
    assert "nested more than 200 levels deep" in refusal(data + b".", nn.read_state_dict)


def test_submodule_named_by_a_long_integer_is_ignored():
    """Python refuses to convert it to text; torch's names are strings."""
    number = (10**5000).to_bytes(2100, "little")
    long4 = b"\x8b" + struct.pack("<i", len(number)) + number
    data = b"\x80\x02" + module(long4 + module(b"")) + b"."
    assert "no named weights" in refusal(data, nn.read_state_dict)


def test_pickle_number_of_many_digits_is_refused():
    for data in (
        b"I" + b"9" * 10**6 + b"\n.",
        b"L" + b"9" * 10**6 + b"L\n.",
        b"F" + b"9" * 10**6 + b"\n.",
    ):
        assert "at most 4300 decimal digits" in refusal(data)


# Zip archives


def zeros(size):
    """Return a zip archive of an array of zeros, a thousandth of its size."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a.npy", "w", force_zip64=True) as member,
    ):
        member.write(npy("|u1", f"({size},)", b""))
        for _ in range(size // MEBIBYTE):
            member.write(bytes(MEBIBYTE))
    return file.getvalue()


def test_zip_bomb_is_refused_cheaply():
    data = zeros(200 * MEBIBYTE)
    assert len(data) < MEBIBYTE
    assert "decompressing 'a.npy' would take" in refusal(data)
    assert_cheap(data)


def test_zip_of_compressed_zeros_is_read():
    assert nn.load(io.BytesIO(zeros(20 * MEBIBYTE)))["a"].shape == (20 * MEBIBYTE,)


def test_zip_of_many_small_bombs_is_refused_cheaply():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for index in range(30):
            archive.writestr(
                f"{index}.npy", npy("|u1", f"({4 * MEBIBYTE},)", bytes(4 * MEBIBYTE))
            )
    assert "would take" in refusal(file.getvalue())
    assert_cheap(file.getvalue())


def entry(data, name):
    """Return the place of a member's entry in the directory."""
    return data.rindex(b"PK\1\2", 0, data.rindex(name))


def patched(data, name, **fields):
    """Return a zip archive with other fields for a member, in directory and header."""
    data = bytearray(data)
    places = {
        "flags": (8, 6),
        "method": (10, 8),
        "crc": (16, 14),
        "compressed": (20, 18),
        "size": (24, 22),
    }
    central = entry(data, name)
    local = data.index(b"PK\3\4", max(0, data.index(name) - 30))
    for field, value in fields.items():
        if field == "place":
            struct.pack_into("<I", data, central + 42, value)
            continue
        layout = "<H" if field in ("flags", "method") else "<I"
        struct.pack_into(layout, data, central + places[field][0], value)
        struct.pack_into(layout, data, local + places[field][1], value)
    return bytes(data)


ARRAY = npy("<f4", "(2,)", b"\0\0\x80\x3f" * 2)


@pytest.fixture(params=[zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED], ids=["stored", "deflated"])
def archive(request):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", request.param) as target:
        target.writestr("first.npy", ARRAY)
        target.writestr("other.npy", ARRAY)
    return file.getvalue()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"flags": 1}, "'first.npy' in the zip file is encrypted"),
        ({"method": 12}, "must be stored or deflated, but is compressed by bzip2"),
        ({"method": 14}, "is compressed by LZMA"),
        ({"method": 93}, "is compressed by Zstandard"),
        ({"method": 77}, "is compressed by method 77"),
        ({"crc": 1}, "Bad CRC-32 for 'first.npy'"),
        ({"compressed": 2**31, "size": 2**31}, "overlaps what comes after it"),
        ({"size": 2**32 - 1}, "a ZIP64 size is missing"),
        ({"place": 2**31}, "not where it should be"),
        ({"place": 3}, "not where it should be"),
    ],
    ids=repr,
)
def test_zip_directory_that_lies_is_refused(archive, fields, message):
    assert message in refusal(patched(archive, b"first.npy", **fields))


@pytest.mark.parametrize(
    ("fields", "stored", "deflated"),
    [
        ({"size": 2**31}, "has 2147483648 bytes, but 76 are stored", "would take 2147483648"),
        ({"size": 3}, "has 3 bytes, but 76 are stored", "is not 3 bytes long"),
        ({"size": 200}, "has 200 bytes, but 76 are stored", "is not 200 bytes long"),
        ({"compressed": 2**31}, "but 2147483648 are stored", "overlaps what comes after it"),
    ],
    ids=repr,
)
def test_zip_directory_that_lies_about_a_size_is_refused(archive, fields, stored, deflated):
    is_stored = ARRAY in archive
    message = refusal(patched(archive, b"first.npy", **fields))
    assert (stored if is_stored else deflated) in message


def test_zip_members_that_overlap_are_refused(archive):
    data = archive.replace(b"other.npy", b"first.npX")
    data = patched(data.replace(b"first.npX", b"first.npy"), b"first.npy", place=0)
    assert "twice" in refusal(data)
    # A member in a member, which is said to begin where it does.
    inner = zip_of(**{"b.npy": ARRAY})
    header = inner[: inner.index(b"PK\1\2")]
    outer = bytearray(zip_of(**{"a.npy": header, "b.npy": ARRAY}))
    place = outer.index(header)
    struct.pack_into("<I", outer, entry(outer, b"b.npy") + 42, place)
    assert "overlap" in refusal(bytes(outer))


def test_zip_header_that_contradicts_the_directory_is_refused(archive):
    place = archive.index(b"first.npy")
    assert "not where" in refusal(archive[:place] + b"f" * 9 + archive[place + 9 :])
    changed = bytearray(archive)
    struct.pack_into("<H", changed, 8, 8 if archive[8] == 0 else 0)
    assert "the header of 'first.npy' contradicts" in refusal(bytes(changed))
    struct.pack_into("<H", changed, 28, 2**16 - 1)
    assert refusal(bytes(changed))


@pytest.mark.parametrize(
    ("place", "layout", "value", "message"),
    [
        (4, "<H", 1, "split into several files"),
        (8, "<H", 1, "split into several files"),
        (8, "<HH", (3, 3), "too small for 3 members"),
        (8, "<HH", (1, 1), "more than 1 entries"),
        (8, "<HH", (60_000, 60_000), "too small for 60000 members"),
        (8, "<HH", (65_535, 65_535), "no ZIP64 directory"),
        (12, "<I", 2**32 - 2, "not where it should be"),
        (16, "<I", 2**32 - 2, "not where it should be"),
        (20, "<H", 7, "its directory is not at its end"),
    ],
)
def test_zip_end_that_lies_is_refused(archive, place, layout, value, message):
    data = bytearray(archive)
    values = value if type(value) is tuple else (value,)
    struct.pack_into(layout, data, data.rindex(b"PK\5\6") + place, *values)
    assert message in refusal(bytes(data))


def test_zip64_directory_that_lies_is_refused():
    whole = bytearray(saved(torch.arange(3.0)).getvalue())
    end = whole.rindex(b"PK\5\6")
    locator, directory = whole.rindex(b"PK\6\7"), whole.rindex(b"PK\6\6")
    assert locator < end
    for place, value in (
        (locator + 8, 2**63),
        (locator + 8, 2**64 - 1),
        (locator + 8, 0),
        (directory + 4, 2**63),
        (directory + 24, 2**64 - 1),
        (directory + 32, 2**64 - 1),
        (directory + 40, 2**64 - 1),
        (directory + 48, 2**63),
    ):
        data = whole.copy()
        struct.pack_into("<Q", data, place, value)
        assert "zip file" in refusal(bytes(data))


def test_storage_key_with_a_path_is_only_a_name():
    """A storage is looked up under its name; no path leads out of the archive."""
    pickle_ = b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((" + hostile.text("storage")
    pickle_ += (
        b"ctorch\nByteStorage\n"
        + hostile.text("../../secret")
        + b"NK\x01tQK\x00K\x01\x85K\x01\x85\x89Nt"
    )
    data = zip_of(**{"archive/data.pkl": pickle_ + b"R.", "secret": b"\0"})
    assert "no storage '../../secret'" in refusal(data)


# safetensors


def tensor(**change):
    return {"dtype": "F32", "shape": [2], "data_offsets": [0, 8], **change}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (st({"a": tensor()}, length=2**62), "must fit in the file"),
        (st({"a": tensor()}, length=10**9), "must fit in the file"),
        (st({"a": tensor()}, length=63), "is not valid JSON"),
        (st(b"{"), "is not valid JSON"),
        (st(b'{"a":' + b"[" * 10**6), "is nested more than 20 levels deep"),
        (st(b'{"a":' + b"9" * 10**5 + b"}"), "is not valid JSON"),
        (st(b'{"a":NaN}'), "must be integers, got 'NaN'"),
        (st(b'{"a":1.5}'), "must be integers, got '1.5'"),
        (st(b'{"a":"\xff"}'), "is not valid JSON"),
        (st(b'{"a":{},"a":{}}'), "the key 'a' twice"),
        (st(b'{"a":{"dtype":"F32","dtype":"F32"}}'), "the key 'dtype' twice"),
        (st({"a": []}), "must have exactly the keys dtype, shape and data_offsets"),
        (st({"a": tensor(more=1)}), "must have exactly the keys dtype, shape and data_offsets"),
        (st({"a": tensor(dtype="F4")}), "F8_E8M0, got 'F4'"),
        (st({"a": tensor(dtype=["F32"])}), "F8_E8M0, got a list"),
        (st({"a": tensor(shape=[-2])}), "'a': a shape must be"),
        (st({"a": tensor(shape=[True, 2])}), "'a': a shape must be"),
        (st({"a": tensor(shape="2")}), "'a': a shape must be"),
        (st({"a": tensor(shape=[2**62])}), "is too large"),
        (st({"a": tensor(shape=[2**61, 2**61])}), "is too large"),
        (st({"a": tensor(shape=[0, 2**61, 2**61], data_offsets=[0, 0])}, b""), "is too large"),
        (st({"a": tensor(shape=[1] * 33 + [2])}), "at most 32 axes, got 34"),
        (st({"a": tensor(shape=[3])}), "must span 12 bytes within 8, got 0 to 8"),
        (st({"a": tensor(data_offsets=[0])}), "must be two integers, got a list"),
        (st({"a": tensor(data_offsets=[0, 8, 8])}), "must be two integers, got a list"),
        (st({"a": tensor(data_offsets=[8, 0])}), "must span 8 bytes within 8, got"),
        (st({"a": tensor(data_offsets=[-8, 0])}), "must span 8 bytes within 8, got"),
        (st({"a": tensor(data_offsets=[2**62, 2**62 + 8])}), "must span 8 bytes within 8, got"),
        (st({"a": tensor(data_offsets=[4, 12])}), "must span 8 bytes within 8, got"),
        (st({"a": tensor(data_offsets=[4, 12])}, b"\0" * 12), "must begin at byte 0"),
        (st({"a": tensor(), "b": tensor()}), "must begin at byte 8"),
        (st({"a": tensor()}, b"\0" * 9), "describes 8 bytes of tensors, but the file has 9"),
        (st({}), "describes 0 bytes of tensors, but the file has 8"),
        (st({"__metadata__": {"a": 1}}, b""), "must map names to strings"),
        (st({"__metadata__": "a"}, b""), "must map names to strings"),
    ],
    ids=range(35),
)
def test_safetensors_header_that_lies_is_refused(data, message):
    assert message in refusal(data)
    if b'"more"' not in data and "axes" not in message:  # which the package takes
        errors = (safetensors.SafetensorError, ValueError)
        with pytest.raises(errors, match=r"(Error while deserializing|array is too big)"):
            safetensors.numpy.load(data)


def test_safetensors_header_with_a_key_twice_among_many_is_refused():
    """Finding it must not take time quadratic in their number."""
    names = [f'"{index}":0' for index in range(100_000)]
    data = st(f"{{{','.join(names)},{names[-1]}}}".encode())
    assert "the key '99999' twice" in refusal(data)


def test_safetensors_header_bomb_is_refused_cheaply():
    data = st(b'{"a":[' + b"{}," * 2 * 10**6 + b"{}]}")
    assert "would take" in refusal(data)
    assert_cheap(data)


# npy and npz


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (npy("|O"), "must hold numbers or text, but holds pickled Python objects"),
        (npy("|O8"), "must hold numbers or text, but holds pickled Python objects"),
        (npy("<f4", "(3,)"), "must have 12 bytes, got 8"),
        (npy("<f4", "(1,)"), "must have 4 bytes, got 8"),
        (npy("<f4", "(-2,)"), "the .npy header must describe one array"),
        (npy("<f4", "2"), "the .npy header must describe one array"),
        (npy("<f4", "(2.0,)"), "the .npy header must describe one array"),
        (npy("<f4", f"({2**62},)"), "is too large"),
        (npy("<f4", f"({2**61}, {2**61}, 0)"), "is too large"),
        (npy("<f4", f"({10**30},)"), "too large"),
        (npy("<f4", "(" + "1, " * 40 + "2)"), "at most 32 axes, got 41"),
        (npy("<f3"), "numbers or text, got 'f3'"),
        (npy("<f0"), "numbers or text, got 'f0'"),
        (npy("<U0"), "numbers or text, got 'U0'"),
        (npy("<U2", "(1,)", b"\xff" * 8), "must hold Unicode"),
        (npy("|V8"), "the array must be of booleans, numbers or text"),
        (npy("<M8[s]"), "the array must be of booleans, numbers or text"),
        (npy("<f4', 'x': '"), "the .npy header must describe one array"),
        (npy("__import__('os').system('true')"), "the .npy header must describe one array"),
        (npy("<f4", "(__import__('os'),)"), "the .npy header must describe one array"),
        (npy("<f4", version=9), "1.0, 2.0 or 3.0, got 9.0"),
        (b"\x93NUMPY\x01\x00\xff\xff" + b"x" * 100, "NumPy's limit, got 65535 bytes"),
        (
            b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + b"x" * 100,
            "NumPy's limit, got 4294967295 bytes",
        ),
        (b"\x93NUMPY\x01\x00", "cut short"),
    ],
    ids=range(24),
)
def test_npy_header_that_lies_is_refused(data, message):
    assert message in refusal(data)
    named = refusal(zip_of(**{"w.npy": data}))
    assert named.startswith("'w': ")
    assert message in named


# The legacy format


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b".\x80\x02M\xe9\x03", b".\x80\x02M\xea\x03", "must be of version 1001, got 1002"),
        (b"K\x04N", b"K\x05N", "must have 5 elements, got 4"),
        (b"K\x04N", b"J\xff\xff\xff\x7fN", "more than the file"),
        (b"K\x04N", b"J\xff\xff\xff\xffN", "the persistent id of a storage must be"),
        (
            b"K\x04N",
            b"K\x04(" + hostile.text("9") + b"K\x02K\x03t",
            "within 4 elements, got ('9', 2, 3)",
        ),
        (
            b"K\x04N",
            b"K\x04(" + hostile.text("9") + b"J\xff\xff\xff\xffK\x03t",
            "the view of a storage must be",
        ),
        (b"K\x04N", b"K\x04K\x01", "the view of a storage must be"),
        (b"DoubleStorage", b"FloatStorage", "must end after its last storage"),
        (b"\x04\0\0\0\0\0\0\0" + b"\0" * 8, b"\xff" * 16, "must have 4 elements, got -1"),
        (b"\x04\0\0\0\0\0\0\0" + b"\0" * 8, b"", "must have 4 elements, got "),
        (b"]q\x00X", b"]q\x00K\x01aX", "must be a list of strings"),
    ],
    ids=range(11),
)
def test_legacy_file_that_lies_is_refused(old, new, message):
    tensors = {"a": torch.arange(4.0, dtype=torch.float64)}
    data = saved(tensors, _use_new_zipfile_serialization=False).getvalue()
    assert data.count(old) == 1
    for read in READERS:
        assert message in refusal(data.replace(old, new), read)


def test_tar_archive_is_refused_with_a_remedy():
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("sys_info"), io.BytesIO())
    assert "tar archive, which torch 0.1.10 and older wrote" in refusal(file.getvalue())


def test_pickle_with_trailing_bytes_is_refused():
    data = pickle.dumps({"a": np.ones(2)})
    assert "must end after its pickle" in refusal(data + b"\0")


# Damage


@pytest.mark.parametrize("read", READERS, ids=["load", "read_state_dict"])
@pytest.mark.parametrize(
    "name",
    [
        "state_dict.pt",
        "state_dict_legacy.pt",
        "deflated.pt",
        "weights.safetensors",
        "weights.npz",
        "deflated.npz",
        "array.npy",
        "numpy_2_protocol_4.pkl",
    ],
)
def test_golden_file_cut_short_anywhere_is_refused(name, read):
    data = (DATA / name).read_bytes()
    for length in range(len(data)):
        refusal(data[:length], read)


@pytest.mark.parametrize("name", mutations.FORMATS)
def test_golden_file_with_random_damage_is_refused_or_read(name, tmp_path, monkeypatch, deep):
    """`python -m tests.support.mutations 200000` does more."""
    monkeypatch.chdir(tmp_path)
    files = 1500 if deep else 120
    tracemalloc.start()
    try:
        refused = mutations.run(name, files)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 64 * MEBIBYTE
    assert refused + mutations.run(name, 2 * files, seed=1) > files


def test_module_keeps_its_weights_when_reading_fails():
    model = nn.LSTM(3, 2)
    before = {name: weight.copy() for name, weight in model.named_parameters()}
    state = {name: torch.ones(weight.shape) for name, weight in before.items()}
    data = bytearray(saved(state).getvalue())
    data[data.rindex(np.ones(8, np.float32).tobytes())] ^= 1
    with pytest.raises(nn.CheckpointError, match="Bad CRC-32"):
        model.load_state_dict(nn.read_state_dict(io.BytesIO(data)))
    for name, weight in model.named_parameters():
        np.testing.assert_array_equal(weight, before[name])


def test_deflated_member_with_damage_is_refused():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", ARRAY)
    data = bytearray(file.getvalue())
    start = 30 + len("a.npy")
    for place in range(start, data.index(b"PK\1\2")):
        changed = data.copy()
        changed[place] ^= 0xFF
        assert "a.npy" in refusal(bytes(changed))

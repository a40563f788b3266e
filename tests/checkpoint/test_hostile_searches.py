"""Files that make the search for weights large: what they share, name or nest is paid for.

No time is measured: each would take minutes, or gigabytes, if a part were looked at again for
every other part that shares it.
"""

from __future__ import annotations

import io
import struct
import zipfile

import numpy as np
import pytest
import torch

import numpy_rnn as nn
from tests.support.hostile import (
    P2,
    STOP,
    calling,
    most_memory,
    name,
    st,
    text,
    zip_of,
)
from tests.support.refusals import assert_cheap, refusal
from tests.support.torch_files import saved

ARRAY = (
    calling(
        "numpy.core.multiarray", "_reconstruct", name("numpy", "ndarray"), b"K\0\x85", b"U\1b"
    )
    + b"(K\1K\1\x85"
    + calling("numpy", "dtype", text("f4"), b"K\0", b"K\1")
    + b"\x89U\4\0\0\x80?tb"
)
"""The instructions of a pickled array of 1."""

PUT, GET, DROP = b"q\0", b"h\0", b"0"


def in_dict(pairs):
    return b"}(" + pairs + b"u"


def module(parameters=b"", children=b""):
    """Return the instructions of a pickled module."""
    parts = text("_parameters") + in_dict(parameters) + text("_modules") + in_dict(children)
    return name("m", "M") + b")R" + in_dict(parts) + b"b"


def children_that_are_memo_0(count):
    return b"".join(text(str(index)) + GET for index in range(count))


def read_weights(data):
    return nn.read_state_dict(io.BytesIO(data))


def test_long_name_of_a_module_with_many_submodules_is_refused_cheaply():
    child = module(text("w") + ARRAY) + PUT + DROP
    named = text("x" * 1_000_000) + module(b"", children_that_are_memo_0(3000))
    data = P2 + child + module(b"", named) + STOP
    assert "the names of the weights would take" in refusal(data, nn.read_state_dict)
    assert_cheap(data, [nn.read_state_dict])


def test_foreign_object_that_many_names_share_is_searched_once():
    shared = in_dict(text("k") + b"](" + b"]" * 20_000 + b"e") + PUT + DROP
    data = P2 + shared + module(text("w") + ARRAY, children_that_are_memo_0(20_000)) + STOP
    assert list(read_weights(data)) == ["w"]


def test_foreign_objects_that_share_a_large_list_are_refused():
    shared = b"](" + b"]" * 2000 + b"e" + PUT + DROP
    children = b"".join(text(str(index)) + in_dict(text("k") + GET) for index in range(2000))
    data = P2 + shared + module(text("w") + ARRAY, children) + STOP
    assert "expands to far more than its size" in refusal(data, nn.read_state_dict)


def test_sets_of_weights_nested_in_each_other_are_counted():
    level = in_dict(text("a") + ARRAY + text("b") + b"%s")
    head, tail = level.split(b"%s")
    data = P2 + in_dict(text("model") + head * 20_000 + b"N" + tail * 20_000) + STOP
    assert "the file holds 20000 sets of weights" in refusal(data, nn.read_state_dict)


def test_long_names_around_the_weights_take_no_memory():
    long = text("\1" * 4_000_000) + PUT + DROP
    nest = (b"}" + GET) * 19 + in_dict(text("w") + ARRAY) + b"s" * 19
    assert list(read_weights(P2 + long + nest + STOP)) == ["w"]
    several = b"".join(text(key) + in_dict(text("w") + ARRAY) for key in "abc")
    nest = (b"}" + GET) * 19 + in_dict(several) + b"s" * 19
    assert_cheap(P2 + long + nest + STOP, [nn.read_state_dict])


def test_long_name_of_a_class_is_refused():
    data = P2 + name("m" * 600, "n" * 600) + b")R" + STOP
    for read in (nn.load, nn.read_state_dict):
        message = "the name of a class must have at most 1000 characters, got 1200"
        assert message in refusal(data, read)


def test_large_tuple_that_is_the_key_again_and_again_is_refused():
    key = b"(" + b"".join(text(f"k{n}") for n in range(990)) + b"t" + PUT + DROP
    pairs = text("w") + ARRAY + (GET + b"N") * 80_000
    message = refusal(P2 + key + in_dict(pairs) + STOP, nn.read_state_dict)
    assert "a key in the pickle would take" in message


def test_storage_that_is_named_again_and_again_is_refused_cheaply():
    storage = b"(" + text("storage") + name("torch", "FloatStorage") + text("0") + text("cpu")
    pickled = P2 + storage + b"K\1t" + PUT + b"](" + (GET + b"Q") * 300_000 + b"e" + STOP
    data = zip_of(**{"a/data.pkl": pickled, "a/data/0": b"\0\0\x80?", "a/version": b"3"})
    assert "expands to far more than its size" in refusal(data)
    assert_cheap(data, [nn.load])


def test_json_of_escaped_quotes_is_refused_without_going_back():
    header = b'{"' + b'\\"' * 200_000
    message = refusal(struct.pack("<Q", len(header)) + header)
    assert "is not valid JSON: Unterminated string" in message


def test_json_with_brackets_in_strings_is_read():
    header = {"__metadata__": {"notes": '[{"' * 30 + "\\"}}
    assert nn.load(io.BytesIO(st(header, b""))) == {}


def test_long_note_in_safetensors_takes_little_memory():
    data = st({"__metadata__": {"notes": "n" * 3_000_000}, "w": 1}, b"")
    assert_cheap(data, [nn.load])


def test_wide_tensor_in_a_deflated_member_is_refused_cheaply():
    zeros = torch.zeros(18_000_000, dtype=torch.float8_e4m3fn)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("m.pt", saved({"w": zeros}).getvalue())
    data = file.getvalue()
    assert len(data) < 100_000
    assert most_memory(len(data)) < 4 * zeros.nbytes
    for read in (nn.load, nn.read_state_dict):
        assert "converting a storage would take" in refusal(data, read)


@pytest.mark.parametrize(
    ("instructions", "message"),
    [
        (
            calling("numpy.core.multiarray", "_reconstruct", b"N", b"N", b"N", b"N"),
            "numpy.core.multiarray._reconstruct was called with 4 arguments",
        ),
        (
            calling("numpy.core.numeric", "_frombuffer", b"U\4\0\0\0\0", b"%s", b"K\1\x85"),
            "numpy.core.numeric._frombuffer was called with 3 arguments",
        ),
        (
            calling(
                *("numpy.core.numeric", "_frombuffer"),
                *(b"c_codecs\nencode\n(X\4\0\0\0abcdX\6\0\0\0latin1tR", b"%s", b"K\1\x85"),
                text("C"),
            ),
            "the array has elements and a state",
        ),
    ],
    ids=["arguments", "argument", "state"],
)
def test_damaged_array_among_weights_is_a_checkpoint_error(instructions, message):
    dtype = calling("numpy", "dtype", text("f4"), b"K\0", b"K\1")
    state = b"(K\1K\1\x85" + dtype + b"\x89U\4\0\0\x80?tb"
    data = P2 + in_dict(text("w") + instructions.replace(b"%s", dtype) + state) + STOP
    assert message in refusal(data, nn.read_state_dict)


def test_array_of_memo_is_read():
    found = read_weights(P2 + in_dict(text("w") + ARRAY) + STOP)
    np.testing.assert_array_equal(found["w"], np.ones(1, np.float32), strict=True)

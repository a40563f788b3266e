"""Small files that would take much memory or time: sharing, nesting, repetition, deflation.

Each starts with something large, which a pickle's memo then gives to many instructions. Run as
``python -m tests.support.bombs SEED COUNT``, it reads as many of them, each in turn, and prints
what each took.
"""

from __future__ import annotations

import io
import json
import random
import struct
import sys
import tracemalloc
import zipfile

import numpy_rnn as nn

LARGE = 2**16
"""Parts, or bytes, of what is shared."""

REPEATS = 2**14
"""How often it is used."""

MEBIBYTE = 2**20


def integer(number: int) -> bytes:
    return b"J" + struct.pack("<i", number)


def text(data: bytes) -> bytes:
    return b"X" + struct.pack("<I", len(data)) + data


def name(module: str, attribute: str) -> bytes:
    return f"c{module}\n{attribute}\n".encode()


def large(draw: random.Random) -> bytes:
    """Return instructions that push something large, in few bytes if they are deflated."""
    size = draw.choice([LARGE, 4 * LARGE, 16 * LARGE])
    return draw.choice(
        [
            b"(" + b"N" * size + b"t",
            b"(" + b"K\x01" * size + b"t",
            b"(" + b"N" * size + b"l",
            b"(" + (b"K\x01" + b"N") * size + b"d",
            b"}(" + b"".join(integer(n) + b"N" for n in range(size // 8)) + b"u",
            b"\x8f(" + b"".join(integer(n) for n in range(size // 8)) + b"\x90",
            text(b"a" * size),
            b"B" + struct.pack("<I", size) + b"a" * size,
            b"\x8b" + struct.pack("<i", size) + b"\x01" * size,
            b"S'" + b"\\x41" * size + b"'\n",
            b"V" + b"\\u0100" * (size // 4) + b"\n",
        ]
    )


UNKNOWN = [name("argparse", "Namespace"), name("a" * 1000, "b"), name("torch._utils", "c")]

KNOWN = [
    name(*dotted.rsplit(".", 1))
    for dotted in (
        "collections.OrderedDict",
        "collections.Counter",
        "builtins.set",
        "builtins.frozenset",
        "builtins.bytearray",
        "builtins.complex",
        "torch.Size",
        "torch.device",
        "torch._utils._rebuild_tensor_v2",
        "torch._utils._rebuild_parameter",
        "torch._tensor._rebuild_from_type_v2",
        "torch.storage._load_from_bytes",
        "numpy.dtype",
        "numpy._core.multiarray._reconstruct",
        "numpy._core.multiarray.scalar",
        "numpy._core.numeric._frombuffer",
        "_codecs.encode",
    )
]

SHARED = b"h\x00"


def use(draw: random.Random) -> bytes:
    """Return instructions that use what is shared, and push one object."""
    function = draw.choice(UNKNOWN + KNOWN)
    dtype = name("numpy", "dtype") + text(b"f4") + b"\x85R"
    module = b"}(" + text(b"_parameters") + SHARED + text(b"_modules") + SHARED + b"u"
    return draw.choice(
        [
            function + SHARED + b"R",
            function + SHARED + b"\x85R",
            function + SHARED + SHARED + b"\x86R",
            function + b")R" + SHARED + b"b",
            function + b")\x81" + SHARED + b"b",
            function + SHARED + b"}\x92",
            function + b")\x81" + b"}" + SHARED + b"\x86b",
            function + b")\x81" + module + b"b",
            module,
            b"}" + SHARED + b"Ns",
            b"\x8f(" + SHARED + b"\x90",
            b"(" + SHARED + b"\x91",
            b"]" + SHARED + b"a",
            SHARED + b"\x85",
            SHARED + b"Q",
            dtype + SHARED + b"b",
            SHARED + SHARED + b"\x93",
        ]
    )


def pickle_of(draw: random.Random) -> bytes:
    """Return a pickle with something large that is used many times."""
    uses = [use(draw) for _ in range(draw.choice([1, 1, 2, 5]))]
    count = draw.choice([REPEATS // 64, REPEATS // 8, REPEATS])
    repeated = b"".join(draw.choice(uses) for _ in range(count))
    if draw.random() < 0.3:  # nested, each in the next, under a long name
        long_name = text(b"n" * draw.choice([1, 1000, LARGE]))
        wrapped = draw.choice([b"\x85", b"]" + b"q\x02" + b"0h\x01h\x02a"])
        if wrapped == b"\x85":
            repeated = draw.choice(uses) + b"\x85" * count
        else:
            key = long_name + b"q\x030"
            repeated = (
                key + draw.choice(uses) + b"q\x010" + b"}h\x03h\x01sq\x010" * count + b"h\x01"
            )
        return b"\x80\x04" + large(draw) + b"q\x000" + repeated + b"."
    return b"\x80\x04" + large(draw) + b"q\x000(" + repeated + b"l."


def bomb(seed: int) -> bytes:
    """Return a file: a plain pickle, one in a zip file, or in a deflated one."""
    draw = random.Random(seed)
    data = pickle_of(draw)
    kind = draw.choice(["plain", "stored", "deflated", "deflated"])
    if kind == "plain":
        return data
    file = io.BytesIO()
    method = zipfile.ZIP_DEFLATED if kind == "deflated" else zipfile.ZIP_STORED
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr("archive/data.pkl", data)
        archive.writestr("archive/version", "3\n")
    return file.getvalue()


def outcome(read, data: bytes) -> str:
    try:
        read(io.BytesIO(data))
    except nn.CheckpointError as error:
        return str(error)[:100]
    return "read"


def main() -> None:
    first, count = map(int, sys.argv[1:3])
    for seed in range(first, first + count):
        data = bomb(seed)
        for read in (nn.load, nn.read_state_dict):
            tracemalloc.start()
            result = outcome(read, data)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            found = {
                "seed": seed,
                "reader": read.__name__,
                "size": len(data),
                "peak": peak,
                "outcome": result,
            }
            print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()

"""Files that attack their reader, and a command that watches what reading them does.

`python -m tests.support.hostile` reads each of them under an audit hook and prints, as JSON,
the events that Python raised meanwhile, and the outcomes.
"""

from __future__ import annotations

import io
import json
import pickle
import struct
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

import numpy_rnn as nn
from tests.support.golden import DATA

P2, STOP = b"\x80\x02", b"."


def most_memory(size: int) -> int:
    """Return how many bytes reading a file may take, as its README says, and 16 MiB."""
    return 10 * min(size, 2**24) + 2 * max(size - 2**24, 0) + 64 * 2**20


def text(value: str) -> bytes:
    """Return the instruction that pushes a string."""
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def name(module: str, attribute: str) -> bytes:
    return f"c{module}\n{attribute}\n".encode()


def calling(module: str, attribute: str, *arguments: bytes) -> bytes:
    """Return the instructions that call a name with arguments."""
    return name(module, attribute) + b"(" + b"".join(arguments) + b"tR"


TRICKS: dict[str, bytes] = {
    "os.system": calling("os", "system", text("touch {flag}")),
    "posix.system": calling("posix", "system", text("touch {flag}")),
    "nt.system": calling("nt", "system", text("touch {flag}")),
    "subprocess": calling(
        "subprocess", "check_output", b"](" + text("touch") + text("{flag}") + b"e"
    ),
    "eval": calling("builtins", "eval", text("open('{flag}', 'w')")),
    "eval of Python 2": calling("__builtin__", "eval", text("open('{flag}', 'w')")),
    "exec": calling("builtins", "exec", text("open('{flag}', 'w')")),
    "open": calling("builtins", "open", text("{flag}"), text("w")),
    "io.open": calling("io", "open", text("{flag}"), text("w")),
    "compile": calling("builtins", "compile", text("1"), text("x"), text("exec")),
    "__import__": calling("builtins", "__import__", text("antigravity")),
    "getattr chain": calling(
        "builtins",
        "getattr",
        calling("builtins", "__import__", text("os")),
        text("system"),
    )
    + b"("
    + text("touch {flag}")
    + b"tR",
    "getattr of an allowed name": calling(
        "builtins", "getattr", name("collections", "OrderedDict"), text("__init__")
    ),
    "dotted name": b"\x8c\x0bcollections\x8c\x20OrderedDict.__init__.__globals__\x93",
    "dotted module": name("collections.OrderedDict", "__class__"),
    "torch.load": calling("torch.serialization", "load", text("{flag}")),
    "torch.load by its short name": calling("torch", "load", text("{flag}")),
    "torch.hub": calling("torch.hub", "load", text("a/b"), text("c")),
    "torch.jit.load": calling("torch.jit", "load", text("{flag}")),
    "nested pickle": calling("pickle", "loads", b"C\x01."),
    "nested pickle in C": calling("_pickle", "loads", b"C\x01."),
    "nested torch": calling("torch.storage", "_load_from_bytes", b"C\x01."),
    "numpy.load": calling("numpy", "load", text("{flag}")),
    "numpy runstring": calling(
        "numpy.testing._private.utils", "runstring", text("open('{flag}', 'w')"), b"}"
    ),
    "timeit": calling("timeit", "timeit", text("open('{flag}', 'w')")),
    "profile": calling("cProfile", "run", text("open('{flag}', 'w')")),
    "runpy": calling("runpy", "run_path", text("{flag}")),
    "marshal": calling("marshal", "loads", b"C\x01N"),
    "function": calling("types", "FunctionType", b"N", b"}"),
    "ctypes": calling("ctypes", "CDLL", text("{flag}")),
    "partial": calling("functools", "partial", name("os", "system"), text("touch {flag}")),
    "map": calling(
        "builtins", "map", name("os", "system"), b"](" + text("touch {flag}") + b"e"
    ),
    "methodcaller": calling("operator", "methodcaller", text("system"), text("touch {flag}")),
    "reconstructor": calling(
        "copyreg", "_reconstructor", name("os", "system"), name("builtins", "object"), b"N"
    ),
    "codecs": calling("_codecs", "encode", text("x"), text("idna")),
    "codecs.decode": calling("codecs", "decode", text("x"), text("hex")),
    "INST": b"(" + text("touch {flag}") + b"ios\nsystem\n",
    "OBJ": b"(" + name("os", "system") + text("touch {flag}") + b"o",
    "NEWOBJ": name("os", "system") + b"(" + text("touch {flag}") + b"t\x81",
    "NEWOBJ_EX": name("subprocess", "Popen") + b"(" + text("true") + b"t}\x92",
    "NEWOBJ_EX with names": name("subprocess", "Popen")
    + b")}"
    + text("args")
    + text("true")
    + b"s\x92",
    "EXT1": b"\x82\x01",
    "EXT4": b"\x84\x01\x00\x00\x00",
    "NEXT_BUFFER": b"\x97",
    "READONLY_BUFFER": b"C\x01a\x98",
    "persistent id": name("os", "system") + b"Q",
    "persistent line": b"Pos.system\n",
    "class of a module": b"(" + text("module") + name("os", "system") + b"NNtQ",
    "class of a storage": b"("
    + text("storage")
    + name("os", "system")
    + text("0")
    + text("cpu")
    + b"K\x01tQ",
    "state of an OrderedDict": calling("collections", "OrderedDict")
    + b"}"
    + text("__class__")
    + name("os", "system")
    + b"sb",
    "state of a list": b"]}" + text("a") + b"Nsb",
    "state with slots": calling("collections", "OrderedDict") + b"N}" + text("a") + b"Ns\x86b",
    "items of an OrderedDict": calling(
        "collections", "OrderedDict", calling("os", "system", text("touch {flag}"))
    ),
    "tensor by a name": calling(
        "torch._tensor",
        "_rebuild_from_type_v2",
        name("os", "system"),
        name("torch", "Tensor"),
        text("touch {flag}") + b"\x85",
        b"}",
    ),
    "tensor by itself": calling(
        "torch._tensor",
        "_rebuild_from_type_v2",
        name("torch._tensor", "_rebuild_from_type_v2"),
        name("torch", "Tensor"),
        b")",
        b"}",
    ),
    "tensor of a string": calling(
        "torch._utils", "_rebuild_tensor_v2", text("0"), b"K\x00", b")", b")", b"\x89", b"}"
    ),
    "parameter of a string": calling(
        "torch._utils", "_rebuild_parameter", text("0"), b"\x89", b"}"
    ),
    "quantised": calling("torch._utils", "_rebuild_qtensor", b"N", b"K\x00"),
    "wrapper": calling("torch._utils", "_rebuild_wrapper_subclass", name("os", "system")),
    "device": calling("torch", "device", b"}"),
    "size": calling("torch", "Size", text("abc")),
    "array of objects": calling(
        "numpy.core.multiarray",
        "_reconstruct",
        name("numpy", "ndarray"),
        b"K\x00\x85",
        b"C\x01b",
    )
    + b"(K\x01K\x01\x85"
    + calling("numpy", "dtype", text("O8"), b"\x89", b"\x88")
    + b"\x89]("
    + calling("os", "system", text("touch {flag}"))
    + b"etb",
    "array of another class": calling(
        "numpy.core.multiarray",
        "_reconstruct",
        name("numpy", "memmap"),
        b"K\x00\x85",
        b"C\x01b",
    ),
    "array of a wrong shape": calling(
        "numpy.core.multiarray",
        "_reconstruct",
        name("numpy", "ndarray"),
        b"\x8a\x04\xff\xff\xff\x7f\x85",
        b"C\x01b",
    ),
    "dtype with fields": calling("numpy", "dtype", text("V8"), b"\x89", b"\x88")
    + b"(K\x03"
    + text("|")
    + b"N"
    + text("a")
    + b"\x85}K\x08K\x01K\x10tb",
    "dtype of a string": calling("numpy", "dtype", text("f4,O"), b"\x89", b"\x88"),
    "scalar of an object": calling(
        "numpy.core.multiarray",
        "scalar",
        calling("numpy", "dtype", text("O8"), b"\x89", b"\x88"),
        b"C\x01.",
    ),
    "buffer": calling(
        "numpy.core.numeric",
        "_frombuffer",
        b"C\x08abcdefgh",
        calling("numpy", "dtype", text("f8"), b"\x89", b"\x88"),
        b"\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01\x85",
        text("C"),
    ),
    "memo": b"h\xff",
    "mark": b"t",
    "stack": b"0" * 20,
    "type of a key": b"}" + name("os", "system") + b"Ns",
}
"""Instructions that push one object, or try to. None may create the file `{flag}`."""


def trick(instructions: bytes, flag: str) -> bytes:
    """Return the instructions with the path of the flag, and lengths that fit it."""
    if b"{flag}" not in instructions:
        return instructions
    parts = instructions.split(b"X")
    result = parts[0]
    for part in parts[1:]:
        if b"{flag}" in part[: 4 + struct.unpack_from("<I", part)[0]]:
            (length,) = struct.unpack_from("<I", part)
            string = part[4 : 4 + length].replace(b"{flag}", flag.encode())
            part = struct.pack("<I", len(string)) + string + part[4 + length :]
        result += b"X" + part
    return result


def zip_of(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for path, data in members.items():
            archive.writestr(path, data)
    return file.getvalue()


def carriers(instructions: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield files of each format that has pickles, with instructions at the usual place."""
    alone = P2 + instructions + STOP
    weights = pickle.dumps({"w": np.ones(2)}, 2)[2:-1]
    inside = P2 + b"}(" + text("weights") + weights + text("evil") + instructions + b"u" + STOP
    for place, data in (("alone", alone), ("next to weights", inside)):
        yield f"pickle, {place}", data
        yield f"zip, {place}", zip_of(**{"archive/data.pkl": data})
        yield (
            f"script, {place}",
            zip_of(**{"archive/data.pkl": data, "archive/constants.pkl": P2 + b")" + STOP}),
        )
        legacy = [pickle.dumps(n, 2) for n in (0x1950A86A20F9469CFC6C, 1001, {})]
        yield f"legacy, {place}", b"".join(legacy) + data + pickle.dumps([], 2)
        yield f"legacy key, {place}", b"".join(legacy) + P2 + b"N." + data
        yield f"legacy version, {place}", legacy[0] + data
    yield "npy", npy("|O", data=alone)
    yield "npz", zip_of(**{"a.npy": npy("|O", data=alone)})


def st(
    header: bytes | dict[str, object], data: bytes = b"\0" * 8, length: int | None = None
) -> bytes:
    """Return a safetensors file with a header."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def npy(descr: str, shape: str = "(1,)", data: bytes = b"\0" * 8, version: int = 1) -> bytes:
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H", len(header)) + header + data


def outcome_of(read: Callable[[io.BytesIO], object], data: bytes) -> str:
    try:
        read(io.BytesIO(data))
    except nn.CheckpointError:
        return "refused"
    except BaseException as error:
        return repr(error)
    return "read"


def main() -> None:
    readers = {"load": nn.load, "read_state_dict": nn.read_state_dict}
    watching = False
    with tempfile.TemporaryDirectory() as folder:
        flag = str(Path(folder) / "flag")
        files = {
            f"{label}, {carrier}": data
            for label, instructions in TRICKS.items()
            for carrier, data in carriers(trick(instructions, flag))
        }
        files |= golden_files()
        # What is imported lazily is imported now, not under the hook.
        for data in golden_files().values():
            for read in readers.values():
                outcome_of(read, data)
        events: set[str] = set()
        sys.addaudithook(lambda event, _: events.add(event) if watching else None)
        outcomes: dict[str, str] = {}
        for label, data in files.items():
            for reader, read in readers.items():
                watching = True
                outcomes[f"{reader}, {label}"] = outcome_of(read, data)
                watching = False
        made = Path(flag).exists()
    print(json.dumps({"events": sorted(events), "outcomes": outcomes, "made": made}))


def golden_files() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(DATA.glob("*.*[!y]"))}


if __name__ == "__main__":
    main()

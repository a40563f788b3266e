"""Random damage to files of every format.

`python -m tests.support.mutations 200000 [FORMAT ...]`

However a file is damaged, `nn.load` and `nn.read_state_dict` return or raise a
`CheckpointError`. The suite damages some files, with `--deep` more.
"""

from __future__ import annotations

import io
import resource
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

import numpy_rnn as nn
from tests.support.golden import DATA

NUMBERS = [0, 1, 2, 127, 128, 255, 2**15, 2**16 - 1, 2**31 - 1, 2**32 - 1, 2**62, 2**63 - 1]
"""At the edges of what fields hold."""


def whole(name: str) -> Callable[[np.random.Generator], bytes]:
    """Return a function that damages a golden file anywhere."""
    data = (DATA / name).read_bytes()
    return lambda rng: mutated(data, rng)


def member(name: str, ending: str) -> Callable[[np.random.Generator], bytes]:
    """Return a function that damages a member of a zip file before its CRC is computed."""
    with zipfile.ZipFile(DATA / name) as archive:
        contents = {n: archive.read(n) for n in archive.namelist() if "/code/" not in n}
        contents |= {n: archive.read(n) for n in archive.namelist() if n.endswith(".py")}
    (target,) = [n for n in contents if n.endswith(ending)]

    def damaged(rng: np.random.Generator) -> bytes:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            for name, data in contents.items():
                archive.writestr(name, mutated(data, rng) if name == target else data)
        return file.getvalue()

    return damaged


FORMATS: dict[str, Callable[[np.random.Generator], bytes]] = {
    "torch zip": whole("state_dict.pt"),
    "torch zip, pickle": member("checkpoint.pt", "/data.pkl"),
    "torch zip, module": member("module.pt", "/data.pkl"),
    "torch zip, deflated": whole("deflated.pt"),
    "torch legacy": whole("state_dict_legacy.pt"),
    "torch legacy, module": whole("module_legacy.pt"),
    "TorchScript": whole("script.pt"),
    "TorchScript, pickle": member("script.pt", "/data.pkl"),
    "torch zip, foreign content": member("forecasting.pt", "/data.pkl"),
    "torch.export": whole("exported.pt2"),
    "torch.export, description": member("exported.pt2", "_weights_config.json"),
    "zip of checkpoints": member("policies.zip", "policy.pth"),
    "pickle of tensors": whole("tensors.pkl"),
    "safetensors": whole("weights.safetensors"),
    "npz": whole("weights.npz"),
    "npz, member": member("deflated.npz", "scale.npy"),
    "npy": whole("array.npy"),
    "pickle 0": whole("numpy_1_protocol_0.pkl"),
    "pickle 2": whole("numpy_1_protocol_2.pkl"),
    "pickle 4": whole("numpy_2_protocol_4.pkl"),
    "pickle 5": whole("numpy_2_protocol_5.pkl"),
}


def mutated(data: bytes, rng: np.random.Generator) -> bytes:
    """Return `data` with one or two changes."""
    result = bytearray(data)
    for _ in range(rng.integers(1, 3)):
        # Half of the damage goes to the ends, where headers and directories are.
        edge = rng.random() < 0.5
        place = int(rng.integers(max(1, min(len(result), 600 if edge else len(result)))))
        if edge and rng.random() < 0.5:
            place = len(result) - 1 - place
        kind = rng.integers(6)
        length = int(rng.integers(1, 20))
        if kind == 0:
            result[place : place + 1] = rng.bytes(1)
        elif kind == 1 and place < len(result):
            result[place] ^= 1 << int(rng.integers(8))
        elif kind == 2:
            del result[place : place + length]
        elif kind == 3:
            source = int(rng.integers(len(result) or 1))
            result[place:place] = result[source : source + length]
        elif kind == 4:
            number = NUMBERS[rng.integers(len(NUMBERS))]
            size = int(rng.choice([1, 2, 4, 8]))
            result[place : place + size] = (number % 256**size).to_bytes(size, "little")
        else:
            text = str(NUMBERS[rng.integers(len(NUMBERS))]).encode()
            result[place : place + 1] = text
    return bytes(result)


def is_refused(read: Callable[[io.BytesIO], object], data: bytes) -> bool:
    """Return whether a reader refuses a file; keep one that makes it fail otherwise."""
    try:
        read(io.BytesIO(data))
    except nn.CheckpointError:
        return True
    except BaseException:
        Path("mutation.bin").write_bytes(data)
        raise
    return False


def run(name: str, count: int, seed: int = 0) -> int:
    """Damage a file `count` times and return how often both readers refused it."""
    rng = np.random.default_rng([seed, *name.encode()])
    refused = 0
    for _ in range(count):
        data = FORMATS[name](rng)
        refused += all([is_refused(nn.load, data), is_refused(nn.read_state_dict, data)])
    return refused


def main(count: int, names: list[str]) -> None:
    for name in names or FORMATS:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start = time.perf_counter()
        refused = run(name, count)
        seconds = time.perf_counter() - start
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        print(
            f"{name:22} {count} files, {refused} refused by both, {seconds:.0f} s, "
            f"peak memory {grown:.1f} MiB higher",
            flush=True,
        )


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])

"""Time the loading of 20 MB in few and in many tensors: ``python -m benchmarks.loading``.

It prints a line of JSON, the median seconds of `nn.load` and of `torch.load`, both of files
that the system has in memory.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

import numpy_rnn as nn
from benchmarks.measuring import take_turns

TENSORS = (8, 100, 400)
ELEMENTS = 5_000_000


def calls(folder: Path, tensors: int) -> dict[str, Callable[[], object]]:
    """Write a file and return what loads it, after a look at the results."""
    file = folder / f"{tensors}.pt"
    shape = (ELEMENTS // tensors // 100, 100)
    torch.save({f"layer{n}.weight": torch.randn(shape) for n in range(tensors)}, file)
    loads: dict[str, Callable[[], object]] = {
        "numpy_rnn": lambda: nn.load(file),
        "torch": lambda: torch.load(file, weights_only=True),
    }
    loaded = nn.load(file)
    for name, tensor in torch.load(file, weights_only=True).items():
        np.testing.assert_array_equal(loaded[name], tensor.numpy(), strict=True)
    return loads


def main() -> None:
    torch.set_num_threads(1)
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for tensors in TENSORS:
            timing = take_turns(calls(Path(folder), tensors), 2.0)
            results.append({"tensors": tensors, "seconds": timing.seconds})
    print(json.dumps(results))


if __name__ == "__main__":
    main()

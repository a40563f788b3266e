"""Loading a state dict of 20 MB beside torch: ``python -m benchmarks.loading``.

The file is in the system's cache. The libraries take turns; times are medians.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

import numpy_rnn as nn

TENSORS = (8, 25, 100, 400)
ELEMENTS = 5_000_000
ROUNDS = 41


def calls(folder: Path, tensors: int) -> dict[str, Callable[[], object]]:
    """Return a call of ours and those of torch's for a file, after a look at the results."""
    path = folder / f"{tensors}.pt"
    shape = (ELEMENTS // tensors // 100, 100)
    torch.save({f"layer{n}.weight": torch.randn(shape) for n in range(tensors)}, path)
    ours, theirs = nn.load(path), torch.load(path)
    for name, tensor in theirs.items():
        np.testing.assert_array_equal(ours[name], tensor.numpy())
    return {
        "numpy_rnn": lambda: nn.load(path),
        "torch": lambda: torch.load(path),
        "torch, weights_only=False": lambda: torch.load(path, weights_only=False),
        "torch, mmap=True": lambda: torch.load(path, mmap=True),
    }


def seconds(call: Callable[[], object]) -> float:
    """Return how long a call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main() -> None:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        for tensors in TENSORS:
            print(f"\r{tensors} tensors ", end="", file=sys.stderr, flush=True)
            named = calls(Path(folder), tensors)
            if tensors == TENSORS[0]:
                print("| 20 MB in | " + " | ".join(named) + " | torch / numpy_rnn |")
                print("|---" * (len(named) + 2) + "|")
            rounds = [[seconds(call) for call in named.values()] for _ in range(ROUNDS)]
            times = [1e3 * statistics.median(column) for column in zip(*rounds, strict=True)]
            ratio = statistics.median(row[1] / row[0] for row in rounds)
            cells = " | ".join(f"{time:.1f}" for time in times)
            print(f"| {tensors} tensors | {cells} | {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    main()

"""Measure what a call adds to a process's peak of memory, in a process of its own.

``python -m benchmarks.memory LIBRARY KIND`` runs a layer over one long input and prints a
line of JSON, bytes. Not for Windows, which has no `resource`.
"""

from __future__ import annotations

import importlib
import json
import resource
import sys

import numpy as np

STEPS, BATCH, SIZE = 20_000, 8, 128


def peak() -> int:
    """Return the largest size that this process has had, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def added(library: str, kind: str) -> int:
    """Return by how much a call of the layer raises the peak."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((STEPS, BATCH, SIZE), np.float32)
    if library == "numpy_rnn":
        module = importlib.import_module("numpy_rnn")
        layer = getattr(module, kind)(SIZE, SIZE).eval()
        layer(x[:2])
        before = peak()
        layer(x)
    else:
        torch = importlib.import_module("torch")
        layer = getattr(torch.nn, kind)(SIZE, SIZE).eval()
        with torch.inference_mode():
            layer(torch.from_numpy(x[:2]))
            before = peak()
            layer(torch.from_numpy(x))
    return peak() - before


if __name__ == "__main__":
    print(json.dumps(added(*sys.argv[1:])))

"""Modules in worker processes: ``python -m tests.support.worker_processes fork``, or ``spawn``.

Prints a line of JSON: facts about the workers, and whose results differ from this process's by
any bit. It runs in a process without torch, which no worker shall import and whose threads
cannot be forked.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import warnings
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np

import numpy_rnn as nn

WORKERS = 2

held: dict[str, nn.Module] = {}
"""What a worker got when it started: inherited if it was forked, pickled if spawned."""


def models() -> dict[str, nn.Module]:
    arguments: dict[str, Any] = {"num_layers": 2, "bidirectional": True}
    return {
        "RNN": nn.RNN(8, 16, **arguments),
        "LSTM": nn.LSTM(8, 16, **arguments),
        "LSTM projected": nn.LSTM(8, 16, 2, proj_size=4),
        "GRU": nn.GRU(8, 16, **arguments),
        "large GRU": nn.GRU(8, 256),
        "float64": nn.LSTM(8, 16, dtype="float64"),
    }


def inputs(name: str) -> list[Any]:
    rng = np.random.default_rng(0)
    dtype = "float64" if name == "float64" else "float32"
    shapes = [(1, 1, 8), (20, 1, 8), (20, 5, 8), (7, 8), (9, 64, 8)]
    return [rng.standard_normal(shape).astype(dtype) for shape in shapes]


def bits(result: Any) -> list[bytes]:
    arrays = [result[0], *(result[1] if isinstance(result[1], tuple) else result[1:])]
    return [array.tobytes() for array in arrays]


def hold(given: dict[str, nn.Module]) -> None:
    held.update(given)


def answer(name: str, sent: nn.Module) -> dict[str, Any]:
    """Return a worker's results for all inputs, of its own module and of one sent to it."""
    results = [[bits(module(x)) for x in inputs(name)] for module in (held[name], sent)]
    torch = "torch" in sys.modules
    return {"process": os.getpid(), "torch": torch, "name": name, "results": results}


def main(method: str) -> None:
    here = models()
    expected = {name: [bits(model(x)) for x in inputs(name)] for name, model in here.items()}
    if method == "fork" and os.environ.get("OPENBLAS_NUM_THREADS") != "1":
        # OpenBLAS stops its threads before a fork, and starts them again in both processes.
        warnings.filterwarnings(
            "ignore", ".* is multi-threaded, use of fork", DeprecationWarning
        )
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(WORKERS, context, hold, (here,)) as pool:
        answers = list(pool.map(answer, here, here.values()))
    report = {
        "in workers": os.getpid() not in {one["process"] for one in answers},
        "torch": any(one["torch"] for one in answers),
        "differing": [
            one["name"] for one in answers if one["results"] != [expected[one["name"]]] * 2
        ],
        "compared": len(answers),
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main(sys.argv[1])

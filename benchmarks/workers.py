"""Time a collection in one process and by Dask with one process a core.

``python -m benchmarks.workers 2`` prints a line of JSON: seconds of one process with one BLAS
thread and with two, and of two workers with one each, medians of rounds in turn. It is the
recipe of this folder's README: each task reads its chunk from a file. The cluster is there
before the time is taken; the model is sent within it.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from dask.distributed import Client
from threadpoolctl import threadpool_limits

import numpy_rnn as nn
from benchmarks.processes import VARIABLES

SEQUENCES, STEPS, FEATURES, UNITS, CHUNK = 4096, 100, 64, 256, 128
ROUNDS = 5

Array = np.ndarray


def last_states(gru: nn.GRU, file: Path, start: int) -> Array:
    sequences = np.load(file, mmap_mode="r")
    return gru(np.array(sequences[start : start + CHUNK]))[1][-1]


def seconds_of(call: Callable[[], Array], expected: Array) -> float:
    start = time.perf_counter()
    states = call()
    seconds = time.perf_counter() - start
    np.testing.assert_allclose(states, expected, rtol=0, atol=1e-5)
    return seconds


def measure(count: int, file: Path) -> dict[str, object]:
    shape = (SEQUENCES, STEPS, FEATURES)
    np.save(file, np.random.default_rng(0).standard_normal(shape).astype(np.float32))
    gru = nn.GRU(FEATURES, UNITS, batch_first=True).eval()
    starts = range(0, SEQUENCES, CHUNK)

    def here(threads: int) -> Array:
        with threadpool_limits(threads):
            return np.concatenate([last_states(gru, file, start) for start in starts])

    os.environ |= dict.fromkeys(VARIABLES, "1")  # for the workers, which inherit them
    with Client(n_workers=count, threads_per_worker=1, dashboard_address=None) as client:

        def there() -> Array:
            shared = client.scatter(gru, broadcast=True, hash=False)
            tasks = [client.submit(last_states, shared, file, n, pure=False) for n in starts]
            return np.concatenate(client.gather(tasks))

        calls = {
            "one thread": partial(here, 1),
            "all threads": partial(here, count),
            "workers": there,
        }
        expected = here(1)
        there()
        rounds = [
            {name: seconds_of(call, expected) for name, call in calls.items()}
            for _ in range(ROUNDS)
        ]
    seconds = {name: statistics.median(each[name] for each in rounds) for name in calls}
    return {"sequences": SEQUENCES, "count": count, "seconds": seconds}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(int(sys.argv[1]), Path(folder) / "sequences.npy")))


if __name__ == "__main__":
    main()

"""Several processes share the work of one: the documented recipe, and what it relies on."""

from __future__ import annotations

import copy
import json
import multiprocessing
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

import numpy_rnn as nn
from tests.support.documents import BENCHMARKS, ROOT, programs_of

HANGS = 600
"""Seconds after which a process hangs, however busy the machine is."""

ONE_PROCESS = """
import recipe, numpy as np  # in this order: the recipe sets the threads
gru = recipe.nn.GRU.from_state_dict(recipe.nn.load("gru.safetensors"), "", batch_first=True)
starts = range(0, len(np.load("sequences.npy")), recipe.CHUNK)
np.save("expected.npy", np.concatenate([recipe.last_states(gru, start) for start in starts]))
"""


def test_dask_recipe_equals_one_process(tmp_path, rng):
    (recipe,) = [block for block in programs_of(BENCHMARKS) if "dask" in block]
    sequences = rng.standard_normal((300, 20, 8)).astype(np.float32)
    nn.save(nn.GRU(8, 64, batch_first=True), tmp_path / "gru.safetensors")
    np.save(tmp_path / "sequences.npy", sequences)
    (tmp_path / "recipe.py").write_text(recipe, "utf-8")
    for arguments in (["recipe.py"], ["-c", ONE_PROCESS]):
        subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            check=True,
            timeout=HANGS,
            stderr=subprocess.DEVNULL,  # workers may report that the scheduler has stopped
        )
    states, expected = (np.load(tmp_path / f"{name}.npy") for name in ("states", "expected"))
    assert states.shape == (300, 64)
    np.testing.assert_array_equal(states, expected, strict=True)


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.parametrize("threads", ["1", "2"])
def test_worker_processes_equal_one_process(method, threads):
    """Even if forked while BLAS has threads; with modules inherited and modules sent."""
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system cannot {method}")
    printed = subprocess.check_output(
        [sys.executable, "-m", "tests.support.worker_processes", method],
        cwd=ROOT,
        env=os.environ | {"PYTHONWARNINGS": "error", "OPENBLAS_NUM_THREADS": threads},
        text=True,
        timeout=HANGS,
    )
    report = json.loads(printed)
    assert report == {"in workers": True, "torch": False, "differing": [], "compared": 6}


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_rnn_pickle_has_the_size_of_its_weights(kind):
    """What it prepared for its calls is left out, and prepared again."""
    layer = getattr(nn, kind)(40, 100, 2, bidirectional=True)
    x = np.ones((9, 2, 40), np.float32)
    before = layer(x)[0]
    weights = sum(array.nbytes for array in layer.parameters())
    pickled = pickle.dumps(layer, pickle.HIGHEST_PROTOCOL)
    assert len(pickled) < weights + 4096
    for other in (pickle.loads(pickled), copy.deepcopy(layer)):
        np.testing.assert_array_equal(other(x)[0], before)
        other.weight_hh_l0 *= 2
        assert not np.array_equal(other(x)[0], before)
    np.testing.assert_array_equal(layer(x)[0], before)

"""A stream may be endless: no step leaves memory allocated."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

import numpy_rnn as nn

MANY_STEPS = """
import json, resource, sys
import numpy as np
import numpy_rnn as nn

def stream(steps, x, hx):
    for _ in range(steps):
        hx = cell(x, hx)
    return hx

def sizes():
    return sys.getallocatedblocks(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

cell, x = nn.RNNCell(2, 3), np.ones(2, np.float32)
hx = stream(10_000, x, None)
before = sizes()
hx = stream(int(sys.argv[1]), x, hx)
print(json.dumps([after - first for first, after in zip(before, sizes())]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no module resource on Windows")
def test_cell_many_steps_take_no_memory(deep):
    """Neither in Python's objects nor in the peak of a process without torch."""
    steps = 1_000_000 if deep else 50_000
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", MANY_STEPS, str(steps)],
        capture_output=True,
        text=True,
        check=True,
    )
    blocks, peak = json.loads(result.stdout)
    assert blocks < 100
    assert peak * (1 if sys.platform == "darwin" else 1024) < 2**20


def cell_step(cell):
    return lambda x, hx: cell(x[0], hx)


def layer_step(layer):
    return lambda x, hx: layer(x, hx)[1]


STREAMS = {
    "RNN": layer_step(nn.RNN(2, 3)),
    "RNN relu": layer_step(nn.RNN(2, 3, nonlinearity="relu")),
    "LSTM": layer_step(nn.LSTM(2, 3)),
    "LSTM projected": layer_step(nn.LSTM(2, 3, proj_size=1)),
    "GRU": layer_step(nn.GRU(2, 3)),
    "stacked LSTM": layer_step(nn.LSTM(2, 3, 2)),
    "RNNCell": cell_step(nn.RNNCell(2, 3)),
    "LSTMCell": cell_step(nn.LSTMCell(2, 3)),
    "GRUCell": cell_step(nn.GRUCell(2, 3)),
    "frozen RNN": layer_step(nn.RNN(2, 3).freeze()),
    "frozen LSTM": layer_step(nn.LSTM(2, 3, 2, proj_size=1).freeze()),
    "frozen GRU": layer_step(nn.GRU(2, 3).freeze()),
    "frozen GRUCell": cell_step(nn.GRUCell(2, 3).freeze()),
}


@pytest.mark.parametrize("kind", STREAMS)
@pytest.mark.parametrize("shape", [(1, 1, 2), (4, 3, 2)], ids=["a step", "chunks of a batch"])
def test_rnn_step_leaves_no_memory_behind(kind, shape):
    """Not a byte in each step, and nothing that waits for the garbage collector."""
    step, x = STREAMS[kind], np.ones(shape, np.float32)
    steps, hx = 600, None
    for _ in range(50):
        hx = step(x, hx)
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        grown = []
        for _ in range(5):
            before = tracemalloc.get_traced_memory()[0]
            for _ in range(steps):
                hx = step(x, hx)
            grown.append(tracemalloc.get_traced_memory()[0] - before)
    finally:
        tracemalloc.stop()
        gc.enable()
    # Other threads of the process may take memory meanwhile, but not in every round.
    assert min(grown) < steps

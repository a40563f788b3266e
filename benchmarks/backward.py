"""Time traces and the way back beside torch's: ``python -m benchmarks.backward``.

It prints a table: milliseconds on one thread, medians of rounds in which all take turns.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_limits

import numpy_rnn as nn

STEPS, SIZE, ROUNDS = 100, 64, 15


def medians(kind: str, batch: int) -> tuple[float, float, float, float]:
    """Return the milliseconds of trace, backward, torch's forward, and its backward."""
    theirs: Any = getattr(torch.nn, kind)(SIZE, SIZE)
    ours: Any = getattr(nn, kind)(SIZE, SIZE)
    ours.load_state_dict(theirs.state_dict())
    x = np.random.default_rng(0).standard_normal((STEPS, batch, SIZE)).astype(np.float32)
    gradient = np.ones_like(x)
    tensor = torch.tensor(x, requires_grad=True)
    wanted = [tensor, *theirs.parameters()]
    times = []
    for _ in range(ROUNDS):
        marks = [time.perf_counter()]
        trace = nn.trace(ours, x)
        marks.append(time.perf_counter())
        found = trace.backward(gradient)
        marks.append(time.perf_counter())
        output = theirs(tensor)[0]
        marks.append(time.perf_counter())
        expected = torch.autograd.grad(output, wanted, torch.from_numpy(gradient))
        marks.append(time.perf_counter())
        times.append(np.diff(marks) * 1e3)
    limit = 1e-4 * float(expected[1].abs().max())
    np.testing.assert_allclose(found.parameters["weight_ih_l0"], expected[1], atol=limit)
    trace_ms, back_ms, forward_ms, torch_ms = np.median(times, axis=0).tolist()
    return trace_ms, back_ms, forward_ms, torch_ms


def main() -> None:
    torch.set_num_threads(1)
    print("| ms | trace | backward (over the trace) | torch forward | torch backward |")
    print("|---|--:|--:|--:|--:|")
    with threadpool_limits(1):
        for kind in ("RNN", "LSTM", "GRU"):
            for batch in (1, 8):
                trace, back, forward, theirs = medians(kind, batch)
                print(
                    f"| {kind}, N={batch} | {trace:.1f} | {back:.1f} ({back / trace:.2f}) | "
                    f"{forward:.1f} | {theirs:.1f} |"
                )


if __name__ == "__main__":
    main()

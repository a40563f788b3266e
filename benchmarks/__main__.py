"""Print how the layers compare with torch's, as a Markdown table: ``python -m benchmarks``.

The two libraries take turns, a burst of calls each, so that a machine whose speed drifts
is as fast for one as for the other. Times are medians over the bursts, ratios medians of
the ratios of neighbouring bursts.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import torch
from threadpoolctl import threadpool_limits

from benchmarks.recurrent import SIZES, calls

ROUNDS = 41
BURST_SECONDS = 0.02


def seconds(call: Callable[[], object], repetitions: int) -> float:
    """Return how long a call takes, by a burst of them."""
    start = time.perf_counter()
    for _ in range(repetitions):
        call()
    return (time.perf_counter() - start) / repetitions


def compare(ours: Callable[[], object], theirs: Callable[[], object]) -> tuple[float, ...]:
    """Return the median seconds of either, and the median ratio theirs / ours."""
    repetitions = [
        max(1, round(BURST_SECONDS / min(seconds(call, 3), 1.0))) for call in (ours, theirs)
    ]
    pairs = [
        (seconds(ours, repetitions[0]), seconds(theirs, repetitions[1])) for _ in range(ROUNDS)
    ]
    return (
        statistics.median(mine for mine, _ in pairs),
        statistics.median(other for _, other in pairs),
        statistics.median(other / mine for mine, other in pairs),
    )


def main() -> None:
    torch.set_num_threads(1)
    print("| | numpy_rnn | torch | torch / numpy_rnn |\n|---|---|---|---|")
    rnn_ratios = []
    with threadpool_limits(1), torch.inference_mode():
        for number, (layer, steps, batch, size) in enumerate(SIZES, start=1):
            print(f"\r{number}/{len(SIZES)} ", end="", file=sys.stderr, flush=True)
            mine, other, ratio = compare(*calls(layer, steps, batch, size).values())
            if layer == "RNN" and steps > 1:
                rnn_ratios.append(ratio)
            name = f"{layer} T={steps} N={batch} H={size}"
            print(
                f"| {name} | {mine * 1e6:.1f} | {other * 1e6:.1f} | {ratio:.2f} |", flush=True
            )
    mean = statistics.geometric_mean(rnn_ratios)
    print(f"| RNN T=100, geometric mean | | | {mean:.2f} |")


if __name__ == "__main__":
    main()

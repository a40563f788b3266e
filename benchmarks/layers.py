"""Time the cases, in a process of their own: ``python -m benchmarks.layers THREADS ...``.

It prints a line of JSON for each case: the case, median seconds, ratios, and rounds.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

import torch
from threadpoolctl import threadpool_limits

from benchmarks.cases import chosen
from benchmarks.measuring import take_turns
from benchmarks.peers import peers_of

SECONDS_A_CASE = 0.6

PAUSE = 0.03
"""Seconds that idle threads are given to fall asleep, where there are some: those of
OpenBLAS spin for 2**26 ticks, on cores that the next library wants."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.layers", description=__doc__)
    parser.add_argument("threads", type=int)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--cases", default="", metavar="REGEX")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    pause = PAUSE if arguments.threads > 1 else 0.0
    with threadpool_limits(arguments.threads), torch.inference_mode():
        for case in chosen(arguments.quick, arguments.cases):
            calls = peers_of(case, arguments.threads)
            timing = take_turns(calls, SECONDS_A_CASE, pause)
            print(json.dumps({"case": asdict(case), **timing._asdict()}), flush=True)


if __name__ == "__main__":
    main()

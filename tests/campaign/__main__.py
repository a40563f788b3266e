"""The command line of the campaign."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter

import numpy as np
import torch

from tests.campaign.draws import draw_case
from tests.campaign.judgement import DifferenceError, judge

EVERY = 2000


def campaign(
    cases: int, seed: int, first: int = 0, progress: bool = False
) -> tuple[dict[str, Counter[str]], dict[int, str]]:
    """Judge cases; return counts of what was drawn and of the verdicts, and the differences."""
    counts = {name: Counter[str]() for name in ("what ran", "what was drawn", "what came")}
    found: dict[int, str] = {}
    start = time.perf_counter()
    for index in range(first, first + cases):
        with np.errstate(all="ignore"):
            case = draw_case(seed, index)
        try:
            verdict = judge(case)
        except DifferenceError as difference:
            verdict = "UNEXPLAINED"
            found[index] = str(difference)
        counts["what ran"][case.name] += 1
        counts["what was drawn"].update(set(case.notes))
        counts["what came"][verdict] += 1
        done = index + 1 - first
        if progress and done % EVERY == 0:
            rate = done / (time.perf_counter() - start)
            print(f"{done} cases, {len(found)} found, {rate:.0f}/s", file=sys.stderr)
    return counts, found


def main(arguments: list[str] | None = None) -> int:
    """Run the campaign or one of its cases; return 1 if a difference is unexplained."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign", description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000, help="how many to draw")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="the number of the first case")
    parser.add_argument("--only", type=int, metavar="INDEX", help="print and run one case")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    if options.only is not None:
        case = draw_case(options.seed, options.only)
        print(case)
        try:
            print(judge(case))
        except DifferenceError as difference:
            print(f"UNEXPLAINED: {difference}")
            return 1
        return 0
    start = time.perf_counter()
    counts, found = campaign(options.cases, options.seed, options.first, progress=True)
    seconds = time.perf_counter() - start
    for title, counter in counts.items():
        print(f"{title}:")
        for name, count in counter.most_common():
            print(f"  {count:7} {name}")
    for index, difference in found.items():
        print(f"--only {index}: {difference}")
    print(
        f"{options.cases} cases from {options.first} on, seed {options.seed}: "
        f"{len(found)} unexplained, {seconds:.0f} s"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

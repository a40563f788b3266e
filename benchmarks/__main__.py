"""Time the layers beside torch's and others', and write it all down."""

from __future__ import annotations

import argparse
import datetime
import json
import re
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.cases import chosen
from benchmarks.footprint import footprint
from benchmarks.machine import load_average, machine, versions
from benchmarks.processes import ROOT, line_of, lines_of, processors
from tests.support.packages import ABSENT, FOLDER

RESULTS = ROOT / "benchmarks" / "results"

BUSY = 0.5
"""Load average from which on a machine is not idle."""


def main() -> None:
    arguments = parsed()
    if arguments.report:
        results = json.loads((RESULTS / "results.json").read_text("utf-8"))
        write(results, RESULTS)
        update_documents(results)
        return
    results = measure(arguments.quick, arguments.cases)
    if arguments.output is not None:
        write(results, arguments.output)
    elif arguments.quick or arguments.cases:
        print(report.full(results))
    else:
        results["runs"] += earlier_run(results)
        write(results, RESULTS)
        update_documents(results)


def earlier_run(results: report.Results) -> list[Any]:
    """Return the ratios of the run before, if it was on this day, machine and versions."""
    file = RESULTS / "results.json"
    before = json.loads(file.read_text("utf-8")) if file.exists() else {}
    same = ("date", "versions")
    comparable = all(before.get(key) == results[key] for key in same)
    if not comparable or before["machine"]["cpu"] != results["machine"]["cpu"]:
        return []
    cells = before["runs"][0]["cells"]
    return [{"cells": [{key: cell[key] for key in ("case", "ratios")} for cell in cells]}]


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=f"{__doc__} All cases, on one thread, take less than twenty "
        "minutes; the results go to benchmarks/results/ (results.json, table.md, "
        "uses.svg, chart.svg) and into the documents that show them.",
        epilog="A part of the cases is printed and changes no file.",
    )
    part = parser.add_mutually_exclusive_group()
    part.add_argument("--quick", action="store_true", help="a few cases of each sort: a minute")
    part.add_argument(
        "--cases",
        type=regular_expression,
        default="",
        metavar="REGEX",
        help="the cases with this in their names, as 'RNN T=100 N=1 ' or '2 layers', and the "
        "layers alone: neither imports nor memory nor errors",
    )
    part.add_argument(
        "--report",
        action="store_true",
        help="measure nothing: write table, charts and documents from results.json",
    )
    parser.add_argument("--output", type=Path, help="write the results to this folder instead")
    arguments = parser.parse_args()
    if arguments.report and arguments.output is not None:
        parser.error("--report writes where results.json is; it takes no --output")
    if not chosen(arguments.quick, arguments.cases):
        parser.error(f"no case has {arguments.cases!r} in its name, as 'GRU T=1 N=8 H=64'")
    return arguments


def regular_expression(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a regular expression: {error}"
        ) from None
    return text


def measure(quick: bool, pattern: str) -> report.Results:
    """Measure everything, or a part of the cases, in processes of their own."""
    load = load_average()
    if load > BUSY:
        progress(
            f"warning: other processes are running (load {load:.1f}); figures will be wrong",
            "\n",
        )
    results: report.Results = {
        "command": " ".join(
            [
                "python -m benchmarks",
                *["--quick"] * quick,
                *[f"--cases {pattern!r}"] * bool(pattern),
            ]
        ),
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        "machine": machine() | {"load": load},
        "versions": versions(),
    }
    if not pattern:
        progress("imports, loading, sizes and memory", "\n")
        results["footprint"] = footprint()
        missing = "" if FOLDER.is_dir() else f", but those of packages: {ABSENT}"
        progress(f"whole models{missing}", "\n")
        results["models"] = whole_models()
        progress("worker processes", "\n")
        count = max(2, processors())
        results["workers"] = line_of("-m", "benchmarks.workers", str(count), threads=count)
        progress("errors: two minutes", "\n")
        results["accuracy"] = list(lines_of("-m", "benchmarks.accuracy", *["--quick"] * quick))
        results["trained"] = list(lines_of("-m", "benchmarks.trained"))
    results["runs"] = [{"threads": 1, "cells": timed(quick, pattern)}]
    return results


def whole_models() -> list[Any]:
    """Return the times of each model."""
    return [{"threads": 1, **timing} for timing in lines_of("-m", "benchmarks.models", "1")]


def timed(quick: bool, pattern: str) -> list[Any]:
    """Return the cells of the cases, and show how far it is."""
    cases = chosen(quick, pattern)
    options = ["--quick"] * quick + ["--cases", pattern] * bool(pattern)
    start = time.monotonic()
    cells = []
    end = "\r" if sys.stderr.isatty() else "\n"
    for cell in lines_of("-m", "benchmarks.layers", "1", *options):
        cells.append(cell)
        ratio = cell["ratios"]["torch"]
        progress(
            f"{len(cells)} of {len(cases)}, {time.monotonic() - start:.0f} s: "
            f"{cases[len(cells) - 1]}, torch {ratio:.2f}",
            end,
        )
    progress("", end)
    return cells


def progress(text: str, end: str) -> None:
    """Show a line that the next one replaces, on a terminal."""
    clear = "\x1b[K" if sys.stderr.isatty() else ""
    print(f"{text}{clear}", end=end, file=sys.stderr, flush=True)


def write(results: report.Results, folder: Path) -> None:
    """Write the JSON, the table and the charts."""
    from benchmarks.chart import draw_sizes, draw_uses

    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(results, indent=1)
    (folder / "results.json").write_text(f"{text}\n", "utf-8")
    (folder / "table.md").write_text(report.full(results), "utf-8")
    draw_uses(results, folder / "uses.svg")
    draw_sizes(results, folder / "chart.svg")
    print(f"wrote {folder}", file=sys.stderr)


def update_documents(results: report.Results) -> None:
    """Write the sections of the documents again."""
    for document in report.DOCUMENTS:
        file = ROOT / document
        text = report.with_sections(document, file.read_text("utf-8"), results)
        file.write_text(text, "utf-8")
        print(f"wrote {file}", file=sys.stderr)


if __name__ == "__main__":
    main()

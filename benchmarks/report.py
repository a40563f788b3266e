"""The results as Markdown: the full table, and the README's section.

A ratio is our time over another's: above 1 we are slower, and it is bold.
"""

from __future__ import annotations

import itertools
import re
import statistics
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from benchmarks.cases import BATCHES, GRID, KINDS, SECTIONS, SIZES, STEPS, Case

Results: TypeAlias = "dict[str, Any]"
"""What `benchmarks.__main__.measure` returns and the JSON holds."""

Cells: TypeAlias = "dict[Case, dict[str, Any]]"
"""What was measured of each case with one number of threads."""

LABELS = {"torch": "torch", "onnxruntime": "ONNX Runtime", "jax": "JAX", "keras": "Keras"}
LABELS |= {"textbook": "textbook loop", "floor": "floor"}

RIVALS = ("torch", "onnxruntime")
"""Those whose ratios stand in every table."""

BEGIN, END = "<!-- benchmarks -->", "<!-- /benchmarks -->"
"""What encloses the README's section."""

NONE = "-"


def cells_of(results: Results, run: int) -> Cells:
    """Return the cells of the run with one thread, 0, or with all, the last."""
    return {Case(**cell["case"]): cell for cell in results["runs"][run]["cells"]}


def ratios(cells: Cells, peer: str, cases: Iterable[Case]) -> list[float]:
    """Return the ratios to a peer, of the cases that have one."""
    found = [cells[case]["ratios"].get(peer) for case in cases if case in cells]
    return [ratio for ratio in found if ratio is not None]


def ratio_text(ratio: float | None) -> str:
    """Return a ratio with two digits, bold if it is above 1.

    >>> ratio_text(0.5), ratio_text(1.25), ratio_text(None)
    ('0.50', '**1.25**', '-')
    """
    if ratio is None:
        return NONE
    return f"**{ratio:.2f}**" if ratio > 1 else f"{ratio:.2f}"


def mean_text(values: Sequence[float]) -> str:
    """Return the geometric mean of ratios, and in how many of them we are slower.

    >>> mean_text([0.5, 2.0, 1.0])
    '1.00, slower in 1 of 3'
    """
    if not values:
        return NONE
    mean = ratio_text(statistics.geometric_mean(values))
    slower = sum(value > 1 for value in values)
    return f"{mean}, slower in {slower} of {len(values)}" if slower else mean


def microseconds(seconds: float | None) -> str:
    """Return a time in µs with three digits or more.

    >>> microseconds(5.04e-6), microseconds(0.0123456)
    ('5.0', '12,346')
    """
    if seconds is None:
        return NONE
    return f"{seconds * 1e6:.1f}" if seconds < 1e-4 else f"{seconds * 1e6:,.0f}"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table, the first column to the left and others to the right."""
    lines = [header, ["---", *["--:"] * (len(header) - 1)], *rows]
    return ["| " + " | ".join(line) + " |" for line in lines]


def full(results: Results) -> str:
    """Return the full table, every case under its heading."""
    one, threads = cells_of(results, 0), results["runs"][-1]["threads"]
    several = cells_of(results, -1) if threads > 1 else {}
    peers = [name for name in LABELS if any(name in c["seconds"] for c in one.values())]
    extra = [name for name in peers if name not in RIVALS]
    header = ["µs", "numpy_rnn", *(LABELS[name] for name in peers)]
    header += [f"/ {LABELS[name]}" for name in RIVALS + tuple(extra)]
    if several:
        header += [f"{threads} threads: numpy_rnn", *(LABELS[name] for name in RIVALS)]
        header += [f"/ {LABELS[name]}" for name in RIVALS]

    def row(case: Case) -> list[str]:
        seconds, ratio = one[case]["seconds"], one[case]["ratios"]
        texts = [str(case), *(microseconds(seconds.get(n)) for n in ("numpy_rnn", *peers))]
        texts += [ratio_text(ratio.get(name)) for name in RIVALS + tuple(extra)]
        if several:
            seconds, ratio = several[case]["seconds"], several[case]["ratios"]
            texts += [microseconds(seconds.get(n)) for n in ("numpy_rnn", *RIVALS)]
            texts += [ratio_text(ratio.get(name)) for name in RIVALS]
        return texts

    lines = ["# Benchmarks", "", *introduction(results), ""]
    lines += [*means(results), "", *footprint_table(results)]
    for title, cases in SECTIONS.items():
        rows = [row(case) for case in cases if case in one]
        if rows:
            lines += ["", f"## {title}", "", *table(header, rows)]
    return "\n".join(lines) + "\n"


def introduction(results: Results) -> list[str]:
    """Return what was measured, how, on what and with what."""
    machine, versions = results["machine"], dict(results["versions"])
    python, blas = versions.pop("Python"), versions.pop("BLAS")
    libraries = [f"{name} {version}" for name, version in versions.items()]
    others = f"{', '.join(libraries)}; NumPy's BLAS is {blas}"
    peers = "torch under `inference_mode`"
    return [
        f"`{results['command']}`, {results['date']}: {machine['cores']} cores of "
        f"{machine['cpu']}; {machine['system']}, Python {python}, {others}.",
        "",
        f"float32, H features in and out, T steps of N sequences, {peers}. The libraries take "
        "turns in one process, each with as many threads as the others; their outputs are "
        "compared before. Times are medians of one call. A **ratio** is the time of numpy_rnn "
        "over that of another: less is better, and **bold, above 1, is where numpy_rnn is "
        "slower**. The floor is the layer's matrix products and tanh alone, with nothing "
        "between the steps; the textbook loop is the equations in plain NumPy.",
    ]


def means(results: Results) -> list[str]:
    """Return the geometric means of the ratios: the grid by kind and T, then the rest."""
    one = cells_of(results, 0)
    threads = results["runs"][-1]["threads"]
    peers = [name for name in LABELS if ratios(one, name, GRID) and name != "keras"]
    header = ["Geometric means", *(LABELS[name] for name in peers)]
    if threads > 1:
        header += [f"{LABELS[name]}, {threads} threads" for name in RIVALS]

    def row(title: str, cases: Sequence[Case]) -> list[str]:
        texts = [title, *(mean_text(ratios(one, name, cases)) for name in peers)]
        if threads > 1:
            several = cells_of(results, -1)
            texts += [mean_text(ratios(several, name, cases)) for name in RIVALS]
        return texts

    rows = [
        row(f"{kind} T={steps}", [c for c in GRID if (c.kind, c.steps) == (kind, steps)])
        for kind, steps in itertools.product(KINDS, STEPS)
    ]
    rows += [
        row(f"{kind}: {title.lower()}", [c for c in cases if c.kind == kind])
        for title, cases in list(SECTIONS.items())[1:]
        for kind in KINDS
    ]
    return table(header, [texts for texts in rows if set(texts[1:]) != {NONE}])


def grid(results: Results) -> list[str]:
    """Return the ratios to torch and ONNX Runtime by N and H, for T=1 and T=100."""
    one = cells_of(results, 0)
    header = ["torch / ONNX Runtime", *(f"H={size}" for size in SIZES)]
    rows = []
    for kind, steps, batch in itertools.product(KINDS, (100, 1), BATCHES):
        cases = [Case(kind, steps, batch, size) for size in SIZES]
        texts = [pair(one, case) for case in cases]
        rows.append([f"{kind} T={steps} N={batch}", *texts])
    return table(header, [row for row in rows if set(row[1:]) != {NONE}])


def pair(cells: Cells, case: Case) -> str:
    """Return the ratios of a case to torch and to ONNX Runtime."""
    if case not in cells:
        return NONE
    return " / ".join(ratio_text(cells[case]["ratios"].get(name)) for name in RIVALS)


def deep(results: Results) -> list[str]:
    """Return the ratios of small stacked RNNs, by layers and H."""
    one = cells_of(results, 0)
    sizes, layers = (16, 32), (2, 3, 4)
    rows = [
        [f"{count} layers", *(pair(one, Case("RNN", 100, 1, size, count)) for size in sizes)]
        for count in layers
    ]
    header = ["RNN T=100 N=1", *(f"H={size}" for size in sizes)]
    return table(header, [row for row in rows if set(row[1:]) != {NONE}])


def footprint_table(results: Results) -> list[str]:
    """Return what the packages weigh, if that was measured."""
    weighed = results.get("footprint")
    if weighed is None:
        return []
    imports, load = weighed["import"], weighed["load"]
    installed, peak = weighed["installed"], weighed["peak"]
    columns = ("numpy_rnn", *RIVALS)

    def row(title: str, values: dict[str, float], text: Callable[[float], str]) -> list[str]:
        return [title, *(text(values[n]) if n in values else NONE for n in columns)]

    def ms(seconds: float) -> str:
        return f"{seconds * 1e3:,.1f} ms"

    def mb(size: float) -> str:
        return f"{size / 1e6:,.1f} MB"

    rows = [
        row(f"import (NumPy itself: {ms(imports['numpy'])})", imports, ms),
        row(f"load a checkpoint of {mb(load['bytes'])}", load["seconds"], ms),
        row(f"installed (NumPy itself: {mb(installed['numpy'])})", installed, mb),
    ]
    for kind in KINDS:
        values = {name: peak[name][kind] for name in peak}
        rows.append(row(f"memory that {kind} T=20,000 N=8 H=128 adds", values, mb))
    return table(["", *("numpy_rnn" if n == "numpy_rnn" else LABELS[n] for n in columns)], rows)


def behind(results: Results) -> str:
    """Return in how many cases we are slower than the two rivals, in one sentence."""
    one = cells_of(results, 0)
    counts = []
    for name in RIVALS:
        found = ratios(one, name, one)
        slower = sum(ratio > 1 for ratio in found)
        counts.append(f"slower than {LABELS[name]} in {slower} of {len(found)} cases")
    return f"On one thread numpy_rnn is {counts[0]} and {counts[1]}."


def section(results: Results) -> str:
    """Return the README's section."""
    lines = [*introduction(results), "", behind(results), ""]
    lines += [f"![{ALT}](benchmarks/results/chart.svg)", "", *means(results), ""]
    lines += ["One layer, one thread, cell by cell:", "", *grid(results), ""]
    lines += [*deep(results), "", *footprint_table(results), ""]
    lines.append("All cases with their times: [table](benchmarks/results/table.md).")
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines))


ALT = (
    "Ratios of numpy_rnn's times to torch's and ONNX Runtime's, for each kind of layer and size"
)


def with_section(readme: str, results: Results) -> str:
    """Return the README with its section anew.

    Raises
    ------
    ValueError
        If the README does not have the two marks that enclose it.
    """
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the README has no {BEGIN} ... {END}")
    return f"{before}{BEGIN}\n{section(results)}\n{END}{after}"

"""The results as Markdown: the full table, and what documents show of it.

A ratio is our time over another's: above 1 we are slower, and it is bold.
"""

from __future__ import annotations

import itertools
import re
import statistics
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from benchmarks import certificate
from benchmarks.cases import BATCHES, GRID, KINDS, SECTIONS, SIZES, STEPS, Case

Results: TypeAlias = "dict[str, Any]"
"""What `benchmarks.__main__.measure` returns and the JSON holds."""

Cells: TypeAlias = "dict[Case, dict[str, Any]]"
"""What was measured of each case with one number of threads."""

LABELS = {
    "frozen": "frozen",
    "torch": "torch",
    "onnxruntime": "ONNX Runtime",
    "jax": "JAX",
    "keras": "Keras",
}
LABELS |= {"textbook": "textbook loop", "floor": "floor", "package": "its own NumPy code"}

RIVALS = ("torch", "onnxruntime")
"""Those whose ratios are in every table."""

USES = {
    "a streaming step": {"steps": 1, "batch": 1, "hx": True},
    "one sequence of 100 steps": {"steps": 100, "batch": 1},
    "a batch of 32 such sequences": {"steps": 100, "batch": 32},
}
"""What a layer is used for, and the sizes that show it."""

USED_SIZE = 128

NONE = "-"

UNSTEADY = "~"
"""After a ratio that an earlier run of the day does not confirm."""

STEADY = 1.2
"""The factor that two runs' ratios may differ by."""


def cells_of(results: Results, run: int) -> Cells:
    """Return the cells of a run: the first is the newest, the next an earlier one."""
    return {Case(**cell["case"]): cell for cell in results["runs"][run]["cells"]}


def unsteady(results: Results) -> list[tuple[Case, str]]:
    """Return the cases and peers whose ratio differed too much between the two runs."""
    if len(results["runs"]) < 2:
        return []
    earlier = cells_of(results, 1)
    return [
        (case, peer)
        for case, cell in cells_of(results, 0).items()
        for peer in RIVALS
        if not 1 / STEADY < cell["ratios"][peer] / earlier[case]["ratios"][peer] < STEADY
    ]


def ratios(cells: Cells, peer: str, cases: Iterable[Case]) -> list[float]:
    """Return the ratios to a peer, of the cases that have one."""
    found = [cells[case]["ratios"].get(peer) for case in cases if case in cells]
    return [ratio for ratio in found if ratio is not None]


def ratio_text(ratio: float, peer: str = "") -> str:
    """Return a ratio with two digits, bold if it is above 1, but that to the floor.

    >>> ratio_text(0.5), ratio_text(1.25), ratio_text(1.25, "floor")
    ('0.50', '**1.25**', '1.25')
    """
    if peer == "floor":
        return f"{ratio:.2f}"
    return f"**{ratio:.2f}**" if ratio > 1 else f"{ratio:.2f}"


def mean_text(values: Sequence[float], peer: str = "") -> str:
    """Return the geometric mean of ratios, and how many of them are above 1.

    >>> mean_text([0.5, 2.0, 1.0])
    '1.00 (1 of 3)'
    """
    if not values:
        return NONE
    mean = ratio_text(statistics.geometric_mean(values), peer)
    slower = 0 if peer == "floor" else sum(value > 1 for value in values)
    return f"{mean} ({slower} of {len(values)})" if slower else mean


def microseconds(seconds: float) -> str:
    """Return a time in µs with three digits or more.

    >>> microseconds(5.04e-6), microseconds(0.0123456)
    ('5.0', '12,346')
    """
    return f"{seconds * 1e6:.1f}" if seconds < 1e-4 else f"{seconds * 1e6:,.0f}"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table, the first column to the left and others to the right."""
    lines = [header, ["---", *["--:"] * (len(header) - 1)], *rows]
    return ["| " + " | ".join(line) + " |" for line in lines]


def full(results: Results) -> str:
    """Return the full table, every case under its heading."""
    lines = ["# Benchmarks", "", *introduction(results), "", MEANS, "", *means(results), ""]
    lines += [*models_table(results), "", *footprint_table(results), "", workers_text(results)]
    one = cells_of(results, 0)
    for title, cases in SECTIONS.items():
        measured = [case for case in cases if case in one]
        if measured:
            lines += ["", f"## {title}", "", *times_table(results, measured)]
    if "accuracy" in results:
        lines += ["", "## Errors", "", *table(*certificate.summary(results["accuracy"]))]
        lines += ["", *table(*certificate.nets(results["accuracy"]))]
    return tidy(lines) + "\n"


def times_table(results: Results, cases: Sequence[Case]) -> list[str]:
    """Return times and ratios of cases."""
    cells, marked = cells_of(results, 0), unsteady(results)
    peers = [name for name in LABELS if ratios(cells, name, cases)]
    rows = [
        [
            str(case),
            microseconds(cells[case]["seconds"]["numpy_rnn"]),
            *(
                time_and_ratio(cells[case], peer) + UNSTEADY * ((case, peer) in marked)
                for peer in peers
            ),
        ]
        for case in cases
    ]
    return table(["µs, and ratio", "numpy_rnn", *(LABELS[peer] for peer in peers)], rows)


def time_and_ratio(cell: dict[str, Any], peer: str) -> str:
    """Return another's time and ours over it, as ``43.0 (0.25)``."""
    if peer not in cell["ratios"]:
        return NONE
    return f"{microseconds(cell['seconds'][peer])} ({ratio_text(cell['ratios'][peer], peer)})"


def introduction(results: Results) -> list[str]:
    """Return what was measured, how, on what and with what."""
    machine, versions = results["machine"], dict(results["versions"])
    python, blas = versions.pop("Python"), versions.pop("BLAS")
    libraries = ", ".join(f"{name} {version}" for name, version in versions.items())
    return [
        f"`{results['command']}` wrote this on {results['date']}, on {machine['cores']} cores "
        f"of {machine['cpu']} ({machine['system']}, load before {machine['load']:.1f}), with "
        f"Python {python}, {libraries}; NumPy's BLAS is {blas}.",
        "",
        "float32; T steps of N sequences, H features in and out; torch under "
        "`inference_mode`. The libraries take turns in one process, each with one thread, "
        "after their outputs were compared. Times are medians of one call.",
        "",
        "A **ratio** is the time of numpy_rnn over that of the other: less is better, and "
        "**bold, above 1, is where numpy_rnn is slower**. The textbook loop is the equations "
        "in plain NumPy, step by step; the floor is the matrix products and tanh of the layer "
        "alone, a bound and no library.",
        *steadiness(results),
    ]


def steadiness(results: Results) -> list[str]:
    """Return how well an earlier run of the day agrees, if there was one."""
    if len(results["runs"]) < 2:
        return []
    ratios = len(RIVALS) * len(results["runs"][0]["cells"])
    return [
        "",
        f"An earlier run of the whole on the same day: {len(unsteady(results))} of {ratios} "
        f"ratios differ by more than {STEADY - 1:.0%}. The full table marks them {UNSTEADY}.",
    ]


def means(results: Results) -> list[str]:
    """Return the geometric means of the ratios: the grid by kind and T, then the rest."""
    cells = cells_of(results, 0)
    peers = [name for name in LABELS if ratios(cells, name, GRID) and name != "keras"]
    groups = {
        f"{kind} T={steps}": [c for c in GRID if (c.kind, c.steps) == (kind, steps)]
        for kind, steps in itertools.product(KINDS, STEPS)
    }
    for title, cases in list(SECTIONS.items())[1:]:
        for kind in KINDS:
            groups[f"{kind}: {title.lower()}"] = [case for case in cases if case.kind == kind]
    rows = [
        [title, *(mean_text(ratios(cells, peer, cases), peer) for peer in peers)]
        for title, cases in groups.items()
    ]
    return table(["ratio to", *(LABELS[peer] for peer in peers)], without_empty(rows))


def without_empty(rows: Iterable[list[str]]) -> list[list[str]]:
    """Return the rows in which something was measured."""
    return [row for row in rows if set(row[1:]) != {NONE}]


def grid(results: Results) -> list[str]:
    """Return the ratios to torch and ONNX Runtime by N and H, for T=1 and T=100."""
    one = cells_of(results, 0)
    header = ["torch / ONNX Runtime", *(f"H={size}" for size in SIZES)]
    rows = []
    for kind, steps, batch in itertools.product(KINDS, (100, 1), BATCHES):
        cases = [Case(kind, steps, batch, size) for size in SIZES]
        texts = [pair(one, case) for case in cases]
        rows.append([f"{kind} T={steps} N={batch}", *texts])
    return table(header, without_empty(rows))


def pair(cells: Cells, case: Case) -> str:
    """Return the ratios of a case to torch and to ONNX Runtime."""
    if case not in cells:
        return NONE
    return " / ".join(ratio_text(cells[case]["ratios"][name]) for name in RIVALS)


def deep(results: Results) -> list[str]:
    """Return the ratios of small stacked RNNs, by layers and H."""
    one = cells_of(results, 0)
    sizes, layers = (16, 32), (2, 3, 4)
    rows = [
        [f"{count} layers", *(pair(one, Case("RNN", 100, 1, size, count)) for size in sizes)]
        for count in layers
    ]
    header = ["RNN T=100 N=1", *(f"H={size}" for size in sizes)]
    return table(header, without_empty(rows))


def footprint_table(results: Results) -> list[str]:
    """Return what the packages weigh, if that was measured."""
    weighed = results.get("footprint")
    if weighed is None:
        return []
    imports, installed, peak = weighed["import"], weighed["installed"], weighed["peak"]
    columns = ("numpy_rnn", *RIVALS)

    def row(title: str, values: dict[str, float], text: Callable[[float], str]) -> list[str]:
        return [title, *(text(values[n]) if n in values else NONE for n in columns)]

    def ms(seconds: float) -> str:
        return f"{seconds * 1e3:,.1f} ms"

    def mb(size: float) -> str:
        return f"{size / 1e6:,.1f} MB"

    rows = [
        row(f"import (NumPy itself: {ms(imports['numpy'])})", imports, ms),
        *(
            row(f"load 20 MB in {load['tensors']} tensors", load["seconds"], ms)
            for load in weighed["load"]
        ),
        row(f"installed (NumPy itself: {mb(installed['numpy'])})", installed, mb),
    ]
    for kind in KINDS:
        values = {name: peak[name][kind] for name in peak}
        rows.append(row(f"memory that {kind} T=20,000 N=8 H=128 adds", values, mb))
    return table(["", *("numpy_rnn" if n == "numpy_rnn" else LABELS[n] for n in columns)], rows)


def models_table(results: Results) -> list[str]:
    """Return the times of whole models, if they were measured."""
    models = [model for model in results.get("models", []) if model["threads"] == 1]
    if not models:
        return []
    peers = ("torch", "onnxruntime", "package")
    rows = [
        [
            model["unit"],
            microseconds(model["seconds"]["numpy_rnn"]),
            *(time_and_ratio(model, peer) for peer in peers),
        ]
        for model in models
    ]
    header = ["µs, and ratio", "numpy_rnn", *(LABELS[peer] for peer in peers)]
    return [WHOLE_MODELS, "", *table(header, rows)]


def workers_text(results: Results) -> str:
    """Return what worker processes gain, in one sentence, if that was measured."""
    measured = results.get("workers")
    if measured is None:
        return ""
    seconds, count = measured["seconds"], measured["count"]
    one, threads, workers = (seconds[name] for name in ("one thread", "all threads", "workers"))
    return (
        f"A collection of {measured['sequences']:,} sequences, T=100, through "
        f"`GRU(64, 256)`: one process takes {one:.2f} s on one thread and {threads:.2f} s on "
        f"{count}, {count} Dask workers with one thread each {workers:.2f} s, "
        f"{ratio_text(workers / one)} and {ratio_text(workers / threads)} of that."
    )


def slower_cases(results: Results) -> str:
    """Return in how many cases we are slower than the two rivals, in one sentence."""
    one = cells_of(results, 0)
    counts = []
    for name in RIVALS:
        found = ratios(one, name, one)
        slower = sum(ratio > 1 for ratio in found)
        counts.append(f"slower than {LABELS[name]} in {slower} of {len(found)} cases")
    return f"numpy_rnn is {counts[0]} and {counts[1]}."


def section(results: Results) -> str:
    """Return the times in `benchmarks/README.md`."""
    lines = [*introduction(results), "", slower_cases(results), ""]
    lines += [f"![{ALT}](results/chart.svg)", "", MEANS, "", *means(results), ""]
    lines += ["Case by case, one layer in one direction:", "", *grid(results)]
    lines += ["", *deep(results), "", *models_table(results), ""]
    lines += [*footprint_table(results), "", workers_text(results), ""]
    lines.append("All cases with their times: [table](results/table.md).")
    return tidy(lines)


def accuracy(results: Results) -> str:
    """Return the table of errors, if they were measured."""
    if "accuracy" not in results:
        return ""
    lines = table(*certificate.summary(results["accuracy"]))
    if results.get("trained"):
        lines = [*lines, "", TRAINED, "", *table(*certificate.trained(results["trained"]))]
    return "\n".join(lines)


def facts(results: Results) -> str:
    """Return one line on size, import and a step beside torch's, if they were measured."""
    weighed = results.get("footprint")
    cell = cells_of(results, 0).get(used("LSTM", "a streaming step"))
    if weighed is None or cell is None:
        return ""
    step = {name: seconds * 1e6 for name, seconds in cell["seconds"].items()}
    ms = {name: seconds * 1e3 for name, seconds in weighed["import"].items()}
    mb = {name: size / 1e6 for name, size in weighed["installed"].items()}
    frozen = f", {step['frozen']:.0f} µs frozen" if "frozen" in step else ""
    return (
        f"Needs NumPy only · {mb['numpy_rnn']:.1f} MB installed beside NumPy's "
        f"{mb['numpy']:.0f} (torch: {mb['torch']:.0f} MB) · imports in "
        f"{ms['numpy_rnn']:.0f} ms after NumPy's {ms['numpy']:.0f} (torch: {ms['torch']:.0f} "
        f"ms) · one streaming step of an LSTM with {USED_SIZE} units takes "
        f"{step['numpy_rnn']:.0f} µs{frozen} (torch: {step['torch']:.0f} µs) · torch's numbers "
        "within rounding"
    )


def used(kind: str, use: str) -> Case:
    """Return the case that shows a use of a kind of layer."""
    return Case(kind, size=USED_SIZE, **USES[use])


def speed(results: Results) -> str:
    """Return the README's table of times, by use, and where they were measured."""
    cells = cells_of(results, 0)
    step, *others = USES
    rows = [
        [
            kind,
            time_and_pair(cells, used(kind, step)),
            frozen_and_pair(cells, used(kind, step)),
            *(time_and_pair(cells, used(kind, use)) for use in others),
        ]
        for kind in KINDS
    ]
    header = [f"µs, {USED_SIZE} units", step, f"{step}, frozen", *others]
    return "\n".join([*table(header, without_empty(rows)), "", machine_text(results)])


def time_and_pair(cells: Cells, case: Case) -> str:
    """Return our time and its ratios to torch's and ONNX Runtime's."""
    if case not in cells:
        return NONE
    return f"{microseconds(cells[case]['seconds']['numpy_rnn'])} ({pair(cells, case)})"


def frozen_and_pair(cells: Cells, case: Case) -> str:
    """Return the time of the frozen layer and its ratios to torch's and ONNX Runtime's."""
    seconds = cells[case]["seconds"] if case in cells else {}
    if "frozen" not in seconds:
        return NONE
    ratios = (ratio_text(seconds["frozen"] / seconds[name]) for name in RIVALS)
    return f"{microseconds(seconds['frozen'])} ({' / '.join(ratios)})"


def errors(results: Results) -> str:
    """Return the README's table of errors, of all nets and by chance."""
    if "accuracy" not in results:
        return ""
    header, rows = certificate.summary(results["accuracy"])
    kinds, of_all, *_, chance = zip(header, *rows)
    return "\n".join(table(kinds, [of_all, chance]))


def machine_text(results: Results) -> str:
    """Return where and with what times were measured."""
    machine, versions = results["machine"], results["versions"]
    return (
        f"Measured on {results['date']} with one thread on {machine['cpu']}, by NumPy "
        f"{versions['numpy']} with {versions['BLAS']}."
    )


def tidy(lines: Sequence[str]) -> str:
    """Return lines as a text without two empty ones together."""
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")


MEANS = (
    "Geometric means of the ratios; in parentheses how many of the cases behind a mean are "
    "above 1:"
)

WHOLE_MODELS = (
    "Whole models, ported in `tests/ports/`, one input at a time: five that packages ship, of "
    "which silero-vad's torch is its TorchScript model; three of fields, with first weights:"
)

TRAINED = (
    "With trained weights, those that packages ship, over 64 sequences of 50 steps: rows of "
    "the model's own embedding, or Gaussian features where it has none:"
)

ALT = (
    "Ratios of numpy_rnn's times to torch's and ONNX Runtime's, for each kind of layer and size"
)


DOCUMENTS: dict[str, dict[str, Callable[[Results], str]]] = {
    "README.md": {"facts": facts, "speed": speed, "errors": errors},
    "benchmarks/README.md": {"benchmarks": section, "accuracy": accuracy},
}
"""What is written into which document, by the mark that encloses it."""


def with_sections(document: str, text: str, results: Results) -> str:
    """Return the text of a document with its sections written again.

    What was not measured stays as it is.

    Parameters
    ----------
    document : str
        A key of `DOCUMENTS`.

    Raises
    ------
    ValueError
        If the document does not have the two marks that enclose a section.
    """
    for mark, write in DOCUMENTS[document].items():
        begin, end = f"<!-- {mark} -->\n", f"<!-- /{mark} -->"
        before, found, rest = text.partition(begin)
        old, closed, after = rest.partition(end)
        if not (found and closed):
            raise ValueError(f"{document} has no <!-- {mark} --> ... <!-- /{mark} -->")
        new = write(results)
        body = f"{new}\n" if new else old
        text = f"{before}{begin}{body}{end}{after}"
    return text

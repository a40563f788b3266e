"""The times as pictures: by use, and by size; both show where we lose."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle

from benchmarks.cases import BATCHES, KINDS, SIZES, STEPS, Case
from benchmarks.report import (
    LABELS,
    RIVALS,
    USED_SIZE,
    USES,
    Cells,
    Results,
    cells_of,
    microseconds,
    used,
)

OURS, SLOWER, FASTER = "#2166ac", "#c8c8c8", "#d6604d"
"""Colours of our bars, and of others' by whether they are slower or faster."""

ROWS = list(itertools.product(STEPS, BATCHES))

SAME = 1.05
"""The factor from which on a time is called faster or slower."""

STRONGEST = 3.0
"""log2 of the ratio at which the colours end."""

STYLE = {
    "font.family": ["sans-serif"],
    "font.size": 9,
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "numpy_rnn",  # equal results, equal files
}


def draw_uses(results: Results, file: Path) -> None:
    """Draw the times of one call by use and kind of layer, on one thread, into a file."""
    cells = cells_of(results, 0)
    machine, blas = results["machine"], results["versions"]["BLAS"]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9.6, 4.4), layout="constrained", facecolor="white")
        figure.get_layout_engine().set(w_pad=0.1, h_pad=0.06)
        grid = figure.subplots(len(KINDS), len(USES), squeeze=False)
        for (row, kind), (column, use) in itertools.product(enumerate(KINDS), enumerate(USES)):
            axes = grid[row, column]
            axes.set(xticks=[], yticks=[])
            axes.tick_params(length=0)
            axes.spines[:].set_visible(False)
            case = used(kind, use)
            if case in cells:
                draw_bars(axes, cells[case])
            if row == 0:
                axes.set_title(use, fontsize=10)
            if column == 0:
                axes.set_ylabel(kind, fontsize=11, weight="bold")
                names = ["numpy_rnn", *(LABELS[name] for name in RIVALS)]
                axes.set_yticks(range(len(names)), labels=names)
        figure.suptitle(
            f"Time of one call, {USED_SIZE} features in and out, one thread: shorter is better."
            "\nRed and bold: faster than numpy_rnn",
            fontsize=11,
        )
        figure.supxlabel(f"{machine['cpu']}; NumPy's BLAS is {blas}", fontsize=8)
        save(figure, file)


def draw_bars(axes: Axes, cell: dict[str, Any]) -> None:
    """Draw our time and those of the rivals, and how much faster or slower they are."""
    draw_bar(axes, 0, cell["seconds"]["numpy_rnn"], "", OURS)
    for y, name in enumerate(RIVALS, start=1):
        seconds, ratio = cell["seconds"][name], cell["ratios"][name]
        if ratio >= SAME:
            draw_bar(axes, y, seconds, f", {ratio:.1f}x faster", FASTER, weight="bold")
        elif 1 / ratio >= SAME:
            draw_bar(axes, y, seconds, f", {1 / ratio:.1f}x slower", SLOWER)
        else:
            draw_bar(axes, y, seconds, ", the same", SLOWER)
    longest = max(cell["seconds"][name] for name in ("numpy_rnn", *RIVALS))
    axes.set(xlim=(0, 2.3 * longest), ylim=(len(RIVALS) + 0.6, -0.6))


def draw_bar(
    axes: Axes, y: int, seconds: float, text: str, color: str, weight: str = "normal"
) -> None:
    axes.barh(y, seconds, color=color, height=0.72)
    text = f" {microseconds(seconds)} µs{text}"
    axes.text(seconds, y, text, va="center", weight=weight, fontsize=8)


def draw_sizes(results: Results, file: Path) -> None:
    """Draw the ratios to torch and ONNX Runtime on one thread into a file.

    Colours run from blue (faster) over white to red (slower), which the colour-blind tell
    apart; the background is white, on dark pages too.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(10.5, 8.2), layout="constrained", facecolor="white")
        axes = figure.subplots(len(RIVALS), len(KINDS), squeeze=False)
        figure.get_layout_engine().set(w_pad=0.1, h_pad=0.06)
        cells = cells_of(results, 0)
        for (row, peer), (column, kind) in itertools.product(
            enumerate(RIVALS), enumerate(KINDS)
        ):
            image = panel(axes[row, column], cells, kind, peer)
            if column == 0:
                label_rows(axes[row, column])
        figure.suptitle(
            "Time of numpy_rnn over the time of torch and of ONNX Runtime, one thread\n"
            "blue, below 1: numpy_rnn is faster; red, framed and bold: it is slower",
            fontsize=11,
        )
        bar = figure.colorbar(image, ax=axes, shrink=0.5, aspect=30, pad=0.02)
        marks = range(-int(STRONGEST), int(STRONGEST) + 1)
        bar.set_ticks(list(marks), labels=[f"{2.0**mark:g}" for mark in marks])
        bar.ax.axhline(0, color="black", linewidth=1.5)
        save(figure, file)


def save(figure: Figure, file: Path) -> None:
    """Write the figure, without the date."""
    metadata = {"Date": None} if file.suffix == ".svg" else None
    figure.savefig(file, metadata=metadata, dpi=110)


def panel(axes: Axes, cells: Cells, kind: str, peer: str) -> AxesImage:
    """Draw a kind of layer against a peer: rows are T and N, columns H."""
    ratios = np.full((len(ROWS), len(SIZES)), np.nan)
    for (y, (steps, batch)), (x, size) in itertools.product(enumerate(ROWS), enumerate(SIZES)):
        case = Case(kind, steps, batch, size)
        if case in cells:
            ratios[y, x] = cells[case]["ratios"][peer]
    image = axes.imshow(
        np.log2(ratios), cmap="RdBu_r", vmin=-STRONGEST, vmax=STRONGEST, aspect="auto"
    )
    for y, x in np.argwhere(np.isfinite(ratios)):
        ratio = ratios[y, x]
        dark = abs(np.log2(ratio)) > 0.6 * STRONGEST
        weight = "bold" if ratio > 1 else "normal"
        color = "white" if dark else "black"
        axes.text(x, y, f"{ratio:.2f}", ha="center", va="center", color=color, weight=weight)
        if ratio > 1:
            frame = Rectangle((x - 0.46, y - 0.44), 0.92, 0.88, fill=False, linewidth=1.4)
            axes.add_patch(frame)
    for y in range(len(BATCHES), len(ROWS), len(BATCHES)):
        axes.axhline(y - 0.5, color="black", linewidth=1)
    axes.set_title(f"{kind} / {LABELS[peer]}")
    axes.set_xticks(range(len(SIZES)), labels=[f"H={size}" for size in SIZES])
    axes.set_yticks(range(len(ROWS)), labels=[])
    axes.tick_params(length=0)
    return image


def label_rows(axes: Axes) -> None:
    labels = [f"T={steps:,}  N={batch}" for steps, batch in ROWS]
    axes.set_yticks(range(len(ROWS)), labels=labels)

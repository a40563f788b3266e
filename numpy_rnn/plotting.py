"""The picture of a `numpy_rnn.Trace`; matplotlib is imported only to draw it."""

from __future__ import annotations

import functools
import io
import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from numpy_rnn.floating_point import silent
from numpy_rnn.utils.rnn import PackedSequence, unpack_sequence

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from numpy_rnn._typing import AnyArray, Array

COLUMN_WIDTH, LEAST_WIDTH = 3.2, 8.0
UNIT_HEIGHT, LEAST_HEIGHT, MOST_HEIGHT = 0.12, 1.8, 4.8
ABOVE_HEIGHT, NAME_WIDTH, LETTER_HEIGHT = 2.2, 1.5, 0.08
"""Inches; a label of more than two letters is rotated, and takes this below the panel
for each of them."""

MOST_UNITS = 32
"""Units that are drawn unless the caller says how many."""

MOST_LABELS = 16
"""Labels that fit along an axis."""

MOST_NAMED = 10
"""Lines that have a colour and a name: matplotlib has ten colours."""


Units: TypeAlias = "int | Sequence[int] | AnyArray | None"


class Panel(NamedTuple):
    """A state or gate to draw: values of shape (L, units), and the ends of their scale."""

    title: str
    values: Array
    units: AnyArray
    of: int
    lowest: float
    highest: float


@silent
def draw(
    trace: Any,
    layers: str | int | Iterable[str | int] | None,
    units: Units,
    gates: Iterable[str] | None,
    labels: Sequence[str] | None,
    sequence: int,
    above: Mapping[str, AnyArray] | None,
) -> Figure:
    """Return a figure with a row for each layer, and a panel for each state and gate.

    Parameters and errors are those of `numpy_rnn.Trace.plot`, which calls this.
    """
    if layers is None:
        layers = range(len(trace))
    names = [layers] if isinstance(layers, (str, int)) else list(layers)
    if not names:
        raise ValueError("layers must name at least one layer, got none")
    gates = None if gates is None else list(gates)
    rows = [list(_panels(trace, trace[name], units, gates, sequence)) for name in names]
    steps, above = len(rows[0][0].values), above or {}
    _check_length(steps, labels, above)
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("plot needs matplotlib: pip install matplotlib") from error

    letters = 0 if labels is None else max(map(len, labels))
    heights = [1 + UNIT_HEIGHT * len(row[0].units) for row in rows]
    heights = [min(max(LEAST_HEIGHT, height), MOST_HEIGHT) for height in heights]
    heights = [ABOVE_HEIGHT, *heights] if above else heights
    if letters > 2:
        heights = [height + LETTER_HEIGHT * letters for height in heights]
    columns = max(map(len, rows))
    width = max(LEAST_WIDTH, COLUMN_WIDTH * columns)
    figure = Figure(figsize=(width, 0.5 + sum(heights)), layout="constrained")
    figure.suptitle(trace.kind)
    grid = figure.subplots(len(heights), columns, squeeze=False, height_ratios=heights)
    if above:
        _draw_above(grid[0, 0], above, width / columns)
    for all_axes, row in zip(grid[-len(rows) :], rows):
        for axes, panel in zip(all_axes, row):
            _draw_panel(axes, panel)
    every = 1 + (steps - 1) // MOST_LABELS
    for axes in grid.flat:
        if not axes.has_data():
            axes.remove()
            continue
        axes.set_xlim(-0.5, steps - 0.5)
        axes.locator_params(axis="x", integer=True, min_n_ticks=1)
        if labels is not None:
            axes.set_xticks(
                range(0, steps, every),
                labels=list(labels)[::every],
                parse_math=False,
                rotation=90 if letters > 2 else 0,
                fontsize=8 if letters > 1 else 10,
            )
    # A notebook shows a figure by itself only after pyplot has made one.
    figure._repr_png_ = functools.partial(_png, figure)  # type: ignore[attr-defined]
    return figure


@silent
def draw_gradients(gradients: Any, labels: Sequence[str] | None, sequence: int) -> Figure:
    """Return a figure with a line for each layer: how long its gradient is at each step.

    Parameters and errors are those of `numpy_rnn.Gradients.plot`, which calls this.
    """
    lines: dict[str, Array] = {}
    for layer in gradients:
        if layer.name == "cell":
            raise ValueError("these are the gradients of a cell, which has a single step")
        if isinstance(gradients.input, PackedSequence):
            raise ValueError(
                "these are the gradients of a packed input, which has no axis of steps: draw "
                "a sequence alone"
            )
        for name, array in (("hidden", layer.hidden), ("cell", layer.cell)):
            if array is not None:
                one = _sequence_of(array, gradients.batch_first, sequence)
                lines[f"{layer.name} {name}"] = np.linalg.norm(one, axis=-1)
    steps = len(next(iter(lines.values())))
    _check_length(steps, labels, {})
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("plot needs matplotlib: pip install matplotlib") from error

    figure = Figure(figsize=(LEAST_WIDTH, MOST_HEIGHT), layout="constrained")
    axes = figure.add_subplot()
    for name, values in lines.items():
        axes.plot(range(steps), values, label=name, linestyle="--" if "cell" in name else "-")
    if any((values > 0).any() for values in lines.values()):
        axes.set_yscale("log")
    axes.set_xlabel("step")
    axes.set_ylabel("length of the gradient")
    axes.grid(alpha=0.3)
    axes.legend()
    if labels is not None:
        axes.set_xticks(range(steps), labels)
    return figure


def _sequence_of(array: Array, batch_first: bool, sequence: int) -> Array:
    """Return the values of one sequence, (L, H)."""
    if array.ndim == 2:
        if sequence:
            raise IndexError(f"sequence must be 0 where there is no batch, got {sequence}")
        return array
    return array[sequence] if batch_first else array[:, sequence]


def _check_length(
    steps: int, labels: Sequence[str] | None, above: Mapping[str, AnyArray]
) -> None:
    if labels is not None and len(labels) != steps:
        raise ValueError(
            f"labels must have one label for each of {steps} steps, got {len(labels)}"
        )
    for name, values in above.items():
        if np.shape(values) != (steps,):
            raise ValueError(
                f"above[{name!r}] must have shape ({steps},), a number for each step, got "
                f"{np.shape(values)}"
            )


def _panels(
    trace: Any, layer: Any, units: Units, gates: Sequence[str] | None, sequence: int
) -> Iterator[Panel]:
    """Yield what is drawn of a layer."""
    if layer.name == "cell":
        raise ValueError(
            "cannot plot the trace of a cell, which has a single step: trace a layer with "
            "the cell's weights"
        )
    for gate in gates or ():
        if gate not in layer.gates:
            names = ", ".join(layer.gates) or "none"
            raise ValueError(
                f"gates must name gates of {trace.kind}, which has {names}, got {gate!r}"
            )
    # The first state of a width decides: a projected LSTM's hidden state has its own.
    chosen: dict[int, AnyArray] = {}
    for name, array in layer.states_and_gates():
        gate = name.removeprefix("gates.")
        if name != gate and gates is not None and gate not in gates:
            continue
        values = _of_sequence(trace, array, sequence)
        width = values.shape[1]
        if width not in chosen:
            chosen[width] = _chosen(values, units)
        values = values[:, chosen[width]]
        largest = float(np.abs(values).max(initial=0.0, where=np.isfinite(values)))
        highest = largest or 1.0 if name == "cell" else max(1.0, largest)
        lowest = 0.0 if gate in layer.sigmoids else -highest
        yield Panel(f"{layer.name} {gate}", values, chosen[width], width, lowest, highest)


def _of_sequence(trace: Any, array: Array, sequence: int) -> Array:
    """Return the rows of one sequence, of shape (L, H)."""
    sequence = operator.index(sequence)
    if isinstance(trace.output, PackedSequence):
        return unpack_sequence(trace.output._replace(data=array))[sequence]
    if array.ndim == 2:
        array = array[:, None]  # a batch of one
    rows: Array = np.take(array, sequence, 0 if trace.batch_first else 1)
    return rows


def _chosen(values: Array, units: Units) -> AnyArray:
    """Return the numbers of the units to draw, from the values of a state."""
    numbers: AnyArray = np.arange(values.shape[1])
    if units is None:
        if len(numbers) <= MOST_UNITS:
            return numbers
        units = MOST_UNITS
    if np.ndim(units) > 0:
        if not len(units):  # type: ignore[arg-type]  # it is a sequence
            raise ValueError("units must have at least one index, got none")
        return numbers.take(units)
    count = operator.index(units)  # type: ignore[arg-type]  # it is not a sequence
    if count < 1:
        raise ValueError(f"units must be 1 or more, got {count}")
    changing = np.argsort(-values.std(axis=0), kind="stable")[:count]
    largest_at = values[:, changing].argmax(axis=0)
    return changing[np.argsort(largest_at, kind="stable")]


def _draw_panel(axes: Axes, panel: Panel) -> None:
    """Draw a row for each unit, or the only unit as a line."""
    title, values, units, of, lowest, highest = panel
    axes.set(title=title, xlabel="step")
    shown = len(units)
    if shown == 1:
        axes.plot(values, marker=".")
        margin = 0.05 * (highest - lowest)
        axes.set_ylim(lowest - margin, highest + margin)
        axes.axhline(0, color="grey", linewidth=0.5)
        axes.set_ylabel("" if of == 1 else f"unit {units[0]} of {of}")
        return
    colours = "RdBu_r" if lowest else "viridis"
    image = axes.imshow(values.T, colours, aspect="auto", vmin=lowest, vmax=highest)
    image.set_interpolation("nearest")
    ticks = [lowest, (lowest + highest) / 2, highest]
    axes.figure.colorbar(image, ax=axes, ticks=ticks, format="%.3g")
    axes.set_ylabel("unit" if shown == of else f"{shown} of {of} units")
    every = 1 + (shown - 1) // MOST_LABELS
    axes.set_yticks(range(0, shown, every), labels=map(str, units[::every]), fontsize=7)


def _draw_above(axes: Axes, above: Mapping[str, AnyArray], width: float) -> None:
    """Draw a line for each name; of many, only those that are ever the highest are named."""
    names, lines = list(above), np.array(list(above.values()), np.float64)
    winners = dict.fromkeys(lines.argmax(axis=0).tolist())
    named = list(range(len(lines)) if len(lines) <= MOST_NAMED else winners)[:MOST_NAMED]
    axes.plot(lines.T, color="lightgrey", linewidth=1)
    handles = axes.plot(lines[named].T, marker=".")
    legend = axes.legend(
        handles,
        ["name"] * len(handles),
        loc="lower center",
        bbox_to_anchor=(0.5, 1),
        ncols=int(width / NAME_WIDTH),
        frameon=False,
    )
    for text, index in zip(legend.get_texts(), named):
        text.set(text=names[index], parse_math=False)  # legend() leaves out names like "_"
    finite = np.isfinite(lines)
    axes.set_ylim(lines.min(initial=0.0, where=finite), lines.max(initial=1.0, where=finite))


def _png(figure: Figure) -> bytes:
    """Return the picture as notebooks ask for it."""
    figure.savefig(file := io.BytesIO(), format="png")
    return file.getvalue()

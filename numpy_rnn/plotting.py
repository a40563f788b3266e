"""The picture of a `numpy_rnn.Trace`; matplotlib is imported only to draw it."""

from __future__ import annotations

import functools
import io
import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

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
    units: int | Sequence[int] | AnyArray | None,
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
    steps = len(rows[0][0].values)
    _check_length(steps, labels, above)
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("plot needs matplotlib: pip install matplotlib") from error

    columns = max(len(row) for row in rows)
    width = max(LEAST_WIDTH, COLUMN_WIDTH * columns)
    heights = _heights(rows, labels, above)
    figure = Figure(figsize=(width, 0.5 + sum(heights)), layout="constrained")
    figure.suptitle(trace.kind)
    grid = figure.subplots(len(heights), columns, squeeze=False, height_ratios=heights)
    if above:
        _draw_above(grid[0, 0], above, width / columns)
    for all_axes, row in zip(grid[-len(rows) :], rows):
        for axes, panel in zip(all_axes, row):
            (_draw_line if len(panel.units) == 1 else _draw_heat_map)(axes, panel)
    for axes in grid.flat:
        if axes.has_data():
            _label_steps(axes, steps, labels)
        else:
            axes.remove()
    # A notebook shows a figure by itself only after pyplot has made one.
    figure._repr_png_ = functools.partial(_png, figure)  # type: ignore[attr-defined]
    return figure


def _check_length(
    steps: int, labels: Sequence[str] | None, above: Mapping[str, AnyArray] | None
) -> None:
    if labels is not None and len(labels) != steps:
        raise ValueError(
            f"labels must have one label for each of {steps} steps, got {len(labels)}"
        )
    for name, values in (above or {}).items():
        if np.shape(values) != (steps,):
            raise ValueError(
                f"above[{name!r}] must have shape ({steps},), a number for each step, got "
                f"{np.shape(values)}"
            )


def _heights(
    rows: Sequence[Sequence[Panel]],
    labels: Sequence[str] | None,
    above: Mapping[str, AnyArray] | None,
) -> list[float]:
    """Return how high each row of the figure is."""
    heights = [ABOVE_HEIGHT] if above else []
    for row in rows:
        height = 1 + UNIT_HEIGHT * len(row[0].units)
        heights.append(min(max(LEAST_HEIGHT, height), MOST_HEIGHT))
    letters = _longest(labels)
    return [height + LETTER_HEIGHT * letters * (letters > 2) for height in heights]


def _longest(labels: Sequence[str] | None) -> int:
    return 0 if labels is None else max(map(len, labels))


def _panels(
    trace: Any,
    layer: Any,
    units: int | Sequence[int] | AnyArray | None,
    gates: Sequence[str] | None,
    sequence: int,
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
    states = [layer.hidden] if layer.cell is None else [layer.cell, layer.hidden]
    chosen = {  # the hidden state of a projected LSTM has other units than the rest
        state.shape[-1]: _chosen(_of_sequence(trace, state, sequence), units)
        for state in states
    }
    for name, array in layer.states_and_gates():
        gate = name.removeprefix("gates.")
        if name != gate and gates is not None and gate not in gates:
            continue
        numbers = chosen[array.shape[-1]]
        values = _of_sequence(trace, array, sequence)[:, numbers]
        largest = float(np.abs(values).max(initial=0.0, where=np.isfinite(values)))
        highest = largest or 1.0 if name == "cell" else max(1.0, largest)
        lowest = 0.0 if gate in layer.sigmoids else -highest
        title = f"{layer.name} {gate}"
        yield Panel(title, values, numbers, array.shape[-1], lowest, highest)


def _of_sequence(trace: Any, array: Array, sequence: int) -> Array:
    """Return the rows of one sequence, of shape (L, H)."""
    sequence = operator.index(sequence)
    if isinstance(trace.output, PackedSequence):
        return unpack_sequence(trace.output._replace(data=array))[sequence]
    if array.ndim == 2:
        array = array[:, None]  # a batch of one
    rows: Array = np.moveaxis(array, 0 if trace.batch_first else 1, 0)[sequence]
    return rows


def _chosen(values: Array, units: int | Sequence[int] | AnyArray | None) -> AnyArray:
    """Return the numbers of the units to draw, from the values of a state."""
    numbers: AnyArray = np.arange(values.shape[1])
    if units is None:
        if len(numbers) <= MOST_UNITS:
            return numbers
        units = MOST_UNITS
    if np.ndim(units) > 0:
        indices = np.asarray(units)
        if not indices.size:
            raise ValueError("units must have at least one index, got none")
        return np.take(numbers, indices)
    count = operator.index(units)  # type: ignore[arg-type]  # it is not a sequence
    if count < 1:
        raise ValueError(f"units must be 1 or more, got {count}")
    changing = np.argsort(-values.std(axis=0), kind="stable")[:count]
    largest_at = values[:, changing].argmax(axis=0)
    return numbers[changing[np.argsort(largest_at, kind="stable")]]


def _draw_heat_map(axes: Axes, panel: Panel) -> None:
    """Draw a row for each unit."""
    axes.set_title(panel.title)
    axes.set_xlabel("step")
    image = axes.imshow(
        panel.values.T,
        aspect="auto",
        interpolation="nearest",
        cmap="RdBu_r" if panel.lowest else "viridis",
        vmin=panel.lowest,
        vmax=panel.highest,
    )
    middle = (panel.lowest + panel.highest) / 2
    ticks = [panel.lowest, middle, panel.highest]
    axes.figure.colorbar(image, ax=axes, ticks=ticks, format="%.3g")
    shown = len(panel.units)
    axes.set_ylabel("unit" if shown == panel.of else f"{shown} of {panel.of} units")
    every = -(-shown // MOST_LABELS)
    axes.set_yticks(range(0, shown, every), labels=map(str, panel.units[::every]), fontsize=7)


def _draw_line(axes: Axes, panel: Panel) -> None:
    """Draw the only unit as a line."""
    axes.set_title(panel.title)
    axes.set_xlabel("step")
    axes.plot(panel.values[:, 0], marker=".")
    margin = 0.05 * (panel.highest - panel.lowest)
    axes.set_ylim(panel.lowest - margin, panel.highest + margin)
    axes.axhline(0, color="grey", linewidth=0.5)
    if panel.of > 1:
        axes.set_ylabel(f"unit {panel.units[0]} of {panel.of}")


def _draw_above(axes: Axes, above: Mapping[str, AnyArray], width: float) -> None:
    """Draw a line for each name; of many, only those that are ever the highest are named."""
    lines = np.array(list(above.values()), np.float64)
    winners = dict.fromkeys(lines.argmax(axis=0).tolist())
    named = list(range(len(lines)) if len(lines) <= MOST_NAMED else winners)[:MOST_NAMED]
    axes.plot(lines.T, color="lightgrey", linewidth=1)
    handles = [axes.plot(lines[index], marker=".")[0] for index in named]
    names = list(above)
    legend = axes.legend(
        handles,
        ["name"] * len(handles),
        loc="lower center",
        bbox_to_anchor=(0.5, 1),
        ncols=int(width / NAME_WIDTH),
        frameon=False,
    )
    for text, index in zip(legend.get_texts(), named):
        text.set_parse_math(False)
        text.set_text(names[index])  # legend() itself leaves out names like "_"
    finite = np.isfinite(lines)
    axes.set_ylim(lines.min(initial=0.0, where=finite), lines.max(initial=1.0, where=finite))


def _label_steps(axes: Axes, steps: int, labels: Sequence[str] | None) -> None:
    """Write the labels below the steps, as many as fit; numbers if there are none."""
    axes.set_xlim(-0.5, steps - 0.5)
    if labels is None:
        axes.locator_params(axis="x", integer=True, min_n_ticks=1)
        return
    every, letters = -(-steps // MOST_LABELS), _longest(labels)
    axes.set_xticks(range(0, steps, every))
    axes.set_xticklabels(
        list(labels)[::every],
        parse_math=False,
        rotation=90 if letters > 2 else 0,
        fontsize=8 if letters > 1 else 10,
    )


def _png(figure: Figure) -> bytes:
    """Return the picture as notebooks ask for it."""
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()

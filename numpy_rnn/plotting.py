"""The picture of a `numpy_rnn.Trace`; matplotlib is imported only to draw it."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from numpy_rnn.utils.rnn import PackedSequence, unpack_sequence

if TYPE_CHECKING:
    from numpy_rnn._typing import Array
    from numpy_rnn.tracing import Trace

PANEL_WIDTH, PANEL_HEIGHT = 3.2, 2.6
"""Inches."""

MOST_LABELS = 30
"""Labels that fit below a panel."""


def draw(trace: Trace[Any, Any], sequence: int, labels: Sequence[str] | None) -> Any:
    """Return a figure with a row for each layer, and a panel for each state and gate.

    Parameters and errors are those of `numpy_rnn.Trace.plot`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    rows = [list(_panels(trace, index, sequence)) for index in range(len(trace.layers))]
    steps = len(rows[0][0][1])
    if labels is not None and len(labels) != steps:
        raise ValueError(
            f"labels must have one label for each of {steps} steps, got {len(labels)}"
        )
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("plot needs matplotlib: pip install matplotlib") from error

    columns = max(len(row) for row in rows)
    figure = Figure(
        figsize=(PANEL_WIDTH * columns, PANEL_HEIGHT * len(rows)), layout="constrained"
    )
    panels = figure.subplots(len(rows), columns, squeeze=False)
    for index, row in enumerate(rows):
        for panel, (name, values) in zip(panels[index], row):
            sigmoid = name.removeprefix("gates.") in trace.layers[index].sigmoids
            largest = 1.0 if sigmoid else max(1e-12, float(np.abs(values).max()))
            image = panel.imshow(
                values.T,
                aspect="auto",
                interpolation="nearest",
                cmap="viridis" if sigmoid else "RdBu_r",
                vmin=0.0 if sigmoid else -largest,
                vmax=largest,
            )
            figure.colorbar(image, ax=panel)
            panel.set_title(f"{trace.layers[index].name} {name.removeprefix('gates.')}")
            panel.set_xlabel("step")
            panel.set_ylabel("unit")
            if labels is not None:
                every = -(-steps // MOST_LABELS)
                panel.set_xticks(range(0, steps, every))
                panel.set_xticklabels(list(labels)[::every], parse_math=False)
    figure.suptitle(trace.kind)
    return figure


def _panels(trace: Trace[Any, Any], index: int, sequence: int) -> Iterator[tuple[str, Array]]:
    """Yield (name, values of shape (L, H)) of what is drawn of a layer."""
    layer = trace.layers[index]
    if layer.name == "cell":
        raise ValueError(
            "cannot plot the trace of a cell, which has a single step: trace a layer"
        )
    sequence = operator.index(sequence)
    for name, array in layer.states_and_gates():
        if isinstance(trace.output, PackedSequence):
            yield name, unpack_sequence(trace.output._replace(data=array))[sequence]
        elif array.ndim == 3:
            yield name, np.moveaxis(array, 0 if trace.batch_first else 1, 0)[sequence]
        else:
            yield name, array[None][sequence]  # a batch of one

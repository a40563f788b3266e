"""The picture of a `numpy_rnn.trace.Trace`; matplotlib is imported only to draw it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from numpy_rnn.utils.rnn import PackedSequence

if TYPE_CHECKING:
    from numpy_rnn._typing import Array
    from numpy_rnn.tracing import Trace

PANEL_WIDTH, PANEL_HEIGHT = 3.2, 2.6
"""Inches."""


def draw(
    trace: Trace,
    path: str | os.PathLike[str],
    sequence: int,
    labels: Sequence[str] | None,
) -> None:
    """Draw a row for each layer and direction, a panel for its states and each gate.

    Parameters, errors: see `numpy_rnn.Trace.plot`.
    """
    rows = [list(_panels(trace, index, sequence)) for index in range(len(trace.layers))]
    steps = rows[0][0][1].shape[0]
    if labels is not None and len(labels) != steps:
        raise ValueError(f"there are {len(labels)} labels for {steps} steps")
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("drawing a trace needs matplotlib: pip install matplotlib") from error

    columns = max(len(row) for row in rows)
    figure = Figure(
        figsize=(PANEL_WIDTH * columns, PANEL_HEIGHT * len(rows)), layout="constrained"
    )
    axes = figure.subplots(len(rows), columns, squeeze=False)
    for row_axes, row in zip(axes, rows):
        for panel, (title, values) in zip(row_axes, row):
            # Sigmoids are in [0, 1] and everything else is about zero: two scales of colour.
            is_sigmoid = title.split()[-1] in ("i", "f", "o", "r", "z")
            largest = 1.0 if is_sigmoid else max(1e-12, float(np.abs(values).max()))
            image = panel.imshow(
                values.T,
                aspect="auto",
                interpolation="nearest",
                cmap="viridis" if is_sigmoid else "RdBu_r",
                vmin=0.0 if is_sigmoid else -largest,
                vmax=largest,
            )
            figure.colorbar(image, ax=panel)
            panel.set_title(title)
            panel.set_xlabel("step")
            panel.set_ylabel("unit")
            if labels is not None:
                panel.set_xticks(range(steps), list(labels))
    figure.suptitle(trace.kind)
    figure.savefig(os.fspath(path))


def _panels(trace: Trace, index: int, sequence: int) -> list[tuple[str, Array]]:
    """Return (title, values of shape (L, H)) of what is drawn of a layer."""
    layer = trace.layers[index]
    if isinstance(trace.output, PackedSequence) or layer.name == "cell":
        raise ValueError(
            "a packed batch or a single step of a cell has no time axis to draw: trace one "
            "sequence of shape (L, H_in)"
        )
    arrays = [(name, array) for name, array in layer.items() if "pre_" not in name]
    if layer.hidden.ndim == 3:
        batch_axis = 0 if trace.batch_first else 1
        arrays = [(name, np.moveaxis(a, batch_axis, 0)[sequence]) for name, a in arrays]
    return [(f"{layer.name} {name.removeprefix('gates.')}", array) for name, array in arrays]

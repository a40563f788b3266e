"""The float32 errors as Markdown: a table for each kind, and one of all nets.

A ratio is our error over torch's: above 1 we are less exact, and it is bold.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any, TypeAlias

from benchmarks.nets import CONDITIONS, KINDS, Net

Errors: TypeAlias = "dict[str, Any]"
"""What `benchmarks.accuracy` prints of a net: its condition, the net, and errors by library."""


def ratio(found: Errors, name: str = "numpy_rnn") -> float:
    """Return an error over torch's."""
    errors = found["errors"]
    return float(errors[name] / errors["torch"])


def text(value: float) -> str:
    """Return a ratio with two digits, bold if it is above 1.

    >>> text(0.5), text(1.001), text(1.25)
    ('0.50', '**1.00**', '**1.25**')
    """
    return f"**{value:.2f}**" if value > 1 else f"{value:.2f}"


def mean_and_worst(ratios: Sequence[float]) -> str:
    """Return the geometric mean of ratios and the largest of them.

    >>> mean_and_worst([0.5, 2.0])
    '1.00, **2.00**'
    """
    return f"{text(statistics.geometric_mean(ratios))}, {text(max(ratios))}"


def summary(accuracy: Sequence[Errors]) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of the table by kind and condition."""
    titles = [t for t in CONDITIONS if any(found["condition"] == t for found in accuracy)]
    rows = []
    for kind in KINDS:
        own = [found for found in accuracy if found["net"]["kind"] == kind]
        if not own:
            continue
        by_title = [[ratio(f) for f in own if f["condition"] == title] for title in titles]
        chance = [ratio(found, "renumbered") for found in own]
        rows.append(
            [
                kind,
                mean_and_worst([ratio(found) for found in own]),
                *(mean_and_worst(ratios) for ratios in by_title),
                f"{min(chance):.2f} to {max(chance):.2f}",
            ]
        )
    return ["mean, worst", "all nets", *titles, "by chance"], rows


def nets(accuracy: Sequence[Errors]) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of the table of all nets."""
    header = ["float32", "root of output²", "torch's error", "ours over it", "by chance"]
    rows = []
    for found in accuracy:
        errors = found["errors"]
        rows.append(
            [
                str(Net(**found["net"])),
                f"{errors['truth']:.1e}",
                f"{errors['torch']:.1e}",
                text(ratio(found)),
                f"{ratio(found, 'renumbered'):.2f}",
            ]
        )
    return header, rows


def trained(found: Sequence[Errors]) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of the table of layers with trained weights."""
    rows = [
        [
            f"{layer['layer']}, {layer['kind']} of {layer['size']}",
            f"{layer['errors']['torch']:.1e}",
            text(ratio(layer)),
            f"{ratio(layer, 'renumbered'):.2f}",
        ]
        for layer in found
    ]
    return ["trained", "torch's error", "ours over it", "by chance"], rows

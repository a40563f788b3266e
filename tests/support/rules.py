"""The rules of the port on both sides: examples, their forms at the edges, the guide's table.

Run as a program it writes the table between its marks in the guide.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

import numpy_rnn as nn
from numpy_rnn import arrays, functional
from numpy_rnn.port import port_expression
from numpy_rnn.port.kinds import TENSORS
from numpy_rnn.port.rules import ARRAY, INTEGERS, RULES, SECTIONS, Rule
from tests.support.documents import GUIDE, text_of

KINDS = {"x": ARRAY, "y": ARRAY, "p": ARRAY, "index": INTEGERS, "lengths": INTEGERS}
MARKS = "<!-- rules -->", "<!-- /rules -->"
AXES = re.compile(r"(?<=dim=)([012])\b|(?<=[(, ])([012])(?=\)$)")
"""An axis in an example of an array of three axes."""

SHAPES = {
    "x": (2, 3, 4),
    "without rows": (0, 3, 4),
    "without columns": (2, 0, 4),
    "empty": (2, 3, 0),
}


def ported(example: str) -> str:
    """Return the NumPy side of an example."""
    written = port_expression(example, KINDS)
    assert written is not None, f"{example} is not rewritten whole"
    return written


def examples() -> Iterator[tuple[Rule, str]]:
    """Yield every example with its rule."""
    for rule in RULES:
        for example in rule.examples:
            yield rule, example


def negative(example: str) -> str | None:
    """Return an example with its first axis counted from the end, if it names one."""
    other = re.sub(
        r"(?<=dim=)([012])\b", lambda match: str(int(match[1]) - 3), example, count=1
    )
    return other if other != example else None


def values(shape: tuple[int, ...]) -> dict[str, Any]:
    """Return the arrays that examples name."""
    rng = np.random.default_rng(0)
    return {
        "x": rng.standard_normal(shape).astype(np.float32),
        "y": rng.standard_normal(shape).astype(np.float32),
        "p": np.array([0, 0.25, 0.75], np.float32),
        "index": rng.integers(0, max(shape[-1], 1), shape),
        "lengths": np.array([3, 2, 1]),
        "array": rng.standard_normal(3),
    }


def both_sides(example: str, shape: tuple[int, ...] = (2, 3, 4)) -> tuple[Any, Any]:
    """Return what torch's side gives, an exception if it raises one, and what NumPy's gives."""
    theirs: Any
    given = values(shape)
    tensors = {
        name: value if name == "array" else torch.from_numpy(value.copy())
        for name, value in given.items()
    }
    torch.manual_seed(0)
    try:
        theirs = eval(example, {"torch": torch, "F": torch.nn.functional, **tensors})
    except (RuntimeError, IndexError, ValueError) as error:
        return error, None
    nn.manual_seed(0)
    names = {"np": np, "nn": nn, "F": functional, "arrays": arrays, **given}
    return theirs, eval(ported(example), names)


def table() -> str:
    """Return the guide's table of the rules that it shows."""
    lines = ["| torch | here |", "|---|---|"]
    for title, rules in SECTIONS.items():
        lines.append(f"| **{title}** | |")
        for rule in rules:
            if rule.shown:
                note = f" ({rule.assumes})" if rule.assumes else ""
                example = rule.examples[0]
                lines.append(f"| `{example}` | `{ported(example)}`{note} |")
    return "\n".join(lines) + "\n"


def written_table() -> str:
    """Return what is between the marks in the guide."""
    start, end = MARKS
    return text_of(GUIDE).partition(f"{start}\n")[2].partition(end)[0]


if __name__ == "__main__":
    assert TENSORS
    start, end = MARKS
    GUIDE.write_text(text_of(GUIDE).replace(written_table(), table()), "utf-8")

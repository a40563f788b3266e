"""JSON from a file that is not trusted: bounded, without duplicate keys."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

from numpy_rnn.checkpoint.errors import CheckpointError, shown
from numpy_rnn.checkpoint.memory_budget import MemoryBudget

__all__ = ["parse_json"]

DEEPEST = 20
"""Levels of nesting. The parser calls itself for each, and a thread's stack may be small."""

MARK = re.compile(rb'\\.|["\[\]{}]', re.DOTALL)
"""What matters for the nesting: brackets, quotes, and what is escaped in a string."""


def parse_json(text: bytes, budget: MemoryBudget, what: str) -> dict[str, Any]:
    """Return the object in a text.

    Parameters
    ----------
    text : bytes
    budget : MemoryBudget
        For what it becomes.
    what : str
        The text's name, for errors.

    Raises
    ------
    CheckpointError
        If it is not valid JSON, not an object, nested too deeply, or has a key twice.
    """
    budget.spend_json(len(text))
    if text[:1] != b"{":
        raise CheckpointError(f"{what} must be a JSON object")
    if _depth(text) > DEEPEST:
        raise CheckpointError(f"{what} is nested more than {DEEPEST} levels deep")

    def without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(pairs)
        if len(result) != len(pairs):
            ((twice, _),) = Counter(name for name, _ in pairs).most_common(1)
            raise CheckpointError(f"{what} has the key {shown(twice)} twice")
        return result

    def refuse(number: str) -> None:
        raise CheckpointError(f"the numbers in {what} must be integers, got {shown(number)}")

    try:
        parsed = json.loads(
            text.decode("utf-8"),
            object_pairs_hook=without_duplicates,
            parse_float=refuse,
            parse_constant=refuse,
        )
    except CheckpointError:
        raise
    except ValueError as error:
        raise CheckpointError(f"{what} is not valid JSON: {error}") from None
    result: dict[str, Any] = parsed
    return result


def _depth(text: bytes) -> int:
    """Return how deep brackets are nested, those in strings apart."""
    deepest = depth = 0
    in_string = False
    for found in MARK.finditer(text):
        mark = found[0]
        if mark == b'"':
            in_string = not in_string
        elif not in_string and len(mark) == 1:
            depth += 1 if mark in b"[{" else -1
            deepest = max(deepest, depth)
    return deepest

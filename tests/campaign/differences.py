"""What differs from torch on purpose: each rule names its row of the README's table."""

from __future__ import annotations

from typing import Any


def named_difference(case: Any, ours: Any, theirs: Any) -> str | None:
    return None

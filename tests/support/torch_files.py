"""Files that torch writes."""

from __future__ import annotations

import io
from typing import Any

import torch


def saved(obj: Any, **options: Any) -> io.BytesIO:
    """Return the file that ``torch.save`` makes of an object, at its beginning."""
    file = io.BytesIO()
    torch.save(obj, file, **options)
    file.seek(0)
    return file

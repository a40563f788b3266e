"""The error of everything that is refused in a checkpoint."""

from __future__ import annotations

__all__ = ["CheckpointError"]


class CheckpointError(ValueError):
    """A file that is damaged, hostile, or holds what cannot be read without torch."""

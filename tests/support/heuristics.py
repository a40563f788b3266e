"""The ways of computing that sizes choose between, each to be forced by a test."""

from __future__ import annotations

import pytest

from numpy_rnn.recurrence import heuristics

PLAIN = {
    "sequence_in_one_product": False,
    "gru_in_one_product": False,
    "batch_in_one_product": False,
    "elman_by_columns": False,
    "step_by_columns": False,
    "as_wavefront": False,
    "directions_joined": False,
    "block_steps": 10**6,
    "terms_at_once": 10**6,
}
"""What every heuristic answers for the plain way: by rows, layer by layer, all at once."""

WAYS = {
    "rows": PLAIN,
    "one product": PLAIN
    | {
        "sequence_in_one_product": True,
        "gru_in_one_product": True,
        "batch_in_one_product": True,
    },
    "columns": PLAIN | {"elman_by_columns": True, "step_by_columns": True},
    "wavefront": PLAIN | {"as_wavefront": True},
    "directions joined": PLAIN | {"directions_joined": True},
    "blocks of 3 steps": PLAIN | {"block_steps": 3},
    "two terms at a time": PLAIN | {"terms_at_once": 2},
    "all": dict.fromkeys(PLAIN, True) | {"block_steps": 2, "terms_at_once": 2},
}
"""The answers that lead to each way of computing."""


def force(monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    """Have everything computed in one way, whatever its size."""
    for heuristic, answer in WAYS[way].items():
        monkeypatch.setattr(heuristics, heuristic, lambda *_, answer=answer: answer)

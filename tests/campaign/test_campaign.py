"""The campaign finds no unexplained difference, and finds faults that are planted."""

from __future__ import annotations

import re

import numpy as np
import pytest

import numpy_rnn as nn
from numpy_rnn import functional
from numpy_rnn.arguments import as_array
from numpy_rnn.modules import rnn
from numpy_rnn.recurrence.lstm import LSTM
from tests.campaign import differences
from tests.campaign.__main__ import campaign, main
from tests.campaign.cases import Case
from tests.campaign.draws import draw_case
from tests.campaign.judgement import judge
from tests.support.documents import GUIDE, text_of

PARTS, CASES = 4, 500
"""Of the short form; in its long form a part has twenty times as many cases."""


@pytest.mark.parametrize("part", range(PARTS))
def test_campaign_random_calls_equal_torch(part, deep):
    cases = 20 * CASES if deep else CASES
    counts, found = campaign(cases, seed=0, first=part * cases)
    assert found == {}
    assert counts["what came"]["equal"] > cases // 2
    assert counts["what came"]["same error"] > cases // 8


@pytest.mark.parametrize(("count", "verdict"), [(17, differences.ORDER), (16, None)])
def test_campaign_names_the_order_of_equal_lengths(count, verdict):
    case = Case(
        "rnn.pack_padded_sequence",
        (np.arange(2.0 * count).reshape(2, count), [2] * count),
        {"enforce_sorted": False},
    )
    assert judge(case) == (f"documented: {verdict}" if verdict else "equal")


def test_campaign_every_difference_has_its_row_in_the_user_guide():
    table = text_of(GUIDE).partition("\n## What differs from torch")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (.*?) \|", table, re.MULTILINE)
    rules = [*differences.RULES, *differences.UNDEFINED]
    for row in {rule.row for rule in rules} | set(differences.BY_VALUES.values()):
        assert any(first.startswith(row) for first in rows), row


def test_campaign_same_seed_and_index_draw_the_same_case(capsys):
    assert repr(draw_case(3, 14)) == repr(draw_case(3, 14))
    assert repr(draw_case(3, 14)) != repr(draw_case(4, 14))
    assert main(["--seed", "3", "--only", "14"]) == 0
    assert capsys.readouterr().out.startswith(repr(draw_case(3, 14)))


def test_campaign_command_counts_what_was_drawn(capsys):
    assert main(["--cases", "40"]) == 0
    out = capsys.readouterr().out
    assert "what was drawn:" in out
    assert out.endswith("s\n")
    assert "40 cases from 0 on, seed 0: 0 unexplained" in out


def swapped_gates(monkeypatch):
    class Swapped(type(LSTM)):
        def step(self, x, state, weights):
            h, c = super().step(x, state, weights)
            return c, h

    monkeypatch.setitem(rnn.RECURRENCES, "LSTM", Swapped())


def imprecise(monkeypatch):
    precise = functional.softmax
    monkeypatch.setattr(
        functional, "softmax", lambda *args, **kw: precise(*args, **kw) * np.float32(1 + 3e-6)
    )


def written_input(monkeypatch):
    def relu(input, inplace=False):  # noqa: ARG001
        x = as_array(input, "input")
        if x.size and x.flags.writeable and x.dtype.kind == "f":
            x[...] = 7
        return original(x)

    original = functional.relu
    monkeypatch.setattr(functional, "relu", relu)


def shared_memory(monkeypatch):
    monkeypatch.setattr(nn.Flatten, "forward", lambda _, x: np.asarray(x)[...])


def other_error(monkeypatch):
    def conv1d(*args, **kwargs):
        try:
            return original(*args, **kwargs)
        except RuntimeError as error:
            raise ValueError(str(error)) from error

    original = functional.conv1d
    monkeypatch.setattr(functional, "conv1d", conv1d)


def lost_nan(monkeypatch):
    original = functional.leaky_relu
    monkeypatch.setattr(functional, "leaky_relu", lambda *a: np.nan_to_num(original(*a)))


def wider_dtype(monkeypatch):
    original = functional.layer_norm
    monkeypatch.setattr(functional, "layer_norm", lambda *a: original(*a).astype(np.float64))


def warning(monkeypatch):
    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    monkeypatch.setattr(functional, "sigmoid", sigmoid)


def reversed_order(monkeypatch):
    """Equal lengths come in reverse, which torch's sort does not do for a few."""
    monkeypatch.setattr(
        "numpy_rnn.utils.rnn._descending_order", lambda lengths: np.argsort(lengths)[::-1]
    )


FAULTS = [
    swapped_gates,
    imprecise,
    written_input,
    shared_memory,
    other_error,
    lost_nan,
    wider_dtype,
    warning,
    reversed_order,
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_campaign_planted_fault_is_found(monkeypatch, fault):
    fault(monkeypatch)
    for first in range(0, PARTS * CASES, 100):
        if campaign(100, seed=0, first=first)[1]:
            return
    pytest.fail("nothing was found in the cases of the short form")

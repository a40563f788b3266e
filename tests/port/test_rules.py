"""Both sides of every rule give the same: on arrays, on empty ones, on axes from the end."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

from numpy_rnn.port.binding import pattern_of
from numpy_rnn.port.rules import IN_PLACE, NAMES, RULES
from tests.support.rules import (
    SHAPES,
    both_sides,
    examples,
    negative,
    ported,
    table,
    written_table,
)

FORMS = [(rule, example) for rule, example in examples()]
FORMS += [(rule, other) for rule, example in examples() if (other := negative(example))]
DRAWS = ("multinomial", "randint", "torch.empty", "new_empty", "empty_like")
"""What draws other numbers than torch, or none: dtype and shape are compared alone."""


def assert_same(got, expected, only_shape=False):
    if isinstance(expected, np.ndarray):
        expected = torch.from_numpy(expected)
    if isinstance(expected, torch.Tensor):
        assert isinstance(got, np.ndarray | np.generic)
        assert got.shape == tuple(expected.shape)
        assert got.dtype == expected.numpy().dtype
        if not only_shape:
            np.testing.assert_allclose(got, expected.numpy(), rtol=2e-6, atol=1e-6)
    elif isinstance(expected, tuple | list):
        assert len(got) == len(expected)
        for mine, other in zip(got, expected, strict=True):
            assert_same(mine, other, only_shape)
    else:
        assert got == expected


@pytest.mark.parametrize(("rule", "example"), FORMS, ids=[example for _, example in FORMS])
def test_rule_both_sides_equal(rule, example):
    compared = 0
    for shape in SHAPES.values():
        if rule.assumes and shape != SHAPES["x"]:
            continue
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.filterwarnings("ignore", "Mean of empty slice|Degrees of freedom|std|var")
            expected, got = both_sides(example, shape)
        if isinstance(expected, Exception):
            assert shape != SHAPES["x"], expected
            continue
        compared += 1
        assert_same(got, expected, any(word in example for word in DRAWS))
    assert compared


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.torch)
def test_rule_has_an_example_or_cannot_be_run_here(rule):
    without = {"cuda", "pin_memory", "requires_grad_", "detach_"}
    name = pattern_of(rule.torch).name
    assert rule.examples or name in without or name.startswith("torch.")


def test_rules_of_methods_name_methods_of_tensors():
    for rule in RULES:
        pattern = pattern_of(rule.torch)
        if pattern.receiver is not None:
            assert hasattr(torch.Tensor, pattern.name), rule.torch
    for call in IN_PLACE:
        assert hasattr(torch.Tensor, call.partition("(")[0])
    for name in NAMES:
        value = torch
        for part in name.split(".")[1:]:
            value = getattr(value, part)


def test_guide_table_is_written_from_the_rules():
    assert written_table() == table(), "write it with: python -m tests.support.rules"


@pytest.mark.parametrize("example", ["x.foo_(1)", "torch.fft.rfft(x)", "x.sum(bias=3)"])
def test_call_without_a_rule_is_not_rewritten(example):
    with pytest.raises(AssertionError, match="not rewritten whole"):
        ported(example)

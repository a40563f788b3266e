"""instate's port agrees with the package's own torch model."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from numpy_rnn.demo.classifier import held_out
from tests.ports.instate import letters, original, port
from tests.support.compare import assert_close, to_torch


@pytest.fixture(scope="module")
def names():
    """A thousand surnames, of letters as the package cleans them."""
    cleaned = {"".join(filter(str.isalpha, name)) for name in held_out()[0]}
    return sorted(name for name in cleaned if len(name) >= 3)[:1000]


@pytest.mark.usefixtures("real_models", "quiet_torch")
@pytest.mark.parametrize("together", [1, 1000])
def test_instate_thousand_names_equal_torch(names, together):
    assert len(names) == 1000
    ours, theirs = port(), original()
    exact = copy.deepcopy(theirs).double()
    for start in range(0, len(names), together):
        batch = letters(names[start : start + together])
        with torch.inference_mode():
            expected, truth = theirs(*to_torch(batch)), exact(*to_torch(batch))
        scores = ours(*batch)
        assert_close(scores, expected, truth)
        for mine, tensor in zip(scores, expected, strict=True):
            np.testing.assert_array_equal(mine.argmax(axis=1), tensor.argmax(dim=1))

"""Unfold against torch."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch

import numpy_rnn as nn
from tests.support.compare import assert_parity
from tests.support.databases import assert_same_fault

CASES = [((2,), {}), (((2, 3), 1, 1, 2), {}), ((3,), {"dilation": (1, 2), "padding": (0, 2)})]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("arguments", "options"), CASES, ids=str)
def test_unfold_layer_equals_torch(rng, arguments, options, dtype):
    ours, theirs = nn.Unfold(*arguments, **options), torch.nn.Unfold(*arguments, **options)
    assert repr(ours) == repr(theirs)
    for lead in ((2, 3), (3,)):
        assert_parity(ours, theirs, rng.standard_normal((*lead, 6, 5)).astype(dtype))
    for twin in (copy.deepcopy(ours), pickle.loads(pickle.dumps(ours))):
        assert repr(twin) == repr(ours)


def test_unfold_layer_wrong_input_raises_as_torch():
    ours, theirs = nn.Unfold(5), torch.nn.Unfold(5)
    for shape in ((1, 1, 4, 4), (2, 0, 6, 6), (4, 4)):
        x = np.zeros(shape)
        assert_same_fault(
            lambda: ours(x),  # noqa: B023  # called at once
            lambda: theirs(torch.from_numpy(x)),  # noqa: B023
        )

"""Upsample against torch."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch

import numpy_rnn as nn
from tests.support.compare import assert_parity
from tests.support.databases import assert_same_fault

CASES = [
    ({"scale_factor": 2}, 1),
    ({"scale_factor": 2}, 2),
    ({"size": 7}, 1),
    ({"size": (7, 4)}, 2),
    ({"scale_factor": 1.7, "mode": "linear"}, 1),
    ({"scale_factor": 1.7, "mode": "linear", "align_corners": True}, 1),
    ({"scale_factor": (2, 1.5), "mode": "bilinear"}, 2),
    ({"scale_factor": (2.3, 1.5), "mode": "bilinear", "recompute_scale_factor": True}, 2),
    ({"scale_factor": 2, "mode": "bilinear", "align_corners": True}, 2),
    ({"size": (2, 3), "mode": "area"}, 2),
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("options", "axes"), CASES, ids=str)
def test_upsample_equals_torch(rng, options, axes, dtype):
    ours, theirs = nn.Upsample(**options), torch.nn.Upsample(**options)
    assert repr(ours) == repr(theirs)
    assert ours.name == theirs.name
    assert_parity(ours, theirs, rng.standard_normal((2, 3, 5, 4)[: 2 + axes]).astype(dtype))
    for twin in (copy.deepcopy(ours), pickle.loads(pickle.dumps(ours))):
        assert repr(twin) == repr(ours)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"size": 2, "scale_factor": 2.0},
        {"size": 2, "align_corners": True},
        {"size": (2, 2)},
    ],
    ids=str,
)
def test_upsample_wrong_options_raise_as_torch(options):
    ours, theirs = nn.Upsample(**options), torch.nn.Upsample(**options)
    x = np.zeros((1, 2, 3))
    assert_same_fault(lambda: ours(x), lambda: theirs(torch.from_numpy(x)))

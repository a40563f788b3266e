"""Layers that pool, against torch: its database of modules, reprs, errors."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch

import numpy_rnn as nn
from tests.support.compare import assert_parity
from tests.support.databases import assert_same_module_faults, module_samples

LAYERS = [
    *("MaxPool1d", "MaxPool2d", "AvgPool1d", "AvgPool2d"),
    *("AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d"),
]
CASES = [
    ("MaxPool1d", (3,), {}),
    ("MaxPool1d", (3, 2, 1, 1, True, True), {}),
    ("MaxPool1d", ((2,),), {"dilation": 2}),
    ("MaxPool2d", (2,), {}),
    ("MaxPool2d", ((2, 1), (2, 1), (0, 0)), {"ceil_mode": True}),
    ("MaxPool2d", (3, 2, 1, 1), {"return_indices": True}),
    ("AvgPool1d", (3,), {}),
    ("AvgPool1d", (3, 2, 1, True, False), {}),
    ("AvgPool2d", (2,), {}),
    ("AvgPool2d", ((3, 2), (1, 2), 1, True, False, 5), {}),
    ("AdaptiveAvgPool1d", (2,), {}),
    ("AdaptiveAvgPool2d", ((None, 1),), {}),
    ("AdaptiveMaxPool1d", (3,), {"return_indices": True}),
    ("AdaptiveMaxPool2d", ((2, None),), {}),
]


@pytest.mark.parametrize("name", LAYERS)
def test_pool_layer_every_sample_input_equals_torch(name):
    count = 0
    for ours, theirs, inputs in module_samples(name):
        assert_parity(ours, theirs, *inputs)
        count += 1
    assert count > 1


def test_pool_layer_every_error_input_raises_as_torch():
    assert [name for name in LAYERS if assert_same_module_faults(name)] == ["MaxPool2d"]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("name", "arguments", "options"), CASES, ids=str)
def test_pool_layer_equals_torch(rng, name, arguments, options, dtype):
    ours = getattr(nn, name)(*arguments, **options)
    theirs = getattr(torch.nn, name)(*arguments, **options)
    assert repr(ours) == repr(theirs)
    for lead in ((2, 3), (3,)):
        x = rng.standard_normal((*lead, 7, 6)[: len(lead) + int(name[-2])]).astype(dtype)
        assert_parity(ours, theirs, x)


@pytest.mark.parametrize(("name", "arguments", "options"), CASES, ids=str)
def test_pool_layer_copies_and_pickles_work(rng, name, arguments, options):
    layer = getattr(nn, name)(*arguments, **options)
    x = rng.standard_normal((2, 3, 6, 6)[: int(name[-2]) + 2])
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        np.testing.assert_array_equal(twin(x), layer(x))
        assert repr(twin) == repr(layer)

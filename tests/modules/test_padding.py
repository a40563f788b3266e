"""Layers that pad, against torch: its database of modules, reprs, errors."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch

import numpy_rnn as nn
from tests.support.compare import assert_parity
from tests.support.databases import assert_same_fault, module_samples

LAYERS = [
    *("ZeroPad1d", "ZeroPad2d", "ConstantPad1d", "ConstantPad2d", "ConstantPad3d"),
    *("ReflectionPad1d", "ReflectionPad2d", "ReplicationPad1d", "ReplicationPad2d"),
]
PADDINGS = [0, 1, 2, (1, 2, 0, 1, 2, 1), (-1, 2, 1, -1, 0, 1)]


def pair(name, padding):
    """Return our layer and torch's."""
    axes = int(name[-2])
    padding = padding[: 2 * axes] if isinstance(padding, tuple) else padding
    arguments = (padding, 1.5) if name.startswith("Constant") else (padding,)
    return getattr(nn, name)(*arguments), getattr(torch.nn, name)(*arguments)


@pytest.mark.parametrize("name", LAYERS)
def test_padding_layer_every_sample_input_equals_torch(name):
    count = 0
    for ours, theirs, inputs in module_samples(name):
        assert_parity(ours, theirs, *inputs)
        count += 1
    assert count > 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("padding", PADDINGS, ids=str)
@pytest.mark.parametrize("name", LAYERS)
def test_padding_layer_equals_torch(rng, name, padding, dtype):
    ours, theirs = pair(name, padding)
    assert repr(ours) == repr(theirs)
    for lead in ((2, 3), (3,)):
        x = rng.standard_normal((*lead, 4, 5, 3)[: len(lead) + int(name[-2])]).astype(dtype)
        assert_parity(ours, theirs, x)


@pytest.mark.parametrize("name", LAYERS)
def test_padding_layer_integers_equal_torch(rng, name):
    ours, theirs = pair(name, 2)
    x = rng.integers(-9, 9, (2, 3, 4, 5, 3)[: 2 + int(name[-2])])
    got, expected = ours(x), theirs(torch.from_numpy(x)).numpy()
    assert got.dtype == expected.dtype
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize(
    ("name", "padding", "shape"),
    [
        ("ReflectionPad1d", 4, (2, 4)),
        ("ReflectionPad1d", 1, (4,)),
        ("ReflectionPad2d", (1, 1, 4, 0), (2, 4, 4)),
        ("ReflectionPad2d", 1, (4, 4)),
        ("ReplicationPad2d", 1, (1, 2, 3, 4, 4)),
        ("ZeroPad2d", 1, (4,)),
        ("ConstantPad3d", 1, (4, 4)),
    ],
)
def test_padding_layer_wrong_input_raises_as_torch(name, padding, shape):
    ours, theirs = pair(name, padding)
    x = np.zeros(shape)
    assert_same_fault(lambda: ours(x), lambda: theirs(torch.from_numpy(x)))


@pytest.mark.parametrize("name", LAYERS)
def test_padding_layer_copies_and_pickles_work(name):
    layer, _ = pair(name, 1)
    x = np.ones((2, 3, 4, 5, 3)[: 2 + int(name[-2])])
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        np.testing.assert_array_equal(twin(x), layer(x))
        assert repr(twin) == repr(layer)

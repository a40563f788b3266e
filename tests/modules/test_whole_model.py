"""A model of all there is loads one checkpoint of torch's and gives torch's numbers."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from tests.support.compare import assert_close, assert_same_error
from tests.support.whole_model import TORCH, build, checkpoint, everything, settle


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_whole_model_loaded_checkpoint_equals_torch(rng, dtype):
    ours, theirs = build()
    settle(theirs)
    ours.load_state_dict(checkpoint(theirs))
    ours.eval().to(dtype)
    theirs.to(getattr(torch, dtype))
    tokens, lengths = rng.integers(0, 11, (5, 12)), np.array([12, 3, 7, 1, 7])
    arguments = torch.from_numpy(tokens), torch.from_numpy(lengths)
    with torch.inference_mode():
        expected = theirs(*arguments)
        truth = copy.deepcopy(theirs).double()(*arguments)
    assert_close(ours(tokens, lengths), expected, truth)
    assert_close(copy.deepcopy(ours)(tokens, lengths), expected, truth)


def test_whole_model_repr_and_names_equal_torch():
    ours, theirs = build()
    assert repr(ours) == repr(theirs)
    for walk in ("named_modules", "named_parameters", "named_buffers", "named_children"):
        names = [[name for name, _ in getattr(model, walk)()] for model in (ours, theirs)]
        assert names[0] == names[1], walk
    assert list(ours.state_dict()) == list(theirs.state_dict())


def test_whole_model_seeded_weights_equal_torch():
    ours, theirs = build(seed=5)
    for (name, mine), reference in zip(
        ours.state_dict().items(), theirs.state_dict().values(), strict=True
    ):
        if name == "embedding.weight":  # of normal draws, see test_random.py
            np.testing.assert_allclose(mine, reference.numpy(), rtol=1e-5, atol=1e-6)
        else:
            np.testing.assert_array_equal(mine, reference.numpy())


def test_whole_model_cast_keeps_integers():
    model, _ = build()
    model.double()
    dtypes = {name: array.dtype for name, array in model.named_buffers()}
    assert dtypes == {
        "front.1.running_mean": np.float64,
        "front.1.running_var": np.float64,
        "front.1.num_batches_tracked": np.int64,
    }


def test_whole_model_wrong_state_dict_raises_and_changes_nothing():
    ours, theirs = build()
    before = {name: array.copy() for name, array in ours.state_dict().items()}
    state = settle(theirs).state_dict()
    del state["front.1.running_var"], state["front.1.num_batches_tracked"]
    state["front.1.running_mean"] = torch.zeros(3)
    state["cells.3.weight_ih"] = torch.zeros(1)
    state["layers.lstm.weight_hr_l0"] = torch.zeros(2, 2)
    assert_same_error(
        lambda: ours.load_state_dict(state),
        lambda: everything(**TORCH)().load_state_dict(state),
    )
    for name, array in ours.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_whole_model_in_training_mode_raises_from_batch_norm():
    ours, _ = build()
    with pytest.raises(RuntimeError, match="BatchNorm1d must be in evaluation mode"):
        ours(np.zeros((2, 4), np.int64), np.array([4, 2]))

"""Weights that PyPI packages ship load, equal to torch's and NumPy's own reading."""

from __future__ import annotations

import numpy as np
import pytest
import safetensors.numpy
import torch

import numpy_rnn as nn
from tests.support.packages import packaged

READ = {
    "silero_vad/data/silero_vad_16k.safetensors": safetensors.numpy.load_file,
    "silero_vad/data/silero_vad.jit": lambda path: torch.jit.load(path).state_dict(),
    "instate/data/state_lang_labels.pt": lambda path: torch.load(path, map_location="cpu"),
    "BeatNet/models/model_1_weights.pt": lambda path: torch.load(path, map_location="cpu"),
    "g2p_fa/data/weights": lambda path: torch.load(path, map_location="cpu"),
    "g2p_en/checkpoint20.npz": np.load,
}


@pytest.mark.usefixtures("real_models", "quiet_torch")
@pytest.mark.parametrize("read", [nn.load, nn.read_state_dict], ids=["load", "read_state_dict"])
@pytest.mark.parametrize("name", READ)
def test_load_weights_in_packages_equals_their_own_reader(name, read):
    path = packaged(name)
    reference = READ[name](path)
    loaded = read(path)
    assert sorted(loaded) == sorted(reference)
    for key in loaded:
        expected = np.asarray(reference[key])
        assert loaded[key].dtype == expected.dtype
        np.testing.assert_array_equal(loaded[key], expected)

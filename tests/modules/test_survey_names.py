"""Layers and functions that public recurrent models were found to need, beside torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import numpy_rnn
from tests.support.compare import assert_close, to_torch

LAYERS = {
    "Conv2d(2, 3, 3)": [(2, 2, 5, 6)],
    "BatchNorm2d(2)": [(2, 2, 5, 6)],
    "MaxPool2d(2)": [(2, 2, 5, 6)],
    "ConvTranspose1d(2, 3, 4, stride=2)": [(2, 2, 5)],
    "AdaptiveAvgPool2d((1, None))": [(2, 2, 5, 6)],
    "AvgPool2d(2)": [(2, 2, 5, 6)],
    "ConvTranspose2d(2, 3, 4, stride=2)": [(2, 2, 5, 6)],
    "GLU(dim=1)": [(2, 4, 5)],
    "ELU()": [(2, 3)],
    "MaxPool1d(2)": [(2, 2, 5)],
    "GroupNorm(2, 4)": [(2, 4, 5)],
    "utils.weight_norm(nn.Conv1d(2, 3, 3))": [(2, 2, 5)],
    "PReLU()": [(2, 3)],
    "Softplus()": [(2, 3)],
    "Dropout2d(0.5)": [(2, 2, 5, 6)],
    "InstanceNorm1d(2)": [(2, 2, 5)],
    "GELU()": [(2, 3)],
    "SiLU()": [(2, 3)],
    "Unfold(2)": [(2, 2, 5, 6)],
    "ZeroPad2d(1)": [(2, 2, 5, 6)],
    "Hardtanh()": [(2, 3)],
    "SELU()": [(2, 3)],
    "Bilinear(2, 3, 4)": [(2, 2), (2, 3)],
    "ConstantPad2d(1, 2.0)": [(2, 2, 5, 6)],
    "ConstantPad3d(1, 2.0)": [(2, 2, 5, 6, 3)],
}
"""What constructs each layer, and the shapes of its inputs."""

FUNCTIONS = {
    "interpolate(x, scale_factor=2)": (2, 2, 5),
    "pad(x, (1, 2, 2, 1), mode='reflect')": (2, 2, 5, 6),
    "pad(x, (1, 2, 2, 1), mode='replicate')": (2, 2, 5, 6),
    "logsigmoid(x)": (2, 3),
    "threshold(x, 0.1, 20.0)": (2, 3),
    "normalize(x)": (2, 3),
    "grid_sample(x, x.reshape(2, 4, 4, 2).clip(-1, 1), align_corners=False)": (2, 2, 4, 4),
}


@pytest.mark.filterwarnings("ignore::FutureWarning")  # torch's, of its old weight_norm
@pytest.mark.parametrize("layer", LAYERS)
def test_survey_layer_equals_torch(layer, rng):
    theirs = eval(f"nn.{layer}", {"nn": torch.nn}).eval()
    ours = eval(f"nn.{layer}", {"nn": numpy_rnn}).eval()
    ours.load_state_dict(theirs.state_dict())
    x = [rng.standard_normal(shape).astype(np.float32) for shape in LAYERS[layer]]
    with torch.inference_mode():
        expected = theirs(*to_torch(x))
        truth = theirs.double()(*(tensor.double() for tensor in to_torch(x)))
    assert_close(ours(*x), expected, truth)


@pytest.mark.parametrize("call", FUNCTIONS)
def test_survey_function_equals_torch(call, rng):
    x = rng.standard_normal(FUNCTIONS[call])
    single = torch.from_numpy(x).float()
    expected, truth = (
        eval(f"F.{call}", {"F": torch.nn.functional, "x": tensor})
        for tensor in (single, single.double())
    )
    ours = eval(f"F.{call}", {"F": numpy_rnn.functional, "x": single.numpy()})
    assert_close(ours, expected, truth)


def test_survey_one_hot_equals_torch():
    index = np.array([2, 0, 1])
    expected = torch.nn.functional.one_hot(torch.from_numpy(index), 4)
    ours = numpy_rnn.functional.one_hot(index, 4)
    assert ours.dtype == np.int64
    np.testing.assert_array_equal(ours, expected.numpy())


def test_survey_parameter_list_and_modules_by_name_as_in_torch():
    for nn, ones in ((torch.nn, torch.ones), (numpy_rnn, np.ones)):
        values = nn.ParameterList([nn.Parameter(ones(2)), nn.Parameter(ones(3))])
        assert [*values.state_dict()] == ["0", "1"]
        assert [*nn.Sequential(nn.Linear(2, 3))._modules] == ["0"]

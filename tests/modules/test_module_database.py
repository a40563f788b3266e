"""torch's own database of module inputs and errors, for the modules that are here."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from torch.testing._internal.common_modules import ModuleErrorEnum, module_db

import numpy_rnn as nn
from tests.support.compare import assert_parity, normalised, raised_by

RECURRENT = ("RNN", "LSTM", "GRU", "RNNCell", "LSTMCell", "GRUCell")
COMPANIONS = (
    *("Conv2d", "ConvTranspose1d", "ConvTranspose2d"),
    *("BatchNorm1d", "Conv1d", "Embedding", "LayerNorm", "LeakyReLU", "Linear", "LogSoftmax"),
    *("ReLU", "Sigmoid", "Softmax", "Tanh", "BatchNorm2d", "InstanceNorm1d", "InstanceNorm2d"),
    *("GroupNorm", "ELU", "SELU", "SiLU", "GELU", "GLU", "PReLU", "Softplus", "Hardtanh"),
    *("ReLU6", "LogSigmoid", "Threshold", "Bilinear"),
)
NAMES = RECURRENT + COMPANIONS
DATABASE = {info.module_cls.__name__: info for info in module_db if info.name[3:] in NAMES}
OPTIONS = {"device": "cpu", "dtype": torch.float32, "requires_grad": False, "training": False}


def as_numpy(value):
    if isinstance(value, torch.Tensor):
        return value.detach().numpy()
    if isinstance(value, (tuple, list)):
        return tuple(as_numpy(item) for item in value)
    return value


def keywords(constructor_input):
    """Return our keywords for torch's, whose dtypes are its own."""
    named = dict(constructor_input.kwargs)
    if "dtype" in named:
        named["dtype"] = str(named["dtype"]).removeprefix("torch.")
    return named


@pytest.mark.parametrize("name", NAMES)
def test_module_every_sample_input_equals_torch(name):
    info = DATABASE[name]
    cases = info.module_inputs_func(info, **OPTIONS)
    assert cases
    for case in cases:
        construct = case.constructor_input
        theirs = getattr(torch.nn, name)(*construct.args, **construct.kwargs).eval()
        ours = getattr(nn, name)(*construct.args, **keywords(construct)).eval()
        inputs = (*case.forward_input.args, *case.forward_input.kwargs.values())
        assert_parity(ours, theirs, *as_numpy(inputs))


@pytest.mark.parametrize("name", RECURRENT)
def test_module_every_error_input_raises_as_torch(name):
    info = DATABASE[name]
    cases = info.module_error_inputs_func(info, **OPTIONS)
    assert len(cases) > 3
    for case in cases:
        construct = case.module_error_input.constructor_input
        forward = case.module_error_input.forward_input

        def build(library, named, construct=construct):
            return getattr(library, name)(*construct.args, **named)

        if case.error_on is ModuleErrorEnum.CONSTRUCTION_ERROR:
            ours = raised_by(lambda: build(nn, keywords(construct)))  # noqa: B023
            theirs = raised_by(lambda: build(torch.nn, construct.kwargs))  # noqa: B023
        else:
            module = build(nn, keywords(construct))
            ours = raised_by(lambda: module(*as_numpy(forward.args)))  # noqa: B023
            module_ = build(torch.nn, construct.kwargs)
            theirs = raised_by(lambda: module_(*forward.args))  # noqa: B023
        assert type(ours) is case.error_type
        assert re.search(case.error_regex, str(theirs))
        assert normalised(str(ours)) == normalised(str(theirs))


def test_module_database_has_the_expected_samples():
    assert set(DATABASE) == set(NAMES)
    assert isinstance(as_numpy([torch.ones(1)])[0], np.ndarray)

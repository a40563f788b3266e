from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from hypothesis import settings

import numpy_rnn as nn
from tests.ports import packages

settings.register_profile("suite", deadline=None, derandomize=True)
settings.load_profile("suite")

torch.set_num_threads(1)


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """A generator seeded by the test's own name: equal in every run, different per test."""
    return np.random.default_rng(list(request.node.nodeid.encode()))


@pytest.fixture(autouse=True)
def _seeded(request: pytest.FixtureRequest) -> None:
    """Seed both libraries' own generators, differently, by the test's name."""
    seed = sum(request.node.nodeid.encode())
    torch.manual_seed(seed)
    nn.manual_seed(seed + 1)


@pytest.fixture(autouse=True)
def _numpy_errors_raise():
    """Let any floating-point warning of ours be an error, whatever NumPy's default is."""
    with np.errstate(all="raise"):
        yield


@pytest.fixture
def quiet_torch():
    """Silence what torch itself warns of in a test that provokes it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture(scope="session")
def real_models():
    """Let a test have the models that packages ship, or skip it."""
    if not packages.FOLDER.is_dir():
        pytest.skip(packages.ABSENT)

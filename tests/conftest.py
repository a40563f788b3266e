"""What every test has: one thread a library, seeded generators, floating-point errors."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

from benchmarks.processes import environment, processors

os.environ |= environment(threads=1)  # before NumPy and torch are imported, here and elsewhere

import numpy as np
import pytest
import torch
from hypothesis import settings

import numpy_rnn as nn
from tests.support import packages

MOST_WORKERS = 8
"""More would take longer to import torch than they save."""

settings.register_profile("short", deadline=None, derandomize=True, max_examples=100)
settings.register_profile("deep", settings.get_profile("short"), max_examples=1000)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--deep", action="store_true", help="let tests that search for faults search longer"
    )


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile("deep" if config.getoption("--deep") else "short")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Share folders of tests among processes; single files are done before those start."""
    folders = [argument for argument in config.args if Path(argument).is_dir()]
    return min(processors(), MOST_WORKERS) if folders else 0


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests for which `--deep` makes a difference: ``-m deep`` runs them alone."""
    for item in items:
        if {"deep", "hypothesis"} & {*item.fixturenames, *item.keywords}:
            item.add_marker("deep")


@pytest.fixture(scope="session")
def deep(request: pytest.FixtureRequest) -> bool:
    """Whether to search longer: the form of the tests that `.ci/run` runs besides."""
    return request.config.getoption("--deep")


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

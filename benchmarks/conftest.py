"""One thread for every library, whatever the environment says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks.processes import environment

os.environ |= environment(threads=1)

collect_ignore = ["peers", "memory.py"]
"""They have no doctests, and need packages and systems that are not everywhere."""


def pytest_addoption(parser):
    parser.addoption("--all-cases", action="store_true", help="time all cases, not just a few")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Run one benchmark at a time, in this process; where there are tests too, they decide."""
    folder = Path(__file__).parent.name
    return 0 if all(Path(argument).parts[:1] == (folder,) for argument in config.args) else None


def pytest_generate_tests(metafunc):
    if {"case", "peer"} <= set(metafunc.fixturenames):
        from benchmarks.cases import chosen
        from benchmarks.peers import NAMES, takes_part

        cases = chosen(quick=not metafunc.config.getoption("--all-cases"))
        pairs = [(case, peer) for case in cases for peer in NAMES if takes_part(peer, case, 1)]
        metafunc.parametrize(("case", "peer"), pairs, ids=str)


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    import torch
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(1)
    with threadpool_limits(1), torch.inference_mode():
        yield

"""One thread for NumPy and for torch, whatever the environment says."""

from __future__ import annotations

import pytest
import torch
from threadpoolctl import threadpool_limits


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    torch.set_num_threads(1)
    with threadpool_limits(1):
        yield

"""Whole models beside their own code: a group holds one, in one run."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from benchmarks.models import MODELS, compared
from tests.support import packages


@pytest.mark.skipif(not packages.FOLDER.is_dir(), reason=packages.ABSENT)
@pytest.mark.parametrize(
    ("unit", "library"),
    [(unit, library) for unit, model in MODELS.items() for library in model.libraries],
)
def test_model_of_a_package(benchmark, unit, library):
    with torch.inference_mode(), np.errstate(over="ignore"):
        call = compared(MODELS[unit], 1)[library]
        benchmark.group = unit
        benchmark(call)

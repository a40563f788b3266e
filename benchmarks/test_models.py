"""Whole models beside their own code: a group holds one, in one run."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from benchmarks.models import FIELDS, MODELS, compared
from tests.support import packages

PACKAGED = pytest.mark.skipif(not packages.FOLDER.is_dir(), reason=packages.ABSENT)
CASES = [
    pytest.param(unit, model, library, id=f"{unit}, {library}", marks=marks)
    for models, marks in ((MODELS, [PACKAGED]), (FIELDS, []))
    for unit, model in models.items()
    for library in model.libraries
]


@pytest.mark.parametrize(("unit", "model", "library"), CASES)
def test_whole_model(benchmark, unit, model, library):
    with torch.inference_mode(), np.errstate(over="ignore"):
        call = compared(model, 1)[library]
        benchmark.group = unit
        benchmark(call)

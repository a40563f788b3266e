"""The recurrent layers beside torch's: a group holds one size, in one run on one thread."""

from __future__ import annotations

import pytest
import torch

from benchmarks.recurrent import SIZES, calls


@pytest.mark.parametrize("library", ["numpy_rnn", "torch"])
@pytest.mark.parametrize(("layer", "steps", "batch", "size"), SIZES)
def test_recurrent_layer(benchmark, layer, steps, batch, size, library):
    benchmark.group = f"{layer} T={steps} N={batch} H={size}"
    call = calls(layer, steps, batch, size)[library]
    with torch.inference_mode():
        benchmark(call)

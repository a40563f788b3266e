"""Loading beside torch's: a group holds one file, in one run."""

from __future__ import annotations

import pytest

from benchmarks.loading import TENSORS, calls


@pytest.mark.parametrize("library", ["numpy_rnn", "torch"])
@pytest.mark.parametrize("tensors", TENSORS)
def test_load_of_many_tensors(benchmark, tmp_path, tensors, library):
    benchmark.group = f"20 MB in {tensors} tensors"
    benchmark(calls(tmp_path, tensors)[library])

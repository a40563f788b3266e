"""What tests ask of the processor."""

from __future__ import annotations

import pytest
import torch

needs_avx2 = pytest.mark.skipif(
    torch.backends.cpu.get_cpu_capability() not in ("AVX2", "AVX512"),
    reason="torch rounds its normal draws differently on processors without AVX2",
)

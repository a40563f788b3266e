"""The README's port of a model runs, before and after, and gives the same numbers."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

README = Path(__file__).parent.parent / "README.md"


def python_blocks() -> list[str]:
    blocks = re.findall(r"^```python\n(.*?)^```$", README.read_text("utf-8"), re.M | re.S)
    return [block for block in blocks if ">>>" not in block]


def test_the_port_gives_torchs_numbers(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before, after = python_blocks()
    torch_names: dict[str, object] = {}
    numpy_names: dict[str, object] = {}
    exec(before, torch_names)
    exec(after, numpy_names)
    expected = torch_names["tags"].detach().numpy()
    assert numpy_names["tags"].shape == expected.shape
    np.testing.assert_allclose(numpy_names["tags"], expected, rtol=0, atol=1e-5)

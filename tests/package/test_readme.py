"""The code and the output in the README are right."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

from numpy_rnn import functional
from numpy_rnn.__main__ import COMMANDS, main
from tests.support.documents import README, python_blocks


def test_readme_port_equals_torch(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before, after = python_blocks()[:2]
    torch_names: dict[str, object] = {}
    numpy_names: dict[str, object] = {}
    exec(before, torch_names)
    exec(after, numpy_names)
    assert numpy_names["recorded"]["tags"].shape == (20, 1, 5)
    assert numpy_names["difference"] < 1e-6
    numpy_names["recorded"].close()


def rows_of_what_is_written_around_layers() -> list[tuple[str, str]]:
    """Return the pairs of expressions in the table, torch's and NumPy's."""
    text = README.read_text("utf-8")
    section = text.partition("### What is written around layers")[2].partition("\n##")[0]
    rows = re.findall(r"^\| (`.*`) \| (`.*`) \|$", section, re.M)
    pairs = []
    for row in rows:
        left, right = (re.findall(r"`([^`]*)`", cell) for cell in row)
        pairs += zip(left, right, strict=True)
    return pairs


@pytest.mark.parametrize(("theirs", "ours"), rows_of_what_is_written_around_layers())
def test_readme_expression_pairs_equal_torch(theirs, ours, rng):
    arrays = {
        "x": rng.standard_normal((2, 3, 4)).astype(np.float32),
        "y": rng.standard_normal((2, 3, 4)).astype(np.float32),
        "index": rng.integers(0, 4, (2, 3, 4)),
        "lengths": np.array([3, 9, 1]),
    }
    tensors = {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}
    expected = eval(theirs, {"torch": torch, "F": torch.nn.functional, **tensors})
    got = eval(ours, {"np": np, "F": functional, **arrays})
    if not isinstance(expected, torch.Tensor):
        assert got == (tuple(expected) if isinstance(expected, torch.Size) else expected)
        return
    assert got.shape == tuple(expected.shape)
    assert got.dtype == expected.numpy().dtype
    np.testing.assert_allclose(got, expected.numpy(), rtol=1e-6, atol=1e-6)


def test_readme_inspect_output_equals_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    exec(python_blocks()[0], {})
    assert main(["inspect", "tagger.pt"]) == 0
    printed = capsys.readouterr().out
    shown = re.search(
        r"^```text\n(tagger\.pt: .*?)^```$", README.read_text("utf-8"), re.M | re.S
    )
    for part in shown[1].split("...\n"):
        assert part in printed


def test_readme_names_every_command():
    for command in COMMANDS:
        assert f"`numpy-rnn {command}" in README.read_text("utf-8")


def test_readme_has_no_placeholders():
    shouted = set(re.findall(r"\b[A-Z]{7,}\b", README.read_text("utf-8")))
    assert shouted <= {"CONTRIBUTING"}

"""The README's port of a model runs, before and after, and gives the same numbers."""

from __future__ import annotations

import re
from pathlib import Path

from numpy_rnn.__main__ import COMMANDS, main

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
    assert numpy_names["recorded"]["tags"].shape == (20, 1, 5)
    assert numpy_names["difference"] < 1e-6
    numpy_names["recorded"].close()


def test_the_command_line_shows_what_is_printed_here(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    exec(python_blocks()[0], {})
    assert main(["inspect", "tagger.pt"]) == 0
    printed = capsys.readouterr().out
    shown = re.search(
        r"^```text\n(tagger\.pt: .*?)^```$", README.read_text("utf-8"), re.M | re.S
    )
    for part in shown[1].split("...\n"):
        assert part in printed


def test_every_command_is_named():
    for command in COMMANDS:
        assert f"`numpy-rnn {command}" in README.read_text("utf-8")


def test_nothing_is_left_to_fill_in():
    shouted = set(re.findall(r"\b[A-Z]{7,}\b", README.read_text("utf-8")))
    assert shouted <= {"CONTRIBUTING"}

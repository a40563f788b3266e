"""The documents are right: their code and its output, their links, the README's size."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import numpy_rnn
from numpy_rnn import arrays, distributions, functional
from numpy_rnn.__main__ import COMMANDS, main
from tests.support.documents import (
    CONTRIBUTING,
    DOCUMENTS,
    GUIDE,
    README,
    ROOT,
    TESTS,
    blocks_of,
    programs_of,
    text_of,
)

MOST_LINES, MOST_WORDS = 230, 2200
"""Of the README. What is in it is read on one screen or two; the rest is elsewhere."""


def test_readme_is_short_and_says_early_what_it_is_for():
    lines = text_of(README).splitlines()
    assert len(lines) <= MOST_LINES
    assert len(text_of(README).split()) <= MOST_WORDS
    assert lines.index("```python") < 25
    assert lines.index("No, if you want") < 60


def test_readme_commands_stay_word_for_word():
    assert blocks_of(README, "sh")[:2] == [
        "pip install . && python -m numpy_rnn demo\n",
        'pip install ".[test]" && pytest\n',
    ]


def test_guide_port_equals_torch(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    before, after = programs_of(GUIDE)
    exec(before, {})
    names: dict[str, object] = {}
    exec(after, names)
    assert names["scores"].shape == (1, 5)
    assert names["difference"] < 1e-6
    assert "largest difference: " in capsys.readouterr().out
    names["recorded"].close()


def test_readme_port_equals_torch(tmp_path, monkeypatch):
    """Its two sides are those of the diff, on the checkpoint of the guide's example."""
    monkeypatch.chdir(tmp_path)
    exec(programs_of(GUIDE)[0], {})
    (diff,) = blocks_of(README, "diff")
    assert set(re.findall("^.", diff, re.M)) == {" ", "-", "+"}
    sides: list[dict[str, object]] = []
    for other in "+-":
        program = re.sub(rf"^[{re.escape(other)}].*\n", "", diff, flags=re.M)
        sides.append({})
        exec(re.sub("^.", "", program, flags=re.M), sides[-1])
    theirs, ours = sides
    np.testing.assert_allclose(ours["scores"], theirs["scores"], rtol=1e-5)


def test_guide_has_every_public_name():
    listed = text_of(GUIDE).partition("\n## What there is")[2].partition("\n## ")[0]
    names = {*numpy_rnn.__all__, *functional.__all__, *numpy_rnn.init.__all__}
    names |= {*arrays.__all__, *distributions.__all__}
    names -= {"RNNBase", "utils"}  # for type annotations; named with its functions
    missing = {name for name in names if not re.search(rf"\b{name}\b", listed)}
    assert missing == set()


def test_readme_inspect_output_equals_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    exec(programs_of(GUIDE)[0], {})
    assert main(["inspect", "classifier.pt"]) == 0
    printed = capsys.readouterr().out
    (shown,) = [block for block in blocks_of(README, "text") if "classifier.pt" in block]
    for part in shown.removeprefix("$ numpy-rnn inspect classifier.pt\n").split("...\n"):
        assert part in printed


def test_readme_demo_output_equals_the_command(capsys):
    assert main(["demo"]) == 0
    printed = without_measurements(capsys.readouterr().out)
    (shown,) = [block for block in blocks_of(README, "text") if "Kowalczyk" in block]
    for part in without_measurements(shown).split("...\n"):
        assert part in printed


def without_measurements(text: str) -> str:
    """Return the demo's output without the rounding error and the time of this machine."""
    return re.sub(r"\d\.\d\d ms", "time", re.sub(r"\d\.\de-\d+", "error", text))


def test_readme_names_every_command():
    for command in COMMANDS:
        assert f"`numpy-rnn {command}" in text_of(README)


def test_contributing_tree_names_the_files_that_there_are():
    (tree,) = blocks_of(CONTRIBUTING, "text")
    named = set(re.findall(r"\w+\.py", tree))
    package = ROOT / "numpy_rnn"
    assert named <= {path.name for path in package.rglob("*.py")}
    files = [
        path
        for name in ("", "recurrence", "checkpoint", "port")
        for path in (package / name).glob("*.py")
    ]
    assert {path.name for path in files} - named == {"__init__.py"}


def test_tests_readme_examples_pass(rng):
    (example,) = programs_of(TESTS)
    names: dict[str, object] = {}
    exec(example, names)
    tests = [value for name, value in names.items() if name.startswith("test_")]
    assert len(tests) == 2
    for test in tests:
        test(rng)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_document_has_no_placeholders(document):
    shouted = set(re.findall(r"\b[A-Z]{7,}\b", without_code(text_of(document))))
    assert shouted <= {"CONTRIBUTING", "LICENSE"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_document_links_lead_somewhere(document):
    for link in links_in(document):
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        if anchor:
            assert anchor in anchors_of(target), link


def test_links_and_anchors_are_found(tmp_path):
    """Those in code are none."""
    document = tmp_path / "a.md"
    document.write_text(
        "# A `b.py`, and c!\n```sh\n# no [heading](x)\n```\n[`d`](e#f) `[g](h)` ![i](j.png)"
        " [k](https://l)\n",
        "utf-8",
    )
    assert links_in(document) == ["e#f", "j.png"]
    assert anchors_of(document) == {"a-bpy-and-c"}


def links_in(document: Path) -> list[str]:
    """Return the links of a document to others, and within it."""
    links = re.findall(r"\]\(([^)]*)\)", without_code(text_of(document)))
    return [link for link in links if not re.match("https?:", link)]


def anchors_of(document: Path) -> set[str]:
    """Return the anchors that repository pages give to headings."""
    text = re.sub(r"^```.*?^```$", "", text_of(document), flags=re.M | re.S)
    headings = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in headings}


def without_code(text: str) -> str:
    text = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
    return re.sub("`[^`\n]*`", "", text)

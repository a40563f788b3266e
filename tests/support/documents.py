"""The documents, and the code in them."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
GUIDE = ROOT / "numpy_rnn" / "README.md"
DEMO = ROOT / "numpy_rnn" / "demo" / "README.md"
BENCHMARKS = ROOT / "benchmarks" / "README.md"
CONTRIBUTING = ROOT / "CONTRIBUTING.md"
TESTS = ROOT / "tests" / "README.md"

PLACES = ("*.md", "numpy_rnn/**/*.md", "benchmarks/**/*.md", "tests/**/*.md")

DOCUMENTS = [document for place in PLACES for document in sorted(ROOT.glob(place))]
"""Every document of the repository."""


def text_of(document: Path) -> str:
    return document.read_text("utf-8")


def blocks_of(document: Path, language: str) -> list[str]:
    """Return the blocks of code in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text_of(document), re.M | re.S)


def programs_of(document: Path) -> list[str]:
    """Return the blocks of Python that are no doctests."""
    return [block for block in blocks_of(document, "python") if ">>>" not in block]

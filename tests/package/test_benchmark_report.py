"""What the README and the table say of speed and errors is what was measured."""

from __future__ import annotations

import json
import statistics
from pathlib import Path

import pytest

from benchmarks import certificate, report
from benchmarks.nets import KINDS

ROOT = Path(__file__).parents[2]
RESULTS = json.loads((ROOT / "benchmarks/results/results.json").read_text("utf-8"))


def test_readme_shows_the_committed_results():
    readme = (ROOT / "README.md").read_text("utf-8")
    assert report.with_section(readme, RESULTS) == readme, "run python -m benchmarks --report"


def test_table_shows_the_committed_results():
    table = (ROOT / "benchmarks/results/table.md").read_text("utf-8")
    assert report.full(RESULTS) == table, "run python -m benchmarks --report"


def test_a_readme_without_the_marks_is_refused():
    with pytest.raises(ValueError, match="the README has no <!-- benchmarks -->"):
        report.with_section("# A title\n", RESULTS)


@pytest.mark.parametrize("kind", KINDS)
def test_float32_errors_are_torchs_on_average_and_half_as_much_more_at_worst(kind):
    own = [found for found in RESULTS["accuracy"] if found["net"]["kind"] == kind]
    ratios = [certificate.ratio(found) for found in own]
    assert statistics.geometric_mean(ratios) <= 1.0
    assert max(ratios) <= 1.5

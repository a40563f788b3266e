"""The documents and the table show the speeds and errors that were measured."""

from __future__ import annotations

import json
import statistics
from pathlib import Path

import pytest

from benchmarks import certificate, report
from benchmarks.nets import KINDS

ROOT = Path(__file__).parents[2]
RESULTS = json.loads((ROOT / "benchmarks/results/results.json").read_text("utf-8"))


@pytest.mark.parametrize("document", report.DOCUMENTS)
def test_document_benchmarks_equal_the_committed_results(document):
    text = (ROOT / document).read_text("utf-8")
    written = report.with_sections(document, text, RESULTS)
    assert written == text, "run python -m benchmarks --report"


def test_table_benchmarks_equal_the_committed_results():
    table = (ROOT / "benchmarks/results/table.md").read_text("utf-8")
    assert report.full(RESULTS) == table, "run python -m benchmarks --report"


def test_report_document_without_marks_raises():
    message = r"^benchmarks/README\.md has no <!-- benchmarks --> \.\.\. <!-- /benchmarks -->$"
    with pytest.raises(ValueError, match=message):
        report.with_sections("benchmarks/README.md", "# A title\n", RESULTS)


@pytest.mark.parametrize("kind", KINDS)
def test_committed_float32_errors_are_within_the_claimed_ratios(kind):
    own = [found for found in RESULTS["accuracy"] if found["net"]["kind"] == kind]
    ratios = [certificate.ratio(found) for found in own]
    assert statistics.geometric_mean(ratios) <= 1.0
    assert max(ratios) <= 1.5

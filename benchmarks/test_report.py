"""The tables show what was measured, and where we are slower."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from benchmarks import report
from benchmarks.cases import CASES, GRID, Case, chosen
from benchmarks.chart import draw_sizes, draw_uses


def results_of(ratios):
    """Return results in which each case has these ratios to torch and ONNX Runtime."""
    cells = [
        {
            "case": asdict(case),
            "seconds": {"numpy_rnn": 2e-5, "torch": 2e-5 / a, "onnxruntime": 2e-5 / b},
            "ratios": {"torch": a, "onnxruntime": b},
            "rounds": 3,
        }
        for case, (a, b) in ratios.items()
    ]
    return {
        "command": "python -m benchmarks",
        "date": "2026-01-01",
        "machine": {"cpu": "a cpu", "cores": 2, "system": "Linux x86_64", "load": 0.0},
        "versions": {"Python": "3.11", "BLAS": "openblas", "numpy": "2.0"},
        "runs": [{"threads": 1, "cells": cells}],
    }


def test_report_ratio_above_one_is_bold_and_counted():
    cases = [case for case in GRID if (case.kind, case.steps) == ("GRU", 100)]
    results = results_of({case: (0.5, 2.0 if case.size == 16 else 0.5) for case in cases})
    section = report.section(results)
    assert "| GRU T=100 N=1 | 0.50 / **2.00** | 0.50 / 0.50 |" in section
    assert "| GRU T=100 | 0.50 | 0.66 (3 of 15) |" in section
    assert (
        "slower than torch in 0 of 15 cases and slower than ONNX Runtime in 3 of 15" in section
    )


def test_report_geometric_mean_of_a_factor_and_its_inverse_is_one():
    assert report.mean_text([4.0, 0.25]) == "1.00 (1 of 2)"


def test_report_table_has_time_and_ratio_of_each_peer():
    table = report.full(results_of({GRID[0]: (0.25, 1.25)}))
    assert f"| {GRID[0]} | 20.0 | 80.0 (0.25) | 16.0 (**1.25**) |\n" in table


def test_report_ratio_that_an_earlier_run_does_not_confirm_is_marked():
    results = results_of({GRID[0]: (0.25, 1.25), GRID[1]: (0.25, 1.25)})
    assert "earlier run" not in report.section(results)
    results["runs"] += results_of({GRID[0]: (0.29, 1.4), GRID[1]: (0.4, 1.3)})["runs"]
    assert "on the same day: 1 of 4 ratios differ by more than 20%" in report.section(results)
    table = report.full(results)
    assert f"| {GRID[0]} | 20.0 | 80.0 (0.25) | 16.0 (**1.25**) |\n" in table
    assert f"| {GRID[1]} | 20.0 | 80.0 (0.25)~ | 16.0 (**1.25**) |\n" in table


def test_report_workers_gain_is_a_sentence():
    results = results_of({GRID[0]: (0.5, 0.5)})
    assert "workers" not in report.section(results)
    seconds = {"one thread": 2.0, "all threads": 1.25, "workers": 1.0}
    results["workers"] = {"sequences": 4096, "count": 2, "seconds": seconds}
    for text in (report.section(results), report.full(results)):
        assert "4,096 sequences" in text
        assert "takes 2.00 s on one thread and 1.25 s on 2" in text
        assert "1.00 s, 0.50 and 0.80 of that" in text


def test_report_whole_models_have_a_table():
    results = results_of({GRID[0]: (0.5, 0.5)})
    assert report.WHOLE_MODELS not in report.section(results)
    timing = {"seconds": {"numpy_rnn": 1e-4, "torch": 2e-4}, "ratios": {"torch": 0.5}}
    results["models"] = [{"unit": "a model: a word", "threads": 1, **timing}]
    section = report.section(results)
    assert "| a model: a word | 100 | 200 (0.50) | - | - |" in section


def test_report_sections_replace_the_text_between_their_marks_alone():
    cases = [report.used(kind, use) for use in report.USES for kind in ("RNN", "LSTM")]
    results = results_of(dict.fromkeys(cases, (0.5, 2.0)))
    marks = [
        f"<!-- {mark} -->\nlast year\n<!-- /{mark} -->"
        for mark in report.DOCUMENTS["README.md"]
    ]
    once = report.with_sections("README.md", "\n".join(["a", *marks, "b", ""]), results)
    assert once.startswith("a\n<!-- ")
    assert once.endswith(" -->\nb\n")
    cell = "20.0 (0.50 / **2.00**)"
    assert "<!-- speed -->\n| µs, 128 units |" in once
    assert f"| LSTM | {cell} | - | {cell} | {cell} |\n\nMeasured on 2026-01-01 " in once
    assert once.count("last year") == 2, "size, import and errors were not measured"
    assert report.with_sections("README.md", once, results) == once


def test_chart_by_size_equal_results_give_equal_files_with_every_ratio(tmp_path):
    results = results_of(dict.fromkeys(GRID, (0.5, 1.25)))
    files = [tmp_path / "one.svg", tmp_path / "two.svg"]
    for file in files:
        draw_sizes(results, file)
    first, second = (file.read_text("utf-8") for file in files)
    assert first.count(">0.50</text>") == first.count(">1.25</text>") == len(GRID)
    assert first == second


def test_chart_by_use_equal_results_give_equal_files(tmp_path):
    results = results_of(dict.fromkeys(CASES, (0.5, 1.25)))
    files = [tmp_path / "one.svg", tmp_path / "two.svg"]
    for file in files:
        draw_uses(results, file)
    first, second = (file.read_text("utf-8") for file in files)
    assert first == second


def test_chart_by_use_says_who_is_faster(tmp_path):
    results = results_of(dict.fromkeys(CASES, (0.5, 1.25)))
    draw_uses(results, tmp_path / "uses.svg")
    text = (tmp_path / "uses.svg").read_text("utf-8")
    assert text.count(" 40.0 µs, 2.0x slower</text>") == 9
    assert text.count(" 16.0 µs, 1.2x faster</text>") == 9
    assert text.count("fill: #d6604d") == 9
    assert "a cpu; NumPy's BLAS is openblas" in text


def test_chart_by_use_case_that_was_not_measured_is_empty(tmp_path):
    results = results_of({Case("GRU", 100, 1, 128): (0.99, 1.01)})
    draw_uses(results, tmp_path / "uses.svg")
    text = (tmp_path / "uses.svg").read_text("utf-8")
    assert text.count(", the same</text>") == 2
    assert "slower</text>" not in text


@pytest.mark.parametrize(
    ("case", "name"),
    [
        (Case("RNN", 1, 8, 64), "RNN T=1 N=8 H=64"),
        (
            Case("GRU", 9, 8, 64, 2, True, packed=True),
            "GRU T=9 N=8 H=64 2 layers bidirectional packed",
        ),
        (Case("LSTM", 1, 1, 16, hx=True), "LSTM T=1 N=1 H=16 hx"),
    ],
)
def test_case_name_holds_its_sizes(case, name):
    assert str(case) == name


def test_case_pattern_chooses_by_name():
    assert {case.layers for case in chosen(pattern="RNN .* 4 layers")} == {4}
    assert len(set(CASES)) == len(CASES)


def test_report_frozen_step_has_its_time_and_ratios():
    cases = [report.used("LSTM", use) for use in report.USES]
    results = results_of(dict.fromkeys(cases, (0.5, 2.0)))
    for timed in results["runs"][0]["cells"]:
        timed["seconds"]["frozen"] = 1e-5
    text = report.speed(results)
    assert "| LSTM | 20.0 (0.50 / **2.00**) | 10.0 (0.25 / 1.00) | 20.0 (0.50" in text

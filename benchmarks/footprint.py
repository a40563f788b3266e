"""What a package weighs: time to import and to load, bytes on disk and in memory."""

from __future__ import annotations

import statistics
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from benchmarks.cases import KINDS
from benchmarks.processes import ROOT, line_of

IMPORTS = 5

TIMED_IMPORT = """
import time
{before}
start = time.perf_counter()
import {name}
print(time.perf_counter() - start)
"""


def footprint() -> dict[str, Any]:
    """Return all of it, in seconds and bytes."""
    return {
        "import": {
            "numpy": import_seconds("numpy", "pass"),
            **{name: import_seconds(name) for name in ("numpy_rnn", "torch", "onnxruntime")},
        },
        "load": line_of("-m", "benchmarks.loading"),
        "installed": {
            "numpy_rnn": size_of(package_files()),
            **{name: installed_bytes(name) for name in ("numpy", "torch", "onnxruntime")},
        },
        "peak": {
            name: {kind: line_of("-m", "benchmarks.memory", name, kind) for kind in KINDS}
            for name in ("numpy_rnn", "torch")
        },
    }


def import_seconds(name: str, before: str = "import numpy") -> float:
    """Return the median seconds of an import in a new process, NumPy being there already."""
    code = TIMED_IMPORT.format(before=before, name=name)
    return statistics.median(line_of("-c", code) for _ in range(IMPORTS))


def package_files() -> list[Path]:
    """Return the files of this package that its wheel has: it need not be installed here."""
    files = (path for path in (ROOT / "numpy_rnn").rglob("*") if path.is_file())
    return [path for path in files if path.suffix not in (".md", ".pyc")]


def installed_bytes(name: str) -> int:
    """Return the size of an installed distribution, without what it requires."""
    return size_of([Path(str(file.locate())) for file in distribution(name).files or ()])


def size_of(files: list[Path]) -> int:
    """Return the size of files together, compiled modules left out."""
    return sum(file.stat().st_size for file in files if file.suffix != ".pyc")

"""Python processes with a given number of threads, and what they print."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent

VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "BLIS_NUM_THREADS",
)


def processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def environment(threads: int) -> dict[str, str]:
    """Return environment variables that limit every library to so many threads.

    Python may keep what it compiles, as it does for a user: it imports a package faster so.
    """
    variables = os.environ | dict.fromkeys(VARIABLES, str(threads))
    variables["PYTHONDONTWRITEBYTECODE"] = ""
    if threads == 1:
        variables["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    return variables


def lines_of(*arguments: str, threads: int = 1) -> Iterator[Any]:
    """Run Python and yield what it prints, each line of JSON as it comes.

    Raises
    ------
    subprocess.CalledProcessError
        If it fails; its error output goes where ours does.
    """
    command = [sys.executable, *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment(threads)
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            yield json.loads(line)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)


def line_of(*arguments: str, threads: int = 1) -> Any:
    """Run Python, which prints one line of JSON."""
    (value,) = lines_of(*arguments, threads=threads)
    return value

"""The fixture `browser`, which calls functions in Pyodide, under node."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.answers import ANSWER, CALL

TESTS = Path(__file__).resolve().parents[1]
RUNTIME = Path(os.environ.get("NUMPY_RNN_PYODIDE", "pyodide")).resolve()
ABSENT = f"{RUNTIME} is not there: tests/browser/README.md says how to get it"


@pytest.fixture(scope="session")
def runtime() -> list[str | Path]:
    """Return the start of a command, or skip the tests where Pyodide or node is not there."""
    if not (RUNTIME / "pyodide.mjs").is_file():
        pytest.skip(ABSENT)
    node = shutil.which("node")
    if node is None:
        pytest.skip("node, which runs Pyodide, is not installed")
    return [node, TESTS / "browser" / "serve.mjs", RUNTIME]


def built_wheel(folder: Path) -> Path:
    """Build the package as it is now."""
    pip = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--quiet"]
    subprocess.run([*pip, "--wheel-dir", folder, TESTS.parent], check=True)
    (wheel,) = folder.iterdir()
    return wheel


@pytest.fixture(scope="session")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that Pyodide sees too, by the same path."""
    return tmp_path_factory.mktemp("exchange")


@pytest.fixture(scope="session")
def browser(
    runtime: list[str | Path], exchange: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Any]]:
    """Call a function in Pyodide: it, the arguments and the result are pickled."""
    wheel = built_wheel(tmp_path_factory.mktemp("wheel"))
    with subprocess.Popen(
        [*runtime, wheel, TESTS, exchange],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    ) as process:

        def call(function: Callable[..., Any], *arguments: Any) -> Any:
            (exchange / CALL).write_bytes(pickle.dumps((function, arguments)))
            process.stdin.write("\n")
            assert process.stdout.readline() == "\n", "Pyodide has stopped"
            returned, result = pickle.loads((exchange / ANSWER).read_bytes())
            assert returned, result
            return result

        yield call

"""The fixture `browser`, which calls functions in Pyodide, under node."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.browser.answers import ANSWER, CALL

TESTS = Path(__file__).resolve().parents[1]
PYODIDE = Path(os.environ.get("NUMPY_RNN_PYODIDE", "pyodide")).resolve()
ABSENT = f"{PYODIDE} is not there: tests/browser/README.md says how to get it"


class Runtime(NamedTuple):
    """What is needed to run the package in Pyodide."""

    node: str
    pyodide: Path
    wheel: Path


@pytest.fixture(scope="session")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    """Build the wheel of the package as it is now; skip the tests without Pyodide or node."""
    if not (PYODIDE / "pyodide.mjs").is_file():
        pytest.skip(ABSENT)
    node = shutil.which("node")
    if node is None:
        pytest.skip("node, which runs Pyodide, is not installed")
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--quiet"]
    subprocess.run([*pip, "--wheel-dir", folder, TESTS.parent], check=True)
    (wheel,) = folder.iterdir()
    return Runtime(node, PYODIDE, wheel)


@pytest.fixture(scope="session")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that Pyodide sees too, by the same path."""
    return tmp_path_factory.mktemp("exchange")


@pytest.fixture(scope="session")
def browser(runtime: Runtime, exchange: Path) -> Iterator[Callable[..., Any]]:
    """Call a function in Pyodide: it, the arguments and the result are pickled."""
    serve = [runtime.node, TESTS / "browser" / "serve.mjs"]
    with subprocess.Popen(
        [*serve, runtime.pyodide, runtime.wheel, TESTS, exchange],
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

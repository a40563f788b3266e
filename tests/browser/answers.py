"""What runs in Pyodide: it answers calls of functions, and has those that only tests call."""

from __future__ import annotations

import contextlib
import doctest
import importlib
import io
import pickle
import sys
import traceback
import warnings
from pathlib import Path
from typing import Any

import numpy as np

import numpy_rnn as nn
from numpy_rnn.__main__ import main
from numpy_rnn.random import Generator
from tests.support.hostile import outcome_of

CALL, ANSWER = "call.pkl", "answer.pkl"
"""The files of the exchange: a function and its arguments; whether it returned, and what."""


def answer(folder: str) -> None:
    """Call the function in a folder's file and write what it returns, or its traceback."""
    function, arguments = pickle.loads(Path(folder, CALL).read_bytes())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            result = pickle.dumps((True, function(*arguments)))
        except Exception:
            result = pickle.dumps((False, traceback.format_exc()))
    Path(folder, ANSWER).write_bytes(result)


def platform() -> tuple[str, str]:
    """Return what Python runs on, and the dtype of NumPy's indices."""
    return sys.platform, np.dtype(np.intp).name


def printed_by(*command: str) -> tuple[int, str]:
    """Return a command's exit code and output."""
    with contextlib.redirect_stdout(io.StringIO()) as output:
        code = main(command)
    return code, output.getvalue()


def traced(layer: Any, x: Any, hx: Any) -> dict[str, Any]:
    """Return everything that a trace has."""
    trace = nn.trace(layer, x, hx)
    arrays = {f"{each.name} {name}": a for each in trace.layers for name, a in each.items()}
    return {"output": trace.output, "hx": trace.hx, **arrays}


def drawn(method: str, *arguments: Any) -> Any:
    """Return what a seeded generator draws."""
    return getattr(Generator().manual_seed(4), method)(*arguments)


def one_hot(indices: list[int], dtype: str) -> Any:
    """Return the vectors of indices of a dtype that means another thing elsewhere."""
    return nn.functional.one_hot(np.array(indices, dtype))


def outcomes(files: list[bytes]) -> list[str]:
    """Return what each reader does with each file."""
    return [outcome_of(read, data) for data in files for read in (nn.load, nn.read_state_dict)]


def examples(module: str) -> tuple[int, int, str]:
    """Run the examples in a module's docstrings; return how many there are, how many fail."""
    with contextlib.redirect_stdout(io.StringIO()) as report:
        results = doctest.testmod(
            importlib.import_module(module),
            optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS,
        )
    return results.attempted, results.failed, report.getvalue()

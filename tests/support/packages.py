"""Models that PyPI packages ship: their files, and classes from their sources.

The files are not in this repository. `NUMPY_RNN_REAL_MODELS` names a folder in which the
wheels of silero-vad 6.2.3, instate 1.1.0, g2p_en 2.1.0, Resemblyzer 0.1.4, BeatNet 1.1.3 and
g2p-fa 1.1.0 are unpacked.
"""

from __future__ import annotations

import ast
import os
import warnings
from pathlib import Path
from typing import Any

FOLDER = Path(os.environ.get("NUMPY_RNN_REAL_MODELS", "real-models"))
ABSENT = f"{FOLDER} is not there: unpack the wheels and set NUMPY_RNN_REAL_MODELS"


def packaged(name: str) -> Path:
    """Return the path of a package's file."""
    return FOLDER / name


def class_of(path: Path, name: str, namespace: dict[str, Any]) -> Any:
    """Return a class from a package's source without importing the module around it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)  # the package's, in newer Pythons
        warnings.simplefilter("ignore", DeprecationWarning)  # the same in older ones
        module = ast.parse(path.read_text("utf-8"))
    (definition,) = [
        node for node in module.body if isinstance(node, ast.ClassDef) and node.name == name
    ]
    future = ast.parse("from __future__ import annotations").body
    source = ast.Module([*future, definition], type_ignores=[])
    exec(compile(source, path, "exec"), namespace)
    return namespace[name]

"""Who imports whom, and which names the package offers."""

from __future__ import annotations

import ast
import graphlib
import importlib
import json
import pkgutil
import re
import subprocess
import sys

import pytest

import numpy_rnn as nn
from tests.support.sources import Import, imports_in, modules_in

ROOMS = {
    "_typing": "",
    "floating_point": "_typing",
    "arguments": "_typing",
    "recurrence": "_typing floating_point",
    "random": "_typing floating_point arguments",
    "functional": "_typing floating_point arguments random",
    "init": "_typing floating_point arguments random",
    "utils": "_typing floating_point arguments",
    "arrays": "_typing random",
    "distributions": "_typing floating_point arrays random functional",
    "checkpoint": "_typing floating_point arguments",
    "modules": "_typing floating_point arguments recurrence functional init utils",
    "description": "arguments modules",
    "plotting": "_typing floating_point utils",
    "gradients": "_typing floating_point recurrence utils plotting",
    "tracing": "_typing floating_point arguments recurrence functional utils modules plotting "
    "gradients",
    "numpy_rnn": "random functional init utils checkpoint modules description gradients "
    "tracing",
    "testing": "_typing floating_point utils modules",
    "demo": "_typing functional numpy_rnn",
    "port": "functional init utils distributions numpy_rnn",
    "commands": "_typing floating_point arguments checkpoint modules description testing demo "
    "port",
    "__main__": "numpy_rnn commands",
}
"""Each module or package in `numpy_rnn/` and those that it may import from, all above it.

`numpy_rnn` itself is its `__init__.py`. Imports inside functions count, and those under
TYPE_CHECKING.
"""

THIRD_PARTY = {
    ("numpy_rnn.plotting", "matplotlib.axes"): "a type",
    ("numpy_rnn.plotting", "matplotlib.figure"): "draws the picture of a trace",
    ("numpy_rnn.gradients", "matplotlib.figure"): "a type",
    ("numpy_rnn.tracing", "matplotlib.figure"): "a type",
}
"""Imports of other packages than NumPy, and what they are for.

Each is inside a function or under TYPE_CHECKING.
"""

IMPORTED_AT_FIRST_USE = """
import json, sys
import numpy.random
before = set(sys.modules)
import numpy_rnn
numpy_rnn.manual_seed(0)
numpy_rnn.RNN(1, 1)
print(json.dumps(sorted({name.partition(".")[0] for name in set(sys.modules) - before})))
"""


def own_imports() -> list[Import]:
    """Return the imports of one module of the package by another."""
    return [
        found
        for found in imports_in("numpy_rnn")
        if found.imported.partition(".")[0] == "numpy_rnn"
    ]


def room_of(module: str) -> str:
    _, *names = module.split(".")
    return names[0] if names else "numpy_rnn"


def run_python(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    ).stdout


def test_rooms_table_lists_every_module_in_order():
    assert set(ROOMS) == {room_of(module) for module in modules_in("numpy_rnn")}
    above: set[str] = set()
    for room, allowed in ROOMS.items():
        assert above.issuperset(allowed.split()), room
        above.add(room)


@pytest.mark.parametrize("room", ROOMS)
def test_imports_between_rooms_go_as_the_table_says(room):
    allowed = {room, *ROOMS[room].split()}
    wrong = [
        (found.importer, found.imported)
        for found in own_imports()
        if room_of(found.importer) == room and room_of(found.imported) not in allowed
    ]
    assert wrong == []


def test_imports_form_no_circle():
    graph: dict[str, set[str]] = {}
    for found in own_imports():
        graph.setdefault(found.importer, set()).add(found.imported)
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


def test_imports_of_other_packages_are_numpy_or_listed():
    allowed = sys.stdlib_module_names | {"numpy", "numpy_rnn"}
    others = {
        found
        for found in imports_in("numpy_rnn")
        if found.imported.partition(".")[0] not in allowed
    }
    assert others == set(THIRD_PARTY)


def test_imports_by_function_name_a_constant():
    """A tool that freezes an application does not run code to find what it imports."""
    computed = [
        (module, ast.unparse(node))
        for module, path in modules_in("numpy_rnn").items()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in ("importlib.import_module", "import_module", "__import__")
        and not isinstance(node.args[0], ast.Constant)
    ]
    assert computed == []


def test_package_first_use_imports_only_numpy_and_the_standard_library():
    allowed = sys.stdlib_module_names | {"numpy", "numpy_rnn"}
    assert set(json.loads(run_python(IMPORTED_AT_FIRST_USE))) <= allowed


def test_every_module_imports_without_torch():
    names = [
        module.name
        for module in pkgutil.walk_packages(nn.__path__, "numpy_rnn.")
        if not module.name.endswith("__main__")
    ]
    assert "numpy_rnn.modules.rnn" in names
    block = "import sys; sys.modules['torch'] = None; "
    run_python(block + "; ".join(f"import {name}" for name in names))


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        (nn, r"Its layers are .*RNN, .*; its functions describe, .*; its modules functional, "),
        (nn.functional, "Its functions are adaptive_.*, batch_norm, bilinear, .*, tanh, "),
        (nn.init, "Its functions are calculate_gain, .*, zeros_$"),
    ],
)
def test_module_unknown_name_raises_with_the_known_ones(module, expected):
    message = rf"^module '{module.__name__}' has no attribute 'Transformer'\. {expected}"
    with pytest.raises(AttributeError, match=message) as raised:
        module.Transformer  # noqa: B018  # this is what raises
    for name in ("Trace", "Gradients", "CheckpointError", "as_array", "TYPE_CHECKING"):
        assert not re.search(rf"\b{name}\b", str(raised.value))
    assert not hasattr(module, "Conv3d")


@pytest.mark.parametrize("module", [nn, nn.functional, nn.init])
def test_module_dir_shows_public_names_alone(module):
    assert dir(module) == sorted(module.__all__)


def test_package_public_names_are_those_of_all():
    for name in nn.__all__:
        assert getattr(nn, name) is not None
    submodules = {module.name for module in pkgutil.iter_modules(nn.__path__)}
    listed = {name for name in vars(nn) if not name.startswith("_")} - {"TYPE_CHECKING"}
    assert listed - submodules == set(nn.__all__) - submodules


@pytest.mark.parametrize(
    "module",
    [
        "functional",
        "init",
        "random",
        "modules",
        "checkpoint",
        "description",
        "gradients",
        "tracing",
        "utils.parametrizations",
        "utils.parametrize",
        "utils.rnn",
    ],
)
def test_module_public_names_have_docstrings(module):
    module = importlib.import_module(f"numpy_rnn.{module}")
    for name in module.__all__:
        assert getattr(module, name).__doc__, name

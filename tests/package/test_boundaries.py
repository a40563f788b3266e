"""What the package imports, what it offers, and how light it is."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import numpy_rnn as nn

IMPORTED = """
import json, sys
import numpy.random
before = set(sys.modules)
import numpy_rnn
numpy_rnn.manual_seed(0)
numpy_rnn.RNN(1, 1)
print(json.dumps(sorted({name.partition(".")[0] for name in set(sys.modules) - before})))
"""


def run_python(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    ).stdout


def test_only_numpy_and_the_standard_library_are_imported():
    allowed = set(sys.stdlib_module_names) | {"numpy", "numpy_rnn"}
    assert set(json.loads(run_python(IMPORTED))) <= allowed


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        (nn, r"Its layers are .*RNN, .*; its functions describe, .*; its modules functional, "),
        (nn.functional, "Its functions are batch_norm, conv1d, .*, tanh$"),
        (nn.init, "Its functions are normal_, uniform_$"),
    ],
)
def test_unknown_name_raises_an_error_with_the_names_that_there_are(module, expected):
    message = rf"^module '{module.__name__}' has no attribute 'Transformer'\. {expected}"
    with pytest.raises(AttributeError, match=message) as raised:
        module.Transformer  # noqa: B018  # this is what raises
    for name in ("Trace", "CheckpointError", "as_array", "TYPE_CHECKING"):
        assert not re.search(rf"\b{name}\b", str(raised.value))
    assert not hasattr(module, "Conv2d")


@pytest.mark.parametrize("module", [nn, nn.functional, nn.init])
def test_dir_shows_public_names_only(module):
    assert dir(module) == sorted(module.__all__)


def test_recurrence_imports_nothing_of_layers():
    """Imports go one way: layers know the recurrence engine, it knows nothing of layers."""
    allowed = ("numpy_rnn.recurrence", "numpy_rnn.floating_point", "numpy_rnn._typing")
    for path in sorted(Path(nn.__file__).parent.glob("recurrence/*.py")):
        for name in re.findall(r"^ *(?:from|import) (numpy_rnn[\w.]*)", path.read_text(), re.M):
            assert name.startswith(allowed), path


def test_every_module_imports_without_torch():
    names = [
        module.name
        for module in pkgutil.walk_packages(nn.__path__, "numpy_rnn.")
        if not module.name.endswith("__main__")
    ]
    assert "numpy_rnn.modules.rnn" in names
    block = "import sys; sys.modules['torch'] = None; "
    run_python(block + "; ".join(f"import {name}" for name in names))


def test_public_names():
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
        "tracing",
        "utils.rnn",
    ],
)
def test_names_that_modules_offer_are_documented(module):
    module = importlib.import_module(f"numpy_rnn.{module}")
    for name in module.__all__:
        assert getattr(module, name).__doc__, name


def test_importing_adds_little_to_importing_numpy():
    """Under 60 ms, by the lowest of several runs: the machine may be busy."""
    code = (
        "import numpy, time; start = time.perf_counter(); import numpy_rnn; "
        "print(time.perf_counter() - start)"
    )
    assert min(float(run_python(code)) for _ in range(5)) < 0.060

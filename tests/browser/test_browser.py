"""The wheel gives torch's numbers under Pyodide, where NumPy's indices have 32 bits.

No floating-point warning is looked for: WebAssembly does not raise them.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.utils import rnn as torch_rnn

import numpy_rnn as nn
from numpy_rnn.testing import nested
from numpy_rnn.utils import rnn
from tests.browser import answers
from tests.support import mutations
from tests.support.compare import assert_close, assert_parity, to_torch
from tests.support.documents import GUIDE, blocks_of
from tests.support.golden import DATA
from tests.support.recurrent import (
    CELLS,
    DTYPES,
    KINDS,
    LAYOUTS,
    both,
    both_cells,
    cell_state,
    draw_hx,
    draw_input,
)
from tests.support.sources import modules_in

PAGE = Path(__file__).with_name("page.mjs")

EXAMPLES_FOR_64_BITS = {
    "numpy_rnn.testing.parity": "its example imports torch",
    "numpy_rnn.utils.rnn": "NumPy prints int64 without its dtype where indices have 64 bits",
    "numpy_rnn.gradients": "the example of plot needs Matplotlib",
    "numpy_rnn.tracing": "the example of plot needs Matplotlib",
}
"""Modules whose examples cannot pass there, and why."""

WHOLE_MODULES = {"module.pt", "module_legacy.pt", "data_parallel.pt"}
WHOLE_MODULES |= {"forecasting.pt", "forecasting_legacy.pt", "lightning.ckpt"}
"""Files that `load` refuses, since they name classes."""

WITH_EXAMPLES = [
    module
    for module, path in modules_in("numpy_rnn").items()
    if ">>> " in path.read_text("utf-8") and module not in EXAMPLES_FOR_64_BITS
]


CHANNELS = {"in_channels": 4, "out_channels": 6, "kernel_size": 3}


class InBrowser:
    """A module that is called in Pyodide."""

    def __init__(self, browser, module):
        self.browser, self.module = browser, module
        self.load_state_dict = module.load_state_dict

    def __call__(self, *inputs):
        return self.browser(self.module, *inputs)


def assert_equal(ours, expected):
    """Compare what is in nested tuples, lists and dicts exactly."""
    leaves = list(nested.leaves(ours)), list(nested.leaves(expected))
    for (name, mine), (expected_name, other) in zip(*leaves, strict=True):
        assert name == expected_name
        assert type(mine) is type(other)
        np.testing.assert_array_equal(mine, other, strict=True)


def test_browser_has_indices_of_32_bits(browser):
    assert browser(answers.platform) == ("emscripten", "int32")


def test_demo_in_browser_prints_parity(browser):
    code, printed = browser(answers.printed_by, "demo")
    assert code == 0
    assert re.search(r"^parity .* over 1601 recorded names\naccuracy  74\.4% ", printed, re.M)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("layers", "bidirectional"), [(1, False), (2, True), (3, False)])
@pytest.mark.parametrize("given_hx", [False, True], ids=["zeros", "hx"])
def test_rnn_in_browser_equals_torch(
    browser, rng, kind, layers, bidirectional, dtype, layout, given_hx
):
    arguments = {"num_layers": layers, "bidirectional": bidirectional, "batch_first": given_hx}
    ours, theirs = both(kind, 3, 5, dtype=dtype, **arguments)
    for steps, batch in [(1, 3), (7, 1), (30, 4)]:
        x = draw_input(rng, ours, steps, batch, layout)
        hx = draw_hx(rng, ours, batch, layout) if given_hx else None
        assert_parity(InBrowser(browser, ours), theirs, x, hx)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", ["RNN tanh", "LSTM", "GRU"])
@pytest.mark.parametrize("batch", [1, 8, 32])
def test_large_rnn_in_browser_equals_torch(browser, rng, kind, batch, dtype):
    """Sizes at which sequences are computed in other ways."""
    ours, theirs = both(kind, 20, 128, dtype=dtype, num_layers=2, bidirectional=True)
    assert_parity(InBrowser(browser, ours), theirs, draw_input(rng, ours, 20, batch, "packed"))
    assert_parity(InBrowser(browser, ours), theirs, draw_input(rng, ours, 30, batch))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("layer", "arguments"),
    [
        ("Conv1d", {**CHANNELS, "groups": 2}),
        ("Conv2d", {**CHANNELS, "padding": "same"}),
        ("ConvTranspose2d", {**CHANNELS, "stride": 2}),
        ("MaxPool2d", {"kernel_size": 3, "stride": 2, "return_indices": True}),
        ("AdaptiveMaxPool2d", {"output_size": (3, 2), "return_indices": True}),
        ("AdaptiveAvgPool1d", {"output_size": 3}),
        ("ReflectionPad2d", {"padding": 2}),
        ("Upsample", {"scale_factor": 1.5, "mode": "nearest"}),
        ("GroupNorm", {"num_groups": 2, "num_channels": 4}),
    ],
)
def test_layer_of_images_in_browser_equals_torch(browser, rng, layer, arguments, dtype):
    theirs = getattr(torch.nn, layer)(**arguments).to(DTYPES[dtype])
    ours = getattr(nn, layer)(**arguments).to(dtype)
    ours.load_state_dict(theirs.state_dict())
    axes = 1 if layer.endswith("1d") else 2
    x = rng.standard_normal((2, 4, 9, 7)[: 2 + axes]).astype(dtype)
    assert_parity(InBrowser(browser, ours), theirs, x)


def test_one_hot_in_browser_takes_both_dtypes_of_indices(browser):
    expected = np.array([[0, 0, 1], [1, 0, 0]], np.int64)
    for dtype in ("int64", "intp"):
        assert_equal(browser(answers.one_hot, [2, 0], dtype), expected)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", CELLS)
def test_cell_in_browser_equals_torch(browser, rng, kind, dtype):
    ours, theirs = both_cells(kind, 3, 5, dtype=dtype)

    def draw():
        return rng.standard_normal((4, 5)).astype(dtype)

    x = rng.standard_normal((4, 3)).astype(dtype)
    assert_parity(InBrowser(browser, ours), theirs, x, cell_state(kind, draw))


@pytest.mark.parametrize("enforce_sorted", [True, False])
@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("lengths_dtype", ["int32", "int64"])
def test_packing_in_browser_equals_torch(
    browser, rng, enforce_sorted, batch_first, lengths_dtype
):
    x = rng.standard_normal((5, 7, 3) if batch_first else (7, 5, 3))
    lengths = np.array([7, 4, 4, 2, 1] if enforce_sorted else [4, 1, 7, 2, 4], lengths_dtype)
    arguments = (batch_first, enforce_sorted)
    packed = browser(rnn.pack_padded_sequence, x, lengths, *arguments)
    expected = torch_rnn.pack_padded_sequence(
        torch.from_numpy(x), torch.from_numpy(lengths), *arguments
    )
    assert_close(packed, expected)
    for total_length in (None, 9):
        assert_close(
            browser(rnn.pad_packed_sequence, packed, batch_first, -1.0, total_length),
            torch_rnn.pad_packed_sequence(expected, batch_first, -1.0, total_length),
        )
    sequences = browser(rnn.unpack_sequence, packed)
    assert_close(tuple(sequences), tuple(torch_rnn.unpack_sequence(expected)))
    assert_close(
        browser(rnn.pack_sequence, sequences, enforce_sorted),
        torch_rnn.pack_sequence(to_torch(sequences), enforce_sorted),
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_trace_in_browser_equals_trace_here(browser, rng, kind, layout):
    layer, _ = both(kind, 3, 4, num_layers=2, bidirectional=True, dtype="float64")
    x, hx = draw_input(rng, layer, 8, 3, layout), draw_hx(rng, layer, 3, layout)
    there, here = browser(answers.traced, layer, x, hx), answers.traced(layer, x, hx)
    assert there.keys() == here.keys()
    assert_close(list(there.values()), to_torch(list(here.values())))


@pytest.mark.parametrize("path", sorted(DATA.glob("*.*[!y]")), ids=lambda path: path.name)
def test_load_in_browser_equals_load_here(browser, path):
    load = nn.read_state_dict if path.name in WHOLE_MODULES else nn.load
    assert_equal(browser(load, path), load(path))


@pytest.mark.parametrize("name", mutations.FORMATS)
def test_damaged_file_in_browser_is_read_or_refused_as_here(browser, rng, name, deep):
    files = [mutations.FORMATS[name](rng) for _ in range(500 if deep else 50)]
    outcomes = browser(answers.outcomes, files)
    assert outcomes == answers.outcomes(files)
    assert {"read", "refused"}.issuperset(outcomes)


@pytest.mark.parametrize("suffix", [".pt", ".safetensors", ".npz"])
def test_save_in_browser_writes_what_save_does_here(browser, exchange, tmp_path, suffix):
    layer, _ = both("LSTM", 3, 4, num_layers=2, bidirectional=True)
    there, here = (folder / f"weights{suffix}" for folder in (exchange, tmp_path))
    browser(nn.save, layer, there)
    nn.save(layer, here)
    assert there.read_bytes() == here.read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_layer_from_weights_in_browser_is_the_layer(browser, kind):
    layer, _ = both(kind, 3, 4, num_layers=2, bidirectional=True)
    weights = {f"encoder.{name}": array for name, array in layer.state_dict().items()}
    assert browser(nn.describe, weights).layers == nn.describe(weights).layers
    built = browser(type(layer).from_state_dict, weights, "encoder")
    assert repr(built) == repr(type(layer).from_state_dict(weights, "encoder"))
    assert_equal(built.state_dict(), layer.state_dict())


@pytest.mark.parametrize("dtype", DTYPES)
def test_seeded_uniform_draws_in_browser_equal_torch(browser, dtype):
    torch.manual_seed(4)
    expected = torch.empty(1000, dtype=DTYPES[dtype]).uniform_(-1, 1).numpy()
    assert_equal(browser(answers.drawn, "uniform", 1000, -1.0, 1.0, dtype), expected)


@pytest.mark.parametrize("size", [5, 1000])
def test_seeded_normal_draws_in_browser_equal_those_here(browser, size):
    """Those of float64 to rounding: another C library has other logarithms and cosines."""
    draws = ("normal", size, 0.0, 1.0)
    there, here = browser(answers.drawn, *draws), answers.drawn(*draws)
    assert_equal(there, here)
    there, here = browser(answers.drawn, *draws, "float64"), answers.drawn(*draws, "float64")
    np.testing.assert_allclose(there, here, rtol=0, atol=1e-14)


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_examples_in_browser_run(browser, module):
    attempted, failed, report = browser(answers.examples, module)
    assert attempted
    assert not failed, report


class JavaScriptArray:
    """As much of an array of JavaScript's as Python sees of it."""

    def __init__(self, array):
        self.to_py = array.copy


def test_page_of_the_guide_shows_what_is_computed_here(runtime, tmp_path, monkeypatch):
    (page,) = blocks_of(GUIDE, "html")
    (script,) = re.findall(r'<script type="module">(.*)</script>', page, re.S)
    (program,) = re.findall(r"runPython\(`(.*)`\)", script, re.S)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "script.mjs").write_text(script, "utf-8")
    (tmp_path / "pyodide").symlink_to(runtime.pyodide)
    shutil.copy(runtime.wheel, tmp_path)
    lstm, linear = nn.LSTM(16, 32), nn.Linear(32, 1)
    weights = {**lstm.state_dict(prefix="lstm."), **linear.state_dict(prefix="head.0.")}
    nn.save(weights, "detector.safetensors")
    printed = subprocess.check_output([runtime.node, PAGE, "script.mjs"], text=True)
    namespace = {}
    exec(program, namespace)
    chunk = JavaScriptArray(np.full(4 * 16, 0.5, np.float32))
    expected = [namespace["detect"](chunk) for _ in range(2)]
    shown = [float(line) for line in printed.splitlines()[-2:]]
    np.testing.assert_allclose(shown, expected, rtol=1e-6)
    assert expected[0] != expected[1]

"""``numpy-rnn bench``: how long the layers in a file take, beside torch and ONNX Runtime."""

from __future__ import annotations

import contextlib
import copy
import importlib
import os
import statistics
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from numpy_rnn._typing import AnyArray
from numpy_rnn.arguments import printable
from numpy_rnn.commands.common import (
    CommandError,
    add_file,
    columns,
    layer_named,
    read,
    status,
)
from numpy_rnn.commands.onnx_graph import STATES, graph_of, in_torch_layout, session_options
from numpy_rnn.commands.side_by_side import (
    TooLargeError,
    arrays,
    build,
    compare_with_torch,
    fitting_batch,
    import_torch,
    random_inputs,
    torch_twin,
)
from numpy_rnn.commands.timing import rounds_in_turn
from numpy_rnn.description import LayerDescription, describe
from numpy_rnn.modules import Module
from numpy_rnn.modules.rnn import RNNBase, RNNCellBase
from numpy_rnn.testing.criterion import difference, largest_magnitude

__all__ = ["DESCRIPTION", "EXAMPLES", "configure", "run"]

DESCRIPTION = """\
Time each recognised layer in FILE on this machine, on random input: alone or,
where they are installed, beside torch and, for recurrent layers, ONNX Runtime
(with the package onnx). Outputs are compared first, and what differs is not
timed. The libraries take turns, each with as many threads. The table has the
median over rounds, the middle half of them, and the ratio of numpy_rnn's time
to the other's: below 1 numpy_rnn is the faster. The row "frozen" is numpy_rnn
after freeze(). The exit code is 1 if a layer differs from another library's."""

EXAMPLES = """\
  numpy-rnn bench model.pt
  numpy-rnn bench model.pt --layer encoder.rnn --steps 1
  numpy-rnn bench model.safetensors --steps 200 --batch 32 --threads 2"""

SECONDS_A_LAYER = 2.0

PAUSE = 0.03
"""Seconds that several threads are given to fall asleep before another library's turn."""

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "BLIS_NUM_THREADS",
)
"""What a BLAS reads when NumPy is imported."""

FARTHEST = 1e-5
"""How far ONNX Runtime's result may be from ours, relative to the largest value or to 1."""

Call = Callable[[], Any]


class DiffersError(Exception):
    """Another library computes something else, so that there is nothing to compare."""


class Peers(NamedTuple):
    """The other libraries, or None for those that are not installed."""

    torch: Any
    onnx: Any
    onnxruntime: Any


def configure(parser: ArgumentParser) -> None:
    """Add the command's arguments."""
    add_file(parser)
    add = parser.add_argument
    add("--layer", metavar="NAME", help="time this layer alone, by the name inspect shows")
    steps = "length of a sequence (default: 100); 1 for streaming"
    add("--steps", metavar="T", type=int, default=100, help=steps)
    add("--batch", metavar="N", type=int, default=1, help="size of a batch (default: 1)")
    add("--threads", metavar="K", type=int, default=1, help="threads of each (default: 1)")


def run(options: Namespace) -> int:
    """Time the layers and print a table."""
    for name in ("steps", "batch", "threads"):
        if getattr(options, name) < 1:
            raise CommandError(f"--{name} must be at least 1, got {getattr(options, name)}")
    variables = dict.fromkeys(THREAD_VARIABLES, str(options.threads))
    if any(os.environ.get(name) != value for name, value in variables.items()):
        return _in_a_process_with(variables, options.words)
    state_dict = read(options)
    description = describe(state_dict)
    layers = list(description) if options.layer is None else [layer_named(description, options)]
    if not layers:
        raise CommandError(
            f"{options.file} has no recognised layer: inspect shows what it holds"
        )
    peers = _installed(options.threads)
    rows: list[tuple[str, ...]] = [
        ("layer", "class", "library", "median µs", "middle half", "ratio")
    ]
    left_out: list[str] = []
    code = 0
    for layer in layers:
        name = printable(layer.prefix)
        try:
            with status(f"timing {name}"):
                rows += _rows(name, layer.kind, _timed(layer, state_dict, peers, options))
        except TooLargeError as error:
            left_out.append(f"{name}: {error}")
        except DiffersError as error:
            left_out.append(f"{name}: {error}")
            code = 1
    print(*columns(rows, right=[3, 4, 5]), "", sep="\n")
    print(f"T={options.steps}, N={options.batch}, threads: {options.threads}")
    for package, module in peers._asdict().items():
        if module is None:
            print(f"not installed: {package}")
    for reason in left_out:
        print(f"not timed: {reason}")
    return code


def _in_a_process_with(variables: Mapping[str, str], words: list[str]) -> int:
    """Run the command again where NumPy's BLAS finds these variables; return its exit code."""
    command = [sys.executable, "-m", "numpy_rnn", *words]
    code = subprocess.run(command, env={**os.environ, **variables}, check=False).returncode
    return code if code >= 0 else 128 - code


def _installed(threads: int) -> Peers:
    torch = onnx = onnxruntime = None
    with contextlib.suppress(CommandError):
        torch = import_torch("bench")
        torch.set_num_threads(threads)
    with contextlib.suppress(ImportError, OSError), status("importing onnxruntime"):
        onnx = importlib.import_module("onnx")
        onnxruntime = importlib.import_module("onnxruntime")
    return Peers(torch, onnx, onnxruntime)


def _timed(
    layer: LayerDescription,
    state_dict: Mapping[str, AnyArray],
    peers: Peers,
    options: Namespace,
) -> dict[str, list[float]]:
    """Return the seconds of each round of each library, after a look at their results.

    Raises
    ------
    DiffersError
        If another library's result is not ours.
    TooLargeError
        If such a batch takes more memory than it may.
    """
    unknown = {"num_groups": 1} if "num_groups" in layer.unknown else {}
    ours = build(layer, state_dict, unknown)
    inputs = _inputs(layer, state_dict, options)
    calls: dict[str, Call] = {"numpy_rnn": partial(ours, *inputs)}
    if isinstance(ours, (RNNBase, RNNCellBase)):  # others keep nothing
        calls["frozen"] = partial(copy.deepcopy(ours).freeze(), *inputs)
    if peers.onnxruntime is not None and _has_operator(layer):
        calls["onnxruntime"] = run_onnx = _onnx_call(peers, layer, ours, inputs[0], options)
        if not _are_near(in_torch_layout(run_onnx(), layer.kind), arrays(ours(*inputs))):
            raise DiffersError("it differs from ONNX Runtime's")
    pause = PAUSE if options.threads > 1 else 0.0
    if peers.torch is None:
        return rounds_in_turn(calls, SECONDS_A_LAYER, pause)
    theirs = torch_twin(peers.torch, layer, ours, unknown)
    if not compare_with_torch(peers.torch, ours, theirs, inputs).agrees:
        raise DiffersError("it differs from torch's, as numpy-rnn verify shows")
    calls["torch"] = partial(theirs, *map(peers.torch.from_numpy, inputs))
    with peers.torch.inference_mode():
        return rounds_in_turn(calls, SECONDS_A_LAYER, pause)


def _inputs(
    layer: LayerDescription, state_dict: Mapping[str, AnyArray], options: Namespace
) -> list[AnyArray]:
    asked = options.batch, options.steps
    shapes = [state_dict[name].shape for name in layer.parameters]
    batch, steps = fitting_batch(layer, shapes, *asked)
    if (batch, steps) != asked:
        raise TooLargeError(f"it takes too much memory: try --batch {batch} --steps {steps}")
    return random_inputs(layer, batch, steps, seed=0)


def _has_operator(layer: LayerDescription) -> bool:
    """Return whether ONNX Runtime has an operator for a layer."""
    known = layer.arguments
    is_plain = known.get("bias", True) and not known.get("proj_size", 0)
    return layer.kind in STATES and is_plain and known.get("dtype", "float32") == "float32"


def _onnx_call(
    peers: Peers, layer: LayerDescription, ours: Module, x: AnyArray, options: Namespace
) -> Call:
    weights = list(ours.parameters())
    passes = [weights[start : start + 4] for start in range(0, len(weights), 4)]
    directions = 2 if layer.arguments.get("bidirectional", False) else 1
    session = peers.onnxruntime.InferenceSession(
        graph_of(peers.onnx, layer.kind, passes, directions).SerializeToString(),
        session_options(peers.onnxruntime, options.threads),
        ["CPUExecutionProvider"],
    )
    return partial(session.run, None, {"X": x})


def _are_near(results: list[AnyArray], expected: list[AnyArray]) -> bool:
    return all(
        result.shape == wanted.shape
        and float(difference(result, wanted).max(initial=0.0))
        <= FARTHEST * largest_magnitude(np.asarray(wanted, np.float64))
        for result, wanted in zip(results, expected, strict=True)
    )


def _rows(name: str, kind: str, times: Mapping[str, list[float]]) -> list[tuple[str, ...]]:
    """Return a row for each library; the first has the layer's name, and no ratio."""
    rows: list[tuple[str, ...]] = []
    first = next(iter(times))
    for library, rounds in times.items():
        low, median, high = (f"{1e6 * part:,.1f}" for part in statistics.quantiles(rounds))
        ratio = ""
        if library != first:
            ratio = f"{statistics.median(a / b for a, b in zip(times[first], rounds)):.2f}"
        rows.append((name, kind, library, median, f"{low} to {high}", ratio))
        name = kind = ""
    return rows

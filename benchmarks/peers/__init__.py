"""Who is timed: the same layers by this package and by others, with the same weights."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from benchmarks.cases import Case
from benchmarks.peers.problem import Peer, Problem

MODULES = {
    "numpy_rnn": "numpy_rnn_layer",
    "frozen": "frozen_layer",
    "torch": "torch_layer",
    "onnxruntime": "onnx_runtime",
    "jax": "jax_scan",
    "keras": "keras_numpy",
    "textbook": "textbook",
    "floor": "floor",
}
"""The peers, this package first, and the modules here that define them."""

OPTIONAL = ("jax", "keras")

NAMES = [
    name
    for name in MODULES
    if name not in OPTIONAL or importlib.util.find_spec(name) is not None
]
"""Those that can be asked."""

KERAS_SIZE = (100, 8, 64)
"""T, N and H of the layers of Keras that are timed; it is slow."""

LONGEST_LOOP = 100
"""Steps of the textbook loop at most: more take it as long a step."""

TOLERANCE = 1e-5
"""How far a float32 result may be from torch's; hidden states are of the order of 1."""


def takes_part(name: str, case: Case, threads: int) -> bool:
    """Return whether a peer is timed in a case."""
    if name in ("numpy_rnn", "torch", "onnxruntime"):
        return True
    if name == "frozen":
        return case.steps == 1 and case.batch == 1
    if case.packed:
        return False
    if name == "jax":
        return True
    if name == "keras":
        return threads == 1 and case == Case(case.kind, *KERAS_SIZE)
    return threads == 1 and (name == "floor" or case.steps <= LONGEST_LOOP)


def peers_of(
    case: Case, threads: int, names: list[str] = NAMES
) -> dict[str, Callable[[], Any]]:
    """Return a call for each peer that takes part, after a look at their results.

    Raises
    ------
    AssertionError
        If a result is not torch's.
    """
    problem = Problem(case, threads)
    peers: dict[str, Peer] = {}
    for name in names:
        if takes_part(name, case, threads):
            module = importlib.import_module(f"benchmarks.peers.{MODULES[name]}")
            peers[name] = module.peer(problem)
    check_results(peers, problem)
    return {name: peer.call for name, peer in peers.items()}


def check_results(peers: Mapping[str, Peer], problem: Problem) -> None:
    """Compare what each peer returns with what torch does."""
    from benchmarks.peers import torch_layer

    reference = torch_layer.peer(problem)
    expected = torch_layer.arrays(reference.call())
    for name, (call, arrays) in peers.items():
        result = call()
        if arrays is None:
            continue
        results = arrays(result)
        assert len(results) == len(expected), f"{name} returns {len(results)} arrays"
        for mine, theirs in zip(results, expected):
            assert mine.dtype == np.float32, f"{name} returns {mine.dtype}"
            np.testing.assert_allclose(
                mine, theirs, rtol=0, atol=TOLERANCE, err_msg=f"{name}, {problem.case}"
            )

"""``numpy-rnn verify``: the layers in a file, beside torch's.

This module alone of the package uses torch, and imports it when the command is run.
"""

from __future__ import annotations

import importlib
import warnings
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from numpy_rnn.commands.common import CommandError, add_file, columns, counted, read, status
from numpy_rnn.description import LayerDescription, describe, printable

if TYPE_CHECKING:
    from numpy_rnn._typing import AnyArray

__all__ = ["DESCRIPTION", "EXAMPLES", "configure", "run"]

DESCRIPTION = """\
Run every layer that is recognised in FILE beside torch's own, with the same weights on the
same random input, and print the largest difference. In float32 both round: allowed is four
times torch's own error against float64, plus four units in the last place; in float64 it is
1e-12; both of the largest value, or of 1. torch must be installed. The exit code is 1 if a
layer differs."""

EXAMPLES = """\
  numpy-rnn verify model.pt
  numpy-rnn verify model.safetensors --nonlinearity relu --seed 1"""

STEPS, BATCH = 20, 32
"""Enough for torch's largest error to tell how much rounding weighs in this layer."""

FLOAT64_TOLERANCE = 1e-12
"""Relative to the largest value, or to 1."""

FLOAT32_FACTOR, FLOAT32_ULPS = 4, 4
"""Two libraries add in different orders: each may be off by as much as the other, and for
small batches their products take other ways than for large ones."""


class Comparison(NamedTuple):
    """The largest difference from torch, and the largest that is allowed."""

    difference: float
    allowed: float

    @property
    def agrees(self) -> bool:
        """Whether the difference, which may be NaN, is allowed."""
        return self.difference <= self.allowed


def configure(parser: ArgumentParser) -> None:
    """Say what the command takes."""
    add_file(parser)
    parser.add_argument(
        "--nonlinearity",
        choices=["tanh", "relu"],
        default="tanh",
        help="of RNN and RNNCell (default: tanh)",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the input (default: 0)")


def run(options: Namespace) -> int:
    """Compare all layers and print a table."""
    if options.seed < 0:
        raise CommandError("--seed must not be negative")
    state_dict = read(options)
    description = describe(state_dict)
    if not description.layers:
        raise CommandError(f"{options.file} has no layer that is recognised")
    try:
        with status("importing torch"):
            torch = importlib.import_module("torch")
    except ImportError as error:
        raise CommandError(f"verify compares with torch: pip install torch ({error})") from None

    rows = [("layer", "class", "max |NumPy - torch|", "allowed", "")]
    differing = 0
    for layer in description:
        with status(f"comparing {printable(layer.prefix)}"):
            found = _compare(torch, layer, state_dict, options)
        differing += not found.agrees
        numbers = (f"{found.difference:.1e}", f"{found.allowed:.1e}")
        verdict = "agrees" if found.agrees else "DIFFERS"
        rows.append((printable(layer.prefix), layer.kind, *numbers, verdict))
    for line in columns(rows, right=[2, 3]):
        print(line)
    print()
    for inconsistency in description.inconsistent:
        print(f"not compared: {inconsistency}")
    if description.unrecognised:
        print(f"not compared: {counted(len(description.unrecognised), 'other tensor')}")
    count = counted(len(description), "layer")
    result = f"{differing} different" if differing else "no difference beyond rounding"
    print(f"{count} compared with torch {torch.__version__}: {result}")
    return 1 if differing else 0


def _compare(
    torch: Any, layer: LayerDescription, state_dict: dict[str, AnyArray], options: Namespace
) -> Comparison:
    arguments = dict(layer.arguments)
    dtype = arguments.pop("dtype", "float32")
    unknown = {"nonlinearity": options.nonlinearity} if "nonlinearity" in layer.unknown else {}
    ours = layer.build(state_dict, dtype=dtype, **unknown).eval()
    x = _random_input(layer, np.dtype(dtype), np.random.default_rng(options.seed))
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # of torch's own, about speed
        theirs = getattr(torch.nn, layer.kind)(
            **arguments, **unknown, dtype=getattr(torch, dtype)
        ).eval()
        theirs.load_state_dict(
            {name: torch.from_numpy(array.copy()) for name, array in ours.state_dict().items()}
        )
        input = torch.from_numpy(x)
        reference = _arrays(theirs(input))
        exact = _arrays(theirs.double()(input.double() if input.is_floating_point() else input))
    computed = _arrays(ours(x))
    difference = max(map(_largest_difference, computed, reference))
    largest = max((np.abs(a[np.isfinite(a)]).max(initial=1.0) for a in exact), default=1.0)
    if dtype == "float64":
        return Comparison(difference, FLOAT64_TOLERANCE * largest)
    rounding = max(map(_largest_difference, reference, exact))
    ulp = float(np.spacing(np.float32(min(largest, np.finfo(np.float32).max))))
    return Comparison(difference, FLOAT32_FACTOR * rounding + FLOAT32_ULPS * ulp)


def _random_input(
    layer: LayerDescription, dtype: np.dtype[Any], rng: np.random.Generator
) -> AnyArray:
    """Return a batch of an input that the layer takes."""
    if layer.kind == "Embedding":
        count = layer.arguments["num_embeddings"]
        return rng.integers(max(count, 1), size=(BATCH, STEPS if count else 0))
    drawn: AnyArray = rng.standard_normal(_input_shape(layer.kind, layer.arguments))
    return drawn.astype(dtype)


def _input_shape(kind: str, known: dict[str, Any]) -> tuple[int, ...]:
    if kind == "Linear":
        return (STEPS, BATCH, known["in_features"])
    if kind == "Conv1d":
        return (BATCH, known["in_channels"], STEPS + known["kernel_size"])
    if kind == "BatchNorm1d":
        return (BATCH, known["num_features"], STEPS)
    if kind == "LayerNorm":
        shape = known["normalized_shape"]
        return (BATCH, *(shape if isinstance(shape, tuple) else (shape,)))
    if kind.endswith("Cell"):
        return (BATCH, known["input_size"])
    return (STEPS, BATCH, known["input_size"])


def _arrays(result: Any) -> list[AnyArray]:
    """Return the arrays or tensors in nested tuples, as arrays."""
    if isinstance(result, tuple):
        return [array for item in result for array in _arrays(item)]
    return [np.asarray(result)]


def _largest_difference(a: AnyArray, b: AnyArray) -> float:
    """Return the largest difference, where what is not finite on both sides is none."""
    if a.shape != b.shape:
        return float("inf")
    with np.errstate(all="ignore"):
        difference = np.abs(a.astype(np.float64) - b)
    difference[(a == b) | (np.isnan(a) & np.isnan(b))] = 0.0
    return float(difference.max(initial=0.0))

"""``numpy-rnn verify``: the layers in a file, compared with torch's."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Any

from numpy_rnn._typing import AnyArray
from numpy_rnn.arguments import printable
from numpy_rnn.commands.common import CommandError, add_file, columns, counted, read, status
from numpy_rnn.commands.side_by_side import (
    TooLargeError,
    build,
    compare_with_torch,
    fitting_batch,
    import_torch,
    random_inputs,
    torch_twin,
)
from numpy_rnn.description import LayerDescription, describe
from numpy_rnn.testing import Comparison
from numpy_rnn.testing.criterion import FACTOR, FLOAT64_TOLERANCE, MARGIN, ULPS

__all__ = ["DESCRIPTION", "EXAMPLES", "configure", "run"]

DESCRIPTION = f"""\
Compare every recognised layer in FILE with torch's: both run with the same
weights on the same random input. The error is the largest difference from what
torch computes in float64. Its limits, where m is the largest value, at least 1:
  float32  {FACTOR * MARGIN:g} x torch's own error + {ULPS * MARGIN:g} ulps of m
  float64  {FLOAT64_TOLERANCE:g} x m
The exit code is 1 if a layer differs. torch must be installed."""

EXAMPLES = """\
  numpy-rnn verify model.pt
  numpy-rnn verify model.safetensors --nonlinearity relu --seed 1"""

STEPS, BATCH = 20, 32
"""Enough for torch's own error to show how much rounding there is in a layer."""


def configure(parser: ArgumentParser) -> None:
    """Add the command's arguments."""
    add_file(parser)
    add = parser.add_argument
    text = "activation of RNNs (default: tanh)"
    add("--nonlinearity", choices=["tanh", "relu"], default="tanh", help=text)
    add("--seed", type=int, default=0, help="seed of the input (default: 0)")


def run(options: Namespace) -> int:
    """Compare all layers and print a table."""
    if options.seed < 0:
        raise CommandError(f"--seed must not be negative, got {options.seed}")
    state_dict = read(options)
    description = describe(state_dict)
    if not description.layers:
        raise CommandError(
            f"{options.file} has no recognised layer: inspect shows what it holds"
        )
    torch = import_torch("verify")

    rows: list[tuple[str, ...]] = [("layer", "class", "error", "torch's own", "allowed", "")]
    differing = 0
    left_out = []
    for layer in description:
        try:
            with status(f"comparing {printable(layer.prefix)}"):
                found = _compare(torch, layer, state_dict, options)
        except TooLargeError as error:
            left_out.append(f"{printable(layer.prefix)}: {error}")
            continue
        differing += not found.agrees
        numbers = [f"{number:.1e}" for number in (found.error, found.own, found.allowed)]
        verdict = "agrees" if found.agrees else "DIFFERS"
        rows.append((printable(layer.prefix), layer.kind, *numbers, verdict))
    print(*columns(rows, right=[2, 3, 4]), "", sep="\n")
    for reason in (*left_out, *description.inconsistent):
        print(f"not compared: {reason}")
    if description.unrecognised:
        print(f"not compared: {counted(len(description.unrecognised), 'other tensor')}")
    count = counted(len(rows) - 1, "layer")
    result = f"{differing} different" if differing else "no difference beyond rounding"
    print(f"{count} compared with torch {torch.__version__}: {result}")
    return int(differing > 0)


def _compare(
    torch: Any, layer: LayerDescription, state_dict: dict[str, AnyArray], options: Namespace
) -> Comparison:
    assumed = {"nonlinearity": options.nonlinearity, "num_groups": 1}
    unknown = {name: value for name, value in assumed.items() if name in layer.unknown}
    ours = build(layer, state_dict, unknown)
    shapes = [state_dict[name].shape for name in layer.parameters]
    batch, steps = fitting_batch(layer, shapes, BATCH, STEPS)
    inputs = random_inputs(layer, batch, steps, options.seed)
    return compare_with_torch(torch, ours, torch_twin(torch, layer, ours, unknown), inputs)

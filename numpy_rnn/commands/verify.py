"""``numpy-rnn verify``: the layers in a file, compared with torch's.

No other module of the package imports torch, and this one only when the command is run.
"""

from __future__ import annotations

import importlib
import inspect
import math
import warnings
from argparse import ArgumentParser, Namespace
from typing import Any

import numpy as np

from numpy_rnn._typing import AnyArray
from numpy_rnn.arguments import printable
from numpy_rnn.commands.common import CommandError, add_file, columns, counted, read, status
from numpy_rnn.description import LayerDescription, describe
from numpy_rnn.modules.weighted import Shape
from numpy_rnn.testing import Comparison, compare
from numpy_rnn.testing.criterion import FACTOR, FLOAT64_TOLERANCE, MARGIN, ULPS
from numpy_rnn.testing.nested import leaves

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

MOST_ELEMENTS = 2**24
"""Up to how many an input or a result may have: wide layers get a smaller batch."""


class TooLargeError(Exception):
    """A layer cannot be compared in the memory that this may take."""


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
    torch = _import_torch()

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


def _import_torch() -> Any:
    try:
        with status("importing torch"):
            return importlib.import_module("torch")
    except (ImportError, OSError) as error:  # a shared library that is missing
        raise CommandError(f"verify needs torch: pip install torch ({error})") from None


def _compare(
    torch: Any, layer: LayerDescription, state_dict: dict[str, AnyArray], options: Namespace
) -> Comparison:
    """Return the comparison of the array that differs most."""
    dtype = layer.arguments.get("dtype", "float32")
    # An older torch lacks some arguments, so those at their defaults are left out.
    parameters = inspect.signature(layer.layer_class).parameters
    arguments = {
        name: value
        for name, value in layer.arguments.items()
        if name != "dtype" and value != parameters[name].default
    }
    assumed = {"nonlinearity": options.nonlinearity, "num_groups": 1}
    unknown = {name: value for name, value in assumed.items() if name in layer.unknown}
    weights = {name: state_dict[name] for name in layer.parameters}
    ours = layer.build(weights, dtype=dtype, **unknown).eval()
    shapes = [array.shape for array in weights.values()]
    inputs = _random_inputs(layer, np.dtype(dtype), shapes, options.seed)
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # of torch's own, about speed
        cls = getattr(torch.nn, layer.kind)
        theirs = cls(**arguments, **unknown, dtype=getattr(torch, dtype)).eval()
        theirs.load_state_dict(
            {name: torch.from_numpy(array.copy()) for name, array in ours.state_dict().items()}
        )
        tensors = [torch.from_numpy(x) for x in inputs]
        reference = _arrays(theirs(*tensors))
        doubles = [x.double() if x.is_floating_point() else x for x in tensors]
        exact = _arrays(theirs.double()(*doubles))
    results = zip(_arrays(ours(*inputs)), reference, exact, strict=True)
    found = [compare(*arrays, margin=MARGIN) for arrays in results]
    return max(found, key=lambda comparison: (not comparison.agrees, comparison.error))


def _random_inputs(
    layer: LayerDescription, dtype: np.dtype[Any], shapes: list[Shape], seed: int
) -> list[AnyArray]:
    """Return a batch of the inputs that the layer takes, mostly one."""
    rng = np.random.default_rng(seed)
    batch, steps = _batch_and_steps(layer, shapes)
    known = layer.arguments
    if layer.kind == "Embedding":
        count = known["num_embeddings"]
        return [rng.integers(max(count, 1), size=(batch, steps if count else 0))]
    drawn = _input_shapes(layer.kind, known, batch, steps)
    return [rng.standard_normal(shape).astype(dtype) for shape in drawn]


def _batch_and_steps(layer: LayerDescription, shapes: list[Shape]) -> tuple[int, int]:
    """Return the size of a batch of which inputs and results take no more than they may.

    Raises
    ------
    TooLargeError
        If those of a single step take more.
    """
    sizes = map(math.prod if layer.kind == "LayerNorm" else max, filter(None, shapes))
    widest = max(sizes, default=1)
    places = MOST_ELEMENTS // max(widest, 1)
    if places == 0:
        raise TooLargeError(f"it has {widest} features, and at most {MOST_ELEMENTS} are run")
    batch = min(BATCH, places)
    return batch, min(STEPS, places // batch)


def _input_shapes(kind: str, known: dict[str, Any], batch: int, steps: int) -> list[Shape]:
    if kind == "Linear":
        return [(steps, batch, known["in_features"])]
    if kind == "Bilinear":
        return [(batch, known["in1_features"]), (batch, known["in2_features"])]
    if kind.startswith("Conv"):
        kernel = known["kernel_size"]
        first, *second = kernel if isinstance(kernel, tuple) else (kernel,)
        return [(batch, known["in_channels"], steps + first, *(2 + size for size in second))]
    for name in ("num_features", "num_channels", "num_parameters"):
        if name in known:
            return [(batch, known[name], steps, *((3,) if kind.endswith("2d") else ()))]
    if kind == "LayerNorm":
        shape = known["normalized_shape"]
        return [(batch, *(shape if isinstance(shape, tuple) else (shape,)))]
    lead = (batch,) if kind.endswith("Cell") else (steps, batch)
    return [(*lead, known["input_size"])]


def _arrays(result: Any) -> list[AnyArray]:
    return [np.asarray(leaf) for _, leaf in leaves(result)]

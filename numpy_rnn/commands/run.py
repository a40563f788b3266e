"""``numpy-rnn run``: a layer out of a file, on an input out of another."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

import numpy as np

from numpy_rnn.checkpoint import save
from numpy_rnn.commands.common import CommandError, add_file, columns, read, status
from numpy_rnn.description import Description, LayerDescription, describe, printable
from numpy_rnn.floating_point import cast, silent
from numpy_rnn.recognition import KINDS

if TYPE_CHECKING:
    from numpy_rnn._typing import AnyArray

__all__ = ["DESCRIPTION", "EXAMPLES", "configure", "run"]

DESCRIPTION = """\
Run the recurrent layer in FILE over the input, starting from zeros, in evaluation mode.
What it returns is summed up on the standard output and, with -o, written under these names:
  RNN, GRU, LSTM    output, h_n, and c_n of an LSTM
  their cells       h, and c of an LSTMCell: one step
  other layers      output"""

EXAMPLES = """\
  numpy-rnn run model.pt input.npy -o out.npz
  numpy-rnn run model.pt input.npy --layer encoder.rnn --batch-first
  numpy-rnn run model.safetensors input.npy --nonlinearity relu --cast"""


def configure(parser: ArgumentParser) -> None:
    """Say what the command takes."""
    add_file(parser)
    parser.add_argument(
        "input",
        metavar="INPUT.npy",
        help="an array (L, N, features), (L, features), or what else the layer takes",
    )
    parser.add_argument(
        "--layer",
        metavar="NAME",
        help="one of those that inspect names; the only recurrent one if omitted",
    )
    parser.add_argument(
        "--batch-first", action="store_true", help="the input is (N, L, features)"
    )
    parser.add_argument(
        "--nonlinearity", choices=["tanh", "relu"], help="of an RNN or RNNCell; tanh if omitted"
    )
    parser.add_argument(
        "--cast", action="store_true", help="convert the input to the weights' dtype"
    )
    parser.add_argument(
        "-o",
        "--out",
        metavar="OUT.npz",
        help="where to write the results; or .safetensors, .pt",
    )


def run(options: Namespace) -> int:
    """Run the layer, print a summary, write the results."""
    state_dict = read(options)
    layer = _chosen(describe(state_dict), options)
    try:
        module = layer.build(state_dict, **_unknowns(layer, options)).eval()
    except ValueError as error:
        raise CommandError(f"{options.file}: {error}") from error
    x = _input(options.input)
    if options.cast and layer.kind != "Embedding":
        x = cast(x, next(module.parameters()).dtype)
    try:
        with status(f"running {printable(layer.prefix)}"):
            results = _named(layer, module(x))
    except (IndexError, RuntimeError, TypeError, ValueError) as error:
        hint = "" if options.cast or "dtype" not in str(error) else " (--cast does it)"
        raise CommandError(f"{options.input}: {error}{hint}") from error
    if options.out is not None:
        try:
            save(results, options.out)
        except ValueError as error:
            raise CommandError(f"{options.out}: {error}") from error
    print(f"{printable(layer.prefix)}: {module}" if layer.prefix else module)
    print()
    for line in columns(_summary({"input": x} | results), right=[3, 4, 5]):
        print(line)
    return 0


def _chosen(description: Description, options: Namespace) -> LayerDescription:
    """Return the layer that was asked for, or the only recurrent one."""
    if options.layer is not None:
        try:
            return description[options.layer]
        except KeyError as error:
            raise CommandError(f"{options.file}: {error.args[0]}") from None
    recurrent = [layer for layer in description if KINDS[layer.kind].family != "companion"]
    if len(recurrent) != 1:
        names = ", ".join(repr(layer.prefix) for layer in recurrent)
        what = f"several recurrent layers, {names}" if recurrent else "no recurrent layer"
        raise CommandError(f"{options.file} has {what}: choose with --layer")
    return recurrent[0]


def _unknowns(layer: LayerDescription, options: Namespace) -> dict[str, Any]:
    """Return the options that were given for what the weights do not tell."""
    given: dict[str, Any] = {}
    if options.batch_first:
        given["batch_first"] = True
    if options.nonlinearity is not None:
        given["nonlinearity"] = options.nonlinearity
    for name in given:
        if name not in layer.unknown:
            option = name.replace("_", "-")
            raise CommandError(f"--{option} is not for a layer of class {layer.kind}")
    return given


def _input(path: str) -> AnyArray:
    try:
        array = np.load(path, allow_pickle=False)
    except (EOFError, ValueError) as error:
        raise CommandError(f"{path} is no .npy file: {error}") from error
    if not isinstance(array, np.ndarray):
        array.close()
        raise CommandError(f"{path} is a zip file: save the input alone, with numpy.save")
    return array


def _named(layer: LayerDescription, result: Any) -> dict[str, AnyArray]:
    """Return what a layer returned by the names that torch's documentation gives it."""
    family = KINDS[layer.kind].family
    if family == "companion":
        return {"output": result}
    if family == "cell":
        return dict(zip("hc", result if isinstance(result, tuple) else (result,)))
    output, ends = result
    states = ends if isinstance(ends, tuple) else (ends,)
    return {"output": output} | dict(zip(("h_n", "c_n"), states))


@silent
def _summary(arrays: dict[str, AnyArray]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("", "shape", "dtype", "min", "mean", "max")]
    for name, array in arrays.items():
        values = ("", "", "")
        if array.size:
            numbers = (array.min(), array.mean(dtype=np.float64), array.max())
            values = tuple(f"{number:.6g}" for number in numbers)  # type: ignore[assignment]  # three
        rows.append((name, str(array.shape), str(array.dtype), *values))
    return rows

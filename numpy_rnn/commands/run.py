"""``numpy-rnn run``: a layer from a file, on an input from another."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from typing import Any

import numpy as np

from numpy_rnn._typing import AnyArray
from numpy_rnn.arguments import printable
from numpy_rnn.checkpoint import CheckpointError, load
from numpy_rnn.commands import common
from numpy_rnn.commands.common import STREAM, CommandError
from numpy_rnn.description import Description, LayerDescription, describe
from numpy_rnn.floating_point import cast, silent
from numpy_rnn.modules import Module
from numpy_rnn.modules.rnn import RNNBase, RNNCellBase

__all__ = ["DESCRIPTION", "EXAMPLES", "configure", "run"]

DESCRIPTION = """\
Run a recurrent layer from FILE on INPUT, in evaluation mode and with an initial
state of zeros. Its results are summarised on standard output and, with -o,
written under these names:
  RNN, GRU, LSTM    output, h_n, and c_n of an LSTM
  their cells       h, and c of an LSTMCell: one step
  other layers      output"""

EXAMPLES = """\
  numpy-rnn run model.pt input.npy -o out.npz
  numpy-rnn run model.pt input.npy --layer encoder.rnn --batch-first
  numpy-rnn run model.safetensors input.npy --nonlinearity relu --cast"""


def configure(parser: ArgumentParser) -> None:
    """Add the command's arguments."""
    common.add_file(parser)
    add = parser.add_argument
    x = (
        "a .npy file of shape (L, N, features), (L, features) or another that the layer takes; "
        "or - for standard input"
    )
    add("input", metavar="INPUT", help=x)
    name = "the layer's name, as inspect shows it (default: the only recurrent layer)"
    add("--layer", metavar="NAME", help=name)
    add("--batch-first", action="store_true", help="the input is (N, L, features)")
    add("--nonlinearity", choices=["tanh", "relu"], help="activation of an RNN (default: tanh)")
    add("--cast", action="store_true", help="convert the input to the weights' dtype")
    out = (
        "a .npz, .safetensors or .pt file to write the results to; or - for an .npz file on "
        "standard output, and the summary on standard error"
    )
    add("-o", "--out", metavar="OUT", help=out)


def run(options: Namespace) -> int:
    """Run the layer, write the results, print a summary."""
    if options.file == options.input == STREAM:
        raise CommandError("-: FILE and INPUT cannot both be standard input")
    if options.out is not None:
        common.check_output(options.out, options.file, options.input)
    state_dict = common.read(options)
    layer = _chosen(describe(state_dict), options)
    weights = {name: state_dict[name] for name in layer.parameters}
    with common.naming(options.file):
        module = layer.build(weights, **_unknowns(layer, options)).freeze()
    x = _input(options.input)
    if options.cast and layer.kind != "Embedding":
        dtypes = [
            array.dtype for array in module.state_dict().values() if array.dtype.kind == "f"
        ]
        with common.naming(options.input):
            x = cast(x, dtypes[0])
    results = _results(module, x, options)
    to_stream = options.out == STREAM
    if options.out is not None:
        common.write(results, options.out, "npz" if to_stream else None)
    name = f"{printable(layer.prefix)}: " if layer.prefix else ""
    table = common.columns(_summary({"input": x} | results), right=[3, 4, 5])
    file = sys.stderr if to_stream else sys.stdout
    print(f"{name}{module}", "", *table, sep="\n", file=file)
    return 0


def _chosen(description: Description, options: Namespace) -> LayerDescription:
    """Return the layer that was asked for, or the only recurrent one."""
    if options.layer is not None:
        return common.layer_named(description, options)
    classes = RNNBase, RNNCellBase
    recurrent = [layer for layer in description if issubclass(layer.layer_class, classes)]
    if len(recurrent) != 1:
        names = ", ".join(repr(layer.prefix) for layer in recurrent)
        what = f"several recurrent layers, {names}" if recurrent else "no recurrent layer"
        which = "one" if recurrent else "another layer"
        raise CommandError(f"{options.file} has {what}: name {which} with --layer")
    return recurrent[0]


def _unknowns(layer: LayerDescription, options: Namespace) -> dict[str, Any]:
    """Return the options that were given for arguments that weights do not determine."""
    names = ("batch_first", "nonlinearity")
    given = {name: value for name, value in vars(options).items() if value and name in names}
    for name in given:
        if name not in layer.unknown:
            option = name.replace("_", "-")
            raise CommandError(f"--{option} does not apply to a layer of class {layer.kind}")
    return given


def _input(path: str) -> AnyArray:
    with common.open_input(path) as file:
        try:
            x = load(file)
        except CheckpointError as error:
            raise ValueError(
                f"expected a .npy file, as numpy.save writes it: {error}"
            ) from error
        if not isinstance(x, np.ndarray):
            raise ValueError(
                "expected a .npy file, as numpy.save writes it, got several arrays"
            )
        return x


def _results(module: Module, x: AnyArray, options: Namespace) -> dict[str, AnyArray]:
    """Return what a layer returns, by the names that torch's documentation gives it."""
    try:
        with common.status(f"running {module}"):
            result = module(x)
    except (IndexError, RuntimeError, TypeError, ValueError) as error:
        hint = "" if options.cast or "dtype" not in str(error) else " (or use --cast)"
        raise CommandError(f"{options.input}: {error}{hint}") from error
    if isinstance(module, RNNCellBase):
        return dict(zip("hc", result if isinstance(result, tuple) else (result,)))
    if not isinstance(module, RNNBase):
        return {"output": result}
    output, last = result
    states = last if isinstance(last, tuple) else (last,)
    return {"output": output} | dict(zip(("h_n", "c_n"), states))


@silent
def _summary(arrays: dict[str, AnyArray]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("", "shape", "dtype", "min", "mean", "max")]
    for name, array in arrays.items():
        numbers: list[Any] = []
        if array.size:
            numbers = [array.min(), array.mean(dtype=np.float64), array.max()]
        values = [f"{number:.6g}" for number in numbers] or [""] * 3
        rows.append((name, str(array.shape), str(array.dtype), *values))
    return rows

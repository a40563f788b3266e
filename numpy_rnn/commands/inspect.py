"""``numpy-rnn inspect``: what is in a file."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from numpy_rnn.commands.common import add_file, columns, counted, read, size
from numpy_rnn.description import Description, describe, printable

if TYPE_CHECKING:
    from numpy_rnn._typing import AnyArray

__all__ = ["DESCRIPTION", "EXAMPLES", "configure", "run"]

DESCRIPTION = """\
Print the tensors in a file, and the layers they belong to as lines of Python. Behind a #
stands what weights cannot tell: set it as the model's author did. Half precision is
shown as the float32 that it is read as."""

EXAMPLES = """\
  numpy-rnn inspect model.pt
  numpy-rnn inspect checkpoint.pt --key model_state_dict
  numpy-rnn inspect model.safetensors --json"""


def configure(parser: ArgumentParser) -> None:
    """Say what the command takes."""
    add_file(parser)
    parser.add_argument(
        "--json",
        action="store_true",
        help="print one JSON object: tensors, layers, inconsistent, unrecognised",
    )


def run(options: Namespace) -> int:
    """Print what is in the file."""
    state_dict = read(options)
    description = describe(state_dict)
    if options.json:
        print(json.dumps(_as_json(state_dict, description), indent=2))
        return 0
    total = sum(array.nbytes for array in state_dict.values())
    print(f"{options.file}: {counted(len(state_dict), 'tensor')}, {size(total)}")
    if state_dict:
        rows = [("tensor", "dtype", "shape", "bytes")]
        rows += [
            (printable(name), str(array.dtype), str(array.shape), str(array.nbytes))
            for name, array in state_dict.items()
        ]
        print()
        for line in columns(rows, right=[3]):
            print(line)
    print()
    print(description)
    return 0


def _as_json(state_dict: dict[str, AnyArray], description: Description) -> dict[str, Any]:
    return {
        "tensors": [
            {
                "name": name,
                "dtype": str(array.dtype),
                "shape": array.shape,
                "bytes": array.nbytes,
            }
            for name, array in state_dict.items()
        ],
        "layers": [layer._asdict() for layer in description],
        "inconsistent": [item._asdict() for item in description.inconsistent],
        "unrecognised": list(description.unrecognised),
    }

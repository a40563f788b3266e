"""``numpy-rnn inspect``: what is in a file."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace

from numpy_rnn.arguments import printable
from numpy_rnn.commands.common import add_file, columns, contents, summary
from numpy_rnn.description import describe

__all__ = ["DESCRIPTION", "EXAMPLES", "configure", "run"]

DESCRIPTION = """\
Print the tensors in FILE, and for each layer that they belong to the line of
Python that makes it. A comment after # names the arguments that weights do not
determine: set them as the model's author did. The dtypes are those in FILE;
half precision is read as float32."""

EXAMPLES = """\
  numpy-rnn inspect model.pt
  numpy-rnn inspect checkpoint.pt --key model_state_dict
  numpy-rnn inspect model.safetensors --json"""


def configure(parser: ArgumentParser) -> None:
    """Add the command's arguments."""
    add_file(parser)
    parser.add_argument(
        "--json",
        action="store_true",
        help="print one JSON object: format, key, metadata, tensors, layers, inconsistent, "
        "unrecognised",
    )


def run(options: Namespace) -> int:
    """Print what is in the file."""
    found = contents(options)
    state_dict = found.weights
    description = describe(state_dict)
    tensors = [
        {
            "name": name,
            "dtype": found.stored.get(name, str(a.dtype)),
            "shape": a.shape,
            "bytes": a.nbytes,
        }
        for name, a in state_dict.items()
    ]
    if options.json:
        everything = {
            "format": found.format,
            "key": found.key,
            "metadata": found.metadata,
            "tensors": tensors,
            "layers": [layer._asdict() for layer in description],
            "inconsistent": [item._asdict() for item in description.inconsistent],
            "unrecognised": list(description.unrecognised),
        }
        print(json.dumps(everything, indent=2))
        return 0
    rows = [["tensor", "dtype", "shape", "bytes"]]
    rows += [[printable(str(value)) for value in tensor.values()] for tensor in tensors]
    notes = [f"format: {found.format}"]
    notes += [f"key: {printable(found.key)}"] * bool(found.key)
    notes += [f"metadata: {printable(k)} = {printable(v)}" for k, v in found.metadata.items()]
    print(summary(options.file, state_dict), *notes, "", sep="\n")
    print(*columns(rows, right=[3]), sep="\n")
    print("", description, sep="\n")
    return 0

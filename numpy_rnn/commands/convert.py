"""``numpy-rnn convert``: the weights in a file, in another format."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace

from numpy_rnn.checkpoint.saving import FORMATS
from numpy_rnn.commands import common

__all__ = ["DESCRIPTION", "EXAMPLES", "configure", "run"]

DESCRIPTION = """\
Write the weights in FILE to OUT, as one flat dict of arrays by name, and leave
out whatever else FILE holds. Half precision becomes float32. If OUT exists, it
is replaced once the new file is complete. OUT must not be FILE."""

EXAMPLES = """\
  numpy-rnn convert model.pt model.safetensors
  numpy-rnn convert checkpoint.pt weights.npz --key model_state_dict
  numpy-rnn convert weights.npz model.pt   # for torch.load(weights_only=True)
  curl -s https://example.com/model.pt | numpy-rnn convert - model.npz"""


def configure(parser: ArgumentParser) -> None:
    """Add the command's arguments."""
    common.add_file(parser)
    suffixes = ", ".join(suffix for suffixes in FORMATS.values() for suffix in suffixes)
    out = (
        f"the file to write, in the format of its suffix ({suffixes}); or - for standard output"
    )
    add = parser.add_argument
    add("out", metavar="OUT", help=out)
    add("--format", choices=list(FORMATS), help="the format of OUT (default: by its suffix)")


def run(options: Namespace) -> int:
    """Write the file."""
    common.check_output(options.out, options.file)
    to_stream = options.out == common.STREAM
    if to_stream and options.format is None:
        formats = ", ".join(FORMATS)
        raise common.CommandError(f"-: standard output needs --format: one of {formats}")
    state_dict = common.read(options)
    common.write(state_dict, options.out, options.format)
    summary = common.summary(options.out, state_dict)
    print(summary, file=sys.stderr if to_stream else sys.stdout)
    return 0

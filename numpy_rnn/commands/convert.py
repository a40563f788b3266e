"""``numpy-rnn convert``: the weights in a file, in another format."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from numpy_rnn.checkpoint import save
from numpy_rnn.checkpoint.saving import FORMATS
from numpy_rnn.commands.common import CommandError, add_file, counted, read, size, status

__all__ = ["DESCRIPTION", "EXAMPLES", "configure", "run"]

DESCRIPTION = """\
Write the weights in FILE to OUT: flat, by name, and nothing else that FILE holds. The
suffix of OUT says in which format. Half precision becomes float32. An OUT that is there is
replaced once the new one is complete; it can't be FILE."""

EXAMPLES = """\
  numpy-rnn convert model.pt model.safetensors
  numpy-rnn convert checkpoint.pt weights.npz --key model_state_dict
  numpy-rnn convert weights.npz model.pt     # for torch.load(weights_only=True)"""


def configure(parser: ArgumentParser) -> None:
    """Say what the command takes."""
    add_file(parser)
    parser.add_argument("out", metavar="OUT", help=f"to be written: {_suffixes()}")
    parser.add_argument("--format", choices=list(FORMATS), help="whatever the suffix of OUT")


def run(options: Namespace) -> int:
    """Write the file."""
    if _same_file(options.file, options.out):
        raise CommandError(
            f"{options.out} is FILE itself, of which only the weights would be left; "
            "write to another file"
        )
    state_dict = read(options)
    try:
        with status(f"writing {options.out}"):
            save(state_dict, options.out, options.format)
    except (TypeError, ValueError) as error:
        raise CommandError(f"{options.out}: {error}") from error
    total = sum(array.nbytes for array in state_dict.values())
    print(f"{options.out}: {counted(len(state_dict), 'tensor')}, {size(total)}")
    return 0


def _same_file(one: str, other: str) -> bool:
    try:
        return Path(one).samefile(other)
    except OSError:  # one of them is not there
        return False


def _suffixes() -> str:
    return ", ".join(suffix for suffixes in FORMATS.values() for suffix in suffixes)

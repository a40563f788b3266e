"""``numpy-rnn demo``: a classifier of surnames."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from numpy_rnn.commands.common import CommandError
from numpy_rnn.demo import command
from numpy_rnn.demo.classifier import UnknownNameError

__all__ = ["DESCRIPTION", "EXAMPLES", "configure", "run"]

DESCRIPTION = """\
Tell which language surnames are from, with a character-level RNN that torch trained and
NumPy runs, and compare with torch's own recorded answers."""

EXAMPLES = """\
  numpy-rnn demo
  numpy-rnn demo Virtanen Müller"""


def configure(parser: ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("names", metavar="NAME", nargs="*", help="a surname; a few if omitted")


def run(options: Namespace) -> int:
    """Classify the names."""
    try:
        return command.run(options.names)
    except UnknownNameError as error:
        raise CommandError(str(error)) from None

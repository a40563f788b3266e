"""The command line: ``python -m numpy_rnn``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

import numpy_rnn
from numpy_rnn.demo import command
from numpy_rnn.demo.classifier import UnknownNameError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        What stands behind the program's name; ``sys.argv`` if omitted.
    """
    options = _parser().parse_args(arguments)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a name the terminal cannot show
    try:
        code: int = options.run(options)
        sys.stdout.flush()
    except UnknownNameError as error:
        options.parser.error(str(error))
    except BrokenPipeError:
        # The reader has gone (`| head`): nothing more can be said, and nothing is wrong.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m numpy_rnn", description="torch's recurrent layers on NumPy alone."
    )
    parser.add_argument(
        "--version", action="version", version=f"numpy_rnn {numpy_rnn.__version__}"
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    demo = commands.add_parser(
        "demo",
        help="tell which language a surname is from",
        description=(
            "Tell which language surnames are from, with a character-level RNN that torch "
            "trained and NumPy runs, and compare with torch's own recorded answers."
        ),
    )
    demo.add_argument("names", metavar="NAME", nargs="*", help="a surname; a few if omitted")
    demo.set_defaults(parser=demo, run=lambda options: command.run(options.names))
    return parser


if __name__ == "__main__":
    sys.exit(main())

"""The command line: ``numpy-rnn``, or ``python -m numpy_rnn``."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import numpy_rnn
from numpy_rnn.commands.common import CommandError

COMMANDS = {
    "inspect": "show the tensors in a file, and the layers they belong to",
    "convert": "write the weights in a file to another, in another format",
    "run": "run the recurrent layer in a file on an input",
    "verify": "compare the layers in a file with torch's",
    "demo": "tell which language a surname is from",
}

EXIT_CODES = """\
exit codes:
  0    done
  1    done, and the numbers are not torch's (verify, demo)
  2    not done: wrong usage, or a file that cannot be read or written
  130  interrupted"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        What stands behind the program's name; ``sys.argv`` if omitted.

    Raises
    ------
    SystemExit
        With 2, after a line on the standard error, for wrong usage and bad files.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a name the terminal cannot show
    try:
        try:
            return _run(arguments)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        # The reader has gone (`| head`): nothing more can be said, and nothing is wrong.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130


def _run(arguments: Sequence[str]) -> int:
    options = _parser(arguments).parse_args(arguments)
    try:
        code: int = options.run(options)
    except BrokenPipeError:
        raise
    except CommandError as error:
        _fail(options.parser, str(error))
    except OSError as error:
        named = error.filename is not None and error.strerror is not None
        _fail(options.parser, f"{error.filename}: {error.strerror}" if named else str(error))
    except MemoryError as error:
        _fail(options.parser, f"not enough memory: {error}")
    return code


def _fail(parser: argparse.ArgumentParser, message: str) -> NoReturn:
    """Say in one line what is wrong, and leave."""
    line = " ".join(part.strip("\t") for part in message.splitlines())
    parser.exit(2, f"{parser.prog}: error: {line}\n")


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser; of the commands it knows only the one that is called in full."""
    parser = argparse.ArgumentParser(
        prog="numpy-rnn",
        description="Run and inspect torch's recurrent layers on NumPy alone.",
        epilog=EXIT_CODES + "\n\nnumpy-rnn COMMAND --help shows examples.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--version", action="version", version=f"numpy_rnn {numpy_rnn.__version__}"
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    called = next((word for word in arguments if not word.startswith("-")), None)
    for name, summary in COMMANDS.items():
        command = commands.add_parser(
            name, help=summary, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        if name == called:
            module = importlib.import_module(f"numpy_rnn.commands.{name}")
            command.description = module.DESCRIPTION
            command.epilog = f"examples:\n{module.EXAMPLES}"
            module.configure(command)
            command.set_defaults(parser=command, run=module.run)
    return parser


if __name__ == "__main__":
    sys.exit(main())

"""The command line: ``numpy-rnn``, or ``python -m numpy_rnn``."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import NoReturn

import numpy_rnn
from numpy_rnn.commands.common import CommandError

COMMANDS = {
    "inspect": "show the tensors in a file, and the layers that they belong to",
    "convert": "convert the weights in a file to another format",
    "run": "run a recurrent layer from a file on an input",
    "port": "rewrite torch source for NumPy",
    "verify": "compare the layers in a file with torch's",
    "bench": "time the layers in a file, beside torch and ONNX Runtime",
    "demo": "guess which language a surname is from",
}

EXIT_CODES = """\
exit codes:
  0    success
  1    results differ (verify, bench, demo), or lines are left (port)
  2    error: wrong usage, or a file that cannot be read or written
  130  interrupted
  143  terminated"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        The words after the program's name; ``sys.argv`` if omitted.

    Raises
    ------
    SystemExit
        With 2, after a line on standard error, for wrong usage and bad files.
    """
    with contextlib.suppress(ValueError):  # not in the main thread
        signal.signal(signal.SIGTERM, _terminate)
    if sys.stderr is None:  # closed, as by `2>&-`
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115  # for as long as we run
    if sys.stdout is None:
        return _output_failed("closed")
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a name the terminal cannot show
    try:
        try:
            return _run(sys.argv[1:] if arguments is None else arguments)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:  # the reader has gone (`| head`), and that is not an error
        _discard_output()
        return 0
    except OSError as error:
        _discard_output()
        return _output_failed(error)
    except KeyboardInterrupt:
        return 130


def _terminate(signum: int, _frame: object) -> NoReturn:
    """End as after an exception, so that no temporary file stays."""
    sys.exit(128 + signum)


def _discard_output() -> None:
    """Let what is still in the buffer go nowhere, so that Python does not fail at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _output_failed(reason: object) -> int:
    print(f"numpy-rnn: error: standard output: {reason}", file=sys.stderr)
    return 2


def _run(arguments: Sequence[str]) -> int:
    options = _parser(arguments).parse_args(arguments)
    try:
        code: int = options.run(options)
    except CommandError as error:
        _fail(options.parser, str(error))
    except MemoryError as error:
        _fail(options.parser, f"not enough memory: {error}")
    return code


def _fail(parser: argparse.ArgumentParser, message: str) -> NoReturn:
    """Print what is wrong in one line, and exit."""
    line = " ".join(part.strip("\t") for part in message.splitlines())
    # What is in a file, or its name, could control a terminal.
    line = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)
    parser.exit(2, f"{parser.prog}: error: {line}\n")


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser, with the arguments of the command that is called alone."""
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
            module = _import(name)
            command.description = module.DESCRIPTION
            command.epilog = f"examples:\n{module.EXAMPLES}"
            module.configure(command)
            command.set_defaults(parser=command, run=module.run, words=list(arguments))
    return parser


def _import(name: str) -> ModuleType:
    """Return a command's module. Tools that freeze applications find these statements."""
    command: ModuleType
    if name == "inspect":
        from numpy_rnn.commands import inspect as command
    elif name == "convert":
        from numpy_rnn.commands import convert as command
    elif name == "run":
        from numpy_rnn.commands import run as command
    elif name == "port":
        from numpy_rnn.commands import port as command
    elif name == "verify":
        from numpy_rnn.commands import verify as command
    elif name == "bench":
        from numpy_rnn.commands import bench as command
    else:
        from numpy_rnn.commands import demo as command
    return command


if __name__ == "__main__":
    sys.exit(main())

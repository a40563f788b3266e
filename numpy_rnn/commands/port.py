"""``numpy-rnn port``: source that uses torch, rewritten for NumPy."""

from __future__ import annotations

import difflib
import os
import sys
import tokenize
from argparse import ArgumentParser, Namespace
from pathlib import Path

from numpy_rnn.arguments import printable
from numpy_rnn.commands.common import CommandError, counted
from numpy_rnn.port import Ported, port

__all__ = ["DESCRIPTION", "EXAMPLES", "configure", "run"]

DESCRIPTION = """\
Rewrite torch inference source for NumPy and numpy_rnn. MODEL is read, never
run, and never overwritten. The new source goes to standard output or OUT; what
is left to do by hand is listed on standard error, with the lines of MODEL.
The exit code is 1 if something is left."""

EXAMPLES = """\
  numpy-rnn port model.py -o model_numpy.py
  numpy-rnn port model.py --diff
  numpy-rnn port package/ --check
  numpy-rnn port package/ -o ported/"""


def configure(parser: ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    add(
        "models",
        metavar="MODEL",
        nargs="+",
        help="a file of Python source, or a folder of them",
    )
    text = "where the new source goes: a file, or a folder for more than one file"
    add("-o", "--out", metavar="OUT", help=text)
    add("--diff", action="store_true", help="print the changes instead of the new source")
    add("--check", action="store_true", help="only report; write no source")


def run(options: Namespace) -> int:
    """Rewrite the files and report; return 1 if something is left to do by hand."""
    files = _files(options.models)
    if options.out is not None and (options.diff or options.check):
        raise CommandError("-o writes the new source; leave it out with --diff or --check")
    several = len(files) > 1 or Path(options.models[0]).is_dir()
    if several and options.out is None and not (options.diff or options.check):
        raise CommandError("several files need -o FOLDER, --diff or --check")
    targets = _targets(files, options.out, several)
    # All are read before any is written, so that a bad one leaves nothing half done.
    ported = {path: _ported(path) for path, _ in files}
    for path, result in ported.items():
        if options.diff:
            sys.stdout.writelines(_diff(path, result))
        elif not options.check:
            _write(result.source, targets.get(path))
        _report(path, result)
    _next_steps(ported, targets)
    return int(any(result.left for result in ported.values()))


def _files(models: list[str]) -> list[tuple[Path, Path]]:
    """Return the files to read, each with its place in an output folder."""
    found: list[tuple[Path, Path]] = []
    for model in map(Path, models):
        if model.is_dir():
            inside = sorted(path for path in model.rglob("*.py") if path.is_file())
            if not inside:
                raise CommandError(f"{model}: the folder has no .py files")
            found += [(path, path.relative_to(model)) for path in inside]
        else:
            found.append((model, Path(model.name)))
    return found


def _targets(
    files: list[tuple[Path, Path]], out: str | None, several: bool
) -> dict[Path, Path]:
    """Return where each file's new source goes; none of the files that are read."""
    if out is None:
        return {}
    targets = {
        path: Path(out) / place if several or Path(out).is_dir() else Path(out)
        for path, place in files
    }
    if len(targets) < len(files):
        twice = next(path for n, (path, _) in enumerate(files) if path in dict(files[:n]))
        raise CommandError(f"{twice} is given twice")
    if len(set(targets.values())) < len(targets):
        raise CommandError("two of the files have the same name, and would be written to one")
    for target in targets.values():
        for path, _ in files:
            if target.exists() and path.exists() and os.path.samefile(target, path):  # noqa: PTH121
                raise CommandError(f"{target}: this is an input; write to another file")
    return targets


def _ported(path: Path) -> Ported:
    try:
        with tokenize.open(path) as file:  # in the encoding that the file declares
            source = file.read()
        return port(source)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror or error}") from None
    except SyntaxError as error:
        where = f" in line {error.lineno}" if error.lineno else ""
        raise CommandError(f"{path}: not Python source: {error.msg}{where}") from None
    except (UnicodeDecodeError, ValueError) as error:
        raise CommandError(f"{path}: not Python source: {error}") from None
    except RecursionError:  # a RuntimeError too
        raise CommandError(f"{path}: its expressions are nested too deeply") from None
    except RuntimeError as error:
        raise CommandError(f"{path}: {error}; please report the file") from None


def _write(source: str, target: Path | None) -> None:
    if target is None:
        sys.stdout.write(source)
        return
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(source, "utf-8")
    except OSError as error:
        raise CommandError(f"{target}: {error.strerror or error}") from None


def _diff(path: Path, result: Ported) -> list[str]:
    with tokenize.open(path) as file:
        before = file.read().splitlines(keepends=True)
    after = result.source.splitlines(keepends=True)
    lines = difflib.unified_diff(before, after, str(path), str(path))
    return [line if line.endswith("\n") else f"{line}\n" for line in lines]


def _report(path: Path, result: Ported) -> None:
    """Print what was changed and what is left to do."""

    def say(text: str) -> None:
        print(text, file=sys.stderr)

    left = counted(len(result.left), "line") + " left"
    say(f"{printable(str(path))}: {counted(result.changed, 'line')} changed, {left}")
    for entry in result.left:
        say(f"  line {entry.line}: {printable(entry.text, 90)}\n      {entry.reason}")
    if result.missing:
        say(f"  layers that numpy_rnn does not have: {', '.join(sorted(result.missing))}")
    if result.removed:
        say("  removed, as it only trains:")
    for reason in result.removed:
        say(f"      {reason}")
    if result.assumed:
        say("  right only if:")
    for entry in result.assumed:
        say(f"      line {entry.line}: {printable(entry.text, 60)}: {entry.reason}")


def _next_steps(ported: dict[Path, Ported], targets: dict[Path, Path]) -> None:
    """Print how to check the port, for the last model of the first file that has one."""
    for path, result in ported.items():
        if not result.models:
            continue
        model, target = result.models[-1], targets.get(path)
        name = target.stem if target is not None else f"{path.stem}_numpy"
        print(
            f"""
next, where torch is installed, with the arguments and inputs of your model:
  from numpy_rnn.testing import assert_parity
  import {path.stem}, {name}
  original, port = {path.stem}.{model}(...).eval(), {name}.{model}(...).eval()
  port.load_state_dict(original.state_dict())
  print(assert_parity(port, original, x))""",
            file=sys.stderr,
        )
        return

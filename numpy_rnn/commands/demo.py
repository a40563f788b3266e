"""``numpy-rnn demo``: a classifier of surnames."""

from __future__ import annotations

import os
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence

import numpy as np

from numpy_rnn._typing import Array
from numpy_rnn.commands.common import CommandError
from numpy_rnn.demo.classifier import TrainedClassifier, UnknownNameError, held_out

__all__ = ["DESCRIPTION", "EXAMPLES", "configure", "run"]

DESCRIPTION = """\
Guess which languages surnames are from, with a character-level RNN that torch
trained and NumPy runs, and compare with the answers that torch gave."""

EXAMPLES = """\
  numpy-rnn demo
  numpy-rnn demo Virtanen Müller
  numpy-rnn demo --why Virtanen"""

NAMES = ("Kowalczyk", "Ó Briain", "García", "Virtanen", "Nkosi")
LANGUAGES_SHOWN = 3
BAR_WIDTH = 30
PARITY_TOLERANCE = 1e-5
"""The largest difference allowed from torch's recorded log-probabilities. They are float32,
and torch's error is not recorded."""


def configure(parser: ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "names", metavar="NAME", nargs="*", help="a surname (default: five examples)"
    )
    parser.add_argument(
        "--why",
        action="store_true",
        help="show instead how much each letter spoke for the most probable language",
    )


def run(options: Namespace) -> int:
    """Classify names, compare with torch's recorded answers, and print both."""
    classifier = TrainedClassifier()
    names = options.names or NAMES
    try:
        answers = [classifier.log_probabilities(name) for name in names]
    except UnknownNameError as error:
        raise CommandError(str(error)) from None
    if options.why:
        for name, answer in zip(names, answers):
            print(*_why(classifier, name, answer), "", sep="\n")
        return 0
    for name, answer in zip(names, answers):
        print(name, *_bars(answer, classifier.languages), "", sep="\n")

    recorded_names, labels, recorded = held_out()
    start = time.perf_counter()
    computed = np.array([classifier.log_probabilities(name) for name in recorded_names])
    milliseconds = (time.perf_counter() - start) * 1e3 / len(labels)
    difference = float(np.abs(computed - recorded).max())
    accuracy = float((computed.argmax(axis=1) == labels).mean())
    languages = len(classifier.languages)
    print(f"parity    max |NumPy - torch| = {difference:.1e} over {len(labels)} recorded names")
    print(
        f"accuracy  {accuracy:.1%} correct, among {languages} languages; "
        "no name was used in training"
    )
    print(f"time      {milliseconds:.2f} ms per name")
    if difference <= PARITY_TOLERANCE:
        return 0
    print(f"the difference from torch is above {PARITY_TOLERANCE:.0e}", file=sys.stderr)
    return 1


def _bars(answer: Array, languages: Sequence[str]) -> Iterator[str]:
    """Yield a line for each of the most probable languages."""
    probabilities = np.exp(answer)
    block = _block_character()
    width = max(map(len, languages))
    for index in np.argsort(-probabilities, kind="stable")[:LANGUAGES_SHOWN]:
        bar = block * round(float(probabilities[index]) * BAR_WIDTH)
        yield f"  {languages[index]:{width}} {probabilities[index]:6.1%}  {bar}".rstrip()


def _why(classifier: TrainedClassifier, name: str, answer: Array) -> Iterator[str]:
    """Yield a line for each letter: how much it spoke for or against the winning language."""
    letters, saliency = classifier.saliency(name)
    winner = answer.argmax()
    yield f"{name}: {classifier.languages[winner]} {np.exp(answer[winner]):.1%}, because of"
    block = _block_character()
    longest = max(float(np.abs(saliency).max()), 1e-30)
    for letter, value in zip(letters, saliency.tolist()):
        bar = block * round(abs(value) / longest * BAR_WIDTH)
        yield f"  {letter}  {value:+6.2f}  {_coloured(bar, value)}".rstrip()


def _coloured(bar: str, value: float) -> str:
    """Return a bar in green if it speaks for the language and in red if against it."""
    if not bar or not sys.stdout.isatty() or "NO_COLOR" in os.environ:
        return bar if value >= 0 else bar and f"{bar} against"
    return f"\x1b[{32 if value >= 0 else 31}m{bar}\x1b[0m"


def _block_character() -> str:
    """Return what bars are made of: a full block, if the output's encoding has it."""
    try:
        "█".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return "#"
    return "█"

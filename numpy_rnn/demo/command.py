"""What ``python -m numpy_rnn demo`` prints."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from numpy_rnn.demo.classifier import TrainedClassifier, held_out

if TYPE_CHECKING:
    from numpy_rnn._typing import Array

EXAMPLES = ("Kowalczyk", "Ó Briain", "García", "Virtanen", "Nkosi")
LANGUAGES_SHOWN = 3
BAR_WIDTH = 30
PARITY_TOLERANCE = 1e-5
"""Largest difference from torch's recorded log-probabilities that counts as agreement."""


def run(names: Sequence[str]) -> int:
    """Classify names, compare with torch's recorded answers, and print both.

    Parameters
    ----------
    names : sequence of str
        A few examples if empty.

    Returns
    -------
    int
        The exit code: 1 if NumPy's numbers are not torch's.

    Raises
    ------
    UnknownNameError
        If a name has no letter that the model knows; nothing is printed then.
    """
    classifier = TrainedClassifier()
    names = names or EXAMPLES
    answers = [classifier.log_probabilities(name) for name in names]
    block = _block_character()
    for name, answer in zip(names, answers, strict=True):
        print(name)
        for line in _bars(answer, classifier.languages, block):
            print(line)
        print()

    recorded_names, labels, recorded = held_out()
    start = time.perf_counter()
    computed = np.array([classifier.log_probabilities(name) for name in recorded_names])
    seconds = (time.perf_counter() - start) / len(recorded_names)
    difference = float(np.abs(computed - recorded).max())
    accuracy = float((computed.argmax(axis=1) == labels).mean())
    count = len(recorded_names)
    print(f"parity    max |NumPy - torch| = {difference:.1e} over {count} recorded names")
    languages = len(classifier.languages)
    print(f"accuracy  {accuracy:.1%} of them right, among {languages} languages; all held out")
    print(f"time      {seconds * 1e3:.2f} ms per name")
    if difference > PARITY_TOLERANCE:
        print(f"the difference from torch is above {PARITY_TOLERANCE:.0e}", file=sys.stderr)
        return 1
    return 0


def _bars(answer: Array, languages: Sequence[str], block: str) -> Iterator[str]:
    """Yield a line for each of the most probable languages."""
    probabilities = np.exp(answer)
    width = max(len(language) for language in languages)
    for index in np.argsort(-probabilities, kind="stable")[:LANGUAGES_SHOWN]:
        bar = block * round(float(probabilities[index]) * BAR_WIDTH)
        line = f"  {languages[index]:{width}} {probabilities[index]:6.1%}  {bar}"
        yield line.rstrip()


def _block_character() -> str:
    """Return what a bar is made of: a full block, where the output can show one."""
    try:
        "█".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return "#"
    return "█"

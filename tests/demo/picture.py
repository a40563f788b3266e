"""Draw the README's picture: what the demo's model does with a name, letter by letter.

Run from the root of a checkout: ``python -m tests.demo.picture``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import numpy_rnn as nn
from numpy_rnn.demo.classifier import TrainedClassifier, one_hot

NAME = "kowalczyk"
UNITS = 32


def main() -> None:
    demo = TrainedClassifier()
    traced = nn.trace(demo.model.rnn, one_hot(NAME, demo.alphabet))
    # The units that move most, for 128 rows are too many to look at.
    busiest = np.sort(np.argsort(traced["l0"].hidden.std(axis=0))[-UNITS:])
    layer = nn.LayerTrace("l0", traced["l0"].hidden[:, busiest])
    shown = nn.Trace(traced.kind, traced.output, traced.hx, (layer,))
    shown.plot(Path(__file__).parent / "trace.png", labels=NAME)


if __name__ == "__main__":
    main()

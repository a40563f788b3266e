"""Draw the README's picture: what the demo's model does with a name, letter by letter.

Run from the root of a checkout: ``python -m tests.demo.picture``.
"""

from __future__ import annotations

from pathlib import Path

import numpy_rnn as nn
from numpy_rnn.demo.classifier import TrainedClassifier, one_hot

NAME = "kowalczyk"
UNITS = 32


def main() -> None:
    demo = TrainedClassifier()
    traced = nn.trace(demo.model.rnn, one_hot(NAME, demo.alphabet))
    layer = nn.LayerTrace("l0", traced["l0"].hidden[:, :UNITS])  # 128 rows are too many
    shown = nn.Trace(traced.kind, traced.output, traced.hx, (layer,))
    shown.plot(Path(__file__).parent / "trace.png", labels=NAME)


if __name__ == "__main__":
    main()

"""Draw the README's picture: what the demo's model does with a name, letter by letter.

Run from the root of a checkout: ``python -m tests.demo.picture``. The README and the demo's
page show the line that plots.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import numpy_rnn as nn
from numpy_rnn.demo.classifier import TrainedClassifier, one_hot

PICTURE = Path(__file__).parent / "trace.png"


def main() -> None:
    demo = TrainedClassifier()
    t = nn.trace(demo.model.rnn, one_hot("kowalczyk", demo.alphabet))
    logits = demo.model.linear(t["l0"].hidden)
    beliefs = np.exp(nn.functional.log_softmax(logits, dim=-1))
    languages = demo.languages
    figure = t.plot(labels="kowalczyk", above=dict(zip(languages, beliefs.T)))
    figure.savefig(PICTURE)


if __name__ == "__main__":
    main()

"""The recurrence engine: what an Elman layer, an LSTM and a GRU compute, and how.

`protocol` says what a recurrence is; `elman`, `lstm` and `gru` are one equation each.
`sequence` runs a layer in one direction, `stack` stacked layers in all their directions,
`wavefront` several as one wider layer. `heuristics` chooses between ways of computing.
"""

from __future__ import annotations

from numpy_rnn.recurrence.elman import RELU, TANH
from numpy_rnn.recurrence.gru import GRU
from numpy_rnn.recurrence.lstm import LSTM
from numpy_rnn.recurrence.protocol import Recurrence

__all__ = ["RECURRENCES", "Recurrence"]

RECURRENCES: dict[str, Recurrence] = {
    recurrence.mode: recurrence for recurrence in (TANH, RELU, LSTM, GRU)
}
"""The recurrences by torch's names of their modes."""

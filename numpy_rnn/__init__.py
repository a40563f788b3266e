"""torch's recurrent layers on NumPy alone.

>>> import numpy_rnn as nn
>>> rnn = nn.RNN(10, 20, 2)

takes torch's arguments, torch's weights and torch's ``[seq, batch, feature]`` arrays, and
returns torch's numbers, without torch.
"""

from typing import TYPE_CHECKING

from numpy_rnn import functional, init, utils
from numpy_rnn.checkpoint import CheckpointError, load, read_state_dict
from numpy_rnn.modules import GRU, LSTM, RNN, GRUCell, Linear, LSTMCell, Module, RNNCell
from numpy_rnn.random import manual_seed
from numpy_rnn.tracing import LayerTrace, Trace, trace

__version__ = "0.1.0"

if not TYPE_CHECKING:  # a type checker knows which names there are

    def __getattr__(name):
        """Say what there is to someone who looks for another of torch's layers."""
        layers = ", ".join(name for name in __all__ if name[0].isupper())
        raise AttributeError(
            f"module 'numpy_rnn' has no attribute {name!r}. Of torch.nn it has {layers}, and "
            "functional, init and utils"
        )


__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "CheckpointError",
    "GRUCell",
    "LSTMCell",
    "LayerTrace",
    "Linear",
    "Module",
    "RNNCell",
    "Trace",
    "functional",
    "init",
    "load",
    "manual_seed",
    "read_state_dict",
    "trace",
    "utils",
]

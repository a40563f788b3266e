"""torch's recurrent layers on NumPy alone.

>>> import numpy_rnn as nn
>>> rnn = nn.RNN(10, 20, 2)

takes torch's arguments, torch's weights and torch's ``[seq, batch, feature]`` arrays, and
returns torch's numbers, without torch.
"""

from numpy_rnn import functional, init
from numpy_rnn.checkpoint import CheckpointError, load
from numpy_rnn.modules import RNN, Linear, Module
from numpy_rnn.random import manual_seed

__version__ = "0.1.0"

__all__ = [
    "RNN",
    "CheckpointError",
    "Linear",
    "Module",
    "functional",
    "init",
    "load",
    "manual_seed",
]

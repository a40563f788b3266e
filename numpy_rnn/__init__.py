"""torch's recurrent layers on NumPy alone.

>>> import numpy_rnn as nn
>>> rnn = nn.RNN(10, 20, 2)

takes torch's arguments, torch's weights and torch's ``[seq, batch, feature]`` arrays, and
returns torch's numbers, without torch.
"""

from typing import TYPE_CHECKING

from numpy_rnn import functional, init, utils
from numpy_rnn.checkpoint import CheckpointError, load, read_state_dict, save
from numpy_rnn.description import describe
from numpy_rnn.modules import (
    GRU,
    LSTM,
    RNN,
    BatchNorm1d,
    Conv1d,
    Dropout,
    Embedding,
    Flatten,
    GRUCell,
    Identity,
    LayerNorm,
    LeakyReLU,
    Linear,
    LogSoftmax,
    LSTMCell,
    Module,
    ModuleDict,
    ModuleList,
    ReLU,
    RNNCell,
    Sequential,
    Sigmoid,
    Softmax,
    Tanh,
)
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
    "BatchNorm1d",
    "CheckpointError",
    "Conv1d",
    "Dropout",
    "Embedding",
    "Flatten",
    "GRUCell",
    "Identity",
    "LSTMCell",
    "LayerNorm",
    "LayerTrace",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "Module",
    "ModuleDict",
    "ModuleList",
    "RNNCell",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "Softmax",
    "Tanh",
    "Trace",
    "describe",
    "functional",
    "init",
    "load",
    "manual_seed",
    "read_state_dict",
    "save",
    "trace",
    "utils",
]

"""The layers, and the base class they share."""

from numpy_rnn.modules.linear import Linear
from numpy_rnn.modules.module import Module
from numpy_rnn.modules.rnn import GRU, LSTM, RNN, GRUCell, LSTMCell, RNNCell

__all__ = ["GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "Linear", "Module", "RNNCell"]

"""The layers, and the base class they share."""

from numpy_rnn.modules.linear import Linear
from numpy_rnn.modules.module import Module
from numpy_rnn.modules.rnn import RNN

__all__ = ["RNN", "Linear", "Module"]

"""Utilities around the layers, after ``torch.nn.utils``."""

from numpy_rnn.utils import rnn

__all__ = ["rnn"]

"""Utilities around the layers, after ``torch.nn.utils``."""

from numpy_rnn.utils import parametrizations, parametrize, rnn
from numpy_rnn.utils.parametrizations import spectral_norm, weight_norm
from numpy_rnn.utils.parametrize import remove_parametrizations as remove_spectral_norm
from numpy_rnn.utils.parametrize import remove_parametrizations as remove_weight_norm

__all__ = [
    "parametrizations",
    "parametrize",
    "remove_spectral_norm",
    "remove_weight_norm",
    "rnn",
    "spectral_norm",
    "weight_norm",
]

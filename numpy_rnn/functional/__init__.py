"""Stateless functions, after ``torch.nn.functional``.

They take arrays of float32 or float64 and return new arrays of the same dtype. Where torch
has an argument ``inplace`` it is accepted, but an input is never changed. The files follow
the sections of torch's documentation.
"""

from typing import TYPE_CHECKING

from numpy_rnn.functional.activation import (
    leaky_relu,
    log_softmax,
    relu,
    sigmoid,
    softmax,
    tanh,
)
from numpy_rnn.functional.convolution import conv1d
from numpy_rnn.functional.dropout import dropout
from numpy_rnn.functional.fold import unfold
from numpy_rnn.functional.linear import linear
from numpy_rnn.functional.normalization import batch_norm, layer_norm
from numpy_rnn.functional.padding import pad
from numpy_rnn.functional.pooling import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_max_pool1d,
    adaptive_max_pool2d,
    avg_pool1d,
    avg_pool2d,
    max_pool1d,
    max_pool2d,
)
from numpy_rnn.functional.sparse import embedding
from numpy_rnn.functional.vision import grid_sample, interpolate

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "avg_pool1d",
    "avg_pool2d",
    "batch_norm",
    "conv1d",
    "dropout",
    "embedding",
    "grid_sample",
    "interpolate",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log_softmax",
    "max_pool1d",
    "max_pool2d",
    "pad",
    "relu",
    "sigmoid",
    "softmax",
    "tanh",
    "unfold",
]


def __dir__() -> list[str]:
    return __all__


if not TYPE_CHECKING:  # hidden from type checkers, which then report unknown names

    def __getattr__(name):
        raise AttributeError(
            f"module 'numpy_rnn.functional' has no attribute {name!r}. Its functions are "
            f"{', '.join(__all__)}"
        )

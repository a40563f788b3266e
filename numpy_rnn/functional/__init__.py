"""Stateless functions, after ``torch.nn.functional``.

They take arrays of float32 or float64 and return new arrays of the same dtype. Where torch
has an argument ``inplace`` it is accepted, but an input is never changed. The files follow
the sections of torch's documentation.
"""

from typing import TYPE_CHECKING

from numpy_rnn.functional.activation import (
    elu,
    gelu,
    glu,
    hardtanh,
    leaky_relu,
    log_softmax,
    logsigmoid,
    prelu,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    softmax,
    softplus,
    tanh,
    threshold,
)
from numpy_rnn.functional.convolution import (
    conv1d,
    conv2d,
    conv_transpose1d,
    conv_transpose2d,
)
from numpy_rnn.functional.distance import cosine_similarity
from numpy_rnn.functional.dropout import dropout, dropout1d, dropout2d
from numpy_rnn.functional.fold import unfold
from numpy_rnn.functional.linear import bilinear, linear
from numpy_rnn.functional.normalization import (
    batch_norm,
    group_norm,
    instance_norm,
    layer_norm,
    normalize,
)
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
from numpy_rnn.functional.sparse import embedding, one_hot
from numpy_rnn.functional.vision import grid_sample, interpolate

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "avg_pool1d",
    "avg_pool2d",
    "batch_norm",
    "bilinear",
    "conv1d",
    "conv2d",
    "conv_transpose1d",
    "conv_transpose2d",
    "cosine_similarity",
    "dropout",
    "dropout1d",
    "dropout2d",
    "elu",
    "embedding",
    "gelu",
    "glu",
    "grid_sample",
    "group_norm",
    "hardtanh",
    "instance_norm",
    "interpolate",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log_softmax",
    "logsigmoid",
    "max_pool1d",
    "max_pool2d",
    "normalize",
    "one_hot",
    "pad",
    "prelu",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "tanh",
    "threshold",
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

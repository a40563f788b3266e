"""torch's recurrent layers on NumPy alone.

>>> import numpy_rnn as nn
>>> rnn = nn.RNN(10, 20, 2)

takes torch's arguments, torch's weights and torch's ``[seq, batch, feature]`` arrays, and
returns torch's numbers, without torch.
"""

from typing import TYPE_CHECKING

from numpy_rnn import functional, init, modules, utils
from numpy_rnn.checkpoint import CheckpointError, load, read_state_dict, save
from numpy_rnn.description import describe
from numpy_rnn.gradients import Gradients, LayerGradients
from numpy_rnn.modules import *  # noqa: F403  # the layers
from numpy_rnn.random import manual_seed
from numpy_rnn.tracing import LayerTrace, Trace, trace

__version__ = "0.1.0"

__all__ = [
    "CheckpointError",
    "Gradients",
    "LayerGradients",
    "LayerTrace",
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
__all__ += modules.__all__


def __dir__() -> list[str]:
    return __all__


if not TYPE_CHECKING:  # hidden from type checkers, which then report unknown names

    def __getattr__(name):
        values = {public: globals()[public] for public in __all__}
        layers = [
            n for n, value in values.items() if modules.Module in getattr(value, "__mro__", ())
        ]
        functions = [n for n, value in values.items() if isinstance(value, type(trace))]
        raise AttributeError(
            f"module 'numpy_rnn' has no attribute {name!r}. Its layers are "
            f"{', '.join(layers)}; its functions {', '.join(functions)}; its modules "
            "functional, init and utils. What torch has outside of torch.nn, such as "
            "torch.cat, is written in NumPy"
        )

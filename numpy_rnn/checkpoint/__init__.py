"""Checkpoints without torch: `load`, `read_state_dict` and `save`.

A format is one file, which reads and, where `save` has it, writes it. Nothing in a file is
executed.
"""

from numpy_rnn.checkpoint.errors import CheckpointError
from numpy_rnn.checkpoint.loading import load, read_state_dict
from numpy_rnn.checkpoint.saving import save

__all__ = ["CheckpointError", "load", "read_state_dict", "save"]

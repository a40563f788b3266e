"""silero-vad 6.2.3: is there speech? Half a kilosample of 16 kHz audio at a time."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch

import numpy_rnn as nn
from numpy_rnn import functional as F  # noqa: N812  # as torch sources have it
from tests.support.packages import packaged

CHUNK = 512
CONTEXT = 64
"""Samples in a call, and how many of the call before are put in front of them."""


class SileroVAD(nn.Module):
    """The port. `forward` takes (N, 512) samples and returns (N, 1) probabilities."""

    def __init__(self):
        super().__init__()
        self.stft_conv = nn.Conv1d(1, 258, 256, stride=128, bias=False)
        self.conv1 = nn.Conv1d(129, 128, 3, padding=1)
        self.conv2 = nn.Conv1d(128, 64, 3, stride=2, padding=1)
        self.conv3 = nn.Conv1d(64, 64, 3, stride=2, padding=1)
        self.conv4 = nn.Conv1d(64, 128, 3, padding=1)
        self.lstm_cell = nn.LSTMCell(128, 128)
        self.final_conv = nn.Conv1d(128, 1, 1)
        self.reset()

    def reset(self):
        self.context = self.state = None

    def forward(self, chunk):
        if self.context is None:
            self.context = np.zeros((len(chunk), CONTEXT), chunk.dtype)
        x = np.concatenate([self.context, chunk], axis=1)
        self.context = x[:, -CONTEXT:]
        x = self.stft_conv(F.pad(x, (0, CONTEXT), "reflect")[:, None])
        x = np.sqrt(x[:, :129] ** 2 + x[:, 129:] ** 2)
        for conv in (self.conv1, self.conv2, self.conv3, self.conv4):
            x = F.relu(conv(x))
        self.state = h, _ = self.lstm_cell(x[..., 0], self.state)
        return F.sigmoid(self.final_conv(F.relu(h)[..., None]))[..., 0]


NAMES = {
    "stft.forward_basis_buffer": "stft_conv.weight",
    "encoder.0.reparam_conv": "conv1",
    "encoder.1.reparam_conv": "conv2",
    "encoder.2.reparam_conv": "conv3",
    "encoder.3.reparam_conv": "conv4",
    "decoder.rnn": "lstm_cell",
    "decoder.decoder.2": "final_conv",
}
"""What the TorchScript model's parts are called, and the port's."""

TORCHSCRIPT = "silero_vad/data/silero_vad.jit"


def port() -> SileroVAD:
    """Return the port with the weights for 16 kHz of the TorchScript model.

    Those in the package's `silero_vad_16k.safetensors` are other ones.
    """
    weights = {}
    for name, array in nn.load(packaged(TORCHSCRIPT)).items():
        theirs = next((part for part in NAMES if name.startswith(f"_model.{part}")), None)
        if theirs is not None:
            weights[name.replace(f"_model.{theirs}", NAMES[theirs])] = array
    model = SileroVAD().eval()
    model.load_state_dict(weights)
    return model


def torchscript() -> Any:
    """Return the package's own model: call it with a chunk and the sampling rate."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch would have us export
        return torch.jit.load(packaged(TORCHSCRIPT)).eval()

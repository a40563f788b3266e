"""BeatNet 1.1.3: where are the beats and downbeats? One frame of a spectrogram at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

import numpy_rnn as nn
from numpy_rnn import functional as F  # noqa: N812  # as torch sources have it
from tests.support.packages import class_of, packaged

SIZES = 272, 150, 2
"""Features, hidden, layers."""


class BDA(nn.Module):
    """The port. `forward` takes (1, L, 272) features and returns (1, 3, L) scores."""

    def __init__(self, dim_in, num_cells, num_layers):
        super().__init__()

        self.dim_in = dim_in
        self.dim_hd = num_cells
        self.num_layers = num_layers
        self.conv_out = 150
        self.kernelsize = 10
        self.conv1 = nn.Conv1d(1, 2, self.kernelsize)
        self.linear0 = nn.Linear(
            2 * int((self.dim_in - self.kernelsize + 1) / 2), self.conv_out
        )
        self.lstm = nn.LSTM(
            input_size=self.conv_out,
            hidden_size=self.dim_hd,
            num_layers=self.num_layers,
            batch_first=True,
            bidirectional=False,
        )
        self.linear = nn.Linear(in_features=self.dim_hd, out_features=3)
        self.softmax = nn.Softmax(dim=0)
        self.register_buffer("hidden", np.zeros((2, 1, self.dim_hd), np.float32), False)
        self.register_buffer("cell", np.zeros((2, 1, self.dim_hd), np.float32), False)

    def forward(self, data):
        x = data
        x = np.reshape(x, (-1, self.dim_in))
        x = x[None].swapaxes(0, 1)
        x = F.relu(self.conv1(x))
        x = x[..., : x.shape[-1] // 2 * 2].reshape(*x.shape[:-1], -1, 2).max(axis=-1)
        x = x.reshape(-1, self.num_flat_features(x))
        x = self.linear0(x)
        x = np.reshape(x, (np.shape(data)[0], np.shape(data)[1], self.conv_out))
        x, (self.hidden, self.cell) = self.lstm(x, (self.hidden, self.cell))
        out = self.linear(x)
        return out.swapaxes(1, 2)

    def final_pred(self, input):
        return self.softmax(input)

    def num_flat_features(self, x):
        size = x.shape[1:]
        num_features = 1
        for s in size:
            num_features *= s
        return num_features


def weights(number: int) -> Any:
    """Return the path of the weights that the package has for one of its three models."""
    return packaged(f"BeatNet/models/model_{number}_weights.pt")


def port(number: int) -> BDA:
    model = BDA(*SIZES).eval()
    model.load_state_dict(nn.load(weights(number)))
    return model


def original(number: int) -> Any:
    """Return the package's own model, with its weights."""
    names = {"torch": torch, "nn": torch.nn, "F": torch.nn.functional, "np": np}
    model = class_of(packaged("BeatNet/model.py"), "BDA", names)(*SIZES, "cpu")
    model.load_state_dict(torch.load(weights(number), map_location="cpu"))
    return model.eval()

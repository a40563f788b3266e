"""A model with every layer of the package, on our library or on torch."""

from __future__ import annotations

import io

import numpy as np
import torch

import numpy_rnn as nn
from numpy_rnn.utils import rnn as packing

TORCH = {"nn": torch.nn, "packing": torch.nn.utils.rnn, "cat": torch.cat}
NUMPY = {"nn": nn, "packing": packing, "cat": np.concatenate}


def everything(nn, packing, cat):
    """Return the class of the model, written with either library."""

    class Everything(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(11, 6, padding_idx=0)
            self.front = nn.Sequential(
                nn.Conv1d(6, 8, 3, padding="same", padding_mode="reflect"),
                nn.BatchNorm1d(8),
                nn.LeakyReLU(0.1, inplace=True),
                nn.Dropout(0.3),
                nn.Conv1d(8, 8, 3, padding=1, groups=2, bias=False),
                nn.ReLU(),
                nn.ReflectionPad1d((1, 0)),
                nn.MaxPool1d(2, stride=1),
                nn.Upsample(scale_factor=2.0, mode="linear"),
                nn.AvgPool1d(2),
                nn.Identity(),
                nn.GroupNorm(2, 8),
                nn.PReLU(8),
                nn.InstanceNorm1d(8, affine=True),
                nn.Dropout1d(0.1),
                nn.GELU(),
            )
            self.layers = nn.ModuleDict(
                {
                    "rnn": nn.RNN(8, 5, bidirectional=True, batch_first=True),
                    "lstm": nn.LSTM(10, 6, 2, batch_first=True, dropout=0.2, proj_size=4),
                    "gru": nn.GRU(4, 6, batch_first=True, bidirectional=True),
                }
            )
            self.norm = nn.LayerNorm(12)
            self.cells = nn.ModuleList(
                [nn.LSTMCell(12, 7), nn.GRUCell(12, 7), nn.RNNCell(12, 7)]
            )
            self.bilinear = nn.Bilinear(7, 7, 9)
            self.head = nn.Sequential(
                nn.Flatten(), nn.Linear(21, 18), nn.GLU(), nn.Tanh(), nn.Sigmoid()
            )
            self.outs = nn.ModuleList([nn.Softmax(dim=-1), nn.LogSoftmax(dim=-1)])

        def forward(self, tokens, lengths):
            x = self.front(self.embedding(tokens).swapaxes(1, 2)).swapaxes(1, 2)
            packed = packing.pack_padded_sequence(
                x, lengths, batch_first=True, enforce_sorted=False
            )
            packed, _ = self.layers["rnn"](packed)
            packed, (_, c_n) = self.layers["lstm"](packed)
            packed, h_n = self.layers["gru"](packed)
            x, _ = packing.pad_packed_sequence(packed, batch_first=True)
            x = self.norm(x)[:, 0]
            h, c = self.cells[0](x)
            joined = cat([h, self.cells[1](x), self.cells[2](x)], 1)
            features = self.head(joined) + self.bilinear(h, c)
            return *[out(features) for out in self.outs], c, c_n, h_n

    return Everything


def build(seed=0):
    torch.manual_seed(seed)
    theirs = everything(**TORCH)()
    nn.manual_seed(seed)
    ours = everything(**NUMPY)()
    return ours, theirs


def settle(model):
    """Train the running statistics of a torch model a little; return it in eval mode."""
    for _ in range(3):
        model(torch.randint(0, 11, (4, 9)), torch.tensor([9, 4, 6, 1]))
    return model.eval()


def checkpoint(model):
    file = io.BytesIO()
    torch.save({"model_state_dict": model.state_dict(), "epoch": 3}, file)
    file.seek(0)
    return nn.load(file)["model_state_dict"]

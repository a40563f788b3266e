"""Resemblyzer 0.1.4: whose voice is it? An embedding of a speaker from mel spectrograms."""

from __future__ import annotations

from typing import Any, Union  # the package's source names them

import numpy as np
import torch

import numpy_rnn as nn
from tests.support.packages import class_of, packaged

WEIGHTS = "resemblyzer/pretrained.pt"
MELS, HIDDEN, LAYERS = 40, 256, 3
FRAMES = 160
"""Of 10 ms, in a part of an utterance."""


class VoiceEncoder(nn.Module):
    """The port. `forward` takes (N, 160, 40) spectrograms and returns (N, 256) embeddings."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(MELS, HIDDEN, LAYERS, batch_first=True)
        self.linear = nn.Linear(HIDDEN, HIDDEN)
        self.relu = nn.ReLU()

    def forward(self, mels):
        _, (hidden, _) = self.lstm(mels)
        embeds_raw = self.relu(self.linear(hidden[-1]))
        return embeds_raw / np.linalg.norm(embeds_raw, axis=1, keepdims=True)

    def embed_utterance(self, mels):
        raw_embed = np.mean(self(mels), axis=0)
        return raw_embed / np.linalg.norm(raw_embed, 2)


def port() -> VoiceEncoder:
    """Return the port. Its checkpoint has two scalars of training beside the weights."""
    model = VoiceEncoder().eval()
    model.load_state_dict(nn.read_state_dict(packaged(WEIGHTS)), strict=False)
    return model


def original() -> Any:
    """Return the package's own model, with its weights."""
    source = packaged("resemblyzer/voice_encoder.py")
    names = {"torch": torch, "nn": torch.nn, "np": np, "List": list, "Union": Union}
    names |= {"Path": type(source), "timer": float}
    names |= {"mel_n_channels": MELS, "model_num_layers": LAYERS}
    names |= {"model_hidden_size": HIDDEN, "model_embedding_size": HIDDEN}
    return class_of(source, "VoiceEncoder", names)("cpu", False, packaged(WEIGHTS)).eval()

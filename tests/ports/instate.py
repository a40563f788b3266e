"""instate 1.1.0: which languages do people of an Indian surname speak?"""

from __future__ import annotations

import runpy
from typing import Any

import numpy as np
import torch

import numpy_rnn as nn
from tests.support.packages import class_of, packaged

WEIGHTS = "instate/data/state_lang_labels.pt"
SIZES = 27, 50, 128, 37
"""Letters and one for others, embedding, hidden, languages."""


class LanguagePredictor(nn.Module):
    """The port. `forward` takes (N, L) letters and N lengths, and returns three (N, 37)."""

    def __init__(self, num_chars, embedding_dim, lstm_hidden_dim, num_languages):
        super().__init__()
        self.embedding = nn.Embedding(num_chars, embedding_dim)
        self.lstm = nn.LSTM(embedding_dim, lstm_hidden_dim, batch_first=True)
        self.fc1 = nn.Linear(lstm_hidden_dim, num_languages)
        self.fc2 = nn.Linear(lstm_hidden_dim, num_languages)
        self.fc3 = nn.Linear(lstm_hidden_dim, num_languages)

    def forward(self, x, lengths):
        x_packed = nn.utils.rnn.pack_padded_sequence(
            self.embedding(x), lengths, batch_first=True, enforce_sorted=False
        )
        _, (h_n, _) = self.lstm(x_packed)
        h_n = h_n.squeeze(0)
        return self.fc1(h_n), self.fc2(h_n), self.fc3(h_n)


def port() -> LanguagePredictor:
    model = LanguagePredictor(*SIZES).eval()
    model.load_state_dict(nn.load(packaged(WEIGHTS)))
    return model


def original() -> Any:
    """Return the package's own model, with its weights."""
    source = packaged("instate/_utils.py")
    model = class_of(source, "LanguagePredictor", {"torch": torch, "nn": torch.nn})(*SIZES)
    model.load_state_dict(torch.load(packaged(WEIGHTS), map_location="cpu"))
    return model.eval()


def letters(names: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return names as the package's numbers of letters, padded, and their lengths."""
    numbers = runpy.run_path(str(packaged("instate/constants.py")))["CHAR_TO_IDX"]
    lengths = np.array([len(name) for name in names])
    padded = np.zeros((len(names), lengths.max()), np.int64)
    for row, name in zip(padded, names, strict=True):
        row[: len(name)] = [numbers.get(char, 0) for char in name]
    return padded, lengths

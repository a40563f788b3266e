"""g2p-fa 1.1.0: how is a Persian word pronounced?"""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch

import numpy_rnn as nn
from tests.support.packages import class_of, packaged

WEIGHTS = "g2p_fa/data/weights"
LETTERS = "ءآئابتثجحخدذرزسشصضطظعغفقلمنهوُِپچژکگی"
PHONEMES = "bdefhijklmnopqstuvxzæɒɡɾʃʒʔʰː"  # noqa: RUF001  # phonetic signs
START, END = 1, 2
LONGEST = 30
SIZES = 41, 40, 256, 2, 0.2
DECODER_SIZES = 33, 40, 256, 2, 0.2
"""Letters or phonemes and other signs, embedding, hidden, layers, dropout."""


class Encoder(nn.Module):
    def __init__(self, input_dim, emb_dim, hid_dim, n_layers, dropout):
        super().__init__()

        self.hid_dim = hid_dim
        self.n_layers = n_layers
        self.embedding = nn.Embedding(input_dim, emb_dim)
        self.rnn = nn.LSTM(emb_dim, hid_dim, n_layers, dropout=dropout)
        self.dropout = nn.Dropout(dropout)

    def forward(self, src):
        embedded = self.dropout(self.embedding(src))
        _, (hidden, cell) = self.rnn(embedded)
        return hidden, cell


class Decoder(nn.Module):
    def __init__(self, output_dim, emb_dim, hid_dim, n_layers, dropout):
        super().__init__()

        self.output_dim = output_dim
        self.hid_dim = hid_dim
        self.n_layers = n_layers
        self.embedding = nn.Embedding(output_dim, emb_dim)
        self.rnn = nn.LSTM(emb_dim, hid_dim, n_layers, dropout=dropout)
        self.fc_out = nn.Linear(hid_dim, output_dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, input, hidden, cell):
        input = input[None]
        embedded = self.dropout(self.embedding(input))
        output, (hidden, cell) = self.rnn(embedded, (hidden, cell))
        prediction = self.fc_out(output.squeeze(0))
        return prediction, hidden, cell


class Seq2Seq(nn.Module):
    """The port. `forward` takes (L, N) letters, and returns scores (L, N, phonemes)."""

    def __init__(self, encoder, decoder):
        super().__init__()

        self.encoder = encoder
        self.decoder = decoder

    def forward(self, src, trg, teacher_forcing_ratio=0.5):
        trg_len, batch_size = trg.shape
        trg_vocab_size = self.decoder.output_dim
        hidden, cell = self.encoder(src)
        outputs = np.zeros((trg_len, batch_size, trg_vocab_size), hidden.dtype)
        input = trg[0, :]
        for t in range(1, trg_len):
            output, hidden, cell = self.decoder(input, hidden, cell)
            outputs[t] = output
            teacher_force = random.random() < teacher_forcing_ratio
            top1 = output.argmax(1)
            input = trg[t] if teacher_force else top1
        return outputs


def port() -> Seq2Seq:
    model = Seq2Seq(Encoder(*SIZES), Decoder(*DECODER_SIZES)).eval()
    model.load_state_dict(nn.load(packaged(WEIGHTS)))
    return model


def original() -> Any:
    """Return the package's own model, with its weights."""
    source = packaged("g2p_fa/model.py")
    encoder, decoder, model = (
        class_of(source, name, {"torch": torch, "nn": torch.nn, "random": random})
        for name in ("Encoder", "Decoder", "Seq2Seq")
    )
    theirs = model(encoder(*SIZES), decoder(*DECODER_SIZES), "cpu")
    theirs.load_state_dict(torch.load(packaged(WEIGHTS), map_location="cpu"))
    return theirs.eval()


def letters(words: list[str]) -> np.ndarray:
    """Return words as the package's numbers of letters, (30, N)."""
    numbers = np.zeros((LONGEST, len(words)), np.int64)
    for column, word in zip(numbers.T, words, strict=True):
        column[: len(word) + 2] = [START, *(LETTERS.find(c) + 3 for c in word), END]
    return numbers


def spoken(scores: np.ndarray) -> list[str]:
    """Return the phonemes with the best scores, up to the end that the model says."""
    best = scores.argmax(2)[1:].T
    return [
        "".join(PHONEMES[n - 3] for n in row[: [*row, END].index(END)] if n > END)
        for row in best
    ]

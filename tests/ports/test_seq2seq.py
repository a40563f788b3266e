"""A translation model written for torch, ported by the user guide's steps alone.

A bidirectional GRU reads a packed batch of sentences; a GRU writes the translations, word by
word, greedily. The two halves of this file differ as the guide's table says and no further.
"""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

import numpy_rnn
from numpy_rnn.utils import rnn as numpy_packing

PAD, BEGIN, END = 0, 1, 2


def torch_model(source_words, target_words):
    from torch import nn
    from torch.nn.utils.rnn import pack_padded_sequence

    class Encoder(nn.Module):
        def __init__(self, words, embedding_size, hidden_size, num_layers, dropout):
            super().__init__()
            self.embedding = nn.Embedding(words, embedding_size, padding_idx=PAD)
            self.dropout = nn.Dropout(dropout)
            self.rnn = nn.GRU(
                embedding_size,
                hidden_size,
                num_layers,
                bidirectional=True,
                batch_first=True,
                dropout=dropout,
            )
            self.bridge = nn.ModuleList(
                [nn.Linear(2 * hidden_size, hidden_size) for _ in range(num_layers)]
            )

        def forward(self, source, lengths):
            embedded = self.dropout(self.embedding(source))
            packed = pack_padded_sequence(
                embedded, lengths.cpu(), batch_first=True, enforce_sorted=False
            )
            _, h_n = self.rnn(packed)
            h_n = h_n.view(self.rnn.num_layers, 2, source.size(0), self.rnn.hidden_size)
            layers = [
                torch.tanh(linear(torch.cat([h_n[layer, 0], h_n[layer, 1]], dim=1)))
                for layer, linear in enumerate(self.bridge)
            ]
            return torch.stack(layers)

    class Decoder(nn.Module):
        def __init__(self, words, embedding_size, hidden_size, num_layers, dropout):
            super().__init__()
            self.embedding = nn.Embedding(words, embedding_size, padding_idx=PAD)
            self.rnn = nn.GRU(embedding_size, hidden_size, num_layers, dropout=dropout)
            self.out = nn.Sequential(
                nn.LayerNorm(hidden_size), nn.Dropout(dropout), nn.Linear(hidden_size, words)
            )

        def forward(self, word, hidden):
            embedded = self.embedding(word).unsqueeze(0)
            output, hidden = self.rnn(embedded, hidden)
            return self.out(output.squeeze(0)), hidden

    class Seq2Seq(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = Encoder(source_words, 12, 16, 2, 0.3)
            self.decoder = Decoder(target_words, 10, 16, 2, 0.3)

        def forward(self, source, lengths, steps):
            with torch.no_grad():
                hidden = self.encoder(source, lengths)
                word = torch.full((source.size(0),), BEGIN, dtype=torch.long)
                words, scores = [], []
                for _ in range(steps):
                    logits, hidden = self.decoder(word, hidden)
                    word = logits.argmax(dim=1)
                    words.append(word)
                    scores.append(torch.log_softmax(logits, dim=-1))
                return torch.stack(words, dim=1), torch.stack(scores, dim=1)

    return Seq2Seq()


def numpy_model(source_words, target_words):
    nn, pack_padded_sequence = numpy_rnn, numpy_packing.pack_padded_sequence
    F = nn.functional  # noqa: N806  # as it is always imported

    class Encoder(nn.Module):
        def __init__(self, words, embedding_size, hidden_size, num_layers, dropout):
            super().__init__()
            self.embedding = nn.Embedding(words, embedding_size, padding_idx=PAD)
            self.dropout = nn.Dropout(dropout)
            self.rnn = nn.GRU(
                embedding_size,
                hidden_size,
                num_layers,
                bidirectional=True,
                batch_first=True,
                dropout=dropout,
            )
            self.bridge = nn.ModuleList(
                [nn.Linear(2 * hidden_size, hidden_size) for _ in range(num_layers)]
            )

        def forward(self, source, lengths):
            embedded = self.dropout(self.embedding(source))
            packed = pack_padded_sequence(
                embedded, lengths, batch_first=True, enforce_sorted=False
            )
            _, h_n = self.rnn(packed)
            h_n = h_n.reshape(self.rnn.num_layers, 2, source.shape[0], self.rnn.hidden_size)
            layers = [
                F.tanh(linear(np.concatenate([h_n[layer, 0], h_n[layer, 1]], axis=1)))
                for layer, linear in enumerate(self.bridge)
            ]
            return np.stack(layers)

    class Decoder(nn.Module):
        def __init__(self, words, embedding_size, hidden_size, num_layers, dropout):
            super().__init__()
            self.embedding = nn.Embedding(words, embedding_size, padding_idx=PAD)
            self.rnn = nn.GRU(embedding_size, hidden_size, num_layers, dropout=dropout)
            self.out = nn.Sequential(
                nn.LayerNorm(hidden_size), nn.Dropout(dropout), nn.Linear(hidden_size, words)
            )

        def forward(self, word, hidden):
            embedded = self.embedding(word)[None]
            output, hidden = self.rnn(embedded, hidden)
            return self.out(output.squeeze(0)), hidden

    class Seq2Seq(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = Encoder(source_words, 12, 16, 2, 0.3)
            self.decoder = Decoder(target_words, 10, 16, 2, 0.3)

        def forward(self, source, lengths, steps):
            hidden = self.encoder(source, lengths)
            word = np.full((source.shape[0],), BEGIN, np.int64)
            words, scores = [], []
            for _ in range(steps):
                logits, hidden = self.decoder(word, hidden)
                word = logits.argmax(axis=1)
                words.append(word)
                scores.append(F.log_softmax(logits, dim=-1))
            return np.stack(words, axis=1), np.stack(scores, axis=1)

    return Seq2Seq()


def sentences(count, words):
    """Return a padded batch and its lengths."""
    generator = random.Random(count)
    lengths = [generator.randint(1, 14) for _ in range(count)]
    batch = np.full((count, max(lengths)), PAD, np.int64)
    for row, length in zip(batch, lengths, strict=True):
        row[:length] = [generator.randrange(END + 1, words) for _ in range(length)]
    return batch, np.array(lengths)


@pytest.mark.parametrize("count", [1, 7, 64])
def test_seq2seq_translations_equal_torch(tmp_path, count):
    torch.manual_seed(0)
    original = torch_model(40, 50).eval()
    torch.save(original.state_dict(), tmp_path / "seq2seq.pt")
    port = numpy_model(40, 50).eval()
    assert repr(port) == repr(original)
    port.load_state_dict(numpy_rnn.load(tmp_path / "seq2seq.pt"))

    source, lengths = sentences(count, 40)
    words, scores = port(source, lengths, steps=12)
    expected, expected_scores = original(
        torch.from_numpy(source), torch.from_numpy(lengths), steps=12
    )
    np.testing.assert_array_equal(words, expected.numpy())
    np.testing.assert_allclose(scores, expected_scores.numpy(), rtol=0, atol=2e-6)
    assert len(np.unique(words)) > 3

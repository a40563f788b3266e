"""g2p_en 2.1.0: how is an English word pronounced?"""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any

import numpy as np

import numpy_rnn as nn
from tests.support.packages import class_of, packaged

GRAPHEMES = ["<pad>", "<unk>", "</s>", *"abcdefghijklmnopqrstuvwxyz"]
BEGIN, END = 2, 3
LONGEST = 20
"""Phonemes at which the package stops."""


class G2P(nn.Module):
    """The port: a GRU reads the letters, a GRU cell writes the phonemes, greedily."""

    def __init__(self, phonemes):
        super().__init__()
        self.phonemes = phonemes
        self.number = {letter: i for i, letter in enumerate(GRAPHEMES)}
        self.enc_emb = nn.Embedding(len(GRAPHEMES), 256)
        self.encoder = nn.GRU(256, 256)
        self.dec_emb = nn.Embedding(len(phonemes), 256)
        self.decoder = nn.GRUCell(256, 256)
        self.fc = nn.Linear(256, len(phonemes))

    def forward(self, word):
        letters = [self.number.get(letter, 1) for letter in [*word, "</s>"]]
        _, h = self.encoder(self.enc_emb(np.array(letters)))
        h, phoneme, spoken = h[0], BEGIN, []
        while len(spoken) < LONGEST:
            h = self.decoder(self.dec_emb(np.array(phoneme)), h)
            phoneme = self.fc(h).argmax()
            if phoneme == END:
                break
            spoken.append(self.phonemes[phoneme])
        return spoken


def port(phonemes: list[str]) -> G2P:
    """Return the port with the package's weights, which are torch's by other names."""
    weights = nn.load(packaged("g2p_en/checkpoint20.npz"))
    names = {"enc_emb": "enc_emb.weight", "dec_emb": "dec_emb.weight"}
    names |= {"fc_w": "fc.weight", "fc_b": "fc.bias"}
    for letter, word in {"w": "weight", "b": "bias"}.items():
        for side in ("ih", "hh"):
            names[f"enc_{letter}_{side}"] = f"encoder.{word}_{side}_l0"
            names[f"dec_{letter}_{side}"] = f"decoder.{word}_{side}"
    model = G2P(phonemes).eval()
    model.load_state_dict({names[name]: array for name, array in weights.items()})
    return model


def original() -> Any:
    """Return the package's own object, without the dictionaries that it asks first."""
    source = packaged("g2p_en/g2p.py")
    without = {"cmudict": SimpleNamespace(dict=dict), "construct_homograph_dictionary": dict}
    around = {"np": np, "os": os, "dirname": str(source.parent)}
    return class_of(source, "G2p", without | around)()

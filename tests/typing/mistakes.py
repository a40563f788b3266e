"""Calls that mypy and pyright both refuse, as Python does."""

# pyright: standard, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

import io

import numpy as np

import numpy_rnn as nn
from numpy_rnn.utils.rnn import pad_sequence
from tests.typing.user_program import Decoder, Tagger

x = np.zeros((5, 2, 3), np.float32)
h_0 = np.zeros((1, 2, 4), np.float32)

MISTAKES = {
    "a misspelt argument of GRU": lambda: nn.GRU(3, 4, bidirectionnal=True),  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    "a misspelt argument of RNN": lambda: nn.RNN(3, 4, batchfirst=True),  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    "a misspelt argument of Linear": lambda: nn.Linear(3, 4, biass=False),  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    "a projection of GRU": lambda: nn.GRU(3, 4, proj_size=2),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    "a misspelt attribute": lambda: nn.LSTM(3, 4).hiden_size,  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    "a misspelt method": lambda: nn.Linear(3, 4).evall(),  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    "a misspelt layer of a model": lambda: Tagger(5, 2).lsmt,  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    "h_0 without c_0": lambda: nn.LSTM(3, 4)(x, h_0),  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
    "a misspelt state": lambda: nn.GRU(3, 4)(x, h_0=h_0),  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    "lists in place of arrays": lambda: nn.Linear(3, 4)([1.0, 2.0, 3.0]),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    "a third argument of a forward with two": lambda: Decoder()(x, 3, 4),  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    "an unknown nonlinearity": lambda: nn.RNN(3, 4, nonlinearity="tahn"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    "an unknown padding": lambda: nn.Conv1d(2, 4, 3, padding_mode="mirror"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    "an unknown format": lambda: nn.save(nn.ReLU(), io.BytesIO(), format="onnx"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    "a side that is none": lambda: pad_sequence([x], padding_side="top"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    "a layer that is none": lambda: nn.trace(nn.Linear(3, 4), x),  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
}

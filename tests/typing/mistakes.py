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

MISTAKES = {  # by what Python says
    "unexpected keyword argument 'bidirectionnal'": lambda: nn.GRU(3, 4, bidirectionnal=True),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    "unexpected keyword argument 'batchfirst'": lambda: nn.RNN(3, 4, batchfirst=True),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    "unexpected keyword argument 'biass'": lambda: nn.Linear(3, 4, biass=False),  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    "proj_size argument is only supported for LSTM": lambda: nn.GRU(3, 4, proj_size=2),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    "no attribute 'hiden_size'": lambda: nn.LSTM(3, 4).hiden_size,  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    "no attribute 'evall'": lambda: nn.Linear(3, 4).evall(),  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    "no attribute 'lsmt'": lambda: Tagger(5, 2).lsmt,  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    "hx must be the pair": lambda: nn.LSTM(3, 4)(x, h_0),  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
    "unexpected keyword argument 'h_0'": lambda: nn.GRU(3, 4)(x, h_0=h_0),  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    "must be a NumPy array, got list": lambda: nn.Linear(3, 4)([1.0, 2.0, 3.0]),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    "takes from 2 to 3 positional arguments but 4 were given": lambda: Decoder()(x, 3, 4),  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    "Unknown nonlinearity 'tahn'": lambda: nn.RNN(3, 4, nonlinearity="tahn"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    "but got padding_mode='mirror'": lambda: nn.Conv1d(2, 4, 3, padding_mode="mirror"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    "got 'onnx'": lambda: nn.save(nn.ReLU(), io.BytesIO(), format="onnx"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    "but got top": lambda: pad_sequence([x], padding_side="top"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    "must be a recurrent layer or cell, got Linear": lambda: nn.trace(nn.Linear(3, 4), x),  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
}

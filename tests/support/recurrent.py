"""Pairs of recurrent layers and cells, ours and torch's, with inputs and states."""

from __future__ import annotations

import numpy as np
import torch

import numpy_rnn as nn
from numpy_rnn.utils.rnn import pack_padded_sequence

DTYPES = {"float32": torch.float32, "float64": torch.float64}

KINDS = {
    "RNN tanh": ("RNN", {}),
    "RNN relu": ("RNN", {"nonlinearity": "relu"}),
    "LSTM": ("LSTM", {}),
    "LSTM projected": ("LSTM", {"proj_size": 2}),
    "GRU": ("GRU", {}),
}
LAYOUTS = ["batched", "unbatched", "packed", "packed unsorted"]

CELLS = {
    "RNNCell tanh": ("RNNCell", {}),
    "RNNCell relu": ("RNNCell", {"nonlinearity": "relu"}),
    "LSTMCell": ("LSTMCell", {}),
    "GRUCell": ("GRUCell", {}),
}


def both(kind, *sizes, dtype="float32", **arguments):
    """Return our layer and torch's, with weights of their own."""
    name, own = KINDS[kind]
    arguments = {**own, **arguments}
    ours = getattr(nn, name)(*sizes, dtype=dtype, **arguments)
    return ours, getattr(torch.nn, name)(*sizes, dtype=DTYPES[dtype], **arguments)


def draw_input(rng, layer, steps, batch, layout="batched"):
    """Return an input of standard normal values in a layout, sorted or not if packed."""
    dtype = layer.weight_ih_l0.dtype
    shape = (batch, steps) if layer.batch_first else (steps, batch)
    if layout == "unbatched":
        shape = (steps,)
    x = rng.standard_normal((*shape, layer.input_size)).astype(dtype)
    if not layout.startswith("packed"):
        return x
    lengths = rng.integers(1, steps, batch, endpoint=True)
    if layout == "packed":
        lengths = -np.sort(-lengths)
    return pack_padded_sequence(x, lengths, layer.batch_first, layout == "packed")


def draw_hx(rng, layer, batch, layout="batched"):
    passes = layer.num_layers * (2 if layer.bidirectional else 1)
    axes = (passes,) if layout == "unbatched" else (passes, batch)
    dtype = layer.weight_ih_l0.dtype
    hidden = rng.standard_normal((*axes, layer.proj_size or layer.hidden_size)).astype(dtype)
    if not isinstance(layer, nn.LSTM):
        return hidden
    return hidden, rng.standard_normal((*axes, layer.hidden_size)).astype(dtype)


def both_cells(kind, *sizes, dtype="float32", **arguments):
    name, own = CELLS[kind]
    arguments = {**own, **arguments}
    ours = getattr(nn, name)(*sizes, dtype=dtype, **arguments)
    return ours, getattr(torch.nn, name)(*sizes, dtype=getattr(torch, dtype), **arguments)


def cell_state(kind, draw):
    return (draw(), draw()) if kind == "LSTMCell" else draw()

"""A model of all there is loads one checkpoint of torch's and gives torch's numbers."""

from __future__ import annotations

import copy
import io

import numpy as np
import pytest
import torch

import numpy_rnn as nn
from numpy_rnn.utils import rnn as packing
from tests.compare import assert_close, assert_same_error

TORCH = {"nn": torch.nn, "packing": torch.nn.utils.rnn, "cat": torch.cat}
NUMPY = {"nn": nn, "packing": packing, "cat": np.concatenate}


def everything(nn, packing, cat):
    """Return the class of the model, on one library or the other."""

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
                nn.Identity(),
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
            self.head = nn.Sequential(nn.Flatten(), nn.Linear(21, 9), nn.Tanh(), nn.Sigmoid())
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
            features = self.head(joined)
            return *[out(features) for out in self.outs], c, c_n, h_n

    return Everything


def build(seed=0):
    torch.manual_seed(seed)
    theirs = everything(**TORCH)()
    nn.manual_seed(seed)
    ours = everything(**NUMPY)()
    return ours, theirs


def settle(model):
    """Run a torch model in training mode, so that its statistics are not those of a new one."""
    for _ in range(3):
        model(torch.randint(0, 11, (4, 9)), torch.tensor([9, 4, 6, 1]))
    return model.eval()


def checkpoint(model):
    file = io.BytesIO()
    torch.save({"model_state_dict": model.state_dict(), "epoch": 3}, file)
    file.seek(0)
    return nn.load(file)["model_state_dict"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_it_loads_one_checkpoint_and_agrees(rng, dtype):
    ours, theirs = build()
    settle(theirs)
    ours.load_state_dict(checkpoint(theirs))
    ours.eval().to(dtype)
    theirs.to(getattr(torch, dtype))
    tokens, lengths = rng.integers(0, 11, (5, 12)), np.array([12, 3, 7, 1, 7])
    arguments = torch.from_numpy(tokens), torch.from_numpy(lengths)
    with torch.inference_mode():
        expected = theirs(*arguments)
        truth = copy.deepcopy(theirs).double()(*arguments)
    assert_close(ours(tokens, lengths), expected, truth)
    assert_close(copy.deepcopy(ours)(tokens, lengths), expected, truth)


def test_it_prints_and_is_named_as_in_torch():
    ours, theirs = build()
    assert repr(ours) == repr(theirs)
    for walk in ("named_modules", "named_parameters", "named_buffers", "named_children"):
        names = [[name for name, _ in getattr(model, walk)()] for model in (ours, theirs)]
        assert names[0] == names[1], walk
    assert list(ours.state_dict()) == list(theirs.state_dict())


def test_a_seed_gives_the_same_model():
    ours, theirs = build(seed=5)
    for (name, mine), reference in zip(
        ours.state_dict().items(), theirs.state_dict().values(), strict=True
    ):
        if name == "embedding.weight":  # of normal draws, see test_random.py
            np.testing.assert_allclose(mine, reference.numpy(), rtol=1e-5, atol=1e-6)
        else:
            np.testing.assert_array_equal(mine, reference.numpy())


def test_a_cast_leaves_integers():
    model, _ = build()
    model.double()
    dtypes = {name: array.dtype for name, array in model.named_buffers()}
    assert dtypes == {
        "front.1.running_mean": np.float64,
        "front.1.running_var": np.float64,
        "front.1.num_batches_tracked": np.int64,
    }


def test_what_does_not_fit_is_all_named_and_nothing_is_loaded():
    ours, theirs = build()
    before = {name: array.copy() for name, array in ours.state_dict().items()}
    state = settle(theirs).state_dict()
    del state["front.1.running_var"], state["front.1.num_batches_tracked"]
    state["front.1.running_mean"] = torch.zeros(3)
    state["cells.3.weight_ih"] = torch.zeros(1)
    state["layers.lstm.weight_hr_l0"] = torch.zeros(2, 2)
    assert_same_error(
        lambda: ours.load_state_dict(state),
        lambda: everything(**TORCH)().load_state_dict(state),
    )
    for name, array in ours.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_a_forgotten_eval_is_noticed_by_batch_norm():
    ours, _ = build()
    with pytest.raises(RuntimeError, match=r"BatchNorm1d is in training mode"):
        ours(np.zeros((2, 4), np.int64), np.array([4, 2]))

"""Draw the lesson's picture: how a gradient fades on its way back through 100 steps.

Run from the root of a checkout, where torch and matplotlib are installed:
``python -m tests.demo.gradients_picture``. torch trains three of the nets, for half a minute.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

import numpy_rnn as nn
from numpy_rnn._typing import Array

PICTURE = Path(__file__).parent / "gradients.png"
KINDS = ("RNN", "GRU", "LSTM")
STEPS, SIZE, LAG = 100, 64, 10


def trained(kind: str) -> nn.Module:
    """Return a layer that torch trained to repeat its input ten steps later."""
    torch.manual_seed(0)
    layer, head = getattr(torch.nn, kind)(1, SIZE), torch.nn.Linear(SIZE, 1)
    parameters = [*layer.parameters(), *head.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=3e-3)
    for _ in range(500):
        x = torch.randn(STEPS, 32, 1)
        target = torch.cat([torch.zeros(LAG, 32, 1), x[:-LAG]])
        loss = (head(layer(x)[0]) - target).square().mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
    ours: nn.Module = getattr(nn, kind)(1, SIZE)
    ours.load_state_dict(layer.state_dict())
    return ours


def lengths(layer: nn.Module) -> Array:
    """Return the length of the gradient of the last state's sum, at each step."""
    x = np.random.default_rng(0).standard_normal((STEPS, 1)).astype(np.float32)
    t = nn.trace(layer, x)
    h_n = t.hx[0] if isinstance(t.hx, tuple) else t.hx
    found: Array = np.linalg.norm(t.backward(h_n=np.ones_like(h_n))["l0"].hidden, axis=1)
    return found


def untrained() -> dict[str, Array]:
    """Return the lines of layers as torch makes them, one with its forget gates opened."""
    found = {}
    for kind in KINDS:
        nn.manual_seed(0)
        layer = getattr(nn, kind)(1, SIZE)
        found[kind] = lengths(layer)
    layer.bias_ih_l0[SIZE : 2 * SIZE] += 5  # the last is an LSTM: f is near 1
    found["LSTM, f near 1"] = lengths(layer)
    nn.manual_seed(0)
    layer = nn.RNN(1, SIZE, nonlinearity="relu")
    layer.weight_hh_l0 *= 3
    found["RNN of relu, W_hh * 3"] = lengths(layer)
    return found


def main() -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.2), layout="constrained")
    panels = {
        "first weights": untrained(),
        "trained to repeat their input 10 steps later": {k: lengths(trained(k)) for k in KINDS},
    }
    for axes, (title, lines) in zip(figure.subplots(1, 2, sharey=True), panels.items()):
        for name, values in lines.items():
            axes.semilogy(values, label=name)
        axes.set(title=title, xlabel="step", ylim=(1e-21, 1e24))
        axes.grid(alpha=0.3)
        axes.legend(loc="upper right")
    figure.axes[0].set_ylabel("length of the gradient with respect to h")
    figure.savefig(PICTURE, dpi=90)


if __name__ == "__main__":
    main()

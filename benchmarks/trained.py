"""Measure float32 errors with trained weights: ``python -m benchmarks.trained``.

As `benchmarks.accuracy`, but the weights are those of the models that packages ship (their
files are looked for as the tests in ``tests/ports`` do). The input is what the layer is given
in its model: rows of the model's embedding where it has one, else Gaussian features.

It prints a line of JSON for each layer.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

import numpy_rnn as nn
from benchmarks.accuracy import renumbered, root_mean_squares
from tests.support.packages import FOLDER

STEPS, SEQUENCES = 50, 64

FILES = {
    "instate": ("instate/**/*.pt", {"lstm": "embedding"}),
    "g2p-fa": (
        "g2p_fa/data/weights*",
        {"encoder.rnn": "encoder.embedding", "decoder.rnn": "decoder.embedding"},
    ),
    "Resemblyzer": ("resemblyzer/pretrained.pt", {"lstm": ""}),
    "BeatNet": ("BeatNet/models/model_1_weights.pt", {"lstm": ""}),
    "g2p_en": ("g2p_en/checkpoint20.npz", {"enc": "enc_emb", "dec": "dec_emb"}),
}
"""The packages, where their weights are, and the layers with what they read."""

NAMES_OF_G2P_EN = {"w_ih": "weight_ih_l0", "w_hh": "weight_hh_l0", "b_ih": "bias_ih_l0"}
NAMES_OF_G2P_EN |= {"b_hh": "bias_hh_l0"}


def layers(folder: Path) -> Iterator[tuple[str, torch.nn.RNNBase, np.ndarray | None]]:
    """Yield the name of each layer, torch's with its weights, and its embedding."""
    for package, (pattern, inputs) in FILES.items():
        for path in sorted(folder.glob(pattern))[:1]:
            weights = nn.read_state_dict(path)
            for prefix, source in inputs.items():
                own = {
                    name[len(prefix) + 1 :]: value
                    for name, value in weights.items()
                    if name.startswith((f"{prefix}.", f"{prefix}_"))
                }
                own = {NAMES_OF_G2P_EN.get(name, name): value for name, value in own.items()}
                embedding = weights.get(f"{source}.weight", weights.get(source))
                yield f"{package} {prefix}", layer_with(own), embedding


def layer_with(weights: dict[str, Any]) -> torch.nn.RNNBase:
    """Return torch's layer with the weights among some."""
    own = {name: value.astype(np.float32) for name, value in weights.items() if "_l" in name}
    (description,) = nn.describe(own)
    ours: Any = getattr(nn, description.kind).from_state_dict(own)
    layer = getattr(torch.nn, description.kind)(
        ours.input_size, ours.hidden_size, ours.num_layers, bidirectional=ours.bidirectional
    )
    layer.load_state_dict({name: torch.from_numpy(value) for name, value in own.items()})
    return layer.eval()  # type: ignore[no-any-return]


def errors_of(layer: torch.nn.RNNBase, embedding: np.ndarray | None) -> dict[str, float]:
    """Return the error of each library: the geometric mean over sequences."""
    rng = np.random.default_rng(0)
    shape = STEPS, SEQUENCES
    if embedding is None:
        x = rng.standard_normal((*shape, layer.input_size), np.float32)
    else:
        x = embedding.astype(np.float32)[rng.integers(1, len(embedding), shape)]
    ours: Any = getattr(nn, type(layer).__name__)(
        layer.input_size, layer.hidden_size, layer.num_layers, bidirectional=layer.bidirectional
    )
    ours.load_state_dict(layer.state_dict())
    other, places = renumbered(layer, 0)
    tensor = torch.from_numpy(x)
    truth = copy.deepcopy(layer).double()(tensor.double())[0].numpy()
    outputs = {
        "numpy_rnn": one_by_one(ours, x),
        "torch": one_by_one(layer, tensor),
        "renumbered": one_by_one(other, tensor)[..., places],
    }
    return {
        name: float(np.exp(np.log(root_mean_squares(output - truth)).mean()))
        for name, output in outputs.items()
    }


def one_by_one(layer: Any, x: Any) -> np.ndarray:
    """Return a layer's output for sequences that it is given one at a time."""
    outputs = [np.asarray(layer(x[:, n : n + 1])[0]) for n in range(SEQUENCES)]
    return np.concatenate(outputs, axis=1)


def main() -> None:
    torch.set_num_threads(1)
    with torch.inference_mode():
        for name, layer, embedding in layers(FOLDER):
            found = {"layer": name, "kind": type(layer).__name__, "size": layer.hidden_size}
            print(json.dumps(found | {"errors": errors_of(layer, embedding)}), flush=True)


if __name__ == "__main__":
    main()

"""Measure float32 errors, ours and torch's: ``python -m benchmarks.accuracy``.

The truth is torch's output in float64, from the same float32 weights and input. The error of
a sequence is the root of its mean square over all steps and units; that of a net is the
geometric mean over its sequences, of several seeds. (With a maximum, or a mean square over
everything, few sequences would decide where errors grow from step to step.)

What is left to chance shows a net that is torch's own with its hidden units in another order:
terms are added in another order, nothing else differs, and its error should be torch's.

It prints a line of JSON for each net.
"""

from __future__ import annotations

import argparse
import copy
import json
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import torch

import numpy_rnn as nn
from benchmarks.nets import CONDITIONS, KINDS, Net


def layer_of(net: Net, seed: int) -> torch.nn.RNNBase:
    """Return torch's layer with the weights that it draws, but for what `net` changes."""
    torch.manual_seed(seed)
    layer: Any = new_layer(net, torch.nn)
    with torch.no_grad():
        for name, weight in layer.named_parameters():
            if net.radius is not None and "weight_hh" in name:
                for gate in weight.split(net.size):
                    gate.copy_(gaussian(net.size, net.radius))
            weight *= net.biases if "bias" in name else net.weights
    return layer


def new_layer(net: Net, library: Any) -> Any:
    """Return a layer of torch.nn or of this package, in evaluation mode."""
    name, *nonlinearity = net.kind.split()
    options = {"nonlinearity": nonlinearity[0]} if nonlinearity else {}
    return getattr(library, name)(
        net.size, net.size, net.layers, bidirectional=net.bidirectional, **options
    ).eval()


def gaussian(size: int, radius: float) -> torch.Tensor:
    """Return a square Gaussian matrix with this spectral radius."""
    matrix = torch.randn(size, size, dtype=torch.float64)
    return matrix * (radius / torch.linalg.eigvals(matrix).abs().max())


def input_of(net: Net, seed: int) -> np.ndarray:
    """Return the input, float32 (T, N, H)."""
    shape = net.steps, net.batch, net.size
    x = np.random.default_rng(seed).standard_normal(shape, np.float32)
    return x * np.float32(net.inputs)


def renumbered(layer: torch.nn.RNNBase, seed: int) -> tuple[torch.nn.RNNBase, np.ndarray]:
    """Return the layer with its units in another order, and where each is in its output."""
    generator = torch.Generator().manual_seed(seed)
    size, runs = layer.hidden_size, 2 if layer.bidirectional else 1
    layer = copy.deepcopy(layer)
    below = torch.arange(layer.input_size)
    for first in range(0, len(layer.all_weights), runs):
        orders = [torch.randperm(size, generator=generator) for _ in range(runs)]
        for order, weights in zip(orders, layer.all_weights[first:]):
            weight_ih, weight_hh, *biases = [weight.data for weight in weights]
            rows = (torch.arange(0, len(weight_ih), size)[:, None] + order).flatten()
            weight_ih.copy_(weight_ih[rows][:, below])
            weight_hh.copy_(weight_hh[rows][:, order])
            for bias in biases:
                bias.copy_(bias[rows])
        below = torch.cat([run * size + order for run, order in enumerate(orders)])
    return layer, below.argsort().numpy()


def outputs_of(net: Net, seed: int) -> dict[str, np.ndarray]:
    """Return the truth, and the outputs in float32, each (T, N, D * H)."""
    layer, x = layer_of(net, seed), input_of(net, seed)
    ours = new_layer(net, nn)
    ours.load_state_dict(layer.state_dict())
    other, places = renumbered(layer, seed)
    tensor = torch.from_numpy(x)
    return {
        "truth": copy.deepcopy(layer).double()(tensor.double())[0].numpy(),
        "numpy_rnn": ours(x)[0],
        "torch": layer(tensor)[0].numpy(),
        "renumbered": other(tensor)[0].numpy()[..., places],
    }


def root_mean_squares(array: np.ndarray) -> np.ndarray:
    """Return that of each sequence."""
    return np.sqrt(np.square(array, dtype=np.float64).mean(axis=(0, 2)))


def errors_of(net: Net) -> dict[str, float]:
    """Return the error of each, and the root of the truth's mean square."""
    found: dict[str, list[np.ndarray]] = {}
    for seed in range(net.seeds):
        outputs = outputs_of(net, seed)
        truth = outputs.pop("truth")
        sizes = {"truth": truth} | {name: array - truth for name, array in outputs.items()}
        for name, array in sizes.items():
            found.setdefault(name, []).append(root_mean_squares(array))
    return {
        name: float(np.exp(np.log(np.concatenate(values)).mean()))
        for name, values in found.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one seed of each net")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with torch.inference_mode():
        for title, nets in CONDITIONS.items():
            for net in [net for kind in KINDS for net in nets(kind)]:
                measured = replace(net, seeds=1) if arguments.quick else net
                found = {"condition": title, "net": asdict(measured)}
                print(json.dumps(found | {"errors": errors_of(measured)}), flush=True)


if __name__ == "__main__":
    main()

"""What float32 errors are measured of: kinds of layer, sizes, weights and inputs."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from benchmarks import cases

KINDS = ("RNN tanh", "RNN relu", "LSTM", "GRU")

SEQUENCES = 64
"""Over how many sequences at least the errors of a net are averaged."""


@dataclass(frozen=True)
class Net:
    """A layer with weights and an input, and how many of each are drawn.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    steps, batch, size : int
        T steps of N sequences with H features, as many as units.
    layers : int
    bidirectional : bool
    radius : float or None
        The spectral radius of every gate's recurrent weight, which is then Gaussian. None
        leaves it as torch draws it, uniform in ±1/√H, which has a radius of 0.6.
    inputs, weights, biases : float
        What they are multiplied by: the inputs, which are Gaussian with variance 1, the
        matrices, and the biases, both as torch draws them.
    seeds : int
        How many layers and inputs are drawn.
    """

    kind: str
    steps: int
    batch: int
    size: int
    layers: int = 1
    bidirectional: bool = False
    radius: float | None = None
    inputs: float = 1.0
    weights: float = 1.0
    biases: float = 1.0
    seeds: int = SEQUENCES

    def __str__(self) -> str:
        words = [f"{self.kind} T={self.steps} N={self.batch} H={self.size}"]
        words += [f"{self.layers} layers"] * (self.layers > 1)
        words += ["bidirectional"] * self.bidirectional
        if self.radius is not None:
            words.append(f"radius {self.radius:g}")
        factors = {"inputs": self.inputs, "weights": self.weights, "biases": self.biases}
        words += [f"{name} * {factor:g}" for name, factor in factors.items() if factor != 1]
        return " ".join(words)


SIZES = (16, 64, 256)


def as_torch_draws_them(kind: str) -> list[Net]:
    """Return the sizes that are timed, and stacked and bidirectional nets."""
    sizes = [
        Net(kind, 100, batch, size, seeds=max(4, SEQUENCES // batch))
        for size, batch in itertools.product(cases.SIZES, cases.BATCHES)
    ]
    shapes = [
        Net(kind, 100, batch, size, layers, bidirectional, seeds=max(4, SEQUENCES // batch))
        for layers, bidirectional in ((2, False), (1, True), (2, True))
        for size, batch in itertools.product(SIZES, (1, 8))
    ]
    return sizes + shapes


def with_radius(kind: str, radius: float) -> list[Net]:
    """Return nets whose errors shrink or grow from step to step, as trained ones' may."""
    return [Net(kind, 100, 32, size, radius=radius, seeds=16) for size in SIZES]


def long(kind: str) -> list[Net]:
    """Return nets with many steps, as far as float32 can follow the truth over them.

    A radius of 2 is too much for that, and 1.5 for relu, which overflows.
    """
    radii = (None, 1.0) if kind == "RNN relu" else (None, 1.0, 1.5)
    return [
        Net(kind, 1000, 8, size, radius=radius, seeds=8)
        for radius, size in itertools.product(radii, SIZES)
    ]


def saturated(kind: str) -> list[Net]:
    """Return nets with large inputs, and with large weights where that saturates."""
    factors = [{"inputs": 30.0}] + [{"weights": 4.0}] * (kind != "RNN relu")
    return [
        Net(kind, 100, 8, size, seeds=32, **factor)
        for factor, size in itertools.product(factors, SIZES)
    ]


def tiny(kind: str) -> list[Net]:
    """Return nets whose hidden states are about as small as their inputs."""
    return [
        Net(kind, 100, 8, size, inputs=factor, biases=factor, seeds=8)
        for factor, size in itertools.product((1e-3, 1e-6), SIZES)
    ]


CONDITIONS: dict[str, Callable[[str], list[Net]]] = {
    "torch's weights": as_torch_draws_them,
    **{
        f"radius {radius:g}": partial(with_radius, radius=radius) for radius in (0.5, 1, 1.5, 2)
    },
    "1000 steps": long,
    "saturated": saturated,
    "tiny": tiny,
}
"""The nets of a kind, under the headings of the table."""

"""What every peer gets: the same weights and the same input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch

from benchmarks.cases import Case


class Peer(NamedTuple):
    """A call to time, and what makes of its result a list of arrays.

    These are the output (T, N, D * H), zero after the end of a sequence, h_n and, of an
    LSTM, c_n, both (layers * D, N, H). It is None for a peer that computes no result.
    """

    call: Callable[[], Any]
    arrays: Callable[[Any], list[np.ndarray]] | None


@dataclass(frozen=True)
class Problem:
    """A case with its numbers, and how many threads may work on it."""

    case: Case
    threads: int

    @cached_property
    def module(self) -> torch.nn.RNNBase:
        """torch's layer, with the weights that it draws for a fixed seed."""
        torch.manual_seed(0)
        return self.layer(torch.nn)

    def layer(self, library: Any) -> Any:
        """Return an untrained layer of torch.nn or of this package, in evaluation mode."""
        case = self.case
        kind = getattr(library, case.kind)
        sizes = case.size, case.size, case.layers
        return kind(*sizes, bidirectional=case.bidirectional).eval()

    @cached_property
    def weights(self) -> list[list[np.ndarray]]:
        """w_ih, w_hh, b_ih and b_hh, for each layer and direction, in torch's order."""
        return [[w.detach().numpy() for w in run] for run in self.module.all_weights]

    @cached_property
    def x(self) -> np.ndarray:
        """The input, float32 (T, N, H)."""
        case = self.case
        shape = case.steps, case.batch, case.size
        return np.random.default_rng(0).standard_normal(shape, np.float32)

    @cached_property
    def states(self) -> list[np.ndarray]:
        """h_0, and of an LSTM c_0, (layers * D, N, H); zero unless the case passes them."""
        case = self.case
        shape = case.layers * case.directions, case.batch, case.size
        count = 2 if case.kind == "LSTM" else 1
        if not case.hx:
            return [np.zeros(shape, np.float32)] * count
        rng = np.random.default_rng(1)
        return [rng.uniform(-1, 1, shape).astype(np.float32) for _ in range(count)]

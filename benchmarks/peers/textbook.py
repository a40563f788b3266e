"""The plain loop: each equation as a textbook has it, step by step, in NumPy."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from benchmarks.peers.problem import Peer, Problem

State = tuple[np.ndarray, ...]
Step = Callable[[np.ndarray, State, Sequence[np.ndarray]], State]


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def rnn_step(x: np.ndarray, state: State, weights: Sequence[np.ndarray]) -> State:
    (h,) = state
    w_ih, w_hh, b_ih, b_hh = weights
    return (np.tanh(x @ w_ih.T + b_ih + h @ w_hh.T + b_hh),)


def lstm_step(x: np.ndarray, state: State, weights: Sequence[np.ndarray]) -> State:
    h, c = state
    w_ih, w_hh, b_ih, b_hh = weights
    i, f, g, o = np.split(x @ w_ih.T + b_ih + h @ w_hh.T + b_hh, 4, axis=-1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def gru_step(x: np.ndarray, state: State, weights: Sequence[np.ndarray]) -> State:
    (h,) = state
    w_ih, w_hh, b_ih, b_hh = weights
    i_r, i_z, i_n = np.split(x @ w_ih.T + b_ih, 3, axis=-1)
    h_r, h_z, h_n = np.split(h @ w_hh.T + b_hh, 3, axis=-1)
    z = sigmoid(i_z + h_z)
    n = np.tanh(i_n + sigmoid(i_r + h_r) * h_n)
    return ((1 - z) * n + z * h,)


STEPS: dict[str, Step] = {"RNN": rnn_step, "LSTM": lstm_step, "GRU": gru_step}


def peer(problem: Problem) -> Peer:
    case = problem.case
    step, x, directions = STEPS[case.kind], problem.x, case.directions
    runs = list(zip(problem.weights, zip(*problem.states)))

    def call() -> list[np.ndarray]:
        output, ends = x, []
        for first in range(0, len(runs), directions):
            halves = []
            for run, (weights, state) in enumerate(runs[first : first + directions]):
                order = slice(None, None, -1 if run else 1)
                hidden = []
                for x_t in output[order]:
                    state = step(x_t, state, weights)
                    hidden.append(state[0])
                halves.append(np.stack(hidden)[order])
                ends.append(state)
            output = np.concatenate(halves, axis=-1) if directions == 2 else halves[0]
        return [output, *(np.stack(arrays) for arrays in zip(*ends))]

    return Peer(call, list)

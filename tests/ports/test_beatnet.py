"""BeatNet's port follows the package's own torch model, frame by frame."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.ports.beatnet import SIZES, original, port
from tests.support.compare import assert_close


def drums(rng, frames):
    """Return (frames, 1, 1, 272) features of music at 50 frames a second, 120 beats a minute.

    As the package's: logarithms of a spectrum in 136 bands, and what rose in it since the
    frame before.
    """
    time = np.arange(frames)[:, None]
    bands = np.linspace(0, 1, 136)
    kick = np.exp(-(time % 25) / 3) * np.exp(-bands * 8) * (1 + (time % 100 < 25))
    snare = np.exp(-((time + 12) % 25) / 2) * np.exp(-((bands - 0.6) ** 2) * 6)
    chord = 0.2 + 0.2 * np.sin(2 * np.pi * (bands * 20 + time // 100))
    spectrum = 3 * (kick + snare) + chord + rng.exponential(0.1, (frames, 136))
    levels = np.log10(1 + spectrum)
    rises = np.maximum(np.diff(levels, axis=0, prepend=levels[:1]), 0)
    return np.hstack([levels, rises]).astype(np.float32).reshape(frames, 1, 1, SIZES[0])


@pytest.mark.usefixtures("real_models", "quiet_torch")
@pytest.mark.parametrize("number", [1, 2, 3])
def test_beatnet_ten_seconds_of_stream_equal_torch(number, rng):
    frames = drums(rng, 500)
    ours, theirs, exact = port(number), original(number), original(number).double()
    exact.hidden, exact.cell = exact.hidden.double(), exact.cell.double()
    with torch.inference_mode():
        expected = torch.stack([theirs(torch.from_numpy(frame)) for frame in frames])
        truth = torch.stack([exact(torch.from_numpy(frame).double()) for frame in frames])
    assert_close(np.stack([ours(frame) for frame in frames]), expected, truth)
    beats = ours.final_pred(expected.numpy()[:, 0, :, 0].T)[:2].max(axis=0)
    assert beats.max() > 0.3 > 0.1 > beats.min(), "no beat is heard, or nothing else"


@pytest.mark.usefixtures("real_models", "quiet_torch")
def test_beatnet_stream_in_blocks_equals_frames(rng):
    frames = drums(rng, 60)
    single, blocks = port(1), port(1)
    one_by_one = np.concatenate([single(frame) for frame in frames], axis=2)
    in_blocks = [blocks(part.reshape(1, 20, -1)) for part in np.split(frames, 3)]
    np.testing.assert_allclose(np.concatenate(in_blocks, axis=2), one_by_one, atol=1e-5)

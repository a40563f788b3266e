"""silero-vad's port agrees with the package's TorchScript model, chunk by chunk."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.ports.silero_vad import CHUNK, port, torchscript
from tests.support.compare import assert_close

RATE = 16_000

TRUTH = 1e-4
"""How near torch's float32 is to the port in float64, which then is the truth for both: the
TorchScript model itself computes in float32 alone. With other weights it is a hundred times as
far."""


def audio(rng, seconds):
    """Return voices, noise, silence and clicks by turns, a few seconds each."""
    time = np.arange(seconds * RATE) / RATE
    pitch = 120 + 40 * np.sin(2 * np.pi * 0.7 * time)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    loudness = np.clip(np.sin(2 * np.pi * 3.5 * time), 0, None) ** 0.5  # syllables
    vowel = 600 + 200 * np.sin(2 * np.pi * 1.3 * time)
    voice = 0.0
    for k in range(1, 25):
        near = ((k * pitch - centre) / 150 for centre in (vowel, 3400 - 2.5 * vowel, 2700))
        voice += loudness * np.sin(k * phase) * sum(1 / (1 + x**2) for x in near)
    noise = rng.standard_normal(time.size)
    clicks = (rng.random(time.size) < 1e-3) * 0.9
    kinds = np.stack([0.2 * voice, 0.1 * noise, 0.15 * voice + 0.02 * noise, 0 * time, clicks])
    turns = (time // 4).astype(int) % len(kinds)
    return np.take_along_axis(kinds, turns[None], axis=0)[0].astype(np.float32)


@pytest.mark.usefixtures("real_models", "quiet_torch")
def test_silero_vad_minute_of_stream_equals_torch(rng):
    ours, theirs, exact = port(), torchscript(), port().double()
    chunks = audio(rng, 64).reshape(-1, 1, CHUNK)
    with torch.inference_mode():
        expected = torch.stack([theirs(torch.from_numpy(chunk), RATE) for chunk in chunks])
    probabilities = np.stack([ours(chunk) for chunk in chunks])
    truth = np.stack([exact(chunk) for chunk in chunks.astype(np.float64)])
    assert np.abs(expected.numpy() - truth).max() < TRUTH, "the port is another model"
    assert_close(probabilities, expected, torch.from_numpy(truth))
    assert probabilities.min() < 0.05 < 0.5 < probabilities.max()

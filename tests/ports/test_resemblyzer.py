"""Resemblyzer's port embeds voices as the package's own torch model does."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from tests.ports.resemblyzer import FRAMES, MELS, original, port
from tests.support.compare import assert_close


def voices(rng, speakers, parts):
    """Return (speakers, parts, 160, 40) mel spectrograms: harmonics, syllables, noise.

    Those of a speaker have the same pitch and formants. They are as the package's, of power:
    nearly all are far below 1.
    """
    bands = np.arange(MELS)
    pitch, formant = rng.uniform(2, 7, (2, speakers, 1, 1, 1))
    time = np.arange(FRAMES)[:, None] + rng.uniform(0, 1000, (parts, 1, 1))
    centre = 4 * formant + 3 * np.sin(time / 17)
    tone = np.exp(-((bands - centre) ** 2) / 20) + np.exp(-((bands - 2 * centre) ** 2) / 60)
    harmonics = 1 + np.cos(2 * np.pi * bands / pitch)
    syllables = np.clip(np.sin(time / 9), 0, None)
    noise = rng.exponential(1e-4, (speakers, parts, FRAMES, MELS))
    return (0.05 * tone * harmonics * syllables + noise).astype(np.float32)


@pytest.mark.usefixtures("real_models", "quiet_torch")
def test_resemblyzer_sixteen_voices_equal_torch(rng):
    ours, theirs = port(), original()
    exact = copy.deepcopy(theirs).double()
    utterances = voices(rng, speakers=16, parts=4)
    embeddings = []
    for mels in utterances:
        with torch.inference_mode():
            expected = theirs(torch.from_numpy(mels))
            truth = exact(torch.from_numpy(mels).double())
        assert_close(ours(mels), expected, truth)
        mean = expected.numpy().mean(axis=0)
        embedding = ours.embed_utterance(mels)
        np.testing.assert_allclose(embedding, mean / np.linalg.norm(mean, 2), atol=1e-5)
        embeddings.append(embedding)
    alike = np.array(embeddings) @ np.array(embeddings).T
    assert alike.min() < 0.9, "all voices are one"

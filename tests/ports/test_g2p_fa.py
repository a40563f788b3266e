"""g2p-fa's port says Persian words as the package's own torch model does."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from tests.ports.g2p_fa import LETTERS, START, letters, original, port, spoken
from tests.support.compare import assert_close

WORDS = """
    سلام کتاب ایران تهران دانشگاه مدرسه خانه پنجره درخت آسمان زمین خورشید ماه ستاره دریا کوه
    رودخانه جنگل پرنده گربه ژاله مهندس پزشک معلم دوست برادر خواهر پدر مادر فرزند زبان فارسی
    واژه گفتار شنیدن دیدن رفتن آمدن خوردن نوشیدن قلم کاغذ میز صندلی چراغ ظرف قاشق غذا طلا ثروت
    صبح عصر ضعیف حیاط ذهن مسئول
"""


def greedy(model, words):
    """Return the scores of a port or a torch model without a teacher."""
    source = letters(words)
    start = np.full_like(source, START)
    if isinstance(model, torch.nn.Module):
        with torch.inference_mode():
            return model(torch.from_numpy(source), torch.from_numpy(start), 0)
    return model(source, start, 0)


@pytest.mark.usefixtures("real_models", "quiet_torch")
def test_g2p_fa_words_equal_torch(rng):
    """Besides real words, two hundred that nobody says."""
    invented = ["".join(rng.choice([*LETTERS], rng.integers(2, 12))) for _ in range(200)]
    ours, theirs = port(), original()
    exact = copy.deepcopy(theirs).double()
    for words in (WORDS.split(), invented):
        expected = greedy(theirs, words)
        said = spoken(expected.numpy())
        # The package's outputs are float32 whatever its weights are: the truth is the port's,
        # in float64.
        truth = greedy(port().double(), words)
        np.testing.assert_allclose(truth, greedy(exact, words).numpy(), rtol=1e-6, atol=1e-6)
        scores = greedy(ours, words)
        assert_close(scores, expected, torch.from_numpy(truth))
        assert spoken(scores) == said
    assert spoken(greedy(ours, ["سلام", "تهران"])) == ["sælɒːm", "tʰæhɾɒːn"]  # noqa: RUF001  # phonetic signs

"""g2p_en's port speaks as the package's own NumPy code does."""

from __future__ import annotations

import re
from pydoc_data.topics import topics

import numpy as np
import pytest

from tests.ports.g2p_en import original, port


@pytest.mark.usefixtures("real_models")
def test_g2p_en_two_thousand_words_equal_the_package():
    """The words are those of Python's own help."""
    words = sorted(set(re.findall(r"\b[a-z]{2,}\b", " ".join(topics.values()).lower())))[:2000]
    assert len(words) == 2000
    theirs = original()
    ours = port(theirs.phonemes)
    with np.errstate(all="ignore"):  # its exp overflows
        expected = [theirs.predict(word) for word in words]
    assert [ours(word) for word in words] == expected
    assert len(set(map(tuple, expected))) > 1900

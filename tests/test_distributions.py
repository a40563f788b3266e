"""`numpy_rnn.distributions` beside torch's."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import numpy_rnn as nn
from numpy_rnn import distributions

DTYPES = [np.float32, np.float64]


def close(got, expected):
    assert got.dtype == expected.numpy().dtype
    np.testing.assert_allclose(got, expected.numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("argument", ["probs", "logits"])
def test_categorical_equals_torch(rng, dtype, argument):
    values = rng.random((3, 2, 5)).astype(dtype)
    values[0, 0, 0] = 0
    ours = distributions.Categorical(**{argument: values})
    theirs = torch.distributions.Categorical(**{argument: torch.from_numpy(values)})
    classes = rng.integers(0, 5, (4, 3, 2))
    close(ours.probs, theirs.probs)
    close(ours.logits, theirs.logits)
    close(ours.entropy(), theirs.entropy())
    close(ours.mode, theirs.mode)
    close(ours.log_prob(classes), theirs.log_prob(torch.from_numpy(classes)))
    assert ours.sample().shape == (3, 2)
    assert ours.sample((4,)).shape == (4, 3, 2)


@pytest.mark.parametrize("dtype", DTYPES)
def test_normal_equals_torch(rng, dtype):
    loc, scale = rng.standard_normal((3, 1)).astype(dtype), rng.random(4).astype(dtype) + 0.1
    ours = distributions.Normal(loc, scale)
    theirs = torch.distributions.Normal(torch.from_numpy(loc), torch.from_numpy(scale))
    values = rng.standard_normal((2, 3, 4)).astype(dtype)
    for name in ("mean", "mode", "stddev", "variance"):
        close(getattr(ours, name), getattr(theirs, name))
    close(ours.entropy(), theirs.entropy())
    close(ours.log_prob(values), theirs.log_prob(torch.from_numpy(values)))
    assert ours.sample((2,)).shape == (2, 3, 4)
    assert ours.sample().dtype == dtype


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("argument", ["probs", "logits"])
def test_bernoulli_equals_torch(rng, dtype, argument):
    values = rng.random((3, 2)).astype(dtype)
    ours = distributions.Bernoulli(**{argument: values})
    theirs = torch.distributions.Bernoulli(**{argument: torch.from_numpy(values)})
    drawn = ours.sample((4,))
    assert set(np.unique(drawn)) <= {0, 1}
    assert drawn.dtype == dtype
    close(ours.mean, theirs.mean)
    close(ours.logits, theirs.logits)
    close(ours.entropy(), theirs.entropy())
    close(ours.log_prob(drawn), theirs.log_prob(torch.from_numpy(drawn)))


def test_distributions_draw_with_their_probabilities():
    nn.manual_seed(0)
    drawn = distributions.Categorical(probs=np.array([0.0, 1.0, 3.0])).sample((4000,))
    assert abs((drawn == 2).mean() - 0.75) < 0.03
    assert not (drawn == 0).any()
    assert (
        abs(distributions.Bernoulli(probs=np.array(0.25)).sample((4000,)).mean() - 0.25) < 0.03
    )
    normal = distributions.Normal(2.0, 0.5).sample((4000,))
    assert normal.dtype == np.float32
    assert abs(normal.mean() - 2) < 0.05
    assert abs(normal.std() - 0.5) < 0.05


@pytest.mark.parametrize("kind", [distributions.Categorical, distributions.Bernoulli])
def test_distribution_of_neither_or_both_raises(kind):
    with pytest.raises(ValueError, match="Either `probs` or `logits` must be specified"):
        kind()
    with pytest.raises(ValueError, match="Either `probs` or `logits` must be specified"):
        kind(np.ones(2), np.ones(2))


def test_distribution_of_bad_values_raises():
    with pytest.raises(ValueError, match="probs must not be negative, and have a positive sum"):
        distributions.Categorical(probs=np.array([-1.0, 2]))
    with pytest.raises(ValueError, match="probs must be from 0 to 1"):
        distributions.Bernoulli(probs=np.array([1.5]))
    with pytest.raises(ValueError, match="scale must be positive, got 0"):
        distributions.Normal(0.0, 0.0)

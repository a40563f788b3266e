"""Random numbers as torch draws them on a CPU, so that equal seeds give equal weights.

torch fills a tensor from one Mersenne Twister (MT19937), seeded with the low 32 bits of
the seed. A float32 takes the low 24 bits of one 32-bit word, a float64 the low 53 bits
of two words, the first of them high.
"""

from __future__ import annotations

from numpy_rnn.random.generator import Generator

__all__ = ["Generator", "default_generator", "initial_seed", "manual_seed", "seed"]

default_generator: Generator = Generator()
"""The stream from which modules draw their first weights and their dropout."""


def manual_seed(seed: int) -> Generator:
    """Restart the default generator from `seed` and return it.

    Modules built after it have the weights that torch's have after
    ``torch.manual_seed(seed)``, bit for bit.

    Parameters
    ----------
    seed : int
        From -2**63 to 2**64 - 1.

    Examples
    --------
    >>> import numpy_rnn as nn
    >>> _ = nn.manual_seed(0)
    >>> nn.RNN(1, 2).weight_ih_l0
    array([[-0.00529398],
           [ 0.3793229 ]], dtype=float32)
    """
    return default_generator.manual_seed(seed)


def initial_seed() -> int:
    """Return the seed that the default generator's stream started from."""
    return default_generator.initial_seed()


def seed() -> int:
    """Restart the default generator from a seed of the operating system; return the seed."""
    return default_generator.seed()

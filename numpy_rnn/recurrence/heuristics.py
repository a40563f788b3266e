"""Which way of computing is taken, by the sizes.

All ways give the same numbers up to rounding; what is chosen here is the fastest, as
measured on one core. Sizes: L steps, N sequences, H_in features in, H hidden units.
"""

from __future__ import annotations

BLOCK_BYTES = 2**20
"""Size of the input products made at a time, so that a block stays in a core's cache."""


def block_steps(step_bytes: int) -> int:
    """Return for how many steps, of `step_bytes` each, the input products are made at once."""
    return max(1, BLOCK_BYTES // max(1, step_bytes))


def terms_at_once(terms: int, vectors: int) -> int:
    """Return how many of a product's terms are added up at a time; the sums are then added.

    A layer's output is a quarter more exact with three sums instead of one of 256 terms,
    or four instead of one of 512, and takes 2 to 3 % longer. With few `vectors`, rows or
    columns, it would take more.
    """
    if terms <= 192 or vectors < 32:
        return terms
    sums = max(3, -(-terms // 128))
    return -(-terms // sums)


def sequence_in_one_product(input_size: int, hidden_size: int) -> bool:
    """Return whether a single sequence's input and hidden state share one product.

    ``[W_hh W_ih b] [h x 1]`` saves one call in each step, a sixth of an Elman layer's and a
    tenth of an LSTM's, but multiplies vector by vector what is otherwise a product of matrices:
    it pays for few features only.
    """
    return input_size + hidden_size <= 96


def gru_in_one_product(hidden_size: int) -> bool:
    """Return whether a frozen GRU's single step is one product, a quarter of it with zeros."""
    return hidden_size <= 96


def batch_in_one_product(hidden_size: int) -> bool:
    """Return whether frozen weights take a single step of a batch by one product.

    It saves about a fifth with few units, in calls and copies, and loses that with many.
    """
    return hidden_size <= 128


def elman_by_columns(sequences: int, hidden_size: int) -> bool:
    """Return whether an Elman layer keeps a batch as columns rather than as rows.

    W_hh h is up to a third quicker than h W_hh^T where W_hh no longer fits the fastest
    cache, more than transposing the batch takes; with many sequences both are the same.
    """
    return hidden_size >= 256 and sequences <= 32


def step_by_columns(hidden_size: int) -> bool:
    """Return whether an Elman layer takes a single step of a batch by columns."""
    return hidden_size >= 128


def as_wavefront(layers: int, steps: int, hidden_size: int) -> bool:
    """Return whether a single sequence goes through stacked layers all at once.

    A step then costs the calls of one layer, but a product with a matrix of which half, or
    more with more layers, is zeros: it pays while calls cost more than products.
    """
    return layers * hidden_size <= 128 and steps >= 8 * layers


def directions_joined(steps: int, hidden_size: int) -> bool:
    """Return whether a single sequence goes through both directions of a layer at once.

    Half of the joint matrix is zeros, so that this too pays for few units only.
    """
    return hidden_size <= 48 and steps >= 16

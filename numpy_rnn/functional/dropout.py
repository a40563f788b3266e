"""Dropout: zeros in place of random elements."""

from __future__ import annotations

import numpy as np

from numpy_rnn import random
from numpy_rnn._typing import Array
from numpy_rnn.arguments import as_array, as_float_array
from numpy_rnn.floating_point import silent


@silent
def dropout(
    input: Array,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,  # noqa: ARG001  # torch's signature
) -> Array:
    """Zero elements with probability `p` and scale the rest by ``1 / (1 - p)``.

    Parameters
    ----------
    input : ndarray of any shape
        float32 or float64.
    p : float
        From 0 to 1.
    training : bool
        If False, a copy of `input` is returned.
    inplace : bool
        Accepted but ignored: `input` is never changed.

    Returns
    -------
    ndarray of the same shape
        The mask comes from the default generator (`numpy_rnn.manual_seed`) and is torch's
        for the same seed, except where torch draws with MKL, as it does on Intel processors.

    Raises
    ------
    ValueError
        If `p` is out of range.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.dropout.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> _ = nn.manual_seed(1)
    >>> nn.functional.dropout(np.ones(6), 0.5)
    array([2., 2., 2., 2., 0., 2.])
    """
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    if not training:
        return as_array(input, "input").copy()
    x = as_float_array(input, "input")
    if p == 0.0 or x.size == 0:
        return x.copy()
    if p == 1.0:
        return np.asarray(x * x.dtype.type(0))
    kept = random.default_generator.bernoulli(x.shape, 1.0 - p)
    return np.asarray(x * (kept / x.dtype.type(1.0 - p)))

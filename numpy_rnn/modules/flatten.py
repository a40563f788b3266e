"""The layer that merges axes."""

from __future__ import annotations

import math

import numpy as np

from numpy_rnn._typing import AnyArray
from numpy_rnn.arguments import as_array, parse_axis
from numpy_rnn.modules.module import Module

__all__ = ["Flatten"]


class Flatten(Module):
    """Merge the axes from one to another into one, in C order.

    Parameters
    ----------
    start_dim : int, default 1
        The first of them; negative counts from the last.
    end_dim : int, default -1
        The last of them.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.Flatten.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.Flatten()(np.zeros((2, 3, 4))).shape
    (2, 12)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, input: AnyArray) -> AnyArray:
        """Return a copy of `input`, of any dtype, with fewer axes.

        Raises
        ------
        IndexError
            If `input` does not have an axis.
        RuntimeError
            If the first comes after the last.
        """
        x = as_array(input, "input")
        start, end = parse_axis(self.start_dim, x.ndim), parse_axis(self.end_dim, x.ndim)
        if start > end:
            raise RuntimeError(
                "flatten() has invalid args: start_dim cannot come after end_dim"
            )
        size = math.prod(x.shape[start : end + 1])
        return np.array(x, order="C").reshape(*x.shape[:start], size, *x.shape[end + 1 :])

    def extra_repr(self) -> str:
        """Return the axes, as torch shows them."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"

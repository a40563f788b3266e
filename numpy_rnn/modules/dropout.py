"""Dropout, which does nothing in inference."""

from __future__ import annotations

from numpy_rnn import functional
from numpy_rnn._typing import Array
from numpy_rnn.modules.module import Module

__all__ = ["Dropout", "Dropout1d", "Dropout2d"]


class _Dropout(Module):
    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if p < 0 or p > 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p = p
        self.inplace = inplace

    def extra_repr(self) -> str:
        """Return the options, as torch shows them."""
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout):
    """Zero random elements in training mode, and none after ``eval()``.

    Parameters
    ----------
    p : float, default 0.5
        Probability with which an element is zeroed; the rest is scaled by 1 / (1 - p).
    inplace : bool, default False
        Kept, but without effect: the input stays as it is.

    Raises
    ------
    ValueError
        If `p` is out of range.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.Dropout(0.5).eval()(np.ones(3))
    array([1., 1., 1.])
    """

    def forward(self, input: Array) -> Array:
        """Return a copy of `input`, of any shape, with zeros in it in training mode."""
        return functional.dropout(input, self.p, self.training, self.inplace)


class Dropout1d(_Dropout):
    """Zero random channels in training mode, and none after ``eval()``.

    The parameters and errors are those of `Dropout`.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout1d.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> x = np.ones((2, 3, 4))
    >>> np.array_equal(nn.Dropout1d().eval()(x), x)
    True
    """

    def forward(self, input: Array) -> Array:
        """Return a copy of `input`, (N, C, L) or (C, L), with zeros in training mode."""
        return functional.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(_Dropout):
    """Zero random channels in training mode, and none after ``eval()``.

    The parameters and errors are those of `Dropout`.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout2d.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> x = np.ones((2, 3, 4, 4))
    >>> np.array_equal(nn.Dropout2d().eval()(x), x)
    True
    """

    def forward(self, input: Array) -> Array:
        """Return a copy of `input`, (N, C, H, W), with zeros in training mode."""
        return functional.dropout2d(input, self.p, self.training, self.inplace)

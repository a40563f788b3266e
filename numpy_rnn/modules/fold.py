"""The layer that makes columns of windows."""

from __future__ import annotations

from numpy_rnn import functional
from numpy_rnn._typing import AnyArray
from numpy_rnn.modules.module import Module

__all__ = ["Unfold"]


class Unfold(Module):
    """The windows along two axes, each as a column, by `numpy_rnn.functional.unfold`.

    Parameters
    ----------
    kernel_size : int or tuple of two
        The rows and columns of a window.
    dilation : int or tuple of two, default 1
        The steps from one element of a window to the next.
    padding : int or tuple of two, default 0
        Zeros on either side of both axes.
    stride : int or tuple of two, default 1
        The steps from one window to the next.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.Unfold.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.Unfold((2, 3))(np.zeros((2, 5, 3, 4))).shape
    (2, 30, 4)
    """

    def __init__(
        self,
        kernel_size: int | tuple[int, ...],
        dilation: int | tuple[int, ...] = 1,
        padding: int | tuple[int, ...] = 0,
        stride: int | tuple[int, ...] = 1,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input: AnyArray) -> AnyArray:
        """Return the windows of an array (N, C, H, W) or (C, H, W)."""
        return functional.unfold(
            input, self.kernel_size, self.dilation, self.padding, self.stride
        )

    def extra_repr(self) -> str:
        """Return the options, as torch shows them."""
        return (
            f"kernel_size={self.kernel_size}, dilation={self.dilation}, "
            f"padding={self.padding}, stride={self.stride}"
        )

"""Functions as modules."""

from __future__ import annotations

from numpy_rnn import functional
from numpy_rnn._typing import Array
from numpy_rnn.modules.module import Module

__all__ = ["LeakyReLU", "LogSoftmax", "ReLU", "Sigmoid", "Softmax", "Tanh"]

CALLER = 5
"""How far above the warning the call of a module is."""


class ReLU(Module):
    """The larger of the input and 0, by `numpy_rnn.functional.relu`.

    Parameters
    ----------
    inplace : bool, default False
        Kept, but without effect: the input stays as it is.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.ReLU.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.ReLU()(np.array([-1.0, 2.0]))
    array([0., 2.])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Array) -> Array:
        """Return an array of the shape and dtype of `input`."""
        return functional.relu(input, self.inplace)

    def extra_repr(self) -> str:
        """Return the option if it is set."""
        return "inplace=True" if self.inplace else ""


class LeakyReLU(Module):
    """The input, its negative part times a slope, by `numpy_rnn.functional.leaky_relu`.

    Parameters
    ----------
    negative_slope : float, default 0.01
        The factor.
    inplace : bool, default False
        Kept, but without effect: the input stays as it is.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.LeakyReLU.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.LeakyReLU(0.5)(np.array([-1.0, 2.0]))
    array([-0.5,  2. ])
    """

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope = negative_slope
        self.inplace = inplace

    def forward(self, input: Array) -> Array:
        """Return an array of the shape and dtype of `input`."""
        return functional.leaky_relu(input, self.negative_slope, self.inplace)

    def extra_repr(self) -> str:
        """Return the slope, and the other option if it is set."""
        text = f"negative_slope={self.negative_slope}"
        return text + ", inplace=True" if self.inplace else text


class Tanh(Module):
    """The hyperbolic tangent, by `numpy_rnn.functional.tanh`.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.Tanh.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.Tanh()(np.array([-100.0, 0.0, 100.0]))
    array([-1.,  0.,  1.])
    """

    def forward(self, input: Array) -> Array:
        """Return an array of the shape and dtype of `input`."""
        return functional.tanh(input)


class Sigmoid(Module):
    """The logistic function, by `numpy_rnn.functional.sigmoid`.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.Sigmoid.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.Sigmoid()(np.array([-1e4, 0.0, 1e4]))
    array([0. , 0.5, 1. ])
    """

    def forward(self, input: Array) -> Array:
        """Return an array of the shape and dtype of `input`."""
        return functional.sigmoid(input)


class _AlongAxis(Module):
    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def extra_repr(self) -> str:
        """Return the axis."""
        return f"dim={self.dim}"


class Softmax(_AlongAxis):
    """Exponentials that sum to one along an axis, by `numpy_rnn.functional.softmax`.

    Parameters
    ----------
    dim : int
        The axis. Without it there is a warning, and torch's old choice.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.Softmax.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.Softmax(dim=1)(np.zeros((1, 2)))
    array([[0.5, 0.5]])
    """

    def forward(self, input: Array) -> Array:
        """Return an array of the shape and dtype of `input`."""
        return functional.softmax(input, self.dim, _stacklevel=CALLER)


class LogSoftmax(_AlongAxis):
    """The logarithm of the softmax, by `numpy_rnn.functional.log_softmax`.

    Parameters
    ----------
    dim : int
        The axis. Without it there is a warning, and torch's old choice.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.LogSoftmax.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.LogSoftmax(dim=1)(np.zeros((1, 2)))
    array([[-0.69314718, -0.69314718]])
    """

    def forward(self, input: Array) -> Array:
        """Return an array of the shape and dtype of `input`."""
        return functional.log_softmax(input, self.dim, _stacklevel=CALLER)

"""Layers that add elements at the ends of axes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Literal

from numpy_rnn import functional
from numpy_rnn._typing import AnyArray
from numpy_rnn.modules.module import Module

__all__ = [
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ZeroPad1d",
    "ZeroPad2d",
]


class _Pad(Module):
    """A layer that calls `numpy_rnn.functional.pad`."""

    _axes: ClassVar[int]
    _mode: ClassVar[Literal["constant", "reflect", "replicate"]]

    def __init__(self, padding: int | tuple[int, ...]) -> None:
        super().__init__()
        each = tuple(padding) if isinstance(padding, Iterable) else (padding,) * 2 * self._axes
        self.padding: tuple[int, ...] = each

    def forward(self, input: AnyArray) -> AnyArray:
        """Return a longer copy of `input`, or a shorter where `padding` is negative."""
        return functional.pad(input, self.padding, self._mode)

    def extra_repr(self) -> str:
        """Return the padding."""
        return f"{self.padding}"


class _ConstantPad(_Pad):
    _mode = "constant"

    def __init__(self, padding: int | tuple[int, ...], value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: AnyArray) -> AnyArray:
        """Return a longer copy of `input`, or a shorter where `padding` is negative."""
        return functional.pad(input, self.padding, self._mode, self.value)

    def extra_repr(self) -> str:
        """Return the padding and the constant."""
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    """A constant at the ends of the last axis.

    Parameters
    ----------
    padding : int or (left, right)
        How many elements to add; negative numbers remove elements.
    value : float
        The constant.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.ConstantPad1d.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.ConstantPad1d((2, 0), 0.5)(np.ones((1, 2)))
    array([[0.5, 0.5, 1. , 1. ]])
    """

    _axes = 1


class ConstantPad2d(_ConstantPad):
    """A constant at the ends of the last two axes.

    Parameters
    ----------
    padding : int or (left, right, top, bottom)
        How many elements to add; negative numbers remove elements.
    value : float
        The constant.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.ConstantPad2d.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.ConstantPad2d((0, 0, 1, 0), 0.5)(np.ones((1, 1, 2)))
    array([[[0.5, 0.5],
            [1. , 1. ]]])
    """

    _axes = 2


class ConstantPad3d(_ConstantPad):
    """A constant at the ends of the last three axes.

    Parameters
    ----------
    padding : int or (left, right, top, bottom, front, back)
        How many elements to add; negative numbers remove elements.
    value : float
        The constant.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.ConstantPad3d.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.ConstantPad3d(1, 0.5)(np.ones((1, 4, 5, 6))).shape
    (1, 6, 7, 8)
    """

    _axes = 3


class ZeroPad1d(ConstantPad1d):
    """Zeros at the ends of the last axis.

    Parameters
    ----------
    padding : int or (left, right)
        How many to add; negative numbers remove elements.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.ZeroPad1d.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.ZeroPad1d((2, 0))(np.ones((1, 2)))
    array([[0., 0., 1., 1.]])
    """

    def __init__(self, padding: int | tuple[int, ...]) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        """Return the padding."""
        return f"{self.padding}"


class ZeroPad2d(ConstantPad2d):
    """Zeros at the ends of the last two axes.

    Parameters
    ----------
    padding : int or (left, right, top, bottom)
        How many to add; negative numbers remove elements.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.ZeroPad2d.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.ZeroPad2d((0, 0, 1, 0))(np.ones((1, 1, 2)))
    array([[[0., 0.],
            [1., 1.]]])
    """

    def __init__(self, padding: int | tuple[int, ...]) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        """Return the padding."""
        return f"{self.padding}"


class ReflectionPad1d(_Pad):
    """The input mirrored at the ends of the last axis, the edges not repeated.

    Parameters
    ----------
    padding : int or (left, right)
        How many elements to add; negative numbers remove elements.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.ReflectionPad1d.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.ReflectionPad1d((2, 0))(np.array([[1, 2, 3]]))
    array([[3, 2, 1, 2, 3]])
    """

    _axes = 1
    _mode = "reflect"


class ReflectionPad2d(_Pad):
    """The input mirrored at the ends of the last two axes, the edges not repeated.

    Parameters
    ----------
    padding : int or (left, right, top, bottom)
        How many elements to add; negative numbers remove elements.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.ReflectionPad2d.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.ReflectionPad2d((0, 0, 1, 0))(np.array([[[1, 2], [3, 4]]]))
    array([[[3, 4],
            [1, 2],
            [3, 4]]])
    """

    _axes = 2
    _mode = "reflect"


class ReplicationPad1d(_Pad):
    """The edges repeated at the ends of the last axis.

    Parameters
    ----------
    padding : int or (left, right)
        How many elements to add; negative numbers remove elements.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.ReplicationPad1d.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.ReplicationPad1d((2, 0))(np.array([[1, 2, 3]]))
    array([[1, 1, 1, 2, 3]])
    """

    _axes = 1
    _mode = "replicate"


class ReplicationPad2d(_Pad):
    """The edges repeated at the ends of the last two axes.

    Parameters
    ----------
    padding : int or (left, right, top, bottom)
        How many elements to add; negative numbers remove elements.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.ReplicationPad2d.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.ReplicationPad2d((0, 0, 1, 0))(np.array([[[1, 2], [3, 4]]]))
    array([[[1, 2],
            [1, 2],
            [3, 4]]])
    """

    _axes = 2
    _mode = "replicate"

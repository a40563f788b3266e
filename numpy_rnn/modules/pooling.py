"""Pools: the maximum or the mean of each window along the last axes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

from numpy_rnn import functional
from numpy_rnn._typing import AnyArray, Array
from numpy_rnn.modules.module import Module

__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AvgPool1d",
    "AvgPool2d",
    "MaxPool1d",
    "MaxPool2d",
]

Sizes: TypeAlias = int | tuple[int, ...]


class _MaxPool(Module):
    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        dilation: Sizes = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride: Sizes = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def extra_repr(self) -> str:
        """Return the options, as torch shows them."""
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPool):
    """The maximum of each window along the last axis, by `numpy_rnn.functional.max_pool1d`.

    Parameters
    ----------
    kernel_size : int or tuple of one
        The number of taps of a window.
    stride : int or tuple of one, optional
        The step from one window to the next, `kernel_size` if omitted.
    padding : int or tuple of one, default 0
        How far windows reach beyond either end, at most half of `kernel_size`.
    dilation : int or tuple of one, default 1
        The step from one tap of a window to the next.
    return_indices : bool, default False
        Whether to return the places of the maxima too.
    ceil_mode : bool, default False
        Whether a window that is cut off by the end counts.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.MaxPool1d.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.MaxPool1d(2)(np.array([[1.0, 5.0, 2.0, 3.0]]))
    array([[5., 3.]])
    """

    def forward(self, input: AnyArray) -> Any:
        """Return the maxima of an array (N, C, L) or (C, L); with indices, the pair."""
        return functional.max_pool1d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            self.ceil_mode,
            self.return_indices,
        )


class MaxPool2d(_MaxPool):
    """The maximum of each window along two axes, by `numpy_rnn.functional.max_pool2d`.

    Parameters
    ----------
    kernel_size, stride, padding, dilation : int or tuple of two
        As of `MaxPool1d`, for both axes or each.
    return_indices : bool, default False
        Whether to return the places of the maxima too.
    ceil_mode : bool, default False
        Whether a window that is cut off by the end counts.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.MaxPool2d.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.MaxPool2d((2, 1))(np.arange(8.0).reshape(1, 2, 4))
    array([[[4., 5., 6., 7.]]])
    """

    def forward(self, input: AnyArray) -> Any:
        """Return the maxima of an array (N, C, H, W) or (C, H, W); with indices, the pair."""
        return functional.max_pool2d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            self.ceil_mode,
            self.return_indices,
        )


class _AvgPool(Module):
    kernel_size: Sizes
    stride: Sizes
    padding: Sizes

    def extra_repr(self) -> str:
        """Return the options that torch shows."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool1d(_AvgPool):
    """The mean of each window along the last axis, by `numpy_rnn.functional.avg_pool1d`.

    Parameters
    ----------
    kernel_size : int or tuple of one
        The number of elements of a window.
    stride : int or tuple of one, optional
        The step from one window to the next, `kernel_size` if omitted.
    padding : int or tuple of one, default 0
        Zeros on either side, at most half of `kernel_size`.
    ceil_mode : bool, default False
        Whether a window that is cut off by the end counts.
    count_include_pad : bool, default True
        Whether the zeros count in the number that sums are divided by.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.AvgPool1d.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.AvgPool1d(2)(np.array([[1.0, 5.0, 2.0, 4.0]]))
    array([[3., 3.]])
    """

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size: Sizes = _single(kernel_size)
        self.stride: Sizes = _single(kernel_size if stride is None else stride)
        self.padding: Sizes = _single(padding)
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad

    def forward(self, input: AnyArray) -> AnyArray:
        """Return the means of an array (N, C, L) or (C, L)."""
        return functional.avg_pool1d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
        )


class AvgPool2d(_AvgPool):
    """The mean of each window along two axes, by `numpy_rnn.functional.avg_pool2d`.

    Parameters
    ----------
    kernel_size, stride, padding : int or tuple of two
        As of `AvgPool1d`, for both axes or each.
    ceil_mode, count_include_pad : bool
        As of `AvgPool1d`.
    divisor_override : int, optional
        What sums are divided by instead of the number of elements.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.AvgPool2d.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.AvgPool2d(2)(np.arange(8.0).reshape(1, 2, 4))
    array([[[2.5, 4.5]]])
    """

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride: Sizes = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: AnyArray) -> AnyArray:
        """Return the means of an array (N, C, H, W) or (C, H, W)."""
        return functional.avg_pool2d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )


def _single(value: Sizes) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, Iterable) else (value,)


class AdaptiveAvgPool1d(Module):
    """The means of so many windows, by `numpy_rnn.functional.adaptive_avg_pool1d`.

    Parameters
    ----------
    output_size : int or tuple of one
        How many windows share the last axis.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool1d.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.AdaptiveAvgPool1d(1)(np.array([[1.0, 5.0, 3.0]]))
    array([[3.]])
    """

    def __init__(self, output_size: Sizes) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Array) -> Array:
        """Return the means of an array (N, C, L) or (C, L)."""
        return functional.adaptive_avg_pool1d(input, self.output_size)

    def extra_repr(self) -> str:
        """Return the size."""
        return f"output_size={self.output_size}"


class AdaptiveAvgPool2d(Module):
    """The means of so many windows, by `numpy_rnn.functional.adaptive_avg_pool2d`.

    Parameters
    ----------
    output_size : int or tuple of two
        How many windows share the last two axes; None is the size of the input.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool2d.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.AdaptiveAvgPool2d((1, None))(np.arange(8.0).reshape(1, 2, 4))
    array([[[2., 3., 4., 5.]]])
    """

    def __init__(self, output_size: int | tuple[int | None, ...] | None) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Array) -> Array:
        """Return the means of an array (N, C, H, W) or (C, H, W)."""
        return functional.adaptive_avg_pool2d(input, self.output_size)

    def extra_repr(self) -> str:
        """Return the size."""
        return f"output_size={self.output_size}"


class AdaptiveMaxPool1d(Module):
    """The maxima of so many windows, by `numpy_rnn.functional.adaptive_max_pool1d`.

    Parameters
    ----------
    output_size : int or tuple of one
        How many windows share the last axis.
    return_indices : bool, default False
        Whether to return the places of the maxima too.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveMaxPool1d.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> values, places = nn.AdaptiveMaxPool1d(1, True)(np.array([[1.0, 5.0, 3.0]]))
    >>> values, places.tolist()
    (array([[5.]]), [[1]])
    """

    def __init__(self, output_size: Sizes, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size = output_size
        self.return_indices = return_indices

    def forward(self, input: Array) -> Any:
        """Return the maxima of an array (N, C, L) or (C, L); with indices, the pair."""
        return functional.adaptive_max_pool1d(input, self.output_size, self.return_indices)

    def extra_repr(self) -> str:
        """Return the size."""
        return f"output_size={self.output_size}"


class AdaptiveMaxPool2d(Module):
    """The maxima of so many windows, by `numpy_rnn.functional.adaptive_max_pool2d`.

    Parameters
    ----------
    output_size : int or tuple of two
        How many windows share the last two axes; None is the size of the input.
    return_indices : bool, default False
        Whether to return the places of the maxima too.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveMaxPool2d.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.AdaptiveMaxPool2d((None, 1))(np.arange(8.0).reshape(1, 2, 4))
    array([[[3.],
            [7.]]])
    """

    def __init__(
        self, output_size: int | tuple[int | None, ...] | None, return_indices: bool = False
    ) -> None:
        super().__init__()
        self.output_size = output_size
        self.return_indices = return_indices

    def forward(self, input: Array) -> Any:
        """Return the maxima of an array (N, C, H, W) or (C, H, W); with indices, the pair."""
        return functional.adaptive_max_pool2d(input, self.output_size, self.return_indices)

    def extra_repr(self) -> str:
        """Return the size."""
        return f"output_size={self.output_size}"

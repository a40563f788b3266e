"""The linear and bilinear layers, and the identity."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from numpy_rnn import functional, init
from numpy_rnn._typing import Array, DTypeLike
from numpy_rnn.arguments import as_array
from numpy_rnn.modules.module import Module
from numpy_rnn.modules.weighted import Declared, Shape, WeightedLayer

__all__ = ["Bilinear", "Identity", "Linear"]


T = TypeVar("T")


def draw_parameters(weight: Array, bias: Array | None) -> None:
    """Fill weights (out, in, ...) and a bias with what a new layer of torch's has.

    They are drawn from U(-k, k), k = 1 / sqrt(f) for f inputs to each output.
    """
    fan_in = math.prod(weight.shape[1:])
    if weight.size:  # torch warns otherwise
        init.kaiming_uniform_(weight, a=math.sqrt(5))
    if bias is not None:
        bound = 1 / math.sqrt(fan_in) if fan_in > 0 else 0
        init.uniform_(bias, -bound, bound)


class Identity(Module):
    """A placeholder for a layer, which returns its input unchanged.

    Parameters
    ----------
    *args, **kwargs
        Accepted but ignored.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.Identity.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.Identity(54, unused=True)(np.ones(2))
    array([1., 1.])
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002  # torch's signature
        super().__init__()

    def forward(self, input: T) -> T:
        """Return a copy of an array, and anything else as it is."""
        if not hasattr(input, "__array__"):
            return input
        return cast(T, as_array(input, "input").copy())

    if TYPE_CHECKING:  # mypy does not see through `Module.__call__` that forward is generic

        def __call__(self, input: T) -> T:  # type: ignore[override]  # of the same kind
            """Return what ``forward`` computes."""


class Linear(WeightedLayer):
    """An affine map of the last axis: ``y = x W^T + b``.

    Parameters
    ----------
    in_features : int
        Size of an input's last axis.
    out_features : int
        Size of an output's last axis.
    bias : bool, default True
        Whether there is a bias.
    device : None or 'cpu'
        Accepted for torch's sake: arrays are on the CPU.
    dtype : dtype, default float32
        float32 or float64.

    Attributes
    ----------
    weight : ndarray of shape (out_features, in_features)
        First drawn from U(-k, k), k = 1 / sqrt(in_features).
    bias : ndarray of shape (out_features,), or None
        Drawn likewise.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.Linear.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.Linear(20, 30)(np.zeros((128, 20), np.float32)).shape
    (128, 30)
    """

    weight: Array
    bias: Array | None

    _declared: ClassVar = {
        "weight": Declared(("out_features", "in_features")),
        "bias": Declared(("out_features",), ("bias",)),
    }

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: object = None,
        dtype: DTypeLike = None,
    ) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self._create_weights(device, dtype, bias=bias)

    @classmethod
    def _is_certain(cls, shapes: Mapping[str, Shape]) -> bool:
        return len(shapes.get("weight", ())) == 2

    def reset_parameters(self) -> None:
        """Draw the parameters again from the default generator."""
        draw_parameters(self.weight, self.bias)

    def forward(self, input: Array) -> Array:
        """Return the layer's output.

        Parameters
        ----------
        input : ndarray of shape (..., in_features)
            Of the weights' dtype.

        Returns
        -------
        ndarray of shape (..., out_features)

        Raises
        ------
        RuntimeError
            If the dtype or the last axis does not agree with the weights.
        """
        return functional.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Return the sizes, as torch shows them."""
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


class Bilinear(WeightedLayer):
    r"""A bilinear form of two inputs for each output.

    .. math:: y_o = x_1^T W_o x_2 + b_o

    Parameters
    ----------
    in1_features, in2_features : int
        Sizes of the inputs' last axes.
    out_features : int
        Size of an output's last axis.
    bias : bool, default True
        Whether there is a bias.
    device : None or 'cpu'
        Accepted for torch's sake: arrays are on the CPU.
    dtype : dtype, default float32
        float32 or float64.

    Attributes
    ----------
    weight : ndarray of shape (out_features, in1_features, in2_features)
        First drawn from U(-k, k), k = 1 / sqrt(in1_features).
    bias : ndarray of shape (out_features,), or None
        Drawn likewise.

    Raises
    ------
    ValueError
        If `in1_features` is not positive.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.Bilinear.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> x1, x2 = np.zeros((128, 20), np.float32), np.zeros((128, 30), np.float32)
    >>> nn.Bilinear(20, 30, 40)(x1, x2).shape
    (128, 40)
    """

    weight: Array
    bias: Array | None

    _declared: ClassVar = {
        "weight": Declared(("out_features", "in1_features", "in2_features")),
        "bias": Declared(("out_features",), ("bias",)),
    }

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: object = None,
        dtype: DTypeLike = None,
    ) -> None:
        super().__init__()
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        self._create_weights(device, dtype, bias=bias)

    @classmethod
    def _likelihood(cls, name: str, shapes: Mapping[str, Shape]) -> float:  # noqa: ARG003
        return 2 if "bilinear" in name.lower() else 0  # mostly it is a convolution

    def reset_parameters(self) -> None:
        """Draw the parameters again from the default generator."""
        if self.in1_features <= 0:
            raise ValueError(
                f"in1_features must be > 0, but got (in1_features={self.in1_features})"
            )
        bound = 1 / math.sqrt(self.weight.shape[1])
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input1: Array, input2: Array) -> Array:
        """Return the layer's output.

        Parameters
        ----------
        input1 : ndarray of shape (..., in1_features)
            Of the weights' dtype.
        input2 : ndarray of shape (..., in2_features)
            Likewise, with the same axes but the last.

        Returns
        -------
        ndarray of shape (..., out_features)

        Raises
        ------
        RuntimeError
            If dtypes or sizes do not agree.
        """
        return functional.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Return the sizes, as torch shows them."""
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )

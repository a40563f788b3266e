"""Functions as modules."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from typing import ClassVar

from numpy_rnn import functional, init
from numpy_rnn._typing import Array, DTypeLike
from numpy_rnn.modules.module import Module
from numpy_rnn.modules.weighted import Declared, Shape, WeightedLayer

__all__ = [
    "ELU",
    "GELU",
    "GLU",
    "SELU",
    "Hardtanh",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "PReLU",
    "ReLU",
    "ReLU6",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
    "Threshold",
]

CALLER = 5
"""How far above the warning the call of a module is."""


class _Inplace(Module):
    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        """Return the option if it is set."""
        return "inplace=True" if self.inplace else ""

    def _shown(self, **options: object) -> str:
        """Return options as torch shows them, and the other if it is set."""
        shown = [f"{name}={value}" for name, value in options.items()]
        return ", ".join(shown + ["inplace=True"] * bool(self.inplace))


class ReLU(_Inplace):
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

    def forward(self, input: Array) -> Array:
        """Return an array of the shape and dtype of `input`."""
        return functional.relu(input, self.inplace)


class LeakyReLU(_Inplace):
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
        super().__init__(inplace)
        self.negative_slope = negative_slope

    def forward(self, input: Array) -> Array:
        """Return an array of the shape and dtype of `input`."""
        return functional.leaky_relu(input, self.negative_slope, self.inplace)

    def extra_repr(self) -> str:
        """Return the slope, and the other option if it is set."""
        return self._shown(negative_slope=self.negative_slope)


class Threshold(_Inplace):
    """A value in place of elements up to a bound, by `numpy_rnn.functional.threshold`.

    Parameters
    ----------
    threshold : float
        The bound.
    value : float
        What is there instead.
    inplace : bool, default False
        Kept, but without effect: the input stays as it is.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.Threshold.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.Threshold(0.2, -1.0)(np.array([0.1, 0.5]))
    array([-1. ,  0.5])
    """

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.threshold = threshold
        self.value = value

    def forward(self, input: Array) -> Array:
        """Return an array of the shape and dtype of `input`."""
        return functional.threshold(input, self.threshold, self.value, self.inplace)

    def extra_repr(self) -> str:
        """Return the numbers, and the other option if it is set."""
        return self._shown(threshold=self.threshold, value=self.value)


class Hardtanh(_Inplace):
    """Each element within two bounds, by `numpy_rnn.functional.hardtanh`.

    Parameters
    ----------
    min_val, max_val : float, default -1 and 1
        The bounds.
    inplace : bool, default False
        Kept, but without effect: the input stays as it is.
    min_value, max_value : float, optional
        Deprecated names of the bounds.

    Raises
    ------
    AssertionError
        If the upper bound is not the greater.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.Hardtanh.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.Hardtanh()(np.array([-3.0, 0.5, 2.0]))
    array([-1. ,  0.5,  1. ])
    """

    def __init__(
        self,
        min_val: float = -1.0,
        max_val: float = 1.0,
        inplace: bool = False,
        min_value: float | None = None,
        max_value: float | None = None,
    ) -> None:
        super().__init__(inplace)
        for old, value in (("min_value", min_value), ("max_value", max_value)):
            if value is not None:
                warnings.warn(
                    f"keyword argument `{old}` is deprecated and renamed to `{old[:-2]}`",
                    FutureWarning,
                    stacklevel=2,
                )
        self.min_val: float = min_val if min_value is None else min_value
        self.max_val: float = max_val if max_value is None else max_value
        if self.max_val <= self.min_val:
            raise AssertionError(
                f"max_val ({self.max_val}) must be greater than min_val ({self.min_val})"
            )

    def forward(self, input: Array) -> Array:
        """Return an array of the shape and dtype of `input`."""
        return functional.hardtanh(input, self.min_val, self.max_val, self.inplace)

    def extra_repr(self) -> str:
        """Return the bounds, and the other option if it is set."""
        return self._shown(min_val=self.min_val, max_val=self.max_val)


class ReLU6(Hardtanh):
    """Each element from 0 to 6, by `numpy_rnn.functional.relu6`.

    Parameters
    ----------
    inplace : bool, default False
        Kept, but without effect: the input stays as it is.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.ReLU6.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.ReLU6()(np.array([-1.0, 2.0, 7.0]))
    array([0., 2., 6.])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)

    def extra_repr(self) -> str:
        """Return the option if it is set."""
        return self._shown()


class ELU(_Inplace):
    """An exponential below 0, by `numpy_rnn.functional.elu`.

    Parameters
    ----------
    alpha : float, default 1
        How far below 0 it goes.
    inplace : bool, default False
        Kept, but without effect: the input stays as it is.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.ELU.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.ELU(0.5)(np.array([-1e4, 2.0]))
    array([-0.5,  2. ])
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Array) -> Array:
        """Return an array of the shape and dtype of `input`."""
        return functional.elu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        """Return the factor, and the other option if it is set."""
        return self._shown(alpha=self.alpha)


class SELU(_Inplace):
    """An exponential below 0, scaled, by `numpy_rnn.functional.selu`.

    Parameters
    ----------
    inplace : bool, default False
        Kept, but without effect: the input stays as it is.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.SELU.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.SELU()(np.array([-1e4, 1.0])).round(4)
    array([-1.7581,  1.0507])
    """

    def forward(self, input: Array) -> Array:
        """Return an array of the shape and dtype of `input`."""
        return functional.selu(input, self.inplace)


class SiLU(_Inplace):
    """Each element times its logistic function, by `numpy_rnn.functional.silu`.

    Parameters
    ----------
    inplace : bool, default False
        Kept, but without effect: the input stays as it is.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.SiLU.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.SiLU()(np.array([-1e4, 0.0, 50.0]))
    array([-0.,  0., 50.])
    """

    def forward(self, input: Array) -> Array:
        """Return an array of the shape and dtype of `input`."""
        return functional.silu(input, self.inplace)


class GELU(Module):
    """Each element times the normal distribution function, by `numpy_rnn.functional.gelu`.

    Parameters
    ----------
    approximate : {'none', 'tanh'}, default 'none'
        Whether to approximate it.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.GELU.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.GELU()(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.1587,  0.    ,  0.8413])
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Array) -> Array:
        """Return an array of the shape and dtype of `input`."""
        return functional.gelu(input, self.approximate)

    def extra_repr(self) -> str:
        """Return the option."""
        return f"approximate={self.approximate!r}"


class GLU(Module):
    """One half times the logistic function of the other, by `numpy_rnn.functional.glu`.

    Parameters
    ----------
    dim : int, default -1
        The axis that is halved.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.GLU.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.GLU()(np.array([1.0, 2.0, 0.0, 1e4]))
    array([0.5, 2. ])
    """

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Array) -> Array:
        """Return an array of half the size along the axis."""
        return functional.glu(input, self.dim)

    def extra_repr(self) -> str:
        """Return the axis."""
        return f"dim={self.dim}"


class Softplus(Module):
    """A smooth relu, by `numpy_rnn.functional.softplus`.

    Parameters
    ----------
    beta : float, default 1
        How sharp its bend is.
    threshold : float, default 20
        Where beta times an element is greater, it stays as it is.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.Softplus.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.Softplus()(np.array([-1e4, 0.0, 30.0])).round(4)
    array([ 0.    ,  0.6931, 30.    ])
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, input: Array) -> Array:
        """Return an array of the shape and dtype of `input`."""
        return functional.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        """Return the numbers."""
        return f"beta={self.beta}, threshold={self.threshold}"


class LogSigmoid(Module):
    """The logarithm of the logistic function, by `numpy_rnn.functional.logsigmoid`.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.LogSigmoid.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.LogSigmoid()(np.array([-1e4, 0.0])).round(4)
    array([-1.000e+04, -6.931e-01])
    """

    def forward(self, input: Array) -> Array:
        """Return an array of the shape and dtype of `input`."""
        return functional.logsigmoid(input)


class PReLU(WeightedLayer):
    """The input, its negative part times a weight, by `numpy_rnn.functional.prelu`.

    Parameters
    ----------
    num_parameters : int, default 1
        1, or the number of channels C for a weight for each.
    init : float, default 0.25
        What the weights are first.
    device : None or 'cpu'
        Accepted for torch's sake: arrays are on the CPU.
    dtype : dtype, default float32
        float32 or float64.

    Attributes
    ----------
    weight : ndarray of shape (num_parameters,)

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.PReLU.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.PReLU(2)(np.array([[-1, -2]], np.float32))
    array([[-0.25, -0.5 ]], dtype=float32)
    """

    weight: Array

    _declared: ClassVar = {"weight": Declared(("num_parameters",))}
    _immaterial = WeightedLayer._immaterial | {"init"}
    _names = re.compile(r"prelu|(?<![a-z])act", re.IGNORECASE)

    def __init__(
        self,
        num_parameters: int = 1,
        init: float = 0.25,
        device: object = None,
        dtype: DTypeLike = None,
    ) -> None:
        super().__init__()
        self.num_parameters = num_parameters
        self.init = init
        self._create_weights(device, dtype)

    @classmethod
    def _likelihood(cls, name: str, shapes: Mapping[str, Shape]) -> float:
        # A weight alone may be anything, but hardly of a single element.
        return 1 if shapes["weight"] == (1,) or cls._names.search(name) else 0

    def reset_parameters(self) -> None:
        """Set the weights to what they are first."""
        init.constant_(self.weight, self.init)

    def forward(self, input: Array) -> Array:
        """Return an array of the shape and dtype of `input`, (N, C, ...).

        Raises
        ------
        RuntimeError
            If the dtype or the number of channels does not agree with the weights.
        """
        return functional.prelu(input, self.weight)

    def extra_repr(self) -> str:
        """Return the number of weights."""
        return f"num_parameters={self.num_parameters}"


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

"""Initialisers that fill an array in place, after ``torch.nn.init``.

For the same seed they give torch's values, bit for bit where torch's ``uniform_`` and
``normal_`` do (see `numpy_rnn.random.Generator`), but for `orthogonal_`, which is equal to
rounding. The names without an underscore at the end are torch's deprecated ones.
"""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from numpy_rnn import random
from numpy_rnn._typing import AnyArray, Array
from numpy_rnn.arguments import fill_value
from numpy_rnn.floating_point import silent

__all__ = [
    "calculate_gain",
    "constant",
    "constant_",
    "dirac",
    "dirac_",
    "eye",
    "eye_",
    "kaiming_normal",
    "kaiming_normal_",
    "kaiming_uniform",
    "kaiming_uniform_",
    "normal",
    "normal_",
    "ones_",
    "orthogonal",
    "orthogonal_",
    "sparse",
    "sparse_",
    "trunc_normal_",
    "uniform",
    "uniform_",
    "xavier_normal",
    "xavier_normal_",
    "xavier_uniform",
    "xavier_uniform_",
    "zeros_",
]


def __dir__() -> list[str]:
    return __all__


if not TYPE_CHECKING:  # hidden from type checkers, which then report unknown names

    def __getattr__(name):
        raise AttributeError(
            f"module 'numpy_rnn.init' has no attribute {name!r}. Its functions are "
            f"{', '.join(__all__)}"
        )


def uniform_(
    array: Array, a: float = 0.0, b: float = 1.0, generator: random.Generator | None = None
) -> Array:
    """Fill `array` with draws from the uniform distribution on [a, b) and return it.

    Parameters
    ----------
    array : ndarray
        float32 or float64, filled in C order.
    a, b : float
        The bounds.
    generator : Generator, optional
        `numpy_rnn.random.default_generator` if omitted.

    References
    ----------
    https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.uniform_

    Examples
    --------
    >>> import numpy as np
    >>> from numpy_rnn import init, random
    >>> generator = random.Generator().manual_seed(1)
    >>> init.uniform_(np.empty(2), -1.0, 1.0, generator)
    array([-0.87789345, -0.55089099])
    """
    generator = random.default_generator if generator is None else generator
    array[...] = generator.uniform(array.shape, a, b, array.dtype)
    return array


def normal_(
    array: Array, mean: float = 0.0, std: float = 1.0, generator: random.Generator | None = None
) -> Array:
    """Fill `array` with draws from a normal distribution and return it.

    Parameters
    ----------
    array : ndarray
        float32 or float64, filled in C order.
    mean, std : float
        Of the distribution.
    generator : Generator, optional
        `numpy_rnn.random.default_generator` if omitted.

    References
    ----------
    https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.normal_

    Examples
    --------
    >>> import numpy as np
    >>> from numpy_rnn import init, random
    >>> generator = random.Generator().manual_seed(0)
    >>> init.normal_(np.empty(2, np.float32), generator=generator)
    array([ 1.5409961, -0.2934289], dtype=float32)
    """
    generator = random.default_generator if generator is None else generator
    array[...] = generator.normal(array.shape, mean, std, array.dtype)
    return array


def constant_(array: Array, val: float) -> Array:
    """Fill `array` with a value and return it.

    Raises
    ------
    RuntimeError
        If the value is beyond the range of the array's dtype.

    References
    ----------
    https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.constant_

    Examples
    --------
    >>> import numpy as np
    >>> from numpy_rnn import init
    >>> init.constant_(np.empty(2), 0.3)
    array([0.3, 0.3])
    """
    array[...] = fill_value("val", val, array.dtype)
    return array


def ones_(array: Array) -> Array:
    """Fill `array` with 1 and return it.

    References
    ----------
    https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.ones_
    """
    return constant_(array, 1.0)


def zeros_(array: Array) -> Array:
    """Fill `array` with 0 and return it.

    References
    ----------
    https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.zeros_
    """
    return constant_(array, 0.0)


def eye_(array: Array) -> Array:
    """Fill a matrix with the identity, as far as it goes, and return it.

    Raises
    ------
    ValueError
        If `array` does not have two axes.

    References
    ----------
    https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.eye_

    Examples
    --------
    >>> import numpy as np
    >>> from numpy_rnn import init
    >>> init.eye_(np.empty((2, 3)))
    array([[1., 0., 0.],
           [0., 1., 0.]])
    """
    if array.ndim != 2:
        raise ValueError("Only arrays with 2 dimensions are supported")
    array[...] = np.eye(*array.shape)
    return array


def dirac_(array: Array, groups: int = 1) -> Array:
    """Fill the weight of a convolution so that it keeps its input, and return it.

    Parameters
    ----------
    array : ndarray of shape (out, in / groups, ...)
        With one to three axes for the kernel.
    groups : int
        Of the convolution: each of them keeps its part of the input.

    Raises
    ------
    ValueError
        If `array` has other axes, or its first cannot be divided into the groups.

    References
    ----------
    https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.dirac_

    Examples
    --------
    >>> import numpy as np
    >>> from numpy_rnn import init
    >>> init.dirac_(np.empty((2, 2, 3)))[1]
    array([[0., 0., 0.],
           [0., 1., 0.]])
    """
    if array.ndim not in (3, 4, 5):
        raise ValueError("Only arrays with 3, 4, or 5 dimensions are supported")
    if len(array) % groups:
        raise ValueError("dim 0 must be divisible by groups")
    size = len(array) // groups
    kept = np.arange(min(size, array.shape[1]))
    centre = tuple(length // 2 for length in array.shape[2:])
    array[...] = 0
    for first in range(0, size * groups, max(size, 1)):
        array[(first + kept, kept, *centre)] = 1
    return array


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Return by which factor initial weights are scaled for a function after them.

    Parameters
    ----------
    nonlinearity : str
        ``'linear'``, ``'conv1d'`` and the like, ``'sigmoid'``, ``'tanh'``, ``'relu'``,
        ``'leaky_relu'`` or ``'selu'``.
    param : float, optional
        The slope of ``'leaky_relu'``, 0.01 if omitted.

    Raises
    ------
    ValueError
        For another function, or a slope that is not a number.

    References
    ----------
    https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.calculate_gain

    Examples
    --------
    >>> from numpy_rnn import init
    >>> init.calculate_gain("leaky_relu", 1.0)
    1.0
    """
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, (int, float)):
            raise ValueError(f"negative_slope {param} not a valid number")
        return math.sqrt(2.0 / (1 + slope**2))
    if nonlinearity not in _GAINS:
        raise ValueError(f"Unsupported nonlinearity {nonlinearity}")
    return _GAINS[nonlinearity]


_GAINS = {
    **dict.fromkeys(("linear", "conv1d", "conv2d", "conv3d", "sigmoid"), 1),
    **dict.fromkeys((f"conv_transpose{axes}d" for axes in (1, 2, 3)), 1),
    "tanh": 5.0 / 3,
    "relu": math.sqrt(2.0),
    "selu": 3.0 / 4,
}


def _calculate_fan_in_and_fan_out(array: AnyArray) -> tuple[int, int]:
    """Return how many inputs and outputs a weight of shape (out, in, ...) connects."""
    if array.ndim < 2:
        raise ValueError(
            "Fan in and fan out can not be computed for an array with fewer than 2 dimensions: "
            f"its shape is {array.shape}"
        )
    kernel = math.prod(array.shape[2:])
    return array.shape[1] * kernel, array.shape[0] * kernel


def xavier_uniform_(
    array: Array, gain: float = 1.0, generator: random.Generator | None = None
) -> Array:
    r"""Fill a weight with draws from U(-a, a) after Glorot and Bengio (2010) and return it.

    .. math:: a = g \, \sqrt{6 / (f_{in} + f_{out})}

    Parameters
    ----------
    array : ndarray of shape (out, in, ...)
        float32 or float64.
    gain : float
        g, see `calculate_gain`.
    generator : Generator, optional
        `numpy_rnn.random.default_generator` if omitted.

    Raises
    ------
    ValueError
        If `array` has fewer than two axes.

    References
    ----------
    https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.xavier_uniform_

    Examples
    --------
    >>> import numpy as np
    >>> from numpy_rnn import init
    >>> bool(np.abs(init.xavier_uniform_(np.empty((3, 3)))).max() < 1)
    True
    """
    bound = math.sqrt(3.0) * _xavier_std(array, gain)
    return uniform_(array, -bound, bound, generator)


def xavier_normal_(
    array: Array, gain: float = 1.0, generator: random.Generator | None = None
) -> Array:
    r"""Fill a weight with normal draws after Glorot and Bengio (2010) and return it.

    Their standard deviation is

    .. math:: g \, \sqrt{2 / (f_{in} + f_{out})}

    The parameters and errors are those of `xavier_uniform_`.

    References
    ----------
    https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.xavier_normal_
    """
    return normal_(array, 0.0, _xavier_std(array, gain), generator)


def _xavier_std(array: Array, gain: float) -> float:
    return gain * math.sqrt(2.0 / float(sum(_calculate_fan_in_and_fan_out(array))))


def kaiming_uniform_(
    array: Array,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: random.Generator | None = None,
) -> Array:
    r"""Fill a weight with draws from U(-b, b) after He et al. (2015) and return it.

    .. math:: b = g \, \sqrt{3 / f}

    Parameters
    ----------
    array : ndarray of shape (out, in, ...)
        float32 or float64. Without elements it is left, with a warning.
    a : float
        The slope of a ``'leaky_relu'`` after the layer.
    mode : {'fan_in', 'fan_out'}
        Which number of connections f is.
    nonlinearity : str
        The function after the layer, for the gain g: see `calculate_gain`.
    generator : Generator, optional
        `numpy_rnn.random.default_generator` if omitted.

    Raises
    ------
    ValueError
        For another mode or function, or an array with fewer than two axes.

    References
    ----------
    https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.kaiming_uniform_

    Examples
    --------
    >>> import numpy as np
    >>> from numpy_rnn import init
    >>> bool(np.abs(init.kaiming_uniform_(np.empty((9, 6)))).max() < 1)
    True
    """
    if _is_empty(array):
        return array
    bound = math.sqrt(3.0) * _kaiming_std(array, a, mode, nonlinearity)
    return uniform_(array, -bound, bound, generator)


def kaiming_normal_(
    array: Array,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: random.Generator | None = None,
) -> Array:
    r"""Fill a weight with normal draws after He et al. (2015) and return it.

    Their standard deviation is

    .. math:: g \, \sqrt{1 / f}

    The parameters and errors are those of `kaiming_uniform_`.

    References
    ----------
    https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.kaiming_normal_
    """
    if _is_empty(array):
        return array
    return normal_(array, 0, _kaiming_std(array, a, mode, nonlinearity), generator)


def _is_empty(array: Array) -> bool:
    if array.size == 0:
        warnings.warn("Initializing zero-element arrays is a no-op", stacklevel=3)
    return array.size == 0


def _kaiming_std(array: Array, a: float, mode: str, nonlinearity: str) -> float:
    modes = ["fan_in", "fan_out"]
    if mode.lower() not in modes:
        raise ValueError(f"Mode {mode.lower()} not supported, please use one of {modes}")
    fan = _calculate_fan_in_and_fan_out(array)[modes.index(mode.lower())]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


def trunc_normal_(
    array: Array,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: random.Generator | None = None,
) -> Array:
    """Fill `array` with draws from a normal distribution that are within [a, b]; return it.

    Parameters
    ----------
    array : ndarray
        float32 or float64, filled in C order.
    mean, std : float
        Of the distribution before it is cut.
    a, b : float
        The bounds. There is a warning if the mean is far outside.
    generator : Generator, optional
        `numpy_rnn.random.default_generator` if omitted.

    References
    ----------
    https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.trunc_normal_

    Examples
    --------
    >>> import numpy as np
    >>> from numpy_rnn import init
    >>> bool(np.abs(init.trunc_normal_(np.empty(1000))).max() <= 2)
    True
    """
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. "
            "The distribution of values may be incorrect.",
            stacklevel=2,
        )
    within = _normal_cdf((b - mean) / std) - _normal_cdf((a - mean) / std)
    # Draws of the whole shape are made again until no element needs one: torch's stream.
    draw = _draw_normal if within > 0.3 else _draw_by_rejection
    array[...], pending = draw(array, mean, std, a, b, generator)
    while pending.any():
        drawn, again = draw(array, mean, std, a, b, generator)
        array[...] = np.where(pending, drawn, array)
        pending &= again
    return array


def _normal_cdf(x: float) -> float:
    return (1.0 + math.erf(x / math.sqrt(2.0))) / 2.0


def _draw_normal(
    array: Array, mean: float, std: float, a: float, b: float, generator: Any
) -> tuple[Array, AnyArray]:
    """Return normal draws, and which of them are out of bounds."""
    drawn = normal_(np.empty(array.shape, array.dtype), mean, std, generator)
    return drawn, (drawn < array.dtype.type(a)) | (drawn > array.dtype.type(b))


@silent
def _draw_by_rejection(
    array: Array, mean: float, std: float, a: float, b: float, generator: Any
) -> tuple[Array, AnyArray]:
    """Return uniform draws, and which are rejected so that the rest are normal."""
    number = array.dtype.type
    highest = -0.5 * ((max(a, min(mean, b)) - mean) / std) ** 2
    drawn = uniform_(np.empty(array.shape, array.dtype), a, b, generator)
    density = np.square((drawn - number(mean)) / number(std)) * number(-0.5) - number(highest)
    chances = uniform_(np.empty(array.shape, array.dtype), generator=generator)
    return drawn, np.log(chances) > density


def orthogonal_(
    array: Array, gain: float = 1, generator: random.Generator | None = None
) -> Array:
    """Fill a weight with a random orthogonal matrix, times a factor, and return it.

    After Saxe et al. (2013). The values are torch's to rounding, since both decompose the
    same random matrix, but not by the same LAPACK.

    Parameters
    ----------
    array : ndarray of shape (rows, ...)
        float32 or float64; further axes are columns. Either the rows or the columns are
        orthonormal.
    gain : float
        The factor.
    generator : Generator, optional
        `numpy_rnn.random.default_generator` if omitted.

    Raises
    ------
    ValueError
        If `array` has fewer than two axes.

    References
    ----------
    https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.orthogonal_

    Examples
    --------
    >>> import numpy as np
    >>> from numpy_rnn import init
    >>> w = init.orthogonal_(np.empty((3, 5)))
    >>> np.allclose(w @ w.T, np.eye(3))
    True
    """
    if array.ndim < 2:
        raise ValueError("Only arrays with 2 or more dimensions are supported")
    if array.size == 0:
        return array
    shape = (len(array), array.size // len(array))
    drawn = normal_(np.empty(shape, array.dtype), 0, 1, generator)
    wide = shape[0] < shape[1]
    q, r = np.linalg.qr(drawn.T if wide else drawn)
    q *= np.sign(np.diag(r))
    array[...] = (q.T if wide else q).reshape(array.shape)
    array *= array.dtype.type(gain)
    return array


def sparse_(
    array: Array,
    sparsity: float,
    std: float = 0.01,
    generator: random.Generator | None = None,
) -> Array:
    """Fill a matrix with normal draws, and zeros in each column, and return it.

    After Martens (2010).

    Parameters
    ----------
    array : ndarray of shape (rows, columns)
        float32 or float64.
    sparsity : float
        The fraction of zeros in a column.
    std : float
        The standard deviation of the others.
    generator : Generator, optional
        For the draws, `numpy_rnn.random.default_generator` if omitted. The places of the
        zeros come from that one always, as in torch.

    Raises
    ------
    ValueError
        If `array` does not have two axes.

    References
    ----------
    https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.sparse_

    Examples
    --------
    >>> import numpy as np
    >>> from numpy_rnn import init
    >>> (init.sparse_(np.empty((10, 3)), sparsity=0.2) == 0).sum(axis=0)
    array([2, 2, 2])
    """
    if array.ndim != 2:
        raise ValueError("Only arrays with 2 dimensions are supported")
    rows, columns = array.shape
    zeros = math.ceil(sparsity * rows)
    normal_(array, 0, std, generator)
    for column in range(columns):
        array[random.default_generator.permutation(rows)[:zeros], column] = 0
    return array


Initialiser: TypeAlias = Callable[..., Array]


def _deprecated(function: Initialiser) -> Initialiser:
    """Return the function of torch's old name, which warns."""
    name = function.__name__

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Array:
        warnings.warn(
            f"`nn.init.{name[:-1]}` is now deprecated in favor of `nn.init.{name}`.",
            FutureWarning,
            stacklevel=2,
        )
        return function(*args, **kwargs)

    wrapper.__name__ = name[:-1]
    wrapper.__doc__ = f"Do what `{name}` does, with a warning."
    return wrapper


constant: Initialiser = _deprecated(constant_)
dirac: Initialiser = _deprecated(dirac_)
eye: Initialiser = _deprecated(eye_)
kaiming_normal: Initialiser = _deprecated(kaiming_normal_)
kaiming_uniform: Initialiser = _deprecated(kaiming_uniform_)
normal: Initialiser = _deprecated(normal_)
orthogonal: Initialiser = _deprecated(orthogonal_)
sparse: Initialiser = _deprecated(sparse_)
uniform: Initialiser = _deprecated(uniform_)
xavier_normal: Initialiser = _deprecated(xavier_normal_)
xavier_uniform: Initialiser = _deprecated(xavier_uniform_)

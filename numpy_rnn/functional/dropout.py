"""Dropout: zeros in place of random elements."""

from __future__ import annotations

import warnings

import numpy as np

from numpy_rnn import random
from numpy_rnn._typing import AnyArray, Array
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
    _check_probability(p)
    if not training:
        return as_array(input, "input").copy()
    x = as_float_array(input, "input")
    return _dropped(x, p, x.shape)


@silent
def dropout1d(
    input: Array,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,  # noqa: ARG001  # torch's signature
) -> Array:
    """Zero whole channels with probability `p` and scale the rest by ``1 / (1 - p)``.

    Parameters
    ----------
    input : ndarray of shape (N, C, L) or (C, L)
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
        The channels are chosen as `dropout` chooses elements.

    Raises
    ------
    ValueError
        If `p` is out of range.
    RuntimeError
        If `input` has other axes.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.dropout1d.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> _ = nn.manual_seed(0)
    >>> nn.functional.dropout1d(np.ones((3, 2)), 0.5)
    array([[0., 0.],
           [0., 0.],
           [2., 2.]])
    """
    _check_probability(p)
    x = as_array(input, "input")
    if x.ndim not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {x.ndim}D input. Note that "
            "dropout1d exists to provide channel-wise dropout on inputs with 1 spatial "
            "dimension, a channel dimension, and an optional batch dimension (i.e. 2D or 3D "
            "inputs)."
        )
    return _dropped_channels(x, p, training, x.shape[:-1])


def dropout2d(
    input: Array,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,  # noqa: ARG001  # torch's signature
) -> Array:
    """Zero whole channels with probability `p` and scale the rest by ``1 / (1 - p)``.

    Parameters
    ----------
    input : ndarray of shape (N, C, H, W)
        float32 or float64. Other shapes (N, C, ...) are deprecated in torch: there is a
        warning.
    p, training, inplace
        As those of `dropout1d`.

    Returns
    -------
    ndarray of the same shape

    Raises
    ------
    ValueError
        If `p` is out of range.
    RuntimeError
        If `input` has fewer than two axes, in training mode.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.dropout2d.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> x = np.ones((1, 3, 2, 2))
    >>> np.array_equal(nn.functional.dropout2d(x, training=False), x)
    True
    """
    _check_probability(p)
    x = as_array(input, "input")
    if x.ndim not in (3, 4):
        warnings.warn(
            f"dropout2d: Received a {x.ndim}-D input to dropout2d, which is deprecated and "
            "will result in an error in a future release. To retain the behavior and silence "
            "this warning, please use dropout instead. Note that dropout2d exists to provide "
            "channel-wise dropout on inputs with 2 spatial dimensions, a channel dimension, "
            "and an optional batch dimension (i.e. 3D or 4D inputs).",
            stacklevel=2,
        )
    if x.ndim == 3:
        warnings.warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D "
            "dropout behavior is desired - input is interpreted as shape (N, C, L), where C is "
            "the channel dim. This behavior will change in a future release to interpret the "
            "input as one without a batch dimension, i.e. shape (C, H, W). To maintain the 1D "
            "channel-wise dropout behavior, please switch to using dropout1d instead.",
            stacklevel=2,
        )
    return _dropped_channels(x, p, training, x.shape[:2])


def _check_probability(p: float) -> None:
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


@silent
def _dropped_channels(
    x: AnyArray, p: float, training: bool, channels: tuple[int, ...]
) -> Array:
    if not training:
        return x.copy()
    if x.ndim < 2 and 0 < p < 1 and x.size:
        raise RuntimeError("Feature dropout requires at least 2 dimensions in the input")
    return _dropped(as_float_array(x, "input"), p, channels + (1,) * (x.ndim - len(channels)))


def _dropped(x: Array, p: float, shape: tuple[int, ...]) -> Array:
    """Drop elements, or all that one element of an array of this shape is broadcast to."""
    if p == 0.0 or x.size == 0:
        return x.copy()
    if p == 1.0:
        return np.asarray(x * x.dtype.type(0))
    kept = random.default_generator.bernoulli(shape, 1.0 - p)
    return np.asarray(x * (kept / x.dtype.type(1.0 - p)))

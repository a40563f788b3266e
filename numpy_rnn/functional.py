"""Functions without parameters of their own, after ``torch.nn.functional``.

They take arrays of float32 or float64 and return new arrays of the same dtype. Where torch
has an argument ``inplace`` it is taken, but nothing is ever written into an input.
"""

from __future__ import annotations

import math
import operator
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from numpy_rnn import random
from numpy_rnn._typing import AnyArray, Array, DTypeLike
from numpy_rnn.arguments import (
    FLOAT32,
    FLOAT64,
    as_array,
    fill_value,
    parse_axis,
    parse_dtype,
    type_error,
)
from numpy_rnn.kernels import convolution, normalization
from numpy_rnn.kernels.affine import affine
from numpy_rnn.kernels.padding import circular, reflect, replicate, zeros

__all__ = [
    "batch_norm",
    "conv1d",
    "dropout",
    "embedding",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log_softmax",
    "pad",
    "relu",
    "sigmoid",
    "softmax",
    "tanh",
]

PADDINGS: dict[str, Callable[[AnyArray, int, int], AnyArray]] = {
    "reflect": reflect,
    "replicate": replicate,
    "circular": circular,
}
"""The modes of padding that continue an array by its own elements."""


def sigmoid(input: Array) -> Array:
    r"""Return the logistic function of `input`, element by element.

    .. math:: \sigma(x) = 1 / (1 + e^{-x})

    Parameters
    ----------
    input : ndarray of any shape
        float32 or float64; integers are taken as float32, as torch takes them.

    Returns
    -------
    ndarray
        Of the same shape, in [0, 1]. Nothing overflows, however large the input is, and
        small results keep their relative precision.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.sigmoid.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.functional.sigmoid(np.array([-1e4, 0.0, 1e4], np.float32))
    array([0. , 0.5, 1. ], dtype=float32)
    """
    x = _promoted(input, "input")
    one = x.dtype.type(1)
    with np.errstate(all="ignore"):
        decay = np.exp(-np.abs(x))  # in (0, 1] on either side of zero
        result: Array = np.asarray(np.where(x < 0, decay, one) / (one + decay))
    return result


def tanh(input: Array) -> Array:
    """Return the hyperbolic tangent of `input`, element by element.

    Parameters
    ----------
    input : ndarray of any shape
        float32 or float64; integers are taken as float32, as torch takes them.

    Returns
    -------
    ndarray
        Of the same shape.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.tanh.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.functional.tanh(np.array([-100.0, 0.0, 100.0]))
    array([-1.,  0.,  1.])
    """
    x = _promoted(input, "input")
    with np.errstate(all="ignore"):
        return np.asarray(np.tanh(x))


def relu(
    input: Array,
    inplace: bool = False,  # noqa: ARG001  # torch's signature
) -> Array:
    """Return the larger of `input` and 0, element by element.

    Parameters
    ----------
    input : ndarray of any shape
        float32, float64 or integers.
    inplace : bool
        Taken as torch takes it, and without effect: `input` stays as it is.

    Returns
    -------
    ndarray
        Of the same shape and dtype.

    Raises
    ------
    RuntimeError
        If `input` is of bools.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.relu.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.functional.relu(np.array([-1.0, 2.0]))
    array([0., 2.])
    """
    x = as_array(input, "input")
    if x.dtype == np.bool_:
        raise RuntimeError("Boolean inputs not supported for relu")
    if x.dtype.kind not in "iu":
        x = _as_float(x, "input")
    return np.asarray(np.maximum(x, x.dtype.type(0)))


def leaky_relu(
    input: Array,
    negative_slope: float = 0.01,
    inplace: bool = False,  # noqa: ARG001  # torch's signature
) -> Array:
    """Return `input`, with what is negative multiplied by a slope.

    Parameters
    ----------
    input : ndarray of any shape
        float32 or float64.
    negative_slope : float
        The factor.
    inplace : bool
        Taken as torch takes it, and without effect: `input` stays as it is.

    Returns
    -------
    ndarray
        Of the same shape.

    Raises
    ------
    RuntimeError
        If the slope is beyond the input's dtype.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.leaky_relu.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.functional.leaky_relu(np.array([-1.0, 2.0]), 0.5)
    array([-0.5,  2. ])
    """
    x = _as_float(input, "input")
    slope = x.dtype.type(fill_value("negative_slope", negative_slope, x.dtype))
    with np.errstate(all="ignore"):
        return np.where(x > 0, x, x * slope)


def softmax(
    input: Array, dim: int | None = None, _stacklevel: int = 3, dtype: DTypeLike = None
) -> Array:
    r"""Return exponentials of `input` that sum to one along an axis.

    .. math:: y_i = e^{x_i} / \sum_j e^{x_j}

    Parameters
    ----------
    input : ndarray of any shape
        float32 or float64.
    dim : int
        The axis whose elements sum to one; negative counts from the last. Without it
        torch's old choice is made, 0 for 0, 1 or 3 axes and else 1, with a warning.
    dtype : dtype, optional
        float32 or float64, which `input` is cast to first.

    Returns
    -------
    ndarray
        Of the same shape. Nothing overflows, however large the input is.

    Raises
    ------
    IndexError
        If `dim` is no axis of `input`.
    TypeError
        If `dim` is no int, or a dtype is another.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.softmax.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.functional.softmax(np.zeros((1, 2)), dim=-1)
    array([[0.5, 0.5]])
    """
    x, axis = _softmax_arguments("softmax", input, dim, _stacklevel, dtype)
    if x.size == 0:
        return x.copy()
    if x.ndim == 0:
        return softmax(x[None], 0)[0, ...]
    with np.errstate(all="ignore"):
        result: Array = np.exp(x - x.max(axis=axis, keepdims=True))
        result /= result.sum(axis=axis, keepdims=True)
    return result


def log_softmax(
    input: Array, dim: int | None = None, _stacklevel: int = 3, dtype: DTypeLike = None
) -> Array:
    r"""Return the logarithm of the softmax of `input` along an axis.

    .. math:: y_i = x_i - \log \sum_j e^{x_j}

    Parameters
    ----------
    input : ndarray of any shape
        float32 or float64.
    dim : int
        The axis whose exponentials sum to one; negative counts from the last. Without it
        torch's old choice is made, 0 for 0, 1 or 3 axes and else 1, with a warning.
    dtype : dtype, optional
        float32 or float64, which `input` is cast to first.

    Returns
    -------
    ndarray
        Of the same shape.

    Raises
    ------
    IndexError
        If `dim` is no axis of `input`.
    TypeError
        If `dim` is no int, or a dtype is another.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.log_softmax.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.functional.log_softmax(np.zeros((1, 2)), dim=-1)
    array([[-0.69314718, -0.69314718]])
    """
    x, axis = _softmax_arguments("log_softmax", input, dim, _stacklevel, dtype)
    if x.size == 0:
        return x.copy()
    if x.ndim == 0:
        return log_softmax(x[None], 0)[0, ...]
    with np.errstate(all="ignore"):
        shifted = x - x.max(axis=axis, keepdims=True)
        result: Array = shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))
    return result


def _softmax_arguments(
    name: str, input: object, dim: int | None, stacklevel: int, dtype: DTypeLike
) -> tuple[Array, int]:
    """Return the array that a softmax is taken of, and the axis."""
    if dim is None:
        warnings.warn(
            f"Implicit dimension choice for {name} has been deprecated. Change the call to "
            "include dim=X as an argument.",
            stacklevel=stacklevel,
        )
    elif isinstance(dim, bool) or not hasattr(dim, "__index__"):
        raise TypeError(f"{name}(): argument 'dim' must be int, not {type(dim).__name__}")
    if dtype is None:
        x = _as_float(input, "input")
    else:
        with np.errstate(all="ignore"):
            x = _promoted(input, "input").astype(parse_dtype(dtype))
    if dim is None:
        return x, 0 if x.ndim in (0, 1, 3) else 1
    return x, parse_axis(dim, x.ndim)


def linear(input: Array, weight: Array, bias: Array | None = None) -> Array:
    """Return ``input W^T + b``.

    Parameters
    ----------
    input : ndarray of shape (..., in_features)
        float32 or float64.
    weight : ndarray of shape (out_features, in_features)
        Of the input's dtype.
    bias : ndarray of shape (out_features,), optional
        Of the input's dtype.

    Returns
    -------
    ndarray of shape (..., out_features)

    Raises
    ------
    RuntimeError
        If the dtypes or the sizes do not agree.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.linear.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.functional.linear(np.ones((2, 3)), np.ones((4, 3)), np.zeros(4)).shape
    (2, 4)
    """
    x, w = as_array(input, "input"), as_array(weight, "weight")
    b = None if bias is None else as_array(bias, "bias")
    if w.ndim != 2:
        raise RuntimeError(f"weight must have 2 axes, got an array of shape {w.shape}")
    _check_dtypes(w, "weight", input=x, bias=b)
    if x.ndim == 0 or x.shape[-1] != w.shape[1]:
        raise RuntimeError(
            f"the last axis of input must be equal to in_features. Expected {w.shape[1]}, got "
            f"input of shape {x.shape}"
        )
    if b is not None and b.shape != (len(w),):
        raise RuntimeError(f"bias must be of shape {(len(w),)}, got {b.shape}")
    rows = math.prod(x.shape[:-1])
    out = np.empty((rows, len(w)), x.dtype)
    with np.errstate(all="ignore"):
        affine(x.reshape(rows, x.shape[-1]), w.T, b, out)
    return out.reshape(*x.shape[:-1], len(w))


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
        Taken as torch takes it, and without effect: `input` stays as it is.

    Returns
    -------
    ndarray
        Of the same shape. The mask comes from the default generator
        (`numpy_rnn.manual_seed`) and is torch's for the same seed, except where torch
        draws with MKL, as it does on Intel processors.

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
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    if not training:
        return as_array(input, "input").copy()
    x = _as_float(input, "input")
    if p == 0.0 or x.size == 0:
        return x.copy()
    with np.errstate(all="ignore"):
        if p == 1.0:
            return np.asarray(x * x.dtype.type(0))
        kept = random.default_generator.bernoulli(x.shape, 1.0 - p)
        return np.asarray(x * (kept / x.dtype.type(1.0 - p)))


def embedding(
    input: AnyArray,
    weight: Array,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,  # noqa: ARG001  # torch's signature
    sparse: bool = False,  # noqa: ARG001  # torch's signature
) -> Array:
    """Return the rows of `weight` that `input` names.

    Parameters
    ----------
    input : ndarray of any shape
        int32 or int64, from 0 to the number of rows less one.
    weight : ndarray of shape (V, E)
        float32 or float64.
    padding_idx : int, optional
        Checked, but without effect: it concerns training.
    max_norm : float, optional
        Rows with a larger norm are scaled to it. `weight` stays as it is, where torch
        scales the rows in `weight` itself.
    norm_type : float
        The p of that p-norm.
    scale_grad_by_freq, sparse : bool
        Without effect: they concern training.

    Returns
    -------
    ndarray of shape (*input.shape, E)

    Raises
    ------
    AssertionError
        If `padding_idx` is no row.
    IndexError
        If an index is out of range. A negative one is.
    RuntimeError
        If `input` is of another dtype or `weight` has not two axes.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.embedding.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.functional.embedding(np.array([2, 0]), np.arange(6.0).reshape(3, 2))
    array([[4., 5.],
           [0., 1.]])
    """
    indices, table = as_array(input, "input"), _as_float(weight, "weight")
    rows = table.shape[0] if table.ndim else 0
    if padding_idx is not None and not -rows <= padding_idx < rows:
        raise AssertionError("Padding_idx must be within num_embeddings")
    if table.ndim != 2:
        raise RuntimeError(f"'weight' must be 2-D, got an array of shape {table.shape}")
    if indices.dtype not in (np.int64, np.int32):
        raise RuntimeError(
            f"Expected indices of dtype int64 or int32, but got {indices.dtype}. "
            "Convert input: input.astype(numpy.int64)"
        )
    # A negative index is a large one when its sign is read as a digit.
    if indices.size and indices.view(f"u{indices.itemsize}").max() >= rows:
        raise IndexError(
            f"index out of range in self: {len(table)} embeddings, indices from "
            f"{indices.min()} to {indices.max()}"
        )
    vectors = table.take(indices, axis=0)
    if max_norm is not None:
        with np.errstate(all="ignore"):
            norm = np.linalg.norm(vectors, norm_type, axis=-1, keepdims=True)
            scale = np.where(norm > max_norm, max_norm / (norm + 1e-7), 1)
            vectors *= scale.astype(vectors.dtype)
    return np.asarray(vectors)


def conv1d(
    input: Array,
    weight: Array,
    bias: Array | None = None,
    stride: int | Sequence[int] = 1,
    padding: str | int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Array:
    r"""Correlate channels with filters along the last axis.

    .. math:: y_{n,o,t} = b_o + \sum_{c,k} w_{o,c,k} \, x_{n,\,c,\,t s + k d}

    Parameters
    ----------
    input : ndarray of shape (N, C_in, L) or (C_in, L)
        float32 or float64.
    weight : ndarray of shape (C_out, C_in / groups, K)
        Of the input's dtype.
    bias : ndarray of shape (C_out,), optional
        Of the input's dtype.
    stride : int or sequence of one
        The step s from one window to the next.
    padding : int, sequence of one, 'same' or 'valid'
        Zeros on either side; as many as keep the length, or none.
    dilation : int or sequence of one
        The step d from one tap of a filter to the next.
    groups : int
        Blocks that the channels of input and output are divided into; each block of the
        output sees its own block of the input.

    Returns
    -------
    ndarray of shape (N, C_out, T) or (C_out, T)
        T is ``(L + 2 * padding - dilation * (K - 1) - 1) // stride + 1``.

    Raises
    ------
    RuntimeError
        If dtypes, sizes or options do not agree.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv1d.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> x, difference = np.array([[1.0, 4.0, 9.0, 16.0]]), np.array([[[-1.0, 1.0]]])
    >>> nn.functional.conv1d(x, difference)
    array([[3., 5., 7.]])
    """
    x, w = as_array(input, "input"), as_array(weight, "weight")
    b = None if bias is None else as_array(bias, "bias")
    if w.ndim != 3:
        raise RuntimeError(f"weight must have 3 axes, got an array of shape {w.shape}")
    if x.ndim not in (2, 3):
        raise RuntimeError(
            "Expected 2D (unbatched) or 3D (batched) input to conv1d, but got input of size: "
            f"{list(x.shape)}"
        )
    _check_dtypes(w, "weight", input=x, bias=b)
    _as_float(w, "weight")
    step, spread = _one("stride", stride), _one("dilation", dilation)
    left, right = _conv_padding(padding, step, spread * (w.shape[2] - 1))
    for name, value in (("stride", step), ("dilation", spread), ("groups", groups)):
        if value <= 0:
            raise RuntimeError(f"non-positive {name} is not supported")
    batched = x if x.ndim == 3 else x[None]
    _check_conv_sizes(batched, w, b, groups)
    padded = batched.shape[2] + left + right
    reach = spread * (w.shape[2] - 1) + 1
    if padded < reach:
        raise RuntimeError(
            f"Calculated padded input size per channel: ({padded}). Kernel size: ({reach}). "
            "Kernel size can't be greater than actual input size"
        )
    if batched.shape[2] == 0 and len(batched):
        raise RuntimeError(
            "Only zero batch or zero channel inputs are supported, but got input shape: "
            f"{list(batched.shape)}"
        )
    ready = zeros(batched, left, right) if left or right else np.ascontiguousarray(batched)
    out = convolution.conv1d(ready, w, b, step, spread, groups)
    return out if x.ndim == 3 else out[0]


def _one(name: str, value: Any) -> int:
    """Return an option of a convolution that may stand in a sequence of one."""
    values = tuple(value) if isinstance(value, Iterable) else (value,)
    if isinstance(value, str) or any(isinstance(item, str) for item in values):
        raise type_error(name, "int or tuple of one", value)
    if len(values) != 1:
        raise RuntimeError(
            f"expected {name} to be a single integer value or a list of 1 values to match the "
            f"convolution dimensions, but got {name}={list(values)}"
        )
    return operator.index(values[0])


def _conv_padding(
    padding: str | int | Sequence[int], stride: int, excess: int
) -> tuple[int, int]:
    """Return the zeros on either side; `excess` is what a filter takes off the length."""
    if padding == "valid":
        return 0, 0
    if padding == "same":
        if stride != 1:
            raise RuntimeError("padding='same' is not supported for strided convolutions")
        return excess // 2, excess - excess // 2
    if isinstance(padding, str):
        raise RuntimeError(f"Invalid padding string: '{padding}'")
    size = _one("padding", padding)
    if size < 0:
        raise RuntimeError("negative padding is not supported")
    return size, size


def _check_conv_sizes(x: Array, weight: Array, bias: Array | None, groups: int) -> None:
    filters, depth, taps = weight.shape
    size = list(weight.shape)
    if filters < groups or filters % groups:
        wanted = f"at least {groups}" if filters < groups else f"divisible by {groups}"
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be {wanted} at dimension 0, but got "
            f"weight of size {size} instead"
        )
    if x.shape[1] != depth * groups:
        raise RuntimeError(
            f"Given groups={groups}, weight of size {size}, expected input{list(x.shape)} to "
            f"have {depth * groups} channels, but got {x.shape[1]} channels instead"
        )
    if taps == 0:
        raise RuntimeError(f"weight of size {size} must have at least one tap")
    if bias is not None and bias.shape != (filters,):
        raise RuntimeError(
            f"Given weight of size {size}, expected bias to be 1-dimensional with {filters} "
            f"elements, but got bias of size {list(bias.shape)} instead"
        )


def pad(
    input: AnyArray, pad: Sequence[int], mode: str = "constant", value: float | None = None
) -> AnyArray:
    """Return `input` with elements added before and behind, or taken away.

    Parameters
    ----------
    input : ndarray
        Of any shape for constants; for the other modes of 2 or 3 axes.
    pad : sequence of int
        (left, right) for the last axis, then for the last but one, and so on. Negative
        ones take away. The other modes pad the last axis alone.
    mode : {'constant', 'reflect', 'replicate', 'circular'}
        What is added: a constant; what stands at the edge, mirrored without the last
        element; that last element; or what stands at the other end.
    value : float, optional
        The constant, 0 if omitted.

    Returns
    -------
    ndarray
        Of the same dtype.

    Raises
    ------
    NotImplementedError
        For another mode, or axes that the mode does not pad.
    RuntimeError
        If `pad` does not fit the input's axes or sizes.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.pad.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.functional.pad(np.array([[1, 2, 3]]), (2, 1), mode="reflect")
    array([[3, 2, 1, 2, 3, 2]])
    """
    x = as_array(input, "input")
    if mode != "constant" and mode not in PADDINGS:
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    if len(pad) % 2:
        raise RuntimeError("Padding length must be divisible by 2")
    if len(pad) > 2 * x.ndim:
        raise RuntimeError(
            "Padding length should be less than or equal to two times the input dimension but "
            f"got padding length {len(pad)} and input of dimension {x.ndim}"
        )
    if mode == "constant":
        return _pad_constant(x, pad, 0 if value is None else value)
    if value is not None and value != 0:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    if x.ndim not in (2, 3) or len(pad) != 2:
        raise NotImplementedError(
            f"Padding size {len(pad)} is not supported for {x.ndim}D input array: of 2D or 3D "
            f"input, mode {mode!r} pads the last axis, by a padding of size 2"
        )
    left, right = map(operator.index, pad)
    _check_pad_sizes(x, left, right, mode)
    if mode == "circular":  # goes round what is left, the others by what was there
        x = _cropped(x, left, right)
    padded = PADDINGS[mode](x, max(left, 0), max(right, 0))
    if mode != "circular":
        padded = _cropped(padded, left, right)
    return np.ascontiguousarray(padded)


def _cropped(x: AnyArray, left: int, right: int) -> AnyArray:
    """Return `x` without as many elements of its last axis as negative sizes say."""
    return x[..., max(-left, 0) : x.shape[-1] - max(-right, 0)]


def _pad_constant(x: AnyArray, pad: Sequence[int], value: float) -> AnyArray:
    before = [0] * x.ndim
    behind = [0] * x.ndim
    for axis, (left, right) in enumerate(zip(pad[::2], pad[1::2]), start=1):
        before[-axis], behind[-axis] = operator.index(left), operator.index(right)
    shape = [size + b + e for size, b, e in zip(x.shape, before, behind)]
    if any(size + min(b, 0) + min(e, 0) < 0 for size, b, e in zip(x.shape, before, behind)):
        raise RuntimeError(
            f"padding {list(pad)} takes away more than there is in input of shape {x.shape}"
        )
    out = np.empty(shape, x.dtype)
    if any(size > 0 for size in pad):
        out.fill(fill_value("value", value, x.dtype))
    inner = [slice(max(b, 0), size - max(e, 0)) for b, e, size in zip(before, behind, shape)]
    kept = [slice(max(-b, 0), size - max(-e, 0)) for b, e, size in zip(before, behind, x.shape)]
    out[tuple(inner)] = x[tuple(kept)]
    return out


def _check_pad_sizes(x: AnyArray, left: int, right: int, mode: str) -> None:
    size = x.shape[-1]
    if mode == "circular":
        if max(left, right) > size + min(left, 0) + min(right, 0):
            raise RuntimeError("Padding value causes wrapping around more than once.")
    elif 0 in x.shape[-2:]:
        raise RuntimeError(
            "Expected 2D or 3D (batch mode) array with possibly 0 batch size and other "
            f"non-zero dimensions for input, but got: {list(x.shape)}"
        )
    if mode == "reflect" and max(left, right) >= size:
        raise RuntimeError(
            "Argument #4: Padding size should be less than the corresponding input dimension, "
            f"but got: padding ({left}, {right}) at dimension {x.ndim - 1} of input "
            f"{list(x.shape)}"
        )
    if size + left + right < (0 if mode == "circular" else 1):
        raise RuntimeError(
            f"padding {[left, right]} leaves nothing of input of shape {x.shape}"
        )


def batch_norm(
    input: Array,
    running_mean: Array | None,
    running_var: Array | None,
    weight: Array | None = None,
    bias: Array | None = None,
    training: bool = False,
    momentum: float | None = 0.1,  # noqa: ARG001  # torch's signature
    eps: float = 1e-5,
) -> Array:
    r"""Normalise each channel by its mean and variance.

    .. math:: y = \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}} \, w + b

    Parameters
    ----------
    input : ndarray of shape (N, C, ...)
        float32 or float64.
    running_mean, running_var : ndarray of shape (C,), or None
        The statistics; None if `training`.
    weight, bias : ndarray of shape (C,), optional
        Without them 1 and 0.
    training : bool
        Whether the statistics are those of `input` itself. Running ones cannot be
        updated, since nothing is ever written into an argument.
    momentum : float, optional
        Without effect: it concerns that update.
    eps : float
        Added to the variance.

    Returns
    -------
    ndarray of shape (N, C, ...)

    Raises
    ------
    RuntimeError
        If running statistics are missing, or would have to be updated, or if sizes or
        dtypes do not agree.
    IndexError
        If `training` and `input` has fewer than two axes.
    ValueError
        If `training` and there is one value per channel, or if `eps` is negative.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.batch_norm.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> x = np.array([[1.0, 10.0], [3.0, 30.0]])
    >>> nn.functional.batch_norm(x, None, None, training=True).round(3)
    array([[-1., -1.],
           [ 1.,  1.]])
    """
    x = _as_float(input, "input")
    channels = x.shape[1] if x.ndim > 1 else 0
    if training and x.ndim > 0 and len(x) * math.prod(x.shape[2:]) == 1:
        raise ValueError(
            "Expected more than 1 value per channel when training, got input size "
            f"{tuple(x.shape)}"
        )
    if training and eps <= 0:
        raise ValueError(f"batch_norm eps must be positive during training, but got {eps}")
    if training and x.ndim < 2:
        raise IndexError(f"input must have at least two axes (N, C, ...), got {x.ndim}D array")
    if eps < 0:
        raise ValueError(f"batch_norm eps must be non-negative, but got {eps}")
    mean = _per_channel("running_mean", running_mean, x, channels)
    variance = _per_channel("running_var", running_var, x, channels)
    w = _per_channel("weight", weight, x, channels)
    b = _per_channel("bias", bias, x, channels)
    if training:
        if mean is not None or variance is not None:
            raise RuntimeError(
                "running_mean and running_var cannot be updated: leave them out, or "
                "normalise by them with training=False"
            )
        if x.size == 0:
            return x.copy()
        mean, variance = normalization.channel_statistics(x)
    if mean is None:
        raise RuntimeError("running_mean must be defined in evaluation mode")
    if variance is None:
        raise RuntimeError("running_var must be defined in evaluation mode")
    return normalization.batch_norm(x, mean, variance, w, b, eps)


def _per_channel(name: str, value: object, x: Array, channels: int) -> Array | None:
    """Return an array of one value for each channel of `x`, if there is one."""
    if value is None:
        return None
    array: Array = as_array(value, name)
    if array.size != channels:
        raise RuntimeError(f"{name} should contain {channels} elements not {array.size}")
    if array.ndim != 1:
        raise RuntimeError(f"{name} must have one axis, got an array of shape {array.shape}")
    _check_dtypes(x, "input", **{name: array})
    return array


def layer_norm(
    input: Array,
    normalized_shape: Sequence[int],
    weight: Array | None = None,
    bias: Array | None = None,
    eps: float = 1e-5,
) -> Array:
    r"""Normalise over the last axes, by their own mean and variance.

    .. math:: y = \frac{x - \mathrm{E}[x]}{\sqrt{\mathrm{Var}[x] + \epsilon}} \, w + b

    Parameters
    ----------
    input : ndarray of shape (..., *normalized_shape)
        float32 or float64.
    normalized_shape : sequence of int
        The sizes of the axes that are normalised over.
    weight, bias : ndarray of shape normalized_shape, optional
        Without them 1 and 0.
    eps : float
        Added to the variance, which is the biased one.

    Returns
    -------
    ndarray
        Of the input's shape.

    Raises
    ------
    RuntimeError
        If sizes or dtypes do not agree.
    TypeError
        If `normalized_shape` is no sequence.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.layer_norm.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.functional.layer_norm(np.array([[1.0, 3.0], [10.0, 30.0]]), (2,)).round(3)
    array([[-1.,  1.],
           [-1.,  1.]])
    """
    x = _as_float(input, "input")
    if not isinstance(normalized_shape, Iterable):
        raise TypeError(
            "layer_norm(): argument 'normalized_shape' (position 2) must be tuple of ints, not "
            f"{type(normalized_shape).__name__}"
        )
    shape = tuple(map(operator.index, normalized_shape))
    if not shape:
        raise RuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least "
            "one element, but got normalized_shape = []"
        )
    w = None if weight is None else as_array(weight, "weight")
    b = None if bias is None else as_array(bias, "bias")
    for name, array in (("weight", w), ("bias", b)):
        if array is not None and array.shape != shape:
            raise RuntimeError(
                f"Expected {name} to be of same shape as normalized_shape, but got {name} of "
                f"shape {list(array.shape)} and normalized_shape = {list(shape)}"
            )
    if x.shape[-len(shape) :] != shape:
        sizes = ", ".join(map(str, shape))
        raise RuntimeError(
            f"Given normalized_shape={list(shape)}, expected input with shape [*, {sizes}], "
            f"but got input of size{list(x.shape)}"
        )
    _check_dtypes(x, "input", weight=w, bias=b)
    return x.copy() if x.size == 0 else normalization.layer_norm(x, len(shape), w, b, eps)


def _check_dtypes(reference: AnyArray, of: str, **arrays: AnyArray | None) -> None:
    """Raise RuntimeError unless all arrays have the dtype of `reference`, which is `of`."""
    for name, array in arrays.items():
        if array is not None and array.dtype != reference.dtype:
            raise RuntimeError(
                f"{name} dtype ({array.dtype}) does not match {of} dtype ({reference.dtype}). "
                f"Convert it: {name}.astype(numpy.{reference.dtype})"
            )


def _promoted(value: object, name: str) -> Array:
    """Return `value` as a float array: integers and bools as float32."""
    array = as_array(value, name)
    return _as_float(array.astype(FLOAT32) if array.dtype.kind in "iub" else array, name)


def _as_float(value: object, name: str) -> Array:
    """Return `value` as an array of float32 or float64."""
    array: Array = as_array(value, name)
    if array.dtype not in (FLOAT32, FLOAT64):
        raise TypeError(f"{name} must be a float32 or float64 array, got {array.dtype}")
    return array

"""Vectors by index: looked up, and of zeros and a one."""

from __future__ import annotations

import numpy as np

from numpy_rnn._typing import AnyArray, Array, IntArray
from numpy_rnn.arguments import as_array, as_float_array
from numpy_rnn.floating_point import silent


def embedding(
    input: AnyArray,
    weight: Array,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,  # noqa: ARG001  # torch's signature
    sparse: bool = False,  # noqa: ARG001  # torch's signature
) -> Array:
    """Return the rows of `weight` at the indices in `input`.

    Parameters
    ----------
    input : ndarray of any shape
        int32 or int64, from 0 to the number of rows less one.
    weight : ndarray of shape (V, E)
        float32 or float64.
    padding_idx : int, optional
        Checked but otherwise ignored: it concerns training.
    max_norm : float, optional
        Rows with a larger norm are scaled to it. `weight` is not changed, whereas torch
        scales the rows in `weight` itself.
    norm_type : float
        The p of that p-norm.
    scale_grad_by_freq, sparse : bool
        Accepted but ignored: they concern training.

    Returns
    -------
    ndarray of shape (*input.shape, E)

    Raises
    ------
    AssertionError
        If `padding_idx` is not the index of a row.
    IndexError
        If an index is out of range, which every negative one is.
    RuntimeError
        If `input` has another dtype or `weight` does not have two axes.

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
    indices, table = as_array(input, "input"), as_float_array(weight, "weight")
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
    # Read as unsigned, a negative index is a large one.
    if indices.size and indices.view(f"u{indices.itemsize}").max() >= rows:
        least, greatest = indices.min(), indices.max()
        raise IndexError(
            f"index out of range in self: input must have indices from 0 to {rows - 1}, got "
            f"{least if least < 0 else greatest}"
        )
    vectors = table.take(indices.astype(np.intp, copy=False), axis=0)
    if max_norm is not None:
        _limit_norms(vectors, max_norm, norm_type)
    return vectors


@silent
def _limit_norms(vectors: Array, max_norm: float, norm_type: float) -> None:
    """Scale vectors whose norm is larger than `max_norm` to it, in place."""
    norm = np.linalg.norm(vectors, norm_type, axis=-1, keepdims=True)
    scale = np.where(norm > max_norm, max_norm / (norm + 1e-7), 1)
    vectors *= scale.astype(vectors.dtype)


def one_hot(tensor: AnyArray, num_classes: int = -1) -> IntArray:
    """Return a vector for each index, with 1 at its place and 0 elsewhere.

    Parameters
    ----------
    tensor : ndarray of any shape
        Indices of int64, or of the dtype of NumPy's indices; the name is torch's.
    num_classes : int
        The length of the vectors; -1 for one more than the greatest index.

    Returns
    -------
    ndarray of shape (*tensor.shape, num_classes)
        Of int64.

    Raises
    ------
    RuntimeError
        If an index is out of range, `tensor` has another dtype, or `num_classes` is -1 and
        there are no indices.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.one_hot.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.functional.one_hot(np.array([2, 0])).tolist()
    [[0, 0, 1], [1, 0, 0]]
    """
    indices = as_array(tensor, "tensor")
    if indices.dtype not in (np.int64, np.intp):
        raise RuntimeError(
            f"one_hot is only applicable to arrays of int64, got {indices.dtype}. Convert "
            "tensor: tensor.astype(numpy.int64)"
        )
    if indices.size == 0:
        if num_classes <= 0:
            raise RuntimeError("Can not infer total number of classes from empty array.")
        return np.zeros((*indices.shape, num_classes), np.int64)
    if indices.min() < 0:
        raise RuntimeError("Class values must be non-negative.")
    count = indices.max() + 1 if num_classes == -1 else num_classes
    if indices.max() >= count:
        raise RuntimeError("Class values must be smaller than num_classes.")
    out = np.zeros((*indices.shape, count), np.int64)
    np.put_along_axis(out, indices[..., None], 1, axis=-1)
    return out

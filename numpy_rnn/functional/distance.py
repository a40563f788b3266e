"""How alike vectors are."""

from __future__ import annotations

import numpy as np

from numpy_rnn._typing import Array
from numpy_rnn.arguments import as_float_array, parse_axis
from numpy_rnn.floating_point import silent


@silent
def cosine_similarity(x1: Array, x2: Array, dim: int = 1, eps: float = 1e-8) -> Array:
    r"""Return the cosine of the angles between vectors along an axis.

    .. math:: \frac{x_1 \cdot x_2}{\max(|x_1|, \epsilon) \, \max(|x_2|, \epsilon)}

    Parameters
    ----------
    x1, x2 : ndarray
        float32 or float64, of shapes that broadcast together.
    dim : int
        The axis of the shape that they broadcast to; negative counts from the last.
    eps : float
        The least norm.

    Returns
    -------
    ndarray without that axis
        float64 if one of the two is.

    Raises
    ------
    RuntimeError
        If the shapes do not broadcast.
    IndexError
        If there is no such axis.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.cosine_similarity.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.functional.cosine_similarity(np.array([[3.0, 4.0]]), np.array([[1.0, 0.0]]))
    array([0.6])
    """
    arrays = as_float_array(x1, "x1"), as_float_array(x2, "x2")
    try:
        shape = np.broadcast_shapes(*(x.shape for x in arrays))
    except ValueError:
        raise RuntimeError(
            f"x1 and x2 must broadcast together, got the shapes {arrays[0].shape} and "
            f"{arrays[1].shape}"
        ) from None
    axis = parse_axis(dim, len(shape))
    dtype = np.result_type(*arrays)
    if not shape:  # the only element is the only axis, as in torch
        return cosine_similarity(arrays[0].reshape(1), arrays[1].reshape(1), 0, eps)
    units = []
    for x in arrays:
        vectors = np.broadcast_to(x.astype(dtype, copy=False), shape)
        norm = np.sqrt(np.square(vectors).sum(axis, keepdims=True))
        units.append(vectors / np.maximum(norm, dtype.type(eps)))
    return np.asarray((units[0] * units[1]).sum(axis))

"""Normalisation by the statistics of a batch, or by running statistics from training."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from numpy_rnn import functional
from numpy_rnn._typing import Array, DTypeLike, IntArray
from numpy_rnn.arguments import as_array, refuse_bool
from numpy_rnn.functional.normalization import scale_and_shift, scaled_and_shifted
from numpy_rnn.modules.normalization import fill
from numpy_rnn.modules.weighted import Declared, Shape, WeightedLayer

__all__ = ["BatchNorm1d", "BatchNorm2d"]


class _NormBase(WeightedLayer):
    """What the norms of channels share: they may keep running statistics."""

    weight: Array | None
    bias: Array | None
    running_mean: Array | None
    running_var: Array | None
    num_batches_tracked: IntArray | None

    _declared: ClassVar = {
        "weight": Declared(("num_features",), ("affine",)),
        "bias": Declared(("num_features",), ("affine", "bias")),
        "running_mean": Declared(("num_features",), ("track_running_stats",), float),
        "running_var": Declared(("num_features",), ("track_running_stats",), float),
        "num_batches_tracked": Declared((), ("track_running_stats",), int),
    }
    _immaterial = WeightedLayer._immaterial | {"momentum"}
    _axes: ClassVar[tuple[int, ...]]
    """How many axes an input may have."""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: object = None,
        dtype: DTypeLike = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        refuse_bool(num_features, "num_features")
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        self._create_weights(device, dtype, bias=bias)

    def reset_running_stats(self) -> None:
        """Set the running statistics to zero mean and unit variance."""
        if self.track_running_stats:
            fill(self.running_mean, 0)
            fill(self.running_var, 1)
            fill(self.num_batches_tracked, 0)

    def reset_parameters(self) -> None:
        """Set parameters and running statistics to those of a new module."""
        self.reset_running_stats()
        fill(self.weight, 1)
        fill(self.bias, 0)

    @classmethod
    def _may_lack(cls, name: str, version: int | None) -> bool:
        # torch counts batches since version 2 of the class.
        return name == "num_batches_tracked" and (version is None or version < 2)

    def extra_repr(self) -> str:
        """Return the size and all options, as torch shows them."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.affine}, bias={self.bias is not None}, "
            f"track_running_stats={self.track_running_stats}"
        )

    def _checked(self, input: Array) -> Array:
        """Return the input as an array of so many axes, unless statistics are to be updated."""
        x: Array = as_array(input, "input")
        if x.ndim not in self._axes:
            expected = " or ".join(f"{axes}D" for axes in self._axes)
            raise ValueError(f"expected {expected} input (got {x.ndim}D input)")
        if self.training and self.track_running_stats:
            raise RuntimeError(
                f"{type(self).__name__} must be in evaluation mode, but is in training mode, "
                "where torch updates its running statistics: call eval() on the model first"
            )
        return x


class _BatchNorm(_NormBase):
    _norm_names = re.compile(r"batch_?norm|(?<![a-z])bn", re.IGNORECASE)

    def _derive(self, attributes: Mapping[str, Any]) -> object:
        """Return what a channel is multiplied by and what is added, and the eps in it."""
        names = ("running_mean", "running_var", "weight", "bias")
        mean, variance, weight, bias = (attributes[name] for name in names)
        arrays = [array for array in (mean, variance, weight, bias) if array is not None]
        shape = (self.num_features,)
        alike = len({array.dtype for array in arrays}) == 1
        if mean is None or variance is None or not alike:
            return True  # what is normalised by the batch, or an error, comes from `forward`
        if self.eps < 0 or any(array.shape != shape for array in arrays):
            return True
        return self.eps, *scale_and_shift(mean, variance, weight, bias, self.eps)

    def forward(self, input: Array) -> Array:
        """Return the normalised input.

        Parameters
        ----------
        input : ndarray
            Of the shape that the class says, and of the weights' dtype.

        Returns
        -------
        ndarray of the same shape

        Raises
        ------
        RuntimeError
            In training mode, where the running statistics would have to be updated, or if
            sizes or dtypes do not agree.
        ValueError
            If `input` has other axes, or, without running statistics, one value per
            channel.
        """
        x = self._checked(input)
        if self._derived is not None and self._derived is not True:
            eps, scale, shift = self._derived
            if eps == self.eps and x.dtype == scale.dtype and x.shape[1:2] == scale.shape:
                return scaled_and_shifted(x, scale, shift)
        mean, variance = self.running_mean, self.running_var
        by_batch = mean is None and variance is None
        return functional.batch_norm(
            x, mean, variance, self.weight, self.bias, training=by_batch, eps=self.eps
        )


class BatchNorm1d(_BatchNorm):
    r"""Normalisation of channels by their running statistics, for inference.

    .. math:: y = \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}} \, w + b

    Inputs are (N, C) or (N, C, L): N is the batch size, C the number of channels and L a
    length. A new module is in training mode, as in torch: call ``eval()`` on the model first.

    Parameters
    ----------
    num_features : int
        C.
    eps : float, default 1e-5
        Added to the variance.
    momentum : float or None, default 0.1
        Kept, but without effect: it concerns training.
    affine : bool, default True
        Whether there are ``weight`` and ``bias``.
    track_running_stats : bool, default True
        Whether there are running statistics. Without them, those of the input are used.
    device : None or 'cpu'
        Accepted for torch's sake: arrays are on the CPU.
    dtype : dtype, default float32
        float32 or float64.
    bias : bool, default True
        Whether there is a bias beside the weight.

    Attributes
    ----------
    weight, bias : ndarray of shape (C,), or None
        First 1 and 0.
    running_mean, running_var : ndarray of shape (C,), or None
        Buffers, first 0 and 1.
    num_batches_tracked : ndarray of shape (), or None
        A buffer of int64, first 0.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm1d.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> norm = nn.BatchNorm1d(2).eval()
    >>> norm.running_mean[:] = [1, 10]
    >>> norm(np.array([[1, 10], [3, 30]], np.float32)).round(2)
    array([[ 0.,  0.],
           [ 2., 20.]], dtype=float32)
    """

    _axes = (2, 3)

    @classmethod
    def _likelihood(cls, name: str, shapes: Mapping[str, Shape]) -> float:
        if "running_mean" in shapes or cls._norm_names.search(name):
            return 3
        return 0.5 if "bias" in shapes else 0  # a weight alone may be anything


class BatchNorm2d(_BatchNorm):
    """Normalisation of the channels of (N, C, H, W) by their running statistics.

    The parameters, attributes and the formula are those of `BatchNorm1d`.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> norm = nn.BatchNorm2d(1).eval()
    >>> norm.running_mean[:] = 10
    >>> norm(np.array([[[[10, 13]]]], np.float32)).round(2)
    array([[[[0., 3.]]]], dtype=float32)
    """

    _axes = (4,)

    @classmethod
    def _likelihood(cls, name: str, shapes: Mapping[str, Shape]) -> float:  # noqa: ARG003
        return 2 if "running_mean" in shapes else 0  # with them it looks as 1d does

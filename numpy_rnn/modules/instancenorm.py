"""Normalisation of each channel of each sample."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import ClassVar

from numpy_rnn import functional
from numpy_rnn._typing import Array, DTypeLike
from numpy_rnn.modules.batchnorm import _NormBase
from numpy_rnn.modules.weighted import Shape

__all__ = ["InstanceNorm1d", "InstanceNorm2d"]


class _InstanceNorm(_NormBase):
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: object = None,
        dtype: DTypeLike = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(
            num_features,
            eps,
            momentum,
            affine,
            track_running_stats,
            device,
            dtype,
            bias=bias,
        )

    @classmethod
    def _likelihood(cls, name: str, shapes: Mapping[str, Shape]) -> float:  # noqa: ARG003
        return 4 if "instance" in name.lower() else 0  # mostly it has no weights

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
            In training mode, if running statistics would have to be updated, or if sizes or
            dtypes do not agree.
        ValueError
            If `input` has other axes or channels, or, without running statistics, one value
            per channel.
        """
        x = self._checked(input)
        axis = x.ndim - self._axes[0]  # of the channels, the first of a single sample
        if x.shape[axis] != self.num_features:
            if self.affine:
                raise ValueError(
                    f"expected input's size at dim={axis} to match num_features "
                    f"({self.num_features}), but got: {x.shape[axis]}."
                )
            warnings.warn(
                f"input's size at dim={axis} does not match num_features. You can silence this "
                "warning by not passing in num_features, which is not used because "
                "affine=False",
                stacklevel=3,
            )
        out = functional.instance_norm(
            x if axis else x[None],
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            use_input_stats=not self.track_running_stats,
            eps=self.eps,
        )
        return out if axis else out[0]


class InstanceNorm1d(_InstanceNorm):
    r"""Normalisation of each channel of (N, C, L) or (C, L) by its own statistics.

    .. math:: y = \frac{x - \mathrm{E}[x]}{\sqrt{\mathrm{Var}[x] + \epsilon}} \, w + b

    Parameters
    ----------
    num_features : int
        C.
    eps : float, default 1e-5
        Added to the variance.
    momentum : float, default 0.1
        Kept, but without effect: it concerns training.
    affine : bool, default False
        Whether there are ``weight`` and ``bias``.
    track_running_stats : bool, default False
        Whether there are running statistics, which are then used in evaluation mode.
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
    https://docs.pytorch.org/docs/stable/generated/torch.nn.InstanceNorm1d.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.InstanceNorm1d(2)(np.array([[[1, 3], [10, 30]]], np.float32)).round(3)
    array([[[-1.,  1.],
            [-1.,  1.]]], dtype=float32)
    """

    _axes: ClassVar = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """Normalisation of each channel of (N, C, H, W) or (C, H, W) by its own statistics.

    The parameters, attributes and the formula are those of `InstanceNorm1d`.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.InstanceNorm2d.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.InstanceNorm2d(1)(np.array([[[[10, 30]]]], np.float32)).round(3)
    array([[[[-1.,  1.]]]], dtype=float32)
    """

    _axes: ClassVar = (3, 4)

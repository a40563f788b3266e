"""The layer that resamples."""

from __future__ import annotations

from typing import Literal

from numpy_rnn import functional
from numpy_rnn._typing import AnyArray
from numpy_rnn.modules.module import Module

__all__ = ["Upsample"]


class Upsample(Module):
    """A signal or an image at another size, by `numpy_rnn.functional.interpolate`.

    Parameters
    ----------
    size : int or tuple of int, optional
        The sizes of the axes after the second. Either this or `scale_factor` is needed.
    scale_factor : float or tuple of float, optional
        By what to multiply those sizes.
    mode : {'nearest', 'linear', 'bilinear', 'area'}
        How elements make a value.
    align_corners : bool, optional
        For the modes that interpolate: whether the outermost elements keep their values.
    recompute_scale_factor : bool, optional
        Whether the sizes, not `scale_factor`, determine the step from point to point.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.Upsample.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> nn.Upsample(scale_factor=2)(np.array([[[1.0, 2.0]]]))
    array([[[1., 1., 2., 2.]]])
    """

    def __init__(
        self,
        size: int | tuple[int, ...] | None = None,
        scale_factor: float | tuple[float, ...] | None = None,
        mode: Literal["nearest", "linear", "bilinear", "area"] = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        super().__init__()
        self.name: str = type(self).__name__
        self.size = size
        self.scale_factor: float | tuple[float, ...] | None
        if isinstance(scale_factor, tuple):
            self.scale_factor = tuple(map(float, scale_factor))
        else:
            self.scale_factor = float(scale_factor) if scale_factor else None
        self.mode = mode
        self.align_corners = align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, input: AnyArray) -> AnyArray:
        """Return an array (N, C, L) or (N, C, H, W) with other sizes after C."""
        return functional.interpolate(
            input,
            self.size,
            self.scale_factor,
            self.mode,
            self.align_corners,
            self.recompute_scale_factor,
        )

    def extra_repr(self) -> str:
        """Return the size or the factor, and the mode."""
        if self.scale_factor is not None:
            return f"scale_factor={self.scale_factor!r}, mode={self.mode!r}"
        return f"size={self.size!r}, mode={self.mode!r}"

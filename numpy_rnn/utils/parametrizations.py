"""Normed weights, after ``torch.nn.utils.parametrizations``.

A layer has its weight as it is here: torch's parts of a normed one, the norm and the
direction for instance, become that weight when they are loaded.
"""

from __future__ import annotations

from typing import TypeVar

__all__ = ["spectral_norm", "weight_norm"]

Layer = TypeVar("Layer")


def weight_norm(module: Layer, name: str = "weight", dim: int | None = 0) -> Layer:  # noqa: ARG001  # torch's
    """Return the layer, unchanged, so that a constructor written for torch runs.

    `Module.load_state_dict` computes the weight from ``weight_g`` and ``weight_v``, or
    ``parametrizations.weight.original0`` and ``original1``. The shape of the first
    determines `dim`.

    Parameters
    ----------
    module : Module
    name : str
        The weight's.
    dim : int or None
        Ignored.

    Returns
    -------
    Module
        The same.

    Raises
    ------
    AttributeError
        If the layer has no such weight.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.parametrizations.weight_norm.html

    Examples
    --------
    >>> import numpy_rnn as nn
    >>> nn.utils.weight_norm(nn.Conv1d(3, 4, 5), dim=0)
    Conv1d(3, 4, kernel_size=(5,), stride=(1,))
    """
    getattr(module, name)
    return module


def spectral_norm(
    module: Layer,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,  # noqa: ARG001  # torch's
    dim: int | None = None,
) -> Layer:
    """Return the layer, unchanged but for `dim`, so that a constructor written for torch runs.

    `Module.load_state_dict` divides the weight by its greatest singular value, as torch does
    in evaluation mode: by the vectors in the checkpoint.

    Parameters
    ----------
    module : Module
    name : str
        The weight's.
    n_power_iterations : int
        Without effect in evaluation mode.
    eps : float
        Without effect in evaluation mode.
    dim : int, optional
        The axis of the outputs; None for 0, or 1 in transposed convolutions.

    Returns
    -------
    Module
        The same.

    Raises
    ------
    AttributeError
        If the layer has no such weight.
    ValueError
        If `n_power_iterations` is not positive.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.parametrizations.spectral_norm.html

    Examples
    --------
    >>> import numpy_rnn as nn
    >>> nn.utils.parametrizations.spectral_norm(nn.Linear(3, 4))
    Linear(in_features=3, out_features=4, bias=True)
    """
    getattr(module, name)
    if n_power_iterations <= 0:
        raise ValueError(
            "Expected n_power_iterations to be positive, but got "
            f"n_power_iterations={n_power_iterations}"
        )
    if dim is not None:
        module.__dict__["_output_axis"] = dim
    return module

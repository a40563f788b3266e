"""After ``torch.nn.utils.parametrize``: what is called before a model is used."""

from __future__ import annotations

from numpy_rnn.utils.parametrizations import Layer

__all__ = ["remove_parametrizations"]


def remove_parametrizations(
    module: Layer,
    tensor_name: str = "weight",
    leave_parametrized: bool = True,  # noqa: ARG001  # torch's
) -> Layer:
    """Return the layer, unchanged: its weight is computed when it is loaded.

    Parameters
    ----------
    module : Module
    tensor_name : str
        The weight's.
    leave_parametrized : bool
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
    https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.parametrize.remove_parametrizations.html
    """
    getattr(module, tensor_name)
    return module

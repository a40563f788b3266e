"""Weights that a state dict has in parts, as torch keeps those that are normed or pruned."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

import numpy as np

from numpy_rnn._typing import AnyArray, Array
from numpy_rnn.floating_point import silent

__all__ = ["Reparametrized", "fold"]


@silent
def weight_norm(g: Array, v: Array, output_axis: int) -> Array:  # noqa: ARG001  # g has it
    """Return *v g / |v|*, with a norm for each element of g."""
    shape = g.shape or (1,) * v.ndim
    if len(shape) != v.ndim or any(n not in (1, m) for n, m in zip(shape, v.shape)):
        raise ValueError(f"a norm of shape {g.shape} does not fit a weight of {v.shape}")
    axes = tuple(axis for axis, size in enumerate(shape) if size == 1)
    norm = np.sqrt(np.square(v).sum(axis=axes, keepdims=True, dtype=v.dtype))
    result: Array = v * (g / norm)
    return result


@silent
def spectral_norm(weight: Array, u: Array, v: Array, output_axis: int) -> Array:
    """Return *W / (uᵀ W v)*, where the rows of *W* are along the axis of the outputs."""
    rows = np.moveaxis(weight, output_axis, 0).reshape(weight.shape[output_axis], -1)
    if rows.shape != (u.size, v.size):
        raise ValueError(
            f"singular vectors of {u.size} and {v.size} elements do not fit a matrix of shape "
            f"{rows.shape}"
        )
    result: Array = weight / (u @ (rows @ v))
    return result


@silent
def pruned(weight: Array, mask: Array, output_axis: int) -> Array:  # noqa: ARG001  # as all
    """Return the weight where the mask is 1."""
    if weight.shape != mask.shape:
        raise ValueError(f"a mask of {mask.shape} does not fit a weight of {weight.shape}")
    result: Array = weight * mask
    return result


def dropped(raw: Array, output_axis: int) -> Array:  # noqa: ARG001  # as all
    """Return the weight that WeightDrop drops from in training mode."""
    return raw


class Form(NamedTuple):
    """How a weight is kept in parts.

    Attributes
    ----------
    parts : tuple of str
        Their names, with {} for the weight's.
    compute : callable
        Takes the parts, and the axis of the layer's outputs.
    main : int
        Which part has the weight's shape.
    """

    parts: tuple[str, ...]
    compute: Callable[..., Array]
    main: int = 0


FORMS = (
    Form(("{}_g", "{}_v"), weight_norm, main=1),
    Form(
        ("parametrizations.{}.original0", "parametrizations.{}.original1"), weight_norm, main=1
    ),
    Form(("{}_orig", "{}_u", "{}_v"), spectral_norm),
    Form(
        (
            "parametrizations.{}.original",
            "parametrizations.{}.0._u",
            "parametrizations.{}.0._v",
        ),
        spectral_norm,
    ),
    Form(("{}_orig", "{}_mask"), pruned),
    Form(("{}_raw",), dropped),
)
"""Of torch.nn.utils, its parametrizations and prune, and of the WeightDrop of AWD-LSTM."""


class Reparametrized(NamedTuple):
    """A weight in parts: the form, and the parts by their names in the state dict."""

    form: Form
    parts: dict[str, Any]

    @property
    def shape(self) -> tuple[int, ...]:
        """The weight's shape."""
        return tuple([*self.parts.values()][self.form.main].shape)

    @property
    def dtype(self) -> Any:
        """The dtype of the weight, NumPy's or torch's."""
        return [*self.parts.values()][self.form.main].dtype

    def computed(self, convert: Callable[[str, Any], AnyArray], output_axis: int) -> AnyArray:
        """Return the weight; `convert` makes arrays of its dtype from (name, part)."""
        arrays = [convert(name, part) for name, part in self.parts.items()]
        return self.form.compute(*arrays, output_axis)


def fold(state_dict: Mapping[str, Any], own: Collection[str] = ()) -> dict[str, Any]:
    """Return a state dict in which each weight that is in parts has one entry.

    Parameters
    ----------
    state_dict : mapping of str to array or tensor
    own : collection of str
        Names that are not parts of anything: the module has them itself.
    """
    found: dict[str, Any] = {}
    parts_of: dict[str, str] = {}
    for name in state_dict:
        for form in FORMS:
            folded = _folded(state_dict, name, form)
            if folded is None or folded[0] in found or not folded[1].keys().isdisjoint(own):
                continue
            weight, parts = folded
            found[weight] = Reparametrized(form, parts)
            parts_of |= dict.fromkeys(parts, weight)
    result: dict[str, Any] = {}
    for name, value in state_dict.items():
        weight = parts_of.get(name, name)
        result[weight] = found.get(weight, value)
    return result


def _folded(
    state_dict: Mapping[str, Any], name: str, form: Form
) -> tuple[str, dict[str, Any]] | None:
    """Return a weight's name and parts if `name` is the first of them and all are there."""
    before, _, after = form.parts[0].partition("{}")
    if not name.endswith(after):
        return None
    path, dot, leaf = name.removesuffix(after).rpartition(".")
    start = (path + dot).removesuffix(before)
    if (path + dot) != start + before or (start and not start.endswith(".")):
        return None
    parts = [start + part.format(leaf) for part in form.parts]
    is_weight = leaf.startswith(("weight", "bias"))
    if not is_weight or not all(hasattr(state_dict.get(part), "shape") for part in parts):
        return None
    return start + leaf, {part: state_dict[part] for part in parts}

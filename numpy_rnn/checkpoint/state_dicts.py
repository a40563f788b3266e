"""Find the weights in a checkpoint, whatever they are wrapped in.

A checkpoint is a state dict, a module that was pickled whole, or a container of these
and of much else: an optimiser, options, a vocabulary.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from numpy_rnn.checkpoint.errors import CheckpointError, shown
from numpy_rnn.checkpoint.memory_budget import MemoryBudget
from numpy_rnn.checkpoint.tensors import Tensor
from numpy_rnn.checkpoint.unknown_object import Global, UnknownObject

if TYPE_CHECKING:
    from numpy_rnn._typing import AnyArray

__all__ = ["collect_weights", "find_weights"]

USUAL_NAMES = (
    "ema",
    "ema_model",
    "ema_state_dict",
    "generator",
    "model",
    "model_ema",
    "model_state",
    "model_state_dict",
    "module",
    "net",
    "net_state_dict",
    "network",
    "params",
    "state_dict",
    "state_dict_ema",
    "weights",
)
"""What authors call a model's weights in a checkpoint: preferred to other names."""

WRAPPERS = re.compile(r"^(?:module\.|_orig_mod\.)*")
"""Prefixes of all names, from DataParallel and torch.compile."""

DEEPEST = 200
"""Levels of containers or modules: the memory of names grows with the square of it."""


class Candidate(NamedTuple):
    """Weights that were found, and the names of the containers around them."""

    path: tuple[str, ...]
    weights: dict[str, Any]


def find_weights(root: Any, key: str | None, budget: MemoryBudget) -> dict[str, AnyArray]:
    """Return the weights in what a checkpoint holds.

    Parameters
    ----------
    root : object
        With a `Tensor` for each tensor, and an `UnknownObject` for each object of unknown
        class.
    key : str or None
        Where the weights are: names of containers, with dots between them; ``""`` for
        arrays that are in no container.
    budget : MemoryBudget
        For their names.

    Raises
    ------
    CheckpointError
        If there are none, or several.
    """
    if key is None:
        chosen = _chosen(list(_candidates(root, budget)))
    elif key == "":
        chosen = Candidate((), _own_weights(root))
    else:
        chosen = _chosen(list(_candidates(_at(root, key), budget)), key)
    if not chosen.weights:
        raise CheckpointError(
            f"the file has no named arrays at key {shown(key)}: omit key to search all of it"
        )
    return {name: _array(name, value) for name, value in _unwrapped(chosen.weights).items()}


def _chosen(candidates: list[Candidate], key: str = "") -> Candidate:
    """Return the only candidate, or the only one with a usual name."""
    where = f"{shown(key)} of the file" if key else "the file"
    if not candidates:
        raise CheckpointError(
            f"{where} holds no named weights: numpy_rnn.load shows what it holds"
        )
    if len(candidates) == 1:
        return candidates[0]
    usual = [c for c in candidates if c.path and c.path[-1] in USUAL_NAMES]
    if len(usual) == 1:
        return usual[0]
    prefix = f"{key}." if key else ""
    listed = ", ".join(
        f"key={prefix + '.'.join(path)!r:.200} ({len(weights)} arrays)"
        for path, weights in candidates[:20]
    )
    more = f" and {len(candidates) - 20} more" if len(candidates) > 20 else ""
    raise CheckpointError(
        f"{where} holds {len(candidates)} sets of weights: choose one with {listed}{more}"
    )


def _candidates(root: Any, budget: MemoryBudget) -> Iterator[Candidate]:
    """Yield every outermost module, and every dict with arrays."""
    seen: set[int] = set()
    pending: list[tuple[tuple[str, ...], Any]] = [((), root)]
    while pending:
        path, value = pending.pop()
        if id(value) in seen or _is_optimizer(value):
            continue
        seen.add(id(value))
        budget.spend_name(8 * len(path))
        if _is_module(value):
            if weights := collect_weights(value, _own_state, _submodules, budget):
                yield Candidate(path, weights)
            continue
        if weights := _own_weights(value):
            yield Candidate(path, weights)
        if len(path) < DEEPEST:
            children = [((*path, name), child) for name, child in _children(value)]
            pending += reversed(children)


def _children(value: Any) -> list[tuple[str, Any]]:
    """Return the containers and objects in a container or an object, with their names."""
    items: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, (list, tuple)) and type(value) not in (Tensor, Global):
        items = enumerate(value)
    elif isinstance(value, UnknownObject):
        items = chain(enumerate(value.items), value.pairs.items(), value.attributes().items())
    return [
        (str(name), child)
        for name, child in items
        if isinstance(child, (dict, list, tuple, UnknownObject)) and _is_name(name)
    ]


def _is_name(name: Any) -> bool:
    return type(name) is str or (type(name) is int and abs(name) < 2**63)


def _own_weights(value: Any) -> dict[str, Any]:
    """Return the arrays that are values of a dict by name, or attributes of an object."""
    if isinstance(value, UnknownObject):
        value = {**value.pairs, **value.attributes()}
    if not isinstance(value, dict):
        return {}
    return {k: v for k, v in value.items() if type(k) is str and _is_weight(v)}


def _is_weight(value: Any) -> bool:
    """Return whether `value` is an array or a tensor, even one that cannot be read."""
    if not isinstance(value, UnknownObject):
        return isinstance(value, (np.ndarray, Tensor))
    unreadable = Global("torch.storage", "_load_from_bytes")  # sparse, quantised, ...
    return value.name == unreadable or value.name.module in ("torch._utils", "torch._tensor")


def _is_optimizer(value: Any) -> bool:
    if isinstance(value, UnknownObject):
        value = value.attributes()
    return isinstance(value, dict) and "param_groups" in value and "state" in value


def _is_module(value: Any) -> bool:
    if not isinstance(value, UnknownObject):
        return False
    attributes = value.attributes()
    return all(isinstance(attributes.get(part), dict) for part in ("_parameters", "_modules"))


def _own_state(module: UnknownObject) -> Iterator[tuple[str, Any]]:
    """Yield the parameters of a module, then its persistent buffers, by name."""
    attributes = module.attributes()
    transient = attributes.get("_non_persistent_buffers_set", ())
    for part in ("_parameters", "_buffers"):
        tensors = attributes.get(part)
        for name, value in tensors.items() if isinstance(tensors, dict) else ():
            if type(name) is not str or not _is_weight(value):
                continue
            if part == "_buffers" and type(transient) is set and name in transient:
                continue
            yield name, value


def _submodules(module: UnknownObject) -> Iterator[tuple[str, UnknownObject]]:
    for name, child in module.attributes()["_modules"].items():
        if type(name) is str and _is_module(child):
            yield name, child


def collect_weights(
    module: UnknownObject,
    own_weights: Callable[[UnknownObject], Iterable[tuple[str, Any]]],
    submodules: Callable[[UnknownObject], Iterable[tuple[str, UnknownObject]]],
    budget: MemoryBudget,
) -> dict[str, Any]:
    """Return the weights of a module and, with dots between names, of its submodules.

    Raises
    ------
    CheckpointError
        If modules are nested too deeply.
    """
    weights: dict[str, Any] = {}
    pending = [("", 0, module)]
    while pending:
        prefix, depth, module = pending.pop()
        budget.spend_name(len(prefix))
        if depth > DEEPEST:
            raise CheckpointError(f"modules are nested more than {DEEPEST} levels deep")
        for name, value in own_weights(module):
            budget.spend_name(len(prefix) + len(name))
            weights[prefix + name] = value
        pending += reversed(
            [(f"{prefix}{name}.", depth + 1, child) for name, child in submodules(module)]
        )
    return weights


def _at(root: Any, key: str) -> Any:
    """Return the container at a key, in which names may have dots themselves."""
    pending = [(root, key)]
    while pending:
        value, rest = pending.pop()
        if not rest:
            return value
        pending += [
            (child, rest[len(name) + 1 :])
            for name, child in _children(value)
            if rest == name or rest.startswith(name + ".")
        ]
    names = ", ".join(shown(name) for name, _ in _children(root)[:20]) or "none"
    raise CheckpointError(
        f"the file has no container at key {shown(key)}: the keys at its top level are {names}"
    )


def _unwrapped(weights: dict[str, Any]) -> dict[str, Any]:
    """Return weights without the prefix that a wrapper has put before all names."""
    shared = os.path.commonprefix([*weights])  # noqa: RUF071  # these are no paths
    (prefix,) = WRAPPERS.findall(shared)
    return {name.removeprefix(prefix): value for name, value in weights.items()}


def _array(name: str, value: Any) -> AnyArray:
    if isinstance(value, UnknownObject):
        raise CheckpointError(
            f"{shown(name)} must be a dense tensor that torch.save wrote, but is made by "
            f"{value.name}: save it as a dense tensor"
        )
    if isinstance(value, np.ndarray):
        return value
    try:
        return value.array()  # type: ignore[no-any-return]  # a Tensor
    except CheckpointError as error:
        raise CheckpointError(f"{shown(name)}: {error}") from None

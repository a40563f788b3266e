"""Find the weights in a checkpoint, whatever they are wrapped in.

A checkpoint is a state dict, a module that was pickled whole, or a container of these
and of much else: an optimiser, options, a vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from numpy_rnn.checkpoint.errors import CheckpointError, shown
from numpy_rnn.checkpoint.memory_budget import MemoryBudget, MemoryLimitError
from numpy_rnn.checkpoint.numpy_pickles import build_array, describes_weights
from numpy_rnn.checkpoint.tensors import Tensor, TypedStorage
from numpy_rnn.checkpoint.unknown_object import (
    UNREADABLE,
    Global,
    Place,
    UnknownObject,
    children,
    walk,
)

if TYPE_CHECKING:
    from numpy_rnn._typing import AnyArray

__all__ = ["Weights", "collect_weights", "find_weights"]

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

COUNT = "n_averaged"
"""How many states an AveragedModel has averaged: it goes with the wrapper."""

WRAPPERS_OWN = {"module", COUNT}
"""What a wrapper's state has: the module, and the count."""

LIGHTNING_VERSION = "pytorch-lightning_version"
"""A key that Lightning writes beside ``state_dict``."""

DEEPEST = 200
"""Levels of modules: the memory of names grows with the square of it."""

QUANTIZED = "The model is quantised: save the state_dict of the one it was made from"

LISTED, SHOWN = 20, 5
"""Sets of weights, and tensors, that an error lists."""

LONGEST_KEY = 200
"""Characters of a name that a key shows."""


class Candidate(NamedTuple):
    """A set of weights that was found, or why it cannot be read if it is chosen."""

    place: Place | None
    value: Any
    weights: dict[str, Any]
    error: str = ""

    def name(self) -> Any:
        """Return the name that it has in the container around it, if any."""
        return self.place.name if self.place else None


class Weights(NamedTuple):
    """The weights that were found.

    Attributes
    ----------
    arrays : dict of str and ndarray
    key : str
        Where they were: names of containers, with dots between them.
    stored : dict of str and str
        The dtype that each has in the file.
    """

    arrays: dict[str, AnyArray]
    key: str
    stored: dict[str, str]


def find_weights(root: Any, key: str | None, prefix: str, budget: MemoryBudget) -> Weights:
    """Return the weights in what a checkpoint holds.

    Parameters
    ----------
    root : object
        With a `Tensor` for each tensor, and an `UnknownObject` for each object of unknown
        class.
    key : str or None
        Where the weights are: names of containers, with dots between them; ``""`` for
        arrays that are in no container.
    prefix : str
        What the names begin with, and lose.
    budget : MemoryBudget
        For their names.

    Raises
    ------
    CheckpointError
        If there are none, or several, or some have no name.
    """
    if key == "":
        chosen = Candidate(None, root, _own_weights(root))
    else:
        chosen = _chosen(root, key, budget)
    if not chosen.weights:
        raise CheckpointError(
            f"the file has no named arrays at key {shown(key)}: omit key to search all of it"
        )
    weights = _with_prefix(_without_wrappers(chosen.weights, budget), prefix)
    arrays = {name: _array(name, value, budget) for name, value in weights.items()}
    stored = {
        name: _stored(value) or arrays[name].dtype.name for name, value in weights.items()
    }
    return Weights(arrays, _key_text(key, chosen.place), stored)


def _stored(value: Any) -> str:
    """Return the dtype that a tensor has in the file, or ``""`` for an array."""
    storage = value.storage if isinstance(value, Tensor) else value
    return storage.dtype if isinstance(storage, TypedStorage) else ""


def _chosen(root: Any, key: str | None, budget: MemoryBudget) -> Candidate:
    """Return the set of weights at a key, or the only one, or the one with a usual name."""
    if key is None and isinstance(root, dict) and LIGHTNING_VERSION in root:
        key = "state_dict"
    if key is not None:
        root = _at(root, key)
    where = f"{shown(key)} of the file" if key else "the file"
    candidates = list(_candidates(root, budget))
    if not candidates:
        if isinstance(root, UnknownObject) and root.reason:
            raise CheckpointError(root.reason)
        raise CheckpointError(
            f"{where} holds no named weights: numpy_rnn.load shows what it holds"
        )
    chosen = candidates[0]
    usual = [found for found in candidates if found.name() in USUAL_NAMES]
    if key and chosen.place is None:
        pass  # the very container that key names
    elif len(usual) == 1:
        chosen = usual[0]
    elif len(candidates) > 1:
        raise _ambiguous(where, key, candidates)
    if key is None and chosen.place is not None:
        inside = _inside(candidates, chosen.place)
        if inside:
            raise _ambiguous(where, key, [chosen, *inside])
    if chosen.error:
        raise CheckpointError(chosen.error)
    _check_all_named(chosen, {id(found.value) for found in candidates}, budget)
    return chosen


def _ambiguous(where: str, key: str | None, candidates: list[Candidate]) -> CheckpointError:
    listed = ", ".join(
        f"key={_key_text(key, found.place)!r:.200} ({len(found.weights)} arrays)"
        for found in candidates[:LISTED]
    )
    more = f" and {len(candidates) - LISTED} more" if len(candidates) > LISTED else ""
    return CheckpointError(
        f"{where} holds {len(candidates)} sets of weights: choose one with {listed}{more}"
    )


def _key_text(key: str | None, place: Place | None) -> str:
    names = [name[:LONGEST_KEY] for name in place.names(DEEPEST)] if place else []
    return ".".join([key, *names] if key else names)


def _inside(candidates: list[Candidate], around: Place) -> list[Candidate]:
    """Return the candidates in the container at a place; each place is visited once."""
    is_inside = {id(around): True}
    found = []
    for candidate in candidates:
        place, passed = candidate.place, []
        while place is not None and id(place) not in is_inside:
            passed.append(id(place))
            place = place.around
        inside = place is not None and is_inside[id(place)]
        is_inside.update(dict.fromkeys(passed, inside))
        if inside and candidate.place is not around:
            found.append(candidate)
    return found


def _check_all_named(chosen: Candidate, others: set[int], budget: MemoryBudget) -> None:
    """Check that no tensor below the chosen container is left out for want of a name."""
    if _module_attributes(chosen.value) is not None:
        return  # as in torch, what is not registered is not part of its state
    named = {id(value) for value in chosen.weights.values()}

    def enters(value: Any) -> bool:
        return value is chosen.value or not (
            id(value) in others or _is_weight(value) or _is_set_aside(value)
        )

    lost = [
        (place, value)
        for place, value in walk(chosen.value, budget, enters)
        if _is_weight(value) and id(value) not in named and place and not _is_extra(place)
    ]
    if lost:
        raise _unnamed(lost)


def _is_extra(place: Place) -> bool:
    """Return whether a place is in the extra state of a module, which is not a weight."""
    return any(name.rpartition(".")[2] == "_extra_state" for name in place.names())


def _unnamed(lost: Sequence[tuple[Place | None, Any]]) -> CheckpointError:
    """Return the error for tensors that have no name among the weights."""
    listed = ", ".join(shown(str(place)) for place, _ in lost[:SHOWN])
    more = f" and {len(lost) - SHOWN} more" if len(lost) > SHOWN else ""
    remedy = "Choose the container of the ones you want with key"
    if any("_packed_params" in str(place) or _is_quantized(value) for place, value in lost):
        remedy = QUANTIZED
    return CheckpointError(
        f"{len(lost)} tensors among the weights have no name and would be lost: "
        f"{listed}{more}. {remedy}"
    )


def _is_quantized(value: Any) -> bool:
    """Return whether a tensor or a module is quantised."""
    if not isinstance(value, UnknownObject):
        return False
    return "qtensor" in value.name.name or ".quantized." in value.name.module


def _candidates(root: Any, budget: MemoryBudget) -> Iterator[Candidate]:
    """Yield every outermost module, and every dict with arrays."""

    def enters(value: Any) -> bool:
        if _is_set_aside(value) or _is_weight(value):
            return False
        return _module_attributes(value) is None

    submodules = partial(_submodules, wrapped={})
    for place, value in walk(root, budget, enters):
        if not isinstance(value, (dict, UnknownObject)) or _is_set_aside(value):
            continue
        weights, error = {}, ""
        if isinstance(value, UnknownObject) and value.name == UNREADABLE:
            error = value.reason
        elif _module_attributes(value) is not None:
            try:
                weights = collect_weights(value, _own_state, submodules, budget)
            except MemoryLimitError:
                raise
            except CheckpointError as refusal:
                error = str(refusal)
        elif isinstance(value, dict):  # as the attributes of other objects are
            weights = _own_weights(value)
        if (weights or error) and not (place and _is_extra(place)):
            yield Candidate(place, value, weights, error)


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
        return isinstance(value, (np.ndarray, Tensor, TypedStorage))
    unreadable = Global("torch.storage", "_load_from_bytes")  # sparse, quantised, ...
    return (
        value.name == unreadable
        or value.name.module in ("torch._utils", "torch._tensor")
        or describes_weights(value)
    )


def _is_set_aside(value: Any) -> bool:
    """Return whether a container holds the state of an optimiser, not weights."""
    if isinstance(value, UnknownObject):
        value = value.attributes()
    return isinstance(value, dict) and "param_groups" in value and "state" in value


def _module_attributes(value: Any) -> dict[Any, Any] | None:
    """Return the attributes of a module, or None if `value` is something else."""
    attributes = value.attributes() if isinstance(value, UnknownObject) else value
    if not isinstance(attributes, dict):
        return None
    parts = (attributes.get(part) for part in ("_parameters", "_modules"))
    return attributes if all(isinstance(part, dict) for part in parts) else None


def _own_state(module: Any, budget: MemoryBudget) -> Iterator[tuple[str, Any]]:
    """Yield the parameters of a module, then its persistent buffers, by name."""
    attributes = _module_attributes(module) or {}
    transient = attributes.get("_non_persistent_buffers_set", ())
    for part in ("_parameters", "_buffers"):
        tensors = attributes.get(part)
        if not isinstance(tensors, dict):
            continue
        budget.spend_search(len(tensors))
        for name, value in tensors.items():
            if type(name) is not str or not _is_weight(value):
                continue
            if part == "_buffers" and type(transient) is set and name in transient:
                continue
            yield name, value


def _submodules(
    module: Any, budget: MemoryBudget, wrapped: dict[int, Any]
) -> Iterator[tuple[str, Any]]:
    """Yield the submodules of a module by name; one that is wrapped in another object too.

    `wrapped` has the module in each such object, by its identity: names may share one.
    """
    modules = (_module_attributes(module) or {})["_modules"]
    budget.spend_search(len(modules))
    for name, child in modules.items():
        if type(name) is not str or not isinstance(child, (dict, UnknownObject)):
            continue
        if _module_attributes(child) is not None:
            yield name, child
            continue
        if id(child) not in wrapped:
            wrapped[id(child)] = _module_in(child, budget)
        if wrapped[id(child)] is not None:
            yield name, wrapped[id(child)]


def _module_in(wrapper: Any, budget: MemoryBudget) -> Any:
    """Return the only module in an object, or None if there is nothing to find.

    Raises
    ------
    CheckpointError
        If it has weights that are not those of one module.
    """
    found, weights = [], []
    for place, value in walk(wrapper, budget, lambda v: _module_attributes(v) is None):
        budget.spend_search(1)
        if _is_weight(value):
            weights.append((place, value))
        elif _module_attributes(value) is not None:
            found.append(value)
    if len(found) > 1:
        weights = [each for each in walk(wrapper, budget) if _is_weight(each[1])]
    if weights:
        raise _unnamed(weights)
    return found[0] if len(found) == 1 else None


def collect_weights(
    module: Any,
    own_weights: Callable[[Any, MemoryBudget], Iterable[tuple[str, Any]]],
    submodules: Callable[[Any, MemoryBudget], Iterable[tuple[str, Any]]],
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
        if depth > DEEPEST:
            raise CheckpointError(f"modules are nested more than {DEEPEST} levels deep")
        if _is_quantized(module):
            raise CheckpointError(f"{shown(prefix + module.name.name)}: {QUANTIZED}")
        for name, value in own_weights(module, budget):
            budget.spend_name(len(prefix) + len(name))
            weights[prefix + name] = value
        inside = []
        for name, child in submodules(module, budget):
            budget.spend_name(len(prefix) + len(name))  # before it is made
            inside.append((f"{prefix}{name}.", depth + 1, child))
        pending += reversed(inside)
    return weights


def _at(root: Any, key: str) -> Any:
    """Return the container at a key, in which names may have dots themselves."""
    pending = [(root, key)]
    seen: set[tuple[int, int]] = set()
    outermost: list[str] = []
    while pending:
        value, rest = pending.pop()
        if not rest:
            return value
        if (id(value), len(rest)) in seen:
            continue
        seen.add((id(value), len(rest)))
        for place, child in children(value, None):
            if not isinstance(child, (dict, list, tuple, UnknownObject)):
                continue
            if place is None:  # a part of an object
                pending.append((child, rest))
                continue
            name = _name(place)
            if rest == key and name and len(outermost) < LISTED:
                outermost.append(shown(name))
            if name and (rest == name or rest.startswith(name + ".")):
                pending.append((child, rest[len(name) + 1 :]))
    raise CheckpointError(
        f"the file has no container at key {shown(key)}: the keys at its top level are "
        f"{', '.join(outermost) or 'none'}"
    )


def _name(place: Place) -> str | None:
    """Return the name as it is in a key, if it can be in one."""
    name = place.name
    if type(name) is int and abs(name) < 2**63:
        return str(name)
    return name if type(name) is str else None


def _without_wrappers(weights: dict[str, Any], budget: MemoryBudget) -> dict[str, Any]:
    """Return weights without the parts of their names that wrappers have put there.

    ``_orig_mod``, of torch.compile, goes wherever it is. ``module``, of DataParallel and
    AveragedModel, goes where nothing is beside it but the latter's ``n_averaged``.
    """
    names = {}
    beside: dict[str, Any] = {}
    for name in weights:
        budget.spend_containers(name.count("."))
        names[name] = parts = [part for part in name.split(".") if part != "_orig_mod"]
        node = beside
        for part in parts:
            node = node.setdefault(part, {})
    unwrapped: dict[str, Any] = {}
    for name, parts in names.items():
        node, kept = beside, []
        for part in parts:
            is_wrapper = "module" in node and not node.keys() - WRAPPERS_OWN
            node = node[part]
            if not is_wrapper or not (part == "module" and node):
                if is_wrapper and part == COUNT and not node:
                    break
                kept.append(part)
        else:
            _add(unwrapped, ".".join(kept) or name, weights[name])
    return unwrapped


def _add(weights: dict[str, Any], name: str, value: Any) -> None:
    if name in weights:
        raise CheckpointError(
            f"two names of weights are {shown(name)} without the parts that wrappers add "
            "(_orig_mod, module): load the file with numpy_rnn.load and rename one"
        )
    weights[name] = value


def _with_prefix(weights: dict[str, Any], prefix: str) -> dict[str, Any]:
    """Return the weights whose names begin with a prefix, without it."""
    found = {n.removeprefix(prefix): v for n, v in weights.items() if n.startswith(prefix)}
    if not found:
        parts = (n.partition(".") for n in weights)
        beginnings = dict.fromkeys(shown(first + dot) for first, dot, _ in parts)
        raise CheckpointError(
            f"no name of the weights begins with {prefix!r}; names begin with "
            f"{', '.join([*beginnings][:LISTED])} (what DataParallel and torch.compile add, "
            "module. and _orig_mod., is removed before)"
        )
    return found


def _array(name: str, value: Any, budget: MemoryBudget) -> AnyArray:
    if isinstance(value, np.ndarray):
        return value
    try:
        if isinstance(value, (Tensor, TypedStorage)):
            return value.array()
        if describes_weights(value):
            return build_array(value, budget)
    except CheckpointError as error:
        raise CheckpointError(f"{shown(name)}: {error}") from None
    if value.reason:
        raise CheckpointError(f"{shown(name)}: {value.reason}")
    remedy = QUANTIZED if _is_quantized(value) else "save it as a dense tensor"
    raise CheckpointError(
        f"{shown(name)} must be a dense tensor that torch.save wrote, but is made by "
        f"{value.name}: {remedy}"
    )

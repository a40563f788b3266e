"""The weights in what a checkpoint holds, whatever they are wrapped in.

A checkpoint is a state dict, a module that was pickled whole, or a container of these
and of much else: an optimiser, options, a vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from numpy_rnn.checkpoint.allowance import Allowance
from numpy_rnn.checkpoint.errors import CheckpointError, shown
from numpy_rnn.checkpoint.stubs import Global, Stub
from numpy_rnn.checkpoint.tensors import Tensor

if TYPE_CHECKING:
    from numpy_rnn._typing import AnyArray

__all__ = ["places_of_names", "read_weights"]

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
"""What authors call a model's weights in a checkpoint: one of these goes before others."""

WRAPPERS = ("module.", "_orig_mod.")
"""What DataParallel and torch.compile put before every name."""

DEEPEST = 200
"""Containers within each other that are searched."""

TOP = "the top level"


class Candidate(NamedTuple):
    """Weights that were found, and the names of the containers around them."""

    path: tuple[str, ...]
    weights: dict[str, Any]

    @property
    def name(self) -> str:
        """The path as a key."""
        return ".".join(self.path)


def read_weights(root: Any, key: str | None, allowance: Allowance) -> dict[str, AnyArray]:
    """Return the weights in what a checkpoint holds.

    Parameters
    ----------
    root : object
        With a `Tensor` for each tensor, and a `Stub` for each object of unknown class.
    key : str or None
        Where they are: names of containers, with dots between them; ``""`` for the
        arrays that are in no container.
    allowance : Allowance
        For their names.

    Raises
    ------
    CheckpointError
        If there are none, or several.
    """
    if key is None:
        chosen = _chosen(list(_candidates(root, allowance)))
    elif key == "":
        chosen = Candidate((), _own_weights(root))
    else:
        chosen = _chosen(list(_candidates(_at(root, key), allowance)), key)
    if not chosen.weights:
        raise CheckpointError(f"there are no named arrays at {shown(key)}")
    return {name: _array(name, value) for name, value in _unwrapped(chosen.weights).items()}


def _chosen(candidates: list[Candidate], key: str = "") -> Candidate:
    """Return the one that is meant: the only one, or the only one with a usual name."""
    where = f"{shown(key)} of the file" if key else "the file"
    if not candidates:
        raise CheckpointError(f"{where} holds no named weights")
    if len(candidates) == 1:
        return candidates[0]
    usual = [c for c in candidates if c.path and c.path[-1] in USUAL_NAMES]
    if len(usual) == 1:
        return usual[0]
    prefix = f"{key}." if key else ""
    listed = ", ".join(
        f"key={prefix + c.name!r:.200} ({len(c.weights)} arrays)" for c in candidates[:20]
    )
    more = f" and {len(candidates) - 20} more" if len(candidates) > 20 else ""
    raise CheckpointError(f"{where} holds several sets of weights; choose one: {listed}{more}")


def _candidates(root: Any, allowance: Allowance) -> Iterator[Candidate]:
    """Yield every module, and every dict with arrays, that is in no other."""
    seen: set[int] = set()
    pending: list[tuple[tuple[str, ...], Any]] = [((), root)]
    while pending:
        path, value = pending.pop()
        if id(value) in seen or _is_optimizer(value):
            continue
        seen.add(id(value))
        allowance.take(8 * len(path) + 200, "the places of the weights")
        if _is_module(value):
            if weights := _module_weights(value, allowance):
                yield Candidate(path, weights)
            continue
        if weights := _own_weights(value):
            yield Candidate(path, weights)
        if len(path) < DEEPEST:
            children = [((*path, name), child) for name, child in _children(value)]
            pending += reversed(children)


def _children(value: Any) -> list[tuple[str, Any]]:
    """Return the containers and objects in one, with their names."""
    items: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, (list, tuple)) and type(value) not in (Tensor, Global):
        items = enumerate(value)
    elif isinstance(value, Stub):
        items = chain(enumerate(value.items), value.pairs.items(), value.attributes().items())
    return [
        (name if type(name) is str else str(name), child)
        for name, child in items
        if isinstance(child, (dict, list, tuple, Stub)) and _is_name(name)
    ]


def _is_name(name: Any) -> bool:
    return type(name) is str or (type(name) is int and abs(name) < 2**63)


def _own_weights(value: Any) -> dict[str, Any]:
    """Return the arrays that stand in a dict by name, or are attributes of an object."""
    if isinstance(value, Stub):
        value = {**value.pairs, **value.attributes()}
    if not isinstance(value, dict):
        return {}
    return {k: v for k, v in value.items() if type(k) is str and _is_weight(v)}


def _is_weight(value: Any) -> bool:
    return isinstance(value, (np.ndarray, Tensor)) or _is_odd_tensor(value)


def _is_odd_tensor(value: Any) -> bool:
    """Tell whether `value` is a tensor of a kind that is not read: sparse, quantised, ..."""
    return isinstance(value, Stub) and (
        value.name.module in ("torch._utils", "torch._tensor")
        or value.name == Global("torch.storage", "_load_from_bytes")
    )


def _is_optimizer(value: Any) -> bool:
    if isinstance(value, Stub):
        value = value.attributes()
    return isinstance(value, dict) and "param_groups" in value and "state" in value


def _is_module(value: Any) -> bool:
    if not isinstance(value, Stub):
        return False
    attributes = value.attributes()
    return all(isinstance(attributes.get(part), dict) for part in ("_parameters", "_modules"))


def _module_weights(module: Stub, allowance: Allowance) -> dict[str, Any]:
    """Return what ``state_dict()`` of a pickled module would: parameters, then buffers."""
    weights: dict[str, Any] = {}
    pending: list[tuple[str, int, Any]] = [("", 0, module)]
    while pending:
        prefix, depth, module = pending.pop()
        allowance.take(len(prefix) + 200, "the names of the modules")
        if depth > DEEPEST:
            raise CheckpointError(f"more than {DEEPEST} modules within each other")
        attributes = module.attributes()
        transient = attributes.get("_non_persistent_buffers_set", ())
        for part in ("_parameters", "_buffers"):
            tensors = attributes.get(part)
            for name, value in tensors.items() if isinstance(tensors, dict) else ():
                if type(name) is not str or not _is_weight(value):
                    continue
                if part == "_buffers" and type(transient) is set and name in transient:
                    continue
                allowance.take(len(prefix) + len(name) + 200, "the names of the weights")
                weights[prefix + name] = value
        children = [
            (f"{prefix}{name}.", depth + 1, child)
            for name, child in attributes["_modules"].items()
            if _is_module(child)
        ]
        pending += reversed(children)
    return weights


def _at(root: Any, key: str) -> Any:
    """Return what stands at a key, in which names may have dots themselves."""
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
    raise CheckpointError(f"the file has nothing at key {shown(key)}; at its top are: {names}")


def _unwrapped(weights: dict[str, Any]) -> dict[str, Any]:
    """Return weights without the prefix that a wrapper has put before all names."""
    for _ in range(DEEPEST):
        for prefix in WRAPPERS:
            if all(name.startswith(prefix) for name in weights):
                weights = {name.removeprefix(prefix): v for name, v in weights.items()}
                break
        else:
            break
    return weights


def _array(name: str, value: Any) -> AnyArray:
    if isinstance(value, Stub):
        raise CheckpointError(
            f"{shown(name)} is a tensor of a kind that is not read: it is made by {value.name}"
        )
    if isinstance(value, np.ndarray):
        return value
    try:
        return value.array()  # type: ignore[no-any-return]  # a Tensor
    except CheckpointError as error:
        raise CheckpointError(f"{shown(name)}: {error}") from None


def places_of_names(root: Any, unknown: dict[Global, None]) -> dict[Global, str]:
    """Return where the unknown names of a pickle first stand, as far as the result tells."""
    places: dict[Global, str] = {}
    seen: set[int] = set()
    pending: list[tuple[str, Any]] = [("", root)]
    while pending and len(places) < len(unknown):
        place, value = pending.pop()
        name = value.name if isinstance(value, Stub) else value
        if type(name) is Global and name in unknown:
            places.setdefault(name, place or TOP)
        if id(value) in seen:
            continue
        seen.add(id(value))
        pending += reversed([(_longer(place, n), part) for n, part in _parts(value)])
    return places


def _parts(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        named = [(n if type(n) is str else shown(n), part) for n, part in value.items()]
        return named + [("a key", n) for n in value if type(n) in (Stub, Global)]
    if isinstance(value, (list, tuple)) and type(value) not in (Tensor, Global):
        return [(str(index), part) for index, part in enumerate(value)]
    if isinstance(value, (set, frozenset)):
        return [("an item", part) for part in value]
    if isinstance(value, Stub):
        return [
            *_parts(value.attributes()),
            *_parts(value.pairs),
            *_parts(value.items),
            *_parts(value.arguments),
        ]
    return []


def _longer(place: str, name: str) -> str:
    joined = f"{place}.{name}" if place else name
    return joined if len(joined) <= 100 else f"{joined[:97]}..."

"""The leaves of nested tuples, lists, dicts and packed sequences."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Iterator
from typing import Any

from numpy_rnn.utils.rnn import PackedSequence

__all__ = ["is_packed", "leaves", "map_leaves"]


def leaves(value: Any, name: str = "output") -> Iterator[tuple[str, Any]]:
    """Yield the leaves of nested tuples, lists, dicts and packed sequences with their names.

    A list of numbers is one leaf.

    >>> list(leaves((1, {"a": [None, "x"], "b": [3, 4]})))
    [('output[0]', 1), ("output[1]['a'][0]", None), ("output[1]['a'][1]", 'x'),
     ("output[1]['b']", [3, 4])]
    """
    if isinstance(value, list) and value and all(map(is_number, value)):
        yield name, value
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        for field, item in zip(value._fields, value):
            yield from leaves(item, f"{name}.{field}")
    elif isinstance(value, (tuple, list)):
        for index, item in enumerate(value):
            yield from leaves(item, f"{name}[{index}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, f"{name}[{key!r}]")
    else:
        yield name, value


def map_leaves(
    function: Callable[[Any], Any], value: Any, packed: Callable[..., Any] = PackedSequence
) -> Any:
    """Return nested tuples, lists and dicts with `function` applied to what is in them.

    Packed sequences, ours or torch's, become those of the class `packed`.

    >>> map_leaves(lambda x: x + 1, (1, [2, 3]))
    (2, [3, 4])
    """
    if isinstance(value, dict):
        return {key: map_leaves(function, item, packed) for key, item in value.items()}
    if not isinstance(value, (tuple, list)):
        return function(value)
    items = [map_leaves(function, item, packed) for item in value]
    if is_packed(value):
        return packed(*items)
    if hasattr(value, "_fields"):  # a named tuple
        return type(value)(*items)
    return tuple(items) if isinstance(value, tuple) else items


def is_number(value: Any) -> bool:
    """Return whether a value is a number, or an array or a tensor without axes."""
    return isinstance(value, numbers.Number) or getattr(value, "shape", None) == ()


def is_packed(value: Any) -> bool:
    """Return whether a value is a packed sequence, ours or torch's."""
    return isinstance(value, tuple) and hasattr(value, "batch_sizes")

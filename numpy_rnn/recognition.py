"""What names and shapes in a state_dict tell of the layers that they are from.

Rows over hidden units give the kind of a recurrent layer: 1 is an RNN, 3 a GRU, 4 an LSTM.
Nothing here knows the layers themselves, or reads a weight.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    Group: TypeAlias = dict[str, "Weight"]
    """The weights of one layer, by the names that they have in it."""

__all__ = [
    "KINDS",
    "Candidate",
    "Kind",
    "MisfitError",
    "Weight",
    "constructor",
    "expected",
    "fitting",
    "groups",
    "weights_in",
]


class Kind(NamedTuple):
    """A class of layers, by what its constructor takes.

    Attributes
    ----------
    family : str
        The names of its weights, one of `FAMILIES`.
    positional : tuple of str
        The arguments that are commonly given by position.
    unknown : tuple of str
        Those that change results or layouts and are not to be seen in the weights.
    """

    family: str
    positional: tuple[str, ...]
    unknown: tuple[str, ...] = ()


_SIZES = ("input_size", "hidden_size")

KINDS: dict[str, Kind] = {
    "RNN": Kind("layer", _SIZES, ("nonlinearity", "batch_first", "dropout")),
    "LSTM": Kind("layer", _SIZES, ("batch_first", "dropout")),
    "GRU": Kind("layer", _SIZES, ("batch_first", "dropout")),
    "RNNCell": Kind("cell", _SIZES, ("nonlinearity",)),
    "LSTMCell": Kind("cell", _SIZES),
    "GRUCell": Kind("cell", _SIZES),
    "Linear": Kind("companion", ("in_features", "out_features")),
    "Embedding": Kind("companion", ("num_embeddings", "embedding_dim"), ("max_norm",)),
    "Conv1d": Kind(
        "companion",
        ("in_channels", "out_channels", "kernel_size"),
        ("stride", "padding", "dilation", "groups", "padding_mode"),
    ),
    "BatchNorm1d": Kind("companion", ("num_features",), ("eps",)),
    "LayerNorm": Kind("companion", ("normalized_shape",), ("eps",)),
}
"""The layers that are recognised, by the name of their class."""

FAMILIES: dict[str, re.Pattern[str]] = {
    # No layer has a number of five digits, and an endless one would take an endless time.
    "layer": re.compile(
        r"(weight_ih|weight_hh|weight_hr|bias_ih|bias_hh)_l(0|[1-9][0-9]{0,3})(_reverse)?"
    ),
    "cell": re.compile(r"weight_ih|weight_hh|bias_ih|bias_hh"),
    "companion": re.compile(r"weight|bias|running_mean|running_var|num_batches_tracked"),
}
"""The names that the weights of a layer have."""

RECURRENT = {1: "RNN", 3: "GRU", 4: "LSTM"}
"""By rows for each hidden unit."""

DEFAULTS = {
    "num_layers": 1,
    "bias": True,
    "bidirectional": False,
    "proj_size": 0,
    "affine": True,
    "dtype": "float32",
}
"""Arguments that a constructor line leaves out."""

WIDENED = {"float16": "float32", "bfloat16": "float32"}

EMBEDDING = re.compile(r"emb|lookup|token|vocab|wte|wpe", re.IGNORECASE)
"""Names that people give to an Embedding rather than to a Linear without bias."""

MOST_LISTED = 20


class Weight(NamedTuple):
    """What is known of an array without reading it."""

    shape: tuple[int, ...]
    dtype: str


class Candidate(NamedTuple):
    """A class of layers whose weights have these names and shapes, and its arguments."""

    kind: str
    arguments: dict[str, Any]

    @property
    def unknown(self) -> tuple[str, ...]:
        """The arguments that the weights do not tell."""
        mixed = () if "dtype" in self.arguments else ("dtype",)
        return KINDS[self.kind].unknown + mixed


class MisfitError(Exception):
    """Weights that have the names of a layer's but do not fit together."""

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def weights_in(state_dict: Mapping[str, Any]) -> dict[str, Weight]:
    """Return the shapes and dtypes of the arrays or tensors in a state_dict.

    Raises
    ------
    TypeError
        If `state_dict` is no mapping of names.
    """
    if not isinstance(state_dict, Mapping):
        raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
    weights = {}
    for name, value in state_dict.items():
        if not isinstance(name, str):
            raise TypeError(f"Expected the keys of state_dict to be str, got {name!r}.")
        if hasattr(value, "shape") and hasattr(value, "dtype"):
            dtype = str(value.dtype).removeprefix("torch.")
            weights[name] = Weight(tuple(value.shape), dtype)
    return weights


def groups(weights: Mapping[str, Weight]) -> dict[tuple[str, str], Group]:
    """Return the weights that belong together, by their prefix and family."""
    found: dict[tuple[str, str], Group] = {}
    for name, weight in weights.items():
        prefix, _, leaf = name.rpartition(".")
        for family, pattern in FAMILIES.items():
            if pattern.fullmatch(leaf):
                found.setdefault((prefix, family), {})[leaf] = weight
    return found


def fitting(prefix: str, family: str, group: Group) -> list[Candidate]:
    """Return the layers that the weights of a group fit, the likeliest first.

    Raises
    ------
    MisfitError
        If they are a layer's by their names and do not fit together.
    """
    if family == "layer":
        found = [_layer(group)]
    elif family == "cell":
        found = [_cell(group)]
    else:
        found = _companions(prefix, group)
    if not found:
        return []
    dtype = _dtype(group)
    return [Candidate(kind, arguments | dtype) for kind, arguments in found]


def expected(
    state_dict: Mapping[str, Any], prefix: str, kind: str
) -> tuple[Candidate, list[str]]:
    """Return what the weights under a prefix tell of a layer of a known kind.

    Returns
    -------
    candidate : Candidate
    leaves : list of str
        The names of its weights, without the prefix.

    Raises
    ------
    KeyError
        If nothing under the prefix is recognised.
    ValueError
        If what is there is of another kind, or does not fit together.
    """
    found = groups(weights_in(state_dict))
    here = {family: group for (place, family), group in found.items() if place == prefix}
    where = f"under {prefix!r}" if prefix else "without a prefix"
    if not here:
        raise KeyError(
            f"the state_dict has no weights of a layer {where}. It has {_places(found)}"
        )
    family = KINDS[kind].family
    if family not in here:
        family = next(iter(here))
    try:
        candidates = fitting(prefix, family, here[family])
    except MisfitError as error:
        raise ValueError(f"the weights {where} are inconsistent: {error}") from None
    for candidate in candidates:
        if candidate.kind == kind:
            return candidate, list(here[family])
    kinds = " or ".join(candidate.kind for candidate in candidates)
    shapes = ", ".join(f"{leaf} {weight.shape}" for leaf, weight in here[family].items())
    raise ValueError(
        f"the weights {where} are not those of {kind}: "
        + (f"they fit {kinds}" if kinds else f"there is {shapes}")
    )


def constructor(candidate: Candidate) -> str:
    """Return the line of code that makes a layer.

    >>> constructor(Candidate("LSTM", {"input_size": 8, "hidden_size": 32, "num_layers": 2}))
    'nn.LSTM(8, 32, num_layers=2)'
    """
    positional = KINDS[candidate.kind].positional
    given = [repr(candidate.arguments[name]) for name in positional]
    given += [
        f'{name}="{value}"' if isinstance(value, str) else f"{name}={value!r}"
        for name, value in candidate.arguments.items()
        if name not in positional and DEFAULTS[name] != value
    ]
    return f"nn.{candidate.kind}({', '.join(given)})"


# Recurrent layers and cells


def _layer(group: Group) -> tuple[str, dict[str, Any]]:
    matches = [match for leaf in group if (match := FAMILIES["layer"].fullmatch(leaf))]
    numbers = sorted({int(match[2]) for match in matches})
    if numbers != list(range(len(numbers))):
        raise MisfitError(f"there are layers {_listed(numbers)}: others are missing")
    bias = any(match[1].startswith("bias") for match in matches)
    directions = ("", "_reverse") if any(match[3] for match in matches) else ("",)
    projection = _matrix(group, "weight_hr_l0") if "weight_hr_l0" in group else None
    input_size = _input_size(group, "weight_ih_l0")
    kind, hidden_size, rows = _gates(group, "weight_hh_l0", projection)
    proj_size = projection[0] if projection else 0

    size = proj_size or hidden_size
    shapes: dict[str, tuple[int, ...]] = {}
    for number in numbers:
        columns = size * len(directions) if number else input_size
        for direction in directions:
            end = f"_l{number}{direction}"
            shapes |= _shapes(end, rows, columns, size, bias)
            if proj_size:
                shapes[f"weight_hr{end}"] = (proj_size, hidden_size)
    _compare(group, shapes)
    arguments = {
        "input_size": input_size,
        "hidden_size": hidden_size,
        "num_layers": len(numbers),
        "bias": bias,
        "bidirectional": len(directions) == 2,
    }
    if kind == "LSTM":
        arguments["proj_size"] = proj_size
    return kind, arguments


def _cell(group: Group) -> tuple[str, dict[str, Any]]:
    bias = "bias_ih" in group or "bias_hh" in group
    input_size = _input_size(group, "weight_ih")
    kind, hidden_size, rows = _gates(group, "weight_hh", None)
    _compare(group, _shapes("", rows, input_size, hidden_size, bias))
    sizes = {"input_size": input_size, "hidden_size": hidden_size, "bias": bias}
    return f"{kind}Cell", sizes


def _gates(group: Group, leaf: str, projection: tuple[int, ...] | None) -> tuple[str, int, int]:
    """Return the kind, the hidden units, and the rows of all gates."""
    rows, columns = _matrix(group, leaf)
    hidden_size = projection[1] if projection else columns
    kind = None
    if hidden_size and rows % hidden_size == 0:
        kind = RECURRENT.get(rows // hidden_size)
    if kind is None:
        raise MisfitError(
            f"{leaf} has {rows} rows for {hidden_size} hidden units, and not 1, 3 or 4 times "
            "as many, as an RNN, a GRU or an LSTM has"
        )
    if projection and (kind != "LSTM" or not 0 < projection[0] < hidden_size):
        raise MisfitError(
            f"there is a projection of shape {projection} in a layer of {rows} rows; an LSTM "
            "may have one, to fewer than its hidden units"
        )
    return kind, hidden_size, rows


def _input_size(group: Group, leaf: str) -> int:
    size = _matrix(group, leaf)[1]
    if size == 0:
        raise MisfitError(f"{leaf} has no columns")
    return size


def _matrix(group: Group, leaf: str) -> tuple[int, ...]:
    """Return the two sizes of a weight that decides on the others."""
    if leaf not in group:
        raise MisfitError(f"{leaf} is missing")
    shape = group[leaf].shape
    if len(shape) != 2:
        raise MisfitError(f"{leaf} has shape {shape}, and should have two axes")
    return shape


def _shapes(
    end: str, rows: int, columns: int, size: int, bias: bool
) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {
        f"weight_ih{end}": (rows, columns),
        f"weight_hh{end}": (rows, size),
    }
    if bias:
        shapes |= {f"bias_ih{end}": (rows,), f"bias_hh{end}": (rows,)}
    return shapes


def _compare(group: Group, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Raise `MisfitError` unless a group has the names and shapes that are expected."""
    problems = [f"{leaf} is missing" for leaf in shapes if leaf not in group]
    for leaf, weight in group.items():
        if leaf not in shapes:
            problems.append(f"{leaf} should not be there")
        elif weight.shape != shapes[leaf]:
            problems.append(f"{leaf} has shape {weight.shape}, and {shapes[leaf]} would fit")
    if problems:
        raise MisfitError(*problems)


# Companions


def _companions(prefix: str, group: Group) -> list[tuple[str, dict[str, Any]]]:
    if group.keys() - {"weight", "bias"}:
        return [_batch_norm(group)]
    if "weight" not in group:
        return []
    weight = group["weight"].shape
    bias = group["bias"].shape if "bias" in group else None
    if bias == weight and weight:
        return [("LayerNorm", {"normalized_shape": weight[0] if len(weight) == 1 else weight})]
    known = {"bias": bias is not None}
    if len(weight) == 2:
        linear = {"in_features": weight[1], "out_features": weight[0]} | known
        embedding = {"num_embeddings": weight[0], "embedding_dim": weight[1]}
        if bias is None:
            found: list[tuple[str, dict[str, Any]]] = [
                ("Linear", linear),
                ("Embedding", embedding),
            ]
            named_so = EMBEDDING.search(prefix.rpartition(".")[2])
            return found[::-1] if named_so else found
        if bias != weight[:1]:
            raise MisfitError(f"a weight of shape {weight} has a bias of shape {bias}")
        return [("Linear", linear)]
    if len(weight) == 3 and bias in (None, weight[:1]):
        sizes = {"in_channels": weight[1], "out_channels": weight[0], "kernel_size": weight[2]}
        return [("Conv1d", sizes | known)]
    return []


def _batch_norm(group: Group) -> tuple[str, dict[str, Any]]:
    mean = group.get("running_mean")
    if mean is None or len(mean.shape) != 1:
        raise MisfitError("running_mean is missing or has not one axis")
    shapes: dict[str, tuple[int, ...]] = {"running_mean": mean.shape, "running_var": mean.shape}
    if "num_batches_tracked" in group:
        shapes["num_batches_tracked"] = ()
    affine, bias = "weight" in group, "bias" in group
    if affine or bias:
        shapes["weight"] = mean.shape
    if bias:
        shapes["bias"] = mean.shape
    _compare(group, shapes)
    without = {"bias": False} if affine and not bias else {}
    return "BatchNorm1d", {"num_features": mean.shape[0], "affine": affine} | without


# What they share


def _dtype(group: Group) -> dict[str, Any]:
    """Return the argument ``dtype``, or nothing where weights are of several."""
    dtypes = set()
    for leaf, weight in group.items():
        if leaf == "num_batches_tracked":
            continue
        dtype = WIDENED.get(weight.dtype, weight.dtype)
        if dtype not in ("float32", "float64"):
            raise MisfitError(f"{leaf} is of dtype {weight.dtype}, and no layer's weights are")
        dtypes.add(dtype)
    return {"dtype": dtypes.pop()} if len(dtypes) == 1 else {}


def _places(found: Iterable[tuple[str, str]]) -> str:
    """Return the prefixes that there are, for an error."""
    prefixes = list(dict.fromkeys(repr(prefix) for prefix, _ in found))
    return _listed(prefixes) if prefixes else "none that are recognised"


def _listed(items: Iterable[object]) -> str:
    texts = [str(item) for item in items]
    more = f" and {len(texts) - MOST_LISTED} more" if len(texts) > MOST_LISTED else ""
    return ", ".join(texts[:MOST_LISTED]) + more

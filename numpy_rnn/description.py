"""`describe`: the layers in a state_dict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from numpy_rnn import modules
from numpy_rnn.arguments import printable
from numpy_rnn.modules.reparametrized import Reparametrized, fold
from numpy_rnn.modules.weighted import MisfitError, WeightedLayer, groups, weights_in

__all__ = ["Description", "Inconsistency", "LayerDescription", "describe"]


class LayerDescription(NamedTuple):
    """A layer, as far as its weights determine it.

    Attributes
    ----------
    prefix : str
        Where its weights are: ``'encoder.rnn'`` for ``encoder.rnn.weight_ih_l0``.
    kind : str
        The name of its class, ``'LSTM'``.
    arguments : dict
        The constructor's arguments that weights determine, by name.
    unknown : tuple of str
        Those that they do not, and that change what the layer computes.
    constructor : str
        The line of Python that makes it, ``'nn.LSTM(8, 32, num_layers=2)'``.
    alternatives : tuple of str
        Such lines for layers of other classes with the same weights, the likeliest first.
    parameters : tuple of str
        The names of its weights in the state_dict.
    """

    prefix: str
    kind: str
    arguments: dict[str, Any]
    unknown: tuple[str, ...]
    constructor: str
    alternatives: tuple[str, ...]
    parameters: tuple[str, ...]

    @property
    def layer_class(self) -> type[WeightedLayer]:
        """The class of that name."""
        found: type[WeightedLayer] = getattr(modules, self.kind)
        return found

    def build(self, state_dict: Mapping[str, Any], **options: Any) -> WeightedLayer:
        """Return the layer with its weights, as its class's ``from_state_dict`` does.

        Parameters
        ----------
        state_dict : mapping of str to array
            The same state_dict that was described.
        **options
            Arguments of the constructor that weights do not determine; torch's defaults for
            those left out.
        """
        return self.layer_class.from_state_dict(state_dict, self.prefix, **options)

    def __str__(self) -> str:
        notes = [f"or {other}" for other in self.alternatives]
        line = self.constructor
        if _is_dotted_name(self.prefix):
            line = f"{self.prefix} = {line}"
        elif self.prefix:  # it must not become code where the line is copied
            notes.insert(0, f"of {printable(repr(self.prefix))}")
        if self.unknown:
            notes.append(f"unknown: {', '.join(self.unknown)}")
        return f"{line}  # {'; '.join(notes)}" if notes else line


class Inconsistency(NamedTuple):
    """Weights that have the names of a layer's but do not fit together.

    Attributes
    ----------
    prefix : str
        Where they are.
    problems : tuple of str
        What is missing or does not fit.
    parameters : tuple of str
        Their names in the state_dict.
    """

    prefix: str
    problems: tuple[str, ...]
    parameters: tuple[str, ...]

    def __str__(self) -> str:
        return f"{printable(self.prefix) or '(no prefix)'}: {'; '.join(self.problems)}"


@dataclass(repr=False, eq=False)
class Description:
    """What `describe` found: a sequence of layers, indexed by number or by prefix.

    Attributes
    ----------
    layers : tuple of LayerDescription
        In the order of the state_dict.
    inconsistent : tuple of Inconsistency
        Weights that have the names of a layer's but do not fit together.
    unrecognised : dict of str
        The names of the other entries, each with its dtype and shape, or its type.
    """

    layers: tuple[LayerDescription, ...]
    inconsistent: tuple[Inconsistency, ...]
    unrecognised: dict[str, str]

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[LayerDescription]:
        return iter(self.layers)

    def __getitem__(self, key: str | int) -> LayerDescription:
        if not isinstance(key, str):
            return self.layers[key]
        for layer in self.layers:
            if layer.prefix == key:
                return layer
        there = ", ".join(repr(layer.prefix) for layer in self.layers) or "none"
        raise KeyError(f"no layer {key!r}: the recognised layers are {there}")

    def __repr__(self) -> str:
        lines = [str(layer) for layer in self.layers] or ["no layers recognised"]
        lines += [f"# inconsistent: {item}" for item in self.inconsistent]
        lines += [
            f"# unrecognised: {printable(name)}, {what}"
            for name, what in self.unrecognised.items()
        ]
        return "\n".join(lines)


def describe(state_dict: Mapping[str, Any]) -> Description:
    """Recognise the layers in a state_dict by the names and shapes of their weights.

    Recurrent layers and cells are recognised by the names of their weights, and which they
    are by the rows for each hidden unit: one for an RNN, three for a GRU, four for an LSTM.
    Other layers are less certain, since all of them call their weights ``weight`` and
    ``bias``. Where several classes fit, the likeliest is named and the others are its
    alternatives:

    ========================================  ==================================
    weight, and bias                          taken for
    ========================================  ==================================
    (out, in), (out,)                         Linear
    (n, m), none                              Linear or Embedding: the other is an
                                              alternative, the layer's name decides
    (out, in, k), (out,) or none              Conv1d; Bilinear, if its name says so
    (out, in, h, w), (out,) or none           Conv2d
    (in, out, k) or (in, out, h, w), (out,)   ConvTranspose1d or 2d; also if its name says so
    running_mean and running_var              BatchNorm1d; 2d and 3d look alike
    both of the same shape                    LayerNorm, or BatchNorm1d without running
                                              statistics; GroupNorm looks alike
    (n,), none                                the same two without a bias, if the layer's
                                              name is a norm's: ``norm1``, ``ln_f``, ``bn``
    ========================================  ==================================

    A weight in parts, normed (``weight_g``, ``weight_v``), pruned or of WeightDrop, counts as
    one.

    Parameters
    ----------
    state_dict : mapping of str to array or tensor
        What `numpy_rnn.read_state_dict` or a module's ``state_dict`` returned. Only shapes
        and dtypes are looked at.

    Returns
    -------
    Description
        The layers, weights that do not fit together, and what is not recognised.

    Raises
    ------
    TypeError
        If `state_dict` is not a mapping with str keys.

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> state_dict = nn.LSTM(8, 32, num_layers=2, bidirectional=True).state_dict(prefix="rnn.")
    >>> state_dict |= nn.Linear(64, 5).state_dict(prefix="head.")
    >>> state_dict["scale"] = np.ones(3)
    >>> description = nn.describe(state_dict)
    >>> description
    rnn = nn.LSTM(8, 32, num_layers=2, bidirectional=True)  # unknown: batch_first, dropout
    head = nn.Linear(64, 5)
    # unrecognised: scale, float64 (3,)
    >>> description["rnn"].arguments["hidden_size"]
    32
    >>> description["rnn"].build(state_dict, batch_first=True)
    LSTM(8, 32, num_layers=2, batch_first=True, bidirectional=True)
    """
    weights = weights_in(state_dict)
    folded = fold(state_dict)
    layers = []
    inconsistent = []
    recognised = set()
    for group in groups(weights):
        prefix = group.prefix
        weight_names = [f"{prefix}.{name}" if prefix else name for name in group.weights]
        names = tuple(part for name in weight_names for part in _names_of(name, folded[name]))
        try:
            candidates = group.candidates()
        except MisfitError as error:
            inconsistent.append(Inconsistency(prefix, error.problems, names))
            recognised |= set(weight_names)
            continue
        if not candidates:
            continue
        best, *others = candidates
        layers.append(
            LayerDescription(
                prefix,
                kind=best.layer.__name__,
                arguments=best.arguments,
                unknown=best.unknown,
                constructor=best.constructor,
                alternatives=tuple(other.constructor for other in others),
                parameters=names,
            )
        )
        recognised |= set(weight_names)
    unrecognised = {
        name: f"{weights[name].dtype} {weights[name].shape}"
        if name in weights
        else f"a {type(value).__name__}"
        for name, value in folded.items()
        if name not in recognised
    }
    return Description(tuple(layers), tuple(inconsistent), unrecognised)


def _names_of(name: str, value: Any) -> list[str]:
    """Return the names in the state_dict of a weight, or of its parts."""
    return [*value.parts] if isinstance(value, Reparametrized) else [name]


def _is_dotted_name(prefix: str) -> bool:
    """Return whether a layer's name has attributes and numbers of lists alone."""
    return all(part.isidentifier() or part.isdecimal() for part in prefix.split("."))

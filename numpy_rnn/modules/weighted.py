"""Layers that can be built from their weights, and which of them a set of weights fits.

A class declares the names and shapes of its weights once. Its constructor makes them by that
declaration, and weights that are read are recognised by it.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeAlias, TypeVar

import numpy as np

from numpy_rnn.arguments import check_device, new_array, parse_dtype
from numpy_rnn.modules.module import Module
from numpy_rnn.modules.reparametrized import fold

if TYPE_CHECKING:
    from numpy_rnn._typing import DTypeLike

L = TypeVar("L", bound="WeightedLayer")

Shape: TypeAlias = "tuple[int, ...]"
Shapes: TypeAlias = "Mapping[str, Shape | None]"
"""The shapes of weights by name, None for one that a layer does not have."""

WIDENED = {"float16": "float32", "bfloat16": "float32"}

MOST_LISTED = 20


class MisfitError(ValueError):
    """Weights that have the names of a layer's but do not fit together."""

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class Declared(NamedTuple):
    """A parameter or buffer, as a class declares it.

    Attributes
    ----------
    axes : tuple of str
        The constructor's argument that gives the size of each axis. One with a star gives
        the sizes of all axes that are left.
    options : tuple of str
        The constructor's arguments that must all be true for a layer to have it.
    buffer : type, optional
        For a buffer: float for the dtype of the parameters, int for int64.
    """

    axes: tuple[str, ...]
    options: tuple[str, ...] = ()
    buffer: type | None = None


class WeightedLayer(Module):
    """The base class of layers whose weights determine their sizes.

    Attributes
    ----------
    _declared : dict of Declared
        All weights that a layer of the class may have, by name.
    _immaterial : frozenset of str
        Arguments of the constructor without effect on what a layer with given weights
        computes in evaluation mode.
    _weight_names : re.Pattern
        The names of the weights; made from the declaration if there is one.
    """

    _declared: ClassVar[dict[str, Declared]] = {}
    _immaterial: ClassVar[frozenset[str]] = frozenset({"device"})
    _weight_names: ClassVar[re.Pattern[str]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls._declared:
            cls._weight_names = re.compile("|".join(cls._declared))
        is_base = cls.__name__.startswith("_")
        if cls.__module__.startswith(f"{__package__}.") and not is_base:
            _LAYERS.setdefault(cls._weight_names, []).append(cls)

    @classmethod
    def _shapes(cls, **arguments: Any) -> Shapes:
        """Return the shapes of all weights that are declared, for a constructor's arguments."""
        shapes: dict[str, Shape | None] = {}
        for name, declared in cls._declared.items():
            shape: list[int] = []
            for axis in declared.axes:
                size = arguments[axis.lstrip("*")]
                # As in torch, a tuple can be a whole shape, but not one size of several.
                may_be_tuple = axis.startswith("*") or len(declared.axes) == 1
                shape += size if may_be_tuple and isinstance(size, Iterable) else [size]
            has_it = all(arguments[option] for option in declared.options)
            shapes[name] = tuple(shape) if has_it else None
        return shapes

    @classmethod
    def _arguments_from(cls, shapes: Mapping[str, Shape]) -> dict[str, Any] | None:
        """Return the constructor's arguments that weights determine.

        None if they are those of another class, by their numbers of axes.

        Raises
        ------
        MisfitError
            If they are this class's and do not fit together.
        """
        arguments: dict[str, Any] = {}
        for name, declared in cls._declared.items():
            for count, option in enumerate(declared.options):
                irrelevant = not all(arguments[other] for other in declared.options[:count])
                found = name in shapes or irrelevant
                arguments[option] = arguments.get(option, False) or found
            if name not in shapes:
                continue
            axes, shape = [axis.lstrip("*") for axis in declared.axes], shapes[name]
            sizes: list[Any] = [*shape]
            if axes != [*declared.axes] and len(sizes) > len(axes):
                sizes[len(axes) - 1 :] = [shape[len(axes) - 1 :]]
            if len(sizes) == len(axes):
                arguments = dict(zip(axes, sizes)) | arguments
            elif cls._is_certain(shapes):
                raise MisfitError(
                    f"{name} must have the shape ({', '.join(axes)}), got {shape}"
                )
            else:
                return None
        required = {axis.lstrip("*") for other in cls._declared.values() for axis in other.axes}
        return arguments if required <= arguments.keys() else None

    @classmethod
    @functools.cache
    def _constructor_parameters(cls) -> Mapping[str, inspect.Parameter]:
        return inspect.signature(cls).parameters

    @classmethod
    def _is_certain(cls, shapes: Mapping[str, Shape]) -> bool:
        """Return whether weights that do not quite fit are this class's all the same.

        If not, they may be those of a class that is not known here.
        """
        return not shapes.keys() <= {"weight", "bias"}

    @classmethod
    def _likelihood(cls, name: str, shapes: Mapping[str, Shape]) -> float:  # noqa: ARG003
        """Return how likely weights that fit this class are those of one, compared to others.

        1 without evidence for or against it, 0 if it is not worth mentioning. `name` is the
        last part of the layer's own name.
        """
        return 1

    @classmethod
    def _completed(
        cls, arguments: dict[str, Any], options: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return the arguments that weights determine together with the caller's."""
        return {**arguments, **options}

    def _create_weights(self, device: object, dtype: DTypeLike, **arguments: Any) -> None:
        """Register parameters and buffers, with the values of a new layer.

        `arguments` are those of the constructor that are not attributes.
        """
        check_device(device)
        parameter_dtype = parse_dtype(dtype)
        for name, shape in self._shapes(**vars(self) | arguments).items():
            buffer = self._declared[name].buffer if name in self._declared else None
            array_dtype = np.dtype(np.int64) if buffer is int else parameter_dtype
            array = None if shape is None else new_array(shape, array_dtype)
            if buffer and array is not None:
                array[...] = 0  # a checkpoint may lack it
            (self.register_buffer if buffer else self.register_parameter)(name, array)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Give the parameters the values of a new layer."""
        raise NotImplementedError

    def _changed(self, **defaults: Any) -> str:
        """Return the options that are not at their defaults, as `extra_repr` lists them."""
        return "".join(
            f", {name}={value}"
            for name, default in defaults.items()
            if (value := getattr(self, name)) != default
            or (isinstance(default, bool) and value is not default)
        )

    @classmethod
    def from_state_dict(
        cls: type[L], state_dict: Mapping[str, Any], prefix: str = "", **options: Any
    ) -> L:
        """Return a new layer with weights from a state_dict, and the sizes they have.

        The weights are copied and keep their dtype, half precision widened to float32.
        Nothing is drawn from the default generator. Like any new module the layer is in
        training mode. A subclass inherits this if its constructor takes the same arguments.

        Parameters
        ----------
        state_dict : mapping of str to array or tensor
            It may hold other layers too.
        prefix : str
            Where the layer's weights are: ``"encoder.rnn"`` for
            ``encoder.rnn.weight_ih_l0``.
        **options
            Arguments of the constructor that weights do not determine, such as
            ``batch_first`` and ``nonlinearity``; torch's defaults for those left out.
            ``dtype`` converts, and is required if the weights have several dtypes.

        Raises
        ------
        KeyError
            If there are no weights of a layer under the prefix.
        ValueError
            If they are those of another class, do not fit together, or have several dtypes.
        TypeError
            For an option that the weights determine, or that the constructor does not take.

        Examples
        --------
        >>> import numpy_rnn as nn
        >>> state_dict = nn.GRU(3, 4, num_layers=2).state_dict(prefix="encoder.rnn.")
        >>> nn.GRU.from_state_dict(state_dict, prefix="encoder.rnn", batch_first=True)
        GRU(3, 4, num_layers=2, batch_first=True)
        """
        prefix = prefix.removesuffix(".")
        group = _group_of(cls, groups(weights_in(state_dict)), prefix)
        state_dict = fold(state_dict)
        arguments = _arguments_of(cls, group)
        for name in options:
            if name in arguments and name != "dtype":
                raise TypeError(
                    f"{name} must be omitted: the weights of the {cls.__name__} determine it "
                    f"({arguments[name]})"
                )
        if options.get("dtype", ...) is None:
            del options["dtype"]
        if "dtype" not in arguments | options:
            raise ValueError(
                f"the weights of the {cls.__name__} have several dtypes: pass one as dtype"
            )
        module = cls.__new__(cls)
        # While the constructor runs, an attribute of the instance hides the method: weights
        # that are about to be replaced are not drawn.
        module.__dict__["reset_parameters"] = lambda: None
        module.__init__(**cls._completed(arguments, options))  # type: ignore[misc]  # cls is known only now
        del module.__dict__["reset_parameters"]
        start = f"{prefix}." if prefix else ""
        module.load_state_dict({leaf: state_dict[start + leaf] for leaf in group.weights})
        return module


_LAYERS: dict[re.Pattern[str], list[type[WeightedLayer]]] = {}
"""The layers of this package, by the pattern of their weights' names."""


class Weight(NamedTuple):
    """What is known of an array without reading it."""

    shape: Shape
    dtype: str


class Candidate(NamedTuple):
    """A class of layers that weights fit, and the arguments that they determine."""

    layer: type[WeightedLayer]
    arguments: dict[str, Any]

    @property
    def unknown(self) -> tuple[str, ...]:
        """The arguments that change what the layer computes and that weights do not show."""
        known = self.arguments.keys() | self.layer._immaterial
        return tuple(name for name in self.layer._constructor_parameters() if name not in known)

    @property
    def constructor(self) -> str:
        """The line of code that makes the layer: ``'nn.LSTM(8, 32, num_layers=2)'``."""
        given = []
        for name, parameter in self.layer._constructor_parameters().items():
            value = self.arguments.get(name, parameter.default)
            if parameter.kind is parameter.VAR_KEYWORD:
                continue
            if parameter.default is parameter.empty:
                given.append(repr(value) if name in self.arguments else "...")
            elif value not in (parameter.default, "float32"):
                given.append(f'{name}="{value}"' if name == "dtype" else f"{name}={value!r}")
        return f"nn.{self.layer.__name__}({', '.join(given)})"


class Group(NamedTuple):
    """Weights with a common prefix, and the classes that have weights of these names."""

    prefix: str
    weights: dict[str, Weight]
    classes: list[type[WeightedLayer]]

    @property
    def shapes(self) -> dict[str, Shape]:
        """The shapes of the weights."""
        return {name: weight.shape for name, weight in self.weights.items()}

    def is_for(self, layer: type[WeightedLayer]) -> bool:
        """Return whether a layer of this class has weights of these names."""
        return issubclass(layer, tuple(self.classes))

    def candidates(self) -> list[Candidate]:
        """Return the layers that the weights fit, the likeliest first.

        Raises
        ------
        MisfitError
            If they have the names of a layer's and do not fit together.
        """
        name = self.prefix.rpartition(".")[2]
        found: list[tuple[float, Candidate]] = []
        misfits: list[MisfitError] = []
        for layer in self.classes:
            try:
                arguments = self.arguments_for(layer)
            except MisfitError as misfit:
                misfits.append(misfit)
                continue
            likelihood = layer._likelihood(name, self.shapes)
            if arguments is not None and likelihood > 0:
                found.append((likelihood, Candidate(layer, arguments)))
        if misfits and not found:
            raise misfits[0]
        return [candidate for _, candidate in sorted(found, key=lambda item: -item[0])]

    def arguments_for(self, layer: type[WeightedLayer]) -> dict[str, Any] | None:
        """Return the arguments for a layer with these weights, None if it has others.

        Raises
        ------
        MisfitError
            If they have the names of such a layer's and do not fit together.
        """
        arguments = layer._arguments_from(self.shapes)
        if arguments is None:
            return None
        expected = layer._shapes(**arguments)
        needed = [name for name, shape in expected.items() if shape is not None]
        problems = [
            f"{name} is missing"
            for name in needed
            if name not in self.weights and not layer._may_lack(name, None)
        ]
        for name, shape in self.shapes.items():
            if expected.get(name) is None:
                problems.append(f"{name} is unexpected")
            elif shape != expected[name]:
                problems.append(f"{name} must have the shape {expected[name]}, got {shape}")
        if problems and not layer._is_certain(self.shapes):
            return None
        if problems:
            raise MisfitError(*problems)
        return arguments | self._dtype(layer)

    def _dtype(self, layer: type[WeightedLayer]) -> dict[str, str]:
        """Return the argument ``dtype``, or nothing where weights are of several."""
        dtypes = set()
        for name, weight in self.weights.items():
            if name in layer._declared and layer._declared[name].buffer is int:
                continue
            dtype = WIDENED.get(weight.dtype, weight.dtype)
            if dtype not in ("float32", "float64"):
                raise MisfitError(
                    f"{name} must be float32, float64 or half precision, got {weight.dtype}"
                )
            dtypes.add(dtype)
        return {"dtype": dtypes.pop()} if len(dtypes) == 1 else {}


def weights_in(state_dict: Mapping[str, Any]) -> dict[str, Weight]:
    """Return the shapes and dtypes of the arrays or tensors in a state_dict.

    Raises
    ------
    TypeError
        If `state_dict` is not a mapping of names.
    """
    if not isinstance(state_dict, Mapping):
        raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
    for name in state_dict:
        if not isinstance(name, str):
            raise TypeError(f"Expected the keys of state_dict to be str, got {name!r}.")
    weights = {}
    for name, value in fold(state_dict).items():
        if hasattr(value, "shape") and hasattr(value, "dtype"):
            dtype = str(value.dtype).removeprefix("torch.")
            weights[name] = Weight(tuple(value.shape), dtype)
    return weights


def groups(weights: Mapping[str, Weight]) -> list[Group]:
    """Return the weights that belong together by their names.

    Names that several classes have go to those that have most of the names under a prefix:
    with a ``running_mean`` beside it, a ``weight`` is a batch norm's alone.
    """
    found: dict[tuple[str, re.Pattern[str]], dict[str, Weight]] = {}
    for name, weight in weights.items():
        prefix, _, leaf = name.rpartition(".")
        for pattern in _LAYERS:
            if pattern.fullmatch(leaf):
                found.setdefault((prefix, pattern), {})[leaf] = weight
    by_prefix: dict[str, dict[frozenset[str], Group]] = {}
    for (prefix, pattern), leaves in found.items():
        here = by_prefix.setdefault(prefix, {})
        group = here.setdefault(frozenset(leaves), Group(prefix, leaves, []))
        group.classes.extend(_LAYERS[pattern])
    return [
        group
        for here in by_prefix.values()
        for names, group in here.items()
        if not any(names < others for others in here)
    ]


def _place(prefix: str) -> str:
    return f"under {prefix!r}" if prefix else "without a prefix"


def _group_of(cls: type[WeightedLayer], found: list[Group], prefix: str) -> Group:
    """Return the weights under a prefix that have names of a class's, or else any there."""
    here = [group for group in found if group.prefix == prefix]
    if not here:
        prefixes = dict.fromkeys(repr(group.prefix) for group in found)
        there = f"weights under {listed(prefixes)}" if prefixes else "no recognised layer"
        raise KeyError(
            f"the state_dict has no weights of a layer {_place(prefix)}: it has {there}"
        )
    return next((group for group in here if group.is_for(cls)), here[0])


def _arguments_of(cls: type[WeightedLayer], group: Group) -> dict[str, Any]:
    """Return the arguments for a layer of a class, or raise an error that names what fits."""
    try:
        arguments = group.arguments_for(cls) if group.is_for(cls) else None
        candidates = group.candidates() if arguments is None else []
    except MisfitError as error:
        raise ValueError(
            f"the weights {_place(group.prefix)} are inconsistent: {error}"
        ) from None
    if arguments is not None:
        return arguments
    kinds = " or ".join(candidate.layer.__name__ for candidate in candidates)
    shapes = ", ".join(f"{name} {shape}" for name, shape in group.shapes.items())
    raise ValueError(
        f"the weights {_place(group.prefix)} are not those of {cls.__name__}: "
        + (f"they fit {kinds}" if kinds else f"their shapes are {shapes}")
    )


def listed(items: Iterable[object]) -> str:
    """Return the first items of what may be many, for an error."""
    texts = [str(item) for item in items]
    more = f" and {len(texts) - MOST_LISTED} more" if len(texts) > MOST_LISTED else ""
    return ", ".join(texts[:MOST_LISTED]) + more

"""Random cases: `draw_case(seed, index)` returns the same one every time."""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tests.campaign.cases import WEIGHTS, Case, Dtype, Layer, Packed
from tests.support.arrays import ARRANGEMENTS

NOT_ARRAYS = [None, 3, 1.5, "x", [[1.0]], (), {}]
OTHER_DTYPES = ["float16", "int64", "int32", "uint8", "bool", "complex64"]
STYLES = {
    "normal": 30,
    "integers": 4,
    "zeros": 3,
    "tiny": 4,
    "large": 5,
    "huge": 3,
    "infinite": 3,
    "NaN": 3,
    "all of them": 2,
}


class Draw:
    """The choices of one case, from one generator, and notes of what they were."""

    def __init__(self, seed: int, index: int) -> None:
        self.choices = random.Random(f"{seed} {index}")
        self.numbers = np.random.default_rng([seed, index])
        self.notes: list[str] = []

    def chance(self, probability: float) -> bool:
        return self.choices.random() < probability

    def pick(self, options: Sequence[Any]) -> Any:
        return options[int(self.choices.random() * len(options))]

    def weighted(self, options: dict[Any, int]) -> Any:
        return self.choices.choices(list(options), list(options.values()))[0]

    def up_to(self, most: int, least: int = 0) -> int:
        return self.choices.randint(least, most)

    def note(self, note: str) -> None:
        self.notes.append(note)

    def array(
        self, shape: Sequence[int], dtype: str = "float32", style: str | None = None
    ) -> np.ndarray:
        """Draw an array: its values of a style, in some memory layout."""
        style = style or self.weighted(STYLES)
        kind = np.dtype(dtype).kind
        if kind in "iub":
            array = self.numbers.integers(0, 2 if kind == "b" else 100, shape).astype(dtype)
        else:
            array = self._floats(tuple(shape), dtype, style)
            if style != "normal":
                self.note(f"values: {style}")
        return self.laid_out(array)

    def _floats(self, shape: tuple[int, ...], dtype: str, style: str) -> np.ndarray:
        x = self.numbers.standard_normal(shape)
        if dtype == "complex64":
            return np.asarray(x).astype(dtype)
        limits = np.finfo(dtype)
        with np.errstate(all="ignore"):
            if style == "integers":
                x = np.round(x * 3)
            elif style == "zeros":
                x = x * 0
            elif style == "tiny":
                x = x * float(limits.smallest_subnormal) * 50
            elif style == "large":
                x = x * 10.0 ** self.up_to(6, 1)
            elif style == "huge":
                x = np.clip(x, -1, 1) * float(limits.max)
            elif style in ("infinite", "NaN", "all of them"):
                x = np.asarray(x)
                hit = self.numbers.random(shape) < self.pick([0.02, 0.3, 1])
                special = {"infinite": [np.inf, -np.inf], "NaN": [np.nan]}.get(
                    style, [np.inf, -np.inf, np.nan, 0, -0.0, limits.max, limits.tiny]
                )
                x[hit] = self.numbers.choice(special, int(hit.sum()))
            return np.asarray(x).astype(dtype)

    def laid_out(self, array: np.ndarray) -> np.ndarray:
        if array.ndim == 0 or self.chance(0.7):
            return array
        layout = self.pick(list(ARRANGEMENTS))
        self.note(f"layout: {layout}")
        return ARRANGEMENTS[layout](array)

    def shape(self, most_axes: int = 4, least_axes: int = 0, most: int = 4) -> tuple[int, ...]:
        return tuple([self.size(most) for _ in range(self.up_to(most_axes, least_axes))])

    def size(self, most: int = 4) -> int:
        """Draw the size of an axis; now and then 0."""
        if self.chance(0.03):
            self.note("an axis of size 0")
            return 0
        return self.up_to(most, 1)

    def dtype(self) -> str:
        return "float64" if self.chance(0.35) else "float32"

    def wrong_dtype(self, dtype: str) -> str:
        self.note("wrong dtype")
        if self.chance(0.5):
            return "float32" if dtype == "float64" else "float64"
        return self.pick(OTHER_DTYPES)

    def not_an_array(self) -> Any:
        self.note("not an array")
        return self.pick(NOT_ARRAYS)

    def weights(self) -> str:
        if self.chance(0.5):
            return "as drawn"
        kind = self.weighted(dict(zip(WEIGHTS[1:], (16, 6, 1, 1, 1, 1, 1))))
        if kind != "normal":
            self.note(f"weights: {kind}")
        return kind

    def case(self, target: Layer | str, *inputs: Any, **more: Any) -> Case:
        seed = self.choices.getrandbits(30)
        return Case(target, inputs, seed=seed, notes=tuple(self.notes), **more)


def draw_case(seed: int, index: int) -> Case:
    """Draw case `index` of the campaign `seed`."""
    draw = Draw(seed, index)
    return draw.weighted(FAMILIES)(draw)


# Recurrent layers and cells

ODD: dict[str, list[Any]] = {
    "size": [0, -1, 1.5, 2.0, "3", None, True, np.int64(3), np.int32(2), (2,)],
    "count": [0, -1, 1.5, "3", None, True, np.int64(2)],
    "bool": [0, 1, None, "yes", np.bool_(True)],
    "dropout": [-0.1, 1.1, True, float("nan"), 2, np.float32(0.5), "0.5", None, 1j],
    "nonlinearity": ["gelu", None, "ReLU", "", 1],
    "dtype": [Dtype(name) for name in ("float16", "complex64", "int32", "bool")],
    "device": ["cuda", "gpu", 0, "meta"],
}


def spoil(draw: Draw, arguments: dict[str, Any], kinds: dict[str, str]) -> None:
    """Replace one or two arguments by something odd."""
    for _ in range(draw.pick([1, 1, 2])):
        name = draw.pick(list(kinds))
        arguments[name] = draw.pick(ODD[kinds[name]])
        draw.note(f"odd {kinds[name]}")


def layer(draw: Draw, name: str, arguments: dict[str, Any]) -> Layer:
    """Pass some leading arguments by position."""
    names = [name for name in arguments if name not in ("device", "dtype")]
    count = draw.pick([0, len(names)]) if draw.chance(0.3) else min(2, len(names))
    return Layer(
        name,
        tuple([arguments[n] for n in names[:count]]),
        {n: value for n, value in arguments.items() if n not in names[:count]},
    )


SEQUENCE_KINDS = {
    "input_size": "size",
    "hidden_size": "size",
    "num_layers": "count",
    "bias": "bool",
    "batch_first": "bool",
    "dropout": "dropout",
    "bidirectional": "bool",
    "nonlinearity": "nonlinearity",
    "proj_size": "size",
    "dtype": "dtype",
    "device": "device",
}


def recurrent_arguments(draw: Draw) -> tuple[str, dict[str, Any]]:
    """Draw the class of a recurrent layer and valid arguments, in the constructor's order."""
    name = draw.pick(["RNN", "LSTM", "GRU"])
    wide = draw.chance(0.02)
    arguments: dict[str, Any] = {
        "input_size": draw.up_to(6, 1),
        "hidden_size": draw.pick([130, 256, 300]) if wide else draw.up_to(9, 1),
        "num_layers": 1 if wide else draw.weighted({1: 5, 2: 3, 3: 1, 4: 1}),
    }
    if name == "RNN":
        arguments["nonlinearity"] = draw.pick(["tanh", "tanh", "relu"])
    arguments["bias"] = draw.chance(0.8)
    arguments["batch_first"] = draw.chance(0.3)
    arguments["dropout"] = draw.pick([0.0, 0.0, 0.0, 0.5, 1.0])
    arguments["bidirectional"] = draw.chance(0.3)
    if name == "LSTM" and draw.chance(0.2) and arguments["hidden_size"] > 1:
        arguments["proj_size"] = draw.up_to(arguments["hidden_size"] - 1, 1)
    if draw.chance(0.35):
        arguments["dtype"] = Dtype("float64")
        if name == "LSTM" and "proj_size" not in arguments:
            arguments["proj_size"] = 0
    return name, arguments


def recurrent_layer(draw: Draw, name: str, arguments: dict[str, Any]) -> Layer:
    """Leave out some of the arguments that have their default values."""
    if draw.chance(0.5):
        return Layer(name, (), arguments)
    first = {k: arguments[k] for k in ("input_size", "hidden_size")}
    rest = {k: v for k, v in arguments.items() if k not in first}
    defaults = {
        "num_layers": 1,
        "nonlinearity": "tanh",
        "bias": True,
        "batch_first": False,
        "dropout": 0.0,
        "bidirectional": False,
        "proj_size": 0,
    }
    for key, value in defaults.items():
        if rest.get(key, draw) == value and type(rest[key]) is type(value):
            del rest[key]
    return Layer(name, tuple(first.values()), rest)


def draw_construction(draw: Draw) -> Case:
    name, arguments = recurrent_arguments(draw)
    kinds = dict(SEQUENCE_KINDS)
    if name != "RNN" and draw.chance(0.8):
        del kinds["nonlinearity"]
    spoil(draw, arguments, kinds)
    draw.note("odd construction")
    size = arguments["input_size"]
    width = size if isinstance(size, int) and not isinstance(size, bool) and size > 0 else 3
    return draw.case(Layer(name, (), arguments), draw.array((3, 2, width)))


def state_sizes(name: str, arguments: dict[str, Any]) -> list[int]:
    hidden = arguments["hidden_size"]
    return [arguments.get("proj_size") or hidden, hidden] if "LSTM" in name else [hidden]


def draw_state(draw: Draw, sizes: list[int], lead: tuple[int, ...], dtype: str) -> Any:
    """Draw what is passed as hx, arrays of shape (*lead, size): mostly right."""
    arrays: list[Any] = []
    wrong = draw.chance(0.25)
    for size in sizes:
        shape = [*lead, size]
        kind = dtype
        if wrong and draw.chance(0.7):
            damage = draw.pick(["size", "size", "axes", "dtype", "not an array"])
            draw.note(f"wrong hx: {damage}")
            if damage == "size":
                place = draw.up_to(len(shape) - 1)
                shape[place] = draw.pick([0, 1, 2, shape[place] + 1, shape[place] + 2])
            elif damage == "axes":
                shape = draw.pick([shape[1:], [1, *shape], shape[:1], []])
            elif damage == "dtype":
                kind = draw.wrong_dtype(dtype)
            else:
                arrays.append(draw.not_an_array())
                continue
        arrays.append(draw.array(shape, kind))
    if wrong and draw.chance(0.2):
        draw.note("wrong hx: number")
        return draw.pick([tuple(arrays) * 2, tuple(arrays[:1]), (), arrays[0], arrays])
    return arrays[0] if len(arrays) == 1 else draw.pick([tuple, tuple, tuple, list])(arrays)


def draw_sequence(draw: Draw) -> Case:
    """A recurrent layer that is well built, over an input that mostly fits."""
    name, arguments = recurrent_arguments(draw)
    dtype = "float64" if "dtype" in arguments else "float32"
    steps = draw.weighted({1: 3, draw.up_to(6, 2): 6, draw.up_to(24, 16): 1, 33: 1})
    batch = draw.pick([1, 1, 2, 3, 5])
    if draw.chance(0.03):
        draw.note("an axis of size 0")
        steps, batch = draw.pick([(0, batch), (steps, 0)])
    batched = draw.chance(0.75)
    shape = [steps, batch] if batched else [steps]
    if batched and arguments["batch_first"]:
        shape.reverse()
    shape.append(arguments["input_size"])
    passes = arguments["num_layers"] * (1 + arguments["bidirectional"])
    lead = (passes, batch) if batched else (passes,)
    kind = dtype
    if draw.chance(0.12):
        damage = draw.pick(["axes", "size", "dtype", "not an array"])
        draw.note(f"wrong input: {damage}")
        if damage == "axes":
            shape = draw.pick([shape[1:], [1, *shape], shape[-1:], [2, 1, *shape], []])
        elif damage == "size":
            shape[-1] = draw.pick([0, 1, shape[-1] + 1])
        elif damage == "dtype":
            kind = draw.wrong_dtype(dtype)
        else:
            return draw.case(recurrent_layer(draw, name, arguments), draw.not_an_array())
    inputs: list[Any] = [draw.array(shape, kind)]
    if draw.chance(0.6):
        sizes = state_sizes(name, arguments)
        inputs.append(draw_state(draw, sizes, lead, dtype))
    training = draw.chance(0.1)
    if training and arguments["dropout"] and arguments["num_layers"] > 1:
        draw.note("dropout acts")
    return draw.case(
        recurrent_layer(draw, name, arguments),
        *inputs,
        weights=draw.weights(),
        training=training,
    )


def draw_packed(draw: Draw) -> Case:
    """A recurrent layer over packed sequences."""
    name, arguments = recurrent_arguments(draw)
    dtype = "float64" if "dtype" in arguments else "float32"
    lengths = [draw.up_to(6, 1) for _ in range(draw.up_to(5, 1))]
    if draw.chance(0.4):
        lengths = [lengths[0]] * len(lengths)
    order = sorted(range(len(lengths)), key=lambda place: -lengths[place])
    lengths.sort(reverse=True)
    sizes = np.array([sum(n > t for n in lengths) for t in range(lengths[0])], np.int64)
    features, kind = arguments["input_size"], dtype
    trailing = (features,)
    if draw.chance(0.12):
        damage = draw.pick(["size", "axes", "dtype"])
        draw.note(f"wrong packed input: {damage}")
        if damage == "size":
            trailing = (features + 1,)
        elif damage == "axes":
            trailing = draw.pick([(), (2, features)])
        else:
            kind = draw.wrong_dtype(dtype)
    data = draw.array((int(sizes.sum()), *trailing), kind)
    indices = None if draw.chance(0.3) else np.array(order, np.int64)
    inverse = None if indices is None else np.argsort(indices)
    inputs: list[Any] = [Packed(data, sizes, indices, inverse)]
    if draw.chance(0.6):
        passes = arguments["num_layers"] * (1 + arguments["bidirectional"])
        lead = (passes, len(lengths))
        inputs.append(draw_state(draw, state_sizes(name, arguments), lead, dtype))
    return draw.case(recurrent_layer(draw, name, arguments), *inputs, weights=draw.weights())


def draw_cell(draw: Draw) -> Case:
    name = draw.pick(["RNNCell", "LSTMCell", "GRUCell"])
    arguments: dict[str, Any] = {
        "input_size": draw.up_to(6, 1),
        "hidden_size": 140 if draw.chance(0.03) else draw.up_to(8, 1),
        "bias": draw.chance(0.8),
    }
    kinds = {"input_size": "size", "hidden_size": "size", "device": "device", "dtype": "dtype"}
    if name == "RNNCell":
        arguments["nonlinearity"] = draw.pick(["tanh", "relu"])
        kinds["nonlinearity"] = "nonlinearity"
    if draw.chance(0.3):
        arguments["dtype"] = Dtype("float64")
    dtype = "float64" if "dtype" in arguments else "float32"
    lead = (draw.pick([1, 1, 2, 4, 0]),) if draw.chance(0.7) else ()
    shape, kind = [*lead, arguments["input_size"]], dtype
    sizes = state_sizes(name, arguments)
    if draw.chance(0.1):
        spoil(draw, arguments, kinds)
    if draw.chance(0.12):
        damage = draw.pick(["axes", "size", "dtype", "not an array"])
        draw.note(f"wrong input: {damage}")
        if damage == "axes":
            shape = draw.pick([[2, *shape], [1, 1, *shape], []])
        elif damage == "size":
            shape[-1] = draw.pick([0, 1, shape[-1] + 1])
        elif damage == "dtype":
            kind = draw.wrong_dtype(dtype)
        else:
            return draw.case(layer(draw, name, arguments), draw.not_an_array())
    inputs: list[Any] = [draw.array(shape, kind)]
    if draw.chance(0.7):
        inputs.append(draw_state(draw, sizes, lead, dtype))
    return draw.case(layer(draw, name, arguments), *inputs, weights=draw.weights())


# Other layers


def draw_linear(draw: Draw) -> tuple[Layer, tuple[int, ...]]:
    features = draw.size(6)
    arguments: dict[str, Any] = {"in_features": features, "out_features": draw.size(5)}
    arguments["bias"] = draw.chance(0.7)
    if draw.chance(0.05):
        spoil(draw, arguments, {"in_features": "size", "out_features": "size"})
    return layer(draw, "Linear", arguments), (*draw.shape(3), features)


def draw_conv(draw: Draw) -> tuple[Layer, tuple[int, ...]]:
    groups = draw.pick([1, 1, 2, 3])
    channels = groups * draw.up_to(3, 1)
    arguments: dict[str, Any] = {
        "in_channels": channels,
        "out_channels": groups * draw.up_to(3, 1),
        "kernel_size": draw.up_to(4, 1),
        "stride": draw.pick([1, 1, 2, 3]),
        "padding": draw.pick([0, 1, 2, 5, "same", "valid", (1,)]),
        "dilation": draw.pick([1, 1, 2]),
        "groups": groups,
        "bias": draw.chance(0.7),
        "padding_mode": draw.pick(["zeros", "zeros", "reflect", "replicate", "circular"]),
    }
    if draw.chance(0.1):
        place = draw.pick(["stride", "padding", "dilation", "groups", "padding_mode"])
        odd = {"padding_mode": ["mirror", None, "Zeros"]}.get(
            place, [0, -1, (1, 2), (2,), "same", "full"]
        )
        arguments[place] = draw.pick(odd if place != "groups" else [0, -1, 2, 4])
        draw.note(f"odd {place}")
    lead = (draw.size(3),) if draw.chance(0.8) else ()
    return layer(draw, "Conv1d", arguments), (*lead, channels, draw.size(12))


def draw_conv2d(draw: Draw) -> tuple[Layer, tuple[int, ...]]:
    name = draw.pick(["Conv2d", "Conv2d", "ConvTranspose1d", "ConvTranspose2d"])
    axes, groups = int(name[-2]), draw.pick([1, 1, 2, 3])

    def sizes(most: int, least: int) -> Any:
        return draw.up_to(most, least) if axes == 1 else (draw.up_to(most, least),) * axes

    arguments: dict[str, Any] = {
        "in_channels": groups * draw.up_to(3, 1),
        "out_channels": groups * draw.up_to(3, 1),
        "kernel_size": sizes(4, 1),
        "stride": sizes(3, 1),
        "padding": sizes(3, 0),
        "dilation": draw.pick([1, 1, 2]),
        "groups": groups,
        "bias": draw.chance(0.7),
    }
    if draw.chance(0.1):
        place = draw.pick(["stride", "padding", "dilation"])
        arguments[place] = draw.pick([0, -1, (1, 2, 3), (2,)])
        draw.note(f"odd {place}")
    lead = (draw.size(3),) if draw.chance(0.8) else ()
    space = [draw.size(9) for _ in range(axes)]
    return Layer(name, (), arguments), (*lead, arguments["in_channels"], *space)


def draw_batch_norm(draw: Draw) -> tuple[Layer, tuple[int, ...]]:
    channels = draw.size(4)
    arguments: dict[str, Any] = {
        "num_features": channels,
        "eps": draw.pick([1e-5, 1e-3, 0.0, 0, -1.0, 1e-12]),
        "momentum": draw.pick([0.1, None]),
        "affine": draw.chance(0.7),
        "track_running_stats": draw.chance(0.7),
    }
    if draw.chance(0.2):
        arguments["bias"] = draw.chance(0.5)
        return Layer("BatchNorm1d", (), arguments), _norm_shape(draw, channels)
    return layer(draw, "BatchNorm1d", arguments), _norm_shape(draw, channels)


def _norm_shape(draw: Draw, channels: int) -> tuple[int, ...]:
    return (draw.size(5), channels, *((draw.size(6),) if draw.chance(0.5) else ()))


def draw_norm_of_channels(draw: Draw) -> tuple[Layer, tuple[int, ...]]:
    name = draw.pick(["BatchNorm2d", "InstanceNorm1d", "InstanceNorm2d", "GroupNorm"])
    channels = draw.up_to(4, 1)
    lead = (draw.size(4),) if draw.chance(0.8) or name[0] in "BG" else ()
    axes = 1 if name.endswith("1d") else 2
    shape = (*lead, channels, *(draw.up_to(5, 1) for _ in range(axes)))
    arguments: dict[str, Any] = {
        "eps": draw.pick([1e-5, 1e-3, 1e-12]),
        "affine": draw.chance(0.7),
        "bias": draw.chance(0.7),
    }
    if name == "GroupNorm":
        arguments |= {"num_groups": draw.pick([1, 1, channels, 2]), "num_channels": channels}
        return layer(draw, name, arguments), shape
    arguments |= {"num_features": channels, "track_running_stats": draw.chance(0.5)}
    return Layer(name, (), arguments), shape


def draw_layer_norm(draw: Draw) -> tuple[Layer, tuple[int, ...]]:
    shape = draw.shape(3, 1)
    count = draw.up_to(len(shape), 1)
    normalized: Any = draw.pick([tuple, list])(shape[-count:])
    if count == 1 and draw.chance(0.5):
        normalized = shape[-1]
    arguments: dict[str, Any] = {
        "normalized_shape": normalized,
        "eps": draw.pick([1e-5, 1e-5, 1e-3, 0.0, 1e-12]),
        "elementwise_affine": draw.chance(0.7),
        "bias": draw.chance(0.7),
    }
    if draw.chance(0.03):
        arguments["normalized_shape"] = draw.pick([(), -1, 1.5, None, "a"])
        draw.note("odd normalized_shape")
    return layer(draw, "LayerNorm", arguments), shape


ACTIVATIONS = [
    *("ReLU", "LeakyReLU", "Tanh", "Sigmoid", "Softmax", "Softmax", "LogSoftmax", "ReLU6"),
    *("Hardtanh", "Threshold", "ELU", "SELU", "SiLU", "GELU", "GLU", "PReLU", "Softplus"),
    "LogSigmoid",
]


def draw_activation(draw: Draw) -> tuple[Layer, tuple[int, ...]]:
    name = draw.pick(ACTIVATIONS)
    shape, dim = draw.shape(4), draw.pick([0, 1, -1, 2, -2, 3, 7, None, 1.0, True])
    arguments: dict[str, Any] = {
        "ReLU": lambda: {"inplace": draw.chance(0.3)},
        "LeakyReLU": lambda: {
            "negative_slope": draw.pick([0.01, 0.5, 0, 2, -1.0, float("inf")]),
            "inplace": draw.chance(0.3),
        },
        "ReLU6": lambda: {"inplace": draw.chance(0.3)},
        "Hardtanh": lambda: {"min_val": draw.pick([-1.0, -5, 2.0]), "max_val": 1.5},
        "Threshold": lambda: {
            "threshold": draw.pick([0.1, -1, 0]),
            "value": draw.pick([0, 9.5]),
        },
        "ELU": lambda: {"alpha": draw.pick([1.0, 0.5, 0, -1.0, 3])},
        "GELU": lambda: {"approximate": draw.pick(["none", "none", "tanh", "erf"])},
        "Softplus": lambda: {
            "beta": draw.pick([1, 0.5, 3.0]),
            "threshold": draw.pick([20, 1.5]),
        },
        "GLU": lambda: {"dim": draw.pick([0, 1, -1, 2, -2, 7])},
        "PReLU": lambda: {"num_parameters": draw.pick([1, 1, *shape[1:2], 2])},
        "Softmax": lambda: {"dim": dim},
        "LogSoftmax": lambda: {"dim": dim},
    }.get(name, dict)()
    return layer(draw, name, arguments), shape


def draw_shaper(draw: Draw) -> tuple[Layer, tuple[int, ...]]:
    name = draw.pick(["Flatten", "Dropout", "Dropout1d", "Identity"])
    arguments: dict[str, Any] = {
        "Flatten": lambda: {
            "start_dim": draw.up_to(3, -3),
            "end_dim": draw.up_to(3, -3),
        },
        "Dropout": lambda: {
            "p": draw.pick([0.0, 0.3, 0.5, 1.0, 1, -0.1, 1.5]),
            "inplace": draw.chance(0.3),
        },
        "Dropout1d": lambda: {"p": draw.pick([0.0, 1.0, 1, -0.1])},
        "Identity": lambda: {"anything": 1},
    }[name]()
    return Layer(name, (), arguments), draw.shape(4)


WINDOWED = [
    *("MaxPool", "MaxPool", "AvgPool", "AvgPool", "AdaptiveAvgPool", "AdaptiveMaxPool"),
    *("ZeroPad", "ReflectionPad", "ReplicationPad", "Upsample", "Unfold"),
]


def draw_windowed(draw: Draw) -> tuple[Layer, tuple[int, ...]]:
    """A layer that slides windows, pads or resamples."""
    name, axes = draw.pick(WINDOWED), draw.up_to(2, 1)
    lead = draw.pick([(2, 3), (1, 2), (3,)])
    shape = (*lead, *(draw.up_to(7, 1) for _ in range(axes)))
    options: dict[str, Any] = {
        "kernel_size": draw.up_to(4, 1),
        "stride": draw.pick([None, 1, 2, 3, 0]),
        "padding": draw.pick([0, 0, 1, 2, -1]),
        "ceil_mode": draw.chance(0.4),
    }
    if name == "Unfold":
        del options["ceil_mode"]
        options |= {"stride": options["stride"] or 1, "dilation": draw.pick([1, 2, 0])}
        return Layer(name, (), options), shape
    if name == "Upsample":
        mode = draw.pick(["nearest", "linear", "bilinear", "area"])
        options = {"mode": mode, "align_corners": draw.pick([None, None, True, False])}
        place = draw.pick(["size", "scale_factor", "scale_factor"])
        options[place] = (
            draw.pick([1, 2, 3, 9]) if place == "size" else draw.pick([2, 1.3, 0.6])
        )
        return Layer(name, (), options), shape
    if name.startswith("Adaptive"):
        options = {"output_size": draw.pick([1, 2, 3, 7, 0, -1])}
    elif name.endswith("Pad"):
        options = {"padding": draw.up_to(4, -2)}
    elif name == "AvgPool":
        options["count_include_pad"] = draw.chance(0.5)
    else:
        options["dilation"] = draw.pick([1, 1, 2, 0])
    if "Max" in name:
        options["return_indices"] = draw.chance(0.4)
    return Layer(f"{name}{axes}d", (), options), shape


OTHER_LAYERS: list[Callable[[Draw], tuple[Layer, tuple[int, ...]]]] = [
    draw_linear,
    draw_conv,
    draw_conv2d,
    draw_conv,
    draw_batch_norm,
    draw_layer_norm,
    draw_norm_of_channels,
    draw_activation,
    draw_activation,
    draw_shaper,
    draw_windowed,
    draw_windowed,
]
WITH_DTYPE = (
    *("Conv2d", "ConvTranspose1d", "ConvTranspose2d"),
    *("Linear", "Conv1d", "BatchNorm1d", "BatchNorm2d", "InstanceNorm1d", "InstanceNorm2d"),
    *("GroupNorm", "LayerNorm", "PReLU", "Embedding"),
)


def draw_other_layer(draw: Draw) -> Case:
    target, shape = draw.pick(OTHER_LAYERS)(draw)
    dtype = draw.dtype()
    if target.name in WITH_DTYPE and dtype == "float64":
        target.kwargs["dtype"] = Dtype(dtype)
    inputs = [damaged_input(draw, shape, dtype)]
    training = draw.chance(0.15)
    return draw.case(target, *inputs, weights=draw.weights(), training=training)


def damaged_input(draw: Draw, shape: tuple[int, ...], dtype: str) -> Any:
    """Draw an input, and now and then one that does not fit."""
    if not draw.chance(0.12):
        return draw.array(shape, dtype)
    damage = draw.pick(["axes", "size", "dtype", "not an array"])
    draw.note(f"wrong input: {damage}")
    if damage == "not an array":
        return draw.not_an_array()
    if damage == "dtype":
        return draw.array(shape, draw.wrong_dtype(dtype))
    if damage == "axes" or not shape:
        return draw.array(draw.pick([shape[1:], (1, *shape), (2, 2, *shape), ()]), dtype)
    place = draw.up_to(len(shape) - 1)
    other = draw.pick([0, 1, shape[place] + 1])
    return draw.array((*shape[:place], other, *shape[place + 1 :]), dtype)


def draw_embedding(draw: Draw) -> Case:
    rows, columns = draw.size(6), draw.size(4)
    arguments: dict[str, Any] = {"num_embeddings": rows, "embedding_dim": columns}
    if draw.chance(0.4):
        arguments["padding_idx"] = draw.up_to(7, -7)
    if draw.chance(0.3):
        arguments["max_norm"] = draw.pick([1.0, 0.1, 3, 0.0])
        arguments["norm_type"] = draw.pick([2.0, 1.0, 3.5, float("inf"), 2])
    if draw.chance(0.3):
        arguments["dtype"] = Dtype("float64")
    return draw.case(
        layer(draw, "Embedding", arguments)
        if draw.chance(0.1)
        else Layer("Embedding", (), arguments),
        draw_indices(draw, rows),
        weights=draw.weights(),
    )


def draw_indices(draw: Draw, rows: int) -> Any:
    shape = draw.shape(3)
    if draw.chance(0.1):
        draw.note("indices out of range")
        return draw.laid_out(draw.numbers.integers(-2, rows + 2, shape))
    if draw.chance(0.1):
        draw.note("wrong input: dtype")
        kind = draw.pick(["float32", "int16", "uint8", "bool", "float64", "int8"])
        return draw.laid_out(np.zeros(shape, kind))
    if draw.chance(0.03):
        return draw.not_an_array()
    indices = draw.numbers.integers(0, max(rows, 1), shape)
    return draw.laid_out(np.asarray(indices).astype(draw.pick(["int64", "int64", "int32"])))


# Containers


def draw_container(draw: Draw) -> Case:
    """A `Sequential` of layers, changed and called; or another container, not called."""
    features = draw.up_to(5, 1)
    kind = draw.pick(["Sequential", "Sequential", "Sequential", "ModuleList", "ModuleDict"])
    dtype = draw.dtype()
    last = [features]

    def one() -> Layer:
        name = draw.pick(["Linear", "ReLU", "Tanh", "LayerNorm", "Sigmoid", "Sequential"])
        own = {} if dtype == "float32" else {"dtype": Dtype(dtype)}
        if name == "Linear":
            out = draw.up_to(5, 1)
            result = Layer("Linear", (last[0], out), own)
            last[0] = out
            return result
        if name == "LayerNorm":
            return Layer("LayerNorm", (last[0],), own)
        if name == "Sequential":
            return Layer(name, (Layer("Tanh"), Layer("Linear", (last[0], last[0]), own)))
        return Layer(name)

    held = [one() for _ in range(draw.up_to(4))]
    if kind == "ModuleDict":
        target = Layer(kind, ([(f"m{place}", item) for place, item in enumerate(held)],))
    elif kind == "ModuleList":
        target = Layer(kind, (held,))
    elif draw.chance(0.2):
        names = OrderedDict((f"m{place}", item) for place, item in enumerate(held))
        target = Layer(kind, (names,))
    else:
        target = Layer(kind, tuple(held))
    changes = []
    if kind != "ModuleDict":
        for _ in range(draw.pick([0, 0, 1, 2])):
            place = draw.up_to(5, -5)
            cut = slice(*(draw.pick([None, draw.up_to(4, -4)]) for _ in range(2)))
            change = draw.pick(
                [
                    ("append", (one(),)),
                    ("insert", (place, one())),
                    ("extend", ([one(), one()],)),
                    ("__setitem__", (place, one())),
                    ("__delitem__", (draw.pick([place, cut]),)),
                    ("__getitem__", (cut,)),
                    ("pop", (place,)),
                    ("append", (draw.pick([3, None]),)),
                ]
            )
            changes.append(change)
    return draw.case(
        target,
        damaged_input(draw, (draw.size(3), features), dtype),
        changes=tuple(changes),
        weights=draw.weights(),
    )


# Functions


def draw_function(draw: Draw) -> Case:
    name = draw.pick(list(FUNCTIONS))
    inputs, options = FUNCTIONS[name](draw, draw.dtype())
    if draw.chance(0.08):
        place = draw.up_to(len(inputs) - 1)
        if isinstance(inputs[place], np.ndarray):
            draw.note("wrong argument")
            shape = inputs[place].shape
            inputs[place] = draw.pick(
                [
                    lambda: draw.not_an_array(),
                    lambda: draw.array(shape, draw.wrong_dtype("float32")),
                    lambda: draw.array(shape[1:]),
                    lambda: draw.array((2, *shape)),
                ]
            )()
    return draw.case(f"functional.{name}", *inputs, options=options)


def _elementwise(draw: Draw, dtype: str) -> Any:
    kind = draw.pick(["int64", "int32", "uint8", "bool"]) if draw.chance(0.1) else dtype
    return [draw.array(draw.shape(4), kind)], {}


def _leaky(draw: Draw, dtype: str) -> Any:
    slope = draw.pick([0.01, 0.5, 0, -1.0, float("inf"), float("nan"), 1e300, 2])
    return [draw.array(draw.shape(4), dtype)], {"negative_slope": slope}


def _softmax(draw: Draw, dtype: str) -> Any:
    options: dict[str, Any] = {"dim": draw.up_to(4, -4)}
    if draw.chance(0.1):
        options["dim"] = draw.pick([None, 1.0, "a", np.int64(0)])
    if draw.chance(0.2):
        options["dtype"] = Dtype(draw.dtype())
    kind = "int64" if draw.chance(0.1) else dtype
    return [draw.array(draw.shape(4), kind)], options


def _linear(draw: Draw, dtype: str) -> Any:
    features, out = draw.size(6), draw.size(5)
    inputs = [draw.array((*draw.shape(3), features), dtype), draw.array((out, features), dtype)]
    if draw.chance(0.6):
        inputs.append(draw.array((out,), dtype))
    return inputs, {}


def _dropout(draw: Draw, dtype: str) -> Any:
    options = {"p": draw.pick([0.0, 0.5, 1.0, -0.5, 1.5]), "training": draw.chance(0.5)}
    return [draw.array(draw.shape(3), dtype)], options


def _embedding(draw: Draw, dtype: str) -> Any:
    rows = draw.size(6)
    options: dict[str, Any] = {}
    if draw.chance(0.3):
        options["padding_idx"] = draw.up_to(7, -7)
    return [draw_indices(draw, rows), draw.array((rows, draw.size(4)), dtype)], options


def _conv1d(draw: Draw, dtype: str) -> Any:
    groups, depth, taps = draw.pick([1, 1, 2]), draw.up_to(3, 1), draw.up_to(4, 1)
    filters = groups * draw.up_to(3, 1)
    lead = (draw.size(3),) if draw.chance(0.8) else ()
    inputs = [
        draw.array((*lead, groups * depth, draw.size(10)), dtype),
        draw.array((filters, depth, taps), dtype),
    ]
    if draw.chance(0.5):
        inputs.append(draw.array((filters,), dtype))
    options: dict[str, Any] = {
        "stride": draw.pick([1, 2, (1,), 3]),
        "padding": draw.pick([0, 1, "same", "valid", (2,), 4]),
        "dilation": draw.pick([1, 2]),
        "groups": groups,
    }
    if draw.chance(0.1):
        place = draw.pick(list(options))
        options[place] = draw.pick([0, -1, 3, (1, 2)] if place != "groups" else [0, -1, 3])
        draw.note(f"odd {place}")
    return inputs, options


def _pad(draw: Draw, dtype: str) -> Any:
    mode = draw.pick(["constant", "reflect", "replicate", "circular"])
    kind = draw.pick(["int64", "uint8", "bool", "complex64"]) if draw.chance(0.1) else dtype
    x = draw.array(draw.shape(4, 0 if mode == "constant" else 1, 6), kind)
    count = draw.pick([2, 2, 2, 4, 6, 1, 0] if mode == "constant" else [2, 2, 2, 4, 4, 1, 6])
    sizes = [draw.up_to(5, -2 if draw.chance(0.3) else 0) for _ in range(count)]
    options: dict[str, Any] = {"mode": mode}
    if draw.chance(0.3 if mode == "constant" else 0.05):
        options["value"] = draw.pick([0, 1.5, -1, float("nan"), float("inf"), None, 1e300])
    if draw.chance(0.02):
        options["mode"] = draw.pick(["mirror", ""])
    return [x, draw.pick([tuple, list])(sizes)], options


def _batch_norm(draw: Draw, dtype: str) -> Any:
    channels = draw.size(4)
    x = draw.array(_norm_shape(draw, channels), dtype)
    training = draw.chance(0.4)
    inputs: list[Any] = [x, None, None]
    if not training:
        inputs[1:] = [draw.array((channels,), dtype), abs(draw.array((channels,), dtype))]
    inputs += [draw.array((channels,), dtype) for _ in range(draw.up_to(2))]
    options = {"training": training, "eps": draw.pick([1e-5, 1e-3, 0.0, 1e-12, -1.0])}
    return inputs, options


def _layer_norm(draw: Draw, dtype: str) -> Any:
    shape = draw.shape(3, 1)
    normalized = shape[-draw.up_to(len(shape), 1) :]
    inputs: list[Any] = [draw.array(shape, dtype), draw.pick([tuple, list])(normalized)]
    inputs += [draw.array(normalized, dtype) for _ in range(draw.up_to(2))]
    return inputs, {"eps": draw.pick([1e-5, 1e-3, 0.0, 1e-12, -1.0])}


FUNCTIONS: dict[str, Callable[[Draw, str], Any]] = {
    "sigmoid": _elementwise,
    "tanh": _elementwise,
    "relu": _elementwise,
    "leaky_relu": _leaky,
    "softmax": _softmax,
    "log_softmax": _softmax,
    "linear": _linear,
    "dropout": _dropout,
    "embedding": _embedding,
    "conv1d": _conv1d,
    "pad": _pad,
    "batch_norm": _batch_norm,
    "layer_norm": _layer_norm,
}

# Batches of sequences

ANY_DTYPE = ["float32", "float64", "int64", "int32", "int8", "uint8", "bool", "complex64"]
PADDINGS = [0.0, 1, -1, 2.5, -0.5, True, 200, 300, 1e30, 1e300, float("nan"), float("inf"), 1j]
PADDINGS += [np.float32(1.5), np.int8(-3), "0", None]


def draw_batching(draw: Draw) -> Case:
    name = draw.pick(list(BATCHING))
    inputs, options = BATCHING[name](draw)
    return draw.case(f"rnn.{name}", *inputs, options=options)


def _sequences(draw: Draw) -> list[Any]:
    trailing, dtype = draw.shape(2, 0, 3), draw.pick(ANY_DTYPE)
    lengths = [draw.up_to(6, 0 if draw.chance(0.1) else 1) for _ in range(draw.up_to(6))]
    if draw.chance(0.5):
        lengths.sort(reverse=True)
    sequences: list[Any] = [draw.array((n, *trailing), dtype) for n in lengths]
    if sequences and draw.chance(0.1):
        draw.note("sequences of different shapes or dtypes")
        place = draw.up_to(len(sequences) - 1)
        sequences[place] = draw.pick(
            [
                lambda: draw.array((lengths[place], *draw.shape(2, 0, 3)), dtype),
                lambda: draw.array((lengths[place], *trailing), draw.pick(ANY_DTYPE)),
                lambda: draw.not_an_array(),
                lambda: draw.array((), dtype),
            ]
        )()
    return sequences


def _lengths(draw: Draw, batch: int, limit: int) -> Any:
    count = batch + draw.pick([0] * 12 + [1, -1])
    lengths = [draw.up_to(max(limit, 1), 1) for _ in range(max(count, 0))]
    if lengths and draw.chance(0.08):
        draw.note("odd lengths")
        lengths[draw.up_to(len(lengths) - 1)] = draw.pick([0, -1, limit + 1, limit + 3])
    if draw.chance(0.6):
        lengths.sort(reverse=True)
    if draw.chance(0.5):
        return np.array(lengths, draw.pick(["int64", "int32", "float32", "int8"]))
    return draw.pick([list, list, tuple])(lengths)


def _pack_padded(draw: Draw) -> Any:
    limit, batch, batch_first = draw.size(6), draw.size(8), draw.chance(0.4)
    batch += 12 if draw.chance(0.2) else 0
    shape = (batch, limit) if batch_first else (limit, batch)
    x = draw.array((*shape, *draw.shape(2)), draw.pick(ANY_DTYPE))
    if draw.chance(0.03):
        x = draw.pick([draw.array((3,)), draw.array(()), draw.not_an_array()])
    return [x, _lengths(draw, batch, limit)], {
        "batch_first": draw.pick(ODD["bool"]) if draw.chance(0.03) else batch_first,
        "enforce_sorted": draw.chance(0.4),
    }


def _packed(draw: Draw) -> Packed:
    lengths = sorted([draw.up_to(6, 1) for _ in range(draw.up_to(6, 1))], reverse=True)
    sizes = np.array([sum(n > t for n in lengths) for t in range(lengths[0])], np.int64)
    data = draw.array((sum(lengths), *draw.shape(2, 0, 3)), draw.pick(ANY_DTYPE))
    indices = draw.numbers.permutation(len(lengths)) if draw.chance(0.6) else None
    return Packed(data, sizes, indices)


def _pad_packed(draw: Draw) -> Any:
    options: dict[str, Any] = {"batch_first": draw.chance(0.4)}
    if draw.chance(0.4):
        options["padding_value"] = draw.pick(PADDINGS)
    if draw.chance(0.4):
        options["total_length"] = draw.pick([6, 6, 9, 3, 0, -1, 7.5, None])
    return [_packed(draw)], options


def _pad_sequence(draw: Draw) -> Any:
    options: dict[str, Any] = {"batch_first": draw.chance(0.4)}
    if draw.chance(0.4):
        options["padding_value"] = draw.pick(PADDINGS)
    if draw.chance(0.3):
        options["padding_side"] = draw.pick(["left", "left", "right", "middle", None])
    return [_sequences(draw)], options


def _unpad(draw: Draw) -> Any:
    limit, batch, batch_first = draw.size(6), draw.size(6), draw.chance(0.4)
    shape = (batch, limit) if batch_first else (limit, batch)
    lengths = np.array(
        [draw.up_to(limit + 2, -1) for _ in range(batch + draw.pick([0] * 9 + [1]))],
        draw.pick(["int64", "int8", "float32"]),
    )
    x = draw.array((*shape, *draw.shape(2)), draw.pick(ANY_DTYPE))
    return [x, lengths], {"batch_first": batch_first}


def _permutation(draw: Draw) -> Any:
    indices: Any = draw.numbers.permutation(draw.up_to(8))
    if draw.chance(0.2) and len(indices):
        draw.note("not a permutation")
        indices[draw.up_to(len(indices) - 1)] += draw.pick([1, -1, 20])
    return [draw.pick([indices, indices, indices, None])], {}


BATCHING: dict[str, Callable[[Draw], Any]] = {
    "pack_padded_sequence": _pack_padded,
    "pad_packed_sequence": _pad_packed,
    "pad_sequence": _pad_sequence,
    "unpad_sequence": _unpad,
    "pack_sequence": lambda draw: ([_sequences(draw)], {"enforce_sorted": draw.chance(0.5)}),
    "unpack_sequence": lambda draw: ([_packed(draw)], {}),
    "invert_permutation": _permutation,
}

FAMILIES: dict[Callable[[Draw], Case], int] = {
    draw_sequence: 30,
    draw_construction: 6,
    draw_packed: 12,
    draw_cell: 12,
    draw_other_layer: 16,
    draw_embedding: 3,
    draw_container: 5,
    draw_function: 10,
    draw_batching: 10,
}

"""A layer from a file beside torch's: the same weights, the same random inputs, compared.

No other module of the package imports torch, and this one only when a command asks for it.
"""

from __future__ import annotations

import copy
import importlib
import inspect
import math
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from numpy_rnn._typing import AnyArray
from numpy_rnn.commands.common import CommandError, status
from numpy_rnn.description import LayerDescription
from numpy_rnn.modules import Module
from numpy_rnn.modules.weighted import Shape
from numpy_rnn.testing import Comparison, compare
from numpy_rnn.testing.criterion import MARGIN
from numpy_rnn.testing.nested import leaves

__all__ = [
    "TooLargeError",
    "arrays",
    "build",
    "compare_with_torch",
    "fitting_batch",
    "import_torch",
    "random_inputs",
    "torch_twin",
]

MOST_ELEMENTS = 2**24
"""Up to how many an input or a result may have."""


class TooLargeError(Exception):
    """A layer cannot be run in the memory that this may take."""


def import_torch(command: str) -> Any:
    """Return torch, which a command needs.

    Raises
    ------
    CommandError
        If it is not there or lacks a shared library.
    """
    try:
        with status("importing torch"):
            return importlib.import_module("torch")
    except (ImportError, OSError) as error:
        raise CommandError(f"{command} needs torch: pip install torch ({error})") from None


def build(
    layer: LayerDescription, state_dict: Mapping[str, AnyArray], unknown: Mapping[str, Any]
) -> Module:
    """Return our layer in evaluation mode; `unknown` are arguments that weights do not show."""
    weights = {name: state_dict[name] for name in layer.parameters}
    dtype = layer.arguments.get("dtype", "float32")
    return layer.build(weights, dtype=dtype, **unknown).eval()


def torch_twin(
    torch: Any, layer: LayerDescription, ours: Module, unknown: Mapping[str, Any]
) -> Any:
    """Return torch's layer with the weights of ours."""
    # An older torch lacks some arguments, so those at their defaults are left out.
    parameters = inspect.signature(layer.layer_class).parameters
    arguments = {
        name: value
        for name, value in layer.arguments.items()
        if name != "dtype" and value != parameters[name].default
    }
    dtype = getattr(torch, layer.arguments.get("dtype", "float32"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = getattr(torch.nn, layer.kind)(**arguments, **unknown, dtype=dtype).eval()
    theirs.load_state_dict(
        {name: torch.from_numpy(array.copy()) for name, array in ours.state_dict().items()}
    )
    return theirs


def compare_with_torch(
    torch: Any, ours: Module, theirs: Any, inputs: list[AnyArray]
) -> Comparison:
    """Return the comparison of the array that differs most."""
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # of torch's own, about speed
        tensors = [torch.from_numpy(x) for x in inputs]
        reference = arrays(theirs(*tensors))
        doubles = [x.double() if x.is_floating_point() else x for x in tensors]
        exact = arrays(copy.deepcopy(theirs).double()(*doubles))
    results = zip(arrays(ours(*inputs)), reference, exact, strict=True)
    found = [compare(*triple, margin=MARGIN) for triple in results]
    return max(found, key=lambda comparison: (not comparison.agrees, comparison.error))


def random_inputs(layer: LayerDescription, batch: int, steps: int, seed: int) -> list[AnyArray]:
    """Return a batch of the inputs that the layer takes, mostly one."""
    rng = np.random.default_rng(seed)
    known = layer.arguments
    if layer.kind == "Embedding":
        count = known["num_embeddings"]
        return [rng.integers(max(count, 1), size=(batch, steps if count else 0))]
    dtype = np.dtype(known.get("dtype", "float32"))
    drawn = _input_shapes(layer.kind, known, batch, steps)
    return [rng.standard_normal(shape).astype(dtype) for shape in drawn]


def fitting_batch(
    layer: LayerDescription, shapes: list[Shape], batch: int, steps: int
) -> tuple[int, int]:
    """Return a size of batch, and steps, of which inputs and results take what they may.

    Raises
    ------
    TooLargeError
        If those of a single step take more.
    """
    sizes = map(math.prod if layer.kind == "LayerNorm" else max, filter(None, shapes))
    widest = max(sizes, default=1)
    places = MOST_ELEMENTS // max(widest, 1)
    if places == 0:
        raise TooLargeError(f"it has {widest} features, and at most {MOST_ELEMENTS} are run")
    batch = min(batch, places)
    return batch, min(steps, places // batch)


def _input_shapes(kind: str, known: dict[str, Any], batch: int, steps: int) -> list[Shape]:
    if kind == "Linear":
        return [(steps, batch, known["in_features"])]
    if kind == "Bilinear":
        return [(batch, known["in1_features"]), (batch, known["in2_features"])]
    if kind.startswith("Conv"):
        kernel = known["kernel_size"]
        first, *second = kernel if isinstance(kernel, tuple) else (kernel,)
        return [(batch, known["in_channels"], steps + first, *(2 + size for size in second))]
    for name in ("num_features", "num_channels", "num_parameters"):
        if name in known:
            return [(batch, known[name], steps, *((3,) if kind.endswith("2d") else ()))]
    if kind == "LayerNorm":
        shape = known["normalized_shape"]
        return [(batch, *(shape if isinstance(shape, tuple) else (shape,)))]
    lead = (batch,) if kind.endswith("Cell") else (steps, batch)
    return [(*lead, known["input_size"])]


def arrays(result: Any) -> list[AnyArray]:
    """Return what a layer or its twin returned as a list of arrays."""
    return [np.asarray(leaf) for _, leaf in leaves(result)]

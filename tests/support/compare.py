"""The two comparators that carry the suite: one for results, one for errors.

The criterion and its tolerances are in `numpy_rnn.testing`.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.nn.utils import rnn as torch_rnn

import numpy_rnn as nn
from numpy_rnn import functional
from numpy_rnn.testing import compare, nested


def to_torch(value: Any) -> Any:
    """Return arrays as tensors of their own, throughout lists, tuples and packed sequences."""
    return nested.map_leaves(_tensor, value, torch_rnn.PackedSequence)


def _tensor(leaf: Any) -> Any:
    return torch.from_numpy(leaf.copy()) if isinstance(leaf, np.ndarray) else leaf


def leaves(value: Any) -> list[Any]:
    """Return the arrays or tensors, or None, in nested tuples."""
    return [leaf for _, leaf in nested.leaves(value)]


def assert_close(ours: Any, theirs: Any, truth: Any = None) -> None:
    """Compare results with torch's: number, shapes, dtypes and values.

    Parameters
    ----------
    ours : array, or nested tuples of arrays
    theirs : tensor, or nested tuples of tensors
        torch's result on the same input in the same precision.
    truth : tensor, or nested tuples of tensors, optional
        torch's result in float64; wanted for float32.
    """
    ours, theirs = leaves(ours), leaves(theirs)
    truths = leaves(truth) if truth is not None else theirs
    for mine, tensor, exact in zip(ours, theirs, truths, strict=True):
        if tensor is None:
            assert mine is None
            continue
        reference = tensor.detach().numpy()
        assert type(mine) is np.ndarray
        assert mine.shape == reference.shape
        assert mine.dtype == reference.dtype
        assert np.isfinite(reference).all(), "what is not finite has tests of its own"
        if mine.dtype == np.float32:
            assert exact.dtype == torch.float64, "float32 is judged by the float64 truth"
        found = compare(mine, reference, exact.detach().numpy())
        assert found.agrees, f"error {found.error:.3e}, allowed {found.allowed:.3e}"


def assert_parity(module: Any, torch_module: torch.nn.Module, *inputs: Any) -> None:
    """Run a module and torch's with the same weights on the same inputs and compare.

    Parameters
    ----------
    module : numpy_rnn.Module
        Takes the weights of `torch_module`.
    torch_module : torch.nn.Module
        In the precision to be compared.
    *inputs : array, tuple of arrays, or None
    """
    module.load_state_dict(torch_module.state_dict())
    ours = module(*inputs)
    with torch.inference_mode():
        theirs = torch_module(*to_torch(inputs))
        truth = theirs
        if leaves(theirs)[0].dtype == torch.float32:
            doubles = nested.map_leaves(_double, to_torch(inputs), torch_rnn.PackedSequence)
            truth = copy.deepcopy(torch_module).double()(*doubles)
    assert_close(ours, theirs, truth)


def pair(name: str, *args: Any, dtype: str | None = None, **kwargs: Any) -> tuple[Any, Any]:
    """Return a module of ours and one of torch's, both in eval mode."""
    ours = {} if dtype is None else {"dtype": dtype}
    theirs = {} if dtype is None else {"dtype": getattr(torch, dtype)}
    return (
        getattr(nn, name)(*args, **kwargs, **ours).eval(),
        getattr(torch.nn, name)(*args, **kwargs, **theirs).eval(),
    )


def assert_function_parity(name: str, *inputs: Any, **options: Any) -> None:
    """Call a function of ours and of ``torch.nn.functional`` and compare.

    Parameters
    ----------
    name : str
    *inputs : array, tuple of arrays, or anything that both take
        In the precision to be compared.
    **options
        The same by name; a dtype by its name.
    """
    theirs = getattr(torch.nn.functional, name)
    ours = getattr(functional, name)(*inputs, **options)
    dtype = options.pop("dtype", None)
    tensors, options = to_torch(inputs), to_torch(options)
    doubles = nested.map_leaves(_double, tensors), nested.map_leaves(_double, options)
    if dtype is not None:
        options["dtype"], doubles[1]["dtype"] = getattr(torch, dtype), torch.float64
    assert_close(ours, theirs(*tensors, **options), theirs(*doubles[0], **doubles[1]))


def _double(leaf: Any) -> Any:
    is_float = isinstance(leaf, torch.Tensor) and leaf.is_floating_point()
    return leaf.double() if is_float else leaf


def assert_same_error(ours: Callable[[], Any], theirs: Callable[[], Any]) -> None:
    """Let both raise and compare the exceptions' types and texts.

    The texts must agree but for the names of the libraries' own types: see `normalised`.
    """
    expected = raised_by(theirs)
    got = raised_by(ours)
    assert expected is not None, "torch raised nothing"
    assert got is not None, f"nothing was raised; torch says {expected!r}"
    assert type(got) is type(expected), f"{got!r} in place of {expected!r}"
    assert normalised(str(got)) == normalised(str(expected))


def raised_by(function: Callable[[], Any]) -> Exception | None:
    """Return what a call raises."""
    try:
        function()
    except Exception as error:
        return error
    return None


def normalised(message: str) -> str:
    """Return a message with torch's words for arrays and dtypes put as NumPy's."""
    message = re.sub(r"torch\.Size\(\[(\d+)\]\)", r"(\1,)", message)
    message = re.sub(r"torch\.Size\(\[([\d, ]*)\]\)", r"(\1)", message)
    message = re.sub(
        r"\.to\(torch\.(\w+)\)(?=, or convert model|$)", r".astype(numpy.\1)", message
    )
    message = re.sub(
        r"model\.(?:to|astype)\((?:torch|numpy)\.(\w+)\)", r"model.to(numpy.\1)", message
    )
    message = message.replace("torch.Tensor or Tensor-like", "numpy.ndarray or array-like")
    message = message.replace("torch.", "").replace("tensors", "arrays")
    message = re.sub(r"\w+(?=\.__init__\(\))", "Module", message)
    message = re.sub(r"(\d-?D)(?: tensor| array)?", r"\1", message)
    return message.strip()

"""The two comparators that carry the suite: one for results, one for errors.

Tolerances stand here and nowhere else.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.nn.utils import rnn as torch_rnn

from numpy_rnn.utils.rnn import PackedSequence

FLOAT64_TOLERANCE = 1e-12
"""Largest difference from torch in float64, relative to the largest value or 1."""

FLOAT32_FACTOR = 2.0
FLOAT32_ULPS = 2.0
"""In float32 our error against the float64 truth may be so many times torch's own error
against it, plus so many units in the last place of the largest value or of 1: hidden
states are of the order of 1, also where the last layer's happen to be small."""


def to_torch(value: Any) -> Any:
    """Return arrays as tensors of their own, throughout lists, tuples and packed sequences."""
    if isinstance(value, list):
        return [to_torch(item) for item in value]
    if isinstance(value, tuple):
        return _like(value, [to_torch(item) for item in value])
    return torch.from_numpy(value.copy()) if isinstance(value, np.ndarray) else value


def _like(value: tuple[Any, ...], items: list[Any]) -> tuple[Any, ...]:
    """Return `items` in a tuple of the kind of `value`, or torch's for our packed one."""
    if isinstance(value, (PackedSequence, torch_rnn.PackedSequence)):
        return torch_rnn.PackedSequence(*items)
    return tuple(items)


def leaves(value: Any) -> list[Any]:
    """Return the arrays or tensors, or None, in nested tuples."""
    if isinstance(value, (tuple, list)):
        return [leaf for item in value for leaf in leaves(item)]
    return [value]


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
    assert len(ours) == len(theirs) == len(truths)
    for mine, tensor, exact in zip(ours, theirs, truths, strict=True):
        if tensor is None:
            assert mine is None
            continue
        reference = tensor.detach().numpy()
        assert type(mine) is np.ndarray
        assert mine.shape == reference.shape
        assert mine.dtype == reference.dtype
        if mine.size == 0:
            continue
        if reference.dtype.kind != "f":
            np.testing.assert_array_equal(mine, reference)
            continue
        true = exact.detach().numpy().astype(np.float64)
        scale = max(1.0, np.abs(true).max())
        error = np.abs(mine - true).max()
        if mine.dtype == np.float64:
            allowed = FLOAT64_TOLERANCE * scale
        else:
            assert exact.dtype == torch.float64, "float32 is judged by the float64 truth"
            ulp = float(np.spacing(np.float32(scale)))
            allowed = FLOAT32_FACTOR * np.abs(reference - true).max() + FLOAT32_ULPS * ulp
        assert error <= allowed, f"error {error:.3e}, allowed {allowed:.3e}"


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
            truth = copy.deepcopy(torch_module).double()(*_doubled(to_torch(inputs)))
    assert_close(ours, theirs, truth)


def _doubled(value: Any) -> Any:
    if isinstance(value, tuple):
        return _like(value, [_doubled(item) for item in value])
    is_float = isinstance(value, torch.Tensor) and value.is_floating_point()
    return value.double() if is_float else value


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

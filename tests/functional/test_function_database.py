"""torch's own database of functions' inputs and errors, for the functions that are here."""

from __future__ import annotations

import re
from collections import OrderedDict

import pytest
import torch
from torch.testing._internal.common_methods_invocations import op_db

from numpy_rnn import functional as F  # noqa: N812  # as it is always imported
from tests.support.compare import assert_function_parity, normalised, raised_by, to_torch
from tests.support.databases import as_numpy, faults

PREFIX = "nn.functional."
OF_THEIR_OWN = {
    f"numpy_rnn.functional.{name}" for name in ("fold", "padding", "pooling", "vision")
}
"""Modules whose functions are compared with the database in test files of their own."""

DATABASE = OrderedDict(
    (info.full_name.removeprefix(PREFIX), info)
    for info in op_db
    if info.name.removeprefix(PREFIX) in F.__all__
    and getattr(F, info.name.removeprefix(PREFIX)).__module__ not in OF_THEIR_OWN
)
CASES = [
    (name, dtype)
    for name, info in DATABASE.items()
    for dtype in (torch.float32, torch.float64, torch.int64)
    if dtype in info.dtypes and (dtype != torch.int64 or torch.float32 not in info.dtypes)
]
REFUSED = r"must be None if \w+, since they cannot be updated|input must have at least two axes"


def torch_dtypes(options):
    """Return options for torch, whose dtypes are its own."""
    named = options.get("dtype")
    return options | {"dtype": getattr(torch, named)} if isinstance(named, str) else options


def calls_of(name, dtype):
    """Yield the inputs and options of each sample call, without dropping anything."""
    info = DATABASE[name]
    for sample in info.sample_inputs("cpu", dtype, requires_grad=False):
        inputs = [as_numpy(value) for value in (sample.input, *sample.args)]
        options = {key: as_numpy(value) for key, value in sample.kwargs.items()}
        if isinstance(options.get("dtype"), torch.dtype):
            options["dtype"] = str(options["dtype"]).removeprefix("torch.")
        if name == "embedding":  # the database has its weight first
            inputs = inputs[::-1]
        if "dropout" in name:
            options["training"] = False
        yield inputs, options


@pytest.mark.parametrize(("name", "dtype"), CASES, ids=str)
@pytest.mark.filterwarnings("ignore")  # of torch's, about what is deprecated
def test_function_every_sample_input_equals_torch(name, dtype):
    function = name.partition(".")[0]
    ours, theirs = getattr(F, function), getattr(torch.nn.functional, function)
    compared = 0
    for inputs, options in calls_of(name, dtype):
        tensors, named = to_torch(inputs), to_torch(torch_dtypes(options))
        expected = raised_by(lambda: theirs(*tensors, **named))  # noqa: B023
        got = raised_by(lambda: ours(*inputs, **options))  # noqa: B023
        if expected is not None:
            assert got is not None, (inputs, options, expected)
        elif got is None or not re.search(REFUSED, str(got)):
            assert_function_parity(function, *inputs, **options)
            compared += 1
    assert compared


OURS_SAYS = r"dtype|non-positive dilation|weight must have \d axes"
"""Errors in which ours has words of its own: about dtypes, and of what torch finds later."""


@pytest.mark.parametrize(
    "name",
    [name for name, info in DATABASE.items() if info.error_inputs_func and name != "embedding"],
)
def test_function_every_error_input_raises_as_torch(name):
    compared = 0
    for ours, theirs in faults(DATABASE[name]):
        expected, got = raised_by(theirs), raised_by(ours)
        assert type(got) is type(expected), (got, expected)
        if not re.search(OURS_SAYS, str(got)):
            assert normalised(str(got)) == normalised(str(expected).replace("tensor", "array"))
        compared += 1
    assert compared

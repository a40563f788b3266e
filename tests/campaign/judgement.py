"""Whether both libraries did the same: values within the suite's tolerances, or one error.

Values are judged by the criterion of `numpy_rnn.testing`: by the float64 truth and torch's own
error against it. Where that does not do, torch's error is the largest on inputs and weights
that differ by one unit in the last place, since a net may amplify rounding without bound.
And where a sum may leave the range of the dtype, the order of its terms decides whether it
does, in torch too.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import re
from typing import Any

import numpy as np
import torch

from numpy_rnn import testing
from numpy_rnn.testing.criterion import allowed_error
from numpy_rnn.testing.nested import leaves
from tests.campaign.cases import (
    Case,
    Ours,
    Outcome,
    Torch,
    Truth,
    arrays_in,
    arrays_of,
    run,
)
from tests.campaign.differences import (
    GATES,
    gate_precision,
    known_by_values,
    named_difference,
    undefined_difference,
)
from tests.support.compare import normalised

BEYOND = "beyond the range of the dtype"

MANY_TERMS = 100
"""Sums of more terms show the order that they are added up in."""

NEIGHBOURS = 6
"""How many inputs and weights one ulp away torch is tried on where its error is wanted."""


class DifferenceError(AssertionError):
    """What is not as in torch."""


def judge(case: Case) -> str:
    """Run a case and return what it came to; raise `DifferenceError` if to nothing named."""
    before = [array.copy() for array in arrays_in(list(case.inputs))]
    with np.errstate(all="raise"):
        ours = run(case, Ours)
    for array, copy in zip(arrays_in(list(case.inputs)), before, strict=True):
        if array.tobytes() != copy.tobytes():
            raise DifferenceError("an input was written")
    undefined = undefined_difference(case, ours)
    if undefined is not None:
        return f"documented: {undefined}"
    with torch.inference_mode(), np.errstate(all="ignore"):
        theirs = run(case, Torch)
        try:
            name = compare(case, ours, theirs)
        except DifferenceError:
            known = named_difference(case, ours, theirs)
            if known is None:
                raise
            name = f"documented: {known}"
    if ours.error is None:
        check_memory(case, ours)
    return name


def compare(case: Case, ours: Outcome, theirs: Outcome) -> str:
    """Compare two outcomes of which no difference is known."""
    if ours.error is not None or theirs.error is not None:
        return compare_errors(ours, theirs)
    expected = set(map(normalised, theirs.warned))
    for message in ours.warned:
        if normalised(message) not in expected:
            raise DifferenceError(f"warned of {message!r}")
    if ours.module is not None:
        compare_modules(case, ours.module, theirs.module)
    return compare_results(case, ours, theirs)


def compare_errors(ours: Outcome, theirs: Outcome) -> str:
    said = f"{ours.error!r} ({ours.stage}) in place of {theirs.error!r} ({theirs.stage})"
    if type(ours.error) is not type(theirs.error):
        raise DifferenceError(said)
    if text(str(ours.error)) != text(str(theirs.error)):
        raise DifferenceError(f"texts: {said}")
    return "same error"


def text(message: str) -> str:
    """Return a message as both libraries would have it."""
    message = re.sub(r"^\w+\(\): (argument '\w+') \(position \d\)", r"\1", message)
    message = re.sub(r"type \S+ without overflow.*", "type without overflow", message)
    message = message.replace(" if you do not need ONNX exportability", "")
    message = re.sub(r"(\dD) cpu \w+ tensor", r"\1", message.replace("1D CPU", "1D"))
    message = normalised(message).replace("tensor", "array")
    return re.sub(r"(\dD) array", r"\1", message)


def compare_modules(case: Case, ours: Any, theirs: Any) -> None:
    if repr(ours) != repr(theirs):
        raise DifferenceError(f"prints as {ours!r} in place of {theirs!r}")
    mine, reference = arrays_of(ours), arrays_of(theirs)
    if list(mine) != list(reference):
        raise DifferenceError(f"has {list(mine)} in place of {list(reference)}")
    for name, array in mine.items():
        if array.dtype != reference[name].dtype or not same(array, reference[name]):
            # torch's Embedding scales its table itself, to max_norm.
            if case.name == "Embedding":
                continue
            raise DifferenceError(f"{name} is not the array that torch has")


def same(mine: np.ndarray, reference: np.ndarray) -> bool:
    return mine.shape == reference.shape and np.array_equal(
        mine, reference, equal_nan=mine.dtype.kind in "fc"
    )


# Values


def compare_results(case: Case, ours: Outcome, theirs: Outcome) -> str:
    mine, reference = flat(ours.result), flat(theirs.result)
    if list(mine) != list(reference):
        raise DifferenceError(f"{list(mine)} in place of {list(reference)}")
    verdict = "equal"
    exact: dict[str, Any] | None = None
    for place, other in reference.items():
        array = mine[place]
        if not isinstance(other, np.ndarray):
            if type(array) is not type(other) or array != other:
                raise DifferenceError(f"{array!r} in place of {other!r}")
            continue
        compare_kinds(array, other)
        if same(array, other):
            continue
        if array.dtype not in (np.float32, np.float64):
            raise DifferenceError(f"{place}: {array!r} in place of {other!r}")
        if not same(class_of(array), class_of(other)):
            known = known_by_values(case, array, other)
            if known is None and not may_overflow(case, ours, reference):
                raise DifferenceError(
                    f"{place}: what is not finite is elsewhere:\n{array!r}\n{other!r}"
                )
            verdict = f"documented: {known}" if known else BEYOND
        elif not testing.compare(array, other).agrees:  # the truth is slow to get
            if exact is None:
                exact = flat(truth(case, theirs))
            judged = judge_values(case, place, array, other, exact)
            if judged is None and may_overflow(case, ours, reference):
                judged = BEYOND
            if judged is None:
                raise DifferenceError(f"{place} is not close:\n{array!r}\n{other!r}")
            verdict = max(verdict, judged, key=len)
    return verdict


def compare_kinds(array: Any, other: np.ndarray) -> None:
    if type(array) is not np.ndarray:
        raise DifferenceError(f"a result is not an array but {type(array)}")
    if array.shape != other.shape or array.dtype != other.dtype:
        raise DifferenceError(
            f"{array.dtype} {array.shape} in place of {other.dtype} {other.shape}"
        )


def flat(value: Any) -> dict[str, Any]:
    """Return what is in a result by its place, tensors as arrays."""
    return {
        name: leaf.detach().numpy() if isinstance(leaf, torch.Tensor) else leaf
        for name, leaf in leaves(value, "result")
    }


def class_of(array: np.ndarray) -> np.ndarray:
    """Return 0 for finite elements, 2 for NaN, 1 and -1 for infinities."""
    return np.where(np.isnan(array), 2, np.where(np.isinf(array), np.sign(array), 0))


def finite(array: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(array), array, 0).astype(np.float64)


def truth(case: Case, theirs: Outcome) -> Any:
    """Return torch's result in float64; where it has none, such as of bools, its own."""
    outcome = run(case, Truth)
    return theirs.result if outcome.error is not None else outcome.result


def judge_values(
    case: Case, place: str, array: np.ndarray, other: np.ndarray, exact: dict[str, Any]
) -> str | None:
    """Return why values that are not next to each other are right, if they are."""
    known = np.isfinite(other) & np.isfinite(exact[place])
    true = exact[place][known].astype(np.float64)
    found = testing.compare(array[known], other[known], true)
    if found.agrees:
        return "close by the float64 truth"
    spread = torch_spread(case, place, known, true)
    # In float64 the truth is torch itself, which may be as far off as its spread.
    own = max(found.own, spread) if array.dtype == np.float32 else 1.5 * spread
    scale = float(np.abs(true).max(initial=1.0))
    if found.error <= allowed_error(own, scale, array.dtype):
        return "close by torch's answer to one ulp"
    if found.error <= allowed_error(own, scale * gain(case), array.dtype):
        return "close by what one product makes of an ulp"
    ulp = scale * float(np.finfo(array.dtype).eps)
    if found.error <= gate_precision(case, ulp) * gain(case):
        return f"documented: {GATES}"
    return None


def gain(case: Case) -> float:
    """Return by how much one step of a module may amplify rounding, by a bound.

    A state that is rounded may be multiplied by weights, or normalised, before it is seen.
    And a sum of many terms is good to the root of their number, in whatever order: torch's
    library for products (MKL) adds up in more parts than NumPy's (OpenBLAS).
    """
    if isinstance(case.target, str):
        return 1.0
    largest = 316.0 if "LayerNorm" in repr(case.target) else 1.0  # of 1 / sqrt(eps)
    for array in arrays_of(run(case, Ours).module).values():
        if array.ndim == 2 and array.size:
            largest = max(largest, float(np.abs(finite(array)).sum(axis=1).max()))
            if array.shape[1] > MANY_TERMS:
                largest = max(largest, math.sqrt(array.shape[1]))
    return largest


def torch_spread(case: Case, place: str, known: np.ndarray, true: np.ndarray) -> float:
    """Return how far torch comes from the truth one ulp away from the case."""
    largest = 0.0
    for neighbour in range(NEIGHBOURS):
        outcome = run(dataclasses.replace(case, nudge=1000 * (neighbour + 1)), Torch)
        if outcome.error is None:
            result = flat(outcome.result)[place][known].astype(np.float64)
            apart = np.abs(result - true)
            largest = max(largest, float(apart[np.isfinite(apart)].max(initial=0)))
    return largest


def may_overflow(case: Case, ours: Outcome, results: dict[str, Any]) -> bool:
    """Return whether sums in this case may leave the dtype's range, by a crude bound.

    The largest finite magnitudes of what is passed in, of weights and of results, one times
    another, times the number of terms. Where all is finite that goes in, infinities in
    torch's results show it too.
    """
    given = arrays_in(list(case.inputs))
    if ours.module is not None:
        given += list(arrays_of(ours.module).values())
    floats = [array for array in given if array.dtype.kind == "f" and array.size]
    returned = [
        array for array in results.values() if isinstance(array, np.ndarray) and array.size
    ]
    if not floats or not returned:
        return False
    finite_in, finite_out = (
        all(np.isfinite(array).all() for array in arrays) for arrays in (floats, returned)
    )
    if finite_in and not finite_out:
        return True
    limit = min(float(np.finfo(array.dtype).maxexp) for array in floats)
    terms = math.log2(max(array.shape[-1] if array.ndim else 1 for array in floats))
    exponents = sorted(exponent(array) for array in [*floats, *returned])
    power = 3.5 if case.name == "Embedding" else 2.0 if "norm" in case.name.lower() else 0.0
    if exponents[-1] * power + terms >= limit - 1:  # norms and variances are of powers
        return True
    return sum(exponents[-2:]) + terms >= limit - 1


def exponent(array: np.ndarray) -> float:
    largest = float(np.abs(finite(array)).max())
    return math.log2(largest) if largest > 0 else 0.0


# Memory


def check_memory(case: Case, ours: Outcome) -> None:
    """No result shares memory with what was passed, with a parameter, or with another."""
    results = arrays_in([ours.result])
    held = [*arrays_in(list(case.inputs))]
    if ours.module is not None:
        held += [*ours.module.parameters(), *ours.module.buffers()]
    for result in results:
        if not result.flags.writeable:
            raise DifferenceError("a result is read-only")
        for array in held:
            if np.may_share_memory(result, array) and np.shares_memory(result, array):
                raise DifferenceError("a result shares memory with what was given")
    for one, other in itertools.combinations(results, 2):
        if np.may_share_memory(one, other) and np.shares_memory(one, other):
            raise DifferenceError("results share memory")

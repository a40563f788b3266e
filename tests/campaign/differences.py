"""What differs from torch on purpose: each rule names its row of the README's table.

A rule is a pattern for what torch does and one for what is done here, both tried on a
signature such as ``call TypeError: input must be ...`` or ``result``. What matches both, and
nothing else, is that difference.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from tests.campaign.cases import Case, Outcome, Packed, arrays_in


@dataclass(frozen=True)
class Rule:
    """A difference by its name.

    Parameters
    ----------
    name : str
        For the summary.
    row : str
        How the first cell of its row in the README begins.
    theirs, ours : str
        Patterns of what torch does, and of what is done here.
    of : str
        Pattern of the classes and functions that it concerns.
    """

    name: str
    row: str
    theirs: str
    ours: str
    of: str = ""

    def holds(self, case: Case, theirs: str, ours: str) -> bool:
        """Tell whether two outcomes differ in this way."""
        return all(
            re.search(pattern, value)
            for pattern, value in (
                (self.of, case.name),
                (self.ours, ours),
                (self.theirs, theirs),
            )
        )


LAYER = r"^(RNN|LSTM|GRU)$"
CELL = r"^(RNN|LSTM|GRU)Cell$"
NO_TENSOR = (
    r"must be (Tensor|tuple of Tensors), not|expected Tensor as element|has no attribute"
    r"|invalid combination of arguments|not subscriptable|not iterable|unsupported operand"
    r"|indices must be|KeyError: \d|must be .*, not"
)
TO_MULTIPLY = (
    r"must have the same dtype|to have the same dtype|cannot be multiplied|size mismatch"
    r"|shapes cannot be|should be the same|must match|is invalid for input|same scalar type"
)

BETTER = (
    r"Dimension (out of range|specified)|out of range for tensor|tuple index out of range"
    r"|invalid slice|The size of tensor a|doesn't match the broadcast shape|not supported between"
    r"|is invalid for input|must be Tensor|expected Tensor|zip\(\) argument|INDICES element"
    r"|self\.dtype|scalar types|interpreted as an int|to type int64 without|iteration over"
    r"|expected sequence of length|empty\(\): argument|an integer is required|dilation should be"
    r"|index out of range in self|'weight' must be 2-D|padding_mode must be one of"
    r"|should be one of|is not supported for \dD input|Expected one of cpu|position \d"
    r"|object is not iterable|unsupported operand type|at least three dimensions"
    r"|value cannot be converted to type|of type int, got|t\(\) expects|-dimensional weight|Only zero batch|got an incorrect number of RNN"
)
"""What torch's errors say where ours of the same type say it in other words."""

RULES = [
    Rule(
        "a module of another dtype",
        "dtypes of modules",
        "",
        r"construction TypeError: dtype must be numpy.float32 or numpy.float64, got",
    ),
    Rule(
        "a function of another dtype",
        "dtypes of modules",
        "result|Error: ",
        r"call TypeError: \w+ must be a float32 or float64 array, got",
    ),
    Rule(
        "another device",
        "training, devices",
        "",
        r"construction RuntimeError: numpy_rnn runs on the CPU",
    ),
    Rule(
        "no array",
        "inputs",
        NO_TENSOR,
        r"call TypeError: ((?!hx)\S+ must be a NumPy array, got|\w+\(\): argument 'dim')",
    ),
    Rule(
        "hx is no array",
        "hx that is no array",
        rf"{NO_TENSOR}|ValueError: LSTMCell: Expected hx",
        r"call TypeError: hx(\[\d\])? must be a NumPy array, got",
    ),
    Rule(
        "hx is no array, and the input does not fit",
        "hx that is no array",
        r"AttributeError: .* has no attribute '(index_select|dim)'",
        r"call (ValueError: RNN input|RuntimeError: input)",
    ),
    Rule(
        "hx is no pair",
        "hx that is no array",
        "",
        r"call (TypeError|RuntimeError): hx must be the pair \(h_0, c_0\)",
        "LSTM",
    ),
    Rule(
        "a cell's hx with other axes than its input",
        "hx that is no array",
        "",
        r"call RuntimeError: hidden\d must have as many axes as the input",
        CELL,
    ),
    Rule(
        "a cell's hx without a batch axis and of another dtype",
        "hx that is no array",
        "IndexError: Dimension out of range",
        r"call RuntimeError: hidden\d must have the dtype of the input",
        CELL,
    ),
    Rule(
        "hx of other axes, for packed input",
        "packed input that does not fit an LSTM",
        r"call (IndexError: Dimension out of range|RuntimeError: (Expected hidden|INDICES))",
        r"call (RuntimeError: (For batched 3-D input, hx|input)|ValueError: RNN input)",
        LAYER,
    ),
    Rule(
        "hx for more sequences than packed",
        "packed input that does not fit an LSTM",
        r"result|INDICES element|index_select\(\)",
        r"call RuntimeError: Expected hidden",
        LAYER,
    ),
    Rule(
        "hx of another dtype",
        "errors about dtypes",
        "call RuntimeError",
        r"call RuntimeError: (hx|hidden).* must have the dtype of the input",
    ),
    Rule(
        "c_0 of another dtype",
        "c_0 of another dtype",
        "result",
        r"call RuntimeError: (hx\[1\]|hidden1) must have the dtype of the input",
        "LSTM",
    ),
    Rule(
        "an input of another dtype",
        "errors about dtypes",
        "call (RuntimeError|NotImplementedError)",
        r"call RuntimeError: \w+ dtype \(\w+\) does not match \w+ dtype",
    ),
    Rule(
        "an input that no model takes",
        "errors about dtypes",
        r"call ValueError: RNN input dtype .* does not match .*, or convert model",
        r"call ValueError: RNN input dtype .* does not match .*float(32|64)\)$",
        LAYER,
    ),
    Rule(
        "a last axis that does not fit a linear layer",
        "errors about dtypes",
        rf"call RuntimeError: .*({TO_MULTIPLY}|linear need to be at least 1D)",
        r"call RuntimeError: the last axis of input must be equal to in_features",
    ),
    Rule(
        "a permutation with an index twice",
        "a damaged `PackedSequence`",
        "result",
        r"call RuntimeError: permutation must hold each index",
    ),
    Rule(
        "lengths beyond the input",
        "`pack_padded_sequence`, a length beyond",
        "result",
        r"call RuntimeError: Length of all samples has to be at most the length",
    ),
    Rule(
        "BatchNorm1d in training mode",
        "`BatchNorm1d` in training mode",
        "",
        r"call RuntimeError: BatchNorm1d is in training mode",
    ),
    Rule(
        "batch_norm of nothing",
        "`batch_norm` of an empty array",
        "result",
        r"call RuntimeError: \w+ should contain \d+ elements not",
    ),
    Rule(
        "inserting from the end, or beyond it",
        "`ModuleList.insert` from the end",
        r"KeyError|IndexError|result|NotImplementedError",
        r"IndexError: Index out of range|result|NotImplementedError",
        "^(ModuleList|Sequential)$",
    ),
    Rule(
        "more axes than the last padded by a mode",
        "`pad` of more axes than the last",
        "",
        r"call NotImplementedError: Padding size \d is not supported",
    ),
    Rule(
        "dropout that is no number",
        "sizes, `bidirectional`",
        r"construction (TypeError|ValueError): (float\(\) argument|could not convert)",
        r"construction ValueError: dropout should be a number",
        LAYER,
    ),
    Rule(
        "bidirectional of no fit type",
        "sizes, `bidirectional`",
        r"^call|Only Tensors of floating|CUDA|Expected one of cpu|empty\(\): argument|result",
        r"construction TypeError: bidirectional should be",
        LAYER,
    ),
    Rule(
        "a bool for a size",
        "sizes, `bidirectional`",
        "",
        r"construction TypeError: (\w+ should be of type int, got: bool|'(numpy\.)?bool' object)",
    ),
    Rule(
        "another size that is no integer",
        "sizes, `bidirectional`",
        r"construction ValueError: proj_size",
        r"construction TypeError: '\w+' object cannot be interpreted as an integer",
        LAYER,
    ),
    Rule(
        "an index beyond an embedding",
        "an index beyond an `Embedding`",
        r"call RuntimeError: (INDICES element is out of DATA|index_select\(\))",
        r"call IndexError: index out of range in self",
    ),
    Rule(
        "more lengths than sequences",
        "an index beyond an `Embedding`",
        r"call IndexError: index out of range in self",
        r"call RuntimeError: Expected `len\(lengths\)` to be equal to batch_size",
    ),
    Rule(
        "a sequence without an axis",
        "an index beyond an `Embedding`",
        r"call RuntimeError: ArrayRef: invalid slice",
        r"call IndexError: sequences\[0\] must have at least one axis",
    ),
    Rule(
        "batch_first that is no bool, and too few axes",
        "error texts",
        r"call IndexError: Dimension out of range",
        r"call TypeError: argument 'batch_first' must be bool",
    ),
    Rule(
        "batch_norm without channels",
        "`batch_norm` of an empty array",
        r"call IndexError: select\(\): index 0 out of range",
        "result",
        "batch_norm|BatchNorm1d",
    ),
    Rule(
        "other words",
        "error texts",
        BETTER,
        "^(construction|call)",
    ),
]

GATES = "gates of absolute precision"
BY_VALUES = {
    GATES: "gates of `LSTM` and `GRU`",
    "one term of nothing": "infinite or NaN weights times zero",
    "batch_norm of what is not finite": "`batch_norm` by statistics",
}
"""What differs in values, and the rows; see `known_by_values` and `gate_precision`."""

LARGE_STATE = 4.0
"""Above this hx is not of the order of the states that a gated layer makes."""


def gate_precision(case: Case, ulp: float) -> float:
    """Return what errors may come of gates that are exact to half an ulp of 1.

    Times the largest state passed in, which may be infinite, and what the weights make of
    it; zero where no large state is passed in.
    """
    largest = largest_state(case)
    if largest <= LARGE_STATE:
        return 0.0
    return ulp * largest * 32


def largest_state(case: Case) -> float:
    """Return the largest magnitude in hx of a layer with gates, else zero."""
    if not re.search("LSTM|GRU", case.name) or len(case.inputs) < 2:
        return 0.0
    with np.errstate(all="ignore"):
        states = [np.abs(state).max(initial=0) for state in arrays_in(list(case.inputs[1:]))]
    return float(max([np.inf if np.isnan(state) else state for state in states]))


def known_by_values(case: Case, mine: np.ndarray, reference: np.ndarray) -> str | None:
    """Return why infinities and NaNs are elsewhere, if that is known."""
    lost = np.isnan(reference) & ~np.isnan(mine)
    only_lost = bool((np.isnan(reference) | ~np.isnan(mine)).all())
    if re.search("batch_norm|BatchNorm1d", case.name) and lost.any() and only_lost:
        return "batch_norm of what is not finite"
    single = re.search("(LSTM|GRU|RNN)", case.name) and case.weights in ("infinite", "NaN")
    if single and one_feature(case) and lost.any() and only_lost:
        return "one term of nothing"
    return GATES if largest_state(case) > 1e6 else None


def one_feature(case: Case) -> bool:
    """Return whether a recurrent layer has products of one term."""
    arguments = dict(zip(("input_size", "hidden_size"), case.target.args))
    arguments |= case.target.kwargs
    return 1 in [arguments.get(k) for k in ("input_size", "hidden_size", "proj_size")]


UNDEFINED = [
    Rule(
        "packed input or hx that does not fit an LSTM",
        "packed input that does not fit an LSTM",
        "",
        r"call (RuntimeError|ValueError|TypeError): (input|RNN input|Expected hidden|For batch|hx)",
        "^LSTM$",
    ),
    Rule(
        "a circle round more than is left",
        "`pad` in a circle",
        "",
        r"call RuntimeError: Padding value causes wrapping around more than once",
        r"^functional\.pad$",
    ),
]
"""Where torch reads memory that holds anything, and may crash: it is not asked."""


def undefined_difference(case: Case, ours: Outcome) -> str | None:
    """Return the name of the rule by which torch must not be asked, if there is one."""
    packed = case.inputs and isinstance(case.inputs[0], Packed)
    negative = case.name == "functional.pad" and min(case.inputs[1], default=0) < 0
    if ours.error is None or not (packed or case.options.get("mode") == "circular"):
        return None
    for rule in UNDEFINED:
        if rule.holds(case, "", signature(ours)) and (packed or negative):
            return rule.name
    return None


def signature(outcome: Outcome) -> str:
    """Return an outcome in a line."""
    if outcome.error is None:
        return "result"
    return f"{outcome.stage} {type(outcome.error).__name__}: {outcome.error}"


def named_difference(case: Case, ours: Outcome, theirs: Outcome) -> str | None:
    """Return the name of the rule that the outcomes differ by, if there is one."""
    if ours.error is None and theirs.error is None:
        return None
    for rule in RULES:
        # Words may differ, types of exceptions only by a rule of their own.
        if rule.name == "other words" and type(ours.error) is not type(theirs.error):
            continue
        if rule.holds(case, signature(theirs), signature(ours)):
            return rule.name
    return None

"""What differs from torch on purpose: each rule names its row in the user guide.

A rule is a pattern for what torch does and one for what is done here, both tried on a
signature such as ``call TypeError: input must be ...`` or ``result``. What matches both, and
nothing else, is that difference.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch.nn.utils import rnn as torch_rnn

from numpy_rnn.utils import rnn
from tests.campaign.cases import Case, Outcome, Packed, arrays_in


@dataclass(frozen=True)
class Rule:
    """A difference by its name.

    Parameters
    ----------
    name : str
        For the summary.
    row : str
        How the first cell of its row in `numpy_rnn/README.md` begins.
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

INSERTING = "inserting from the end, beyond it, or into a part"

BETTER = (
    r"Dimension (out of range|specified)|out of range for tensor|tuple index out of range"
    r"|invalid slice|INDICES element|index out of range in self|only integers, slices"
    r"|is out of (range|bounds)|stride cannot"
    r"|The size of tensor a|doesn't match the broadcast shape|is invalid for input"
    r"|must be Tensor|expected Tensor|scalar type|received an invalid combination"
    r"|not supported between|unsupported operand type|object is not iterable"
    r"|zip\(\) argument|iteration over|expected sequence of length|self\.dtype"
    r"|interpreted as an int|an integer is required|empty\(\): argument|of type int, got"
    r"|to type int64 without|value cannot be converted to type|position \d|index_select\(\)"
    r"|dilation (should be|cannot)|'weight' must be 2-D|must be a matrix|t\(\) expects"
    r"|-dimensional weight|at least three dimensions|Only zero batch|weight of size \[\["
    r"|padding_mode must be one of|should be one of|is not supported for \dD input|narrow\(\)"
    r"|Expected one of cpu|number of RNN|must have the same dtype|is too small|mixed dtype"
    r"|non-positive (groups|stride)|TensorAccessor|more than 1 value|should be the same"
    r"|to have \d+ channels|expanded size|have same dtype|negative padding"
    r"|Calculated padded input size|multiplication overflow|with negative dimension"
    r"|Only 3D, 4D and 5D|could not (construct|create) a (memory|primitive) descriptor"
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
        "dtypes of functions",
        "result|Error: ",
        r"call TypeError: \w+ must be a float32 or float64 array, got",
    ),
    Rule(
        "another device",
        "training, devices",
        "",
        r"construction RuntimeError: device must be None or 'cpu', got",
    ),
    Rule(
        "no array",
        "inputs",
        rf"{NO_TENSOR}|AssertionError: Padding_idx|ValueError: batch_norm eps",
        r"call TypeError: ((?!hx)\S+ must be a NumPy array, got|\w+\(\): argument 'dim')",
    ),
    Rule(
        "hx is no array",
        "hx that is not an array",
        rf"{NO_TENSOR}|ValueError: LSTMCell: Expected hx",
        r"call TypeError: hx(\[\d\])? must be a NumPy array, got",
    ),
    Rule(
        "hx is no array, and the input does not fit",
        "several faults",
        r"AttributeError: .* has no attribute '(index_select|dim)'",
        r"call (ValueError: RNN input|RuntimeError: input)",
    ),
    Rule(
        "hx is no pair",
        "hx that is not an array",
        "",
        r"call (TypeError|RuntimeError): hx must be the pair \(h_0, c_0\)",
        "LSTM",
    ),
    Rule(
        "a cell's hx without a batch axis and of another dtype",
        "hx that is not an array",
        "IndexError: Dimension out of range",
        r"call RuntimeError: (hidden\d must have the dtype|input dtype)",
        CELL,
    ),
    Rule(
        "hx of other axes, for packed input",
        "packed input that does not fit an LSTM",
        r"call (IndexError: Dimension|RuntimeError: (Expected hidden|INDICES|index_select))",
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
        "a norm in training mode",
        "`BatchNorm1d`, `BatchNorm2d` and `InstanceNorm` in training mode",
        "",
        r"call RuntimeError: (Batch|Instance)Norm[12]d must be in evaluation mode",
    ),
    Rule(
        "instance_norm of no samples",
        "`InstanceNorm` of an empty batch",
        r"call IndexError: select\(\): index 0 out of range",
        "",
        "InstanceNorm[12]d",
    ),
    Rule(
        "batch_norm of nothing",
        "`batch_norm` and `conv1d` of an empty array",
        "result",
        r"call RuntimeError: \w+ (should contain \d+ elements|must have one axis|dtype)",
        "batch_norm|BatchNorm1d|InstanceNorm",
    ),
    Rule(
        "statistics of another dtype",
        "dtypes of modules",
        "result",
        r"call RuntimeError: input dtype \(\w+\) does not match running_mean dtype",
        "InstanceNorm[12]d",
    ),
    Rule(
        "a transposed convolution to an empty axis",
        "`ConvTranspose1d` and `ConvTranspose2d` to an empty axis",
        "result",
        r"call RuntimeError: .* Calculated output size per channel: \((\d+ x )?0\b.*too small"
        r"|call RuntimeError: .* Calculated output size per channel: \(\d+ x 0\)",
        "ConvTranspose[12]d|conv_transpose[12]d",
    ),
    Rule(
        INSERTING,
        "`insert` into a container",
        r"change (KeyError: '-?\d|AttributeError: .* has no attribute '\d|\w+: .*not a Module)",
        "",
    ),
    Rule(
        INSERTING,
        "`insert` into a container",
        "^(result|call|change)",
        "IndexError: Index out of range",
    ),
    Rule(
        "bidirectional of no fit type",
        "sizes, `bidirectional`",
        r"^call|Only Tensors of floating|CUDA|NVIDIA|of cpu|accelerator|"
        r"empty\(\): argument|result",
        r"construction TypeError: bidirectional should be",
        LAYER,
    ),
    Rule(
        "a bool for a size",
        "sizes, `bidirectional`",
        "",
        r"construction TypeError: (\w+ should be of type int, got: bool|.* integer, got bool)",
    ),
    Rule(
        "another size that is no integer",
        "sizes, `bidirectional`",
        "^construction",
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
        r"call RuntimeError: (ArrayRef: invalid slice|index_select)",
        r"call IndexError: (sequences\[0\]|input) must have at least (one axis|two axes)",
    ),
    Rule(
        "batch_first that is no bool, and another fault",
        "several faults",
        r"call (IndexError: (Dimension|index) out|RuntimeError: (INDICES|index_select))",
        r"call TypeError: argument 'batch_first' must be bool",
    ),
    Rule(
        "conv1d of nothing",
        "`batch_norm` and `conv1d` of an empty array",
        "result",
        r"call RuntimeError: (\w+ dtype \(\w+\) does not match|non-positive)",
        "conv1d|Conv1d",
    ),
    Rule(
        "batch_norm without channels",
        "`batch_norm` and `conv1d` of an empty array",
        r"call IndexError: select\(\)",
        r"result|call RuntimeError: \w+ (should contain|must have one axis|dtype)",
        "batch_norm|BatchNorm1d",
    ),
    Rule(
        "a sequence without an axis, and another fault",
        "several faults",
        r"call \w+Error: (.*argument 'padding_value'|Expected padding_side)",
        r"call \w+Error: (sequences\[\d\] must have at least one|The sequences must have)",
    ),
    Rule(
        "linear of a weight of one axis, or a bias of another shape",
        "`linear` of a weight",
        "result",
        r"call RuntimeError: (weight must have 2 axes|bias must have the shape|bias dtype)",
        "functional.linear",
    ),
    Rule(
        "the greatest of nothing as a norm",
        "`Embedding(max_norm=…)` by the greatest",
        "RuntimeError: linalg.vector_norm cannot compute the inf norm",
        "result|IndexError: index out of range in self",
        "Embedding",
    ),
    Rule(
        "an unknown nonlinearity, and another fault",
        "several faults",
        r"call (ValueError: RNNCell: Expected|AttributeError: .* has no attribute 'dim')",
        r"call RuntimeError: Unknown nonlinearity",
    ),
    Rule(
        "indices of another dtype, and another fault",
        "several faults",
        r"call RuntimeError: (Expected tensor for argument #1 'indices'|index_select\(\))",
        "call AssertionError: Padding_idx",
    ),
    Rule(
        "a step that is no int, and another fault",
        "several faults",
        r"TypeError: (conv1d\(\) received an invalid combination|unsupported operand type)",
        r"call RuntimeError: ",
    ),
    Rule(
        "bools padded by their edge or mirrored",
        "`pad` of bools",
        "call NotImplementedError: .* not implemented for 'Bool'",
        "result",
        r"functional\.pad|Conv[12]d|(Reflection|Replication)Pad",
    ),
    Rule(
        "other words",
        "error texts",
        BETTER,
        "^(construction|call)",
    ),
]

ORDER = "the order of equal lengths"
ZEROS = "what is not finite times zero"
GATES = "gates of absolute precision"
BY_VALUES = {
    GATES: "gates of `LSTM` and `GRU`",
    ZEROS: "what is infinite or NaN times zero",
    "batch_norm of what is not finite": "`batch_norm` by statistics",
    ORDER: "sequences of equal length",
}
"""What differs in values, and the rows.

See `known_by_values`, `gate_precision` and `sorted_unstably`.
"""

STABLE = 16
"""For up to so many lengths torch's sort keeps the order of equal ones."""

LARGE_STATE = 4.0
"""Above this hx is not of the order of the states that a gated layer makes."""

HUGE_STATE = 1e6
"""Above this a gate that is closed but for rounding decides whether a sum overflows."""


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
    return float(max([np.inf if np.isnan(state) else state for state in states], default=0))


def known_by_values(case: Case, mine: np.ndarray, reference: np.ndarray) -> str | None:
    """Return why infinities and NaNs are elsewhere, if that is known."""
    lost = np.isnan(reference) & ~np.isnan(mine)
    only_lost = lost.any() and not (np.isnan(mine) & ~np.isnan(reference)).any()
    if re.search("batch_norm|BatchNorm1d", case.name) and only_lost:
        return "batch_norm of what is not finite"
    if re.search("LSTM|GRU|RNN|linear$", case.name, re.I) and only_lost and one_feature(case):
        return ZEROS
    weighed = case.weights in ("infinite", "NaN") or not finite(case.inputs[1:])
    if re.search("layer_?norm|conv1d", case.name, re.I) and weighed:
        return ZEROS
    large = largest_state(case) > HUGE_STATE or case.weights == "infinite"
    return GATES if re.search("LSTM|GRU", case.name) and large else None


def sorted_unstably(ours: Any, theirs: Any) -> bool:
    """Return whether two batches are the same but for the order of equal lengths."""
    if not isinstance(ours, rnn.PackedSequence) or ours.sorted_indices is None:
        return False
    mine, reference = rnn.unpack_sequence(ours), torch_rnn.unpack_sequence(theirs)
    in_order = sorted(range(len(mine)), key=lambda index: -len(mine[index]))
    return (
        len(mine) > STABLE
        and ours.batch_sizes.tolist() == theirs.batch_sizes.tolist()
        and ours.sorted_indices.tolist() == in_order
        and len(mine) == len(reference)
        and all(
            array.dtype == tensor.numpy().dtype
            and array.shape == tensor.shape
            and array.tobytes() == tensor.numpy().tobytes()
            for array, tensor in zip(mine, reference)
        )
    )


def finite(values: Any) -> bool:
    """Return whether all arrays of floats among `values` are finite."""
    floats = [array for array in arrays_in(values) if array.dtype.kind == "f"]
    return all(np.isfinite(array).all() for array in floats)


def one_feature(case: Case) -> bool:
    """Return whether a layer has products of one term."""
    if isinstance(case.target, str):
        return 1 in case.inputs[0].shape[-1:]
    arguments = dict(zip(("input_size", "hidden_size"), case.target.args))
    arguments |= case.target.kwargs
    return 1 in [
        arguments.get(k) for k in ("input_size", "hidden_size", "proj_size", "in_features")
    ]


UNDEFINED = [
    Rule(
        "a cell's hx with other axes than its input",
        "hx that is not an array",
        "",
        r"call RuntimeError: hidden\d must have as many axes as the input",
        CELL,
    ),
    Rule(
        "packed input or hx that does not fit an LSTM",
        "packed input that does not fit an LSTM",
        "",
        r"call \w+Error: (input|RNN input|Expected hidden|For batched|hx)",
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
    packed = bool(case.inputs) and isinstance(case.inputs[0], Packed)
    negative = case.name == "functional.pad" and min(case.inputs[1], default=0) < 0
    unasked = packed or negative or re.search(CELL, case.name)
    if ours.error is None or not unasked:
        return None
    for rule in UNDEFINED:
        if rule.holds(case, "", signature(ours)):
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
        methods = [method for method, _ in case.changes]
        if "__getitem__" in methods and "insert" in methods:
            return INSERTING
        return ORDER if sorted_unstably(ours.result, theirs.result) else None
    for rule in RULES:
        # Words may differ, types of exceptions only by a rule of their own.
        if rule.name == "other words" and type(ours.error) is not type(theirs.error):
            continue
        if rule.holds(case, signature(theirs), signature(ours)):
            return rule.name
    return None

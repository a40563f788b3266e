"""Does a model agree with torch's? `assert_parity` says so, or shows where it does not.

A constant tolerance proves little. Trained recurrent nets can be chaotic: in float32 torch
then differs from itself, for a batch and for one sequence of it, or if the input changes in
its last bit, by the whole range of the output. For other nets the same constant hides faults.
So the yardstick here is what torch's own results do on the very input.

torch is not imported here: who has a torch module has imported it.
"""

from __future__ import annotations

import copy
import sys
import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from numpy_rnn.utils.rnn import PackedSequence

if TYPE_CHECKING:
    from numpy_rnn._typing import AnyArray
    from numpy_rnn.modules import Module

__all__ = ["ParityReport", "ParityRow", "assert_parity"]

FACTOR = 4.0
"""Our error may be so many times torch's spread up to the same step: two computations that
round differently are both samples of one distribution, of which torch's few show the size."""

ULPS = 4.0
"""And so many units in the last place of the largest value, or of 1, since a few samples of
a small spread may be 0."""

DRAWS = 3
"""How often torch is run again with a last bit changed."""

FIRST_STEPS = 4
"""Steps of the input that are run alone, in float64: before chaos there is none."""

UNDECIDED = 0.1
"""The part of the output's range from which on torch's spread decides nothing."""


class ParityRow(NamedTuple):
    """One output in one precision, at the step where it comes nearest to what is allowed.

    Attributes
    ----------
    run : str
        The precision, and which steps of the input were run.
    output : str
        Which of the arrays that the model returns.
    step : int or None
        The step of the worst difference; None if the array has no axis of steps.
    ours : float
        The largest difference from torch's float64 result at that step; for integers, how
        many differ.
    torch : float
        The largest difference of torch's own results from it, up to that step.
    allowed : float
        The largest difference that passes.
    undecided_from : int or None
        The step from which on torch's own results differ by a tenth of the output's range;
        0 for all of an array without an axis of steps.
    """

    run: str
    output: str
    step: int | None
    ours: float
    torch: float
    allowed: float
    undecided_from: int | None

    @property
    def agrees(self) -> bool:
        """Whether the difference, which may be NaN, is allowed."""
        return self.ours <= self.allowed


class ParityReport(NamedTuple):
    """What `assert_parity` found; `str` shows it as a table.

    Attributes
    ----------
    rows : tuple of ParityRow
    remarks : tuple of str
        What could not be judged, and why.
    """

    rows: tuple[ParityRow, ...]
    remarks: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """Whether every row does."""
        return all(row.agrees for row in self.rows)

    def __str__(self) -> str:
        lines = [["run", "output", "step", "ours", "torch's", "allowed", ""]]
        for row in self.rows:
            numbers = [f"{value:.1e}" for value in (row.ours, row.torch, row.allowed)]
            step = "-" if row.step is None else str(row.step)
            lines.append([row.run, row.output, step, *numbers, "" if row.agrees else "DIFFERS"])
        widths = [max(map(len, column)) for column in zip(*lines)]
        texts = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]
        return "\n".join([*texts, *self.remarks])


def assert_parity(module: Module, torch_module: Any, *inputs: Any) -> ParityReport:
    """Run a model beside torch's with the same weights, and judge the difference.

    Both compute in the precision that they have and in float64; the truth is torch's float64
    result. How far ours may be from it is not a constant but what torch's own results on this
    input show: its error in float32, and how far it moves when inputs and weights change in
    their last bit, or when one sequence is run without the others. That is so at each step:
    what a chaotic net does is judged by the steps before it has spread. In float64 the bound
    is 1e-15 or so at first, and the first four steps are run alone too: what differs there is
    no rounding.

    Parameters
    ----------
    module : Module
        Of this package, or your own; with its weights.
    torch_module : torch.nn.Module
        The original, with the same weights, on the CPU. Neither is changed, but for what
        their own `forward` changes.
    *inputs : array, PackedSequence, tuple of them, or anything else
        What both take. torch gets arrays as tensors and packed sequences as its own. Steps are
        counted along the first axis of the first input, or the second where the model has a
        layer with ``batch_first``; a model with both directions is judged without steps.

    Returns
    -------
    ParityReport
        A row for each array that the model returns in each run, and remarks: it says plainly
        from which step on float32 cannot decide.

    Raises
    ------
    AssertionError
        If the weights or the results differ, if one of both gives other results when it is
        called again, as dropout does, or if torch's results spread too far in float64 too for
        anything to be decided. The report is in the text.
    TypeError
        If `torch_module` is no torch module, or `module` none of this package.

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> import torch
    >>> from numpy_rnn.testing import assert_parity
    >>> original = torch.nn.GRU(3, 4)
    >>> port = nn.GRU(3, 4)
    >>> port.load_state_dict(original.state_dict())
    <All keys matched successfully>
    >>> report = assert_parity(port, original, np.ones((5, 2, 3), np.float32))
    >>> report.agrees
    True
    >>> [(row.run, row.output) for row in report.rows[:2]]
    [('float64, 4 steps', 'output[0]'), ('float64, 4 steps', 'output[1]')]
    >>> port.bias_hh_l0[0] += 1e-7
    >>> assert_parity(port, original, np.ones((5, 2, 3), np.float32))
    Traceback (most recent call last):
    AssertionError: the weights differ: bias_hh_l0 by up to ...
    """
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(torch_module, torch.nn.Module):
        raise TypeError(f"torch_module must be a torch.nn.Module, got {_kind(torch_module)}")
    if not hasattr(module, "named_modules") or isinstance(module, torch.nn.Module):
        raise TypeError(f"module must be a numpy_rnn.Module, got {_kind(module)}")
    _check_weights(module, torch_module)
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # of torch's own, about speed
        report = _compare(_Pair(module, torch_module, torch), inputs)
    if not report.agrees:
        raise AssertionError(f"the results differ from torch's\n{report}")
    if all(row.undecided_from == 0 for row in report.rows):
        raise AssertionError(f"nothing could be decided on this input\n{report}")
    return report


def _kind(value: Any) -> str:
    return type(value).__module__ + "." + type(value).__qualname__


def _check_weights(module: Module, torch_module: Any) -> None:
    ours = module.state_dict()
    theirs = {name: _array(value) for name, value in torch_module.state_dict().items()}
    for where, names in {"torch's": ours.keys() - theirs, "ours": theirs.keys() - ours}.items():
        if names:
            raise AssertionError(f"the weights differ: {where} has no {min(names)}")
    for name, reference in theirs.items():
        array = ours[name]
        if array.shape != reference.shape or array.dtype != reference.dtype:
            raise AssertionError(
                f"the weights differ: {name} is {array.dtype} {array.shape}, "
                f"torch's {reference.dtype} {reference.shape}"
            )
        if not np.array_equal(array, reference, equal_nan=array.dtype.kind == "f"):
            by = _difference(array, reference).max()
            raise AssertionError(f"the weights differ: {name} by up to {by:.1e}")


class _Pair(NamedTuple):
    """Both models."""

    module: Any
    torch_module: Any
    torch: Any

    def ours(self, inputs: Sequence[Any]) -> list[_Leaf]:
        return list(_leaves(self.module(*_mapped(inputs, np.copy)), "output"))

    def theirs(self, inputs: Sequence[Any]) -> list[_Leaf]:
        tensors = _mapped(inputs, self._tensor, self.torch.nn.utils.rnn.PackedSequence)
        return list(_leaves(self.torch_module(*tensors), "output"))

    def _tensor(self, array: AnyArray) -> Any:
        return self.torch.from_numpy(np.array(array, order="C"))  # not read-only, no view

    def doubled(self) -> _Pair:
        """Return both in float64."""
        module, torch_module = copy.deepcopy(self.module), copy.deepcopy(self.torch_module)
        return _Pair(module.double(), torch_module.double(), self.torch)

    def nudged(self, rng: np.random.Generator) -> _Pair:
        """Return torch's with the last bit of its weights changed."""
        torch_module = copy.deepcopy(self.torch_module)
        for parameter in torch_module.parameters():
            if parameter.is_floating_point():
                parameter.copy_(self._tensor(_nudged(_array(parameter), rng)))
        return self._replace(torch_module=torch_module)


class _Leaf(NamedTuple):
    """An array that a model returned, where, and the step of each of its rows if packed."""

    name: str
    array: AnyArray | None
    packed_steps: AnyArray | None


def _leaves(value: Any, name: str) -> Iterator[_Leaf]:
    if isinstance(value, tuple) and hasattr(value, "batch_sizes"):
        batch_sizes = _array(value.batch_sizes)
        steps = np.repeat(np.arange(len(batch_sizes)), batch_sizes.astype(np.intp))
        yield _Leaf(f"{name}.data", _array(value[0]), steps)
        for field, item in zip(PackedSequence._fields[1:], value[1:]):
            yield _Leaf(f"{name}.{field}", None if item is None else _array(item), None)
    elif isinstance(value, (tuple, list)):
        for index, item in enumerate(value):
            yield from _leaves(item, f"{name}[{index}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, f"{name}[{key!r}]")
    else:
        yield _Leaf(name, None if value is None else _array(value), None)


def _array(value: Any) -> AnyArray:
    if hasattr(value, "detach"):  # a tensor
        value = value.detach().cpu().numpy()
    return np.array(value)


def _mapped(value: Any, function: Any, packed: type = PackedSequence) -> Any:
    """Return what a function makes of the arrays in nested tuples and packed sequences."""
    if isinstance(value, tuple) and hasattr(value, "batch_sizes"):
        data, *indices = value
        integers = [item if item is None else _mapped(item, function) for item in indices]
        return packed(_mapped(data, function), *integers)
    if isinstance(value, (tuple, list)):
        return type(value)([_mapped(item, function, packed) for item in value])
    return function(_array(value)) if hasattr(value, "__array__") else value


def _as_double(array: AnyArray) -> AnyArray:
    return array.astype(np.float64) if array.dtype.kind == "f" else array


def _nudged(array: AnyArray, rng: np.random.Generator) -> AnyArray:
    """Return an array with the last bit of every number changed, up or down."""
    if array.dtype.kind != "f":
        return array
    towards = np.where(rng.random(array.shape) < 0.5, -np.inf, np.inf)
    with np.errstate(all="ignore"):
        moved = np.nextafter(array, towards.astype(array.dtype))
    return np.asarray(np.where((array == 0) | ~np.isfinite(array), array, moved))


def _compare(pair: _Pair, inputs: Sequence[Any]) -> ParityReport:
    axis = _axis_of_steps(pair.module)
    double = pair.doubled()
    exact_inputs = _mapped(inputs, _as_double)
    truth = double.theirs(exact_inputs)
    rows: list[ParityRow] = []
    remarks: list[str] = []

    first = _first_steps(exact_inputs, axis)
    if first is not None:
        run = f"float64, {FIRST_STEPS} steps"
        try:
            begun = double.theirs(first)
        except Exception as error:  # a model may want all of its input
            remarks.append(f"the first steps alone could not be run: torch says {error}")
        else:
            rows += _judged(run, double, first, begun, axis)
    rows += _judged("float64", double, exact_inputs, truth, axis)
    kinds = {leaf.array.dtype for leaf in pair.theirs(inputs) if leaf.array is not None}
    if any(kind.kind == "f" and kind != np.float64 for kind in kinds):
        rows += _judged("float32", pair, inputs, truth, axis)
    for row in rows:
        if row.undecided_from is not None:
            start = f"from step {row.undecided_from} on " if row.step is not None else ""
            remarks.append(
                f"{row.run} cannot decide {row.output}: {start}torch's own results differ by "
                f"{UNDECIDED:.0%} of its range and more"
            )
    return ParityReport(tuple(rows), tuple(remarks))


def _axis_of_steps(module: Module) -> int | None:
    """Return the axis of steps in inputs and outputs; None if steps are read both ways."""
    found = 0
    for child in module.modules():
        if getattr(child, "bidirectional", False):
            return None
        if getattr(child, "batch_first", False):
            found = 1
    return found


def _first_steps(inputs: Sequence[Any], axis: int | None) -> list[Any] | None:
    """Return inputs that end after a few steps, or None if they are no longer than that."""
    if not inputs:
        return None
    first, *others = inputs
    if isinstance(first, tuple) and hasattr(first, "batch_sizes"):
        _, batch_sizes, *indices = first
        if len(batch_sizes) <= FIRST_STEPS:
            return None
        rows = int(_array(batch_sizes[:FIRST_STEPS]).sum())
        short = PackedSequence(
            _array(first[0])[:rows], _array(batch_sizes)[:FIRST_STEPS], *indices
        )
        return [short, *others]
    axis = axis or 0
    if not hasattr(first, "__array__"):
        return None
    array = _array(first)
    axis = min(axis, array.ndim - 1)
    if array.ndim == 0 or array.shape[axis] <= FIRST_STEPS:
        return None
    return [array[(slice(None),) * axis + (slice(FIRST_STEPS),)], *others]


def _has_steps(leaf: _Leaf, inputs: Sequence[Any], axis: int | None) -> bool:
    """Return whether an output has as many steps as the input."""
    if axis is None or leaf.array is None or not inputs:
        return False
    if leaf.packed_steps is not None:
        return True
    if not hasattr(inputs[0], "__array__"):
        return False
    shape, steps = leaf.array.shape, _array(inputs[0]).shape
    return len(shape) > axis and len(steps) > axis and shape[axis] == steps[axis]


def _judged(
    run: str, pair: _Pair, inputs: Sequence[Any], truth: list[_Leaf], axis: int | None
) -> list[ParityRow]:
    """Return a row for each array that the models return in a run."""
    theirs = pair.theirs(inputs)
    ours = pair.ours(inputs)
    _check_structure(run, ours, theirs)
    for name, again, before in (
        ("torch's", pair.theirs(inputs), theirs),
        ("ours", pair.ours(inputs), ours),
    ):
        if not all(map(_same, again, before)):
            raise AssertionError(
                f"{run}: {name} gives other results when it is called again with the same "
                "input: does it keep a state, or is dropout on (call eval())?"
            )
    rng = np.random.default_rng(0)
    spread = [theirs]
    for _ in range(DRAWS):
        changed = _mapped(inputs, lambda array: _nudged(array, rng))
        spread.append(pair.nudged(rng).theirs(changed))
    alone = _alone(pair, inputs, theirs)
    rows = []
    for index, (leaf, exact) in enumerate(zip(ours, truth)):
        if leaf.array is None or exact.array is None:
            continue
        others = [_present(result[index]) for result in spread]
        if leaf.array.dtype.kind != "f":
            rows.append(_judged_integers(run, leaf, others))
            continue
        errors = [_difference(other, exact.array) for other in others]
        if alone is not None:
            errors.append(_difference(alone[index], _present(theirs[index])))
        along = axis if _has_steps(leaf, inputs, axis) else None
        rows.append(_judged_floats(run, leaf, exact.array, np.maximum.reduce(errors), along))
    return rows


def _check_structure(run: str, ours: list[_Leaf], theirs: list[_Leaf]) -> None:
    def described(leaf: _Leaf) -> str:
        array = leaf.array
        return f"{leaf.name} " + ("None" if array is None else f"{array.dtype} {array.shape}")

    for mine, other in zip(ours, theirs):
        if described(mine) != described(other):
            raise AssertionError(f"{run}: {described(mine)}, torch's {described(other)}")
    if len(ours) != len(theirs):
        raise AssertionError(f"{run}: {len(ours)} arrays, torch's {len(theirs)}")


def _same(a: _Leaf, b: _Leaf) -> bool:
    if a.array is None or b.array is None:
        return a.array is b.array
    return np.array_equal(a.array, b.array, equal_nan=a.array.dtype.kind == "f")


def _alone(pair: _Pair, inputs: Sequence[Any], theirs: list[_Leaf]) -> list[AnyArray] | None:
    """Return torch's results, those of the first sequence from a run without the others.

    None if there is one sequence, or if it cannot be told which axis is the batch.
    """
    layer = pair.module
    if not hasattr(layer, "batch_first") or not hasattr(inputs[0], "__array__"):
        return None
    array = _array(inputs[0])
    axis = 0 if layer.batch_first else 1
    if array.ndim != 3 or array.shape[axis] < 2:
        return None
    states = _mapped(inputs[1:], lambda state: state[:, :1])
    output, *last = pair.theirs([array.take([0], axis), *states])
    results = [np.array(leaf.array) for leaf in theirs]
    results[0][(slice(None),) * axis + (slice(1),)] = output.array
    for result, leaf in zip(results[1:], last):
        result[:, :1] = leaf.array
    return results


def _difference(a: AnyArray, b: AnyArray) -> AnyArray:
    """Return absolute differences in float64: 0 where both are the same infinity or NaN."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    with np.errstate(all="ignore"):
        difference = np.abs(a - b)
    return np.asarray(np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, difference))


def _present(leaf: _Leaf) -> AnyArray:
    assert leaf.array is not None  # ours has none where torch's has none
    return leaf.array


def _judged_integers(run: str, leaf: _Leaf, others: Sequence[AnyArray]) -> ParityRow:
    """Return the row of integers: they are torch's where torch's own results are alike."""
    theirs, *nudged = others
    wrong = leaf.array != theirs
    unsure = np.zeros_like(wrong)
    for other in nudged:
        unsure |= other != theirs
    counts = float((wrong & ~unsure).sum()), float(np.asarray(unsure).sum())
    return ParityRow(run, leaf.name, None, counts[0], counts[1], 0.0, None)


def _judged_floats(
    run: str, leaf: _Leaf, exact: AnyArray, spread: AnyArray, axis: int | None
) -> ParityRow:
    assert leaf.array is not None
    if exact.size == 0:
        return ParityRow(run, leaf.name, None, 0.0, 0.0, 0.0, None)
    finite = exact[np.isfinite(exact)]
    largest = max(1.0, float(np.abs(finite).max(initial=0.0)))
    span = max(float(np.ptp(finite)), float(np.abs(finite).max())) if finite.size else 0.0
    ulp = float(np.spacing(leaf.array.dtype.type(largest)))
    error, own = _difference(leaf.array, exact), spread
    stepped = axis is not None and (leaf.packed_steps is not None or exact.ndim >= 3)
    errors, owns = (
        _by_step(values, leaf, axis if stepped else None) for values in (error, own)
    )
    up_to = np.maximum.accumulate(owns)
    allowed = FACTOR * up_to + ULPS * ulp
    with np.errstate(all="ignore"):
        ratio = np.where(np.isnan(errors), np.inf, errors / allowed)
    worst = int(np.argmax(ratio))
    wide = np.flatnonzero(~(up_to <= max(UNDECIDED * span, ULPS * ulp)))
    return ParityRow(
        run,
        leaf.name,
        None if axis is None else worst,
        float(errors[worst]),
        float(up_to[worst]),
        float(allowed[worst]),
        int(wide[0]) if wide.size else None,
    )


def _by_step(values: AnyArray, leaf: _Leaf, axis: int | None) -> AnyArray:
    """Return the largest value of each step, or of all in an array of one."""
    if axis is None:
        return np.array([values.max()])
    if leaf.packed_steps is not None:
        largest = np.zeros(int(leaf.packed_steps[-1]) + 1)
        np.maximum.at(largest, leaf.packed_steps, values.reshape(len(values), -1).max(axis=1))
        return largest
    others = tuple(other for other in range(values.ndim) if other != axis)
    return np.asarray(values.max(axis=others))

"""Compare a whole model with torch's: `assert_parity` passes, or shows where the two differ.

It checks the models and their weights, plans in which precisions and on which inputs to run
them, and runs them. torch is never imported: a caller who has a torch module has done so.
"""

from __future__ import annotations

import copy
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from numpy_rnn._typing import AnyArray
from numpy_rnn.floating_point import silent
from numpy_rnn.modules import Module
from numpy_rnn.testing.criterion import MARGIN, allowed_error, difference, largest_magnitude
from numpy_rnn.testing.nested import is_packed, leaves, map_leaves
from numpy_rnn.utils.rnn import PackedSequence

__all__ = ["ParityReport", "ParityRow", "assert_parity", "nudged"]

Results: TypeAlias = dict[str, AnyArray]
"""What a model returns, by the names of `leaves`."""

Steps: TypeAlias = "int | AnyArray | None"
"""The axis of steps in an output, or the step of each row of packed data, or neither."""

DRAWS = 3
"""How often torch is run again with the last bits of its weights and input changed."""

FIRST_STEPS = 4
"""Steps that are also run alone, in float64: a chaotic net has not yet diverged after them."""

UNDECIDED = 0.1
"""Where torch's own results differ by this part of the output's range, they decide nothing."""


class ParityRow(NamedTuple):
    """One output in one precision, at the step where it is closest to what is allowed.

    Attributes
    ----------
    run : str
        The precision, and how many steps of the input were run if not all.
    output : str
        Which of the arrays that the model returns.
    step : int or None
        The step of the largest error; None if the array has no axis of steps.
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
        What could not be decided, and why.
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
    """Run a model and torch's with the same weights on the same input, and compare.

    Both run in the precision that they have and in float64; the truth is torch's float64
    result. How far ours may be from it depends on torch's own results for this input: on
    their error in float32, on how far they move when the last bits of the input and the
    weights change, and on how far when one sequence is run without the others. Steps are
    compared one by one, each with torch's results up to it, so that the steps before a
    chaotic net diverges still count. In float64 what is allowed is about 1e-15 at first, and
    the first four steps are also run alone: a difference there is not rounding.

    Parameters
    ----------
    module : Module
        Of this package, or your own; with its weights.
    torch_module : torch.nn.Module
        The original, with the same weights, on the CPU. Neither is changed, except by
        its own `forward`.
    *inputs : array, PackedSequence, tuple of them, or anything else
        What both take. torch gets arrays as tensors and packed sequences as its own. Steps are
        counted along the first axis of the first input, or the second where the model has a
        layer with ``batch_first``. Steps of a model with a bidirectional layer are not
        compared one by one.

    Returns
    -------
    ParityReport
        A row for each array that the model returns in each run, and remarks, such as from
        which step on float32 cannot decide.

    Raises
    ------
    AssertionError
        If the weights or the results differ; if a model gives other results when it is
        called again, as with dropout; or if torch's own results differ so much, in float64
        too, that nothing can be decided. The message contains the report.
    TypeError
        If `torch_module` is not a torch module, or `module` not one of this package.

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
    torch = _check_modules(module, torch_module)
    _check_weights(module, torch_module)
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # of torch's own, about speed
        runs, remarks = _plan(_Pair(module, torch_module, torch), inputs)
        rows = [row for run in runs for row in _rows(run)]
    report = ParityReport(tuple(rows), tuple(remarks) + _undecided(rows))
    if not report.agrees:
        raise AssertionError(f"the results differ from torch's\n{report}")
    if all(row.undecided_from == 0 for row in rows):
        raise AssertionError(
            f"torch's own results differ too much on this input: try another one\n{report}"
        )
    return report


def _undecided(rows: Sequence[ParityRow]) -> tuple[str, ...]:
    """Return a remark for each row that is undecided somewhere."""
    return tuple(
        f"{row.run} cannot decide {row.output}: "
        + ("" if row.step is None else f"from step {row.undecided_from} on ")
        + f"torch's own results differ by {UNDECIDED:.0%} of its range or more"
        for row in rows
        if row.undecided_from is not None
    )


# Check


def _array(value: Any) -> AnyArray:
    """Return a new array from an array or a tensor, or an array of one object."""
    return np.array(value.detach().cpu().numpy() if hasattr(value, "detach") else value)


def _map_arrays(
    function: Callable[[AnyArray], Any], value: Any, packed: Callable[..., Any] = PackedSequence
) -> Any:
    """Return nested values with `function` applied to arrays and tensors, as arrays."""

    def mapped(leaf: Any) -> Any:
        return function(_array(leaf)) if hasattr(leaf, "__array__") else leaf

    return map_leaves(mapped, value, packed)


def _is_none(array: AnyArray) -> bool:
    return array.shape == () and array[()] is None


def _described(array: AnyArray) -> str:
    return "None" if _is_none(array) else f"{array.dtype} {array.shape}"


def _check_alike(what: str, ours: Results, theirs: Results) -> None:
    """Check that both have the same names, with arrays of the same dtypes and shapes."""
    for whose, more, fewer in (("ours", theirs, ours), ("torch's", ours, theirs)):
        missing = [name for name in more if name not in fewer]
        if missing:
            raise AssertionError(f"{what}: {whose} has no {min(missing)}")
    for name, reference in theirs.items():
        mine, other = _described(ours[name]), _described(reference)
        if mine != other:
            raise AssertionError(f"{what}: {name} is {mine}, torch's {other}")


def _check_modules(module: Any, torch_module: Any) -> Any:
    """Return torch, if one module is torch's and the other is not."""
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(torch_module, torch.nn.Module):
        raise TypeError(f"torch_module must be a torch.nn.Module, got {_kind(torch_module)}")
    if not isinstance(module, Module):
        raise TypeError(f"module must be a numpy_rnn.Module, got {_kind(module)}")
    return torch


def _kind(value: Any) -> str:
    return type(value).__module__ + "." + type(value).__qualname__


def _check_weights(module: Module, torch_module: Any) -> None:
    ours = module.state_dict()
    theirs = {name: _array(value) for name, value in torch_module.state_dict().items()}
    _check_alike("the weights differ", ours, theirs)
    for name, reference in theirs.items():
        by = difference(ours[name], reference).max(initial=0.0)
        if by != 0:
            raise AssertionError(f"the weights differ: {name} by up to {by:.1e}")


def _check_repeatable(run: str, whose: str, before: Results, again: Results) -> None:
    for name, array in before.items():
        if not np.array_equal(array, again[name], equal_nan=array.dtype.kind == "f"):
            raise AssertionError(
                f"{run}: {whose} gives other results when it is called again with the same "
                "input: call eval() if it has dropout, and reset any state that it keeps"
            )


# Plan


class _Pair(NamedTuple):
    """Both models."""

    module: Any
    torch_module: Any
    torch: Any

    def ours(self, inputs: Sequence[Any]) -> Results:
        result = self.module(*_map_arrays(np.copy, inputs))
        return {name: _array(leaf) for name, leaf in leaves(result)}

    def theirs(self, inputs: Sequence[Any]) -> Results:
        packed = self.torch.nn.utils.rnn.PackedSequence
        result = self.torch_module(*_map_arrays(self._tensor, inputs, packed))
        return {name: _array(leaf) for name, leaf in leaves(result)}

    def _tensor(self, array: AnyArray) -> Any:
        return self.torch.from_numpy(np.array(array, order="C"))  # of its own memory

    def doubled(self) -> _Pair:
        """Return both in float64."""
        module, torch_module = copy.deepcopy(self.module), copy.deepcopy(self.torch_module)
        return _Pair(module.double(), torch_module.double(), self.torch)

    def nudged(self, rng: np.random.Generator) -> _Pair:
        """Return torch's with the last bit of its weights changed."""
        torch_module = copy.deepcopy(self.torch_module)
        for parameter in torch_module.parameters():
            parameter.copy_(self._tensor(nudged(_array(parameter), rng)))
        return self._replace(torch_module=torch_module)


class _Run(NamedTuple):
    """Both models in one precision, inputs as arrays, and torch's float64 result for them.

    `axis` is that of the steps in inputs and outputs, or None.
    """

    name: str
    pair: _Pair
    inputs: Sequence[Any]
    truth: Results
    axis: int | None


def _plan(pair: _Pair, inputs: Sequence[Any]) -> tuple[list[_Run], list[str]]:
    """Return the runs to be judged, and why one is left out."""
    axis = _axis_of_steps(pair.module)
    double = pair.doubled()
    inputs = _map_arrays(np.asarray, inputs)
    exact_inputs = _map_arrays(_as_double, inputs)
    truth = double.theirs(exact_inputs)
    runs, remarks = [_Run("float64", double, exact_inputs, truth, axis)], []
    first = _first_steps(exact_inputs, axis or 0)
    if first is not None:
        try:
            begun = double.theirs(first)
        except Exception as error:  # a model may want all of its input
            remarks.append(f"the first steps alone could not be run: torch says {error}")
        else:
            runs.insert(0, _Run(f"float64, {FIRST_STEPS} steps", double, first, begun, axis))
    dtypes = {array.dtype for array in pair.theirs(inputs).values()}
    if any(dtype.kind == "f" and dtype != np.float64 for dtype in dtypes):
        runs.append(_Run("float32", pair, inputs, truth, axis))
    return runs, remarks


def _axis_of_steps(module: Module) -> int | None:
    """Return the axis of steps in inputs and outputs; None if steps are read both ways."""
    children = list(module.modules())
    if any(getattr(child, "bidirectional", False) for child in children):
        return None
    return int(any(getattr(child, "batch_first", False) for child in children))


def _first_steps(inputs: Sequence[Any], axis: int) -> list[Any] | None:
    """Return inputs that end after a few steps, or None if they are no longer than that."""
    if not inputs:
        return None
    first, *others = inputs
    if is_packed(first):
        data, batch_sizes, *indices = first
        sizes = batch_sizes[:FIRST_STEPS]
        short = PackedSequence(data[: sizes.sum()], sizes, *indices)
        return [short, *others] if len(batch_sizes) > FIRST_STEPS else None
    if not isinstance(first, np.ndarray) or first.ndim == 0:
        return None
    axis = min(axis, first.ndim - 1)
    if first.shape[axis] <= FIRST_STEPS:
        return None
    return [first[(slice(None),) * axis + (slice(FIRST_STEPS),)], *others]


def _as_double(array: AnyArray) -> AnyArray:
    return array.astype(np.float64) if array.dtype.kind == "f" else array


@silent
def nudged(array: AnyArray, rng: np.random.Generator) -> AnyArray:
    """Return an array of floats with the last bit of every number changed, up or down.

    Zeros, infinities, NaNs and arrays of integers stay as they are.
    """
    if array.dtype.kind != "f":
        return array
    towards = np.where(rng.random(array.shape) < 0.5, -np.inf, np.inf).astype(array.dtype)
    fixed = (array == 0) | ~np.isfinite(array)
    return np.asarray(np.where(fixed, array, np.nextafter(array, towards)))


# Execute


def _rows(run: _Run) -> Iterator[ParityRow]:
    """Run both models, and yield a row for each array that they return."""
    ours, theirs = run.pair.ours(run.inputs), run.pair.theirs(run.inputs)
    _check_alike(run.name, ours, theirs)
    _check_repeatable(run.name, "torch's", theirs, run.pair.theirs(run.inputs))
    _check_repeatable(run.name, "ours", ours, run.pair.ours(run.inputs))
    others = list(_other_results(run))
    alone = _first_sequence_alone(run, theirs)
    for name, mine in ours.items():
        exact, draws = run.truth[name], [result[name] for result in others]
        if mine.dtype.kind == "f":
            spread = [difference(array, exact) for array in (theirs[name], *draws)]
            if alone:
                spread.append(difference(alone[name], theirs[name]))
            steps = _steps(run, name, ours)
            yield _row(run, name, mine, np.maximum.reduce(spread), steps)
        elif not _is_none(mine):
            # Integers are torch's, but where torch's own results differ.
            unsure = np.logical_or.reduce([draw != theirs[name] for draw in draws])
            wrong = (mine != theirs[name]) & ~unsure
            counts = float(wrong.sum()), float(unsure.sum())
            yield ParityRow(run.name, name, None, *counts, 0.0, None)


def _other_results(run: _Run) -> Iterator[Results]:
    """Yield torch's results for inputs and weights whose last bits are changed."""
    rng = np.random.default_rng(0)
    for _ in range(DRAWS):
        inputs = _map_arrays(lambda array: nudged(array, rng), run.inputs)
        yield run.pair.nudged(rng).theirs(inputs)


def _first_sequence_alone(run: _Run, theirs: Results) -> Results:
    """Return torch's results, those of the first sequence from a run without the others.

    Empty if there is one sequence only, or the model is not a layer whose batch axis is known.
    """
    torch, layer = run.pair.torch, run.pair.torch_module
    if type(layer) not in (torch.nn.RNN, torch.nn.LSTM, torch.nn.GRU):
        return {}
    x, *states = run.inputs
    axis = 0 if layer.batch_first else 1
    if not isinstance(x, np.ndarray) or x.ndim != 3 or x.shape[axis] < 2:
        return {}
    states = _map_arrays(lambda state: state[:, :1], states)
    results = {name: array.copy() for name, array in theirs.items()}
    for name, array in run.pair.theirs([x.take([0], axis), *states]).items():
        batch_axis = axis if name == "output[0]" else 1
        results[name][(slice(None),) * batch_axis + (slice(1),)] = array
    return results


def _steps(run: _Run, name: str, results: Results) -> Steps:
    """Return where an output has its steps, if it has as many as the input."""
    if run.axis is None:
        return None
    sizes = results.get(name.removesuffix(".data") + ".batch_sizes")
    if sizes is not None:
        return np.repeat(np.arange(len(sizes)), sizes.astype(np.intp))
    shape, x = results[name].shape, run.inputs[0] if run.inputs else None
    if not isinstance(x, np.ndarray) or x.ndim <= run.axis or len(shape) < 3:
        return None
    return run.axis if shape[run.axis] == x.shape[run.axis] else None


def _row(run: _Run, name: str, ours: AnyArray, spread: AnyArray, steps: Steps) -> ParityRow:
    exact = run.truth[name]
    if exact.size == 0:
        return ParityRow(run.name, name, None, 0.0, 0.0, 0.0, None)
    errors = _step_maxima(difference(ours, exact), steps)
    own = np.maximum.accumulate(_step_maxima(spread, steps))
    largest = largest_magnitude(exact)
    allowed = MARGIN * allowed_error(own, largest, ours.dtype)
    worst = int(np.argmax(_ratio(errors, allowed)))
    finite = exact[np.isfinite(exact)]
    extent = max(np.ptp(finite), np.abs(finite).max()) if finite.size else 0.0
    rounding = MARGIN * allowed_error(0.0, largest, ours.dtype)
    wide = np.flatnonzero(~(own <= max(UNDECIDED * extent, rounding)))
    step, start = None if steps is None else worst, int(wide[0]) if wide.size else None
    numbers = float(errors[worst]), float(own[worst]), float(allowed[worst])
    return ParityRow(run.name, name, step, *numbers, start)


@silent
def _ratio(errors: AnyArray, allowed: AnyArray) -> AnyArray:
    """Return errors relative to what is allowed; NaN errors are infinite."""
    return np.where(np.isnan(errors), np.inf, errors / allowed)


def _step_maxima(values: AnyArray, steps: Steps) -> AnyArray:
    """Return the largest value of each step, or of all in an array of one."""
    if steps is None:
        return np.array([values.max()])
    if isinstance(steps, int):
        others = tuple(axis for axis in range(values.ndim) if axis != steps)
        return np.asarray(values.max(axis=others))
    largest = np.zeros(int(steps[-1]) + 1)
    np.maximum.at(largest, steps, values.reshape(len(values), -1).max(axis=1))
    return largest

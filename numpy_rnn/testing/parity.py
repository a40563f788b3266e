"""Compare a whole model with torch's: `assert_parity` passes, or shows where the two differ.

It checks the models and their weights, plans in which precisions and on which inputs to run
them, and runs them. torch is never imported: a caller who has a torch module has done so.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from numpy_rnn._typing import AnyArray
from numpy_rnn.floating_point import silent
from numpy_rnn.modules import Module
from numpy_rnn.modules.conv import Conv1d, Conv2d
from numpy_rnn.modules.rnn import RNNBase
from numpy_rnn.testing.criterion import MARGIN, allowed_error, difference, largest_magnitude
from numpy_rnn.testing.nested import is_packed
from numpy_rnn.testing.pair import (
    Inputs,
    Pair,
    Results,
    as_array,
    as_double,
    map_arrays,
    nudged,
)
from numpy_rnn.utils.rnn import PackedSequence

__all__ = ["ParityReport", "ParityRow", "assert_parity"]

Steps: TypeAlias = "int | AnyArray | None"
"""The axis of steps in an output, or the step of each row of packed data, or neither."""

DRAWS = 3
"""How often torch is run again with the last bits of its weights and input changed."""

FIRST_STEPS = 4
"""Steps that are also run alone, in float64: a chaotic net has not yet diverged after them."""

NO_OPTIONS = {"training", "inplace"}
"""Attributes of layers in which two models may differ: each is run as it is."""

FLOAT32_ROUNDING = 1e-4
"""Errors below this, in float64, are small enough to be those of float32."""

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
    options : tuple of str
        Options of layers that differ, which may do no harm: ``dropout`` in evaluation mode.
    """

    rows: tuple[ParityRow, ...]
    remarks: tuple[str, ...]
    options: tuple[str, ...] = ()

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
        return "\n".join([*self.options, *texts, *self.remarks])


def assert_parity(
    module: Module, torch_module: Any, *inputs: Any, **keywords: Any
) -> ParityReport:
    """Run a model and torch's with the same weights on the same input, and compare.

    Both run in the precision that they have and in float64; the truth is torch's float64
    result. How far ours may be from it depends on torch's own results for this input: on
    their error in float32, on how far they move when the last bits of the input and the
    weights change, and on how far when one sequence is run without the others. Steps are
    compared one by one, each with torch's results up to it, so that the steps before a
    chaotic net diverges still count. In float64 what is allowed is about 1e-15 at first, and
    the first four steps are also run alone: a difference there is not rounding.

    For its float64 result the original may name float32: its ``torch.zeros(...)`` and
    ``x.float()`` give float64 then. In the port, let new arrays have the dtype of what they
    serve, as by ``np.zeros(..., x.dtype)``.

    Parameters
    ----------
    module : Module
        Of this package, or your own; with its weights.
    torch_module : torch.nn.Module
        The original, with the same weights, on the CPU. Both are copied before every run,
        so neither changes, and each run begins with the state that they keep now.
    *inputs : array, PackedSequence, nest of them, or anything else
        What both take. torch gets arrays as tensors and packed sequences as its own. Steps are
        counted along the first axis of the first input, or the second where the recurrent
        layers have ``batch_first``; in an input of two axes only whole numbers, such as
        words, can have a batch. Steps are not compared one by one where the model has no
        recurrent layer, one that is bidirectional, or a convolution before it.
    **keywords : the same
        What both take by name.

    Returns
    -------
    ParityReport
        A row for each array that the model returns in each run, and remarks, such as from
        which step on float32 cannot decide.

    Raises
    ------
    AssertionError
        If the weights or the results differ; if a model fails, or gives other results when
        it is called again, as with dropout; or if torch's own results differ so much, in
        float64 too, that nothing can be decided. The message names options of layers that
        differ, and contains the report.
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
    options = _differing_options(module, torch_module)
    try:
        _check_weights(module, torch_module)
        with warnings.catch_warnings(), torch.inference_mode():
            warnings.simplefilter("ignore")  # of torch's own, about speed
            runs, remarks = _plan(Pair(module, torch_module, torch), (inputs, keywords))
            rows = [row for run in runs for row in _rows(run)]
    except AssertionError as error:
        if not options:
            raise
        raise AssertionError("\n".join([*options, str(error)])) from error.__cause__
    report = ParityReport(tuple(rows), (*remarks, *_undecided(rows)), options)
    if not report.agrees:
        raise AssertionError(f"the results differ from torch's\n{report}{_hint(rows)}")
    if all(row.undecided_from == 0 for row in rows):
        raise AssertionError(
            f"torch's own results differ too much on this input: try another one\n{report}"
        )
    return report


def _hint(rows: Sequence[ParityRow]) -> str:
    """Return what may be the cause where float64 alone differs, by what float32 rounds."""
    failed = [row for row in rows if not row.agrees]
    if all(row.run.startswith("float64") and row.ours < FLOAT32_ROUNDING for row in failed):
        return (
            "\nfloat64 alone differs, and by little: if the port makes float32 arrays, let "
            "these have the dtype of what they serve, as by np.zeros(..., x.dtype)"
        )
    return ""


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


def _is_none(array: AnyArray) -> bool:
    return array.shape == () and array[()] is None


def _described(array: AnyArray) -> str:
    return "None" if _is_none(array) else f"{array.dtype} {array.shape}"


def _check_alike(what: str, ours: Results, theirs: Results) -> None:
    """Check that both have the same names, with arrays of the same dtypes and shapes."""
    for whose, more, fewer in (("ours", theirs, ours), ("torch's", ours, theirs)):
        missing = [name for name in more if name not in fewer]
        if missing:
            counts = f" (ours has {len(ours)} arrays, torch's {len(theirs)})"
            raise AssertionError(
                f"{what}: {whose} has no {min(missing)}"
                + (counts if len(ours) != len(theirs) else "")
            )
    for name, reference in theirs.items():
        mine, other = _described(ours[name]), _described(reference)
        if mine != other:
            shape = reference.shape
            swapped = (*shape[1::-1], *shape[2:]) == ours[name].shape != shape
            hint = ": its first two axes are swapped, as by another batch_first"
            raise AssertionError(
                f"{what}: {name} is {mine}, torch's {other}" + (hint if swapped else "")
            )


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
    theirs = {name: as_array(value) for name, value in torch_module.state_dict().items()}
    _check_alike("the weights differ", ours, theirs)
    for name, reference in theirs.items():
        by = difference(ours[name], reference).max(initial=0.0)
        if by != 0:
            raise AssertionError(f"the weights differ: {name} by up to {by:.1e}")


def _differing_options(module: Module, torch_module: Any) -> tuple[str, ...]:
    """Return a line for each option of a layer that the two models have differently."""
    ours = dict(module.named_modules())
    lines = []
    for name, theirs in torch_module.named_modules():
        mine = ours.get(name)
        if mine is None or type(mine).__name__ != type(theirs).__name__:
            continue
        where = f"{name}." if name else ""
        lines += [
            f"{where}{option} is {own!r}, torch's {value!r}"
            for option, value in vars(theirs).items()
            if option not in NO_OPTIONS
            and _is_plain(value)
            and _is_plain(own := vars(mine).get(option, value))
            and own != value
        ]
    return tuple(lines)


def _is_plain(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, (bool, int, float, str))


def _check_repeatable(run: str, whose: str, before: Results, again: Results) -> None:
    for name, array in before.items():
        if not np.array_equal(array, again[name], equal_nan=array.dtype.kind == "f"):
            raise AssertionError(
                f"{run}: {whose} gives other results when it is called again with the same "
                "input: call eval() if it has dropout, and reset any state that it keeps"
            )


# Plan


class _Run(NamedTuple):
    """Both models in one precision, inputs as arrays, and torch's float64 result for them.

    `axis` is that of the steps in inputs and outputs, or None if they are not compared one by
    one.
    """

    name: str
    pair: Pair
    inputs: Inputs
    truth: Results
    axis: int | None


def _plan(pair: Pair, inputs: Inputs) -> tuple[list[_Run], list[str]]:
    """Return the runs to be judged, and why one is left out."""
    axis, reason = _axis_of_steps(pair.module)
    both_ways = any(getattr(part, "bidirectional", False) for part in pair.module.modules())
    compared = None if both_ways else axis
    double = pair.doubled()
    inputs = map_arrays(np.asarray, inputs)
    exact_inputs = map_arrays(as_double, inputs)
    truth = double.theirs(exact_inputs)
    runs, remarks = [_Run("float64", double, exact_inputs, truth, compared)], []
    first = None
    if axis is not None:
        first, reason = _first_steps(exact_inputs, axis)
    if first is not None:
        try:
            begun = double.theirs(first)
        except AssertionError as error:  # a model may want all of its input
            reason = f"{error}"
        else:
            name = f"float64, {FIRST_STEPS} steps"
            runs.insert(0, _Run(name, double, first, begun, compared))
    if reason:
        remarks.append(f"the first {FIRST_STEPS} steps are not run alone: {reason}")
    arrays = [*pair.theirs(inputs).values(), *pair.module.state_dict().values()]
    if any(array.dtype.kind == "f" and array.dtype != np.float64 for array in arrays):
        runs.append(_Run("float32", pair, inputs, truth, compared))
    return runs, remarks


def _axis_of_steps(module: Module) -> tuple[int | None, str]:
    """Return the axis of steps in inputs, or None and why the layers do not show it."""
    kinds = (RNNBase, Conv1d, Conv2d)
    parts = [(name, part) for name, part in module.named_modules() if isinstance(part, kinds)]
    axes = {int(part.batch_first) for _, part in parts if isinstance(part, RNNBase)}
    if not axes:
        return None, "the model has no recurrent layers"
    name, first = parts[0]
    if not isinstance(first, RNNBase):
        return None, f"a convolution, {name}, comes before the recurrent layers"
    if len(axes) > 1:
        return None, "the recurrent layers do not agree on batch_first"
    return axes.pop(), ""


def _first_steps(inputs: Inputs, axis: int) -> tuple[Inputs | None, str]:
    """Return inputs of which the first ends after a few steps, or None and the reason."""
    args, keywords = inputs
    if not args:
        return None, "no input is given by position"
    first, *others = args
    if is_packed(first):
        data, batch_sizes, *indices = first
        sizes = batch_sizes[:FIRST_STEPS]
        short: Any = PackedSequence(data[: sizes.sum()], sizes, *indices)
        length = len(batch_sizes)
    elif not isinstance(first, np.ndarray) or not 1 <= first.ndim <= 3:
        return None, "the first input is not an array of one to three axes"
    else:
        axis = 0 if _is_unbatched(first) else axis
        short = first[(slice(None),) * axis + (slice(FIRST_STEPS),)]
        length = first.shape[axis]
    return (((short, *others), keywords), "") if length > FIRST_STEPS else (None, "")


def _is_unbatched(x: AnyArray) -> bool:
    """Return whether an input has no batch: of features at each step, or of words."""
    return x.ndim < (3 if x.dtype.kind == "f" else 2)


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
        inputs = map_arrays(lambda array: _nudged_input(array, rng), run.inputs)
        yield run.pair.nudged(rng).theirs(inputs)


def _nudged_input(array: AnyArray, rng: np.random.Generator) -> AnyArray:
    """Return an input nudged, unless it holds indices or counts: those are exact."""
    return array if np.all(array == np.trunc(array)) else nudged(array, rng)


def _first_sequence_alone(run: _Run, theirs: Results) -> Results:
    """Return torch's results, those of the first sequence from a run without the others.

    Empty if there is one sequence only, or the model is not a layer whose batch axis is known.
    """
    torch, layer = run.pair.torch, run.pair.torch_module
    if type(layer) not in (torch.nn.RNN, torch.nn.LSTM, torch.nn.GRU):
        return {}
    args, keywords = run.inputs
    axis = 0 if layer.batch_first else 1
    x, *states = args or (None,)
    if keywords or not isinstance(x, np.ndarray) or x.ndim != 3 or x.shape[axis] < 2:
        return {}
    states = map_arrays(lambda state: state[:, :1], states)
    results = {name: array.copy() for name, array in theirs.items()}
    for name, array in run.pair.theirs(((x.take([0], axis), *states), {})).items():
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
    args, _ = run.inputs
    shape, x = results[name].shape, args[0] if args else None
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

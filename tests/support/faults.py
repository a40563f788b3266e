"""Errors that are raised at a given instruction of the package, as by an interrupt."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest

import numpy_rnn as nn

PACKAGE = str(Path(nn.__file__).parent)


def raise_at_instructions(
    work: Callable[[], Any],
    error: type[BaseException],
    rounds: int = 3,
    every: int = 1,
    prepare: Callable[[], object] = lambda: None,
) -> Iterator[tuple[str, int | None]]:
    """Call `work` repeatedly, and end each call with `error`, one instruction later each time.

    The error is raised before a bytecode instruction of the package's own code, which is
    then not executed. Python itself does so at fewer places: signals are handled between
    some instructions only, and only some allocate memory.

    Parameters
    ----------
    work : callable
        Does the same in every call.
    error : type of exception
        What is raised.
    rounds : int
        How often it is raised at the same instruction: in the first rounds of a loop.
    every : int
        2 to raise at every second instruction only, 3 at every third.
    prepare : callable
        Called before each call of `work`; nothing is raised in it.

    Yields
    ------
    (str, int or None)
        The file and line where it was raised.
    """
    if sys.version_info >= (3, 12):
        pytest.skip("its tracing shows other instructions from run to run (3.12.1, 3.13.0)")
    prepare()
    work()  # which imports and caches whatever later calls do not
    visits: Counter[tuple[CodeType, int]] = Counter()
    points: list[int] = []
    count = 0

    def note(frame: FrameType) -> None:
        nonlocal count
        place = frame.f_code, frame.f_lasti
        visits[place] += 1
        if visits[place] <= rounds:
            points.append(count)
        count += 1

    prepare()
    _run(work, note)
    assert points, "no instruction of the package was executed"
    for point in points[::every]:
        count = 0
        place: tuple[str, int | None] = "", None

        def fail(frame: FrameType, point: int = point) -> None:
            nonlocal count, place
            if count == point:
                place = frame.f_code.co_filename, frame.f_lineno
                raise error
            count += 1

        prepare()
        try:
            _run(work, fail)
        except BaseException as raised:
            if not _comes_of(raised, error):
                raise
            yield place
        else:
            raise AssertionError(f"instruction {point} was not reached again")


def _comes_of(raised: BaseException | None, error: type[BaseException]) -> bool:
    """Return whether an error is `error`, or was raised while that was handled."""
    while raised is not None and not isinstance(raised, error):
        raised = raised.__context__
    return raised is not None


def _run(work: Callable[[], Any], on_instruction: Callable[[FrameType], None]) -> None:
    def instruction(frame: FrameType, event: str, _: object) -> Any:
        if event == "opcode":
            on_instruction(frame)
        return instruction

    def call(frame: FrameType, *_: object) -> Any:
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        return instruction

    before = sys.gettrace()
    sys.settrace(call)
    try:
        work()
    finally:
        sys.settrace(before)

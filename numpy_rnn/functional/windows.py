"""Windows that slide along the axes of an array: what pools and `unfold` share."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from numpy_rnn._typing import IntArray

Places: TypeAlias = slice | IntArray
"""Which elements of an axis."""

ALL = slice(None)
"""Every window."""


class Windows(NamedTuple):
    """The windows along one axis, in elements of the input."""

    starts: IntArray
    """Where each begins, which may be before the input."""
    stops: IntArray
    """Where each ends: at the end of the input, or before."""
    step: int
    """From one tap to the next."""

    @classmethod
    def sliding(cls, size: int, count: int, options: Sliding) -> Windows:
        """Return `count` windows along an axis of a size."""
        starts = np.arange(count, dtype=np.int64) * options.stride - options.padding
        return cls(starts, np.minimum(starts + options.reach, size), options.dilation)

    @classmethod
    def adaptive(cls, size: int, count: int) -> Windows:
        """Return windows that share an axis as evenly as may be; they may overlap."""
        number = np.arange(count, dtype=np.int64)
        return cls(number * size // count, -(-(number + 1) * size // count), 1)

    @property
    def firsts(self) -> IntArray:
        """The first tap of each window that is not before the input."""
        return np.where(self.starts < 0, self.starts % self.step, self.starts)

    @property
    def elements(self) -> IntArray:
        """The elements of the input from the beginning of each window to its end."""
        return self.stops - np.maximum(self.starts, 0)

    @property
    def most_taps(self) -> int:
        """The taps of the longest window."""
        longest = int((self.stops - self.starts).max(initial=0))
        return -(-longest // self.step)

    def taps(self) -> Iterator[tuple[Places, Places]]:
        """Yield for each tap the windows where it is in the input, and where it is there."""
        for tap in range(self.most_taps):
            places = self.starts + tap * self.step
            windows = np.flatnonzero((places >= 0) & (places < self.stops))
            whole = windows.size == self.starts.size
            yield ALL if whole else _as_slice(windows), _as_slice(places[windows])

    def most_elements(self, size: int, options: Sliding) -> IntArray:
        """Return the same for an input of a size with its padding."""
        return np.minimum(self.starts + options.kernel, size + options.padding) - self.starts

    def keep(self, size: int) -> bool:
        """Return whether each element of an axis of a size is a window of its own."""
        return self.most_taps == 1 and np.array_equal(self.starts, np.arange(size))


class Sliding(NamedTuple):
    """How windows slide along one axis."""

    kernel: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1

    @property
    def reach(self) -> int:
        """The elements from the first tap of a window to its last."""
        return self.dilation * (self.kernel - 1) + 1

    def count(self, size: int, ceil_mode: bool = False) -> int:
        """Return how many windows there are along an axis of a size."""
        room = size + 2 * self.padding - self.reach
        if not ceil_mode:
            return room // self.stride + 1
        count = -(-room // self.stride) + 1
        # The last window must begin in the input or before it.
        return count - ((count - 1) * self.stride >= size + self.padding)


def _as_slice(places: IntArray) -> Places:
    """Return places as a slice if they are evenly apart: its elements are a view."""
    if not places.size:
        return slice(0)
    step = int(places[1] - places[0]) if places.size > 1 else 1
    if step < 1 or (np.diff(places) != step).any():
        return places
    return slice(int(places[0]), int(places[-1]) + 1, step)


def along(axis: int, places: Places) -> tuple[Any, ...]:
    """Return the index of places of an axis, which is negative."""
    return (..., places, *[slice(None)] * (-1 - axis))


def parse_ints(value: object, call: str, name: str, position: int) -> tuple[int, ...]:
    """Return an argument that is an int or several as a tuple.

    Parameters
    ----------
    value : int, or list or tuple of int
    call, name : str
        The function's name and the argument's, for the error.
    position : int
        The argument's, counted from 1.

    Raises
    ------
    TypeError
        If there is something else, or in it.
    """
    expected = f"{call}(): argument '{name}' (position {position}) must be tuple of ints, "
    if _is_int(value):
        return (operator.index(value),)  # type: ignore[arg-type]  # that was asked
    if not isinstance(value, (list, tuple)):
        raise TypeError(f"{expected}not {type(value).__name__}")
    for place, item in enumerate(value):
        if not _is_int(item):
            kind = type(item).__name__
            raise TypeError(f"{expected}but found element of type {kind} at pos {place}")
    return tuple(map(operator.index, value))


def _is_int(value: object) -> bool:
    return hasattr(value, "__index__") and not isinstance(value, (bool, np.bool_, np.ndarray))

"""The order that ``torch.sort`` gives, down to the order among equal values."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

SMALL = 16
"""A run of so many values is left to the final, stable sort."""


class _Item:
    """A value and where it came from, compared by the value alone."""

    __slots__ = ("index", "value")

    def __init__(self, value: int, index: int) -> None:
        self.value = value
        self.index = index

    def __lt__(self, other: _Item) -> bool:
        return self.value < other.value


def descending_order(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the indices that sort `values` in descending order, as ``torch.sort`` does.

    torch's default sort is not stable, and packed data shows in which order equal lengths
    came out. It is an introsort (Musser, 1997) as C++ libraries have it: quicksort with
    the median of three as the pivot, down to runs of 16; heapsort for a run that quicksort
    has split ``2 * floor(log2(n))`` times; at last an insertion sort of the whole, which
    is stable. Up to 16 values the result is therefore that of a stable sort.

    Parameters
    ----------
    values : ndarray of shape (n,)
        int64; never written to.

    Returns
    -------
    ndarray of shape (n,)
        int64.

    Examples
    --------
    >>> import numpy as np
    >>> descending_order(np.array([1, 3, 2, 3]))
    array([1, 3, 2, 0])
    >>> descending_order(np.full(17, 5))[:4]
    array([ 8, 16, 15, 14])
    """
    items = [_Item(value, index) for index, value in enumerate(values.tolist())]
    runs = [(0, len(items), 2 * (len(items).bit_length() - 1))]
    while runs:
        first, last, splits_left = runs.pop()
        if last - first <= SMALL:
            continue
        if splits_left == 0:
            items[first:last] = _heap_sorted(items[first:last])
            continue
        middle = _split(items, first, last)
        runs += [(first, middle, splits_left - 1), (middle, last, splits_left - 1)]
    items.sort(key=lambda item: item.value, reverse=True)  # stable, reversed or not
    return np.array([item.index for item in items], np.int64)


def _split(items: list[_Item], first: int, last: int) -> int:
    """Partition a run in place around its pivot; return where the second part begins.

    The pivot is moved to the front and stays there. Values equal to it change sides from
    both ends, which is what the order among equals depends on.
    """
    low, middle, high = first + 1, first + (last - first) // 2, last - 1
    # With equal values the median is not unique: these comparisons choose torch's.
    if items[middle] < items[low]:
        if items[high] < items[middle]:
            median = middle
        else:
            median = high if items[high] < items[low] else low
    elif items[high] < items[low]:
        median = low
    else:
        median = high if items[high] < items[middle] else middle
    items[first], items[median] = items[median], items[first]

    pivot = items[first].value
    while True:
        while items[low].value > pivot:
            low += 1
        while items[high].value < pivot:
            high -= 1
        if low >= high:
            return low
        items[low], items[high] = items[high], items[low]
        low, high = low + 1, high - 1


def _heap_sorted(items: list[_Item]) -> list[_Item]:
    """Return `items` in descending order; `heapq` sifts as C++ heaps do."""
    heapq.heapify(items)
    return [heapq.heappop(items) for _ in range(len(items))][::-1]

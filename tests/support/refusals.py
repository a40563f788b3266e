"""How a file that is refused is judged: by what is said of it, and by the memory it takes."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Callable, Sequence

import pytest

import numpy_rnn as nn
from tests.support.hostile import most_memory

Reader = Callable[[io.BytesIO], object]
READERS: list[Reader] = [nn.load, nn.read_state_dict]


def refusal(data: bytes, read: Reader = nn.load) -> str:
    """Return what a reader says of a file that it refuses."""
    with pytest.raises(nn.CheckpointError) as caught:
        read(io.BytesIO(data))
    message = str(caught.value)
    assert len(message) < 2000
    return message


def memory_of(data: bytes, readers: Sequence[Reader] = READERS) -> int:
    """Return the peak memory, in bytes, of refusing a file."""
    peaks = []
    for read in readers:
        tracemalloc.start()
        try:
            refusal(data, read)
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    return max(peaks)


def assert_cheap(data: bytes, readers: Sequence[Reader] = READERS) -> None:
    """Check that refusing a file takes no more memory than it may."""
    assert memory_of(data, readers) < most_memory(len(data))

"""The stream of random numbers."""

from __future__ import annotations

import math
import operator
import os
from typing import Any

import numpy as np
import numpy.typing as npt

from numpy_rnn._typing import Array, DTypeLike
from numpy_rnn.arguments import FLOAT32, FLOAT64, parse_dtype
from numpy_rnn.floating_point import silent
from numpy_rnn.random import box_muller
from numpy_rnn.random.fused import fused_multiply_add

_NORMAL_DRAWS = 2**16
"""How many normal draws are made at a time; a multiple of 16."""


class Generator:
    """A stream of random numbers, equal to that of ``torch.Generator`` for equal seeds.

    A new generator starts from a seed of the operating system.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.Generator.html

    Examples
    --------
    >>> from numpy_rnn import random
    >>> generator = random.Generator().manual_seed(0)
    >>> generator.uniform(3, 0.0, 1.0)
    array([0.4962566 , 0.7682218 , 0.08847743], dtype=float32)
    """

    def __init__(self) -> None:
        self.seed()

    def __repr__(self) -> str:
        return f"Generator(initial_seed={self._seed})"

    def manual_seed(self, seed: int) -> Generator:
        """Restart the stream from `seed` and return the generator.

        Parameters
        ----------
        seed : int
            From -2**63 to 2**64 - 1; a negative seed counts down from 2**64.

        Raises
        ------
        ValueError
            If `seed` is out of range.
        """
        seed = int(seed)
        if not -(2**63) <= seed < 2**64:
            raise ValueError(f"seed must be from -2**63 to 2**64 - 1, got {seed}")
        self._seed = seed % 2**64
        self._bits: np.random.MT19937 | None = None
        self._second_normal: float | None = None
        return self

    def initial_seed(self) -> int:
        """Return the seed that the stream started from, from 0 to 2**64 - 1."""
        return self._seed

    def seed(self) -> int:
        """Restart the stream from a seed of the operating system; return the seed."""
        self.manual_seed(int.from_bytes(os.urandom(8), "little"))
        return self._seed

    @silent
    def uniform(
        self, size: int | tuple[int, ...], low: float, high: float, dtype: DTypeLike = FLOAT32
    ) -> Array:
        """Draw from the uniform distribution on [low, high), as ``Tensor.uniform_`` does.

        Parameters
        ----------
        size : int or tuple of int
            Shape of the result.
        low, high : float
            The bounds, which are first rounded to `dtype`.
        dtype : dtype
            float32 or float64.

        Returns
        -------
        ndarray
            Of shape `size`: ``u * (high - low) + low``, rounded once, since torch's
            compiler makes it one fused multiply-add.

        Raises
        ------
        RuntimeError
            If the bounds are not finite, or not in this order.
        """
        dtype = parse_dtype(dtype)
        limit = float(np.finfo(dtype).max)
        if not -limit <= low <= high <= limit or high - low > limit:
            raise RuntimeError(
                f"uniform_ expects to return a [from, to) range of {dtype}, but found "
                f"from={low} and to={high}"
            )
        number = dtype.type
        # Scaled by a power of two, which is exact, or the error terms overflow.
        scale = number(2.0**-64 if max(-low, high) > 2.0**900 else 1.0)
        a, width = number(low), number(high) - number(low)
        fractions = self._fractions(_shape(size), dtype)
        drawn = np.asarray(fused_multiply_add(fractions, width * scale, a * scale) / scale)
        # The rounding can give `high` itself, which is outside the interval.
        drawn[drawn == number(high)] = low
        return drawn

    @silent
    def normal(
        self,
        size: int | tuple[int, ...],
        mean: float = 0.0,
        std: float = 1.0,
        dtype: DTypeLike = FLOAT32,
    ) -> Array:
        """Draw from a normal distribution, as ``Tensor.normal_`` does.

        Parameters
        ----------
        size : int or tuple of int
            Shape of the result.
        mean, std : float
            Of the distribution.
        dtype : dtype
            float32 or float64.

        Returns
        -------
        ndarray
            Of shape `size`: torch's numbers, bit for bit, on x86 processors with AVX2, and
            in float64 where both use the same C library. Elsewhere torch rounds its
            logarithms and cosines differently, by units in the last place.

        Raises
        ------
        RuntimeError
            If `std` is negative.
        """
        dtype = parse_dtype(dtype)
        if not std >= 0:
            raise RuntimeError(f"normal expects std >= 0.0, but found std {std:g}")
        shape = _shape(size)
        count = math.prod(shape)
        drawn: Array
        if count < box_muller.BLOCK:
            drawn = np.array([self._one_normal() for _ in range(count)], FLOAT64)
        else:
            drawn = self._standard_normal(count, dtype)
        if (mean, std) != (0.0, 1.0):
            number = drawn.dtype.type
            drawn = fused_multiply_add(drawn, number(std), number(mean))
        return drawn.astype(dtype, copy=False).reshape(shape)

    def _standard_normal(self, count: int, dtype: np.dtype[Any]) -> Array:
        """Return at least 16 draws, made from blocks of 16 uniform ones."""
        out = np.empty(count, dtype)
        whole = count - count % box_muller.BLOCK
        for first in range(0, whole, _NORMAL_DRAWS):
            block = out[first : min(first + _NORMAL_DRAWS, whole)]
            block[...] = self._normal_blocks(len(block), dtype)
        if whole < count:
            # torch has drawn for the rest when it draws again for the last 16 of all.
            self._fractions((count - whole,), dtype)
            out[-box_muller.BLOCK :] = self._normal_blocks(box_muller.BLOCK, dtype)
        return out

    def _normal_blocks(self, count: int, dtype: np.dtype[Any]) -> Array:
        uniform = self._fractions((count // box_muller.BLOCK, box_muller.BLOCK), dtype)
        return box_muller.normal(uniform).ravel()

    def _one_normal(self) -> float:
        """Return one draw: the second of the last pair, or the first of the next."""
        second, self._second_normal = self._second_normal, None
        if second is not None:
            return second
        u_1, u_2 = self._fractions((2,), FLOAT64).tolist()
        radius, angle = math.sqrt(-2 * math.log1p(-u_2)), 2 * math.pi * u_1
        self._second_normal = radius * math.sin(angle)
        return radius * math.cos(angle)

    def bernoulli(self, size: int | tuple[int, ...], p: float) -> npt.NDArray[np.bool_]:
        """Draw True with probability `p`, as ``Tensor.bernoulli_(p)`` does.

        On Intel processors torch draws with MKL instead, so the draws are equal to torch's
        on all others only.
        """
        return np.asarray(self._fractions(_shape(size), FLOAT64) < p)

    def permutation(self, n: int) -> npt.NDArray[np.int64]:
        """Return the numbers from 0 to n - 1 in random order, as ``torch.randperm`` does."""
        order = list(range(n))
        places = self._words((max(n - 1, 0),)) % np.arange(n, 1, -1, dtype=np.uint64)
        for first, place in enumerate(places.tolist()):
            order[first], order[first + place] = order[first + place], order[first]
        return np.array(order, np.int64)

    def _words(self, shape: tuple[int, ...]) -> npt.NDArray[np.uint64]:
        """Return the stream's next 32-bit words."""
        bits = self._bits
        if bits is None:
            bits = np.random.MT19937()
            # RandomState seeds as torch does (init_genrand), MT19937 in a newer way.
            seeded = np.random.RandomState(self._seed % 2**32)
            bits.state = seeded.get_state(legacy=False)  # type: ignore[assignment]  # a dict
            self._bits = bits
        words: npt.NDArray[np.uint64] = bits.random_raw(math.prod(shape)).reshape(shape)
        return words

    def _fractions(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        """Return fractions in [0, 1) of 24 bits, one word each, or of 53 bits, two words."""
        if dtype == FLOAT32:
            return np.asarray(self._words(shape) % 2**24 * 2.0**-24, FLOAT32)
        words = self._words((*shape, 2))
        mantissas = (words[..., 0] << np.uint64(32) | words[..., 1]) % 2**53
        return np.asarray(mantissas * 2.0**-53)


def _shape(size: int | tuple[int, ...]) -> tuple[int, ...]:
    return size if isinstance(size, tuple) else (operator.index(size),)

"""Draws: how often each row counts in a replicate, from a counter and nothing else.

No library's stream stands behind them, so the same rows have the same replicates on
every Python, numpy and machine.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Codes

#: The increment and the multipliers of SplitMix64.
_STEP = 0x9E3779B97F4A7C15
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_WORD = 2**64


def hashes(stream: int, size: int) -> NDArray[np.uint64]:
    """Evenly spread 64-bit numbers, shape ``(size,)``.

    Steele, Lea & Flood, "Fast splittable pseudorandom number generators" (2014): the
    number *i* of a stream is a hash of a counter, whatever was drawn before.

    Args:
        stream: from 0; streams are independent of one another.
        size: how many numbers.
    """
    start = _mixed(np.array([(stream + 1) * _STEP % _WORD], dtype=np.uint64))
    counter = np.arange(1, size + 1, dtype=np.uint64) * np.uint64(_STEP)
    return _mixed(counter + start)


def poisson_counts(replicate: int, size: int) -> Codes:
    """How often each of *size* units counts, shape ``(size,)``: Poisson with mean 1.

    Chamandy et al., "Estimating uncertainty for massive data streams" (2012). Two
    replicates that follow one another are antithetic, the uniform numbers of one being
    those of the other subtracted from 1: what is odd in them cancels, so that far fewer
    replicates show bias and skewness.
    """
    numbers = hashes(replicate // 2, size)
    if replicate % 2:
        numbers = ~numbers
    counts: Codes = np.searchsorted(_POISSON, numbers, side="right").astype(np.int64)
    return counts


def shuffled_blocks(size: int, blocks: int) -> Codes:
    """A block from 0 to *blocks* − 1 for each of *size* units, equally many in each."""
    order = np.argsort(hashes(2**32, size), kind="stable")
    found = np.empty(size, dtype=np.int64)
    found[order] = np.arange(size) % blocks
    return found


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    numbers = (numbers ^ (numbers >> np.uint64(30))) * _FIRST
    numbers = (numbers ^ (numbers >> np.uint64(27))) * _SECOND
    mixed: NDArray[np.uint64] = numbers ^ (numbers >> np.uint64(31))
    return mixed


def _poisson_limits() -> NDArray[np.uint64]:
    """The distribution function of Poisson(1) in 64-bit steps."""
    total, term, limits = 0.0, math.exp(-1), []
    for number in range(1, 18):
        total += term
        limits.append(min(int(total * _WORD), _WORD - 1))
        term /= number
    return np.array(limits, dtype=np.uint64)


_POISSON = _poisson_limits()

"""Kolmogorov–Smirnov: the largest difference between two distribution functions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Tuple

import numpy as np

from pytest_mlops.core.metrics import Estimate
from pytest_mlops.evidence.drift.cells import ColumnPair
from pytest_mlops.evidence.intervals import quantile
from pytest_mlops.evidence.metrics.estimates import undefined
from pytest_mlops.evidence.tables.number_counts import aligned

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Codes, Floats

BINNED = "binned"

#: The mean square of the largest difference under no drift, times n m / (n + m): the
#: second moment of Kolmogorov's distribution.
_NULL_SQUARE = math.pi**2 / 12


def kolmogorov_smirnov(pair: ColumnPair) -> Estimate:
    """The Kolmogorov–Smirnov distance of the numbers of a column.

    Where they are counted in bins, it is taken at the bins' ends; ``error_bound`` is
    how much further the distribution functions may lie apart inside of a bin.
    """
    first, second = pair.reference.numbers, pair.current.numbers
    if not first.rows or not second.rows:
        return undefined(second.rows, "there are no numbers on one of the sides")
    _, reference, current, level = aligned(first, second)
    steps, below = _shares(reference), _shares(current)
    differences = np.abs(np.cumsum(steps) - np.cumsum(below))
    found = float(differences.max())
    rows = (first.rows, second.rows)
    bound = 0.0 if level is None else _inside(steps, below, found)
    return _estimate(found, rows, bound, binned=level is not None)


def _estimate(
    found: float, rows: Tuple[int, int], bound: float, *, binned: bool
) -> Estimate:
    # What one row is worth in a comparison of the two samples.
    share = 1 / rows[0] + 1 / rows[1]
    value = math.sqrt(max(found**2 - _NULL_SQUARE * share, 0.0))

    def interval(confidence: float) -> Tuple[float, float]:
        """Conservative at both ends.

        Below: the observed distance exceeds the true one by no more than the largest
        difference between samples and populations, whose tail is 2 exp(−2 x²)
        (Massart, "The tight constant in the Dvoretzky–Kiefer–Wolfowitz inequality",
        1990). Above: it is no less than the difference observed where the true one is
        largest, a normal variable with a standard error of at most √share / 2.
        """
        tail = (1 - confidence) / 2
        down = math.sqrt(share * math.log(2 / tail) / 2)
        up = quantile(confidence) * math.sqrt(share) / 2
        return max(min(found - down, value), 0.0), min(found + up, 1.0)

    flags = (BINNED,) if binned else ()
    return Estimate(
        value,
        rows[1],
        method="kolmogorov",
        interval=interval,
        flags=flags,
        error_bound=bound,
    )


def _shares(counts: Codes) -> Floats:
    shares: Floats = counts / counts.sum()
    return shares


def _inside(steps: Floats, below: Floats, found: float) -> float:
    """How much larger the difference may be inside of a bin than at any bin's end."""
    before = np.append(0.0, np.cumsum(steps) - np.cumsum(below))[:-1]
    most = max(float((before + steps).max()), float((below - before).max()))
    return max(most - found, 0.0)

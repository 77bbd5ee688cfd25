"""Spread: how far a mean strays from sample to sample, and the interval from that."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import Callable, Tuple

from pytest_mlops.core.metrics import IntervalFunction
from pytest_mlops.evidence.student import student_quantile

#: Beyond e**700 there are no floats.
_MOST = 700.0

_LARGEST = sys.float_info.max


@dataclass(frozen=True)
class Spread:
    """What the rows say of the distribution of a mean.

    Attributes:
        error: the standard error, above 0.
        skewness: the third cumulant of the mean by the 3/2 power of its variance.
        degrees: of freedom, above 0: the (effective) rows or groups less one.
        clustered: whether it is the spread between groups.
    """

    error: float
    skewness: float
    degrees: float
    clustered: bool = False

    def scaled(self, factor: float) -> Spread:
        """The spread of the mean times a positive *factor*."""
        return Spread(self.error * factor, self.skewness, self.degrees, self.clustered)


def student(confidence: float, degrees: float) -> float:
    """How many standard errors Student's two-sided interval reaches to each side.

    Raises:
        ValueError: the confidence is not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence lies between 0 and 1, got {confidence}")
    # By the lower tail: 1 + confidence would round to 2 near 1.
    return min(student_quantile((1 - confidence) / 2, degrees), 1e12)


def skewed(
    value: float,
    spread: Spread,
    limits: Tuple[float, float],
    reach: Tuple[float, float] = (1.0, 1.0),
) -> IntervalFunction:
    """The interval of a mean whose rows may be skewed.

    The outer ends of two intervals. One is Student's, on the logarithm where the value
    cannot be below 0. The other corrects for skewness to the second order, as a BCa
    bootstrap of the rows does, but in closed form: DiCiccio & Efron, "More accurate
    confidence intervals in exponential families" (1992), with Student's quantiles in
    place of the normal ones. The first alone misses a skewed mean on its long side, the
    second where an outlier feigns the skewness.

    Args:
        value: the mean.
        spread: its spread.
        limits: the least and the greatest value that it can take.
        reach: by how much to stretch the first interval to each side, at least 1.
    """
    on_log = limits[0] == 0 and value > 0

    def ends(t: float) -> Tuple[float, float]:
        low, high = _plain(value, spread.error, (t * reach[0], t * reach[1]), on_log)
        low = min(low, value + spread.error * accelerated(-t, spread.skewness))
        return low, max(high, value + spread.error * accelerated(t, spread.skewness))

    return within(ends, value, spread.degrees, limits)


def within(
    ends: Callable[[float], Tuple[float, float]],
    value: float,
    degrees: float,
    limits: Tuple[float, float],
) -> IntervalFunction:
    """From ends by Student's quantile to ends that contain the value, within limits."""

    def interval(confidence: float) -> Tuple[float, float]:
        low, high = ends(student(confidence, degrees))
        low = max(min(low, value), limits[0], -_LARGEST)
        return low, min(max(high, value), limits[1], _LARGEST)

    return interval


def no_width(confidence: float) -> Tuple[float, float]:
    """The interval of the difference of what answers the same in every row."""
    student(confidence, 1.0)  # refuses what is no confidence
    return 0.0, 0.0


def mapped(
    interval: IntervalFunction, function: Callable[[float], float]
) -> IntervalFunction:
    """The interval of a monotone *function* of what *interval* is about."""

    def found(confidence: float) -> Tuple[float, float]:
        low, high = (function(end) for end in interval(confidence))
        return min(low, high), max(low, high)

    return found


def accelerated(step: float, skewness: float) -> float:
    """A quantile of the skewed mean, in standard errors from the value.

    Args:
        step: the quantile if it were normal.
        skewness: of the mean.
    """
    if skewness < 0:
        return -accelerated(-step, -skewness)
    bend = skewness / 6
    at = step + bend
    share = bend * at
    # Beyond these the formula has turned or is about to have no end: go on straight.
    if share < -1:
        return -1 / (4 * bend)
    if share > 0.5:
        return 12 * at - 4 / bend
    return at / (1 - share) ** 2


def _plain(
    value: float, error: float, steps: Tuple[float, float], on_log: bool
) -> Tuple[float, float]:
    down, up = steps
    if not on_log:
        return value - down * error, value + up * error
    relative = error / value
    return (
        value * math.exp(-min(down * relative, _MOST)),
        value * math.exp(min(up * relative, _MOST)),
    )

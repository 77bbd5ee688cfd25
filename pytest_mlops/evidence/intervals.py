"""Intervals in closed form: from a confidence to two ends, always the same ones.

Every function here returns a function of the confidence. Its ends contain the value,
lie inside the metric's limits, and move apart as the confidence grows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Sequence, Tuple

from pytest_mlops.core.metrics import IntervalFunction, TailsFunction
from pytest_mlops.evidence.student import student_quantile

_NORMAL = NormalDist()


#: A sum below this share of one contribution is one of rounding.
_NOTHING = 1e-12

#: What reaches to the limits on every scale: nothing is known of the spread.
_FAR = 1e9


def quantile(confidence: float, free: float = math.inf) -> float:
    """How many standard errors a two-sided interval reaches to each side.

    Args:
        confidence: such as 0.95.
        free: the degrees of freedom of the standard error: those of Student's t; by
            the normal distribution where they are infinite.

    Raises:
        ValueError: the confidence is not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence lies between 0 and 1, got {confidence}")
    # By the lower tail: 1 + confidence would round to 2 near 1.
    tail = (1 - confidence) / 2
    if math.isinf(free):
        return -_NORMAL.inv_cdf(tail)
    return min(student_quantile(tail, free), _FAR) if free >= 1 else _FAR


def binomial_tails(successes: float, trials: float) -> TailsFunction:
    """How likely so few, and so many, successes are by a supposed share.

    The successes found count half on either side (Lancaster's mid-p, 1961): by the
    normal tails of Wilson's interval, small chances come out too small.

    Args:
        successes: from 0 to *trials*, a whole number.
        trials: at least 1, likewise.
    """
    whole = int(trials)  # scipy takes no other

    def tails(share: float) -> Tuple[float, float]:
        from scipy.special import bdtr

        supposed = min(max(share, 0.0), 1.0)
        most = float(bdtr(successes, whole, supposed))
        less = float(bdtr(successes - 1, whole, supposed)) if successes else 0.0
        few = (most + less) / 2
        return few, 1 - few

    return tails


def f1_tails(hits: float, trials: float) -> TailsFunction:
    """``binomial_tails`` of Jaccard's index, by a supposed F1."""
    of_jaccard = binomial_tails(hits, trials)
    return lambda f1: of_jaccard(f1 / (2 - f1))


def wilson(successes: float, trials: float, free: float = math.inf) -> IntervalFunction:
    """The score interval of a proportion.

    Wilson, "Probable inference, the law of succession, and statistical inference"
    (1927). Of rows that are not independent, or count unequally: Korn & Graubard,
    "Confidence intervals for proportions with small expected number of positive counts
    estimated from survey data" (1998), with the score interval for the exact one.

    Args:
        successes: from 0 to *trials*.
        trials: above 0; of dependent rows the effective number of trials, which tell
            as much as independent ones.
        free: the degrees of freedom by which that number is known.
    """

    def interval(confidence: float) -> Tuple[float, float]:
        z = quantile(confidence, free)
        centre = successes + z * z / 2
        spread = successes * (trials - successes) / trials + z * z / 4
        half = z * math.sqrt(spread)
        whole = trials + z * z
        ends = (centre - half) / whole, (centre + half) / whole
        return _within(ends, successes / trials, (0.0, 1.0))

    return interval


def wilson_jaccard(
    hits: float, trials: float, free: float = math.inf
) -> IntervalFunction:
    """The interval of F1 = 2J / (1 + J) from Wilson's of J = tp / (tp + fp + fn).

    Given tp + fp + fn, tp is binomial, and F1 rises with J.

    Args:
        hits: tp.
        trials: tp + fp + fn, or its effective number, above 0.
        free: as in ``wilson``.
    """
    of_jaccard = wilson(hits, trials, free)

    def interval(confidence: float) -> Tuple[float, float]:
        low, high = of_jaccard(confidence)
        ends = 2 * low / (1 + low), 2 * high / (1 + high)
        return _within(ends, 2 * hits / (trials + hits), (0.0, 1.0))

    return interval


def wilson_mean(hits: Sequence[float], trials: Sequence[float]) -> IntervalFunction:
    """The interval of the mean of a few independent proportions.

    Each has Wilson's limits, and their distances from the proportions add up as
    standard errors do. Zou & Donner, "Construction of confidence limits about effect
    measures: a general approach" (2008).

    Args:
        hits, trials: of each proportion, as in ``wilson``.
    """
    shares = [above / below for above, below in zip(hits, trials)]
    each = [wilson(above, below) for above, below in zip(hits, trials)]
    value = sum(shares) / len(shares)

    def interval(confidence: float) -> Tuple[float, float]:
        ends = [limits(confidence) for limits in each]
        down = math.hypot(*(share - low for share, (low, _) in zip(shares, ends)))
        up = math.hypot(*(high - share for share, (_, high) in zip(shares, ends)))
        ends_of_mean = value - down / len(shares), value + up / len(shares)
        return _within(ends_of_mean, value, (0.0, 1.0))

    return interval


def normal(value: float, error: float, limits: Tuple[float, float]) -> IntervalFunction:
    """The normal interval of a mean, given its standard error."""

    def interval(confidence: float) -> Tuple[float, float]:
        half = quantile(confidence) * error
        return _within((value - half, value + half), value, limits)

    return interval


def stabilised(
    value: float,
    centre: float,
    error: float,
    limits: Tuple[float, float],
    free: float = math.inf,
) -> IntervalFunction:
    """The normal interval on the scale atanh, mapped back.

    The scale runs over the limits; for (0, 1) it is the logit, but for a factor.

    Args:
        value: what the interval has to contain.
        centre: where the interval is laid around; inside of the limits.
        error: the standard error there, in the metric's unit.
        limits: the least and the greatest possible value, finite.
        free: the degrees of freedom of the standard error.
    """
    low, high = limits
    half_range = (high - low) / 2
    middle = (high + low) / 2
    at = (centre - middle) / half_range
    step = error / half_range / (1 - at * at)

    def interval(confidence: float) -> Tuple[float, float]:
        half = quantile(confidence, free) * step
        ends = (
            middle + half_range * math.tanh(math.atanh(at) - half),
            middle + half_range * math.tanh(math.atanh(at) + half),
        )
        return _within(ends, value, limits)

    return interval


def leaning(
    value: float,
    error: float,
    lean: float,
    limits: Tuple[float, float],
    free: float = math.inf,
) -> IntervalFunction:
    """The score interval of a mean whose variance moves with it.

    Of a count the variance is the mean, so that the mean may lie farther above the
    count than below. The ends are those at which the value is z standard errors away,
    of the errors there.

    Args:
        value: the mean, or a difference of two.
        error: its standard error.
        lean: how fast the variance grows with the mean: the third moment of the rows'
            influence over the second, as one row's share; 0 if they are symmetrical.
        limits: the least and the greatest possible value.
        free: the degrees of freedom of the standard error.
    """

    def interval(confidence: float) -> Tuple[float, float]:
        z = quantile(confidence, free)
        shift, half = z * z * lean / 2, z * math.hypot(error, z * lean / 2)
        return _within((value + shift - half, value + shift + half), value, limits)

    return interval


@dataclass(frozen=True)
class WeightedCount:
    """A sum of rows' contributions, none below 0, as a multiple of a Poisson count.

    Fay & Feuer, "Confidence intervals for directly standardized rates: a method based
    on the gamma distribution" (1997); of equal contributions the exact limits.

    Attributes:
        total: the sum.
        square: the sum of their squares.
        most: what one row more might contribute; above 0.
    """

    total: float
    square: float
    most: float

    def below(self, tail: float) -> float:
        """How far below the sum its expectation may lie."""
        from scipy.special import gammaincinv

        if self.total <= _NOTHING * self.most:
            return self.total
        scale = self.square / self.total
        return self.total - scale * float(gammaincinv(self.total / scale, tail))

    def above(self, tail: float) -> float:
        """How far above the sum its expectation may lie."""
        from scipy.special import gammainccinv

        total, square = self.total + self.most, self.square + self.most**2
        scale = square / total
        return scale * float(gammainccinv(total / scale, tail)) - self.total


def between_counts(
    value: float,
    gains: WeightedCount,
    losses: WeightedCount,
    limits: Tuple[float, float],
    free: float = math.inf,
) -> IntervalFunction:
    """The interval of a difference that some rows raise and others lower.

    The limits of both, put together as Newcombe, "Improved confidence intervals for the
    difference between binomial proportions based on paired data" (1998) does.

    Args:
        value: the difference.
        gains, losses: in the difference's unit.
        limits: the least and the greatest possible difference.
        free: the degrees of freedom by which squares are known.
    """

    def interval(confidence: float) -> Tuple[float, float]:
        tail = _NORMAL.cdf(-quantile(confidence, free))
        low = math.hypot(gains.below(tail), losses.above(tail))
        high = math.hypot(gains.above(tail), losses.below(tail))
        return _within((value - low, value + high), value, limits)

    return interval


def wider(first: IntervalFunction, second: IntervalFunction) -> IntervalFunction:
    """The interval that reaches to the farther end of the two on each side."""

    def interval(confidence: float) -> Tuple[float, float]:
        (low, high), (lower, higher) = first(confidence), second(confidence)
        return min(low, lower), max(high, higher)

    return interval


def _within(
    ends: Tuple[float, float], value: float, limits: Tuple[float, float]
) -> Tuple[float, float]:
    """Ends that contain the value and keep the limits, whatever rounding does."""
    return max(min(ends[0], value), limits[0]), min(max(ends[1], value), limits[1])

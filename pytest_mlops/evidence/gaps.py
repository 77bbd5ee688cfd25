"""Intervals of the greatest gap between the rates of several groups.

The gap is that of one pair of groups, whichever it is. The end that admits a wide gap
is the widest over all pairs, and needs no correction for their number: it covers the
gap as often as the interval of the true pair does. The end that claims a gap is the
largest claim over all pairs. A pair that stands out by chance must not make it, so each
pair's claim is made at a level corrected for the number of pairs (Bonferroni).

A pair's interval comes from Wilson's of its two rates by MOVER: Newcombe, "Interval
estimation for the difference between independent proportions" (1998), method 10; Donner
& Zou, "Closed-form confidence intervals for functions of the normal mean and standard
deviation" (2012), for ratios.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Callable, Iterator, Sequence, Tuple

import numpy as np

from pytest_mlops.core.metrics import IntervalFunction
from pytest_mlops.evidence.intervals import quantile

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Codes, Floats

#: Pairs that are worked on at once.
_PART = 2**16

#: With fewer successes, or failures, than this a rate is uncertain in a skew way.
_FEW = 30

#: Fewer trials than this come from rounding.
_NONE = 1e-9

#: The highest confidence below 1.
_HIGHEST = 1 - 2**-53


@dataclass(frozen=True)
class Rates:
    """A rate of each of two groups or more; shapes ``(groups,)``.

    Attributes:
        values: from 0 to 1.
        trials: above 0; how many independent rows tell as much of each.
        free: the degrees of freedom by which that number is known; infinite where it
            is counted.
    """

    values: Floats
    trials: Floats
    free: Floats

    @property
    def difference(self) -> float:
        """The greatest rate less the least."""
        return float(self.values.max() - self.values.min())

    @property
    def ratio(self) -> float:
        """The least rate over the greatest, which is above 0."""
        return float(self.values.min() / self.values.max())

    @property
    def pairs(self) -> int:
        """How many pairs there are, either of two groups being the first."""
        return len(self.values) * (len(self.values) - 1)

    @property
    def known(self) -> bool:
        """Whether of every rate something is known of how much it scatters."""
        return bool((self.free >= 1).all())

    def bounds(self, confidence: float) -> _Bounds:
        """An interval of each rate.

        Wilson's; where successes or failures are few it fails too often on one side,
        and the wider of it and that of Clopper & Pearson, "The use of confidence or
        fiducial limits illustrated in the case of the binomial" (1934), is taken.
        """
        trials = self._worth(confidence)
        low, high = _wilson(self.values, trials, quantile(confidence))
        few = np.minimum(self.values, 1 - self.values) * trials < _FEW
        if few.any():
            least, most = _exact(self.values, trials, (1 - confidence) / 2)
            low = np.where(few, np.minimum(low, least), low)
            high = np.where(few, np.maximum(high, most), high)
        return _Bounds(
            self.values, np.clip(low, 0, self.values), np.clip(high, self.values, 1)
        )

    def _worth(self, confidence: float) -> Floats:
        """The trials, fewer where their number is uncertain itself.

        Korn & Graubard, "Confidence intervals for proportions with small expected
        number of positive counts estimated from survey data" (1998).
        """
        z = quantile(confidence)
        if not z or np.isinf(self.free).all():
            return self.trials
        reach = np.array([quantile(confidence, free) for free in self.free.tolist()])
        return np.asarray(self.trials * (z / reach) ** 2)


@dataclass(frozen=True)
class _Bounds:
    """Rates and the ends of their intervals."""

    value: Floats
    low: Floats
    high: Floats

    def take(self, index: Codes) -> _Bounds:
        return _Bounds(self.value[index], self.low[index], self.high[index])


def difference_interval(families: Sequence[Rates]) -> IntervalFunction:
    """Of the greatest difference of two groups in a rate; the greatest of all rates'.

    Args:
        families: of the same groups, at least one.
    """
    if not all(rates.known for rates in families):
        return _anything
    count = sum(rates.pairs for rates in families)
    value = max(rates.difference for rates in families)

    def interval(confidence: float) -> Tuple[float, float]:
        claimed = _corrected(confidence, count)
        low = max(_greatest(_low_difference, r.bounds(claimed)) for r in families)
        high = max(_greatest(_high_difference, r.bounds(confidence)) for r in families)
        return min(max(low, 0.0), value), max(min(high, 1.0), value)

    return interval


def ratio_interval(families: Sequence[Rates]) -> IntervalFunction:
    """Of the least ratio of two groups in a rate; the least of all rates'.

    Args:
        families: of the same groups, at least one; in each some rate is above 0.
    """
    if not all(rates.known for rates in families):
        return _anything
    count = sum(rates.pairs for rates in families)
    value = min(rates.ratio for rates in families)

    def interval(confidence: float) -> Tuple[float, float]:
        claimed = _corrected(confidence, count)
        low = min(-_greatest(_low_ratio, r.bounds(confidence)) for r in families)
        high = min(-_greatest(_high_ratio, r.bounds(claimed)) for r in families)
        return min(max(low, 0.0), value), max(min(high, 1.0), value)

    return interval


def _wilson(values: Floats, trials: Floats, z: float) -> Tuple[Floats, Floats]:
    square = z * z / trials
    half = np.sqrt(values * (1 - values) * square + square * square / 4)
    centre, whole = values + square / 2, 1 + square
    return (centre - half) / whole, (centre + half) / whole


def _exact(values: Floats, trials: Floats, tail: float) -> Tuple[Floats, Floats]:
    from scipy.special import betaincinv

    hits, misses = values * trials, (1 - values) * trials
    low = betaincinv(np.maximum(hits, _NONE), misses + 1, tail)
    high = betaincinv(hits + 1, np.maximum(misses, _NONE), 1 - tail)
    return np.where(hits > _NONE, low, 0.0), np.where(misses > _NONE, high, 1.0)


def _anything(confidence: float) -> Tuple[float, float]:
    """The interval where nothing is known."""
    quantile(confidence)
    return 0.0, 1.0


def _corrected(confidence: float, count: int) -> float:
    """The confidence of each of *count* claims, none of which shall be wrong."""
    return min(1 - (1 - confidence) / count, _HIGHEST)


def _greatest(end: Callable[[_Bounds, _Bounds], Floats], bounds: _Bounds) -> float:
    """The greatest end over all pairs."""
    parts = _pairs(len(bounds.value))
    return max(float(end(bounds.take(a), bounds.take(b)).max()) for a, b in parts)


def _pairs(size: int) -> Iterator[Tuple[Codes, Codes]]:
    """The numbers of the first and the second group of all pairs, in parts."""
    total = size * (size - 1)
    for start in range(0, total, _PART):
        each = np.arange(start, min(start + _PART, total))
        first, second = np.divmod(each, size - 1)
        yield first, second + (second >= first)


def _low_difference(first: _Bounds, second: _Bounds) -> Floats:
    reach = np.hypot(first.value - first.low, second.high - second.value)
    return np.asarray(first.value - second.value - reach)


def _high_difference(first: _Bounds, second: _Bounds) -> Floats:
    reach = np.hypot(first.high - first.value, second.value - second.low)
    return np.asarray(first.value - second.value + reach)


def _low_ratio(first: _Bounds, second: _Bounds) -> Floats:
    """Less the lower end of first / second; 0 where the first may be 0.

    It solves p − r q = √((p − low p)² + r² (high q − q)²) for r.
    """
    product = first.value * second.value
    above = first.low * (2 * first.value - first.low)
    below = second.high * (2 * second.value - second.high)
    root = np.sqrt(np.maximum(product**2 - above * below, 0))
    return -np.divide(above, product + root, out=np.zeros_like(root), where=above > 0)


def _high_ratio(first: _Bounds, second: _Bounds) -> Floats:
    """Less the upper end of first / second; −∞ where the second may be 0.

    It solves r q − p = √((high p − p)² + r² (q − low q)²) for r.
    """
    product = first.value * second.value
    above = first.high * (2 * first.value - first.high)
    below = second.low * (2 * second.value - second.low)
    root = np.sqrt(np.maximum(product**2 - above * below, 0))
    ends = np.full_like(root, np.inf)
    return -np.divide(product + root, below, out=ends, where=below > 0)

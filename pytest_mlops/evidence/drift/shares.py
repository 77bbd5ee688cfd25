"""Shares of rows: missing values, and categories that the reference does not have."""

from __future__ import annotations

import math
from typing import Tuple

from pytest_mlops.core.metrics import Estimate, IntervalFunction
from pytest_mlops.evidence.drift.cells import ColumnPair
from pytest_mlops.evidence.intervals import quantile, wilson
from pytest_mlops.evidence.metrics.estimates import undefined

#: How many rows are of a kind, and of how many.
Share = Tuple[int, int]


def missing_change(pair: ColumnPair) -> Estimate:
    """How far the share of missing values moved, in either direction."""
    if not pair.reference_rows or not pair.current_rows:
        return undefined(pair.current_rows, "there are no rows on one of the sides")
    before, after = pair.missing
    reference, current = (before, pair.reference_rows), (after, pair.current_rows)
    value = abs(_share(current) - _share(reference))
    signed = _difference(current, reference)

    def interval(confidence: float) -> Tuple[float, float]:
        low, high = signed(confidence)
        nearest = 0.0 if low <= 0 <= high else min(abs(low), abs(high))
        return min(nearest, value), max(abs(low), abs(high), value)

    return Estimate(value, pair.current_rows, method="newcombe", interval=interval)


def unseen_share(pair: ColumnPair) -> Estimate:
    """The share of categories that are new, beyond what chance alone shows.

    A sample lacks rare categories of its own population. The chance to meet one of
    those is about the share of rows that are the only ones of their category: Good,
    "The population frequencies of species and the estimation of population parameters"
    (1953). How far that is off hangs on the categories that occur twice, too: Esty, "A
    normal limit law for a nonparametric estimator of the coverage of a random sample"
    (1983).
    """
    reference, current = pair.reference.categories, pair.current.categories
    if not reference.rows or not current.rows:
        return undefined(current.rows, "there are no categories on one of the sides")
    if reference.hashed or current.hashed:
        return undefined(current.rows, "there are too many categories to know each")
    unseen = sum(
        n for name, n in current.counts.items() if name not in reference.counts
    )
    alone = sum(n == 1 for n in reference.counts.values())
    twice = sum(n == 2 for n in reference.counts.values())
    error = math.sqrt(2 * twice) / reference.rows
    new, rare = (unseen, current.rows), (alone, reference.rows)
    value = max(_share(new) - _share(rare), 0.0)
    signed = _difference(new, rare)

    def interval(confidence: float) -> Tuple[float, float]:
        low, high = signed(confidence)
        more, middle = quantile(confidence) * error, _share(new) - _share(rare)
        low = middle - math.hypot(middle - low, more)
        high = middle + math.hypot(high - middle, more)
        return min(max(low, 0.0), value), max(min(high, 1.0), value)

    return Estimate(value, current.rows, method="newcombe", interval=interval)


def _share(share: Share) -> float:
    return share[0] / share[1]


def _difference(first: Share, second: Share) -> IntervalFunction:
    """The interval of a difference of two independent proportions.

    Newcombe, "Interval estimation for the difference between independent proportions"
    (1998), method 10: Wilson's intervals of the two, put together.
    """
    mine, theirs = wilson(*first), wilson(*second)
    a, b = _share(first), _share(second)

    def interval(confidence: float) -> Tuple[float, float]:
        (low_a, high_a), (low_b, high_b) = mine(confidence), theirs(confidence)
        down = math.hypot(a - low_a, high_b - b)
        up = math.hypot(high_a - a, b - low_b)
        return max(a - b - down, -1.0), min(a - b + up, 1.0)

    return interval

"""How far an estimate varies, from the influence of each row on it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Optional, Sequence

import numpy as np
from numpy.typing import NDArray

from pytest_mlops.evidence.groups import BUCKETS
from pytest_mlops.evidence.tables.arrays import weight_sums

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Codes, Floats


@dataclass(frozen=True)
class Spread:
    """The variance of an estimate, and how much stands behind it.

    Attributes:
        variance: of the estimate.
        support: how many rows, or groups, alike in influence would show that variance
            as well: (Σ u²)² / Σ u⁴. Few, where few of them make it.
        largest: the square of the largest influence, added up over the strata.
        groups: how many groups are independent; None where rows are.
    """

    variance: float
    support: float
    largest: float
    groups: Optional[int] = None

    @property
    def error(self) -> float:
        """The standard error."""
        return math.sqrt(self.variance)


def spread_of_cells(
    squares: Floats, counts: NDArray[Any], gradient: Floats, effective: Floats
) -> Spread:
    """The spread over independent rows that are counted in cells.

    Args:
        squares: sums of squared weights, shape ``(strata, cells)``.
        counts: rows, likewise.
        gradient: the influence of one row of weight 1, likewise.
        effective: how many rows there are, shape ``(strata,)``.
    """
    made = squares * gradient**2
    by_stratum = made.sum(axis=1)
    each = made / np.maximum(counts, 1)
    variance = float(by_stratum @ unbiased(effective))
    support = _support(float(by_stratum.sum()), float((made * each).sum()))
    return Spread(variance, support, float(each.max(axis=1).sum()))


def spread_of_rows(influence: Floats, strata: Codes, effective: Floats) -> Spread:
    """The spread over independent rows, each with its influence.

    Args:
        influence: shape ``(rows,)``.
        strata: the stratum of each row; influences of one add up to about nothing.
        effective: how many rows there are, shape ``(strata,)``.
    """
    made = influence**2
    by_stratum = np.bincount(strata, made, len(effective))
    variance = float(by_stratum @ unbiased(effective))
    largest = np.zeros(len(effective))
    np.maximum.at(largest, strata, made)
    support = _support(float(made.sum()), float(made @ made))
    return Spread(variance, support, float(largest.sum()))


def spread_of_groups(sums: Floats, used: int, beside: float = 0.0) -> Spread:
    """The spread over independent groups.

    Obuchowski, "Nonparametric analysis of clustered ROC curve data" (1997), with
    placements of positives and negatives added up by group.

    Args:
        sums: the influence of each bucket's rows, added up; shape ``(BUCKETS,)``.
        used: how many buckets have rows.
        beside: the variance of what the sums leave out.
    """
    made = sums**2
    total = float(made.sum())
    variance = total * used / max(used - 1, 1) + beside
    support = _support(total, float(made @ made))
    return Spread(variance, support, float(made.max()), used)


def bucket_sums(influence: Floats, groups: Codes) -> Floats:
    """The influence of each bucket's rows, added up; shape ``(BUCKETS,)``."""
    return weight_sums(groups, influence, BUCKETS)


def effective_groups(by_bucket: Floats) -> Floats:
    """How many groups of one size say as much, by stratum.

    Args:
        by_bucket: the mass of each bucket, shape ``(strata, BUCKETS)``.
    """
    mass, squares = by_bucket.sum(axis=1), (by_bucket**2).sum(axis=1)
    found: Floats = mass**2 / np.maximum(squares, np.finfo(np.float64).tiny)
    return found


def together(spreads: Sequence[Spread]) -> Spread:
    """The spread of a mean of estimates that may vary together in any way.

    At most it is that of estimates that move as one.
    """
    error = sum(each.error for each in spreads) / len(spreads)
    support = min(each.support for each in spreads)
    largest = max(each.largest for each in spreads)
    return Spread(error**2, support, largest, spreads[0].groups)


def unbiased(effective: Floats) -> Floats:
    """n / (n − 1): what makes a mean square about a mean a variance."""
    factor: Floats = effective / np.maximum(effective - 1, 0.5)
    return factor


def _support(square: float, fourth: float) -> float:
    return square * square / fourth if fourth > 0 else 0.0

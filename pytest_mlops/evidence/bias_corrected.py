"""The interval of a function from its replicates: bias-corrected and accelerated."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Optional, Tuple

import numpy as np

from pytest_mlops.core.metrics import IntervalFunction
from pytest_mlops.evidence.spread import Spread, within

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Floats
    from pytest_mlops.evidence.tables.replicates import Replicates

#: What sampling may at most have done to the shape of a distribution.
_MOST_SKEWNESS, _MOST_BIAS, _MOST_ACCELERATION = 1.5, 0.5, 0.2


@dataclass(frozen=True)
class Shape:
    """How replicates lie about the value.

    Attributes:
        spread: their standard deviation, corrected for few units, and the skewness of
            the value's distribution, by the jackknife.
        bend: by how much their quantiles grow above the median and shrink below.
        bias: by how many standard deviations the value lies above their median.
    """

    spread: Spread
    bend: float
    bias: float

    @classmethod
    def of(cls, found: Replicates) -> Optional[Shape]:
        """The shape of replicates; None where they are one or all the same."""
        drawn = found.drawn[~np.isnan(found.drawn)]
        if len(drawn) < 2 or found.units < 2 or found.value is None:
            return None
        centred = drawn - drawn.mean()
        deviation = float(np.sqrt(centred @ centred / (len(drawn) - 1)))
        if not deviation > abs(found.value) * 1e-14:
            return None
        skewness = _bounded(float((centred**3).mean()) / deviation**3, _MOST_SKEWNESS)
        # The median of what is but a little skewed.
        median = float(drawn.mean()) - deviation * skewness / 6
        error = deviation * math.sqrt(found.units / (found.units - 1))
        return cls(
            Spread(error, _jackknifed(found.left_out), found.units - 1, found.grouped),
            skewness / 3,
            _bounded((found.value - median) / deviation, _MOST_BIAS),
        )

    def quantile(self, step: float) -> float:
        """An end of the interval, in standard errors from the value.

        Efron, "Better bootstrap confidence intervals" (1987). The quantiles of the
        replicates are those of a shifted lognormal distribution of their deviation and
        skewness: smooth and without an end, however few the replicates are.

        Args:
            step: the quantile if the value were normal.
        """
        acceleration = _bounded(self.spread.skewness / 6, _MOST_ACCELERATION)
        at = self.bias + _accelerated(self.bias + step, acceleration)
        return _bent(at, self.bend) - self.bias


def bias_corrected(
    value: float, shape: Shape, limits: Tuple[float, float], reach: Tuple[float, float]
) -> IntervalFunction:
    """The interval of a function of the rows.

    Args:
        value: of the function.
        shape: of its replicates.
        limits: the least and the greatest value that it can take.
        reach: by how much to stretch it to each side, at least 1.
    """
    error = shape.spread.error

    def ends(t: float) -> Tuple[float, float]:
        low, high = (shape.quantile(step) for step in (-t, t))
        return value + error * reach[0] * low, value + error * reach[1] * high

    return within(ends, value, shape.spread.degrees, limits)


def _jackknifed(left_out: Floats) -> float:
    """The skewness of a value, from its values without one block of units each."""
    known = left_out[~np.isnan(left_out)]
    influence = known.mean() - known if len(known) else known
    second = float(influence @ influence)
    cube = second * math.sqrt(second)
    return float(influence**2 @ influence) / cube if cube else 0.0


def _accelerated(step: float, acceleration: float) -> float:
    share = acceleration * step
    # Beyond this it is about to have no end: go on straight.
    if share > 0.5:
        return 4 * step - 1 / acceleration
    return step / (1 - share)


def _bent(step: float, bend: float) -> float:
    if abs(bend) < 1e-9:
        return step
    return math.expm1(min(bend * step, 700.0)) / bend


def _bounded(number: float, most: float) -> float:
    return max(-most, min(number, most))

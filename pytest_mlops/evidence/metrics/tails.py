"""Heavy tails: whether few rows carry a mean, and how far its interval then reaches."""

from __future__ import annotations

import math
from typing import Tuple

from pytest_mlops.evidence.spread import Spread

HEAVY_TAILS = "heavy_tails"

#: How far to stretch Student's interval where few rows carry a sum. In simulations the
#: mean square of errors with three degrees of freedom needs 2.4.
REACH = 2.4


def carried_by_few(value: float, spread: Spread) -> bool:
    """Whether few rows make up a mean of what is at least 0, as under heavy tails.

    A skewed mean is not enough: so is that of a loss which is rare, but is never much
    more than usual. Of heavy tails the skewness is more than that of a gamma
    distribution with as large a spread, for which the factor is 2. Where three
    rows make up all of the mean, what they look like does not matter.
    """
    relative = spread.error / value
    beyond_gamma = spread.skewness > 2.2 * relative or spread.skewness > 0.5
    return lopsided(spread) and beyond_gamma


def heavier_than_normal(value: float, spread: Spread) -> bool:
    """Whether squares are those of something with heavy tails.

    Their coefficient of variation is √2 where it is normal and grows with the rows
    where its fourth moment is infinite. The limit parts the normal distribution from
    Student's with three degrees of freedom; Laplace's, with √5, is beyond it where rows
    are few.
    """
    relative, size = spread.error / value, spread.degrees + 1
    limit = max(1.6, 1.65 + 0.47 * math.log(size / 200))
    beyond_gamma = spread.skewness > 1.8 * relative or spread.skewness > 0.5
    return relative * math.sqrt(size) > limit and beyond_gamma


def lopsided(spread: Spread) -> bool:
    """Whether the mean is more skewed than its interval can be trusted with."""
    return abs(spread.skewness) > 0.27 * math.pow(200 / (spread.degrees + 1), 0.12)


def reach_of(heavy: bool, spread: Spread) -> Tuple[float, float]:
    """Stretched on the long side, where what was not seen would lie."""
    if not heavy:
        return 1.0, 1.0
    return (1.0, REACH) if spread.skewness > 0 else (REACH, 1.0)

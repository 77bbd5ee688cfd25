"""The Dirichlet posterior of a table of counts, by a sample that is always the same.

The sample is a Latin hypercube: each cell's gamma variate takes its quantiles at the
same evenly spaced levels, once each, in an order of the cell's own. The orders come
from a counter through splitmix64, and no library's random stream is in it: the same
table has the same sample on every machine.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Tuple

import numpy as np
from numpy.typing import NDArray

from pytest_mlops.core.metrics import IntervalFunction
from pytest_mlops.evidence.intervals import quantile

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Codes, Floats

#: How many tables are drawn.
DRAWS = 2048

#: The mass of the prior over all cells of a table, however many they are.
PRIOR = 1.0

#: Beyond this confidence the sample has too few draws; the tail is taken as normal.
_LAST = 0.99

#: From this shape on a gamma variate is by Wilson & Hilferty; but for the last draws
#: its quantiles are off by less than 1 in 1000.
_LARGE_SHAPE = 30.0


def gamma_sample(shapes: Floats) -> Floats:
    """Gamma variates of each shape: their shares are draws from a Dirichlet.

    Args:
        shapes: above 0, shape ``(cells,)``.

    Returns:
        The shape ``(cells, DRAWS)``.
    """
    drawn = np.empty((len(shapes), DRAWS))
    for cell, order in enumerate(_orders(len(shapes))):
        drawn[cell] = _gamma_quantiles(float(shapes[cell]))[order]
    return drawn


def sampled_interval(
    values: Floats, value: float, limits: Tuple[float, float]
) -> IntervalFunction:
    """Between quantiles of a sample, as far as it reaches; then with a normal tail.

    Args:
        values: a statistic's, one a draw; no number where it is undefined.
        value: what the interval has to contain.
        limits: the statistic's, finite.
    """
    ordered = np.sort(values[np.isfinite(values)])
    half_range, middle = (limits[1] - limits[0]) / 2, (limits[1] + limits[0]) / 2

    def at(tail: float) -> float:
        # Between the draws whose levels lie about it.
        place = min(max(tail * len(ordered) - 0.5, 0.0), len(ordered) - 1.0)
        low = int(place)
        high = min(low + 1, len(ordered) - 1)
        return float(ordered[low] + (place - low) * (ordered[high] - ordered[low]))

    def beyond(end: float, factor: float) -> float:
        scale = (min(max(x, limits[0]), limits[1]) for x in (at(0.5), end))
        # Not quite at the limits: atanh has to be finite.
        centre, far = (
            math.atanh((x - middle) / half_range * (1 - 1e-15)) for x in scale
        )
        return middle + half_range * math.tanh(centre + (far - centre) * factor)

    def interval(confidence: float) -> Tuple[float, float]:
        reach = quantile(confidence)
        tail = (1 - min(confidence, _LAST)) / 2
        low, high = at(tail), at(1 - tail)
        if confidence > _LAST:
            factor = reach / quantile(_LAST)
            low, high = min(low, beyond(low, factor)), max(high, beyond(high, factor))
        return max(min(low, value), limits[0]), min(max(high, value), limits[1])

    return interval


@lru_cache(maxsize=1024)
def _gamma_quantiles(shape: float) -> Floats:
    """The quantiles of a gamma variate at the levels of the sample, ascending."""
    from scipy.special import gammaincinv

    if shape < _LARGE_SHAPE:
        found: Floats = gammaincinv(shape, _levels())
        return found
    # Wilson & Hilferty, "The distribution of chi-square" (1931).
    ninth = 1 / (9 * shape)
    cubic: Floats = shape * (1 - ninth + math.sqrt(ninth) * _normal_quantiles()) ** 3
    return cubic


def _levels() -> Floats:
    return (np.arange(DRAWS) + 0.5) / DRAWS


@lru_cache(maxsize=None)
def _normal_quantiles() -> Floats:
    from scipy.special import ndtri

    found: Floats = ndtri(_levels())
    return found


@lru_cache(maxsize=64)
def _orders(cells: int) -> Codes:
    """For each cell an order of the levels, as uncorrelated as hashes are."""
    counter = np.arange(cells * DRAWS, dtype=np.uint64).reshape(cells, DRAWS)
    return np.argsort(_splitmix(counter), axis=1, kind="stable")


def _splitmix(counter: NDArray[np.uint64]) -> NDArray[Any]:
    """The outputs of splitmix64 at these steps; Steele, Lea & Flood (2014)."""
    mixed = (counter + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))

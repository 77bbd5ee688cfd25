"""The areas under the ROC and the precision–recall curve, with their derivatives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Tuple

import numpy as np

from pytest_mlops.evidence.tables.levels import Levels

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Floats

#: How much of a row is added to each class to see what the rows do not show.
HALF_A_ROW = 0.5

#: How much of a negative is taken to lie above all others.
_QUARTER_OF_A_ROW = 0.25


@dataclass(frozen=True)
class Area:
    """An area under a curve.

    Attributes:
        value: from 0 to 1.
        bound: how far off bins may have put it.
        gradient: its derivative by the mass of negatives and of positives at each
            level, shape ``(2, levels)``: the influence of a row there.
    """

    value: float
    bound: float
    gradient: Floats


@dataclass(frozen=True)
class Pull:
    """What a fraction of a row more would make of an area: a doubt that remains.

    With few rows, or with hardly a mistake among them, the rows do not show how far
    the area varies; a row more in each class that is ranked no better than by chance
    stands for those that might have come.

    Attributes:
        centre: the area with them.
        variance: what they add to its variance.
    """

    centre: float
    variance: float


def roc_area(levels: Levels) -> Area:
    """The area under the ROC curve.

    A row's influence is its placement: the share of the other class that it is ranked
    right against. DeLong, DeLong & Clarke-Pearson, "Comparing the areas under two or
    more correlated receiver operating characteristic curves" (1988).

    Pairs of a positive and a negative in one bin count one half, and the truth of each
    lies between 0 and 1: so the bound is half their share of all pairs.
    """
    negatives, positives = levels.mass
    of_negatives, of_positives = float(negatives.sum()), float(positives.sum())
    below = np.cumsum(negatives) - negatives / 2
    above = of_positives - np.cumsum(positives) + positives / 2
    pairs = of_negatives * of_positives
    area = float(positives @ below) / pairs
    gradient = np.empty_like(levels.mass)
    np.subtract(above / of_positives, area, out=gradient[0])
    np.subtract(below / of_negatives, area, out=gradient[1])
    gradient[0] /= of_negatives
    gradient[1] /= of_positives
    tied = 0.0 if levels.exact else float(positives @ negatives) / 2 / pairs
    return Area(_unit(area), tied, gradient)


def precision_area(levels: Levels) -> Area:
    """The average precision.

    Within a bin it is least when all negatives come first and greatest when all
    positives do; the sums over the positives are bounded by an integral and by the
    last precision.
    """
    negatives, positives = levels.mass[:, ::-1]
    found, alarms = np.cumsum(positives), np.cumsum(negatives)
    # A level without positives has no share, and what it divides by may be nothing.
    taken = np.maximum(found + alarms, np.finfo(np.float64).tiny)
    share, precision = positives / found[-1], found / taken
    value = float(share @ precision)
    # A positive more raises the precision at its own level and at all below it.
    gained, lost = _from_here(share * alarms / taken**2, share * found / taken**2)
    gradient = np.stack([-lost, (precision - value) / found[-1] + gained])
    bound = 0.0 if levels.exact else _binned_away(positives, negatives, value)
    return Area(_unit(value), bound, gradient[:, ::-1])


def roc_pull(area: Area, levels: Levels, effective: Floats) -> Pull:
    """The doubt about a ROC area: half a row more in each class, placed by chance.

    Args:
        area: of these levels.
        levels: unused; what ``precision_pull`` needs.
        effective: how many independent negatives and positives there are.
    """
    shift = variance = 0.0
    for rows in effective.tolist():
        more = _pulled(area.value, 0.5, rows)
        shift += more.centre - area.value
        variance += more.variance
    return Pull(_unit(area.value + shift), variance)


def precision_pull(area: Area, levels: Levels, effective: Floats) -> Pull:
    """The doubt about an average precision.

    Half a positive more with the precision of chance; and a quarter of a negative more
    above all, which takes away that the value is on average too high by about as much.

    Args:
        area: of these levels.
        levels: what it was computed from.
        effective: how many independent negatives and positives there are.
    """
    negatives, positives = levels.mass[:, ::-1]
    total = levels.mass.sum(axis=1)
    unit = float(total[0] / effective[0]) if effective[0] else float(total.mean())
    found = np.cumsum(positives)
    taken = found + np.cumsum(negatives) + _QUARTER_OF_A_ROW * unit
    value = float(positives @ (found / taken)) / float(total[1])
    chance = float(total[1] / total.sum())
    more = _pulled(value, chance, float(effective[1]))
    return Pull(_unit(more.centre), more.variance)


def _pulled(value: float, chance: float, rows: float) -> Pull:
    """A mean over *rows* rows with half a row more, of the value *chance*."""
    whole = rows + HALF_A_ROW
    # Not nothing where all rows are tied: the next one might differ.
    distance = max(abs(value - chance), 0.25)
    variance = HALF_A_ROW * rows / whole * distance**2 / (whole * max(whole - 1, 0.5))
    return Pull(value + HALF_A_ROW / whole * (chance - value), variance)


def _from_here(*columns: Floats) -> Tuple[Floats, ...]:
    """The sums of each column from each place to its end."""
    return tuple(np.cumsum(column[::-1])[::-1] for column in columns)


def _binned_away(positives: Floats, negatives: Floats, value: float) -> float:
    heavy = positives > 0
    found, alarms = np.cumsum(positives)[heavy], np.cumsum(negatives)[heavy]
    more = positives[heavy]
    share = more / found[-1]
    most = float(share @ (found / (found + alarms - negatives[heavy])))
    least = float(share @ _mean_precision(found - more, more, alarms))
    return max(most - value, value - least, 0.0)


def _mean_precision(found: Floats, more: Floats, alarms: Floats) -> Floats:
    """The mean of x / (x + alarms) for x from *found* to *found* + *more*."""
    lost = np.zeros_like(more)
    some = alarms > 0
    start = (found + alarms)[some]
    lost[some] = alarms[some] * np.log1p(more[some] / start) / more[some]
    mean: Floats = 1 - lost
    return mean


def _unit(value: float) -> float:
    return min(max(value, 0.0), 1.0)

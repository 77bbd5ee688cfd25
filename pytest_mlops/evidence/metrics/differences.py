"""Differences between two models on the same rows, with a paired interval."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Callable, Tuple

import numpy as np

from pytest_mlops.core.metrics import Estimate, IntervalFunction, MetricOptions
from pytest_mlops.evidence.delta import (
    NO_INFLUENCE,
    Scatter,
    Slopes,
    row_weight,
    scatter,
    slopes,
)
from pytest_mlops.evidence.intervals import WeightedCount, between_counts, leaning
from pytest_mlops.evidence.metrics.estimates import (
    FEW_DISCORDANT_FLAG,
    LOW_SUPPORT,
    TOO_MANY_LABELS,
    undefined,
)
from pytest_mlops.evidence.metrics.readings import (
    MOST_LABELS,
    Read,
    Reading,
    clustered,
    group_flags,
)
from pytest_mlops.evidence.tables.pairs import LabelPairs

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Floats

#: With fewer rows than this on which the two models differ, an interval cannot keep
#: its confidence exactly.
FEW_DISCORDANT = 20

#: So many times the effective number of discordant rows is as good as their number.
_OF_EFFECTIVE = 4

_TINY = 1e-300


def compared(read: Read) -> Callable[[LabelPairs, MetricOptions, float], Estimate]:
    """A metric's ``difference`` from its reading."""
    return partial(_difference, read)


def _difference(
    read: Read, pairs: LabelPairs, options: MetricOptions, factor: float
) -> Estimate:
    candidate = read(pairs.candidate, options)
    if isinstance(candidate, Estimate):
        return undefined(candidate.rows, f"candidate: {candidate.reason}")
    baseline = read(pairs.baseline, options)
    if isinstance(baseline, Estimate):
        return undefined(baseline.rows, f"baseline: {baseline.reason}")
    return _estimate(candidate.view(pairs), candidate, baseline, factor)


def _estimate(
    pairs: LabelPairs, candidate: Reading, baseline: Reading, factor: float
) -> Estimate:
    low, high = candidate.limits
    limits = low - factor * high, high - factor * low
    value = min(max(candidate.value - factor * baseline.value, limits[0]), limits[1])
    rows = max(candidate.rows, baseline.rows)
    if len(pairs.labels) > MOST_LABELS:
        return Estimate(value, rows, flags=(TOO_MANY_LABELS,))
    influence = _Influence(pairs, candidate, baseline, factor)
    found = scatter(pairs, influence.of_cells)
    flags = group_flags(found)
    if influence.discordant < FEW_DISCORDANT:
        flags = (FEW_DISCORDANT_FLAG, *flags)
    if candidate.low_support or baseline.low_support:
        flags = (LOW_SUPPORT, *flags)
    if {FEW_DISCORDANT_FLAG, LOW_SUPPORT} & set(flags):
        gains, losses = influence.gains_and_losses(found.design)
        interval = between_counts(value, gains, losses, limits, found.free)
        method = "paired_gamma"
    else:
        interval = _by_delta(value, influence, found, limits)
        method = "paired_delta"
    return Estimate(
        value, rows, method=clustered(method, found), interval=interval, flags=flags
    )


def _by_delta(
    value: float, influence: _Influence, found: Scatter, limits: Tuple[float, float]
) -> IntervalFunction:
    """By the spread of the rows, with two more like those on which the models differ.

    Bonett & Price, "Adjusted Wald confidence interval for a difference of binomial
    proportions based on paired data" (2012), for any function of the counts, and with
    regard to skewness: where one model alone is ever right, the difference is a count.
    """
    share = influence.row_share
    added = 2 * influence.usual_square() * share**2 * found.design
    error = math.sqrt(found.error**2 + added)
    lean = influence.lean() * share * found.design
    return leaning(value, error, lean, limits, found.free)


class _Influence:
    """What a row in a cell of pairs does to the difference.

    Attributes:
        pairs: at least one row.
        row_share: what one row is of the whole.
        of_cells: the influence of a row in each cell, about a mean of 0.
        discordant: how many rows that matter the two models differ on; or four times
            their effective number, where it is but a few of them that matter.
    """

    def __init__(
        self, pairs: LabelPairs, candidate: Reading, baseline: Reading, factor: float
    ) -> None:
        self.pairs, self._factor = pairs, factor
        self._total = float(pairs.mass.sum())
        self.row_share = row_weight(pairs) / self._total
        self._candidate = _slopes(pairs, candidate)
        self._baseline = _slopes(pairs, baseline)
        of_cells = self._candidate.at(pairs.true, pairs.of_candidate)
        of_cells = of_cells - factor * self._baseline.at(pairs.true, pairs.of_baseline)
        self._mean = float(pairs.mass @ of_cells / self._total)
        self.of_cells = of_cells - self._mean
        self._most = self._most_influence()
        matters = np.abs(self.of_cells) > NO_INFLUENCE * self._most
        self._differ = matters & (pairs.of_candidate != pairs.of_baseline)
        squares = self.of_cells[self._differ] ** 2
        rows = pairs.rows[self._differ].astype(np.float64)
        effective = (rows @ squares) ** 2 / max(rows @ squares**2, _TINY)
        self.discordant = min(float(rows.sum()), _OF_EFFECTIVE * effective)

    def usual_square(self) -> float:
        """The mean square of the influence of rows on which the models differ."""
        squares = self.pairs.square_mass[self._differ]
        return float(squares @ self.of_cells[self._differ] ** 2 / squares.sum())

    def lean(self) -> float:
        """The third moment of the influence over the second."""
        squares = self.pairs.square_mass * self.of_cells**2
        return float(squares @ self.of_cells / squares.sum())

    def gains_and_losses(self, design: float) -> Tuple[WeightedCount, WeightedCount]:
        """What moves the difference up, and what moves it down, of what design effect.

        A row of the most influence might have been among either.
        """
        gain, loss = (self._sum(self.of_cells * sign, design) for sign in (1, -1))
        return gain, loss

    def _sum(self, influence: Floats, design: float) -> WeightedCount:
        influence = np.maximum(influence, 0.0) / self._total
        square = float(self.pairs.square_mass @ influence**2) * design
        most = self._most * self.row_share * design
        return WeightedCount(float(self.pairs.mass @ influence), square, most)

    def _most_influence(self) -> float:
        """The most that a row can do that one model gets right and the other wrong."""
        size = len(self.pairs.labels)
        true, wrong = np.divmod(np.arange(size * size), size)
        true, wrong = true[true != wrong], wrong[true != wrong]
        candidate, baseline, factor = self._candidate, self._baseline, self._factor
        gained = candidate.at(true, true) - factor * baseline.at(true, wrong)
        lost = candidate.at(true, wrong) - factor * baseline.at(true, true)
        influence = np.abs(np.concatenate([gained, lost]) - self._mean)
        most = float(influence.max(initial=0.0))
        # Nothing seen is of any influence: then it is the whole that might move.
        return most if most > NO_INFLUENCE else 1.0 + abs(factor)


def _slopes(pairs: LabelPairs, reading: Reading) -> Slopes:
    """Slopes by the labels of the pairs; 0 where one model knows no such label."""
    found = slopes(reading.table.margins, reading.statistic)
    places = [pairs.labels.index(label) for label in reading.table.labels]

    def moved(values: Floats) -> Floats:
        column = np.zeros(len(pairs.labels))
        column[places] = values
        return column

    return Slopes(moved(found.true), moved(found.predicted), moved(found.hits))

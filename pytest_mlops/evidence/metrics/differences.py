"""Differences between two models on the same rows, with a paired interval."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Callable

import numpy as np

from pytest_mlops.core.metrics import Estimate, MetricOptions
from pytest_mlops.evidence.delta import (
    NO_INFLUENCE,
    Scatter,
    Slopes,
    row_weight,
    scatter,
    slopes,
)
from pytest_mlops.evidence.intervals import stabilised
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
    error = _error(influence, found)
    flags = group_flags(found)
    if influence.discordant < FEW_DISCORDANT:
        flags = (FEW_DISCORDANT_FLAG, *flags)
    if candidate.low_support or baseline.low_support:
        flags = (LOW_SUPPORT, *flags)
    # The scale is infinite at the limits: stay inside of them by half a row.
    edge = (limits[1] - limits[0]) / (2 * pairs.total_rows)
    centre = min(max(value, limits[0] + edge), limits[1] - edge)
    return Estimate(
        value,
        rows,
        method=clustered("paired_delta", found),
        interval=stabilised(value, centre, error, limits, found.free),
        flags=flags,
    )


def _error(influence: _Influence, found: Scatter) -> float:
    """The standard error, with rows more on which one of the two models is right.

    Bonett & Price, "Adjusted Wald confidence interval for a difference of binomial
    proportions based on paired data" (2012), adds one row each way; so do we to any
    metric, rows like those on which the models differ. Where they hardly differ we add
    two, of the most influence there is: of models that agree on all rows the interval
    then reaches a little farther than the exact one (3.7 rows at 95 %).
    """
    if influence.discordant < FEW_DISCORDANT:
        added = 4 * influence.most() ** 2
    else:
        added = 2 * influence.usual_square()
    unit = row_weight(influence.pairs) / float(influence.pairs.mass.sum())
    return math.sqrt(found.error**2 + added * unit**2 * found.design)


class _Influence:
    """What a row in a cell of pairs does to the difference.

    Attributes:
        pairs: at least one row.
        of_cells: the influence of a row in each cell, about a mean of 0.
        discordant: rows that matter, on which the two models differ.
    """

    def __init__(
        self, pairs: LabelPairs, candidate: Reading, baseline: Reading, factor: float
    ) -> None:
        self.pairs, self._factor = pairs, factor
        self._candidate = _slopes(pairs, candidate)
        self._baseline = _slopes(pairs, baseline)
        of_cells = self._candidate.at(pairs.true, pairs.of_candidate)
        of_cells = of_cells - factor * self._baseline.at(pairs.true, pairs.of_baseline)
        self._mean = float(pairs.mass @ of_cells / pairs.mass.sum())
        self.of_cells = of_cells - self._mean
        matters = np.abs(self.of_cells) > NO_INFLUENCE * self.most()
        self._differ = (pairs.of_candidate != pairs.of_baseline) & matters
        self.discordant = int(pairs.rows[self._differ].sum())

    def most(self) -> float:
        """The most that a row can do that one model gets right and the other wrong."""
        size = len(self.pairs.labels)
        true = np.flatnonzero(np.bincount(self.pairs.true, self.pairs.mass, size))
        true, wrong = np.repeat(true, size), np.tile(np.arange(size), len(true))
        true, wrong = true[true != wrong], wrong[true != wrong]
        if not len(true):
            # One label only: nothing else was ever true or predicted.
            return 1.0 + abs(self._factor)
        candidate, baseline, factor = self._candidate, self._baseline, self._factor
        gained = candidate.at(true, true) - factor * baseline.at(true, wrong)
        lost = candidate.at(true, wrong) - factor * baseline.at(true, true)
        return float(np.abs(np.concatenate([gained, lost]) - self._mean).max())

    def usual_square(self) -> float:
        """The mean square of the influence of rows on which the models differ."""
        squares = self.pairs.square_mass[self._differ]
        return float(squares @ self.of_cells[self._differ] ** 2 / squares.sum())


def _slopes(pairs: LabelPairs, reading: Reading) -> Slopes:
    """Slopes by the labels of the pairs; 0 where one model knows no such label."""
    found = slopes(reading.table.margins, reading.statistic)
    places = [pairs.labels.index(label) for label in reading.table.labels]

    def moved(values: Floats) -> Floats:
        column = np.zeros(len(pairs.labels))
        column[places] = values
        return column

    return Slopes(moved(found.true), moved(found.predicted), moved(found.hits))

"""The delta method on tables of counts: how much a smooth function of them scatters."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Callable, Optional

import numpy as np
from numpy.typing import NDArray

from pytest_mlops.evidence.tables.arrays import weight_sums
from pytest_mlops.evidence.tables.cells import CellTable
from pytest_mlops.evidence.tables.counts import LabelCounts, Margins
from pytest_mlops.evidence.tables.groups import GroupSums

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Codes, Floats

#: From margins of the shape ``(…, labels)`` to values of the shape ``(…)``. It must
#: be analytic, for it is also given complex numbers: no abs, no comparison.
Statistic = Callable[[Margins], NDArray[Any]]

#: The imaginary step of a derivative. It is exact: nothing is subtracted.
_STEP = 1e-30

#: A share of the largest influence below this is one of rounding.
NO_INFLUENCE = 1e-9

#: A variance below this is one of rounding.
_NO_VARIANCE = 1e-24


#: With fewer groups that carry one side of a figure, their number is itself chance.
FEW_CARRYING = 10


@dataclass(frozen=True)
class Scatter:
    """How much a statistic scatters from sample to sample.

    Attributes:
        error: its standard error.
        design: how many times the variance is that of independent rows; at least 1.
        groups: from how many groups of equal size that is as good as known; None
            without groups.
        thin: whether few groups carry all that counts for, or all that counts against.
    """

    error: float
    design: float = 1.0
    groups: Optional[int] = None
    thin: bool = False

    @property
    def free(self) -> float:
        """The degrees of freedom of the standard error."""
        return math.inf if self.groups is None else self.groups - 1.0


@dataclass(frozen=True)
class Slopes:
    """A statistic's derivatives by each margin, times the whole; ``(labels,)`` each."""

    true: Floats
    predicted: Floats
    hits: Floats

    def at(self, true: Codes, predicted: Codes) -> Floats:
        """The influence of a row in each of these cells, up to a constant."""
        influence: Floats = self.true[true] + self.predicted[predicted]
        hit = true == predicted
        influence[hit] += self.hits[true[hit]]
        return influence


def slopes(margins: Margins, statistic: Statistic) -> Slopes:
    """The slopes of a statistic, by a complex step in each margin."""
    labels = len(margins.true)
    at = np.concatenate([margins.true, margins.predicted, margins.hits])
    moved = (at + _steps(3 * labels)).reshape(3 * labels, 3, labels)
    found = statistic(Margins(moved[:, 0], moved[:, 1], moved[:, 2])).imag
    by = found * (margins.true.sum() / _STEP)
    return Slopes(by[:labels], by[labels : 2 * labels], by[2 * labels :])


@lru_cache(maxsize=8)
def _steps(size: int) -> NDArray[Any]:
    return np.eye(size) * (1j * _STEP)


def scatter(table: CellTable, influence: Floats) -> Scatter:
    """The scatter of a statistic of a table.

    Of independent rows its variance is Σ w² ψ² / W² with ψ the centred influence; of
    groups of rows G / (G − 1) Σ (Σ w ψ)² / W², the inner sum over a group, but never
    less than if they were independent. Liang & Zeger, "Longitudinal data analysis
    using generalized linear models" (1986).

    Args:
        table: at least one row.
        influence: of a row in each cell, up to a constant.
    """
    mass = table.mass
    total = float(mass.sum())
    influence = influence - mass @ influence / total
    alone = float(table.square_mass @ influence**2) / total**2
    if table.groups is None:
        return Scatter(math.sqrt(alone))
    if not alone > _NO_VARIANCE:
        return Scatter(0.0, _all_alike(table, table.groups), table.groups.count)
    sums = table.groups.sums(influence)
    least = NO_INFLUENCE * np.abs(influence).max()
    sizes = table.groups.sums((np.abs(influence) > least).astype(np.float64))
    count = int(np.count_nonzero(sizes))
    between = float(sums @ sums) / total**2 * count / max(count - 1, 1)
    sides = (influence > least, influence < -least)
    carrying = (table.groups.sums(side.astype(np.float64)) for side in sides)
    thin = min(map(np.count_nonzero, carrying)) < FEW_CARRYING
    # Where few groups carry the mistakes, worse ones may be unseen altogether.
    alike = _all_alike(table, table.groups) if thin else 1.0
    design = max(between / alone, alike, 1.0)
    # Kish's effective number: a few large groups tell of no more than themselves.
    known = int(sizes.sum() ** 2 / float(sizes @ sizes) + 1e-9)
    return Scatter(math.sqrt(alone * design), design, min(count, known), bool(thin))


def _all_alike(table: CellTable, groups: GroupSums) -> float:
    """The design effect if all rows of a group say the same."""
    sums = groups.sums(np.ones(len(table.mass)))
    return max(float(sums @ sums) / float(table.square_mass.sum()), 1.0)


def smoothed(table: LabelCounts) -> LabelCounts:
    """The table with one row's mass more, spread over every pair of labels.

    A table of one label gets a second one: it might have been predicted. Groups are
    left out: the design effect has to come from the table itself.
    """
    size = max(len(table.labels), 2)
    labels = table.labels if len(table.labels) > 1 else (*table.labels, "")
    cells = size * size
    unit = row_weight(table)
    flat = table.true * size + table.predicted
    weights = weight_sums(flat, table.mass, cells) + unit / cells
    squares = weight_sums(flat, table.square_mass, cells) + unit * unit / cells
    each = np.arange(cells)
    rows = np.zeros(cells, dtype=np.int64)
    return LabelCounts(labels, each // size, each % size, rows, weights, squares)


def row_weight(table: CellTable) -> float:
    """What one row weighs, as far as that can be told from sums of weights."""
    return float(table.square_mass.sum() / table.mass.sum())

"""The delta method on tables of counts: intervals of any smooth function of margins."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, Tuple

import numpy as np
from numpy.typing import NDArray

from pytest_mlops.core.metrics import IntervalFunction
from pytest_mlops.evidence.intervals import stabilised
from pytest_mlops.evidence.tables.arrays import weight_sums
from pytest_mlops.evidence.tables.counts import LabelCounts, Margins

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Codes, Floats

#: From margins of the shape ``(…, labels)`` to values of the shape ``(…)``. It must
#: be analytic, for it is also given complex numbers: no abs, no comparison.
Statistic = Callable[[Margins], NDArray[Any]]

#: With more labels than this there is no interval: the table is too thin for it.
MOST_LABELS = 100

#: The imaginary step of a derivative. It is exact: nothing is subtracted.
_STEP = 1e-30

#: A standard error below this is one of rounding; so is a distance to a limit.
_NO_ERROR = 1e-12


@dataclass(frozen=True)
class _Cells:
    """A table of counts as the delta method needs it.

    Attributes:
        margins: its sums of weights.
        true, predicted: the labels of each cell, as indices.
        weights, squares: sums of the weights and of their squares in each cell.
    """

    margins: Margins
    true: Codes
    predicted: Codes
    weights: Floats
    squares: Floats


def delta_interval(
    table: LabelCounts,
    statistic: Statistic,
    value: float,
    limits: Tuple[float, float],
    *,
    smooth: bool = False,
) -> Tuple[IntervalFunction, bool]:
    """The interval of a function of a table of counts, on a stabilising scale.

    Where the table says nothing of the spread (the value sits on a limit, or all rows
    agree), centre and spread come from the table with the mass of one more row spread
    over all its cells: the interval is never of no width.

    Args:
        table: at least one row.
        statistic: the metric as a function of the margins.
        value: the metric on the table.
        limits: the metric's, finite.
        smooth: whether the table is known not to show the spread of all its parts.

    Returns:
        The interval, and whether the table alone said enough for it.
    """
    cells = _cells_of(table)
    error = _standard_error(cells, statistic)
    # A negated comparison, so that a derivative that is no number is not believed.
    if error > _NO_ERROR and _inside(value, limits) and not smooth:
        return stabilised(value, value, error, limits), True
    cells = _smoothed(table)
    centre = float(statistic(cells.margins))
    error = _standard_error(cells, statistic)
    return stabilised(value, centre, error, limits), False


def _inside(value: float, limits: Tuple[float, float]) -> bool:
    return limits[0] + _NO_ERROR < value < limits[1] - _NO_ERROR


def _cells_of(table: LabelCounts) -> _Cells:
    return _Cells(
        table.margins, table.true, table.predicted, table.mass, table.square_mass
    )


def _smoothed(table: LabelCounts) -> _Cells:
    """The table with one row's mass more, spread over every pair of labels.

    A table of one label gets a second one: it might have been predicted.
    """
    size = max(len(table.labels), 2)
    # What one row weighs, as far as the number of rows can be told from weights.
    unit = float(table.square_mass.sum() / table.mass.sum())
    cells = size * size
    flat = table.true * size + table.predicted
    weights = weight_sums(flat, table.mass, cells) + unit / cells
    squares = weight_sums(flat, table.square_mass, cells) + unit * unit / cells
    square = weights.reshape(size, size)
    margins = Margins(square.sum(axis=1), square.sum(axis=0), np.diagonal(square))
    each = np.arange(cells)
    return _Cells(margins, each // size, each % size, weights, squares)


def _standard_error(cells: _Cells, statistic: Statistic) -> float:
    """The root of Σ W2 (g − mean g)² / W², with g the gradient by a cell's share."""
    by_true, by_predicted, by_hits = _gradient(cells.margins, statistic)
    hit = cells.true == cells.predicted
    total = cells.weights.sum()
    gradient = total * (
        by_true[cells.true]
        + by_predicted[cells.predicted]
        + np.where(hit, by_hits[cells.true], 0.0)
    )
    centred = gradient - cells.weights @ gradient / total
    return math.sqrt(float(cells.squares @ centred**2)) / float(total)


def _gradient(margins: Margins, statistic: Statistic) -> Tuple[Floats, Floats, Floats]:
    """Derivatives by each margin, shape ``(labels,)``, by a complex step in each."""
    at = np.stack([margins.true, margins.predicted, margins.hits])
    steps = np.eye(at.size).reshape(at.size, *at.shape)
    moved = at + 1j * _STEP * steps
    found = statistic(Margins(moved[:, 0], moved[:, 1], moved[:, 2])).imag / _STEP
    by_true, by_predicted, by_hits = found.reshape(at.shape)
    return by_true, by_predicted, by_hits

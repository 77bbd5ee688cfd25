"""Resampling: the values of a function on rows that are drawn again."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, Iterator, Optional

import numpy as np
from numpy.typing import NDArray

from pytest_mlops.errors import MetricError
from pytest_mlops.evidence.draws import poisson_counts, shuffled_blocks
from pytest_mlops.evidence.groups import BUCKETS
from pytest_mlops.evidence.tables.kept import KeptRows
from pytest_mlops.evidence.tables.replicates import PairedReplicates, Replicates

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Codes

#: From ``y_true`` and ``y_pred`` to a finite number; else it raises MetricError.
Score = Callable[[NDArray[Any], NDArray[Any]], float]

#: How many replicates: as many as the rows drawn for them allow, within limits.
MOST_REPLICATES, FEWEST_REPLICATES, ROWS_DRAWN = 400, 100, 10**7

#: How many blocks of rows the jackknife leaves out, one at a time.
BLOCKS = 64


@dataclass(frozen=True)
class _Units:
    """What is drawn: rows or, where there are groups, buckets of them.

    Attributes:
        of_rows: the unit of each row, from 0; None where each row is its own.
        size: how many units there are.
    """

    of_rows: Optional[Codes]
    size: int

    @classmethod
    def of(cls, table: KeptRows) -> _Units:
        groups = table.groups
        if groups is None:
            return cls(None, table.rows)
        present = np.bincount(groups, minlength=BUCKETS) > 0
        return cls((np.cumsum(present) - 1)[groups], int(present.sum()))

    def rows(self, counts: Codes) -> Codes:
        """The rows of units that count so often, by number, in order."""
        by_row = counts if self.of_rows is None else counts[self.of_rows]
        found: Codes = np.repeat(np.arange(len(by_row)), by_row)
        return found


def replicate(score: Score, table: KeptRows) -> Replicates:
    """The value of a function on the rows, and its replicates.

    Raises:
        MetricError: the function does not work on the rows as they are.
    """
    if not table.rows:
        return _assembled(table, _Units(None, 0), None, [])
    true, predicted = table.arrays()
    value = score(true, predicted)
    units = _Units.of(table)
    again = [_attempt(score, true[rows], predicted[rows]) for rows in _resamples(units)]
    return _assembled(table, units, value, again)


def replicate_pair(score: Score, table: KeptRows) -> PairedReplicates:
    """As ``replicate``, for two models under the same draws."""
    if not table.rows:
        nothing = _assembled(table, _Units(None, 0), None, [])
        return PairedReplicates(nothing, nothing)
    true, candidate, baseline = table.arrays()
    values = score(true, candidate), score(true, baseline)
    units = _Units.of(table)
    again = [
        (
            _attempt(score, true[rows], candidate[rows]),
            _attempt(score, true[rows], baseline[rows]),
        )
        for rows in _resamples(units)
    ]
    one, two = (
        _assembled(table, units, value, list(found))
        for value, found in zip(values, zip(*again))
    )
    return PairedReplicates(one, two)


def replicates_of(rows: int) -> int:
    """How many replicates of so many rows are drawn: an even number."""
    return max(FEWEST_REPLICATES, min(MOST_REPLICATES, ROWS_DRAWN // rows)) // 2 * 2


def _resamples(units: _Units) -> Iterator[Codes]:
    """The rows of each replicate, then those of each jackknife sample."""
    rows = units.size if units.of_rows is None else len(units.of_rows)
    for number in range(replicates_of(rows)):
        yield units.rows(poisson_counts(number, units.size))
    blocks = min(BLOCKS, units.size)
    block = shuffled_blocks(units.size, blocks)
    for left_out in range(blocks):
        yield units.rows((block != left_out).astype(np.int64))


def _attempt(score: Score, true: NDArray[Any], predicted: NDArray[Any]) -> float:
    """The score, or NaN where rows were drawn that it cannot be computed from."""
    if not len(true):
        return np.nan
    try:
        with warnings.catch_warnings():
            # What is to be said of the rows as they are has been said.
            warnings.simplefilter("ignore")
            return score(true, predicted)
    except MetricError:
        return np.nan


def _assembled(
    table: KeptRows, units: _Units, value: Optional[float], again: Any
) -> Replicates:
    drawn = replicates_of(table.rows) if table.rows else 0
    return Replicates(
        table.rows,
        units.size,
        value,
        np.array(again[:drawn], dtype=np.float64),
        np.array(again[drawn:], dtype=np.float64),
        bool(table.buckets),
        table.weighted,
    )

"""Cells: the values of a column, cut into few by quantiles of the reference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Dict, List, Tuple

import numpy as np

from pytest_mlops.evidence.tables.category_counts import aligned_categories
from pytest_mlops.evidence.tables.features import FeatureColumn, FeatureTable
from pytest_mlops.evidence.tables.number_counts import aligned

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Codes, Floats

#: Numbers are cut at this many quantiles of the reference.
NUMBER_CELLS = 10

#: So many categories, the reference's most frequent, have a cell each.
CATEGORY_CELLS = 20

#: Cells are joined until each expects so many rows in the smaller of the two samples.
EXPECTED_ROWS = 5

#: The rows of a cell: in the reference, and in the current data.
Pair = Tuple[int, int]


@dataclass(frozen=True)
class ColumnPair:
    """A column of the reference and the same column of the current data.

    Attributes:
        reference: the values in the reference.
        current: the values in the current data.
        reference_rows: rows of the reference, missing values included.
        current_rows: rows of the current data, likewise.
    """

    reference: FeatureColumn
    current: FeatureColumn
    reference_rows: int
    current_rows: int

    @classmethod
    def of(
        cls, reference: FeatureTable, current: FeatureTable, name: str
    ) -> ColumnPair:
        """The pair of a column that both have."""
        return cls(
            reference.columns[name],
            current.columns[name],
            reference.rows,
            current.rows,
        )

    @property
    def missing(self) -> Pair:
        """Missing values in the reference and in the current data."""
        return (
            self.reference_rows - self.reference.present,
            self.current_rows - self.current.present,
        )


@dataclass(frozen=True, eq=False)
class Cells:
    """Rows by cell, shapes ``(cells,)``, in the reference and in the current data."""

    reference: Codes
    current: Codes

    def __len__(self) -> int:
        return len(self.reference)

    @property
    def sizes(self) -> Tuple[int, int]:
        """Rows of the reference and of the current data."""
        return int(self.reference.sum()), int(self.current.sum())

    def shares(self) -> Tuple[Floats, Floats]:
        """The share of each cell, half a row added to each so that none is 0.

        Half a row is Jeffreys' prior; a logarithm of a share needs one.
        """
        first, second = (
            (counts + 0.5) / (counts.sum() + len(counts) / 2)
            for counts in (self.reference, self.current)
        )
        return first, second


def cells_of(pair: ColumnPair) -> Cells:
    """The cells of a column: parts of its numbers, categories, and missing values."""
    pairs = [*_number_cells(pair), *_category_cells(pair), pair.missing]
    pairs.append((pair.reference.others, pair.current.others))
    joined = _joined([p for p in pairs if any(p)])
    table = np.array(joined, dtype=np.int64).reshape(-1, 2)
    return Cells(table[:, 0], table[:, 1])


def _number_cells(pair: ColumnPair) -> List[Pair]:
    first, second = pair.reference.numbers, pair.current.numbers
    _, reference, current, _ = aligned(first, second)
    total = reference.sum()
    if not total or np.count_nonzero(reference) <= NUMBER_CELLS:
        return _values_apart(reference, current)
    # By the middle of what lies at a key: a value with much mass stays one cell.
    middle = np.cumsum(reference) - reference / 2
    cell = np.minimum(middle * NUMBER_CELLS // total, NUMBER_CELLS - 1).astype(int)
    sums = (np.bincount(cell, counts, NUMBER_CELLS) for counts in (reference, current))
    return _pairs(*sums)


def _values_apart(reference: Codes, current: Codes) -> List[Pair]:
    """A cell for each value of the reference, and one for all that it does not have."""
    known = reference > 0
    unseen = int(current[~known].sum())
    return [*_pairs(reference[known], current[known]), (0, unseen)]


def _category_cells(pair: ColumnPair) -> List[Pair]:
    first, second = aligned_categories(
        pair.reference.categories, pair.current.categories
    )
    names = sorted(first.counts, key=lambda name: (-first.counts[name], name))
    counts: Dict[str, int] = dict(second.counts)
    cells = [(first.counts[n], counts.pop(n, 0)) for n in names[:CATEGORY_CELLS]]
    rest = sum(first.counts[n] for n in names[CATEGORY_CELLS:])
    return [*cells, (rest, sum(counts.values()))]


def _joined(pairs: List[Pair]) -> List[Pair]:
    """Small cells as one, for a ratio of two rare counts says nothing."""
    sizes = [sum(column) for column in zip(*pairs)] or [0, 0]
    smaller = min(sizes) / max(sum(sizes), 1)
    pairs = sorted(pairs, key=sum, reverse=True)
    large = [p for p in pairs if sum(p) * smaller >= EXPECTED_ROWS]
    small = pairs[len(large) :]
    if not small:
        return large
    rest = (sum(p[0] for p in small), sum(p[1] for p in small))
    if sum(rest) * smaller < EXPECTED_ROWS and large:
        last = large.pop()
        rest = (rest[0] + last[0], rest[1] + last[1])
    return [*large, rest]


def _pairs(reference: Codes, current: Codes) -> List[Pair]:
    return list(zip(map(int, reference), map(int, current)))

"""LabelCounts: how often each true label was predicted as each label."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np
from numpy.typing import NDArray

from pytest_mlops.core.rows import ClassificationRows, Label, Labels
from pytest_mlops.errors import DataError
from pytest_mlops.evidence.labels import canonical, label_order
from pytest_mlops.evidence.tables.arrays import CHUNK, chunks, frozen, weight_sums

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Codes, Floats

#: Up to so many labels the JSON is a square; beyond, a list of the cells in use.
SQUARE_LABELS = 64

#: Up to so many cells a batch is counted into all of them, else only into those met.
_DENSE_CELLS = 2**22


@dataclass(frozen=True)
class Margins:
    """Sums of a table of counts; enough for every metric on counts.

    Attributes:
        true: by label, how much is truly of it; shape ``(…, labels)``.
        predicted: by label, how much is predicted to be of it.
        hits: by label, how much is both.
    """

    true: NDArray[Any]
    predicted: NDArray[Any]
    hits: NDArray[Any]

    @property
    def total(self) -> NDArray[Any]:
        """The whole, of the shape ``(…, 1)``."""
        total: NDArray[Any] = self.true.sum(axis=-1, keepdims=True)
        return total


@dataclass(frozen=True, eq=False)
class LabelCounts:
    """Counts by true and predicted label; only cells that occur are kept.

    Attributes:
        labels: those that occur, true or predicted; numbers before texts, sorted.
        true: index into ``labels``, one a cell, cells in ascending order.
        predicted: likewise.
        rows: rows, one number a cell.
        weights: the sum of the rows' weights, or None where every row counts one.
        squares: the sum of the squared weights, or None likewise.
    """

    labels: Tuple[Label, ...]
    true: Codes
    predicted: Codes
    rows: Codes
    weights: Optional[Floats] = None
    squares: Optional[Floats] = None

    @classmethod
    def of(cls, rows: ClassificationRows) -> LabelCounts:
        """Count a batch; raises DataError where a label is missing."""
        cells, counts = _count(rows)
        width = len(rows.predicted.categories) + 1
        if len(cells) and (cells[0] < width or (cells % width == 0).any()):
            raise DataError("a label is missing; only rows with both can be counted")
        true = [canonical(rows.true.categories[i]) for i in cells // width - 1]
        predicted = [canonical(rows.predicted.categories[i]) for i in cells % width - 1]
        return _assemble(true, predicted, counts)

    def merge(self, other: LabelCounts) -> LabelCounts:
        """The counts of both tables' rows; exact without weights."""
        columns = [self._columns(), other._columns()]
        if self.weights is None and other.weights is None:
            columns = [column[:1] for column in columns]
        first, second = columns
        joined = [np.concatenate(pair) for pair in zip(first, second)]
        true = self._names(self.true) + other._names(other.true)
        predicted = self._names(self.predicted) + other._names(other.predicted)
        return _assemble(true, predicted, joined)

    @property
    def total_rows(self) -> int:
        """How many rows were counted."""
        return int(self.rows.sum())

    @property
    def mass(self) -> Floats:
        """What each cell weighs: its weights, or its rows; float64."""
        mass: Floats = self.rows.astype(np.float64)
        return mass if self.weights is None else self.weights

    @property
    def square_mass(self) -> Floats:
        """The sum of the squared weights of each cell; its rows without weights."""
        return self.mass if self.squares is None else self.squares

    @cached_property
    def margins(self) -> Margins:
        """Sums of what the cells weigh; float64, shape ``(labels,)``."""
        return self._sums(self.mass)

    @cached_property
    def row_margins(self) -> Margins:
        """Sums of rows; float64, exact below 2**53 rows."""
        return self._sums(self.rows.astype(np.float64))

    def index(self, label: Optional[Label]) -> Optional[int]:
        """Where *label* stands in ``labels``; None where it does not occur."""
        known = canonical(label)
        return self.labels.index(known) if known in self.labels else None

    def against_rest(self, index: int) -> LabelCounts:
        """The table of one label (1) against all others together (0)."""
        true, predicted = self.true == index, self.predicted == index
        return self._collapsed(true, predicted)

    def hits_and_misses(self) -> LabelCounts:
        """The table of one label (1), predicted where the prediction is right."""
        return self._collapsed(
            np.ones(len(self.true), bool), self.true == self.predicted
        )

    def to_json(self) -> Dict[str, Any]:
        """A square of numbers by label, or a list of cells where labels are many."""
        data: Dict[str, Any] = {"labels": list(self.labels)}
        columns: Dict[str, NDArray[Any]] = {"rows": self.rows}
        if self.weights is not None and self.squares is not None:
            columns.update(weights=self.weights, squares=self.squares)
        if len(self.labels) > SQUARE_LABELS:
            data["true"] = self.true.tolist()
            data["predicted"] = self.predicted.tolist()
            data.update({name: c.tolist() for name, c in columns.items()})
        else:
            data.update({name: self._square(c) for name, c in columns.items()})
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> LabelCounts:
        """Read ``to_json`` back; raises KeyError, TypeError or ValueError."""
        labels = tuple(data["labels"])
        columns: List[NDArray[Any]] = [
            np.asarray(data[name], kind)
            for name, kind in (
                ("rows", np.int64),
                ("weights", np.float64),
                ("squares", np.float64),
            )
            if name in data or name == "rows"
        ]
        if "true" in data:
            true = np.asarray(data["true"], np.int64)
            predicted = np.asarray(data["predicted"], np.int64)
        else:
            squares = [column.reshape((len(labels),) * 2) for column in columns]
            true, predicted = np.nonzero(squares[0])
            columns = [square[true, predicted] for square in squares]
        return cls(labels, true, predicted, *columns)

    def _columns(self) -> List[NDArray[Any]]:
        return [self.rows, self.mass, self.square_mass]

    def _names(self, codes: Codes) -> List[Label]:
        return [self.labels[code] for code in codes.tolist()]

    def _sums(self, values: Floats) -> Margins:
        size = len(self.labels)
        hit = self.true == self.predicted
        return Margins(
            np.bincount(self.true, values, size),
            np.bincount(self.predicted, values, size),
            np.bincount(self.true[hit], values[hit], size),
        )

    def _collapsed(
        self, true: NDArray[np.bool_], predicted: NDArray[np.bool_]
    ) -> LabelCounts:
        cells = np.arange(4)
        flat = true * 2 + predicted
        weights, squares = (
            None if column is None else weight_sums(flat, column, 4)
            for column in (self.weights, self.squares)
        )
        rows = np.bincount(flat, self.rows, 4).astype(np.int64)
        return LabelCounts((0, 1), cells // 2, cells % 2, rows, weights, squares)

    def _square(self, column: NDArray[Any]) -> List[List[Any]]:
        square = np.zeros((len(self.labels),) * 2, dtype=column.dtype)
        square[self.true, self.predicted] = column
        listed: List[List[Any]] = square.tolist()
        return listed


def _count(rows: ClassificationRows) -> Tuple[Codes, List[NDArray[Any]]]:
    """Flat numbers of the cells that occur, and rows, weights, squares in each.

    A row and a column for missing labels come first, so that one pass both counts
    and finds them. Rows of no weight are as good as absent.
    """
    size = (len(rows.true.categories) + 1) * (len(rows.predicted.categories) + 1)
    if size > _DENSE_CELLS:
        flat = _flat(rows.true, rows.predicted, slice(None))
        cells, index = np.unique(flat, return_inverse=True)
        counts = _sums(index, rows.weights, len(cells))
    else:
        cells, counts = np.arange(size), _dense(rows, size)
    used = np.flatnonzero(counts[0])
    return cells[used], [column[used] for column in counts]


def _dense(rows: ClassificationRows, size: int) -> List[NDArray[Any]]:
    counts: List[NDArray[Any]] = [np.zeros(size, dtype=np.int64)]
    if rows.weights is not None:
        counts += [np.zeros(size), np.zeros(size)]
    # A chunk is never smaller than the counts that it is added to.
    for part in chunks(len(rows.true), max(CHUNK, size)):
        weights = None if rows.weights is None else rows.weights[part]
        more = _sums(_flat(rows.true, rows.predicted, part), weights, size)
        counts = [known + new for known, new in zip(counts, more)]
    return counts


def _flat(true: Labels, predicted: Labels, part: slice) -> Codes:
    width = len(predicted.categories) + 1
    flat: Codes = true.codes[part] * width
    flat += predicted.codes[part]
    flat += width + 1
    return flat


def _sums(index: Codes, weights: Optional[Floats], size: int) -> List[NDArray[Any]]:
    if weights is None:
        return [np.bincount(index, minlength=size)]
    rows = np.bincount(index[weights > 0], minlength=size)
    return [rows, *(weight_sums(index, w, size) for w in (weights, weights**2))]


def _assemble(
    true: Sequence[Optional[Label]],
    predicted: Sequence[Optional[Label]],
    columns: Sequence[NDArray[Any]],
) -> LabelCounts:
    """A table from cells in any order, some of which may be of the same labels."""
    found = {label for label in (*true, *predicted) if label is not None}
    labels = tuple(sorted(found, key=label_order))
    index: Dict[Optional[Label], int] = {label: i for i, label in enumerate(labels)}
    flat = np.array(
        [index[t] * len(labels) + index[p] for t, p in zip(true, predicted)],
        dtype=np.int64,
    )
    cells, inverse = np.unique(flat, return_inverse=True)
    rows = np.zeros(len(cells), dtype=np.int64)
    np.add.at(rows, inverse, columns[0])
    weighted = [frozen(weight_sums(inverse, c, len(cells))) for c in columns[1:]]
    size = max(len(labels), 1)
    return LabelCounts(
        labels, frozen(cells // size), frozen(cells % size), frozen(rows), *weighted
    )

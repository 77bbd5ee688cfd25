"""Counting: from rows to sums by label in some columns, dense where that fits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional, Sequence, Tuple

import numpy as np
from numpy.typing import NDArray

from pytest_mlops.core.rows import Label, Labels
from pytest_mlops.errors import DataError
from pytest_mlops.evidence.groups import BUCKETS
from pytest_mlops.evidence.labels import canonical, label_order
from pytest_mlops.evidence.tables.arrays import CHUNK, chunks, weight_sums
from pytest_mlops.evidence.tables.groups import GroupSums

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Codes, Floats

#: Up to so many cells rows are counted into all of them, else only into those met.
DENSE_CELLS = 2**22


@dataclass(frozen=True)
class Columns:
    """What is counted: columns of labels, with the weight and the group of each row.

    Attributes:
        labels: columns of the same length.
        weights: one a row, or None where every row counts one.
        groups: the bucket of each row's group, or None where rows are independent.
    """

    labels: Tuple[Labels, ...]
    weights: Optional[Floats] = None
    groups: Optional[Codes] = None

    def take(self, index: Codes) -> Columns:
        """Some of the rows, by their numbers from 0."""
        return Columns(
            tuple(column.take(index) for column in self.labels),
            None if self.weights is None else self.weights[index],
            None if self.groups is None else self.groups[index],
        )


@dataclass(frozen=True)
class Counted:
    """Sums of rows by cell; only cells that occur.

    Attributes:
        outer: what stands before the labels: the slice, or the bucket of groups.
        codes: one array a column of labels; one code a cell.
        sums: rows, then with weights the sums of them and of their squares.
    """

    outer: Codes
    codes: Tuple[Codes, ...]
    sums: List[NDArray[Any]]


class Names:
    """The labels of some columns in one order, and where each column's codes stand."""

    def __init__(self, columns: Sequence[Labels]) -> None:
        names = [[canonical(c) for c in column.categories] for column in columns]
        found = {name for each in names for name in each if name is not None}
        self.labels = tuple(sorted(found, key=label_order))
        place: Dict[Optional[Label], int] = {
            label: index for index, label in enumerate(self.labels)
        }
        self._places = [
            np.array([place.get(n, -1) for n in each], np.int64) for each in names
        ]

    def axes(self, codes: Sequence[Codes]) -> List[Codes]:
        """From codes of each column to indices into ``labels``."""
        return [place[code] for place, code in zip(self._places, codes)]

    def grouped(self, whole: Counted, by_bucket: Counted) -> GroupSums:
        """The sums by bucket, each at the number of its cell in *whole*."""
        size = max(map(len, self._places), default=0) + 1
        cells, sought = (_flat(found.codes, size) for found in (whole, by_bucket))
        mass = by_bucket.sums[1 if len(by_bucket.sums) > 1 else 0]
        return GroupSums.of(
            by_bucket.outer, np.searchsorted(cells, sought), mass, len(cells)
        )


def count(
    columns: Columns, outer: Optional[Codes] = None, outer_size: int = 1
) -> Counted:
    """Count rows by their labels, and by something else before them.

    A place for missing labels comes first in each column, so that one pass both counts
    and finds them. Rows of no weight are as good as absent.

    Args:
        columns: their groups are not looked at.
        outer: a number a row, from 0 to ``outer_size`` − 1, or None.
        outer_size: how many values ``outer`` can have.

    Raises:
        DataError: a label is missing.
    """
    widths = [len(column.categories) + 1 for column in columns.labels]
    inner = math.prod(widths)

    def flat(part: slice) -> Codes:
        cells = np.zeros(1, dtype=np.int64) if outer is None else outer[part]
        for column, width in zip(columns.labels, widths):
            cells = cells * width
            cells = cells + column.codes[part]
            cells += 1
        return cells

    rows = len(columns.labels[0])
    cells, sums = _sums(flat, rows, inner * outer_size, columns.weights)
    outers, codes = cells // inner, []
    for width in reversed(widths):
        codes.append(cells % width - 1)
        cells = cells // width
    if any((code < 0).any() for code in codes):
        raise DataError("a label is missing; only rows with both can be counted")
    return Counted(outers, tuple(reversed(codes)), sums)


def count_buckets(columns: Columns, groups: Codes) -> Counted:
    """Count rows by the bucket of their group and by their labels."""
    return count(columns, groups, BUCKETS)


def parts(slices: Codes, size: int) -> List[Codes]:
    """The numbers of the rows of each slice, in their order."""
    order = np.argsort(slices, kind="stable")
    edges = np.searchsorted(slices[order], np.arange(1, size))
    return np.split(order, edges)


def _sums(
    flat: Callable[[slice], Codes], rows: int, size: int, weights: Optional[Floats]
) -> Tuple[Codes, List[NDArray[Any]]]:
    if size > DENSE_CELLS:
        cells, index = np.unique(flat(slice(None)), return_inverse=True)
        columns = _columns(index, weights, len(cells))
    else:
        cells, columns = np.arange(size), _dense(flat, rows, size, weights)
    used = np.flatnonzero(columns[0])
    return cells[used], [column[used] for column in columns]


def _dense(
    flat: Callable[[slice], Codes], rows: int, size: int, weights: Optional[Floats]
) -> List[NDArray[Any]]:
    columns: List[NDArray[Any]] = [np.zeros(size, dtype=np.int64)]
    if weights is not None:
        columns += [np.zeros(size), np.zeros(size)]
    # A chunk is never smaller than the counts that it is added to.
    for part in chunks(rows, max(CHUNK, size)):
        more = _columns(flat(part), None if weights is None else weights[part], size)
        for column, new in zip(columns, more):
            column += new
    return columns


def _columns(index: Codes, weights: Optional[Floats], size: int) -> List[NDArray[Any]]:
    if weights is None:
        return [np.bincount(index, minlength=size)]
    rows = np.bincount(index[weights > 0], minlength=size)
    return [rows, *(weight_sums(index, w, size) for w in (weights, weights**2))]


def _flat(codes: Sequence[Codes], size: int) -> Codes:
    flat = codes[0]
    for code in codes[1:]:
        flat = flat * size + code
    return flat

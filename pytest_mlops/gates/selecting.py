"""From a batch and a selection to the slice of each row, and to a table a slice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Dict, Iterable, List, Optional, Sequence, Tuple, Union

import numpy as np

from pytest_mlops.core.conditions import parse_condition
from pytest_mlops.core.metrics import Table, TableKind
from pytest_mlops.core.rows import Batch, JudgedRows, Labels, PairedRows
from pytest_mlops.core.selection import Selection, SliceKey, bin_names
from pytest_mlops.core.suggestions import did_you_mean
from pytest_mlops.errors import DataError, RowsError
from pytest_mlops.evidence.labels import canonical
from pytest_mlops.evidence.tables.slices import Slices
from pytest_mlops.gates.filtering import Filter

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Codes

#: More slices than this are a mistake, such as a column of identifiers.
MOST_SLICES = 10_000

#: Combinations of so many values are told apart by counting, else by sorting.
_DENSE = 2**20


class Selector:
    """Gives rows their slices, batch after batch.

    Args:
        selection: its ``where`` can be read.
        name: what the data set is called in messages.
    """

    def __init__(self, selection: Selection, name: str) -> None:
        self._selection = selection
        self._name = name
        self._filter: Optional[Filter] = None
        if selection.where is not None:
            self._filter = Filter(parse_condition(selection.where), name)
        self._edges = {column: np.array(edges) for column, edges in selection.bins}
        self._index: Dict[SliceKey, int] = {}

    @property
    def columns(self) -> Tuple[str, ...]:
        """The columns that it reads, each once."""
        asked = () if self._filter is None else self._filter.condition.columns
        return tuple(dict.fromkeys(asked + self._selection.by))

    @property
    def keys(self) -> Tuple[SliceKey, ...]:
        """The slices that have been met, in the order of their codes."""
        return tuple(self._index)

    def check(self, names: Iterable[str]) -> None:
        """Refuse data without a column that is asked for.

        Args:
            names: the columns that there are.

        Raises:
            DataError: with the columns, and the one that may be meant.
        """
        there = tuple(names)
        for column in self.columns:
            if column not in there:
                key = "by" if column in self._selection.by else "where"
                raise DataError(
                    f"{self._name} has no column '{column}' ('{key}')."
                    f"{did_you_mean(column, there)} Its columns: {', '.join(there)}"
                )

    def codes(self, batch: Batch) -> Tuple[Codes, List[SliceKey]]:
        """The slice of each row, as an index into ``keys``.

        Returns:
            The codes, shape ``(rows,)``, −1 where the condition is not kept; and the
            slices that no batch had before. Codes stay what they are.

        Raises:
            DataError: a column is not there or is not of the type that is asked for, or
                there are more than ``MOST_SLICES`` slices.
        """
        self.check(batch.names)
        kept = self._kept(batch)
        columns = [self._labels(batch, column).take(kept) for column in self._by]
        members, places = _distinct_rows(columns, len(kept))
        keys = [tuple(_label(column, row) for column in columns) for row in members]
        new = self._note(keys)
        codes = np.full(batch.rows, -1, dtype=np.int64)
        index = np.array([self._index[key] for key in keys], dtype=np.int64)
        codes[kept] = index[places]
        return codes, new

    @property
    def _by(self) -> Tuple[str, ...]:
        return self._selection.by

    def _kept(self, batch: Batch) -> Codes:
        """The numbers of the rows that keep the condition."""
        if self._filter is None:
            return np.arange(batch.rows)
        return np.flatnonzero(self._filter.kept(batch))

    def _labels(self, batch: Batch, column: str) -> Labels:
        edges = self._edges.get(column)
        if edges is None:
            return batch.labels(column)
        numbers = batch.numbers(column)
        bins = np.searchsorted(edges, numbers, side="right")
        codes = np.where(np.isnan(numbers), -1, bins)
        return Labels(codes, bin_names(edges.tolist()))

    def _note(self, keys: Sequence[SliceKey]) -> List[SliceKey]:
        new = [key for key in keys if key not in self._index]
        for key in new:
            self._index[key] = len(self._index)
        if len(self._index) > MOST_SLICES:
            raise DataError(self._too_many())
        return new

    def _too_many(self) -> str:
        met = [len({key[i] for key in self._index}) for i in range(len(self._by))]
        most = max(met)
        column = self._by[met.index(most)]
        return (
            f"{self._name}: there are more than {MOST_SLICES} slices by "
            f"{', '.join(self._by)}, and column '{column}' alone has {most} values or "
            "more; cut it with 'bins', choose rows with 'where', or leave it out"
        )


def split_tables(
    kind: TableKind,
    rows: Union[JudgedRows, PairedRows],
    codes: Codes,
    keys: Sequence[SliceKey],
) -> Slices:
    """A table a slice, as ``kind.build`` makes it of the slice's own rows.

    Args:
        codes: the slice of each row, an index into ``keys``; rows of −1 count nowhere.
        keys: the slices; those without rows are left out.
    """
    counts = np.bincount(codes[codes >= 0], minlength=len(keys))
    present = np.flatnonzero(counts)
    if kind.split is not None:
        # Only slices that occur: a batch may have few of many.
        place = np.full(len(keys) + 1, -1, dtype=np.int64)
        place[present] = np.arange(len(present))
        tables = kind.split(rows, place[codes], len(present))
    else:
        order = np.argsort(codes.astype(_narrow(len(keys))), kind="stable")
        ordered = order[len(codes) - counts.sum() :]
        parts = np.split(ordered, np.cumsum(counts[present])[:-1])
        tables = [_built(kind, rows, part) for part in parts[: len(present)]]
    return Slices({keys[i]: table for i, table in zip(present.tolist(), tables)})


def _built(kind: TableKind, rows: Union[JudgedRows, PairedRows], part: Codes) -> Table:
    try:
        return kind.build(rows.take(part))
    except RowsError as error:
        raise error.among(part.tolist()) from error


def _narrow(size: int) -> type:
    """A type for numbers below *size*: numpy sorts small ones in one pass."""
    return np.int16 if size <= 2**15 else np.int64


def _distinct_rows(columns: Sequence[Labels], rows: int) -> Tuple[Codes, Codes]:
    """A row of each combination of labels, and each row's place among them."""
    members, places = _distinct(np.zeros(rows, dtype=np.int64), 1)
    for column in columns:
        width = len(column.categories) + 1
        # The first number of each combination is for missing labels.
        cells = places * width + column.codes + 1
        members, places = _distinct(cells, len(members) * width)
    return members, places


def _distinct(cells: Codes, size: int) -> Tuple[Codes, Codes]:
    """A row of each distinct cell below *size*, and each row's place among them."""
    if size > _DENSE:
        _, members, places = np.unique(cells, return_index=True, return_inverse=True)
        return members, places
    row_of = np.full(size, -1, dtype=np.int64)
    row_of[cells] = np.arange(len(cells))
    used = row_of >= 0
    return row_of[used], (np.cumsum(used) - 1)[cells]


def _label(column: Labels, row: int) -> Optional[Union[str, int, float]]:
    code = column.codes[row]
    return None if code < 0 else canonical(column.categories[code])

"""Columns cut into parts, by what the first rows of the data show."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Dict, Iterable, List, Optional, Tuple, Union

import numpy as np

from pytest_mlops.core.condition_tree import (
    Comparator,
    Comparison,
    Condition,
    Missing,
)
from pytest_mlops.core.rows import Batch, Label
from pytest_mlops.errors import DataError
from pytest_mlops.evidence.labels import label_order

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Codes, Floats

#: So many rows are looked at; more of them move a quantile by less than 0.2 %.
FIRST_ROWS = 2**16

#: A column of more values than this is cut at quantiles, or is not looked into.
MOST_VALUES = 30

#: The parts of a numeric column hold about as many rows each.
_QUANTILES = (0.2, 0.4, 0.6, 0.8)

#: An edge is written with as few digits as keep it apart from the next.
_DIGITS = (3, 4, 6, 9, 17)


@dataclass(frozen=True)
class Cut:
    """One column in parts; beside them, its missing and its unforeseen values.

    Attributes:
        column: its name.
        edges: where a numeric column is cut; a part holds its lower edge.
        values: else the values that are a part each.
    """

    column: str
    edges: Tuple[float, ...] = ()
    values: Tuple[Label, ...] = ()

    @property
    def parts(self) -> int:
        """How many there are, the missing values' one included."""
        return (len(self.edges) + 1 if self.edges else len(self.values)) + 1

    @property
    def size(self) -> int:
        """How many codes there are: one more, of values that nobody foresaw."""
        return self.parts + 1

    def codes(self, batch: Batch) -> Codes:
        """The part of each row, shape ``(rows,)``; the last code is no part."""
        if self.edges:
            numbers = batch.numbers(self.column)
            found = np.searchsorted(np.array(self.edges), numbers, side="right")
            return np.where(np.isnan(numbers), self.parts - 1, found)
        places = {value: place for place, value in enumerate(self.values)}
        labels = batch.labels(self.column)
        known = [places.get(label, self.parts) for label in labels.categories]
        # One more at the end, for the code -1 of missing values.
        return np.array([*known, self.parts - 1], dtype=np.int64)[labels.codes]

    def conditions(self, part: int) -> Tuple[Condition, ...]:
        """What is true of the rows of a part."""
        if part == self.parts - 1:
            return (Missing(self.column),)
        if not self.edges:
            return (Comparison(self.column, Comparator.EQUAL, self.values[part]),)
        from_, below = Comparator.AT_LEAST, Comparator.BELOW
        found = []
        if part > 0:
            found.append(Comparison(self.column, from_, self.edges[part - 1]))
        if part < len(self.edges):
            found.append(Comparison(self.column, below, self.edges[part]))
        return tuple(found)


@dataclass(frozen=True)
class FirstLook:
    """How the columns are cut, and why some are not.

    Attributes:
        cuts: one a column.
        skipped: the reason, by column.
    """

    cuts: Tuple[Cut, ...]
    skipped: Dict[str, str] = field(default_factory=dict)


def first_look(batches: Iterable[Batch], columns: Iterable[str]) -> FirstLook:
    """Look at the first rows.

    Args:
        batches: from the first; no more are taken than it needs.
        columns: those that may be cut.
    """
    taken, rows = [], 0
    for batch in batches:
        taken.append(batch)
        rows += batch.rows
        if rows >= FIRST_ROWS:
            break
    cuts: List[Cut] = []
    skipped: Dict[str, str] = {}
    for column in columns:
        found = _cut(column, taken)
        if isinstance(found, Cut):
            cuts.append(found)
        else:
            skipped[column] = found
    return FirstLook(tuple(cuts), skipped)


def _cut(column: str, batches: List[Batch]) -> Union[Cut, str]:
    """A cut, or why there is none."""
    try:
        labels = [batch.labels(column) for batch in batches]
    except DataError as error:
        return str(error)
    values = {value for part in labels for value in part.categories}
    missing = any((part.codes < 0).any() for part in labels)
    if len(values) + missing < 2:
        return "all of its rows are the same"
    if len(values) <= MOST_VALUES:
        return Cut(column, values=tuple(sorted(values, key=label_order)))
    numbers = _numbers(column, batches)
    if numbers is None:
        return f"it has {len(values):,} values or more"
    edges = _edges(numbers)
    return Cut(column, edges) if edges else "nearly all of its rows are the same"


def _numbers(column: str, batches: List[Batch]) -> Optional[Floats]:
    try:
        numbers = np.concatenate([batch.numbers(column) for batch in batches])
    except DataError:
        return None
    finite: Floats = numbers[np.isfinite(numbers)]
    return finite


def _edges(numbers: Floats) -> Tuple[float, ...]:
    """Quantiles, rounded; none that would leave an empty part below it."""
    exact = sorted({q for q in np.quantile(numbers, _QUANTILES).tolist()})
    for digits in _DIGITS:
        rounded = sorted({float(f"{edge:.{digits}g}") for edge in exact})
        if len(rounded) == len(exact):
            break
    least = numbers.min()
    return tuple(edge for edge in rounded if edge > least)

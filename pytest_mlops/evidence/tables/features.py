"""A profile of a data set: how the values of each column are distributed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Dict, Mapping, Optional, Union

import numpy as np

from pytest_mlops.core.rows import Labels
from pytest_mlops.evidence.tables.category_counts import CategoryCounts
from pytest_mlops.evidence.tables.number_counts import NumberCounts

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Floats

#: A column's values: numbers, labels, or None for what is neither, such as dates.
Values = Union["Floats", Labels, None]


class ColumnType(str, Enum):
    """What a column holds."""

    NUMBER = "number"
    TEXT = "text"
    MIXED = "mixed"
    OTHER = "other"
    EMPTY = "empty"


_NO_NUMBERS = NumberCounts.of(np.empty(0))
_NO_CATEGORIES = CategoryCounts({})


@dataclass(frozen=True)
class FeatureColumn:
    """The values of one column that are not missing.

    Attributes:
        numbers: those that are numbers.
        categories: those that are texts.
        others: how many are neither.
    """

    numbers: NumberCounts = _NO_NUMBERS
    categories: CategoryCounts = _NO_CATEGORIES
    others: int = 0

    @classmethod
    def of(cls, values: Values, rows: int) -> FeatureColumn:
        """The column of a batch of so many rows."""
        if values is None:
            return cls(others=rows)
        if isinstance(values, Labels):
            return cls(categories=CategoryCounts.of(values))
        return cls(numbers=NumberCounts.of(values))

    @property
    def present(self) -> int:
        """How many values are not missing."""
        return self.numbers.rows + self.categories.rows + self.others

    @property
    def type(self) -> ColumnType:
        """What the values are."""
        kinds = {
            ColumnType.NUMBER: self.numbers.rows,
            ColumnType.TEXT: self.categories.rows,
            ColumnType.OTHER: self.others,
        }
        found = [kind for kind, rows in kinds.items() if rows]
        if len(found) > 1:
            return ColumnType.MIXED
        return found[0] if found else ColumnType.EMPTY

    def merge(self, other: FeatureColumn) -> FeatureColumn:
        """Both columns' rows."""
        return FeatureColumn(
            self.numbers.merge(other.numbers),
            self.categories.merge(other.categories),
            self.others + other.others,
        )

    def to_json(self) -> Dict[str, Any]:
        """Plain JSON, exact; without what is empty."""
        data: Dict[str, Any] = {}
        if self.numbers.rows:
            data["numbers"] = self.numbers.to_json()
        if self.categories.rows:
            data["categories"] = self.categories.to_json()
        if self.others:
            data["others"] = self.others
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> FeatureColumn:
        """Read ``to_json`` back; raises KeyError, TypeError or ValueError."""
        numbers, categories = data.get("numbers"), data.get("categories")
        return cls(
            NumberCounts.from_json(numbers) if numbers else _NO_NUMBERS,
            CategoryCounts.from_json(categories) if categories else _NO_CATEGORIES,
            int(data.get("others", 0)),
        )


@dataclass(frozen=True)
class FeatureTable:
    """The profile of a data set.

    Attributes:
        rows: how many rows.
        columns: by name. What of ``rows`` a column does not count is missing there.
    """

    rows: int
    columns: Mapping[str, FeatureColumn]

    @classmethod
    def of(cls, values: Mapping[str, Values], rows: int) -> FeatureTable:
        """The profile of a batch.

        Args:
            values: columns by name, each of the shape ``(rows,)``.
            rows: how many rows.
        """
        return cls(rows, {n: FeatureColumn.of(v, rows) for n, v in values.items()})

    def missing(self, name: str) -> int:
        """How many values of a column are missing."""
        return self.rows - self.columns[name].present

    def without(self, *names: Optional[str]) -> FeatureTable:
        """The same profile without some columns."""
        kept = {n: c for n, c in self.columns.items() if n not in names}
        return FeatureTable(self.rows, kept)

    def merge(self, other: FeatureTable) -> FeatureTable:
        """Both tables' rows; a column that one of them lacks is missing in its rows."""
        none = FeatureColumn()
        names = dict.fromkeys((*self.columns, *other.columns))
        return FeatureTable(
            self.rows + other.rows,
            {
                name: self.columns.get(name, none).merge(other.columns.get(name, none))
                for name in names
            },
        )

    def to_json(self) -> Dict[str, Any]:
        """Plain JSON, exact."""
        columns = {name: column.to_json() for name, column in self.columns.items()}
        return {"rows": self.rows, "columns": columns}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> FeatureTable:
        """Read ``to_json`` back; raises KeyError, TypeError or ValueError."""
        columns = {
            str(name): FeatureColumn.from_json(column)
            for name, column in data["columns"].items()
        }
        table = cls(int(data["rows"]), columns)
        if any(table.missing(name) < 0 for name in columns):
            raise ValueError("a column has more values than there are rows")
        return table

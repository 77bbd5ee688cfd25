"""Slices: one table a slice, of the rows that a selection chooses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, Mapping, Tuple

from pytest_mlops.core.metrics import Table, TableKind
from pytest_mlops.core.selection import SliceKey
from pytest_mlops.evidence.labels import label_order


@dataclass(frozen=True, eq=False)
class Slices:
    """Tables of one kind by slice; slices without rows are absent.

    Attributes:
        tables: by the values of the selection's columns; with no such column there is
            one slice, of all rows that keep its condition, under ``()``.
    """

    tables: Mapping[SliceKey, Table]

    def merge(self, other: Slices) -> Slices:
        """The slices of both tables' rows."""
        merged: Dict[SliceKey, Table] = dict(self.tables)
        for key, table in other.tables.items():
            merged[key] = merged[key].merge(table) if key in merged else table
        return Slices(merged)

    @property
    def ordered(self) -> Tuple[SliceKey, ...]:
        """The slices in the order of their values; missing ones last."""
        return tuple(sorted(self.tables, key=_order))

    def to_json(self) -> Dict[str, Any]:
        """A list of slices, each with its values and its table."""
        return {
            "slices": [
                {"values": list(key), "table": self.tables[key].to_json()}
                for key in self.ordered
            ]
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], kind: TableKind) -> Slices:
        """Read ``to_json`` back; raises KeyError, TypeError or ValueError."""
        return cls(
            {
                tuple(one["values"]): kind.from_json(one["table"])
                for one in data["slices"]
            }
        )


def _order(key: SliceKey) -> Tuple[Any, ...]:
    return tuple((label is None, label_order(label or 0)) for label in key)

"""Columns as slices: a rule about columns, each of them a check of its own."""

from __future__ import annotations

from typing import Tuple

from pytest_mlops.core.condition_tree import OneOf
from pytest_mlops.core.conditions import parse_condition
from pytest_mlops.core.selection import Selection

#: The one key of the slices.
COLUMN = "column"


def over_columns(names: Tuple[str, ...]) -> Selection:
    """Some columns, or every one, as a selection: ``column in ('age', 'income')``."""
    where = str(OneOf(COLUMN, names)) if names else None
    return Selection(where=where, by=(COLUMN,))


def named_columns(selection: Selection) -> Tuple[str, ...]:
    """The columns of ``over_columns``; none where it means every one.

    Raises:
        ValueError: the selection is none of columns.
    """
    if selection.by != (COLUMN,):
        raise ValueError("it is no selection of columns")
    if selection.where is None:
        return ()
    condition = parse_condition(selection.where)
    if not isinstance(condition, OneOf) or condition.column != COLUMN:
        raise ValueError("it is no selection of columns")
    return tuple(map(str, condition.values))

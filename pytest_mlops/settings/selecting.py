"""Read which rows a gate is about: ``where``, ``by``, ``bins`` and ``min_rows``."""

from __future__ import annotations

from typing import Optional

from pytest_mlops.core.conditions import parse_condition
from pytest_mlops.core.metrics import Metric
from pytest_mlops.core.selection import Selection
from pytest_mlops.core.suggestions import unknown
from pytest_mlops.settings.gates_keys import BINS, BY, MIN_ROWS, WHERE
from pytest_mlops.settings.reader import Section


def read_selection(section: Section, metric: Metric) -> Selection:
    """The rows that a gate's table chooses; mistakes go to the section."""
    by, bins = section.get(BY), section.get(BINS)
    for column in bins:
        if column not in by:
            section.problem(f"'bins': {unknown('column of by', column, by)}")
    if section.get(MIN_ROWS) and not by and section.given(WHERE) is None:
        section.problem("'min_rows' needs 'by' or 'where' beside it")
    if metric.across and not by:
        section.problem(
            f"'{metric.name}' compares slices: it needs 'by', such as by = ['region']"
        )
    return Selection(_read_condition(section), by, tuple(sorted(bins.items())))


def _read_condition(section: Section) -> Optional[str]:
    written = section.given(WHERE)
    if written is None:
        return None
    try:
        return str(parse_condition(written))
    except ValueError as error:
        section.problem(f"'where': {error}")
        return None

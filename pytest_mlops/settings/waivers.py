"""Read ``[[waivers]]``: failures that somebody answers for, until a date."""

from __future__ import annotations

from datetime import date
from typing import Collection, Dict, Mapping, Sequence, Tuple

from pytest_mlops.core.checks import Waiver
from pytest_mlops.core.rows import Label
from pytest_mlops.core.suggestions import unknown
from pytest_mlops.settings.gates_keys import (
    CHECK,
    EXPIRES,
    OWNER,
    REASON,
    SLICE,
    WAIVER_KEYS,
    Table,
)
from pytest_mlops.settings.kinds import LABEL
from pytest_mlops.settings.reader import Problems, Section


def read_waivers(
    written: Sequence[Table],
    checks: Mapping[str, Collection[str]],
    today: date,
    problems: Problems,
) -> Tuple[Waiver, ...]:
    """Read the waivers; mistakes go to *problems*, tables counted from 1.

    Args:
        written: the tables.
        checks: the gates that may be waived, each with the columns that it is cut by.
            A node id (with ``::``) is taken on trust: no test is collected yet.
        today: a waiver that expires before is a mistake.
        problems: where mistakes are noted.
    """
    return tuple(
        _read(Section(table, WAIVER_KEYS, problems, f"waivers.{count}"), checks, today)
        for count, table in enumerate(written, 1)
    )


def _read(
    section: Section, checks: Mapping[str, Collection[str]], today: date
) -> Waiver:
    waiver = Waiver(
        check=section.get(CHECK),
        reason=section.get(REASON),
        owner=section.get(OWNER),
        expires=section.get(EXPIRES),
        slice=_slice(section),
    )
    if waiver.check and waiver.check not in checks and "::" not in waiver.check:
        section.problem(unknown("check", waiver.check, checks))
    for column in waiver.slice:
        if column not in checks.get(waiver.check, waiver.slice):
            section.problem(
                f"the gate '{waiver.check}' has no slices by '{column}': leave 'slice' "
                "out, or name columns of its 'by'"
            )
    if waiver.expires < today:
        section.problem(
            f"expired on {waiver.expires.isoformat()}: remove it, or agree on a new "
            f"date with {waiver.owner or 'its owner'}"
        )
    return waiver


def _slice(section: Section) -> Dict[str, Label]:
    labels: Dict[str, Label] = {}
    for column, value in section.get(SLICE).items():
        label = LABEL.read(value)
        if label is None:
            section.problem(LABEL.complaint(f"slice.{column}", value))
        else:
            labels[column] = label
    return labels

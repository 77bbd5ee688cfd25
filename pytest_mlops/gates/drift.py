"""Hold the drift of every column against a rule: a check a column."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Dict, List, Mapping, Optional, Tuple

from pytest_mlops.core.checks import Check, Policy
from pytest_mlops.core.columns import COLUMN, named_columns
from pytest_mlops.core.metrics import Estimate
from pytest_mlops.core.outcomes import Action, Outcome
from pytest_mlops.evidence.drift.cells import ColumnPair
from pytest_mlops.evidence.drift.metrics import ABOUT
from pytest_mlops.evidence.metrics.estimates import undefined
from pytest_mlops.evidence.tables.features import ColumnType, FeatureTable
from pytest_mlops.gates.decide import Figures
from pytest_mlops.gates.estimates import estimate_from
from pytest_mlops.gates.judge import gate_check, judge_slices
from pytest_mlops.settings.values import Gate

#: What a check of drift is called beside gates and tests.
KIND = "drift"

#: Reasons of a failed check that no figure shows.
COLUMN_MISSING, TYPE_CHANGED = "column_missing", "type_changed"


@dataclass(frozen=True)
class Profiles:
    """What drift is measured between.

    Attributes:
        reference: the columns as they were.
        current: the columns as they are.
        unmeasured: columns that could not be had now, with the reason.
    """

    reference: FeatureTable
    current: FeatureTable
    unmeasured: Mapping[str, str] = field(default_factory=dict)


def judge_drift(
    gate: Gate, profiles: Profiles, policy: Policy, *, node_id: str
) -> Tuple[Check, ...]:
    """Judge a rule of ``[drift]``, a check a column.

    Where intervals decide, a column fails only if it still does after Holm's correction
    for all columns of the rule. A column that is gone or has changed its type fails in
    any case.
    """
    broken: Dict[str, Check] = {}
    measured: List[Tuple[Dict[str, str], Figures]] = []
    names = _columns(gate, profiles)
    for name in names:
        check = _broken(gate, profiles, name, node_id)
        if check is not None:
            broken[name] = replace(check, slice={COLUMN: name})
        else:
            estimate = _estimate(gate, profiles, name)
            measured.append(({COLUMN: name}, Figures(estimate)))
    judged = judge_slices(gate, measured, policy, node_id=node_id)
    by_name = {**broken, **{str(check.slice[COLUMN]): check for check in judged}}
    checks = [by_name[name] for name in names] or [_nothing(gate, node_id)]
    return tuple(as_drift(check) for check in checks)


def as_drift(check: Check) -> Check:
    """The check, as one of drift: what has drifted asks for a new model.

    A column that is gone or of another type is a broken feed, which no model mends. How
    many rows would settle a check is not told: the reference does not grow with them.
    """
    feed = check.reason in (COLUMN_MISSING, TYPE_CHANGED)
    asked = Action.HOLD if feed else Action.RETRAIN
    return replace(check, kind=KIND, on_fail=asked, rows_needed=None)


def unjudged(profiles: Profiles) -> Tuple[str, ...]:
    """Columns of the current data that the reference does not have."""
    return tuple(
        n for n in profiles.current.columns if n not in profiles.reference.columns
    )


def _columns(gate: Gate, profiles: Profiles) -> Tuple[str, ...]:
    """The columns that a rule names; else all that its metric can be asked of."""
    named = named_columns(gate.selection)
    if named:
        return named
    about = ABOUT.get(gate.metric.name)
    return tuple(
        name
        for name, column in profiles.reference.columns.items()
        if column.type is not ColumnType.OTHER
        and (about is None or column.type in (about, ColumnType.MIXED))
    )


def _broken(gate: Gate, profiles: Profiles, name: str, node_id: str) -> Optional[Check]:
    """The check of a column that cannot be compared; None where it can."""
    if name in profiles.unmeasured:
        reason = profiles.unmeasured[name]
        return gate_check(gate, node_id, Outcome.ERROR, "instrument", reason)
    if name not in profiles.reference.columns:
        return None
    if name not in profiles.current.columns:
        why = "the current data do not have this column"
        return gate_check(gate, node_id, Outcome.FAIL, COLUMN_MISSING, why)
    before = profiles.reference.columns[name].type
    now = profiles.current.columns[name].type
    if _compatible(before, now):
        return None
    why = f"it held {_WORDS[before]} in the reference, and holds {_WORDS[now]} now"
    return gate_check(gate, node_id, Outcome.FAIL, TYPE_CHANGED, why)


_WORDS = {
    ColumnType.NUMBER: "numbers",
    ColumnType.TEXT: "texts",
    ColumnType.MIXED: "numbers and texts",
    ColumnType.OTHER: "neither numbers nor texts",
    ColumnType.EMPTY: "nothing",
}


def _compatible(before: ColumnType, now: ColumnType) -> bool:
    if ColumnType.EMPTY in (before, now) or before is now:
        return True
    return before is ColumnType.MIXED and now is not ColumnType.OTHER


def _estimate(gate: Gate, profiles: Profiles, name: str) -> Estimate:
    rows = profiles.current.rows
    if name not in profiles.reference.columns:
        return undefined(rows, "the reference does not have this column")
    pair = ColumnPair.of(profiles.reference, profiles.current, name)
    if pair.reference.type is ColumnType.OTHER:
        return undefined(rows, "it holds neither numbers nor texts")
    return estimate_from(gate.metric, pair, gate.options)


def _nothing(gate: Gate, node_id: str) -> Check:
    about = ABOUT.get(gate.metric.name)
    kind = f"column of {_WORDS[about]}" if about else "column"
    why = f"the reference has no {kind} to judge"
    return gate_check(gate, node_id, Outcome.INCONCLUSIVE, "no_columns", why)

"""Verify a verdict: is every figure what its evidence says, and all that follows?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Iterator, List, Sequence, Tuple

from pytest_mlops.core.checks import Check
from pytest_mlops.core.outcomes import Action, Outcome
from pytest_mlops.core.verdicts import Conclusion, Verdict
from pytest_mlops.evidence.tables import PROFILE
from pytest_mlops.gates.drift import COLUMN_MISSING, TYPE_CHANGED
from pytest_mlops.gates.measure import model_name
from pytest_mlops.reporting.sentences import rows_chosen
from pytest_mlops.workflow.rejudging import again, all_believed, by_gate
from pytest_mlops.workflow.stored import Stored

#: Two computations of the same figure may differ by this much.
TOLERANCE = 1e-9

#: Reasons of failed checks that no figure shows.
_WITHOUT_VALUE = ("baseline_missing", COLUMN_MISSING, TYPE_CHANGED)


@dataclass(frozen=True)
class Verification:
    """What recomputing a verdict showed.

    Attributes:
        recomputed: how many checks were computed again from the evidence.
        taken: checks whose figures had to be believed, with the reason.
        differences: what does not hold, a line each; empty for a sound verdict.
    """

    recomputed: int
    taken: Sequence[str]
    differences: Sequence[str]


def verify(verdict: Verdict, stored: Stored) -> Verification:
    """Recompute every check of a verdict from its evidence.

    Values and interval ends must agree to 1e-9, outcomes and what follows exactly. A
    figure that no evidence is kept for has to be believed; its outcome has not.

    Raises:
        VerdictError: a check is not of the form that a verdict has.
    """
    recomputed, taken = 0, []
    differences: List[str] = []
    for checks in by_gate(verdict.checks):
        reason = all_believed(checks, stored)
        if reason is None:
            recomputed += len(checks)
        else:
            taken += [f"{_name(check)}: {reason}" for check in checks]
        if reason is None or any(check.value is not None for check in checks):
            found = again(checks, verdict.policy, stored)
            differences += _all_differences(checks, found)
    differences += [*_forged(verdict, stored), *_conclusions(verdict)]
    return Verification(recomputed, taken, differences)


def _all_differences(told: Sequence[Check], found: Sequence[Check]) -> Iterator[str]:
    """What differs between the checks of a gate as told and as recomputed."""
    by_slice = {tuple(check.slice.values()): check for check in found}
    for check in told:
        twin = by_slice.pop(tuple(check.slice.values()), None)
        if twin is None:
            yield f"{_name(check)}: there is no such slice in the evidence"
        else:
            yield from _differences(check, twin)
    for check in by_slice.values():
        yield f"{_name(check)}: the slice was judged and is left out of the verdict"


def _name(check: Check) -> str:
    chosen = rows_chosen(check)
    return f"{check.name} [{chosen}]" if chosen else check.name


def _differences(told: Check, found: Check) -> List[str]:
    pairs: List[Tuple[str, Any, Any]] = [
        ("outcome", told.outcome.value, found.outcome.value),
        ("reason", told.reason, found.reason),
        ("value", told.value, found.value),
        ("baseline_value", told.baseline_value, found.baseline_value),
        ("rows", told.rows, found.rows),
        ("method", told.method, found.method),
        ("threshold", told.threshold, found.threshold),
        ("error_bound", told.error_bound, found.error_bound),
        ("difference", told.difference, found.difference),
        ("flags", list(told.flags), list(found.flags)),
        ("rows_needed", told.rows_needed, found.rows_needed),
        ("p_value", told.p_value, found.p_value),
        ("p_adjusted", told.p_adjusted, found.p_adjusted),
    ]
    for end in (0, 1):
        ends = [
            check.interval[end] if check.interval else None for check in (told, found)
        ]
        pairs.append((f"interval[{end}]", ends[0], ends[1]))
    return [
        f"{_name(told)}: {name} is {before!r} in the verdict and {after!r} by its "
        "evidence"
        for name, before, after in pairs
        if not _same(before, after)
    ]


def _same(before: Any, after: Any) -> bool:
    if isinstance(before, (int, float)) and isinstance(after, (int, float)):
        return math.isclose(before, after, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    if isinstance(before, list) and isinstance(after, list):
        return len(before) == len(after) and all(map(_same, before, after))
    return bool(before == after)


def _forged(verdict: Verdict, stored: Stored) -> Iterator[str]:
    """What no run writes."""
    for check in verdict.checks:
        undecided = check.outcome in (Outcome.INCONCLUSIVE, Outcome.ERROR)
        excused = undecided or check.reason in _WITHOUT_VALUE
        if check.metric is not None and check.value is None and not excused:
            yield f"{check.name}: it is {check.outcome.value} and has no value"
        unknown = check.metric is not None and stored.metric(check) is None
        if unknown and check.value is not None and stored.is_all_known:
            yield (
                f"{check.name}: nothing in the evidence could have given "
                f"'{check.metric}'"
            )
        if check.waived and str(check.waived.get("expires")) < verdict.created[:10]:
            yield f"{check.name}: its waiver had expired"
    models = [verdict.subject, verdict.baseline]
    for evidence in stored.evidence:
        # Drift has a reference, which is part of its question, and no baseline.
        beside = models[:1] + [None] if evidence.kept(PROFILE) else models
        if evidence.key != evidence.expected_key([model_name(m) for m in beside]):
            yield "the evidence is not about this model, this baseline and this data"


def _conclusions(verdict: Verdict) -> List[str]:
    """What the checks, taken as they are, do not bear out."""
    told = Conclusion(verdict.outcome, verdict.action, verdict.exit_code)
    borne = Conclusion.of(verdict.checks, verdict.policy, partial=verdict.partial)
    found: List[Tuple[str, Any, Any]] = [
        ("outcome", told.outcome.value, borne.outcome.value),
    ]
    # Something outside of the checks may end a run badly, and then it holds.
    if told.action is not Action.HOLD or told.exit_code == 0:
        found.append(("action", told.action.value, borne.action.value))
    if told.exit_code == 0:  # another code may also come from outside of the checks
        found.append(("exit_code", told.exit_code, borne.exit_code))
    return [
        f"{name} is {before!r} in the verdict and {after!r} by its checks"
        for name, before, after in found
        if before != after
    ]

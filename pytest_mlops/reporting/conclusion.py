"""What a run came to, and what that means, in a line."""

from __future__ import annotations

from typing import List, Sequence

from pytest_mlops.core.checks import Check
from pytest_mlops.core.outcomes import Action, Decide, OnInconclusive, Outcome
from pytest_mlops.core.verdicts import Verdict
from pytest_mlops.reporting.figures import figure

#: The style of an action.
ACTION_STYLES = {
    Action.PROMOTE: "good",
    Action.KEEP: "good",
    Action.HOLD: "warn",
    Action.RETRAIN: "warn",
    Action.BLOCK: "bad",
    Action.ROLL_BACK: "bad",
}

_MEANINGS = {
    Action.PROMOTE: "this model may be promoted",
    Action.KEEP: "what runs may stay",
    Action.HOLD: "nothing is decided",
    Action.BLOCK: "this model must not be promoted",
    Action.ROLL_BACK: "the last good revision must come back",
    Action.RETRAIN: "a new model must be trained",
}

_UNDECIDED = {
    OnInconclusive.HOLD: "holds",
    OnInconclusive.FAIL: "fails",
    OnInconclusive.WARN: "only warns",
    OnInconclusive.PASS: "passes",
}


def conclusion(verdict: Verdict) -> str:
    """``BLOCK: 2 of 7 gates failed: this model must not be promoted.``"""
    found = ", ".join(findings(verdict))
    return f"{action_words(verdict.action)}: {found}: {_meaning(verdict)}."


def closing_line(verdict: Verdict, judged: int, total: int) -> str:
    """The run's last line.

    Args:
        verdict: what the run came to.
        judged: how many items came to a result.
        total: how many items the whole suite has.
    """
    action = verdict.action.value.replace("_", " ")
    line = (
        f"pytest-mlops: {verdict.outcome.value.upper()}, {action} "
        f"(exit {verdict.exit_code})"
    )
    if not verdict.partial:
        return line
    # A test that was left out may not even have been counted.
    left = f"{judged} of {total} gates ran" if judged < total else "not all gates ran"
    return f"{line}, partial: {left}; a partial run never promotes"


def findings(verdict: Verdict) -> List[str]:
    """What came out, a clause each: ``2 of 7 gates failed``, ``1 is undecided``."""
    checks = verdict.checks
    if not checks:
        return ["nothing was judged"]
    clauses = [
        *_clauses(checks, Outcome.FAIL, "failed"),
        *_clauses(checks, Outcome.ERROR, "could not be measured"),
        *_undecided(checks),
        *_waived(checks),
    ]
    if not clauses:
        every = f"every {_noun(checks, 1)} passed"
        return [f"{every} ({len(checks)} of {len(checks)})"]
    number, rest = clauses[0].split(" ", 1)
    whole = f"{number} of {len(checks)} {_noun(checks, len(checks))} {rest}"
    return [whole, *clauses[1:]]


def policy_words(verdict: Verdict) -> str:
    """``production: decided by 95 % intervals, undecided holds``."""
    policy = verdict.policy
    parts = [
        (
            f"decided by {confidence_words(policy.confidence)} intervals"
            if policy.decide is Decide.CONFIDENT
            else "decided by the value alone"
        ),
        f"undecided {_UNDECIDED[policy.on_inconclusive]}",
    ]
    if policy.margin:
        parts.append(f"margin {figure(policy.margin)}")
    if not policy.enforce:
        parts.append("nothing is enforced")
    return f"{verdict.environment or 'no environment'}: {', '.join(parts)}"


def action_words(action: Action) -> str:
    """``ROLL BACK``."""
    return action.value.replace("_", " ").upper()


def confidence_words(confidence: float) -> str:
    """``95 %``."""
    return f"{confidence * 100:.6g} %"


def _meaning(verdict: Verdict) -> str:
    if verdict.partial:
        return "only a part of the suite ran, and a partial run never promotes"
    if not verdict.checks:
        return "nothing may act on that"
    bad = any(c.outcome is not Outcome.PASS for c in verdict.checks)
    if not verdict.policy.enforce and bad:
        return "nothing is enforced here (enforce = false), so the model may go on"
    return _MEANINGS[verdict.action]


def _noun(checks: Sequence[Check], number: int) -> str:
    gates = all(check.kind == "gate" and not check.slice for check in checks)
    return ("gate" if gates else "check") + ("" if number == 1 else "s")


def _clauses(checks: Sequence[Check], outcome: Outcome, words: str) -> List[str]:
    number = sum(c.outcome is outcome and not c.waived for c in checks)
    return [f"{number} {words}"] if number else []


def _undecided(checks: Sequence[Check]) -> List[str]:
    clauses = []
    for policy, words in _UNDECIDED.items():
        number = sum(
            c.outcome is Outcome.INCONCLUSIVE
            and not c.waived
            and c.on_inconclusive is policy
            for c in checks
        )
        if number:
            verb = "is" if number == 1 else "are"
            which = "" if policy is OnInconclusive.HOLD else f" ({words})"
            clauses.append(f"{number} {verb} undecided{which}")
    return clauses


def _waived(checks: Sequence[Check]) -> List[str]:
    number = sum(bool(check.waived) for check in checks)
    verb = "is" if number == 1 else "are"
    return [f"{number} {verb} waived"] if number else []

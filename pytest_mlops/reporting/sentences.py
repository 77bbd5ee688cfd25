"""One check in words: what was measured, what the rule is, and why that came out."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional, Sequence

from pytest_mlops.core.checks import Check
from pytest_mlops.core.outcomes import SEVERITY, OnInconclusive, Outcome
from pytest_mlops.core.redaction import redact
from pytest_mlops.core.selection import Selection
from pytest_mlops.reporting.figures import (
    about,
    difference,
    figure,
    interval,
    limits,
    rows_words,
    shortfall,
)

_REASONS: Dict[str, str] = {
    "interval_straddles": "the interval reaches over the limit",
    "within_margin": "it keeps the rule, and the whole interval lies within the margin",
    "no_interval": "there is no interval, which is needed to be certain",
    "undefined": "the metric is undefined on these rows",
    "baseline_undefined": "the metric is undefined on the baseline",
    "baseline_missing": "there is no baseline to compare with",
    "not_significant_after_holm": "it fails only before the correction for the slices",
    "below_min_rows": "too few rows to judge (min_rows)",
    "no_rows": "no row keeps the condition",
    "same_model": "the baseline is this very model",
    "within_error_bound": "the limit lies within the error of the bins",
}

_FLAGS: Dict[str, str] = {
    "low_support": "few rows",
    "heavy_tails": "a few rows far out decide",
    "too_many_labels": "too many labels for an interval",
    "few_groups": "few groups",
    "few_discordant": "few rows on which the models differ",
    "binned": "counted in bins",
    "unweighted": "the weights are not used",
}

_CONSEQUENCES = {
    OnInconclusive.FAIL: "undecided fails here",
    OnInconclusive.WARN: "undecided only warns here",
    OnInconclusive.PASS: "undecided passes here",
}

#: How many checks of one item are told.
_SHOWN_CHECKS = 10

#: Reasons that the message of the check says better.
_SAID_BY_MESSAGE = (
    "undefined",
    "baseline_missing",
    "no_rows",
    "same_model",
    "column_missing",
    "type_changed",
    "no_columns",
)


def check_message(check: Check) -> str:
    """One check in one sentence, without secrets.

    ``check.message`` may hold the detail that no figure shows: why a metric is
    undefined, how an instrument broke. Telling a message again changes nothing.
    """
    if check.metric is None:
        return redact(check.message or f"{check.name}: {check.outcome.value}")
    subject = f"{check.metric}{_where(check)}"
    if check.value is None:
        return redact(_without_value(check, subject))
    parts = [f"{subject} is {_measured(check)}"]
    if check.rule:
        parts.append(f"the rule is {check.rule}")
    parts += [part for part in (why(check), _waiver(check)) if part]
    return redact("; ".join(parts))


def item_message(checks: Sequence[Check]) -> str:
    """The checks of an item, the worst first; of many slices only the first few."""
    worst = sorted(checks, key=lambda check: -SEVERITY.index(check.outcome))
    lines = [check.message for check in worst[:_SHOWN_CHECKS]]
    more = len(checks) - len(lines)
    return "\n".join(lines + ([f"… and {more} more"] if more else []))


def why(check: Check) -> Optional[str]:
    """Why a check came out as it did; None where the figures say it all."""
    words = _REASONS.get(check.reason or "", (check.reason or "").replace("_", " "))
    if check.outcome is Outcome.FAIL and not words:
        missed = shortfall(check)
        return f"missed by {missed}" if missed else None
    if check.outcome is Outcome.INCONCLUSIVE and check.rows_needed:
        return f"{words}; about {about(check.rows_needed)} rows would settle it"
    return words or None


def reason_line(check: Check) -> str:
    """The reason of a check beside a table that already shows its figures."""
    if check.metric is None or check.value is None:
        message = check_message(check)
        known = f"{check.metric}{_where(check)} "
        message = message[len(known) :] if message.startswith(known) else message
        told = [message.replace(f"; the rule is {check.rule}", "")]
    else:
        told = [why(check) or check.outcome.value, _waiver(check) or ""]
    if check.outcome is Outcome.INCONCLUSIVE and not check.waived:
        told.append(_CONSEQUENCES.get(check.on_inconclusive, ""))
    return redact("; ".join(part for part in told if part))


def flag_words(check: Check) -> str:
    """Why the figures of a check may be off: ``few rows (low_support)``."""
    return ", ".join(
        f"{_FLAGS[flag]} ({flag})" if flag in _FLAGS else flag.replace("_", " ")
        for flag in check.flags
    )


def slice_words(selected: Mapping[str, Any]) -> str:
    """A slice: ``region = north, age = 65``."""
    return ", ".join(f"{name} {_told(value)}" for name, value in selected.items())


def _told(value: Any) -> str:
    if value is None:
        return "missing"
    # An outer bin is a comparison already: ">= 65".
    return str(value) if str(value)[:1] in ("<", ">") else f"= {value}"


def rows_chosen(check: Check) -> str:
    """Which rows a check is about: ``region = north; age >= 65``; empty for all."""
    # A rule about columns names them in its condition, and the slice is one of them.
    where = "" if check.kind == "drift" else _condition(check.selection)
    return "; ".join(part for part in (slice_words(check.slice), where) if part)


def _condition(selection: str) -> str:
    try:
        return (selection and Selection.of(selection).where) or ""
    except (ValueError, LookupError, AttributeError, TypeError):
        return selection  # of a verdict that somebody else wrote


def gate_words(check: Check) -> str:
    """A check's name, and its metric where the name does not say it."""
    # A metric of one's own is module:function, and the function says enough.
    metric = (check.metric or "").rpartition(":")[2]
    # A test is named by its node id; whoever reads a table knows the file.
    name = check.name.rpartition("::")[2]
    return name if metric in ("", name) else f"{name} ({metric})"


def _where(check: Check) -> str:
    chosen = rows_chosen(check)
    return f" for {chosen}" if chosen else ""


def _measured(check: Check) -> str:
    assert check.value is not None
    found = figure(check.value, limits(check))
    compared = check.estimand == "difference"
    between = interval(check)
    if between and not compared:
        found += f" {between}"
    if check.rows is not None:
        found += f" on {rows_words(check.rows)}"
    if check.baseline_value is not None:
        found += f", the baseline's {figure(check.baseline_value)}"
    if compared and difference(check):
        found += f", the difference {difference(check)}"
    return found


def _without_value(check: Check, subject: str) -> str:
    broken = check.outcome is Outcome.ERROR
    head = f"{subject} {'could not be measured' if broken else 'has no value'}"
    if check.message.startswith(head):
        return check.message
    if check.rows is not None:
        head += f" on {rows_words(check.rows)}"
    told = broken or check.reason in _SAID_BY_MESSAGE
    detail = (check.message if told else "") or why(check)
    rule = f"the rule is {check.rule}" if check.rule else None
    parts = [f"{head}: {detail}" if detail else head, rule, _waiver(check)]
    return "; ".join(part for part in parts if part)


def _waiver(check: Check) -> Optional[str]:
    if not check.waived:
        return None
    owner, expires = check.waived["owner"], check.waived["expires"]
    return f"waived by {owner} until {expires}: {check.waived['reason']}"

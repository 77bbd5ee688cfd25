"""Judge stored evidence again, by its own rules or by others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import (
    Any,
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    Optional,
    Sequence,
    Tuple,
)

from pytest_mlops.core.checks import Check, Policy, with_waiver
from pytest_mlops.core.metrics import (
    Better,
    Estimate,
    Metric,
    MetricOptions,
)
from pytest_mlops.core.outcomes import OnMissingBaseline, Outcome
from pytest_mlops.core.rules import parse_rule
from pytest_mlops.core.selection import Selection, SliceKey
from pytest_mlops.core.verdicts import Conclusion, Verdict
from pytest_mlops.errors import VerdictError
from pytest_mlops.evidence.tables import LABELS, PROFILE
from pytest_mlops.gates.decide import TOO_FEW, Figures
from pytest_mlops.gates.drift import COLUMN_MISSING, TYPE_CHANGED, judge_drift
from pytest_mlops.gates.judge import (
    gate_check,
    judge_gate,
    missing_baseline,
    same_model,
)
from pytest_mlops.reporting.sentences import check_message
from pytest_mlops.settings.reader import shown_path
from pytest_mlops.settings.selection import registered_name
from pytest_mlops.settings.values import Gate, GatesFile
from pytest_mlops.workflow.stored import Stored

#: Reasons of checks that have no value, and were found by measuring.
_MEASURED = ("undefined", TOO_FEW, COLUMN_MISSING, TYPE_CHANGED)


def judge_again(
    verdict: Verdict, file: GatesFile, stored: Stored, root: Path
) -> Verdict:
    """The stored evidence under other rules.

    The gates are those of *file*. The checks of Python tests are taken over: measured
    comparisons are decided by the policy of *file*, all else stays as it was.

    Raises:
        VerdictError: the rules are about other data than the evidence.
    """
    _same_question(file, stored.question)
    _same_model(file, verdict)
    before = f"{verdict.gates_file}::"
    name = shown_path(file.path.absolute(), root)
    gates = file.gates if "gates" in stored.suites else ()
    drift = file.drift if "drift" in stored.suites else ()
    checks = [
        check
        for gate in (*gates, *drift)
        for check in _fresh(gate, file, verdict, stored, f"{name}::{gate.name}")
    ]
    checks += [
        _taken_over(check, file, stored)
        for check in verdict.checks
        if not check.node_id.startswith(before)
    ]
    conclusion = Conclusion.of(checks, file.policy, partial=verdict.partial)
    return replace(
        verdict,
        outcome=conclusion.outcome,
        action=conclusion.action,
        exit_code=conclusion.exit_code,
        checks=tuple(checks),
        policy=file.policy,
        environment=file.environment,
        gates_file=name,
        gates_digest=file.digest,
        remarks=file.remarks,
    )


def why_believed(check: Check, stored: Stored) -> Optional[str]:
    """Why a check's figures cannot be computed again; None where they can."""
    if check.metric is None:
        return "a plain assertion keeps no evidence"
    if check.value is None and check.reason not in _MEASURED:
        return f"nothing was measured ({check.reason})"
    metric = stored.metric(check)
    if metric is None:
        return f"'{check.metric}' is not a metric that is known here"
    if not metric.kind.recomputable:
        return f"'{check.metric}' keeps no table to compute it from"
    return None


def all_believed(checks: Sequence[Check], stored: Stored) -> Optional[str]:
    """Why none of the checks of a gate can be computed again; None where one can."""
    reasons = [why_believed(check, stored) for check in checks]
    return None if None in reasons else reasons[0]


def again(checks: Sequence[Check], policy: Policy, stored: Stored) -> Tuple[Check, ...]:
    """The checks of one gate, judged once more from the evidence or their own figures.

    Args:
        checks: of one gate or comparison, a check a slice.
        policy: how they are decided.
        stored: the evidence.
    """
    first = checks[0]
    gate = _gate_of(first, stored)
    if all_believed(checks, stored) is None:
        return _judged(gate, policy, stored, first.node_id)
    figures = [(_values(gate, check), _own_figures(check)) for check in checks]
    return judge_gate(gate, figures, policy, node_id=first.node_id)


def by_gate(checks: Iterable[Check]) -> List[List[Check]]:
    """Checks that were judged together, in their order."""
    found: Dict[Any, List[Check]] = {}
    for check in checks:
        about = replace(check, slice={}).identity
        found.setdefault((check.node_id, about), []).append(check)
    return list(found.values())


def _gate_of(check: Check, stored: Stored) -> Gate:
    try:
        rule = parse_rule(str(check.rule))
        selection = Selection.of(check.selection)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise VerdictError(f"the check '{check.name}' is damaged: {error}") from error
    return Gate(
        name=check.name,
        metric=stored.metric(check) or _unknown_metric(check),
        options=_options(check, stored),
        rule=rule,
        margin=check.margin,
        on_inconclusive=check.on_inconclusive,
        on_nothing=check.on_inconclusive,
        selection=selection,
        min_rows=check.min_rows,
    )


def _values(gate: Gate, check: Check) -> SliceKey:
    return tuple(check.slice.get(column) for column in gate.selection.by)


def _judged(
    gate: Gate, policy: Policy, stored: Stored, node_id: str
) -> Tuple[Check, ...]:
    if gate.metric.kind is PROFILE:
        profiles = stored.profiles()
        if profiles is None:
            raise VerdictError("the verdict keeps no profiles to measure drift between")
        return judge_drift(gate, profiles, policy, node_id=node_id)
    figures = stored.figures(gate.metric, gate.options, gate.selection.key)
    if figures is None:
        why = "the verdict keeps no table to compute it from"
        return (gate_check(gate, node_id, Outcome.ERROR, "instrument", why),)
    return judge_gate(gate, figures, policy, node_id=node_id)


def _fresh(
    gate: Gate, file: GatesFile, verdict: Verdict, stored: Stored, node_id: str
) -> Iterator[Check]:
    uncompared = _uncompared(gate, file, verdict, node_id)
    found = (uncompared,) if uncompared else _judged(gate, file.policy, stored, node_id)
    for judged in found:
        check = with_waiver(judged, file.waivers)
        yield replace(check, message=check_message(check))


def _uncompared(
    gate: Gate, file: GatesFile, verdict: Verdict, node_id: str
) -> Optional[Check]:
    """The check of a rule whose baseline is no other model; None if it is one."""
    subject, baseline = verdict.subject, verdict.baseline
    if not gate.rule.needs_baseline or subject is None:
        return None
    if baseline is None:
        on_missing = file.on_missing_baseline
        if on_missing is OnMissingBaseline.FAIL:
            return None
        why = "no baseline was measured"
        return missing_baseline(gate, node_id, on_missing, why)
    digest = subject.model_digest
    if digest is not None and digest == baseline.model_digest:
        return same_model(gate, node_id)
    return None


def _taken_over(check: Check, file: GatesFile, stored: Stored) -> Check:
    check = replace(check, waived=None)
    if check.metric is not None and check.value is not None:
        policy = file.policy
        own = replace(
            check, margin=policy.margin, on_inconclusive=policy.on_inconclusive
        )
        attempts = check.attempts
        check = replace(again([own], policy, stored)[0], attempts=attempts)
        check = replace(check, message=check_message(check))
    return with_waiver(check, file.waivers)


def _own_figures(check: Check) -> Figures:
    """What a check tells of itself, as if it had just been measured."""
    ends = check.interval
    shown = Estimate(
        value=check.value,
        rows=check.rows or 0,
        method=check.method,
        interval=None if ends is None else lambda confidence: ends,
        flags=check.flags,
        error_bound=check.error_bound,
    )
    if check.estimand == "value":
        beside = check.baseline_value
        baseline = None if beside is None else Estimate(beside, 0)
        return Figures(shown, baseline, told=check.p_value)
    compared = replace(shown, value=check.difference)
    value = replace(shown, interval=None, flags=())
    baseline = Estimate(check.baseline_value, 0)
    return Figures(value, baseline, lambda factor: compared, told=check.p_value)


def _unknown_metric(check: Check) -> Metric:
    """A metric that only its own package could compute."""
    return Metric(
        name=str(check.metric),
        title="",
        formula="",
        source="",
        better=Better.NEITHER,
        kind=LABELS,
        estimate=lambda table, options: Estimate(None, 0),
    )


def _options(check: Check, stored: Stored) -> MetricOptions:
    positive = stored.question.get("positive") if stored.evidence else None
    options = check.options
    return MetricOptions(positive, options.get("average"), options.get("beta"))


def _same_model(file: GatesFile, verdict: Verdict) -> None:
    subject = verdict.subject
    judged = (
        registered_name(subject.resolved_uri or subject.model_uri) if subject else None
    )
    if judged is not None and judged != file.model:
        raise VerdictError(
            f"{file.path.name} judges the model '{file.model}', and this verdict is "
            f"about '{judged}'"
        )


def _same_question(file: GatesFile, question: Mapping[str, Any]) -> None:
    asked = {
        "task": file.task.value,
        "target": file.data.target,
        "positive": file.data.positive,
        "weight": file.data.weight,
        "group": file.data.group,
    }
    for name, value in asked.items():
        if question.get(name) != value:
            raise VerdictError(
                f"{file.path.name} is about {name} {value!r}, the evidence of this "
                f"verdict about {question.get(name)!r}: it cannot be judged by these "
                "rules"
            )

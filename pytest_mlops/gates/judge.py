"""From figures and a rule to the checks of a verdict, one a slice."""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import NormalDist
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from pytest_mlops.core.checks import Check, Policy
from pytest_mlops.core.metrics import MetricOptions
from pytest_mlops.core.outcomes import (
    Decide,
    OnInconclusive,
    OnMissingBaseline,
    Outcome,
)
from pytest_mlops.core.rows import Label
from pytest_mlops.core.rules import Operator, Rule
from pytest_mlops.core.selection import SliceKey
from pytest_mlops.gates.decide import TOO_FEW, Case, Decision, Figures, finite
from pytest_mlops.gates.limits import holm
from pytest_mlops.settings.values import Gate

NORMAL = NormalDist()

#: What makes a slice, as a verdict shows it: column and value.
Values = Mapping[str, Optional[Label]]


def judge_gate(
    gate: Gate,
    figures: Sequence[Tuple[SliceKey, Figures]],
    policy: Policy,
    *,
    node_id: str,
) -> Tuple[Check, ...]:
    """Judge a gate: on all of its rows, or on each of its slices.

    Args:
        gate: the rule and what it is about.
        figures: what was measured, by slice; empty where no row keeps its condition.
        policy: whether the value decides or the interval, and at which confidence.
        node_id: the item that asks.
    """
    if not figures:
        return (no_slices(gate, node_id),)
    if gate.selection.by and not gate.metric.across:
        slices = [(gate.selection.slice(key), found) for key, found in figures]
        return judge_slices(gate, slices, policy, node_id=node_id)
    return (judge(gate, figures[0][1], policy, node_id=node_id),)


def judge(gate: Gate, figures: Figures, policy: Policy, *, node_id: str) -> Check:
    """Judge a gate on all of its rows.

    Args:
        gate: the rule and what it is about.
        figures: what was measured.
        policy: whether the value decides or the interval, and at which confidence.
        node_id: the item that asks.
    """
    case = _case(gate, figures, policy)
    return _check(case, case.decision, node_id, {})


def judge_slices(
    gate: Gate,
    slices: Sequence[Tuple[Values, Figures]],
    policy: Policy,
    *,
    node_id: str,
) -> Tuple[Check, ...]:
    """Judge a gate on each of its slices.

    The gate passes when every slice passes, which needs no correction (an
    intersection–union test: Berger, "Multiparameter hypothesis testing and acceptance
    sampling", 1982). Where intervals decide, a slice fails only if it still does after
    Holm's correction for all slices of the gate.

    Args:
        gate: the rule and what it is about.
        slices: the values that make each slice, and what was measured there.
        policy: as for ``judge``.
        node_id: the item that asks.
    """
    cases = [_case(gate, figures, policy) for _, figures in slices]
    known = [index for index, case in enumerate(cases) if case.p_value is not None]
    adjusted = dict(zip(known, holm([cases[index].p_value or 0.0 for index in known])))
    error = (1 - policy.confidence) / 2
    checks = []
    for index, (case, (values, _)) in enumerate(zip(cases, slices)):
        decision, p_adjusted = case.decision, adjusted.get(index)
        # One slice alone needs no correction: its interval has decided.
        alone = len(known) == 1
        beyond_chance = alone or (p_adjusted is not None and p_adjusted <= error)
        if policy.decide is Decide.CONFIDENT and decision.outcome is Outcome.FAIL:
            if not beyond_chance:
                reason = "not_significant_after_holm"
                decision = Decision(Outcome.INCONCLUSIVE, reason)
        if decision.reason in ("not_significant_after_holm", "interval_straddles"):
            needed = _rows_to_fail(case, error / len(known)) or decision.rows_needed
            decision = replace(decision, rows_needed=needed)
        chances = (case.p_value, p_adjusted)
        checks.append(_check(case, decision, node_id, values, chances))
    if all(check.reason == TOO_FEW for check in checks):
        # A gate that has judged nothing is no evidence of anything.
        checks = [replace(one, on_inconclusive=gate.on_nothing) for one in checks]
    return tuple(checks)


def _rows_to_fail(case: Case, level: float) -> Optional[int]:
    """How many rows let a slice fail at this level, if its value stays.

    None of one that is rather on its way to pass, which takes no correction.
    """
    chance = case.p_value
    if chance is None or not 0 < chance < 0.5:
        return None
    missing = NORMAL.inv_cdf(level) / NORMAL.inv_cdf(chance)
    return math.ceil(case.shown.rows * max(missing, 1.0) ** 2)


def gate_check(
    gate: Gate, node_id: str, outcome: Outcome, reason: Optional[str], message: str = ""
) -> Check:
    """The check of a gate before anything was measured for it."""
    return Check(
        **_asked(gate, node_id), outcome=outcome, reason=reason, message=message
    )


def _asked(gate: Gate, node_id: str) -> Dict[str, Any]:
    """The fields of a check that say what was asked."""
    return {
        "name": gate.name,
        "node_id": node_id,
        "metric": gate.metric.name,
        "options": set_options(gate.options),
        "selection": gate.selection.key,
        "estimand": "difference" if gate.rule.needs_baseline else "value",
        "rule": gate.rule.text,
        "margin": gate.margin,
        "min_rows": gate.min_rows,
        "on_inconclusive": gate.on_inconclusive,
    }


def no_slices(gate: Gate, node_id: str) -> Check:
    """The check of a gate whose condition no row keeps."""
    why = "no row keeps the condition of this gate"
    check = gate_check(gate, node_id, Outcome.INCONCLUSIVE, "no_rows", why)
    return replace(check, on_inconclusive=gate.on_nothing)


def missing_baseline(
    gate: Gate, node_id: str, on_missing: OnMissingBaseline, why: str
) -> Check:
    """The check of a rule against a baseline that does not exist yet."""
    if on_missing is OnMissingBaseline.FAIL:
        return gate_check(gate, node_id, Outcome.FAIL, "baseline_missing", why)
    return _only_warned(gate, node_id, "baseline_missing", why)


def same_model(gate: Gate, node_id: str) -> Check:
    """The check of a rule against a baseline that is the candidate itself."""
    why = "the baseline is this very model, so there is nothing to compare"
    return _only_warned(gate, node_id, "same_model", why)


def set_options(options: MetricOptions) -> Dict[str, Any]:
    """The options that a metric's value hangs on, as a check records them."""
    return {
        name: value
        for name, value in (("average", options.average), ("beta", options.beta))
        if value is not None
    }


def _only_warned(gate: Gate, node_id: str, reason: str, why: str) -> Check:
    check = gate_check(gate, node_id, Outcome.INCONCLUSIVE, reason, why)
    return replace(check, on_inconclusive=OnInconclusive.WARN)


def _case(gate: Gate, figures: Figures, policy: Policy) -> Case:
    baseline = None if figures.baseline is None else finite(figures.baseline)
    sound = replace(figures, candidate=finite(figures.candidate), baseline=baseline)
    return Case(gate, sound, policy.decide, policy.confidence)


def _check(
    case: Case,
    decision: Decision,
    node_id: str,
    values: Values,
    chances: Tuple[Optional[float], Optional[float]] = (None, None),
) -> Check:
    gate, figures, shown = case.gate, case.figures, case.shown
    candidate = figures.candidate
    beside = None if figures.baseline is None else figures.baseline.value
    asked = _asked(gate, node_id)
    if decision.reason == TOO_FEW:
        asked["on_inconclusive"] = OnInconclusive.WARN
    return Check(
        **asked,
        outcome=decision.outcome,
        reason=decision.reason,
        slice=dict(values),
        value=candidate.value,
        interval=case.interval,
        method=shown.method,
        rows=candidate.rows,
        threshold=_threshold(gate.rule, beside),
        baseline_value=beside,
        difference=_difference(gate.rule, candidate.value, beside),
        p_value=chances[0],
        p_adjusted=chances[1],
        flags=shown.flags,
        error_bound=shown.error_bound,
        rows_needed=decision.rows_needed,
        message=candidate.reason or "",
    )


def _difference(
    rule: Rule, value: Optional[float], beside: Optional[float]
) -> Optional[float]:
    if value is None or beside is None:
        return None
    bounds: List[float] = [rule.bound.factor]
    if rule.upper is not None:
        bounds.append(rule.upper.factor)
    factor = next((factor for factor in bounds if factor), 1.0)
    return value - factor * beside


def _threshold(rule: Rule, baseline: Optional[float]) -> Any:
    if rule.needs_baseline and baseline is None:
        return None
    low, high = rule.limits(baseline)
    if rule.operator is Operator.BETWEEN:
        return [low, high]
    return low if math.isinf(high) else high

"""Hold an estimate against a rule: pass, fail, or honestly undecided."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Dict, Optional, Tuple

from pytest_mlops.core.checks import Check, Policy
from pytest_mlops.core.metrics import Estimate, MetricOptions
from pytest_mlops.core.outcomes import (
    Decide,
    OnInconclusive,
    OnMissingBaseline,
    Outcome,
)
from pytest_mlops.core.rules import Operator, Rule
from pytest_mlops.settings.values import Gate


@dataclass(frozen=True)
class Decision:
    """What a rule says about a value, and why where it says nothing."""

    outcome: Outcome
    reason: Optional[str] = None
    rows_needed: Optional[int] = None


def judge(
    gate: Gate,
    estimate: Estimate,
    policy: Policy,
    *,
    node_id: str,
    baseline: Optional[Estimate] = None,
) -> Check:
    """Judge one gate.

    Args:
        gate: the rule and what it is about.
        estimate: the metric on the candidate.
        policy: whether the value decides or the interval, and at which confidence.
        node_id: the item that asks.
        baseline: the same metric of the baseline on the same rows; needed by rules
            that speak of a baseline.
    """
    if estimate.value is not None and not math.isfinite(estimate.value):
        estimate = replace(estimate, value=None, reason=f"it came to {estimate.value}")
    decision = _decide(gate, estimate, policy, baseline)
    beside = baseline.value if baseline else None
    check = gate_check(gate, node_id, decision.outcome, decision.reason)
    return replace(
        check,
        value=estimate.value,
        interval=_interval(estimate, policy.confidence),
        method=estimate.method,
        rows=estimate.rows,
        threshold=_threshold(gate.rule, beside),
        baseline_value=beside,
        difference=_difference(estimate.value, beside),
        flags=estimate.flags,
        error_bound=estimate.error_bound,
        rows_needed=decision.rows_needed,
        message=estimate.reason or "",
    )


def _difference(value: Optional[float], beside: Optional[float]) -> Optional[float]:
    return None if value is None or beside is None else value - beside


def gate_check(
    gate: Gate, node_id: str, outcome: Outcome, reason: Optional[str], message: str = ""
) -> Check:
    """The check of a gate before anything was measured for it."""
    return Check(
        name=gate.name,
        node_id=node_id,
        outcome=outcome,
        metric=gate.metric.name,
        options=set_options(gate.options),
        estimand="difference" if gate.rule.needs_baseline else "value",
        rule=gate.rule.text,
        margin=gate.margin,
        on_inconclusive=gate.on_inconclusive,
        reason=reason,
        message=message,
    )


def missing_baseline(
    gate: Gate, node_id: str, on_missing: OnMissingBaseline, why: str
) -> Check:
    """The check of a rule against a baseline that does not exist yet."""
    if on_missing is OnMissingBaseline.FAIL:
        return gate_check(gate, node_id, Outcome.FAIL, "baseline_missing", why)
    check = gate_check(gate, node_id, Outcome.INCONCLUSIVE, "baseline_missing", why)
    return replace(check, on_inconclusive=OnInconclusive.WARN)


def set_options(options: MetricOptions) -> Dict[str, Any]:
    """The options that a metric's value hangs on, as a check records them."""
    return {
        name: value
        for name, value in (("average", options.average), ("beta", options.beta))
        if value is not None
    }


def _decide(
    gate: Gate, estimate: Estimate, policy: Policy, baseline: Optional[Estimate]
) -> Decision:
    if estimate.value is None:
        return Decision(Outcome.INCONCLUSIVE, "undefined")
    if gate.rule.needs_baseline and (baseline is None or baseline.value is None):
        return Decision(Outcome.INCONCLUSIVE, "baseline_undefined")
    beside = baseline.value if baseline else None
    if policy.decide is Decide.POINT:
        off = estimate.error_bound
        if baseline is not None and gate.rule.needs_baseline:
            off += baseline.error_bound
        return _by_value(gate.rule, estimate.value, beside, off)
    interval = _interval(estimate, policy.confidence)
    # The interval of a value is not the interval of a difference on the same rows.
    if interval is None or gate.rule.needs_baseline:
        return Decision(Outcome.INCONCLUSIVE, "no_interval")
    return _by_interval(gate, estimate.value, estimate.rows, interval)


def _by_value(
    rule: Rule, value: float, baseline: Optional[float], off: float
) -> Decision:
    keeps = {rule.keeps(end, baseline) for end in (value - off, value, value + off)}
    if len(keeps) > 1:
        return Decision(Outcome.INCONCLUSIVE, "within_error_bound")
    return Decision(Outcome.PASS if keeps.pop() else Outcome.FAIL)


def _by_interval(
    gate: Gate, value: float, rows: int, interval: Tuple[float, float]
) -> Decision:
    rule, (low, high) = gate.rule, interval
    if rule.keeps(low) and rule.keeps(high):
        return Decision(Outcome.PASS)
    floor, ceiling = rule.limits()
    if gate.margin and rule.keeps(value):
        if low >= floor - gate.margin and high <= ceiling + gate.margin:
            return Decision(Outcome.PASS, "within_margin")
    if _breaks(rule, low, high):
        return Decision(Outcome.FAIL)
    shrink = _shrink_needed(value, interval, rule, gate.margin)
    needed = math.ceil(rows * shrink**2) if shrink else None
    return Decision(Outcome.INCONCLUSIVE, "interval_straddles", needed)


def _breaks(rule: Rule, low: float, high: float) -> bool:
    """Whether no value of the interval keeps the rule."""
    floor, ceiling = rule.limits()
    if rule.operator in (Operator.ABOVE, Operator.BELOW):
        return high <= floor or low >= ceiling
    return high < floor or low > ceiling


def _shrink_needed(
    value: float, interval: Tuple[float, float], rule: Rule, margin: float
) -> Optional[float]:
    """How many times narrower the interval has to get, if the value stays.

    An interval narrows with the square root of the rows. None where the value sits on
    the limit itself: no number of rows would settle that.
    """
    floor, ceiling = rule.limits()
    slack = margin if rule.keeps(value) else 0.0
    ratios = []
    for limit, end in ((floor - slack, interval[0]), (ceiling + slack, interval[1])):
        if not math.isinf(limit):
            # Outside the rule it is the other end that reaches in.
            crossing = end if floor <= value <= ceiling else _nearer(interval, limit)
            ratios.append((abs(crossing - value), abs(limit - value)))
    if any(distance == 0 for _, distance in ratios):
        return None
    return max((half / distance for half, distance in ratios), default=None)


def _nearer(interval: Tuple[float, float], limit: float) -> float:
    return min(interval, key=lambda end: abs(end - limit))


def _interval(estimate: Estimate, confidence: float) -> Optional[Tuple[float, float]]:
    if estimate.interval is None or estimate.value is None:
        return None
    return estimate.interval(confidence)


def _threshold(rule: Rule, baseline: Optional[float]) -> Any:
    if rule.needs_baseline and baseline is None:
        return None
    low, high = rule.limits(baseline)
    if rule.operator is Operator.BETWEEN:
        return [low, high]
    return low if math.isinf(high) else high

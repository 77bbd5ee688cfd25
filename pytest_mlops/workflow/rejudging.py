"""Judge stored evidence again: to verify a verdict, or under other rules."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from pytest_mlops.core.checks import Check, Policy
from pytest_mlops.core.metrics import Estimate, Metric, MetricOptions, TableKind
from pytest_mlops.core.rules import parse_rule
from pytest_mlops.core.verdicts import (
    Verdict,
    run_action,
    run_exit_code,
    run_outcome,
)
from pytest_mlops.errors import VerdictError
from pytest_mlops.evidence.record import BASELINE, Evidence
from pytest_mlops.gates.judge import judge
from pytest_mlops.reporting.sentences import check_message
from pytest_mlops.settings.values import Gate, GatesFile

#: Two computations of the same figure may differ by this much.
TOLERANCE = 1e-9


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


class Stored:
    """The evidence of a verdict, ready to be asked.

    Args:
        verdict: whose evidence.
        side: reads the tables that are too large for the verdict.
        metrics: what can be measured.

    Raises:
        VerdictError: a table is damaged or missing.
    """

    def __init__(
        self,
        verdict: Verdict,
        side: Callable[[str], bytes],
        metrics: Mapping[str, Metric],
    ) -> None:
        kinds: Dict[str, TableKind] = {m.kind.name: m.kind for m in metrics.values()}
        self.metrics = metrics
        self.evidence = [
            Evidence.from_json(data, kinds, side) for data in verdict.evidence
        ]

    def estimate(
        self, metric: Metric, options: MetricOptions, *, baseline: bool = False
    ) -> Optional[Estimate]:
        """A metric from the stored tables; None where no table of its kind is kept."""
        name = (BASELINE if baseline else "") + metric.kind.name
        for evidence in self.evidence:
            if metric.kind.recomputable and name in evidence.tables:
                return metric.estimate(evidence.tables[name], options)
        return None

    @property
    def question(self) -> Mapping[str, Any]:
        """What the evidence is about: task, target and positive label.

        Raises:
            VerdictError: the verdict holds no evidence.
        """
        if not self.evidence:
            raise VerdictError("the verdict holds no evidence to judge again")
        return self.evidence[0].question


def verify(verdict: Verdict, stored: Stored) -> Verification:
    """Recompute every check of a verdict from its evidence.

    Values and interval ends must agree to 1e-9, outcomes and what follows exactly.
    """
    recomputed, taken = 0, []
    differences: List[str] = []
    for check in verdict.checks:
        reason = _not_recomputable(check, stored)
        if reason is None:
            recomputed += 1
            differences += _differences(check, _again(check, verdict.policy, stored))
        else:
            taken.append(f"{check.name}: {reason}")
    return Verification(recomputed, taken, differences + _conclusions(verdict))


def judge_again(verdict: Verdict, file: GatesFile, stored: Stored) -> Verdict:
    """The stored evidence under other rules.

    Raises:
        VerdictError: the rules are about other data than the evidence.
    """
    _same_question(file, stored.question)
    checks = tuple(_fresh(gate, file, stored) for gate in file.gates)
    return replace(
        verdict,
        outcome=run_outcome(checks),
        action=run_action(checks, file.policy, partial=verdict.partial),
        exit_code=run_exit_code(checks, file.policy),
        checks=checks,
        policy=file.policy,
        environment=file.environment,
        gates_file=file.path.as_posix(),
        gates_digest=file.digest,
    )


def _not_recomputable(check: Check, stored: Stored) -> Optional[str]:
    if check.metric is None:
        return "a plain assertion keeps no evidence"
    if check.value is None and check.reason != "undefined":
        return f"nothing was measured ({check.reason})"
    metric = stored.metrics.get(check.metric)
    if metric is None:
        return f"'{check.metric}' is not a metric that is known here"
    if stored.estimate(metric, _options(check, stored)) is None:
        return f"'{check.metric}' keeps no table to compute it from"
    return None


def _again(check: Check, policy: Policy, stored: Stored) -> Check:
    metric, options = stored.metrics[str(check.metric)], _options(check, stored)
    gate = Gate(
        name=check.name,
        metric=metric,
        options=options,
        rule=parse_rule(str(check.rule)),
        margin=check.margin,
        on_inconclusive=check.on_inconclusive,
    )
    return _judged(gate, policy, stored, check.node_id)


def _judged(gate: Gate, policy: Policy, stored: Stored, node_id: str) -> Check:
    estimate = stored.estimate(gate.metric, gate.options)
    if estimate is None:
        estimate = Estimate(None, 0, "the verdict keeps no table to compute it from")
    beside = stored.estimate(gate.metric, gate.options, baseline=True)
    return judge(gate, estimate, policy, node_id=node_id, baseline=beside)


def _fresh(gate: Gate, file: GatesFile, stored: Stored) -> Check:
    check = _judged(gate, file.policy, stored, f"{file.path.as_posix()}::{gate.name}")
    for waiver in file.waivers:
        if waiver.covers(check):
            check = replace(check, waived=waiver.to_json())
    return replace(check, message=check_message(check))


def _options(check: Check, stored: Stored) -> MetricOptions:
    positive = stored.question["positive"] if stored.evidence else None
    options = check.options
    return MetricOptions(positive, options.get("average"), options.get("beta"))


def _differences(told: Check, found: Check) -> List[str]:
    pairs: List[Tuple[str, Any, Any]] = [
        ("outcome", told.outcome.value, found.outcome.value),
        ("reason", told.reason, found.reason),
        ("value", told.value, found.value),
        ("baseline_value", told.baseline_value, found.baseline_value),
        ("rows", told.rows, found.rows),
        ("method", told.method, found.method),
        ("threshold", told.threshold, found.threshold),
    ]
    for end in (0, 1):
        ends = [
            check.interval[end] if check.interval else None for check in (told, found)
        ]
        pairs.append((f"interval[{end}]", ends[0], ends[1]))
    return [
        f"{told.name}: {name} is {before!r} in the verdict and {after!r} by its "
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


def _conclusions(verdict: Verdict) -> List[str]:
    """What the checks, taken as they are, do not bear out."""
    found: List[Tuple[str, Any, Any]] = [
        ("outcome", verdict.outcome.value, run_outcome(verdict.checks).value),
        (
            "action",
            verdict.action.value,
            run_action(verdict.checks, verdict.policy, partial=verdict.partial).value,
        ),
    ]
    if verdict.exit_code == 0:  # another code may also come from outside of the checks
        code = run_exit_code(verdict.checks, verdict.policy)
        found.append(("exit_code", verdict.exit_code, code))
    return [
        f"{name} is {before!r} in the verdict and {after!r} by its checks"
        for name, before, after in found
        if before != after
    ]


def _same_question(file: GatesFile, question: Mapping[str, Any]) -> None:
    asked = {
        "task": file.task.value,
        "target": file.data.target,
        "positive": file.data.positive,
    }
    for name, value in asked.items():
        if question.get(name) != value:
            raise VerdictError(
                f"{file.path.name} is about {name} {value!r}, the evidence of this "
                f"verdict about {question.get(name)!r}: it cannot be judged by these "
                "rules"
            )

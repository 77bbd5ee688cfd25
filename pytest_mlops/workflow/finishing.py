"""Finish a run: from what happened to every item to the one verdict."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

from pytest_mlops.core.checks import Check, Policy
from pytest_mlops.core.outcomes import ExitCode, OnInconclusive, Outcome
from pytest_mlops.core.redaction import redact_json
from pytest_mlops.core.sources import Subject
from pytest_mlops.core.verdicts import (
    Verdict,
    run_action,
    run_exit_code,
    run_outcome,
)
from pytest_mlops.reporting.verdict_file import write_verdict
from pytest_mlops.workflow.judging import Assignment
from pytest_mlops.workflow.spool import Measured, Spool


@dataclass(frozen=True)
class ItemResult:
    """What one gate or marked test came to.

    Attributes:
        node_id: pytest's name for it.
        checks: what it judged.
        evidence_key: what it judged by; None where nothing was measured.
        crash: why it has no checks, in a line, where it has none.
        skipped: whether it was skipped.
    """

    node_id: str
    checks: Tuple[Check, ...] = ()
    evidence_key: Optional[str] = None
    crash: Optional[str] = None
    skipped: bool = False


@dataclass(frozen=True)
class RunFacts:
    """What the run as a whole was.

    Attributes:
        results: by item, those that ran.
        selected: the items that were to run.
        total: how many items the whole suite has.
        broken: files that could not be collected, a line each.
        timings: seconds by step.
        stopped: whether the run was stopped early (``-x``, ``--maxfail``).
        narrowed: whether only a part was asked for in a way that does not show in
            ``total`` (``--lf``, a node id).
    """

    results: Sequence[ItemResult]
    selected: Sequence[str]
    total: int
    broken: Sequence[str] = ()
    timings: Mapping[str, float] = field(default_factory=dict)
    stopped: bool = False
    narrowed: bool = False

    @property
    def judged(self) -> int:
        """How many items came to a result."""
        return len(self.results)

    @property
    def partial(self) -> bool:
        """Whether only a part of the suite was asked to run, or got to run."""
        return self.stopped or self.narrowed or len(self.selected) < self.total


def conclude(
    facts: RunFacts,
    spool: Spool,
    *,
    assignment: Optional[Assignment],
    environment: Optional[str],
) -> Verdict:
    """The verdict of a run.

    Args:
        facts: what happened.
        spool: where the measurements are.
        assignment: what was to be judged; None where only plain tests were.
        environment: what it was judged for.
    """
    policy = assignment.gates_file.policy if assignment else Policy()
    checks = tuple(_all_checks(facts))
    measured = _measured(facts, spool)
    first = measured[0] if measured else None
    return Verdict(
        outcome=run_outcome(checks),
        action=run_action(checks, policy, partial=facts.partial),
        exit_code=run_exit_code(checks, policy),
        created=_now(),
        checks=checks,
        policy=policy,
        environment=environment,
        partial=facts.partial,
        gates_file=_relative(assignment) if assignment else None,
        gates_digest=assignment.gates_file.digest if assignment else None,
        subject=first.subject if first else _asked_for(assignment),
        baseline=first.baseline if first else None,
        evidence=tuple(found.evidence for found in measured),
        timings={name: round(s, 6) for name, s in facts.timings.items()},
        versions=first.versions if first else {},
    )


def save(verdict: Verdict, path: Path, spool: Spool) -> None:
    """Write the verdict file.

    Raises:
        InstrumentError: it cannot be written.
    """
    files = {name: spool.read_side(name) for name in verdict.side_files}
    write_verdict(verdict.to_json(), path, files)


def exit_code(verdict: Verdict, pytest_status: int, *, foreign_failures: bool) -> int:
    """What the process ends with.

    Another plugin's own code stays, and 1 where something failed that is no check of
    ours; all else is what the checks ask for.
    """
    if pytest_status > ExitCode.NOTHING_COLLECTED:
        return pytest_status
    if foreign_failures:
        return int(ExitCode.FAILED)
    return verdict.exit_code


def _all_checks(facts: RunFacts) -> List[Check]:
    by_identity: Dict[Tuple[object, ...], Check] = {}
    seen = set()
    for result in facts.results:
        seen.add(result.node_id)
        for check in result.checks or (_without_checks(result),):
            by_identity[check.identity] = check
    checks = list(by_identity.values())
    for node_id in facts.selected:
        if node_id not in seen and not facts.stopped:
            checks.append(_error(node_id, "not_run", "it was collected and never ran"))
    checks += [_error(line, "not_collected", line) for line in facts.broken]
    if checks and all(check.reason == "skipped" for check in checks):
        checks.append(_error("suite", "all_skipped", "every check was skipped"))
    return checks


def _without_checks(result: ItemResult) -> Check:
    if result.skipped:
        return Check(
            name=result.node_id,
            node_id=result.node_id,
            kind="test",
            outcome=Outcome.INCONCLUSIVE,
            on_inconclusive=OnInconclusive.WARN,
            reason="skipped",
            message=result.crash or "it was skipped",
        )
    message = result.crash or "it ended without judging anything"
    return _error(result.node_id, "crashed", message)


def _error(node_id: str, reason: str, message: str) -> Check:
    return Check(
        name=node_id,
        node_id=node_id,
        kind="test",
        outcome=Outcome.ERROR,
        reason=reason,
        message=message,
    )


def _measured(facts: RunFacts, spool: Spool) -> List[Measured]:
    keys = dict.fromkeys(r.evidence_key for r in facts.results if r.evidence_key)
    found = (spool.get(key) for key in keys)
    return [measured for measured in found if measured is not None]


def _asked_for(assignment: Optional[Assignment]) -> Optional[Subject]:
    if assignment is None or assignment.model_uri is None:
        return None
    return Subject(str(redact_json(assignment.model_uri)))


def _relative(assignment: Assignment) -> str:
    path, root = assignment.gates_file.path, assignment.site.root
    try:
        return path.relative_to(root).as_posix()
    except ValueError:
        return path.as_posix()


def _now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

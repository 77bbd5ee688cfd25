"""Finish a run: from what happened to every item to the one verdict."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Iterator, List, Mapping, Optional, Sequence, Tuple

from pytest_mlops.core.checks import Check, Policy
from pytest_mlops.core.outcomes import ExitCode, OnInconclusive, Outcome
from pytest_mlops.core.redaction import redact_json
from pytest_mlops.core.sources import Subject
from pytest_mlops.core.verdicts import Conclusion, Verdict
from pytest_mlops.reporting.verdict_file import write_verdict
from pytest_mlops.settings.reader import shown_path
from pytest_mlops.workflow.judging import Assignment
from pytest_mlops.workflow.settling import plain_check
from pytest_mlops.workflow.spool import Measured, Spool


@dataclass(frozen=True)
class ItemResult:
    """What one gate or marked test came to.

    Attributes:
        node_id: pytest's name for it.
        checks: what it judged.
        evidence_key: what it judged by; None where nothing was measured.
        crash: why it came to nothing, where it did.
        skipped: why it was skipped, where it was.
    """

    node_id: str
    checks: Tuple[Check, ...] = ()
    evidence_key: Optional[str] = None
    crash: Optional[str] = None
    skipped: Optional[str] = None


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
            ``total`` (``--lf``, a node id, the path of one file).
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
        """How many items came to a result; a skipped one did not."""
        return sum(result.skipped is None for result in self.results)

    @property
    def partial(self) -> bool:
        """Whether only a part of the suite was asked to run, or got to run."""
        skipped = any(result.skipped is not None for result in self.results)
        left_out = len(self.selected) < self.total
        return self.stopped or self.narrowed or skipped or left_out


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
    conclusion = Conclusion.of(checks, policy, partial=facts.partial)
    return Verdict(
        outcome=conclusion.outcome,
        action=conclusion.action,
        exit_code=conclusion.exit_code,
        created=_now(),
        checks=checks,
        policy=policy,
        environment=environment,
        partial=facts.partial,
        gates_file=_file_name(assignment) if assignment else None,
        gates_digest=assignment.gates_file.digest if assignment else None,
        subject=first.subject if first else _asked_for(assignment),
        baseline=first.baseline if first else None,
        evidence=tuple(found.evidence for found in measured),
        timings={name: round(s, 6) for name, s in facts.timings.items()},
        versions=first.versions if first else {},
        remarks=tuple(dict.fromkeys(_remarks(assignment, measured))),
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
    ours; a run that somebody stopped is no success. All else is what the checks ask.
    """
    if pytest_status > ExitCode.NOTHING_COLLECTED:
        return pytest_status
    if foreign_failures:
        return int(ExitCode.FAILED)
    if pytest_status == ExitCode.INTERRUPTED and verdict.exit_code == ExitCode.OK:
        return int(ExitCode.INTERRUPTED)
    return verdict.exit_code


def _all_checks(facts: RunFacts) -> List[Check]:
    checks = [check for result in facts.results for check in _checks_of(result)]
    ran = {result.node_id for result in facts.results}
    if not facts.stopped:
        checks += [
            plain_check(node_id, Outcome.ERROR, "it never ran", "not_run")
            for node_id in facts.selected
            if node_id not in ran
        ]
    checks += [
        plain_check(line, Outcome.ERROR, line, "not_collected") for line in facts.broken
    ]
    if checks and all(check.reason == "skipped" for check in checks):
        message = "every check was skipped"
        checks.append(plain_check("suite", Outcome.ERROR, message, "all_skipped"))
    return checks


def _checks_of(result: ItemResult) -> Tuple[Check, ...]:
    if result.skipped is not None:
        check = plain_check(
            result.node_id, Outcome.INCONCLUSIVE, result.skipped, "skipped"
        )
        return (*result.checks, replace(check, on_inconclusive=OnInconclusive.WARN))
    if result.checks:
        return result.checks
    message = result.crash or "it ended without judging anything"
    return (plain_check(result.node_id, Outcome.ERROR, message, "crashed"),)


def _measured(facts: RunFacts, spool: Spool) -> List[Measured]:
    keys = dict.fromkeys(r.evidence_key for r in facts.results if r.evidence_key)
    found = (spool.get(key) for key in keys)
    return [measured for measured in found if measured is not None]


def _remarks(
    assignment: Optional[Assignment], measured: Sequence[Measured]
) -> Iterator[str]:
    yield from assignment.gates_file.remarks if assignment else ()
    for found in measured:
        yield from found.remarks


def _asked_for(assignment: Optional[Assignment]) -> Optional[Subject]:
    if assignment is None or assignment.model_uri is None:
        return None
    return Subject(str(redact_json(assignment.model_uri)))


def _file_name(assignment: Assignment) -> str:
    return shown_path(assignment.gates_file.path, assignment.site.root)


def _now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

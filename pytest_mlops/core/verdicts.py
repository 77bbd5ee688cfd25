"""The verdict: what a run found out, what follows from it, as one value."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Dict, Mapping, Optional, Sequence, Tuple

from pytest_mlops.core.checks import Check, Policy, blocks
from pytest_mlops.core.outcomes import (
    Action,
    ExitCode,
    OnInconclusive,
    Outcome,
    worst,
)
from pytest_mlops.core.sources import Subject

SCHEMA = "pytest-mlops/verdict/1"


@dataclass(frozen=True)
class Verdict:
    """What a run found out. The names are those of the published JSON Schema.

    Attributes:
        outcome: the gravest outcome of a check that nobody answers for.
        action: what is to be done.
        exit_code: what the process ended with.
        environment: the environment that was judged for, or None.
        created: when, as ISO 8601 in UTC.
        partial: whether only a part of the suite ran; nothing may act on that.
        policy: how it was decided, with the gates file and its digest.
        subject: which model.
        baseline: which model it was compared with, or None.
        checks: every judged condition.
        evidence: what was measured, as plain JSON; enough to recompute the checks.
        timings: seconds by step.
        versions: libraries by name.
        remarks: what is odd about the rules, a line each.
    """

    outcome: Outcome
    action: Action
    exit_code: int
    created: str
    checks: Tuple[Check, ...]
    policy: Policy
    environment: Optional[str] = None
    partial: bool = False
    gates_file: Optional[str] = None
    gates_digest: Optional[str] = None
    subject: Optional[Subject] = None
    baseline: Optional[Subject] = None
    evidence: Tuple[Mapping[str, Any], ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    remarks: Tuple[str, ...] = ()

    @property
    def side_files(self) -> Tuple[str, ...]:
        """The names of the files beside the verdict that its evidence points to."""
        return tuple(
            str(table["file"])
            for evidence in self.evidence
            for table in evidence["tables"].values()
            if isinstance(table, Mapping) and "file" in table
        )

    def ended_with(self, exit_code: int) -> Verdict:
        """The same verdict of a process that ended with *exit_code*.

        What ends with a failure of somebody else's is not promoted.
        """
        sound = self.action in (Action.PROMOTE, Action.KEEP)
        action = Action.HOLD if exit_code and sound else self.action
        return replace(self, exit_code=exit_code, action=action)

    def unwritten(self) -> Verdict:
        """The same verdict where its file could not be written: nothing acts on it."""
        code = self.exit_code or int(ExitCode.HELD)
        return replace(self, exit_code=code, action=Action.HOLD)

    def to_json(self) -> Dict[str, Any]:
        """Plain JSON, as the schema has it."""
        return {
            "schema": SCHEMA,
            "outcome": self.outcome.value,
            "action": self.action.value,
            "exit_code": self.exit_code,
            "environment": self.environment,
            "created": self.created,
            "partial": self.partial,
            "policy": {
                "gates_file": self.gates_file,
                "gates_digest": self.gates_digest,
                **self.policy.to_json(),
            },
            "subject": {
                **_subject_json(self.subject),
                "image": None,
                "image_digest": None,
                "revision": None,
            },
            "baseline": _subject_json(self.baseline) if self.baseline else None,
            "checks": [check.to_json() for check in self.checks],
            "evidence": list(self.evidence),
            "delivery": {
                "performed": False,
                "from": None,
                "to": None,
                "verified": None,
                "transitions": [],
            },
            "timings": dict(self.timings),
            "versions": dict(self.versions),
            "remarks": list(self.remarks),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Verdict:
        """Read ``to_json`` back; unknown keys are ignored.

        Raises:
            KeyError, TypeError, ValueError: it is not a verdict; the reader of the
                file says so in words.
        """
        policy = data["policy"]
        return cls(
            outcome=Outcome(data["outcome"]),
            action=Action(data["action"]),
            exit_code=int(data["exit_code"]),
            environment=data["environment"],
            created=str(data["created"]),
            partial=bool(data["partial"]),
            policy=Policy.from_json(policy),
            gates_file=policy.get("gates_file"),
            gates_digest=policy.get("gates_digest"),
            subject=_subject(data["subject"]),
            baseline=_subject(data.get("baseline")),
            checks=tuple(Check.from_json(check) for check in data["checks"]),
            evidence=tuple(data["evidence"]),
            timings=dict(data["timings"]),
            versions=dict(data["versions"]),
            remarks=tuple(data.get("remarks", ())),
        )


@dataclass(frozen=True)
class Conclusion:
    """What follows from checks.

    Attributes:
        outcome: the gravest outcome of a check that is not waived; of no checks at
            all it is ``error``, for whoever judged nothing has a broken instrument.
        action: a valid failure asks for its own action, even beside a broken
            instrument; a broken instrument alone only holds; a partial run never acts.
        exit_code: what the checks ask for, by themselves.
    """

    outcome: Outcome
    action: Action
    exit_code: int

    @classmethod
    def of(
        cls, checks: Sequence[Check], policy: Policy, *, partial: bool
    ) -> Conclusion:
        """What follows from these checks under this policy."""
        if not checks:
            return cls(Outcome.ERROR, Action.HOLD, int(ExitCode.HELD))
        stopping = [check for check in checks if blocks(check, policy)]
        failures = [check for check in stopping if _counts_as_failure(check)]
        code = ExitCode.OK
        if stopping:
            code = ExitCode.FAILED if failures else ExitCode.HELD
        outcome = worst(check.outcome for check in checks if not check.waived)
        # What could not be measured is never promoted, even where nothing blocks.
        held = partial or (outcome is Outcome.ERROR and not stopping)
        return cls(
            outcome=outcome,
            action=Action.HOLD if held else _action(checks, stopping, failures),
            exit_code=int(code),
        )


def _action(
    checks: Sequence[Check], stopping: Sequence[Check], failures: Sequence[Check]
) -> Action:
    asked = {check.on_fail for check in failures}
    for action in (Action.ROLL_BACK, Action.BLOCK, Action.RETRAIN):
        if action in asked:
            return action
    if stopping:
        return Action.HOLD
    # That nothing has drifted is a reason to keep a model, and none to promote one.
    drift = all(check.on_fail is Action.RETRAIN for check in checks)
    return Action.KEEP if drift else Action.PROMOTE


def _counts_as_failure(check: Check) -> bool:
    undecided = check.outcome is Outcome.INCONCLUSIVE
    return check.outcome is Outcome.FAIL or (
        undecided and check.on_inconclusive is OnInconclusive.FAIL
    )


def _subject_json(subject: Optional[Subject]) -> Dict[str, Any]:
    return {
        "model_uri": subject.model_uri if subject else None,
        "resolved_uri": subject.resolved_uri if subject else None,
        "model_digest": subject.model_digest if subject else None,
    }


def _subject(data: Optional[Mapping[str, Any]]) -> Optional[Subject]:
    if not data or data.get("model_uri") is None:
        return None
    return Subject(data["model_uri"], data["resolved_uri"], data["model_digest"])

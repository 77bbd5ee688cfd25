"""From what pytest tells of an item to what it judged; travels on the report."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Dict, List, Optional, Set, Tuple

import pytest

from pytest_mlops.core.checks import Check, Policy, blocks
from pytest_mlops.core.outcomes import Outcome
from pytest_mlops.workflow.finishing import ItemResult

#: The attribute of a report that carries an item's checks between processes.
PAYLOAD = "mlops"


@dataclass
class Recorder:
    """What one attempt of one item has judged so far."""

    checks: List[Check] = field(default_factory=list)
    instrument: Optional[str] = None

    def record(self, check: Check) -> None:
        """Add a check, in place of an equal one of the same attempt."""
        others = [c for c in self.checks if c.identity != check.identity]
        self.checks = [*others, check]


RECORDER = pytest.StashKey[Recorder]()


def recorder_of(item: pytest.Item) -> Recorder:
    """The recorder of an item's current attempt."""
    return item.stash.setdefault(RECORDER, Recorder())


def settle(
    item: pytest.Item,
    call: pytest.CallInfo[None],
    report: pytest.TestReport,
    policy: Policy,
    evidence_key: Optional[str],
) -> None:
    """After a phase: make item and checks agree, and put the checks on the report."""
    recorder = recorder_of(item)
    blocked = any(blocks(check, policy) for check in recorder.checks)
    crash = None
    if report.failed and not blocked:
        crash = _message(call)
        recorder.record(_plain(item, call, recorder, crash))
    elif report.passed and call.when == "call":
        if blocked:
            _refuse(report, item, recorder)
        elif not recorder.checks:
            recorder.record(_named(item, Outcome.PASS, "the test passed"))
    setattr(
        report,
        PAYLOAD,
        {
            "checks": [check.to_json() for check in recorder.checks],
            "skipped": report.skipped,
            "evidence": evidence_key,
            "crash": crash or (_skip_reason(report) if report.skipped else None),
        },
    )


class ResultBook:
    """The results of a run by item, the last attempt of each."""

    def __init__(self) -> None:
        self._results: Dict[str, ItemResult] = {}
        self._attempts: Dict[str, int] = {}
        self.failed_reports = 0

    def read(self, report: pytest.TestReport) -> None:
        """Take a report, from this process or from a worker."""
        payload: Optional[Dict[str, Any]] = getattr(report, PAYLOAD, None)
        if payload is None:
            return
        node_id = report.nodeid
        if report.when == "setup":
            self._attempts[node_id] = self._attempts.get(node_id, 0) + 1
        if report.failed:
            self.failed_reports += 1
        attempts = self._attempts.get(node_id, 1)
        checks = (Check.from_json(check) for check in payload["checks"])
        before = self._results.get(node_id)
        skipped = before is not None and before.skipped and report.when == "teardown"
        self._results[node_id] = ItemResult(
            node_id=node_id,
            checks=tuple(replace(check, attempts=attempts) for check in checks),
            evidence_key=payload["evidence"],
            crash=payload["crash"] or (before.crash if before and skipped else None),
            skipped=payload["skipped"] or skipped,
        )

    def crashed(self, report: pytest.TestReport) -> None:
        """Take the report of an item during which a worker died."""
        self.failed_reports += 1
        self._results[report.nodeid] = ItemResult(
            report.nodeid, crash="the worker process died"
        )

    @property
    def results(self) -> Tuple[ItemResult, ...]:
        """What is known now, in the order in which items began."""
        return tuple(self._results.values())

    @property
    def node_ids(self) -> Set[str]:
        """The items that have a result."""
        return set(self._results)


def _plain(
    item: pytest.Item, call: pytest.CallInfo[None], recorder: Recorder, message: str
) -> Check:
    """The check of a test that failed by itself: its assertion, or a broken part."""
    error = call.excinfo.value if call.excinfo else None
    asserted = isinstance(error, (AssertionError, pytest.fail.Exception))
    if recorder.instrument is not None:
        return _named(item, Outcome.ERROR, recorder.instrument, "instrument")
    if asserted and call.when == "call":
        return _named(item, Outcome.FAIL, message, "assertion")
    return _named(item, Outcome.ERROR, message, "crashed")


def _refuse(report: pytest.TestReport, item: pytest.Item, recorder: Recorder) -> None:
    """A comparison blocked, but the test passed: nobody asserted it."""
    text = (
        "a comparison in this test blocks, yet the test passed: assert it, and do not "
        "negate it"
    )
    recorder.record(_named(item, Outcome.ERROR, text, "not_asserted"))
    report.outcome = "failed"
    report.longrepr = text


def _named(
    item: pytest.Item, outcome: Outcome, message: str, reason: Optional[str] = None
) -> Check:
    return Check(
        name=item.nodeid,
        node_id=item.nodeid,
        kind="test",
        outcome=outcome,
        reason=reason,
        message=message,
    )


def _message(call: pytest.CallInfo[None]) -> str:
    if call.excinfo is None:
        return "it failed"
    lines = str(call.excinfo.value).strip().splitlines() or [""]
    if isinstance(call.excinfo.value, pytest.fail.Exception):
        return lines[0]
    return f"{call.excinfo.typename}: {lines[0]}".rstrip(": ")


def _skip_reason(report: pytest.TestReport) -> str:
    if isinstance(report.longrepr, tuple):
        return report.longrepr[2]
    return str(getattr(report, "wasxfail", "")) or "it was skipped"

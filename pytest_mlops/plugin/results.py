"""From pytest's reports to what items judged; it travels on the report."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import pytest
from _pytest.outcomes import Failed

from pytest_mlops.core.checks import Check, Policy, Waiver
from pytest_mlops.core.redaction import redact
from pytest_mlops.workflow.finishing import ItemResult
from pytest_mlops.workflow.settling import Ended, Phase, Recorder, settle

#: The attribute of a report that carries an item's checks between processes.
PAYLOAD = "mlops"

#: By what items are judged: the policy, and who answers for what.
Rules = Tuple[Policy, Sequence[Waiver]]

RECORDER = pytest.StashKey[Recorder]()
#: Whether the item's call is under way; a report made meanwhile is a subtest's.
CALLING = pytest.StashKey[bool]()
#: What a subtest failed with.
SUBTEST_FAILED = pytest.StashKey[str]()


class GateBlocked(Failed):
    """A gate of a file stops the release; its check says why."""

    __qualname__ = "Failed"  # as the summary calls every other failure
    __module__ = "builtins"


def recorder_of(item: pytest.Item) -> Recorder:
    """The recorder of an item's current attempt."""
    return item.stash.setdefault(RECORDER, Recorder())


def begin(item: pytest.Item) -> None:
    """Start an attempt with an empty slate."""
    item.stash[RECORDER] = Recorder()


def attach(
    item: pytest.Item,
    call: pytest.CallInfo[None],
    report: pytest.TestReport,
    rules: Rules,
    measured: Mapping[str, Any],
) -> None:
    """After a phase: make report and checks agree, and put the checks on the report.

    Args:
        measured: what the report tells beside the checks: the key of the evidence and
            the seconds that it took.
    """
    if item.stash.get(CALLING, False):
        setattr(report, PAYLOAD, None)  # a subtest; the item's own report will tell
        if report.failed and call.excinfo is not None:
            item.stash[SUBTEST_FAILED] = str(call.excinfo.value)
        return
    recorder = recorder_of(item)
    phase = Phase(item.nodeid, call.when, *_ended(call, report))
    if SUBTEST_FAILED in item.stash and phase.ended is Ended.PASSED:
        # pytest lets a test pass whose subtests failed, and counts those instead.
        message = item.stash[SUBTEST_FAILED]
        del item.stash[SUBTEST_FAILED]
        phase = Phase(item.nodeid, call.when, Ended.ASSERTION, message)
    settlement = settle(recorder, phase, *rules)
    if settlement.refused is not None:
        report.outcome = "failed"
        report.longrepr = settlement.refused
    elif settlement.waived is not None:
        report.outcome = "skipped"
        report.wasxfail = settlement.waived
    skipped = report.skipped and settlement.waived is None
    payload = {
        "checks": [check.to_json() for check in recorder.checks],
        "skipped": _skip_reason(report) if skipped else None,
        **measured,
    }
    setattr(report, PAYLOAD, payload)


class ResultBook:
    """The results of a run by item, the last attempt of each."""

    def __init__(self) -> None:
        self._results: Dict[str, ItemResult] = {}
        self._attempts: Dict[str, int] = {}
        self._failed: List[str] = []
        self.timings: Dict[str, float] = {}

    def read(self, report: pytest.TestReport) -> None:
        """Take a report, from this process or from a worker."""
        if not hasattr(report, PAYLOAD):
            return
        if report.failed:
            self._failed.append(report.nodeid)
        payload: Optional[Dict[str, Any]] = getattr(report, PAYLOAD)
        if payload is not None:
            self._note(report, payload)

    def crashed(self, report: pytest.TestReport) -> None:
        """Take the report of an item during which a worker died."""
        self._failed.append(report.nodeid)
        message = "the worker process died"
        self._results[report.nodeid] = ItemResult(report.nodeid, crash=message)

    def results(self, selected: Sequence[str]) -> Tuple[ItemResult, ...]:
        """The results of the items that are ours, in the order in which they began."""
        ours = set(selected)
        return tuple(r for r in self._results.values() if r.node_id in ours)

    def failed_reports(self, selected: Sequence[str]) -> int:
        """How many reports of our items pytest counts as failed."""
        ours = set(selected)
        return sum(node_id in ours for node_id in self._failed)

    def _note(self, report: pytest.TestReport, payload: Mapping[str, Any]) -> None:
        node_id = report.nodeid
        if report.when == "setup":
            self._attempts[node_id] = self._attempts.get(node_id, 0) + 1
            self._results.pop(node_id, None)
        for name, seconds in payload["timings"].items():
            self.timings[name] = max(seconds, self.timings.get(name, 0.0))
        before = self._results.get(node_id)
        attempts = self._attempts.get(node_id, 1)
        checks = (Check.from_json(check) for check in payload["checks"])
        self._results[node_id] = ItemResult(
            node_id=node_id,
            checks=tuple(replace(check, attempts=attempts) for check in checks),
            evidence_key=payload["evidence"],
            skipped=payload["skipped"] or (before.skipped if before else None),
        )


def _ended(call: pytest.CallInfo[None], report: pytest.TestReport) -> Tuple[Ended, str]:
    if report.passed:
        return Ended.PASSED, ""
    if report.skipped:
        return Ended.SKIPPED, ""
    if call.excinfo is None:
        return Ended.ASSERTION, str(report.longrepr)  # another plugin failed it
    error = call.excinfo.value
    if isinstance(error, GateBlocked):
        return Ended.GATE, ""
    if isinstance(error, Failed) and str(error).startswith("Timeout "):
        return Ended.CRASH, str(error)  # pytest-timeout fails a test that hangs
    if isinstance(error, (AssertionError, Failed)):
        return Ended.ASSERTION, str(error)
    return Ended.CRASH, f"{call.excinfo.typename}: {error}".rstrip(": ")


def _skip_reason(report: pytest.TestReport) -> str:
    if isinstance(report.longrepr, tuple):
        return redact(report.longrepr[2])
    return redact(str(getattr(report, "wasxfail", "")) or "it was skipped")

"""Make an item and its checks agree, whatever its test did with its comparisons."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Dict, List, Optional, Sequence, Set, Tuple

from pytest_mlops.core.checks import Check, Policy, Waiver, blocks, with_waiver
from pytest_mlops.core.outcomes import SEVERITY, OnInconclusive, Outcome
from pytest_mlops.core.redaction import redact
from pytest_mlops.gates.measured import MeasuredValue

NOT_ASSERTED = (
    "a comparison in this test blocks, yet the test passed: assert it, and do not "
    "negate it"
)

NOT_USED = "this test measures and compares nothing: assert the value against a limit"


class Ended(str, Enum):
    """How a phase of a test ended."""

    PASSED = "passed"
    SKIPPED = "skipped"
    ASSERTION = "assertion"  # an assert of its own, or a call of pytest.fail
    CRASH = "crash"  # any other exception
    GATE = "gate"  # a gate of a file that told its check itself


@dataclass(frozen=True)
class Phase:
    """One phase of one attempt of an item.

    Attributes:
        node_id: of the item.
        when: ``"setup"``, ``"call"`` or ``"teardown"``.
        ended: how.
        message: what it failed with, in a line.
    """

    node_id: str
    when: str
    ended: Ended
    message: str = ""


@dataclass
class Recorder:
    """What one attempt of one item has judged so far.

    Attributes:
        checks: in the order in which they were recorded.
        instrument: why a measurement broke, if one did.
        measured: the values that the test was given.
        shown: how the values that block look in an assertion's message.
        settled: how many of the checks a phase before has answered for.
    """

    checks: List[Check] = field(default_factory=list)
    instrument: Optional[str] = None
    shown: Set[str] = field(default_factory=set)
    measured: List[MeasuredValue] = field(default_factory=list)
    settled: int = 0
    _latest: Dict[Any, Check] = field(default_factory=dict)

    def record(self, check: Check) -> None:
        """Add a check; of two equal ones the graver stays."""
        identity = check.identity
        known = self._latest.get(identity)
        if known is not None:
            if _gravity(known) > _gravity(check):
                return
            # Nobody has answered for the new one.
            index = next(i for i, one in enumerate(self.checks) if one is known)
            del self.checks[index]
            self.settled -= index < self.settled
        self._latest[identity] = check
        self.checks.append(check)


def _gravity(check: Check) -> Tuple[int, bool]:
    holds = check.on_inconclusive in (OnInconclusive.HOLD, OnInconclusive.FAIL)
    return SEVERITY.index(check.outcome), holds


@dataclass(frozen=True)
class Settlement:
    """What pytest has to be told, so that its item says what the checks say.

    Attributes:
        refused: why an item that passed must fail.
        waived: who answers for an item that failed, and until when.
    """

    refused: Optional[str] = None
    waived: Optional[str] = None


def settle(
    recorder: Recorder, phase: Phase, policy: Policy, waivers: Sequence[Waiver]
) -> Settlement:
    """Add what a phase says beyond the comparisons that were recorded in it."""
    fresh = recorder.checks[recorder.settled :]
    blocking = any(blocks(check, policy) for check in fresh)
    if phase.ended is Ended.PASSED:
        if phase.when == "setup":
            return Settlement()  # the call may still assert what a fixture compared
        refused = _passed(recorder, phase, blocking)
        recorder.settled = len(recorder.checks)
        return Settlement(refused)
    if not _is_told(recorder, phase, blocking):
        recorder.record(with_waiver(_failure(recorder, phase), waivers))
    recorder.settled = len(recorder.checks)
    return Settlement(waived=_answered_for(recorder, phase, policy))


def plain_check(
    node_id: str, outcome: Outcome, message: str, reason: Optional[str] = None
) -> Check:
    """The check of a test that no metric is about, named by its node id."""
    return Check(
        name=node_id,
        node_id=node_id,
        kind="test",
        outcome=outcome,
        reason=reason,
        message=redact(message),
    )


def _passed(recorder: Recorder, phase: Phase, blocking: bool) -> Optional[str]:
    if blocking:
        check = plain_check(phase.node_id, Outcome.ERROR, NOT_ASSERTED, "not_asserted")
        recorder.record(check)
        return NOT_ASSERTED
    if phase.when == "call" and not recorder.checks:
        if recorder.measured and not any(one.used for one in recorder.measured):
            check = plain_check(phase.node_id, Outcome.ERROR, NOT_USED, "not_asserted")
            recorder.record(check)
            return NOT_USED
        recorder.record(plain_check(phase.node_id, Outcome.PASS, "the test passed"))
    return None


def _is_told(recorder: Recorder, phase: Phase, blocking: bool) -> bool:
    """Whether the checks already say why the phase did not pass."""
    if phase.ended in (Ended.SKIPPED, Ended.GATE):
        return True
    if phase.ended is not Ended.ASSERTION or phase.when != "call" or not blocking:
        return False
    # Assertion rewriting shows the value; without it an assertion has no message.
    return not phase.message or any(text in phase.message for text in recorder.shown)


def _failure(recorder: Recorder, phase: Phase) -> Check:
    if recorder.instrument is not None:
        outcome, reason, message = Outcome.ERROR, "instrument", recorder.instrument
    elif phase.ended is Ended.ASSERTION and phase.when == "call":
        outcome, reason, message = Outcome.FAIL, "assertion", phase.message
    else:
        outcome, reason, message = Outcome.ERROR, "crashed", phase.message
    first = (message.strip().splitlines() or ["it failed without a message"])[0]
    return plain_check(phase.node_id, outcome, first, reason)


def _answered_for(recorder: Recorder, phase: Phase, policy: Policy) -> Optional[str]:
    waivers = [check.waived for check in recorder.checks if check.waived]
    blocking = any(blocks(check, policy) for check in recorder.checks)
    if phase.ended is not Ended.ASSERTION or blocking or not waivers:
        return None
    return f"waived by {waivers[0]['owner']} until {waivers[0]['expires']}"

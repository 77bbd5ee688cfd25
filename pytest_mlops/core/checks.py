"""One judged condition, and the policy by which it was judged."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date
from typing import Any, Dict, Iterable, Mapping, Optional, Tuple

from pytest_mlops.core.outcomes import Action, Decide, OnInconclusive, Outcome
from pytest_mlops.core.rows import Label

#: Reasons of checks that nobody got to judge; no policy makes up for that.
UNJUDGED = frozenset({"not_run", "not_collected", "all_skipped"})


@dataclass(frozen=True)
class Policy:
    """How conditions are decided, and what is done about undecided ones.

    Attributes:
        decide: whether a rule is held against the value or the whole interval.
        confidence: of the two-sided interval.
        on_inconclusive: what an undecided check does.
        margin: width of the indifference zone below a rule, in the metric's unit.
        enforce: False judges and reports, and blocks nothing.
    """

    decide: Decide = Decide.POINT
    confidence: float = 0.95
    on_inconclusive: OnInconclusive = OnInconclusive.HOLD
    margin: float = 0.0
    enforce: bool = True

    def to_json(self) -> Dict[str, Any]:
        """The policy's part of a verdict."""
        return {
            "decide": self.decide.value,
            "confidence": self.confidence,
            "on_inconclusive": self.on_inconclusive.value,
            "margin": self.margin,
            "enforce": self.enforce,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Policy:
        """Read ``to_json`` back; unknown keys are ignored."""
        return cls(
            decide=Decide(data["decide"]),
            confidence=float(data["confidence"]),
            on_inconclusive=OnInconclusive(data["on_inconclusive"]),
            margin=float(data["margin"]),
            enforce=bool(data["enforce"]),
        )


@dataclass(frozen=True)
class Waiver:
    """A failure that somebody answers for, until a date."""

    check: str
    reason: str
    owner: str
    expires: date
    slice: Mapping[str, Label] = field(default_factory=dict)

    def covers(self, check: Check) -> bool:
        """Whether *check* is the one that was waived."""
        return self.check == check.name and dict(self.slice) == dict(check.slice)

    def to_json(self) -> Dict[str, Any]:
        """The waiver's part of a check."""
        return {
            "reason": self.reason,
            "owner": self.owner,
            "expires": self.expires.isoformat(),
        }


@dataclass(frozen=True)
class Check:
    """One row of a verdict; the names are those of the verdict's schema.

    Attributes:
        name: the gate's name, or the test's.
        node_id: pytest's name for the item that it belongs to.
        kind: ``"gate"`` or, for a plain assertion, ``"test"``.
        metric: the metric's name; None for a plain assertion.
        options: the metric's options that were set, such as ``{"average": …}``.
        selection: ``Selection.key`` of the gate; empty means all rows as one.
        slice: the column values of the slice; empty means all rows of the selection.
        estimand: ``"value"``, or ``"difference"`` from a baseline.
        value: what was measured; None where undefined.
        interval: its two ends at the policy's confidence, or None.
        method: the name of the interval's method.
        rows: rows in the metric's own denominator.
        rule: as it was written.
        threshold: the limit that the rule sets; a pair for ``in``.
        baseline_value: the same metric of the baseline on the same rows.
        difference: value − baseline_value; where the rule has a factor, value −
            factor × baseline_value. With the estimand ``"difference"`` the interval,
            its method and the flags are about it.
        p_value: of a slice, how likely so bad figures are if the rule is kept.
        p_adjusted: that, corrected for the number of slices of the gate.
        min_rows: how many rows the check takes to decide anything.
        margin: the indifference zone of this very check.
        on_inconclusive: what this check does when undecided.
        outcome: what was found out.
        reason: a code: ``"interval_straddles"``, ``"undefined"``, …
        flags: why the figures may be off.
        error_bound: how far the value may lie from that of the rows themselves.
        rows_needed: about how many rows would settle an undecided check.
        on_fail: the action that a failure asks for.
        waived: who answers for a failure, and until when.
        attempts: how often the test ran.
        message: the whole thing in a sentence.
    """

    name: str
    node_id: str
    outcome: Outcome
    kind: str = "gate"
    metric: Optional[str] = None
    options: Mapping[str, Any] = field(default_factory=dict)
    selection: str = ""
    slice: Mapping[str, Optional[Label]] = field(default_factory=dict)
    estimand: str = "value"
    value: Optional[float] = None
    interval: Optional[Tuple[float, float]] = None
    method: Optional[str] = None
    rows: Optional[int] = None
    rule: Optional[str] = None
    threshold: Any = None
    baseline_value: Optional[float] = None
    difference: Optional[float] = None
    p_value: Optional[float] = None
    p_adjusted: Optional[float] = None
    margin: float = 0.0
    min_rows: int = 0
    on_inconclusive: OnInconclusive = OnInconclusive.HOLD
    reason: Optional[str] = None
    flags: Tuple[str, ...] = ()
    error_bound: float = 0.0
    rows_needed: Optional[int] = None
    on_fail: Action = Action.BLOCK
    waived: Optional[Mapping[str, Any]] = None
    attempts: int = 1
    message: str = ""

    @property
    def identity(self) -> Tuple[Any, ...]:
        """What makes a check of an item the same as another one of it."""
        options = tuple(sorted(self.options.items()))
        selected = tuple(sorted((k, repr(v)) for k, v in self.slice.items()))
        # A plain test can fail for several reasons, each worth telling.
        told = self.reason if self.metric is None else None
        rows = (self.selection, selected)
        return (self.name, self.metric, self.rule, options, rows, told)

    def to_json(self) -> Dict[str, Any]:
        """Plain JSON, in the order of the schema."""
        data = asdict(self)
        data["outcome"] = self.outcome.value
        data["on_fail"] = self.on_fail.value
        data["on_inconclusive"] = self.on_inconclusive.value
        data["interval"] = list(self.interval) if self.interval else None
        data["flags"] = list(self.flags)
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Check:
        """Read ``to_json`` back; unknown keys are ignored."""
        known = {f.name for f in fields(cls)}
        found = {key: value for key, value in data.items() if key in known}
        found["outcome"] = Outcome(found["outcome"])
        if found.get("on_fail"):
            found["on_fail"] = Action(found["on_fail"])
        if found.get("on_inconclusive"):
            found["on_inconclusive"] = OnInconclusive(found["on_inconclusive"])
        if found.get("interval"):
            low, high = found["interval"]
            found["interval"] = (low, high)
        found["flags"] = tuple(found.get("flags") or ())
        return cls(**found)


def with_waiver(check: Check, waivers: Iterable[Waiver]) -> Check:
    """*check* with whoever answers for it; only what failed or is open is waived."""
    if check.outcome in (Outcome.FAIL, Outcome.INCONCLUSIVE):
        for waiver in waivers:
            if waiver.covers(check):
                return replace(check, waived=waiver.to_json())
    return check


def blocks(check: Check, policy: Policy) -> bool:
    """Whether the policy lets this check stop a release."""
    if check.reason in UNJUDGED:
        return True
    if not policy.enforce or check.waived or check.outcome is Outcome.PASS:
        return False
    if check.outcome is Outcome.INCONCLUSIVE:
        return check.on_inconclusive in (OnInconclusive.HOLD, OnInconclusive.FAIL)
    return True

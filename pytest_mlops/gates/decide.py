"""What a rule says about measured figures: pass, fail, or honestly undecided."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Callable, List, Optional, Tuple

from pytest_mlops.core.metrics import Estimate
from pytest_mlops.core.outcomes import Decide, Outcome
from pytest_mlops.core.rules import Bound
from pytest_mlops.gates.limits import (
    Interval,
    Limit,
    Side,
    breaking_chance,
    interval_of,
    limits_of,
)
from pytest_mlops.settings.values import Gate

#: Slices with fewer rows than ``min_rows`` are shown, and decide nothing.
TOO_FEW = "below_min_rows"
UNDEFINED = "undefined"


@dataclass(frozen=True)
class Figures:
    """What was measured for one check.

    Attributes:
        candidate: the metric of the candidate, finite.
        baseline: the same of the baseline, on the same rows; None without one.
        paired: from a factor to the estimate of candidate − factor × baseline; None
            where nothing is known of it but the two values.
        told: the p-value that somebody else worked out from more than is known here.
    """

    candidate: Estimate
    baseline: Optional[Estimate] = None
    paired: Optional[Callable[[float], Estimate]] = None
    told: Optional[float] = None

    def contrast(self, factor: float) -> Estimate:
        """The estimate of candidate − factor × baseline; no value if one has none."""
        value, beside = self.candidate, self.baseline
        if not factor:
            return value
        if value.value is None or beside is None or beside.value is None:
            return replace(value, value=None, interval=None)
        if self.paired is not None:
            return finite(self.paired(factor))
        return Estimate(
            value=value.value - factor * beside.value,
            rows=value.rows,
            flags=tuple(dict.fromkeys((*value.flags, *beside.flags))),
            error_bound=value.error_bound + abs(factor) * beside.error_bound,
        )


@dataclass(frozen=True)
class Decision:
    """What a rule says, and why where it says nothing."""

    outcome: Outcome
    reason: Optional[str] = None
    rows_needed: Optional[int] = None


@dataclass(frozen=True)
class Case:
    """One rule, the figures it is held against, and how.

    Attributes:
        gate: the rule, its margin, how many rows it takes.
        figures: what was measured.
        decide: whether the value decides or the interval.
        confidence: of the two-sided interval.
    """

    gate: Gate
    figures: Figures
    decide: Decide
    confidence: float

    @cached_property
    def shown(self) -> Estimate:
        """What the check shows the interval of: the difference where there is one."""
        factors = [limit.factor for limit in self._limits if limit.factor]
        return self.figures.contrast(factors[0] if factors else 0.0)

    @cached_property
    def interval(self) -> Optional[Interval]:
        """The interval of ``shown``."""
        return interval_of(self.shown, self.confidence)

    @cached_property
    def decision(self) -> Decision:
        """What the rule says, before any correction for other slices."""
        unusable = self.unusable
        if unusable is not None:
            return Decision(Outcome.INCONCLUSIVE, unusable)
        return self._by_value() if self.decide is Decide.POINT else self._by_interval()

    @cached_property
    def p_value(self) -> Optional[float]:
        """How likely so bad figures are if the rule is kept; None where unknown.

        A rule with two sides is broken on one of them, so the smaller chance counts.
        """
        if self.unusable is not None or self.figures.told is not None:
            return self.figures.told
        chances = [breaking_chance(*pair) for pair in self._contrasts]
        known = [chance for chance in chances if chance is not None]
        return min(known) if len(known) == len(chances) else None

    @cached_property
    def unusable(self) -> Optional[str]:
        """Why nothing can be decided, whatever the rule."""
        candidate = self.figures.candidate
        if candidate.rows < self.gate.min_rows:
            return TOO_FEW
        if candidate.value is None:
            return UNDEFINED
        if any(estimate.value is None for _, estimate in self._contrasts):
            return "baseline_undefined"
        return None

    @cached_property
    def _limits(self) -> Tuple[Limit, ...]:
        return limits_of(self.gate.rule)

    @cached_property
    def _contrasts(self) -> List[Tuple[Limit, Estimate]]:
        contrast = self.figures.contrast
        return [(limit, contrast(limit.factor)) for limit in self._limits]

    def _by_value(self) -> Decision:
        value = self.figures.candidate.value or 0.0
        baseline = self.figures.baseline
        beside = None if baseline is None else baseline.value
        keeps = set()
        for limit, estimate in self._contrasts:
            # Not by the difference: 0.84 − 0.85 is no longer −0.01.
            threshold = replace(limit, at=Bound(limit.at, limit.factor).at(beside))
            off = estimate.error_bound
            ends = {threshold.keeps(end) for end in (value - off, value, value + off)}
            keeps.add(ends.pop() if len(ends) == 1 else None)
        if False in keeps:
            return Decision(Outcome.FAIL)
        if None in keeps:
            return Decision(Outcome.INCONCLUSIVE, "within_error_bound")
        return Decision(Outcome.PASS)

    def _by_interval(self) -> Decision:
        margin, sides, shrinks = self.gate.margin, [], []
        for limit, estimate in self._contrasts:
            interval = interval_of(estimate, self.confidence)
            if interval is None or estimate.value is None:
                return Decision(Outcome.INCONCLUSIVE, "no_interval")
            side = limit.side(estimate.value, interval, margin)
            sides.append(side)
            if side is Side.OPEN:
                shrinks.append(limit.shrink(estimate.value, interval, margin))
        if Side.BROKEN in sides:
            return Decision(Outcome.FAIL)
        if shrinks:
            needed = _rows_needed(self.shown.rows, shrinks)
            return Decision(Outcome.INCONCLUSIVE, "interval_straddles", needed)
        within = Side.WITHIN_MARGIN in sides
        return Decision(Outcome.PASS, "within_margin" if within else None)


def _rows_needed(rows: int, shrinks: List[Optional[float]]) -> Optional[int]:
    """An interval narrows with the square root of the rows."""
    known = [shrink for shrink in shrinks if shrink is not None]
    if len(known) < len(shrinks) or not all(map(math.isfinite, known)):
        return None
    return math.ceil(rows * max(known) ** 2)


def finite(estimate: Estimate) -> Estimate:
    """The estimate; undefined where its value is no finite number."""
    if estimate.value is None or math.isfinite(estimate.value):
        return estimate
    return replace(estimate, value=None, reason=f"it came to {estimate.value}")

"""One side of a rule against one estimate: kept, broken, or which it is not known."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import Callable, List, Optional, Tuple

from pytest_mlops.core.metrics import Estimate
from pytest_mlops.core.rules import Operator, Rule

#: How far in standard errors a tail is followed: a chance below 1e-9 is as good as
#: none, and 1 − a smaller one has too few digits.
_FARTHEST = 6.0
#: How exactly, in standard errors, and how often one may look.
_CLOSE, _MOST_STEPS = 1e-9, 60

Interval = Tuple[float, float]


class Side(Enum):
    """What is known of one side of a rule."""

    KEPT = "kept"
    WITHIN_MARGIN = "within_margin"
    BROKEN = "broken"
    OPEN = "open"


@dataclass(frozen=True)
class Limit:
    """One side of a rule.

    Attributes:
        factor: the rule is about the candidate − factor × baseline.
        at: what that is held against.
        rising: whether it must not lie below ``at``; else not above.
        strict: whether ``at`` itself breaks the rule.
    """

    factor: float
    at: float
    rising: bool
    strict: bool

    def keeps(self, value: float) -> bool:
        """Whether a value keeps this side. Not a number keeps none."""
        if self.strict:
            return value > self.at if self.rising else value < self.at
        return value >= self.at if self.rising else value <= self.at

    def side(self, value: float, interval: Interval, margin: float) -> Side:
        """What the whole interval says, with an indifference zone of this width."""
        worse, better = interval if self.rising else interval[::-1]
        if self.keeps(worse):
            return Side.KEPT
        reach = self.at - margin if self.rising else self.at + margin
        tolerable = worse >= reach if self.rising else worse <= reach
        if margin and self.keeps(value) and tolerable:
            return Side.WITHIN_MARGIN
        return Side.OPEN if self.keeps(better) else Side.BROKEN

    def shrink(
        self, value: float, interval: Interval, margin: float
    ) -> Optional[float]:
        """How many times narrower the interval must get, if the value stays.

        None where the value sits on the limit itself: nothing would settle that.
        """
        kept = self.keeps(value)
        end = interval[0] if kept is self.rising else interval[1]
        slack = margin if kept else 0.0
        distance = abs(self.at - value) + slack
        return abs(end - value) / distance if distance else None


def limits_of(rule: Rule) -> Tuple[Limit, ...]:
    """The sides of a rule, the lower one first."""
    bound, upper = rule.bound, rule.upper
    if upper is not None:
        return (
            Limit(bound.factor, bound.offset, True, False),
            Limit(upper.factor, upper.offset, False, False),
        )
    rising = rule.operator in (Operator.AT_LEAST, Operator.ABOVE)
    strict = rule.operator in (Operator.ABOVE, Operator.BELOW)
    return (Limit(bound.factor, bound.offset, rising, strict),)


def interval_of(estimate: Estimate, confidence: float) -> Optional[Interval]:
    """An estimate's interval; None where it has none."""
    if estimate.interval is None or estimate.value is None:
        return None
    ends = estimate.interval(confidence)
    return None if any(map(math.isnan, ends)) else ends


def breaking_chance(limit: Limit, estimate: Estimate) -> Optional[float]:
    """The one-sided p-value of "the limit is kept": how likely so bad a value is then.

    Where the estimate does not tell, it is read off the interval: the confidence at
    which an end meets the limit. None where there is no interval.
    """
    if estimate.tails is not None and estimate.value is not None:
        few, many = estimate.tails(limit.at)
        return few if limit.rising else many
    if estimate.value is None or estimate.interval is None:
        return None
    towards = (limit.at > estimate.value) is limit.rising
    end = 1 if limit.at > estimate.value else 0
    errors = _errors_to(limit.at, end, estimate)
    tail = _tail(errors)
    return tail if towards else 1 - tail


def _errors_to(at: float, end: int, estimate: Estimate) -> float:
    """How many standard errors of a normal interval reach from the value to *at*."""

    def beyond(errors: float) -> float:
        found = interval_of(estimate, 1 - 2 * _tail(errors))
        reached = math.nan if found is None else found[end]
        return reached - at if end else at - reached

    distance = abs(at - (estimate.value or 0.0))
    reached = beyond(1.0) + distance
    # An interval grows nearly in step with its standard errors.
    guess = distance / reached if reached > 0 else _FARTHEST
    high = min(1.1 * guess + 1e-6, _FARTHEST)
    while not beyond(high) >= 0:
        if high >= _FARTHEST:
            return _FARTHEST
        high = min(2 * high, _FARTHEST)
    return _root(beyond, high, -distance)


def _root(beyond: Callable[[float], float], high: float, at_zero: float) -> float:
    """Where a rising function crosses 0 between 0 and *high*.

    By false position in the Illinois variant: Dowell & Jarratt, "A modified regula
    falsi method for computing the root of an equation" (1971).
    """
    low, below, above, last = 0.0, at_zero, beyond(high), 0
    middle = high
    for _ in range(_MOST_STEPS):
        finite = math.isfinite(above) and above > below
        share = -below / (above - below) if finite else 0.5
        before, middle = middle, low + share * (high - low)
        found = beyond(middle) if middle > _CLOSE else at_zero
        if found >= 0:
            # An end that stays twice counts half, so that it moves, too.
            high, above, below = middle, found, below / (2 if last > 0 else 1)
            last = 1
        else:
            low, below, above = middle, found, above / (2 if last < 0 else 1)
            last = -1
        if abs(middle - before) <= _CLOSE or high - low <= _CLOSE:
            break
    return middle


def _tail(errors: float) -> float:
    return math.erfc(errors / math.sqrt(2)) / 2


def holm(p_values: List[float]) -> List[float]:
    """The p-values adjusted by Holm's step-down method, in the order given.

    Holm, "A simple sequentially rejective multiple test procedure" (1979).
    """
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted, least = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        least = max(least, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = least
    return adjusted

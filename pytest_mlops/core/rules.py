"""Rules as people write them: ``>= 0.85``, ``in [0.2, 0.4]``, ``>= baseline - 1%``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Optional, Tuple

_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?\s*%?"
_BASELINE = re.compile(
    rf"(?:(?P<before>{_NUMBER})\s*\*\s*)?baseline(?:\s*\*\s*(?P<after>{_NUMBER}))?"
    rf"(?:\s*(?P<sign>[+-])\s*(?P<offset>{_NUMBER}))?"
)
_COMPARISON = re.compile(r"(?P<operator>>=|<=|>|<)\s*(?P<bound>.+)")
_BETWEEN = re.compile(r"in\s*\[(?P<low>[^,\]]+),(?P<high>[^,\]]+)\]")


class Operator(str, Enum):
    """How a value is held against a bound."""

    AT_LEAST = ">="
    ABOVE = ">"
    AT_MOST = "<="
    BELOW = "<"
    BETWEEN = "in"


@dataclass(frozen=True)
class Bound:
    """A threshold that is linear in the baseline: ``factor × baseline + offset``."""

    offset: float
    factor: float = 0.0

    def at(self, baseline: Optional[float]) -> float:
        """The threshold, given the baseline's value.

        Raises:
            ValueError: the bound speaks of a baseline and there is none.
        """
        if not self.factor:
            return self.offset
        if baseline is None:
            raise ValueError("this bound needs the baseline's value")
        return self.factor * baseline + self.offset


@dataclass(frozen=True)
class Rule:
    """One condition on a measured value.

    Attributes:
        text: as it was written.
        operator: the comparison.
        bound: what is compared with; for ``in``, the lower end (included).
        upper: for ``in``, the upper end (included).
    """

    text: str
    operator: Operator
    bound: Bound
    upper: Optional[Bound] = None

    @property
    def needs_baseline(self) -> bool:
        """Whether the rule can only be judged beside a baseline."""
        return any(bound.factor for bound in (self.bound, self.upper) if bound)

    def limits(self, baseline: Optional[float] = None) -> Tuple[float, float]:
        """The lower and the upper limit of what keeps the rule, ±inf if open."""
        at = self.bound.at(baseline)
        if self.upper is not None:
            return at, self.upper.at(baseline)
        rising = self.operator in (Operator.AT_LEAST, Operator.ABOVE)
        return (at, float("inf")) if rising else (float("-inf"), at)

    def keeps(self, value: float, baseline: Optional[float] = None) -> bool:
        """Whether *value* keeps the rule. Not a number keeps none."""
        low, high = self.limits(baseline)
        if self.operator in (Operator.ABOVE, Operator.BELOW):
            return low < value < high
        return low <= value <= high

    def __str__(self) -> str:
        return self.text


def parse_rule(text: str) -> Rule:
    """Read a rule.

    The grammar: an operator (``>=``, ``>``, ``<=``, ``<``) and a bound, or
    ``in [bound, bound]``. A bound is a number (``85%`` is 0.85) or
    ``[number *] baseline [* number] [± number]``; a percentage there is absolute:
    ``baseline - 1%`` lies 0.01 below.

    Raises:
        ValueError: with one line that shows what a rule looks like.
    """
    written = " ".join(text.split())
    between = _BETWEEN.fullmatch(written)
    if between:
        low, high = _bound(between["low"], text), _bound(between["high"], text)
        if low.factor == high.factor and low.offset > high.offset:
            raise ValueError(f"'rule' has its limits the wrong way round: '{text}'")
        return Rule(written, Operator.BETWEEN, low, high)
    comparison = _COMPARISON.fullmatch(written)
    if not comparison:
        raise _unreadable(text)
    operator = Operator(comparison["operator"])
    return Rule(written, operator, _bound(comparison["bound"], text))


def _bound(written: str, rule: str) -> Bound:
    written = written.strip()
    if re.fullmatch(_NUMBER, written):
        return Bound(_number(written))
    match = _BASELINE.fullmatch(written)
    if not match or (match["before"] and match["after"]):
        raise _unreadable(rule)
    factor = match["before"] or match["after"]
    offset = _number(match["offset"]) if match["offset"] else 0.0
    return Bound(
        offset=-offset if match["sign"] == "-" else offset,
        factor=_number(factor) if factor else 1.0,
    )


def _number(written: str) -> float:
    # Decimal, so that 85.3% and 0.853 are the same float.
    bare = written.rstrip("% ")
    value = Decimal(bare)
    return float(value / 100 if written.endswith("%") else value)


def _unreadable(text: str) -> ValueError:
    return ValueError(
        f"'rule' must look like '>= 0.85', 'in [0.2, 0.4]' or "
        f"'>= baseline - 0.01', got '{text}'"
    )

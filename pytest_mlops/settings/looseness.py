"""What makes an environment looser than the base, where stricter is expected."""

from __future__ import annotations

from typing import Iterator, Set

from pytest_mlops.core.checks import Policy
from pytest_mlops.core.outcomes import Decide, OnInconclusive
from pytest_mlops.core.rules import Bound, Operator, Rule
from pytest_mlops.settings.values import Gate

#: From strict to loose.
_UNDECIDED = (
    OnInconclusive.FAIL,
    OnInconclusive.HOLD,
    OnInconclusive.WARN,
    OnInconclusive.PASS,
)


def looser_policy(base: Policy, own: Policy) -> Iterator[str]:
    """What *own* makes easier, a few words each."""
    if base.enforce and not own.enforce:
        yield "enforce = false"
    if base.decide is Decide.CONFIDENT and own.decide is Decide.POINT:
        yield "decide = 'point' instead of 'confident'"
    if own.decide is Decide.CONFIDENT and own.confidence < base.confidence:
        yield f"confidence = {own.confidence:g} instead of {base.confidence:g}"
    if own.margin > base.margin:
        yield f"margin = {own.margin:g} instead of {base.margin:g}"
    if _forgives(base.on_inconclusive, own.on_inconclusive):
        yield _undecided(base.on_inconclusive, own.on_inconclusive)


def looser_gate(base: Gate, own: Gate, changed: Set[str]) -> Iterator[str]:
    """What *own* makes easier by the keys that it changes, a few words each."""
    same = (base.metric, base.options) == (own.metric, own.options)
    if same and base.selection == own.selection:
        if looser_rule(base.rule, own.rule):
            yield f"gate '{own.name}' has '{own.rule}' instead of '{base.rule}'"
    if "margin" in changed and own.margin > base.margin:
        margins = f"{own.margin:g} instead of {base.margin:g}"
        yield f"gate '{own.name}' has margin = {margins}"
    if own.min_rows > base.min_rows:
        rows = f"{own.min_rows} instead of {base.min_rows}"
        yield f"gate '{own.name}' has min_rows = {rows}"
    undecided = (base.on_inconclusive, own.on_inconclusive)
    if "on_inconclusive" in changed and _forgives(*undecided):
        yield f"gate '{own.name}' has {_undecided(*undecided)}"


def looser_rule(base: Rule, own: Rule) -> bool:
    """Whether *own* is certainly easier to keep; False where one cannot say."""
    if base.operator is not own.operator:
        return False
    if base.upper is not None and own.upper is not None:
        return _below(own.bound, base.bound) or _below(base.upper, own.upper)
    if own.operator in (Operator.AT_LEAST, Operator.ABOVE):
        return _below(own.bound, base.bound)
    return _below(base.bound, own.bound)


def _below(one: Bound, other: Bound) -> bool:
    return one.factor == other.factor and one.offset < other.offset


def _forgives(base: OnInconclusive, own: OnInconclusive) -> bool:
    return _UNDECIDED.index(own) > _UNDECIDED.index(base)


def _undecided(base: OnInconclusive, own: OnInconclusive) -> str:
    return f"on_inconclusive = '{own.value}' instead of '{base.value}'"

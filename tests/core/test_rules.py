"""Rules: what is read, what is refused, and what keeps them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlops.core.rules import Bound, Operator, parse_rule

numbers = st.floats(-1e6, 1e6, allow_nan=False)


@pytest.mark.parametrize(
    ("text", "operator", "limits"),
    [
        (">= 0.85", Operator.AT_LEAST, (0.85, math.inf)),
        (">=.85", Operator.AT_LEAST, (0.85, math.inf)),
        ("> 1e-3", Operator.ABOVE, (0.001, math.inf)),
        ("<= 85%", Operator.AT_MOST, (-math.inf, 0.85)),
        ("<= 85.3 %", Operator.AT_MOST, (-math.inf, 0.853)),
        ("< -0.5", Operator.BELOW, (-math.inf, -0.5)),
        ("in [0.2, 0.4]", Operator.BETWEEN, (0.2, 0.4)),
        ("in [20%,40%]", Operator.BETWEEN, (0.2, 0.4)),
    ],
)
def test_a_rule_is_read_as_it_is_written(text, operator, limits):
    rule = parse_rule(text)
    assert rule.operator is operator
    assert rule.limits() == limits
    assert not rule.needs_baseline


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        (">= baseline", Bound(0.0, 1.0)),
        (">= baseline - 0.01", Bound(-0.01, 1.0)),
        (">= baseline + 1%", Bound(0.01, 1.0)),
        ("<= baseline * 1.05", Bound(0.0, 1.05)),
        ("<= 1.05 * baseline + 0.1", Bound(0.1, 1.05)),
        ("<= 105% * baseline", Bound(0.0, 1.05)),
    ],
)
def test_baseline_arithmetic_is_linear(text, bound):
    rule = parse_rule(text)
    assert rule.bound == bound
    assert rule.needs_baseline
    assert rule.limits(0.8)[rule.operator is Operator.AT_MOST] == pytest.approx(
        bound.factor * 0.8 + bound.offset
    )


def test_a_rule_against_a_baseline_cannot_be_held_without_one():
    with pytest.raises(ValueError, match="needs the baseline's value"):
        parse_rule(">= baseline").limits()


@pytest.mark.parametrize(
    "text",
    ["", "0.85", "0.85+", ">=", ">= x", "== 0.85", ">= 0.8 <= 0.9", "in [0.2]"]
    + ["in 0.2, 0.4", ">= baselin", ">= 2 * baseline * 2", ">= baseline / 2"]
    + [">= nan", ">= inf", "in [nan, 1]"],
)
def test_what_is_no_rule_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match="must look like '>= 0.85'") as refused:
        parse_rule(text)
    assert "\n" not in str(refused.value)
    assert str(refused.value).endswith(f"got '{text}'")


def test_limits_the_wrong_way_round_are_refused():
    with pytest.raises(ValueError, match="wrong way round"):
        parse_rule("in [0.4, 0.2]")


@given(numbers, numbers)
def test_comparisons_agree_with_pythons(value, limit):
    assert parse_rule(f">= {limit!r}").keeps(value) == (value >= limit)
    assert parse_rule(f"> {limit!r}").keeps(value) == (value > limit)
    assert parse_rule(f"<= {limit!r}").keeps(value) == (value <= limit)
    assert parse_rule(f"< {limit!r}").keeps(value) == (value < limit)


@given(numbers)
def test_the_limit_itself_keeps_a_closed_rule_and_breaks_an_open_one(limit):
    assert parse_rule(f">= {limit!r}").keeps(limit)
    assert parse_rule(f"in [{limit!r}, {limit!r}]").keeps(limit)
    assert not parse_rule(f"> {limit!r}").keeps(limit)
    assert not parse_rule(f"< {limit!r}").keeps(limit)


@pytest.mark.parametrize("text", [">= 0", "> 0", "<= 0", "< 0", "in [-1, 1]"])
def test_not_a_number_keeps_no_rule(text):
    assert not parse_rule(text).keeps(math.nan)


@given(st.text(max_size=30))
def test_reading_raises_nothing_but_value_errors(text):
    try:
        parse_rule(text)
    except ValueError:
        return

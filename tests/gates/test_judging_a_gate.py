"""One gate against one estimate: pass, fail, or undecided for a stated reason."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pytest_mlops.core.checks import Policy
from pytest_mlops.core.metrics import (
    Better,
    Estimate,
    Metric,
    MetricOptions,
    TableKind,
    Task,
)
from pytest_mlops.core.outcomes import (
    Decide,
    OnInconclusive,
    OnMissingBaseline,
    Outcome,
)
from pytest_mlops.core.rules import parse_rule
from pytest_mlops.gates.decide import Figures
from pytest_mlops.gates.judge import judge, missing_baseline
from pytest_mlops.settings.values import Gate

CONFIDENT = Policy(decide=Decide.CONFIDENT)
KIND = TableKind("labels", Task.CLASSIFICATION, build=dict, from_json=dict)
METRIC = Metric(
    name="recall",
    title="",
    formula="",
    source="",
    better=Better.HIGHER,
    kind=KIND,
    estimate=lambda table, options: Estimate(None, 0),
)
ends = st.floats(-10, 10, allow_nan=False)


def gate(rule, margin=0.0, **more):
    return Gate(
        name="recall",
        metric=METRIC,
        options=MetricOptions(**more),
        rule=parse_rule(rule),
        margin=margin,
        on_inconclusive=OnInconclusive.HOLD,
    )


def estimate(value, low=None, high=None, rows=100):
    interval = None if low is None else (lambda confidence: (low, high))
    return Estimate(
        value, rows, method="wilson" if interval else None, interval=interval
    )


def judged(rule, found, policy=CONFIDENT, baseline=None, margin=0.0):
    figures = Figures(found, baseline)
    return judge(gate(rule, margin), figures, policy, node_id="gates/m.toml::r")


@pytest.mark.parametrize(
    ("rule", "value", "outcome"),
    [
        (">= 0.85", 0.85, Outcome.PASS),
        (
            ">= 0.85",
            math.nextafter(0.85, 0) if hasattr(math, "nextafter") else 0.8499999,
            Outcome.FAIL,
        ),
        ("> 0.85", 0.85, Outcome.FAIL),
        ("in [0.2, 0.4]", 0.3, Outcome.PASS),
        ("in [0.2, 0.4]", 0.5, Outcome.FAIL),
    ],
)
def test_by_the_point_the_value_alone_decides(rule, value, outcome):
    check = judged(rule, estimate(value, 0.0, 1.0), Policy())
    assert (check.outcome, check.reason) == (outcome, None)
    assert check.interval == (0.0, 1.0)


@pytest.mark.parametrize(
    ("rule", "low", "value", "high", "outcome"),
    [
        (">= 0.80", 0.80, 0.85, 0.90, Outcome.PASS),
        (">= 0.80", 0.79, 0.85, 0.90, Outcome.INCONCLUSIVE),
        (">= 0.80", 0.60, 0.70, 0.79, Outcome.FAIL),
        (">= 0.80", 0.60, 0.70, 0.80, Outcome.INCONCLUSIVE),
        ("> 0.80", 0.80, 0.85, 0.90, Outcome.INCONCLUSIVE),
        ("> 0.80", 0.60, 0.70, 0.80, Outcome.FAIL),
        ("<= 0.20", 0.05, 0.10, 0.20, Outcome.PASS),
        ("< 0.20", 0.20, 0.25, 0.30, Outcome.FAIL),
        ("in [0.2, 0.4]", 0.25, 0.30, 0.35, Outcome.PASS),
        ("in [0.2, 0.4]", 0.15, 0.30, 0.35, Outcome.INCONCLUSIVE),
        ("in [0.2, 0.4]", 0.45, 0.50, 0.55, Outcome.FAIL),
    ],
)
def test_by_confidence_the_whole_interval_decides(rule, low, value, high, outcome):
    check = judged(rule, estimate(value, low, high))
    assert check.outcome is outcome
    straddles = outcome is Outcome.INCONCLUSIVE
    assert check.reason == ("interval_straddles" if straddles else None)


@given(ends, ends, ends, st.sampled_from([">=", ">", "<=", "<"]))
def test_an_interval_decides_only_where_both_its_ends_agree(a, b, limit, operator):
    low, high = sorted((a, b))
    check = judged(f"{operator} {limit!r}", estimate((low + high) / 2, low, high))
    rule = parse_rule(f"{operator} {limit!r}")
    kept = {rule.keeps(low), rule.keeps(high)}
    expected = {
        frozenset({True}): Outcome.PASS,
        frozenset({False}): Outcome.FAIL,
        frozenset({True, False}): Outcome.INCONCLUSIVE,
    }[frozenset(kept)]
    assert check.outcome is expected


@given(ends, ends, ends, st.floats(0, 5))
def test_a_margin_only_ever_turns_undecided_into_pass(a, b, limit, margin):
    low, high = sorted((a, b))
    found = estimate((low + high) / 2, low, high)
    without = judged(f">= {limit!r}", found)
    within = judged(f">= {limit!r}", found, margin=margin)
    if within.outcome is not without.outcome:
        assert without.outcome is Outcome.INCONCLUSIVE
        assert within.outcome is Outcome.PASS
        assert within.reason == "within_margin"
        assert found.value >= limit and low >= limit - margin


def test_a_margin_does_not_let_a_value_below_the_rule_pass():
    assert judged(">= 0.8", estimate(0.79, 0.78, 0.82), margin=0.05).outcome is (
        Outcome.INCONCLUSIVE
    )


@pytest.mark.parametrize(
    ("rule", "margin", "value", "low", "high", "rows"),
    [
        (">= 0.80", 0.0, 0.84, 0.76, 0.90, 400),  # half-width .08, distance .04
        (">= 0.80", 0.04, 0.84, 0.72, 0.90, 225),  # .12 against .04 + .04
        (">= 0.80", 0.0, 0.78, 0.70, 0.84, 900),  # .06 against .02
        ("<= 0.20", 0.0, 0.16, 0.10, 0.24, 400),
        ("in [0.2, 0.4]", 0.0, 0.3, 0.1, 0.35, 400),  # .2 against .1
        (">= 0.80", 0.0, 0.80, 0.70, 0.90, None),  # on the limit itself
    ],
)
def test_rows_needed_scale_with_the_square_of_what_is_lacking(
    rule, margin, value, low, high, rows
):
    needed = judged(rule, estimate(value, low, high), margin=margin).rows_needed
    assert needed == (None if rows is None else pytest.approx(rows, abs=1))


@given(st.floats(0.01, 0.99), st.floats(0.001, 0.5), st.floats(0.01, 0.99))
def test_an_undecided_check_needs_more_rows_than_it_has(value, half, limit):
    assume(abs(value - limit) > 1e-6)
    check = judged(f">= {limit!r}", estimate(value, value - half, value + half))
    if check.outcome is Outcome.INCONCLUSIVE:
        assert check.rows_needed >= 100


def test_without_an_interval_nothing_is_certain():
    check = judged(">= 0.8", estimate(0.9))
    assert (check.outcome, check.reason) == (Outcome.INCONCLUSIVE, "no_interval")


@pytest.mark.parametrize("policy", [Policy(), CONFIDENT])
@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_an_undefined_value_is_neither_good_nor_bad(policy, value):
    found = Estimate(value, 0, reason="no row is labelled 1")
    check = judged(">= 0.0", found, policy)
    assert (check.outcome, check.reason) == (Outcome.INCONCLUSIVE, "undefined")
    assert check.value is None
    assert check.message == (
        "no row is labelled 1" if value is None else f"it came to {value}"
    )


def test_a_baseline_moves_the_threshold():
    check = judged(">= baseline - 0.01", estimate(0.84), Policy(), estimate(0.85))
    assert check.outcome is Outcome.PASS
    assert check.estimand == "difference"
    assert check.threshold == pytest.approx(0.84)
    assert check.baseline_value == 0.85
    assert check.difference == pytest.approx(-0.01)


def test_an_undefined_baseline_decides_nothing():
    check = judged(">= baseline", estimate(0.84), Policy(), estimate(None))
    assert (check.outcome, check.reason) == (
        Outcome.INCONCLUSIVE,
        "baseline_undefined",
    )
    assert check.threshold is None


def test_a_value_s_interval_is_not_taken_for_a_difference_s():
    check = judged(
        ">= baseline", estimate(0.9, 0.88, 0.92), baseline=estimate(0.5, 0.4, 0.6)
    )
    assert (check.outcome, check.reason) == (Outcome.INCONCLUSIVE, "no_interval")


def test_a_missing_baseline_fails_or_is_recorded_as_skipped():
    rule = gate(">= baseline")
    failed = missing_baseline(rule, "id", OnMissingBaseline.FAIL, "no alias")
    assert (failed.outcome, failed.reason) == (Outcome.FAIL, "baseline_missing")
    assert failed.message == "no alias"
    skipped = missing_baseline(rule, "id", OnMissingBaseline.SKIP, "no alias")
    assert skipped.outcome is Outcome.INCONCLUSIVE
    assert skipped.on_inconclusive is OnInconclusive.WARN


def test_a_check_records_how_it_was_asked():
    found = judge(
        gate("in [0.2, 0.4]", average="macro", beta=2.0),
        Figures(estimate(0.3)),
        Policy(),
        node_id="id",
    )
    assert found.options == {"average": "macro", "beta": 2.0}
    assert found.threshold == [0.2, 0.4]


@pytest.mark.parametrize(
    ("value", "outcome"),
    [(0.86, Outcome.PASS), (0.84, Outcome.FAIL), (0.8505, Outcome.INCONCLUSIVE)]
    + [(0.8495, Outcome.INCONCLUSIVE)],
)
def test_a_value_from_bins_decides_only_beyond_its_error_bound(value, outcome):
    found = Estimate(value, 100, error_bound=0.001)
    check = judged(">= 0.85", found, Policy())
    assert check.outcome is outcome
    assert check.error_bound == 0.001
    undecided = outcome is Outcome.INCONCLUSIVE
    assert check.reason == ("within_error_bound" if undecided else None)


def test_a_rule_against_a_baseline_is_decided_by_the_paired_interval():
    def paired(factor):
        assert factor == 1.0
        return Estimate(
            0.004, 1000, method="pairs", interval=lambda confidence: (0.001, 0.007)
        )

    figures = Figures(estimate(0.854, 0.82, 0.88), estimate(0.85, 0.81, 0.88), paired)
    check = judge(gate(">= baseline"), figures, CONFIDENT, node_id="id")
    assert check.outcome is Outcome.PASS
    assert (check.interval, check.method) == ((0.001, 0.007), "pairs")
    assert (check.value, check.baseline_value) == (0.854, 0.85)
    worse = judge(gate(">= baseline + 0.005"), figures, CONFIDENT, node_id="id")
    assert worse.outcome is Outcome.INCONCLUSIVE


def test_each_side_of_a_rule_has_its_own_factor():
    asked = []

    def paired(factor):
        asked.append(factor)
        value = 0.9 - factor * 0.8
        return Estimate(value, 100, interval=lambda c: (value - 0.01, value + 0.01))

    figures = Figures(estimate(0.9), estimate(0.8), paired)
    check = judge(
        gate("in [0.9 * baseline, 1.2 * baseline]"), figures, CONFIDENT, node_id="id"
    )
    assert set(asked) == {0.9, 1.2}
    assert check.outcome is Outcome.PASS
    assert check.difference == pytest.approx(0.9 - 0.9 * 0.8)


def test_an_interval_that_is_no_interval_decides_nothing():
    found = Estimate(0.5, 100, interval=lambda confidence: (math.nan, math.nan))
    check = judged(">= 0.8", found)
    assert (check.outcome, check.reason) == (Outcome.INCONCLUSIVE, "no_interval")

"""One rule over many slices: passes where all pass, fails only beyond chance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pytest_mlops.core.checks import Policy
from pytest_mlops.core.metrics import Better, Estimate, Metric, MetricOptions
from pytest_mlops.core.outcomes import Decide, OnInconclusive, Outcome
from pytest_mlops.core.rules import parse_rule
from pytest_mlops.core.selection import Selection
from pytest_mlops.evidence.intervals import (
    binomial_tails,
    f1_tails,
    normal,
    wilson,
)
from pytest_mlops.evidence.tables import LABELS
from pytest_mlops.gates.decide import Figures
from pytest_mlops.gates.judge import judge_slices
from pytest_mlops.gates.limits import breaking_chance, holm, limits_of
from pytest_mlops.settings.values import Gate

CONFIDENT = Policy(decide=Decide.CONFIDENT)
METRIC = Metric(
    name="recall",
    title="",
    formula="",
    source="",
    better=Better.HIGHER,
    kind=LABELS,
    estimate=lambda table, options: Estimate(None, 0),
)


def gate(rule, **more):
    fields = {
        "name": "by_region",
        "metric": METRIC,
        "options": MetricOptions(),
        "rule": parse_rule(rule),
        "margin": 0.0,
        "on_inconclusive": OnInconclusive.WARN,
        "selection": Selection(by=("region",)),
    }
    return Gate(**{**fields, **more})


def share(hits, rows):
    return Figures(
        Estimate(
            hits / rows,
            rows,
            method="wilson",
            interval=wilson(hits, rows),
            tails=binomial_tails(hits, rows),
        )
    )


def judged(rule, shares, policy=CONFIDENT, **more):
    slices = [({"region": i}, share(*one)) for i, one in enumerate(shares)]
    return judge_slices(gate(rule, **more), slices, policy, node_id="id")


def test_every_slice_is_a_check_with_its_own_figures():
    north, south = judged(">= 0.70", [(95, 100), (180, 200)])
    assert (north.slice, south.slice) == ({"region": 0}, {"region": 1})
    assert (north.value, south.rows) == (0.95, 200)
    assert {north.outcome, south.outcome} == {Outcome.PASS}
    assert north.selection == '{"by": ["region"]}'


def test_passing_takes_no_correction():
    checks = judged(">= 0.70", [(80, 100)] * 50)
    assert {check.outcome for check in checks} == {Outcome.PASS}


def test_one_that_fails_by_itself_may_be_chance_among_many():
    alone, *_ = judged(">= 0.80", [(70, 100)])
    among, *others = judged(">= 0.80", [(70, 100), *[(85, 100)] * 19])
    assert alone.outcome is Outcome.FAIL
    assert alone.p_value == alone.p_adjusted == pytest.approx(among.p_value)
    assert among.outcome is Outcome.INCONCLUSIVE
    assert among.reason == "not_significant_after_holm"
    assert among.p_adjusted == pytest.approx(20 * among.p_value)


def test_one_far_below_fails_among_many():
    checks = judged(">= 0.80", [(50, 100), *[(85, 100)] * 19])
    assert checks[0].outcome is Outcome.FAIL
    assert checks[0].p_adjusted <= 0.025


def test_small_slices_are_shown_and_decide_nothing():
    checks = judged(">= 0.80", [(5, 50), (95, 100)], min_rows=100)
    assert (checks[0].reason, checks[0].value) == ("below_min_rows", 0.1)
    assert checks[0].outcome is Outcome.INCONCLUSIVE
    assert checks[0].on_inconclusive is OnInconclusive.WARN
    # … and are not counted by the correction either.
    assert checks[0].p_value is None
    assert checks[1].p_adjusted == checks[1].p_value


def test_by_the_value_no_correction_is_made():
    checks = judged(">= 0.80", [(79, 100), *[(85, 100)] * 19], Policy())
    assert checks[0].outcome is Outcome.FAIL
    assert checks[0].p_adjusted == 1.0


def test_twenty_good_slices_seldom_block():
    """Of 20 slices of 100 rows, all truly at .80 and held against .75."""
    draws = np.random.default_rng(1).binomial(100, 0.8, (200, 20))
    blocked = pointed = 0
    for row in draws.tolist():
        checks = judged(">= 0.75", [(hits, 100) for hits in row])
        blocked += any(check.outcome is Outcome.FAIL for check in checks)
        pointed += any(hits < 75 for hits in row)
    assert blocked <= 2
    assert pointed > 160


def test_twenty_slices_on_the_limit_fail_no_more_often_than_stated():
    """Of 20 slices of 100 rows, all truly at the limit: 2.5 %, and less by steps."""
    draws = np.random.default_rng(2).binomial(100, 0.8, (2000, 20))
    worst = np.sort(draws, axis=1)[:, 0]
    # The first step of Holm's method decides: the lowest slice.
    few = {hits: share(hits, 100).candidate.tails(0.8)[0] for hits in set(worst)}
    failed = np.mean([20 * few[hits] <= 0.025 for hits in worst.tolist()])
    assert failed <= 0.025 + 3 * np.sqrt(0.025 * 0.975 / 2000)


def test_a_slice_alone_is_decided_by_its_interval():
    """Where Wilson's interval is a little bolder than the binomial chance."""
    (check,) = judged(">= 0.8", [(71, 100)])
    assert check.interval[1] < 0.8
    assert check.outcome is Outcome.FAIL


@given(st.integers(0, 60), st.integers(1, 60), st.floats(0.01, 0.99))
def test_tails_are_the_binomial_s_with_half_of_what_was_found(hits, rows, truth):
    hits = min(hits, rows)
    few, many = binomial_tails(hits, rows)(truth)
    found = stats.binom(rows, truth)
    assert few == pytest.approx(found.cdf(hits) - found.pmf(hits) / 2, abs=1e-9)
    assert few + many == pytest.approx(1)
    jaccard = f1_tails(hits, rows)(2 * truth / (1 + truth))
    assert jaccard == pytest.approx((few, many), abs=1e-9)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_holm_is_statsmodels_holm(p_values):
    """Against the definition, slice by slice."""
    found = holm(p_values)
    order = np.argsort(p_values, kind="stable")
    for rank, index in enumerate(order):
        most = max(
            min(1.0, (len(p_values) - k) * p_values[other])
            for k, other in enumerate(order[: rank + 1])
        )
        assert found[index] == most


@given(st.floats(-3, 3), st.floats(0.01, 2), st.floats(-3, 3))
def test_the_chance_is_read_off_the_interval(value, error, limit):
    found = Estimate(value, 10, interval=normal(value, error, (-np.inf, np.inf)))
    (low,) = limits_of(parse_rule(f">= {limit!r}"))
    (high,) = limits_of(parse_rule(f"<= {limit!r}"))
    expected = stats.norm.cdf((value - limit) / error)
    assert breaking_chance(low, found) == pytest.approx(expected, abs=1e-9)
    assert breaking_chance(high, found) == pytest.approx(1 - expected, abs=1e-9)


@given(st.integers(0, 300), st.integers(1, 300), st.floats(0.01, 0.99))
def test_an_interval_that_breaks_the_rule_has_a_small_chance(hits, rows, limit):
    hits = min(hits, rows)
    found = Estimate(hits / rows, rows, interval=wilson(hits, rows))
    (side,) = limits_of(parse_rule(f">= {limit!r}"))
    chance = breaking_chance(side, found)
    high = wilson(hits, rows)(0.95)[1]
    if abs(high - limit) > 1e-9:
        assert (chance < 0.025) is (high < limit)


@pytest.mark.parametrize("value", [0.5, 0.9])
def test_without_an_interval_there_is_no_chance(value):
    slices = [({"region": 0}, Figures(Estimate(value, 10)))]
    (check,) = judge_slices(gate(">= 0.8"), slices, CONFIDENT, node_id="id")
    assert (check.p_value, check.p_adjusted) == (None, None)
    assert check.reason == "no_interval"


def test_how_many_rows_would_settle_a_slice_takes_the_others_into_account():
    alone = judged(">= 0.8", [(74, 100)])[0]
    among, *_ = judged(">= 0.8", [(74, 100), *[(85, 100)] * 19])
    assert alone.outcome is among.outcome is Outcome.INCONCLUSIVE
    assert among.rows_needed > 1.5 * alone.rows_needed
    # With as many rows as are said, and the same share, it fails.
    rows = among.rows_needed + 20
    settled = judged(">= 0.8", [(round(0.74 * rows), rows), *[(85, 100)] * 19])[0]
    assert settled.outcome is Outcome.FAIL


def test_a_slice_that_fails_before_the_correction_alone_says_what_it_lacks():
    among, *_ = judged(">= 0.80", [(70, 100), *[(85, 100)] * 19])
    assert among.reason == "not_significant_after_holm"
    assert among.rows_needed > 100


def test_a_gate_all_of_whose_slices_are_too_small_has_judged_nothing():
    shares = [(5, 50), (45, 50)]
    held = judged(">= 0.80", shares, min_rows=100)
    failed = judged(">= 0.80", shares, min_rows=100, on_nothing=OnInconclusive.FAIL)
    assert {check.on_inconclusive for check in held} == {OnInconclusive.HOLD}
    assert {check.on_inconclusive for check in failed} == {OnInconclusive.FAIL}

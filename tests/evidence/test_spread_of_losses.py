"""How means of losses stray: by row, by weight and by group, and in pairs."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlops.core.metrics import MetricOptions
from pytest_mlops.core.rows import (
    ClassificationRows,
    Labels,
    PairedRows,
    RegressionRows,
)
from pytest_mlops.errors import DataError
from pytest_mlops.evidence.metrics import builtin_metrics
from pytest_mlops.evidence.spread import Spread, accelerated, skewed, student
from pytest_mlops.evidence.tables import ERRORS, LOSSES
from pytest_mlops.evidence.tables.moments import Moments

METRICS = {metric.name: metric for metric in builtin_metrics()}
OPTIONS = MetricOptions()
ON_ERRORS = ["mae", "rmse", "r2", "mape", "bias"]
CONFIDENCES = [0.01, 0.5, 0.8, 0.95, 0.99, 0.9999, 1 - 1e-12]


def sample(rows=400, seed=0, group_effect=0.0, groups=80):
    """Regression rows in groups, with weights and skewed errors."""
    random = np.random.default_rng(seed)
    bucket = random.integers(0, groups, rows) * 7
    shared = random.normal(size=groups * 7)[bucket] * group_effect
    true = random.normal(20, 4, rows)
    predicted = true + random.gumbel(size=rows) + shared
    return RegressionRows(true, predicted, random.gamma(2.0, size=rows), bucket)


def paired(rows=400, seed=0, near=0.1, **options):
    candidate = sample(rows, seed, **options)
    noise = np.random.default_rng(seed + 1).normal(0, near, rows)
    baseline = replace(candidate, predicted=candidate.predicted + noise)
    return PairedRows(candidate, baseline)


def without(rows, *names):
    return replace(rows, **{name: None for name in names})


def of(rows, weighted, grouped):
    return without(
        rows, *([] if weighted else ["weights"]), *([] if grouped else ["groups"])
    )


def pair_of(rows, weighted, grouped):
    one, two = (of(r, weighted, grouped) for r in (rows.candidate, rows.baseline))
    return PairedRows(one, two)


def influence_error(influence, weights, groups):
    """The standard error of Σ w u / Σ w from first principles."""
    weights = np.ones(len(influence)) if weights is None else weights
    scores = weights * (influence - np.average(influence, weights=weights))
    if groups is None:
        size = weights.sum() ** 2 / (weights**2).sum()
    else:
        scores = np.bincount(groups, scores)[np.unique(groups)]
        size = len(scores)
    return math.sqrt((scores**2).sum() * size / (size - 1)) / weights.sum()


def influence_of(name, rows):
    """The influence of each row on a metric, but for a constant."""
    error = rows.predicted - rows.true
    if name == "bias":
        return error
    if name in ("mae", "mape"):
        return np.abs(error) / (rows.true if name == "mape" else 1)
    square = np.average(error**2, weights=rows.weights)
    if name == "rmse":
        return error**2 / (2 * math.sqrt(square))
    centred = (rows.true - np.average(rows.true, weights=rows.weights)) ** 2
    whole = np.average(centred, weights=rows.weights)
    return -(error**2) / whole + square / whole**2 * centred


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("name", ON_ERRORS)
def test_standard_errors_are_those_of_the_influences(name, weighted, grouped):
    rows = of(sample(6000, group_effect=0.5, groups=500), weighted, grouped)
    expected = influence_error(influence_of(name, rows), rows.weights, rows.groups)

    found = METRICS[name].estimate(ERRORS.build(rows), OPTIONS)

    low, high = found.interval(0.5)
    assert (high - low) / 2 == pytest.approx(0.6745 * expected, rel=0.03)
    assert found.method.endswith("_clustered") == grouped


@pytest.mark.parametrize("factor", [1.0, 0.9, 0.0, 2.0])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("name", ON_ERRORS)
def test_differences_are_those_of_both_models(name, grouped, weighted, factor):
    both = pair_of(paired(6000, near=1.0, groups=500), weighted, grouped)
    one, two = (
        METRICS[name].estimate(ERRORS.build(rows), OPTIONS).value
        for rows in (both.candidate, both.baseline)
    )
    influence = influence_of(name, both.candidate) - factor * influence_of(
        name, both.baseline
    )
    rows = both.candidate
    expected = influence_error(influence, rows.weights, rows.groups)

    found = METRICS[name].difference(ERRORS.pair.build(both), OPTIONS, factor)

    assert found.value == pytest.approx(one - factor * two, abs=1e-12)
    low, high = found.interval(0.5)
    assert (high - low) / 2 == pytest.approx(0.6745 * expected, rel=0.03)
    assert found.rows == len(rows)
    assert found.method.startswith("paired_")
    assert found.method.endswith("_clustered") == grouped


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("name", ON_ERRORS)
def test_each_model_of_a_pair_has_its_own_table(name, grouped, weighted):
    both = pair_of(paired(near=3.0), weighted, grouped)
    table = ERRORS.pair.build(both)

    for derived, rows in (
        (table.candidate, both.candidate),
        (table.baseline, both.baseline),
    ):
        found = METRICS[name].estimate(derived, OPTIONS)
        alone = METRICS[name].estimate(ERRORS.build(rows), OPTIONS)
        assert found.value == pytest.approx(alone.value, rel=1e-12)
        assert found.interval(0.9) == pytest.approx(alone.interval(0.9), rel=1e-9)
        assert replace(found, value=0, interval=None) == replace(
            alone, value=0, interval=None
        )


def test_a_small_difference_is_seen_where_the_models_alone_overlap():
    both = pair_of(paired(near=0.05), False, False)
    table = ERRORS.pair.build(both)

    found = METRICS["mae"].difference(table, OPTIONS, 1.0).interval(0.95)

    alone = METRICS["mae"].estimate(table.candidate, OPTIONS).interval(0.95)
    assert found[1] - found[0] < (alone[1] - alone[0]) / 10


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("name", ON_ERRORS)
def test_identical_models_differ_by_nothing(name, grouped):
    rows = of(sample(), True, grouped)
    table = ERRORS.pair.build(PairedRows(rows, rows))

    found = METRICS[name].difference(table, OPTIONS, 1.0)

    assert found.value == 0
    assert found.interval(0.95) == (0.0, 0.0)
    assert found.flags == ("few_discordant",)
    with pytest.raises(ValueError, match="between 0 and 1"):
        found.interval(95)
    relative = METRICS[name].difference(table, OPTIONS, 0.9)
    low, high = relative.interval(0.95)
    assert low < relative.value < high


def test_models_that_differ_in_few_rows_are_flagged():
    rows = of(sample(), False, False)
    for discordant, flagged in ((3, True), (19, True), (20, False)):
        other = rows.predicted.copy()
        other[:discordant] += 0.1
        pair = PairedRows(rows, replace(rows, predicted=other))
        found = METRICS["mae"].difference(ERRORS.pair.build(pair), OPTIONS, 1.0)
        assert ("few_discordant" in found.flags) == flagged


def test_models_that_differ_by_the_same_everywhere_leave_no_interval():
    true = np.zeros(50)
    pair = PairedRows(RegressionRows(true, true + 1), RegressionRows(true, true + 2))

    found = METRICS["mae"].difference(ERRORS.pair.build(pair), OPTIONS, 1.0)

    assert (found.value, found.interval) == (-1.0, None)
    assert found.flags == ("low_support",)


@pytest.mark.parametrize("perfect", ["candidate", "baseline"])
def test_a_model_without_errors_can_be_compared(perfect):
    rows = of(sample(), False, False)
    both = {"candidate": rows, "baseline": rows}
    both[perfect] = replace(rows, predicted=rows.true)
    table = ERRORS.pair.build(PairedRows(**both))

    root = METRICS["rmse"].difference(table, OPTIONS, 1.0)
    share = METRICS["r2"].difference(table, OPTIONS, 1.0)

    sign = -1 if perfect == "candidate" else 1
    assert root.value * sign > 0 > share.value * sign
    assert root.flags == ("low_support",)
    assert share.interval(0.95)[0] < share.value < share.interval(0.95)[1]


@pytest.mark.parametrize("size", [1e-200, 1e-155, 1e-140, 1e-100, 1e10])
@pytest.mark.parametrize("name", ON_ERRORS)
def test_errors_and_targets_of_any_size_are_compared(name, size):
    rows = of(sample(50), False, False)
    small = RegressionRows(rows.true * size, rows.predicted * size)
    other = RegressionRows(small.true, (rows.predicted + np.arange(50) % 3) * size)
    table = ERRORS.pair.build(PairedRows(small, other))

    alone = METRICS[name].estimate(table.candidate, OPTIONS)
    found = METRICS[name].difference(table, OPTIONS, 1.0)

    for one in (alone, found):
        if one.interval is not None:
            low, high = one.interval(0.95)
            assert low <= one.value <= high
        else:
            assert one.reason or one.flags


def test_a_perfect_model_explains_everything_as_far_as_is_known():
    true = np.arange(30.0)

    found = METRICS["r2"].estimate(ERRORS.build(RegressionRows(true, true)), OPTIONS)

    assert (found.value, found.interval, found.flags) == (1.0, None, ("low_support",))


@pytest.mark.parametrize("name", ON_ERRORS)
def test_differences_of_nothing_are_undefined(name):
    empty = RegressionRows(np.empty(0), np.empty(0))

    found = METRICS[name].difference(
        ERRORS.pair.build(PairedRows(empty, empty)), OPTIONS, 1.0
    )

    assert (found.value, found.reason) == (None, "there are no rows")


def test_a_constant_target_leaves_no_difference_to_explain():
    rows = RegressionRows(np.full(5, 3.0), np.arange(5.0))

    found = METRICS["r2"].difference(
        ERRORS.pair.build(PairedRows(rows, rows)), OPTIONS, 1.0
    )

    assert found.value is None
    assert found.reason == "the target is 3 in all of 5 rows"


def test_errors_of_a_pair_too_large_to_square_are_refused():
    rows = RegressionRows(np.array([1e200, 1.0]), np.array([-1e200, 1.0]))

    with pytest.raises(DataError, match="too large to be squared"):
        ERRORS.pair.build(PairedRows(rows, rows))


def judged(scores, true):
    labels = Labels(np.asarray(true), (0, 1))
    found = np.asarray(scores, dtype=np.float64)[:, np.newaxis]
    return ClassificationRows(labels, labels, 1, found, (1,))


@pytest.mark.parametrize("name", ["log_loss", "brier"])
def test_losses_are_compared_in_pairs(name):
    random = np.random.default_rng(3)
    true = random.integers(0, 2, 300)
    scores = np.clip(0.2 + 0.6 * true + random.normal(0, 0.2, 300), 0.01, 0.99)
    worse = np.clip(scores + random.normal(0, 0.05, 300), 0.01, 0.99)
    both = PairedRows(judged(scores, true), judged(worse, true))
    table = LOSSES.pair.from_json(LOSSES.pair.build(both).to_json())
    options = MetricOptions(positive=1)

    found = METRICS[name].difference(table, options, 1.0)

    one, two = (
        METRICS[name].estimate(LOSSES.build(rows), options).value
        for rows in (both.candidate, both.baseline)
    )
    assert found.value == pytest.approx(one - two, abs=1e-14)
    low, high = found.interval(0.95)
    assert low < found.value < high


@pytest.mark.parametrize("groups", [29, 30])
def test_few_groups_are_flagged(groups):
    rows = replace(sample(300, groups=400), groups=np.arange(300) % groups * 5)

    for name in ON_ERRORS:
        found = METRICS[name].estimate(ERRORS.build(rows), OPTIONS)
        assert ("few_groups" in found.flags) == (groups < 30)


def test_rows_that_belong_together_make_an_interval_wider():
    rows = of(sample(2000, group_effect=2.0), False, True)

    alone, together = (
        METRICS["bias"].estimate(ERRORS.build(one), OPTIONS).interval(0.95)
        for one in (without(rows, "groups"), rows)
    )

    assert together[1] - together[0] > 2 * (alone[1] - alone[0])


tables = st.lists(
    st.tuples(
        st.floats(1, 100),
        st.floats(-100, 100),
        st.floats(-100, 100),
        st.floats(0.5, 4),
        st.integers(0, 5),
    ),
    max_size=8,
)


def table_of(kind, batch, weighted, grouped):
    array = np.array(batch, dtype=np.float64).reshape(-1, 5)
    true, one, two, weights, groups = array.T
    rows = of(
        RegressionRows(true, one, weights, groups.astype(np.int64)), weighted, grouped
    )
    if kind is ERRORS:
        return kind.build(rows)
    return kind.build(PairedRows(rows, replace(rows, predicted=two)))


def flat(value):
    """All numbers in JSON, in order."""
    if isinstance(value, dict):
        return [number for key in sorted(value) for number in flat(value[key])]
    if isinstance(value, list):
        return [number for one in value for number in flat(one)]
    return [float(value)] if isinstance(value, (int, float)) else []


def close(one, two):
    for loss, moments in one.losses.items():
        first, second = (
            np.array(flat(m.to_json())) for m in (moments, two.losses[loss])
        )
        # Third moments may cancel; their terms are as large as this.
        scale = np.abs(first).max() ** 1.5
        assert first == pytest.approx(second, rel=1e-9, abs=scale * 1e-12)


@pytest.mark.parametrize("kind", [ERRORS, ERRORS.pair], ids=["alone", "paired"])
@given(tables, tables, tables, st.booleans(), st.booleans())
def test_tables_of_losses_add_up(kind, a, b, c, weighted, grouped):
    first, second, third = (table_of(kind, x, weighted, grouped) for x in (a, b, c))
    whole = table_of(kind, a + b + c, weighted, grouped)
    merged = first.merge(second)

    assert merged.to_json() == second.merge(first).to_json()
    close(merged.merge(third), first.merge(second.merge(third)))
    close(merged.merge(third), whole)
    again = kind.from_json(json.loads(json.dumps(whole.to_json())))
    assert again.to_json() == whole.to_json()
    assert kind.from_json(merged.to_json()).to_json() == merged.to_json()


def test_tables_of_other_losses_do_not_add_up():
    rows = of(sample(), False, False)
    errors = ERRORS.build(rows)

    with pytest.raises(ValueError, match="cannot merge losses"):
        errors.merge(LOSSES.build(judged([0.5], [1])))
    with pytest.raises(ValueError, match="with groups and without"):
        errors.merge(ERRORS.build(of(sample(), False, True)))


def test_weights_and_no_weights_add_up():
    values = np.random.default_rng(2).gamma(1.0, size=50)
    plain = Moments.of({"x": values[:20]})

    merged = plain.merge(Moments.of({"x": values[20:]}, np.ones(30)))

    assert merged.spread(x=1.0).error == pytest.approx(
        Moments.of({"x": values}).spread(x=1.0).error, rel=1e-12
    )


def test_the_spread_of_a_target_far_from_zero_is_exact():
    random = np.random.default_rng(4)
    target = random.normal(1e6, 1.0, 1000)
    error = random.normal(size=1000)
    parts = [slice(i, i + 100) for i in range(0, 1000, 100)]

    def build(part):
        return ERRORS.build(RegressionRows(target[part], target[part] + error[part]))

    merged = build(parts[0])
    for part in parts[1:]:
        merged = merged.merge(build(part))

    centred = target - target.mean()
    made = (target + error) - target
    expected = 1 - (made**2).mean() / (centred**2).mean()
    found = METRICS["r2"].estimate(merged, OPTIONS)
    assert found.value == pytest.approx(expected, rel=1e-9)
    shifted = METRICS["r2"].estimate(
        ERRORS.build(RegressionRows(centred, centred + made)), OPTIONS
    )
    assert found.interval(0.95) == pytest.approx(shifted.interval(0.95), rel=1e-6)


@given(
    st.floats(0.01, 10),
    st.floats(1e-3, 3),
    st.floats(-1, 1),
    st.floats(1, 1e6),
    st.sampled_from([(0.0, math.inf), (0.0, 20.0), (-math.inf, math.inf)]),
    st.sampled_from([(1.0, 1.0), (1.0, 2.4), (2.4, 1.0)]),
)
def test_intervals_of_skewed_means(value, error, skewness, degrees, limits, reach):
    interval = skewed(value, Spread(error, skewness, degrees), limits, reach)

    ends = [interval(confidence) for confidence in CONFIDENCES]
    for low, high in ends:
        assert limits[0] <= low <= value <= high <= limits[1]
        assert math.isfinite(low) and math.isfinite(high)
    for (low, high), (lower, higher) in zip(ends, ends[1:]):
        assert lower <= low
        assert higher >= high


@given(st.floats(-30, 30), st.floats(1e-3, 1))
def test_skewness_bends_steps_without_breaking_them(step, skewness):
    here, there = (accelerated(s, skewness) for s in (step, step + 1e-6))

    assert -1e-9 <= there - here < 1e-3
    assert here == -accelerated(-step, -skewness)


@pytest.mark.parametrize("confidence", [0.0, 1.0, math.nan, 95])
def test_students_quantile_needs_a_confidence(confidence):
    assert student(0.95, 10.0) == pytest.approx(2.2281388519649385, rel=1e-9)
    with pytest.raises(ValueError, match="between 0 and 1"):
        student(confidence, 10.0)

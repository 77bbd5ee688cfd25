"""Functions of one's own have an interval: of a value and of a difference."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_mlops.core.metrics import Better, MetricOptions, Task
from pytest_mlops.core.rows import ClassificationRows, PairedRows, RegressionRows
from pytest_mlops.errors import MetricError
from pytest_mlops.evidence.bias_corrected import Shape, bias_corrected
from pytest_mlops.evidence.draws import hashes, poisson_counts, shuffled_blocks
from pytest_mlops.evidence.labels import encode
from pytest_mlops.evidence.metrics import builtin_metrics, function_metric
from pytest_mlops.evidence.resampling import replicates_of
from pytest_mlops.evidence.tables import ERRORS
from pytest_mlops.evidence.tables.replicates import Replicates

OPTIONS = MetricOptions()
METRICS = {metric.name: metric for metric in builtin_metrics()}
CONFIDENCES = [0.01, 0.5, 0.8, 0.95, 0.99, 0.9999, 1 - 1e-12]


def mean_error(true, predicted):
    return np.abs(true - predicted).mean()


def relative_error(true, predicted):
    return np.abs(true - predicted).sum() / true.sum()


def sample(rows=300, seed=0, grouped=False, shared=0.0):
    random = np.random.default_rng(seed)
    groups = np.arange(rows) % 60 * 3
    true = random.gamma(3.0, size=rows)
    error = random.normal(size=rows) + shared * random.normal(size=180)[groups]
    return RegressionRows(true, true + error, None, groups if grouped else None)


def metric_of(function, task=Task.REGRESSION, **about):
    return function_metric(function, task, "own", **about)


def finished(metric, rows):
    return metric.kind.finish(metric.kind.build(rows))


def estimate(function, rows, **about):
    metric = metric_of(function, **about)
    return metric.estimate(finished(metric, rows), OPTIONS)


@pytest.mark.parametrize("grouped", [False, True])
def test_the_interval_of_a_mean_is_nearly_that_of_its_moments(grouped):
    rows = sample(grouped=grouped, shared=1.0)

    found = estimate(mean_error, rows)

    known = METRICS["mae"].estimate(ERRORS.build(rows), OPTIONS)
    assert found.value == pytest.approx(known.value, rel=1e-12)
    low, high = known.interval(0.95)
    tolerance = 0.15 * (high - low)
    assert found.interval(0.95) == pytest.approx((low, high), abs=tolerance)
    assert found.method == (
        "poisson_bootstrap_clustered" if grouped else "poisson_bootstrap"
    )
    assert found.flags == ()


def test_the_same_rows_have_the_same_replicates():
    metric = metric_of(relative_error)
    one, two = (finished(metric, sample()) for _ in range(2))

    assert one.to_json() == two.to_json()
    # By a counter: also on another machine and another day.
    assert one.drawn[:3] == pytest.approx(
        [0.23286994377067835, 0.26677940803812156, 0.2878079909159562], rel=1e-12
    )


def test_an_interval_comes_from_the_stored_replicates():
    metric = metric_of(relative_error)
    table = finished(metric, sample())
    data = json.loads(json.dumps(table.to_json(), allow_nan=False))

    again = metric.kind.from_json(data)

    assert again.to_json() == data
    assert metric.estimate(again, OPTIONS).interval(0.9) == metric.estimate(
        table, OPTIONS
    ).interval(0.9)
    assert len(data["replicates"]) == 400
    assert not metric.kind.recomputable
    assert metric.kind.inline


def test_a_plugin_says_what_its_metric_is():
    metric = metric_of(
        mean_error,
        title="mean error",
        formula="mean |p − y|",
        source="https://acme.example",
        better=Better.LOWER,
        limits=(0.0, math.inf),
    )
    rows = RegressionRows(np.zeros(5), np.array([0.0, 0, 0, 0, 9]))

    assert (metric.name, metric.title, metric.better) == (
        "own",
        "mean error",
        Better.LOWER,
    )
    assert metric.interval_method.startswith("Poisson bootstrap")
    found = metric.estimate(finished(metric, rows), OPTIONS)
    assert found.interval(0.99)[0] == 0.0
    assert "low_support" in found.flags


def test_a_plain_function_metric_has_no_direction():
    metric = metric_of(mean_error)

    assert metric.better is Better.NEITHER
    assert metric.formula == "own(y_true, y_pred)"
    assert metric.kind.name == "custom/own"
    assert metric.kind.pair.name == "paired/custom/own"


def test_classification_is_given_labels():
    labels = encode(["no", "yes"] * 50)
    other = encode(["no"] * 50 + ["yes", "no"] * 25)

    found = estimate(
        lambda true, predicted: (true == predicted).mean(),
        ClassificationRows(labels, other),
        limits=(0.0, 1.0),
    )

    low, high = found.interval(0.95)
    assert 0 < low < found.value < high < 1


def pair(near=0.1, grouped=False):
    one = sample(grouped=grouped)
    noise = np.random.default_rng(9).normal(0.05, near, len(one))
    return PairedRows(
        one, RegressionRows(one.true, one.predicted + noise, None, one.groups)
    )


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("factor", [1.0, 0.9])
def test_both_models_are_drawn_alike(factor, grouped):
    metric, both = metric_of(mean_error), pair(grouped=grouped)
    table = metric.kind.pair.finish(metric.kind.pair.build(both))
    data = json.loads(json.dumps(table.to_json()))

    found = metric.difference(metric.kind.pair.from_json(data), OPTIONS, factor)

    known = METRICS["mae"].difference(ERRORS.pair.build(both), OPTIONS, factor)
    assert found.value == pytest.approx(known.value, abs=1e-12)
    low, high = known.interval(0.95)
    assert found.interval(0.95) == pytest.approx((low, high), abs=0.2 * (high - low))
    assert table.candidate.to_json() == finished(metric, both.candidate).to_json()
    assert table.baseline.to_json() == finished(metric, both.baseline).to_json()


def test_identical_models_differ_by_nothing():
    metric, one = metric_of(relative_error), sample()
    table = metric.kind.pair.finish(metric.kind.pair.build(PairedRows(one, one)))

    found = metric.difference(table, OPTIONS, 1.0)

    assert (found.value, found.interval(0.9)) == (0.0, (0.0, 0.0))
    assert found.flags == ("few_discordant",)


def test_no_rows_have_no_difference():
    metric, empty = metric_of(mean_error), RegressionRows(np.empty(0), np.empty(0))
    table = metric.kind.pair.finish(metric.kind.pair.build(PairedRows(empty, empty)))

    found = metric.difference(table, OPTIONS, 1.0)

    assert (found.value, found.reason) == (None, "there are no rows")


def needs_a_large_one(true, predicted):
    """Not every replicate has what it needs."""
    chosen = true > 7.5
    return float(np.abs(true - predicted)[chosen].mean()) if chosen.any() else math.nan


def test_replicates_that_fail_are_left_out_and_told():
    true = np.full(300, 1.0)
    true[:2] = 8.0
    rows = RegressionRows(true, true + np.linspace(0, 1, 300) ** 2 + (true > 7))
    metric = metric_of(needs_a_large_one)
    table = finished(metric, rows)

    found = metric.estimate(table, OPTIONS)

    # None of two rows is drawn with the probability e⁻².
    assert table.failed / len(table.drawn) == pytest.approx(math.exp(-2), abs=0.05)
    assert "low_support" in found.flags
    assert found.interval is not None
    again = metric.kind.from_json(json.loads(json.dumps(table.to_json())))
    assert again.to_json() == table.to_json()


def test_mostly_failing_replicates_leave_no_interval():
    def only_whole(true, predicted):
        if len(true) != 300:
            raise ValueError("not these rows")
        return 0.5

    found = estimate(only_whole, sample())

    assert (found.value, found.interval) == (0.5, None)
    assert found.flags == ("low_support",)


@pytest.mark.parametrize("result", [math.nan, [1.0], np.ones(2)])
def test_what_fails_on_the_rows_as_they_are_is_an_error(result):
    with pytest.raises(MetricError, match="'own' must return a finite number"):
        estimate(lambda true, predicted: result, sample())


def test_functions_may_warn_while_rows_are_drawn():
    def divides(true, predicted):
        return float(np.float64(1.0) / np.float64(np.unique(true).size < 290))

    rows = sample()
    with pytest.raises(MetricError, match="raised RuntimeWarning"):
        estimate(divides, rows)

    def rarely(true, predicted):
        few = np.unique(true).size < 200
        return float(np.float64(1.0) / np.float64(few)) if few else true.mean()

    assert estimate(rarely, rows).interval is not None


def test_few_groups_and_heavy_tails_are_flagged():
    rows = sample()
    few = RegressionRows(rows.true, rows.predicted, None, np.arange(300) % 20)
    outlier = rows.predicted.copy()
    outlier[7] += 1e4

    assert estimate(mean_error, few).flags == ("few_groups",)
    assert estimate(mean_error, RegressionRows(rows.true, outlier)).flags == (
        "heavy_tails",
    )


def test_replicates_do_not_add_up():
    metric = metric_of(mean_error)
    table = finished(metric, sample())
    paired = metric.kind.pair.finish(metric.kind.pair.build(pair()))

    for one in (table, paired):
        with pytest.raises(ValueError, match="cannot be merged"):
            one.merge(one)


def test_rows_add_up_before_they_are_finished():
    metric, rows = metric_of(relative_error), sample(grouped=True)
    parts = [rows.take(np.arange(0, 100)), rows.take(np.arange(100, 300))]

    merged = metric.kind.build(parts[0]).merge(metric.kind.build(parts[1]))

    assert metric.kind.finish(merged).to_json() == finished(metric, rows).to_json()


@pytest.mark.parametrize(
    ("rows", "replicates"),
    [(1, 400), (25_000, 400), (50_000, 200), (10**6, 100), (10**9, 100)],
)
def test_more_rows_have_fewer_replicates(rows, replicates):
    assert replicates_of(rows) == replicates


def test_draws_are_the_same_everywhere():
    assert hashes(0, 3).tolist() == hashes(0, 5).tolist()[:3]
    assert poisson_counts(0, 12).tolist() == [1, 1, 1, 1, 2, 0, 2, 0, 1, 1, 1, 0]
    assert sorted(np.bincount(shuffled_blocks(130, 64)).tolist()) == [2] * 62 + [3] * 2


def test_draws_are_poisson_and_antithetic():
    size = 200_000
    one, two, other = (poisson_counts(replicate, size) for replicate in (0, 1, 2))

    shares = np.bincount(one, minlength=5)[:5] / size
    poisson = [math.exp(-1) / math.factorial(k) for k in range(5)]
    assert shares == pytest.approx(poisson, abs=0.004)
    assert np.corrcoef(one, two)[0, 1] < -0.7
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.01


@settings(max_examples=60)
@given(
    st.lists(st.floats(-10, 10), min_size=2, max_size=30),
    st.lists(st.floats(-10, 10) | st.just(math.nan), max_size=10),
    st.floats(-10, 10),
    st.integers(2, 10**6),
)
def test_intervals_of_any_replicates(drawn, left_out, value, units):
    found = Replicates(units, units, value, np.array(drawn), np.array(left_out))
    shape = Shape.of(found)
    if shape is None:
        assert np.std(drawn) < 1e-10
        return

    interval = bias_corrected(value, shape, (-11.0, 11.0), (1.0, 2.4))

    ends = [interval(confidence) for confidence in CONFIDENCES]
    for low, high in ends:
        assert -11 <= low <= value <= high <= 11
    for (low, high), (lower, higher) in zip(ends, ends[1:]):
        assert lower <= low
        assert higher >= high


def test_one_unit_leaves_no_interval():
    assert Shape.of(Replicates(1, 1, 0.5, np.arange(9.0), np.empty(0))) is None

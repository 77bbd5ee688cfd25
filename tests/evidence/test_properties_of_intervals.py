"""Every interval contains the value, keeps the limits, and grows with confidence."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

from pytest_mlops.core.metrics import Estimate, MetricOptions
from pytest_mlops.core.rows import ClassificationRows, Labels, RegressionRows
from pytest_mlops.evidence.intervals import (
    WeightedCount,
    between_counts,
    leaning,
    quantile,
    wilson,
    wilson_jaccard,
    wilson_mean,
)
from pytest_mlops.evidence.metrics import builtin_metrics
from pytest_mlops.evidence.metrics.readings import MOST_LABELS
from pytest_mlops.evidence.tables import LABELS
from pytest_mlops.evidence.tables.counts import LabelCounts

METRICS = {metric.name: metric for metric in builtin_metrics()}
ON_COUNTS = [
    name
    for name, metric in METRICS.items()
    if metric.kind is LABELS and not metric.across
]
AVERAGES = ["binary", "micro", "macro", "weighted"]
CONFIDENCES = [0.01, 0.5, 0.8, 0.9, 0.95, 0.99, 0.9999, 1 - 1e-12]


def square(counts, weight=None):
    """A table from a square of counts; *weight* is that of every row."""
    counts = np.asarray(counts)
    true, predicted = np.nonzero(counts)
    rows = counts[true, predicted]
    true, predicted = np.repeat(true, rows), np.repeat(predicted, rows)
    labels = tuple(range(len(counts)))
    return LabelCounts.of(
        ClassificationRows(
            Labels(true, labels),
            Labels(predicted, labels),
            weights=None if weight is None else np.full(len(true), float(weight)),
        )
    )


def check_interval(estimate, limits):
    """The properties that every interval has."""
    ends = [estimate.interval(confidence) for confidence in CONFIDENCES]
    for low, high in ends:
        assert limits[0] <= low <= estimate.value <= high <= limits[1]
        assert math.isfinite(low) and math.isfinite(high)
    for (low, high), (lower, higher) in zip(ends, ends[1:]):
        assert lower <= low + 1e-12
        assert higher >= high - 1e-12


def tables(size, most):
    row = st.lists(st.integers(0, most), min_size=size, max_size=size)
    return st.lists(row, min_size=size, max_size=size)


@pytest.mark.parametrize("name", ON_COUNTS)
@given(
    st.one_of(tables(2, 40), tables(3, 6), tables(1, 5)),
    st.sampled_from(AVERAGES),
    st.sampled_from([None, 0.01, 1.0, 700.0]),
)
def test_intervals_of_metrics_on_counts(name, counts, average, weight):
    metric = METRICS[name]
    options = MetricOptions(positive=0, average=average, beta=0.5)

    found = metric.estimate(square(counts, weight), options)

    if found.value is not None:
        check_interval(found, metric.limits)
        low, high = found.interval(0.95)
        assert high - low > 1e-4


errors = st.lists(
    st.tuples(st.floats(-100, 100), st.floats(-100, 100)), min_size=1, max_size=20
)


@pytest.mark.parametrize("name", ["mae", "rmse", "r2", "mape", "bias"])
@given(errors)
def test_intervals_of_errors(name, rows):
    metric = METRICS[name]
    true, predicted = np.array(rows).T
    table = metric.kind.build(RegressionRows(true, predicted))

    found = metric.estimate(table, MetricOptions())

    if found.interval is not None:
        check_interval(found, metric.limits)
    if len(rows) < 20 and found.value is not None:
        assert found.flags == ("low_support",)


@pytest.mark.parametrize("name", ["log_loss", "brier"])
@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=1, max_size=9))
def test_intervals_of_losses(name, rows):
    metric = METRICS[name]
    true, scores = np.array(rows).T
    labels = Labels(true.astype(np.int64), (0, 1))
    table = metric.kind.build(
        ClassificationRows(
            labels,
            labels,
            positive=1,
            probabilities=scores[:, np.newaxis],
            classes=(1,),
        )
    )

    found = metric.estimate(table, MetricOptions(positive=1))

    if found.interval is not None:
        check_interval(found, (0.0, 1.0 if name == "brier" else math.inf))


@given(st.integers(1, 500), st.floats(0, 1))
def test_intervals_of_proportions(trials, share):
    hits = round(trials * share)
    for interval, value in (
        (wilson(hits, trials), hits / trials),
        (wilson_jaccard(hits, trials), 2 * hits / (trials + hits)),
    ):
        for confidence in CONFIDENCES:
            low, high = interval(confidence)
            assert 0 <= low <= value <= high <= 1


def test_wilson_by_the_book():
    # Newcombe, Two-sided confidence intervals for the single proportion (1998).
    assert wilson(81, 263)(0.95) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 20)(0.95) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson(29, 29)(0.95) == pytest.approx((0.8830, 1.0), abs=5e-5)


@pytest.mark.parametrize("confidence", [0.0, 1.0, -0.5, 95, math.nan])
def test_a_confidence_lies_between_0_and_1(confidence):
    with pytest.raises(ValueError, match="between 0 and 1"):
        quantile(confidence)


def numeric_error(counts, statistic):
    """The standard error by the delta method with differences, cell by cell."""
    counts = np.array(counts, dtype=np.float64)
    total, slopes = counts.sum(), np.zeros_like(counts)
    for cell in np.ndindex(*counts.shape):
        step = np.zeros_like(counts)
        step[cell] = 1e-4
        slopes[cell] = (statistic(counts + step) - statistic(counts - step)) / 2e-4
    slopes *= total
    mean = (counts * slopes).sum() / total
    return math.sqrt((counts * (slopes - mean) ** 2).sum()) / total


def f_beta(counts):
    return 5 * counts[1, 1] / (counts[:, 1].sum() + 4 * counts[1].sum())


def correlation(counts):
    true, predicted = counts.sum(axis=1), counts.sum(axis=0)
    total = counts.sum()
    covariance = np.trace(counts) * total - true @ predicted
    return covariance / math.sqrt(
        (total**2 - true @ true) * (total**2 - predicted @ predicted)
    )


def macro_f1(counts):
    return np.mean(2 * np.diag(counts) / (counts.sum(axis=1) + counts.sum(axis=0)))


@pytest.mark.parametrize(
    ("name", "statistic", "size"),
    [("fbeta", f_beta, 2), ("mcc", correlation, 3), ("f1", macro_f1, 4)],
)
def test_delta_intervals_follow_from_the_slopes(name, statistic, size):
    counts = np.random.default_rng(size).integers(20, 90, (size, size))
    counts += np.diag(np.full(size, 200))
    average = "binary" if size == 2 else "macro"
    options = MetricOptions(positive=1, average=average, beta=2.0)

    found = METRICS[name].estimate(square(counts), options)

    value, error = statistic(counts.astype(float)), numeric_error(counts, statistic)
    signed = METRICS[name].limits[0] < 0
    at = value if signed else 2 * value - 1
    step = (1 if signed else 2) * error / (1 - at * at) * quantile(0.9)
    ends = np.tanh(np.arctanh(at) + np.array([-step, step]))
    assert found.interval(0.9) == pytest.approx(
        ends if signed else (ends + 1) / 2, rel=1e-6
    )
    assert found.method == ("delta_atanh" if signed else "delta_logit")
    assert found.flags == ()


@pytest.mark.parametrize("name", ["accuracy", "precision", "recall", "mcc", "fbeta"])
def test_only_relations_of_weights_matter(name):
    counts = np.array([[40, 10], [5, 60]])
    options = MetricOptions(positive=1, beta=2.0)
    estimates = [
        METRICS[name].estimate(square(counts, weight), options)
        for weight in (1.0, 0.001, 1e6)
    ]

    for found in estimates[1:]:
        assert found.value == pytest.approx(estimates[0].value, rel=1e-12)
        assert found.interval(0.95) == pytest.approx(estimates[0].interval(0.95))
        assert found.rows == estimates[0].rows


@pytest.mark.parametrize("weight", [1.0, 3.0])
def test_equal_weights_leave_shares_as_they_are(weight):
    counts = np.array([[400, 100], [50, 600]])
    options = MetricOptions(positive=1)

    for name in ("accuracy", "precision", "recall", "specificity", "f1"):
        plain = METRICS[name].estimate(square(counts), options)
        weighted = METRICS[name].estimate(square(counts, weight), options)
        assert weighted.interval(0.95) == pytest.approx(plain.interval(0.95), rel=1e-9)
        assert weighted.method == plain.method


@pytest.mark.parametrize("size", [20, 2000])
def test_a_perfect_score_is_not_certain(size):
    counts = np.diag([size, size])

    for name in ("balanced_accuracy", "mcc", "kappa"):
        found = METRICS[name].estimate(square(counts), MetricOptions())
        low, high = found.interval(0.95)
        assert (found.value, high) == (1.0, 1.0)
        assert 0.05 / size < 1 - low < 10 / size
        assert found.flags == ("low_support",)


def test_a_small_class_is_flagged():
    small, large = np.array([[17, 2], [5, 60]]), np.array([[20, 2], [5, 60]])

    for name in ("balanced_accuracy", "mcc", "kappa", "f1", "precision"):
        options = MetricOptions(average="macro")
        assert METRICS[name].estimate(square(small), options).flags == ("low_support",)
        assert METRICS[name].estimate(square(large), options).flags == ()
    weighted = MetricOptions(average="weighted")
    assert METRICS["f1"].estimate(square(small), weighted).flags == ()


@pytest.mark.parametrize("labels", [MOST_LABELS, MOST_LABELS + 1])
def test_too_many_labels_leave_no_interval(labels):
    counts = np.diag(np.full(labels, 30)) + np.roll(np.diag(np.full(labels, 5)), 1, 1)
    table = square(counts)

    found = METRICS["f1"].estimate(table, MetricOptions())
    accuracy = METRICS["accuracy"].estimate(table, MetricOptions())

    assert found.value is not None
    assert (found.interval is None) == (labels > MOST_LABELS)
    assert found.flags == (("too_many_labels",) if labels > MOST_LABELS else ())
    assert accuracy.method == "wilson"


@pytest.mark.parametrize("name", ["precision", "recall", "f1", "fbeta"])
def test_every_micro_average_is_the_accuracy(name):
    table = square([[40, 10, 1], [5, 60, 2], [3, 1, 9]])

    micro = METRICS[name].estimate(table, MetricOptions(average="micro", beta=2.0))
    accuracy = METRICS["accuracy"].estimate(table, MetricOptions())

    assert micro.value == accuracy.value
    assert micro.interval(0.95) == accuracy.interval(0.95)


@given(st.integers(0, 60))
def test_gains_alone_have_the_exact_limits_of_a_count(count):
    gains = WeightedCount(count, count, 1.0)

    for tail in (0.025, 1e-6):
        low, high = count - gains.below(tail), count + gains.above(tail)
        exact = chi2.ppf(tail, 2 * count) / 2 if count else 0.0
        assert low == pytest.approx(exact, rel=1e-6, abs=1e-12)
        assert high == pytest.approx(chi2.isf(tail, 2 * count + 2) / 2, rel=1e-6)


counts = st.tuples(st.floats(0, 30, allow_subnormal=False), st.floats(0.1, 3)).map(
    lambda parts: WeightedCount(parts[0], parts[0] * parts[1], parts[1])
)


@given(counts, counts, st.sampled_from([math.inf, 1.0, 0.0]))
def test_an_interval_between_counts_grows_to_the_limits(gains, losses, free):
    value = gains.total - losses.total
    interval = between_counts(value, gains, losses, (-100.0, 100.0), free)

    check_interval(Estimate(value, 1, interval=interval), (-100.0, 100.0))


@given(st.floats(-1, 1), st.floats(0, 1), st.floats(-1, 1))
def test_a_leaning_interval_is_longer_where_the_variance_grows(value, error, lean):
    interval = leaning(value, error, lean, (-100.0, 100.0))

    check_interval(
        Estimate(value, 1, interval=interval),
        (-100.0, 100.0),
    )
    low, high = interval(0.95)
    z = quantile(0.95)
    for end in (low, high):
        variance = error**2 + lean * (end - value)
        assert (end - value) ** 2 == pytest.approx(z * z * variance, abs=1e-9)


@given(st.integers(0, 30), st.integers(30, 90))
def test_the_mean_of_one_proportion_has_its_interval(hits, trials):
    for confidence in CONFIDENCES:
        alone, mean = wilson(hits, trials), wilson_mean([hits], [trials])
        assert mean(confidence) == pytest.approx(alone(confidence), abs=1e-12)

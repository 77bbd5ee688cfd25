"""Intervals of ROC AUC and average precision: what they are, and that they hold."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pytest_mlops.core.metrics import MetricOptions
from pytest_mlops.core.rows import ClassificationRows, Labels
from pytest_mlops.evidence.areas import precision_area, roc_area
from pytest_mlops.evidence.metrics import builtin_metrics
from pytest_mlops.evidence.tables import SCORES
from pytest_mlops.evidence.tables.levels import levels_of
from pytest_mlops.evidence.tables.ranks import EXACT_ROWS
from pytest_mlops.evidence.tables.scores import ScoreTable

METRICS = {metric.name: metric for metric in builtin_metrics()}
NAMES = ["roc_auc", "average_precision"]
POSITIVE = MetricOptions(positive=1)
CONFIDENCES = [0.01, 0.5, 0.8, 0.9, 0.95, 0.99, 0.9999, 1 - 1e-12]


def table(true, scores, weights=None, groups=None):
    labels = Labels(np.asarray(true, dtype=np.int64), (0, 1))
    return SCORES.build(
        ClassificationRows(
            labels,
            labels,
            positive=1,
            probabilities=np.asarray(scores, dtype=np.float64)[:, np.newaxis],
            classes=(1,),
            weights=weights,
            groups=groups,
        )
    )


def estimate(name, *args, **kwargs):
    return METRICS[name].estimate(table(*args, **kwargs), POSITIVE)


def binormal(random, rows, prevalence, area):
    """Rows whose true ROC area is *area*."""
    true = random.random(rows) < prevalence
    distance = math.sqrt(2) * stats.norm.ppf(area)
    return true, random.normal(size=rows) + true * distance


def check_interval(found, low, high):
    ends = [found.interval(confidence) for confidence in CONFIDENCES]
    for lower, upper in ends:
        assert low <= lower <= found.value <= upper <= high
    for (lower, upper), (lowest, uppermost) in zip(ends, ends[1:]):
        assert lowest <= lower + 1e-12
        assert uppermost >= upper - 1e-12


def standard_error(name, found):
    """The plain standard error, from the end that no doubt has moved."""
    high = max(found.interval(0.5))
    room = found.value * (1 - found.value)
    moved = math.log(high / (1 - high)) - math.log(found.value / (1 - found.value))
    return moved * room / stats.norm.ppf(0.75)


@pytest.mark.parametrize("name", NAMES)
@given(
    st.lists(
        st.tuples(
            st.booleans(),
            st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]) | st.floats(-5, 5),
            st.floats(0.1, 9.0),
            st.integers(0, 5),
        ),
        min_size=2,
        max_size=20,
    ).filter(lambda rows: len({row[0] for row in rows}) == 2),
    st.booleans(),
    st.booleans(),
)
def test_intervals_of_any_scores(name, rows, weighted, grouped):
    true, scores, weights, groups = (np.array(column) for column in zip(*rows))

    found = estimate(
        name,
        true,
        scores,
        weights if weighted else None,
        groups if grouped else None,
    )

    if grouped and len(set(groups.tolist())) == 1:
        assert found.interval is None and found.method is None
    else:
        check_interval(found, 0.0, 1.0)
        low, high = found.interval(0.95)
        assert high - low > 1e-3
    assert "low_support" in found.flags
    assert ("few_groups" in found.flags) == grouped


def test_the_standard_error_is_delongs():
    random = np.random.default_rng(1)
    true, scores = binormal(random, 400, 0.3, 0.8)
    scores = np.round(scores, 1)
    positives, negatives = scores[true], scores[~true]
    above = positives[:, None] > negatives
    heaviside = above + 0.5 * (positives[:, None] == negatives)
    variance = sum(
        heaviside.mean(axis=axis).var(ddof=1) / heaviside.shape[1 - axis]
        for axis in (0, 1)
    )

    found = estimate("roc_auc", true, scores)

    assert found.method == "delong_logit"
    assert found.flags == ()
    assert standard_error("roc_auc", found) == pytest.approx(
        math.sqrt(variance), rel=1e-9
    )


@pytest.mark.parametrize("area", [roc_area, precision_area])
def test_the_influence_of_a_row_is_what_its_weight_would_change(area):
    random = np.random.default_rng(2)
    true = random.random(60) < 0.4
    scores = np.round(random.random(60) + 0.3 * true, 1)
    weights = random.gamma(2.0, size=60)

    levels, positions = levels_of(scores, true, weights)
    gradient = area(levels).gradient[true.astype(int), positions.spread()]

    for row in range(60):
        moved = [weights.copy(), weights.copy()]
        moved[0][row] -= 1e-5
        moved[1][row] += 1e-5
        low, high = (area(levels_of(scores, true, each)[0]).value for each in moved)
        assert (high - low) / 2e-5 == pytest.approx(gradient[row], abs=1e-9)
    # The area does not change where all weights grow by the same factor.
    assert weights @ gradient == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_a_ranking_without_a_mistake_has_an_interval_of_real_width(name):
    true = np.repeat([False, True], [500, 50])
    found = estimate(name, true, true * 1.0)

    low, high = found.interval(0.95)

    assert (found.value, high) == (1.0, 1.0)
    # With a share e of the positives lost, none of 50 is with probability (1 - e)^50.
    assert 0.9 < low <= 1 - (1 - 0.025 ** (1 / 50)) * 0.8
    assert found.flags == ("low_support",)


@pytest.mark.parametrize("name", NAMES)
def test_scores_that_say_nothing_still_leave_a_doubt(name):
    found = estimate(name, [0, 1] * 50, [0.5] * 100)

    low, high = found.interval(0.95)

    assert found.value == 0.5
    assert low < 0.499 and high > 0.501


@pytest.mark.parametrize("name", NAMES)
def test_equal_weights_are_no_weights_and_unequal_ones_tell_less(name):
    random = np.random.default_rng(3)
    true, scores = binormal(random, 1000, 0.3, 0.8)

    plain = estimate(name, true, scores)
    equal = estimate(name, true, scores, np.full(1000, 7.0))
    unequal = estimate(name, true, scores, random.gamma(0.5, size=1000))

    assert equal.interval(0.95) == pytest.approx(plain.interval(0.95), rel=1e-9)
    assert np.ptp(unequal.interval(0.95)) > 1.3 * np.ptp(plain.interval(0.95))


@pytest.mark.parametrize("name", NAMES)
def test_a_group_of_equal_rows_counts_as_one(name):
    random = np.random.default_rng(4)
    true, scores = binormal(random, 300, 0.4, 0.8)
    alone = estimate(name, true, scores, groups=np.arange(300))
    copied = estimate(
        name, np.repeat(true, 10), np.repeat(scores, 10), groups=np.arange(3000) // 10
    )

    assert copied.method.endswith("_clustered")
    assert np.ptp(copied.interval(0.95)) == pytest.approx(
        np.ptp(alone.interval(0.95)), rel=0.02
    )
    plain = estimate(name, true, scores)
    assert np.ptp(alone.interval(0.95)) == pytest.approx(
        np.ptp(plain.interval(0.95)), rel=0.03
    )


def test_few_groups_are_flagged():
    random = np.random.default_rng(5)
    true, scores = binormal(random, 2000, 0.5, 0.8)

    few = estimate("roc_auc", true, scores, groups=random.integers(0, 29, 2000))
    enough = estimate("roc_auc", true, scores, groups=random.integers(0, 60, 2000))

    assert few.flags == ("few_groups",)
    assert enough.flags == ()


def test_few_positives_are_flagged():
    random = np.random.default_rng(6)
    scores = random.random(500)

    def flags(name, positives):
        return estimate(name, np.arange(500) < positives, scores).flags

    assert flags("roc_auc", 19) == flags("average_precision", 99) == ("low_support",)
    assert flags("roc_auc", 20) == flags("average_precision", 100) == ()


def test_one_positive_out_of_place_is_not_taken_for_a_spread():
    scores = np.arange(1000.0)
    true = scores >= 900
    scores[950] = -1.0

    found = estimate("roc_auc", true, scores)

    assert "low_support" in found.flags
    assert found.interval(0.95)[0] < 0.96


def several(random, rows, classes=3):
    true = random.integers(0, classes, rows)
    raw = random.random((rows, classes))
    raw[np.arange(rows), true] += 0.4
    names = tuple(range(classes))
    labels = Labels(true, names)
    found = raw / raw.sum(axis=1, keepdims=True)
    return ClassificationRows(labels, labels, probabilities=found, classes=names)


@pytest.mark.parametrize("name", NAMES)
def test_the_classes_of_a_mean_vary_together(name):
    rows = several(np.random.default_rng(7), 600)
    one = SCORES.build(rows)

    found = METRICS[name].estimate(one, MetricOptions())

    check_interval(found, 0.0, 1.0)
    widths = [
        np.ptp(METRICS[name].estimate(ScoreTable({1: each}), POSITIVE).interval(0.95))
        for each in one.classes.values()
    ]
    assert np.ptp(found.interval(0.95)) < 0.9 * np.mean(widths)


def test_a_mean_over_classes_has_the_jackknifes_error():
    random = np.random.default_rng(8)
    rows = several(random, 300)
    metric = METRICS["roc_auc"]

    found = metric.estimate(SCORES.build(rows), MetricOptions())

    left_out = [
        metric.estimate(
            SCORES.build(rows.take(np.delete(np.arange(300), row))), MetricOptions()
        ).value
        for row in range(300)
    ]
    jackknife = math.sqrt(299 / 300 * np.sum((left_out - np.mean(left_out)) ** 2))
    assert standard_error("roc_auc", found) == pytest.approx(jackknife, rel=0.02)


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_bins_have_the_interval_of_the_rows(name, weighted, grouped):
    random = np.random.default_rng(9)
    size = 20_000
    true, scores = binormal(random, size, 0.2, 0.8)
    shares = 1 / (1 + np.exp(-scores))
    weights = random.gamma(2.0, size=size) if weighted else None
    groups = random.integers(0, 300, size) if grouped else None
    exact = table(true, shares, weights, groups)
    binned = exact.binned()

    found = [METRICS[name].estimate(each, POSITIVE) for each in (exact, binned)]

    # Influences by group are kept in wide bins.
    rel = 1e-2 if grouped else 1e-4
    assert found[1].interval(0.95) == pytest.approx(found[0].interval(0.95), abs=1e-4)
    assert np.ptp(found[1].interval(0.95)) == pytest.approx(
        np.ptp(found[0].interval(0.95)), rel=rel
    )
    assert found[1].method == found[0].method
    assert found[1].flags == ("binned",)


def test_a_mean_over_classes_in_bins_is_conservative():
    rows = several(np.random.default_rng(10), 5000)
    exact = SCORES.build(rows)
    binned = exact.binned()
    grouped = SCORES.build(
        ClassificationRows(
            rows.true,
            rows.true,
            probabilities=rows.probabilities,
            classes=rows.classes,
            groups=np.arange(5000) % 1000,
        )
    )
    grouped_bins = grouped.binned()

    widths = [
        np.ptp(METRICS["roc_auc"].estimate(each, MetricOptions()).interval(0.95))
        for each in (exact, binned, grouped, grouped_bins)
    ]

    assert widths[0] < widths[1] < 2 * widths[0]
    # Sums by group show how the classes vary together.
    assert widths[3] == pytest.approx(widths[2], rel=0.05)


@pytest.mark.parametrize("name", NAMES)
def test_many_rows_are_binned_and_leave_little_doubt(name):
    random = np.random.default_rng(11)
    true, scores = binormal(random, EXACT_ROWS + 1, 0.5, 0.9)

    found = estimate(name, true, scores)

    low, high = found.interval(0.95)
    assert high - low < 0.005
    assert found.flags == ("binned",)


@pytest.mark.parametrize(
    ("rows", "prevalence", "area"),
    [(200, 0.1, 0.75), (200, 0.1, 0.85), (200, 0.5, 0.85), (1000, 0.1, 0.9)],
)
def test_nominal_coverage_of_the_roc_area(rows, prevalence, area):
    random = np.random.default_rng(12)
    draws, inside, above = 1000, 0, 0
    for _ in range(draws):
        low, high = estimate(
            "roc_auc", *binormal(random, rows, prevalence, area)
        ).interval(0.95)
        inside += low <= area <= high
        above += low > area

    # Within three standard errors of such a simulation.
    assert 0.935 - 0.024 <= inside / draws <= 0.97 + 0.016
    assert above / draws <= 0.035 + 0.017


@pytest.mark.parametrize(("rows", "prevalence"), [(200, 0.1), (1000, 0.03)])
def test_the_average_precision_of_few_positives_is_not_overstated(rows, prevalence):
    random = np.random.default_rng(13)
    true, scores = binormal(random, 500_000, prevalence, 0.8)
    truth = estimate("average_precision", true, scores).value
    draws, above = 1000, 0
    for _ in range(draws):
        found = estimate("average_precision", *binormal(random, rows, prevalence, 0.8))
        above += found.interval(0.95)[0] > truth

    assert above / draws <= 0.035


def in_groups(random, groups):
    """Ten rows a group, whose scores and prevalence are raised together."""
    lift = np.repeat(random.normal(size=groups), 10)
    true = random.random(len(lift)) < 1 / (1 + np.exp(1 - 1.5 * lift))
    return true, 0.7 * lift + 0.7 * random.normal(size=len(lift)) + true


def test_groups_widen_what_rows_alone_would_claim():
    random = np.random.default_rng(14)
    truth = estimate("roc_auc", *in_groups(random, 60_000)).value
    draws, inside, alone = 600, 0, 0
    for _ in range(draws):
        rows = in_groups(random, 60)
        low, high = estimate("roc_auc", *rows, groups=np.arange(600) // 10).interval(
            0.95
        )
        inside += low <= truth <= high
        low, high = estimate("roc_auc", *rows).interval(0.95)
        alone += low <= truth <= high

    assert inside / draws >= 0.93
    assert alone / draws <= inside / draws - 0.03

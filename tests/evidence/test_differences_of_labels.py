"""Differences of two models on the same rows: values, paired intervals, flags."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlops.core.metrics import MetricOptions
from pytest_mlops.core.rows import ClassificationRows, Labels, PairedRows
from pytest_mlops.evidence.intervals import quantile
from pytest_mlops.evidence.metrics import builtin_metrics
from pytest_mlops.evidence.tables import LABELS
from pytest_mlops.evidence.tables.pairs import LabelPairs

METRICS = {metric.name: metric for metric in builtin_metrics()}
ON_COUNTS = [
    name for name, one in METRICS.items() if one.difference and one.kind is LABELS
]
AVERAGES = ["binary", "micro", "macro", "weighted"]
OPTIONS = MetricOptions(positive=1, beta=2.0)
CONFIDENCES = [0.01, 0.5, 0.8, 0.95, 0.9999, 1 - 1e-12]


def cube(counts, weight=None, groups=None):
    """Pairs from counts[true, candidate, baseline]; *weight* is that of every row."""
    counts = np.asarray(counts)
    cells = np.argwhere(counts)
    true, candidate, baseline = np.repeat(cells, counts[counts > 0], axis=0).T
    names = tuple(range(len(counts)))
    more = {
        "weights": None if weight is None else np.full(len(true), float(weight)),
        "groups": None if groups is None else np.arange(len(true)) % groups,
    }
    return LabelPairs.of(
        PairedRows(
            *(
                ClassificationRows(Labels(true, names), Labels(each, names), **more)
                for each in (candidate, baseline)
            )
        )
    )


def binary(both, candidate_only, baseline_only, neither):
    """A cube of rows half of which are of each class."""
    counts = np.zeros((2, 2, 2), dtype=int)
    for true in (0, 1):
        wrong = 1 - true
        counts[true, true, true] = both // 2
        counts[true, true, wrong] = candidate_only // 2
        counts[true, wrong, true] = baseline_only // 2
        counts[true, wrong, wrong] = neither // 2
    return cube(counts)


def cubes(size, most):
    cell = st.integers(0, most)
    return st.lists(cell, min_size=size**3, max_size=size**3).map(
        lambda cells: np.array(cells).reshape((size,) * 3)
    )


@pytest.mark.parametrize("name", ON_COUNTS)
@given(
    st.one_of(cubes(2, 30), cubes(3, 4), cubes(1, 5)),
    st.sampled_from(AVERAGES),
    st.sampled_from([1.0, 0.95, 1.1]),
    st.sampled_from([None, 700.0]),
    st.sampled_from([None, 1, 8]),
)
def test_differences_are_of_values_and_their_intervals_sound(
    name, counts, average, factor, weight, groups
):
    metric = METRICS[name]
    options = MetricOptions(positive=0, average=average, beta=0.5)
    table = cube(counts, weight, groups)

    found = metric.difference(table, options, factor)

    values = [
        metric.estimate(side, options).value
        for side in (table.candidate, table.baseline)
    ]
    if None in values:
        assert found.value is None
        assert found.reason.split(":")[0] in ("candidate", "baseline")
        return
    assert found.value == pytest.approx(values[0] - factor * values[1], abs=1e-12)
    low, high = metric.limits
    ends = [found.interval(confidence) for confidence in CONFIDENCES]
    for lower, higher in ends:
        assert low - factor * high <= lower <= found.value
        assert found.value <= higher <= high - factor * low
    for (lower, higher), (lowest, highest) in zip(ends, ends[1:]):
        assert lowest <= lower + 1e-12
        assert highest >= higher - 1e-12
    assert ends[3][1] - ends[3][0] > 1e-4


def test_a_difference_of_accuracies_is_that_of_bonett_and_price():
    table = binary(both=700, candidate_only=50, baseline_only=50, neither=200)

    found = METRICS["accuracy"].difference(table, OPTIONS, 1.0)

    half = quantile(0.95) * math.sqrt(50 + 50 + 2) / 1000
    assert found.value == pytest.approx(0.0, abs=1e-15)
    assert found.interval(0.95) == pytest.approx((-half, half), rel=1e-9)
    assert found.method == "paired_delta"
    assert found.flags == ()
    assert found.rows == 1000


def test_where_one_model_alone_is_ever_right_the_difference_is_a_count():
    table = binary(both=90_000, candidate_only=100, baseline_only=0, neither=9900)

    low, high = METRICS["accuracy"].difference(table, OPTIONS, 1.0).interval(0.95)

    # The score interval of a Poisson count of 100, but for the two rows more.
    z = quantile(0.95)
    half = z * math.sqrt(102 + z * z / 4)
    expected = np.array([100 + z * z / 2 - half, 100 + z * z / 2 + half])
    assert np.array([low, high]) * 100_000 == pytest.approx(expected, rel=2e-3)


def test_a_paired_interval_is_narrower_than_two_intervals():
    table = binary(both=800, candidate_only=40, baseline_only=40, neither=120)

    for name in ON_COUNTS:
        metric = METRICS[name]
        low, high = metric.difference(table, OPTIONS, 1.0).interval(0.95)
        lower, higher = metric.estimate(table.candidate, OPTIONS).interval(0.95)
        # Unpaired, the difference is √2 times as uncertain as one of the two.
        assert high - low < 0.7 * math.sqrt(2) * (higher - lower)


@pytest.mark.parametrize("rows", [40, 400])
def test_models_that_agree_on_all_rows_may_still_differ(rows):
    table = binary(both=rows, candidate_only=0, baseline_only=0, neither=0)

    found = METRICS["accuracy"].difference(table, OPTIONS, 1.0)

    # The exact bound: a share of which not one of so many rows is seen, at 2.5 %.
    exact = 1 - 0.025 ** (1 / rows)
    low, high = found.interval(0.95)
    assert found.value == 0.0
    assert -low == pytest.approx(high)
    assert exact < high < 1.1 * exact
    assert found.flags == ("few_discordant",)
    assert found.method == "paired_gamma"


def test_few_discordant_rows_are_those_that_matter():
    counts = np.zeros((2, 2, 2), dtype=int)
    counts[0] = [[400, 30], [30, 20]]
    counts[1] = [[20, 4], [5, 300]]
    table = cube(counts)

    def flags(name):
        return METRICS[name].difference(table, OPTIONS, 1.0).flags

    assert flags("recall") == ("few_discordant",)
    assert flags("specificity") == flags("accuracy") == flags("f1") == ()


def test_a_class_of_few_rows_makes_a_difference_conservative():
    counts = np.zeros((2, 2, 2), dtype=int)
    counts[0] = [[400, 30], [30, 20]]
    counts[1] = [[2, 1], [1, 8]]

    found = METRICS["balanced_accuracy"].difference(cube(counts), OPTIONS, 1.0)

    assert "low_support" in found.flags
    assert found.method == "paired_gamma"


def test_groups_of_pairs_that_move_together_widen_the_interval():
    random = np.random.default_rng(4)
    true = random.integers(0, 2, 2000)
    groups = np.repeat(np.arange(100), 20)
    wrong = random.random((2, 100, 1)) < [[[0.3]], [[0.3]]]
    wrong = wrong.repeat(20, axis=2).reshape(2, -1) & (random.random((2, 2000)) < 0.7)

    def table(groups):
        labels = Labels(true, (0, 1))
        sides = (
            ClassificationRows(
                labels, Labels(np.where(side, 1 - true, true), (0, 1)), groups=groups
            )
            for side in wrong
        )
        return LabelPairs.of(PairedRows(*sides))

    for name in ON_COUNTS:
        found = METRICS[name].difference(table(groups), OPTIONS, 1.0)
        plain = METRICS[name].difference(table(None), OPTIONS, 1.0)
        low, high = found.interval(0.95)
        lower, higher = plain.interval(0.95)
        assert found.value == pytest.approx(plain.value, abs=1e-12)
        assert high - low > 2 * (higher - lower)
        assert found.method == "paired_delta_clustered"
        assert found.flags == ()


@pytest.mark.parametrize("name", ON_COUNTS)
def test_only_relations_of_weights_matter_to_a_difference(name):
    counts = np.random.default_rng(2).integers(10, 40, (2, 2, 2))
    metric = METRICS[name]

    plain = metric.difference(cube(counts), OPTIONS, 1.0)
    weighted = metric.difference(cube(counts, 1000.0), OPTIONS, 1.0)

    assert weighted.value == pytest.approx(plain.value, abs=1e-12)
    assert weighted.interval(0.95) == pytest.approx(plain.interval(0.95), rel=1e-9)


def test_where_one_of_the_two_is_undefined_so_is_the_difference():
    table = binary(both=10, candidate_only=0, baseline_only=0, neither=0)
    unknown = METRICS["recall"].difference(table, MetricOptions(positive=7), 1.0)
    counts = np.zeros((2, 2, 2), dtype=int)
    counts[1, 1, 0] = counts[0, 0, 0] = 3
    lacking = METRICS["precision"].difference(cube(counts), OPTIONS, 1.0)

    assert unknown.value is lacking.value is None
    assert unknown.reason.startswith("candidate: the positive label 7 is neither")
    assert lacking.reason == "baseline: class 1 is never predicted among 6 rows"


@pytest.mark.parametrize("labels", [100, 101])
def test_too_many_labels_leave_no_interval_of_a_difference(labels):
    each = np.arange(labels)
    names = tuple(range(labels))
    rows = ClassificationRows(Labels(each, names), Labels(each, names))
    table = LabelPairs.of(PairedRows(rows, rows))

    found = METRICS["mcc"].difference(table, MetricOptions(), 1.0)
    accuracy = METRICS["accuracy"].difference(table, MetricOptions(), 1.0)

    assert found.value == 0.0
    assert (found.interval is None) == (labels > 100)
    assert ("too_many_labels" in found.flags) == (labels > 100)
    assert accuracy.interval is not None


#: true, candidate, baseline of the eight cells of two classes.
CELLS = np.array(list(np.ndindex(2, 2, 2)))


def coverage(name, shares, rows, draws):
    """How often the interval at 95 % contains the truth, and what is on each side."""

    def estimate(counts):
        used = counts > 0
        columns = CELLS[used].T
        return METRICS[name].difference(
            LabelPairs((0, 1), *columns, counts[used]), OPTIONS, 1.0
        )

    truth = estimate(np.round(shares.reshape(-1) * 1e12).astype(np.int64)).value
    drawn = np.random.default_rng(7).multinomial(rows, shares.reshape(-1), size=draws)
    ends = np.array([estimate(counts).interval(0.95) for counts in drawn])
    low, high = ends.T
    return (low > truth).mean(), (high < truth).mean()


def shares_of(candidate_only, baseline_only):
    shares = np.empty((2, 2, 2))
    for true in (0, 1):
        wrong = 1 - true
        shares[true, true, true] = 0.9 - candidate_only - baseline_only
        shares[true, true, wrong] = candidate_only
        shares[true, wrong, true] = baseline_only
        shares[true, wrong, wrong] = 0.1
    return shares / 2


@pytest.mark.parametrize("name", ["accuracy", "f1", "mcc"])
@pytest.mark.parametrize("candidate_only, baseline_only", [(0.1, 0.1), (0.12, 0.02)])
def test_nominal_coverage_of_differences(name, candidate_only, baseline_only):
    shares = shares_of(candidate_only, baseline_only)

    below, above = coverage(name, shares, rows=300, draws=1500)

    assert 0.935 <= 1 - below - above <= 0.975
    assert below <= 0.035


@pytest.mark.parametrize("candidate_only, baseline_only", [(0.0, 0.02), (0.01, 0.01)])
@pytest.mark.parametrize("name", ["accuracy", "recall", "f1"])
def test_few_discordant_rows_are_judged_with_care(name, candidate_only, baseline_only):
    shares = shares_of(candidate_only, baseline_only)

    below, above = coverage(name, shares, rows=300, draws=1500)

    assert below <= 0.035
    assert above <= 0.06


def test_quantiles_with_few_degrees_of_freedom_are_those_of_t():
    assert quantile(0.95, 9) == pytest.approx(2.2622, abs=1e-4)
    assert quantile(0.95, 0) > 1e6

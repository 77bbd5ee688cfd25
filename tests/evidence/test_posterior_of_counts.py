"""The Dirichlet posterior of a table, and the intervals where counts are small."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pytest_mlops.core.metrics import MetricOptions
from pytest_mlops.core.rows import ClassificationRows, Labels
from pytest_mlops.evidence.dirichlet import DRAWS, gamma_sample, sampled_interval
from pytest_mlops.evidence.metrics import builtin_metrics
from pytest_mlops.evidence.metrics.readings import MOST_SAMPLED_LABELS
from pytest_mlops.evidence.tables.counts import LabelCounts

METRICS = {metric.name: metric for metric in builtin_metrics()}
OPTIONS = MetricOptions(positive=1, beta=2.0)


def square(counts, weight=None):
    """A table from a square of counts; *weight* is that of every row."""
    counts = np.asarray(counts)
    true, predicted = np.repeat(np.argwhere(counts), counts[counts > 0], axis=0).T
    names = tuple(range(len(counts)))
    weights = None if weight is None else np.full(len(true), float(weight))
    return LabelCounts.of(
        ClassificationRows(
            Labels(true, names), Labels(predicted, names), weights=weights
        )
    )


@pytest.mark.parametrize("shape", [0.01, 0.25, 1.0, 7.25, 29.9, 30.1, 5000.25])
def test_gamma_variates_have_their_quantiles(shape):
    drawn = np.sort(gamma_sample(np.array([shape]))[0])

    levels = (np.arange(DRAWS) + 0.5) / DRAWS
    middle = slice(20, -20)
    expected = stats.gamma.ppf(levels, shape)
    assert drawn[middle] == pytest.approx(expected[middle], rel=1e-3, abs=1e-300)


def test_gamma_variates_of_cells_do_not_hang_together():
    drawn = gamma_sample(np.full(30, 5.0))

    correlations = np.corrcoef(drawn) - np.eye(30)
    assert np.abs(correlations).max() < 5 / math.sqrt(DRAWS)
    assert np.abs(drawn.mean(axis=1) - 5).max() < 0.01


def test_the_sample_is_the_same_on_every_machine():
    drawn = gamma_sample(np.array([1.0, 1.0, 40.0]))

    # Each row is an order of the levels; so it has digits to be compared.
    places = np.argsort(np.argsort(drawn, axis=1), axis=1)[:, :4]
    assert places.tolist() == [
        [410, 821, 1264, 1870],
        [827, 1626, 1631, 311],
        [871, 1230, 431, 812],
    ]


def test_shares_from_a_posterior_have_its_moments():
    margins = square([[30, 6], [2, 10]]).posterior
    recall = margins.hits[:, 1] / margins.true[:, 1]

    beta = stats.beta(10.25, 2.25)
    assert recall.mean() == pytest.approx(beta.mean(), abs=2e-3)
    assert recall.std() == pytest.approx(beta.std(), rel=0.03)


def test_a_weight_of_every_row_does_not_change_the_posterior():
    plain, weighted = square([[30, 6], [2, 10]]), square([[30, 6], [2, 10]], 0.001)

    assert weighted.posterior.hits == pytest.approx(plain.posterior.hits, rel=1e-9)


@given(
    st.lists(st.floats(-1, 1), min_size=3, max_size=40),
    st.floats(-1, 1),
)
def test_an_interval_from_a_sample_grows_with_confidence(values, value):
    interval = sampled_interval(np.array([*values, math.nan]), value, (-1.0, 1.0))

    ends = [interval(c) for c in (0.01, 0.5, 0.95, 0.99, 0.990001, 0.9999, 1 - 1e-12)]
    for low, high in ends:
        assert -1 <= low <= value <= high <= 1
    for (low, high), (lower, higher) in zip(ends, ends[1:]):
        assert lower <= low + 1e-12
        assert higher >= high - 1e-12


def test_the_tail_of_a_normal_sample_is_normal():
    levels = (np.arange(DRAWS) + 0.5) / DRAWS
    values = np.tanh(0.1 * stats.norm.ppf(levels))

    interval = sampled_interval(values, 0.0, (-1.0, 1.0))

    for confidence in (0.5, 0.95, 0.99, 0.9999):
        high = math.tanh(0.1 * stats.norm.ppf((1 + confidence) / 2))
        assert interval(confidence) == pytest.approx((-high, high), rel=5e-3)


@pytest.mark.parametrize("name", ["mcc", "kappa", "fbeta"])
def test_small_counts_take_the_wider_of_two_intervals(name):
    large, small = square([[400, 30], [20, 90]]), square([[80, 6], [4, 14]])

    certain = METRICS[name].estimate(large, OPTIONS)
    found = METRICS[name].estimate(small, OPTIONS)

    assert certain.method.startswith("delta_")
    assert found.method == "dirichlet"
    assert found.flags == ("low_support",)
    drawn = {
        "fbeta": lambda m: 5 * m.hits[:, 1] / (m.predicted + 4 * m.true)[:, 1],
    }
    if name in drawn:
        low, high = np.quantile(drawn[name](small.posterior), [0.025, 0.975])
        lower, higher = found.interval(0.95)
        assert lower <= low + 1e-4
        assert higher >= high - 1e-4


@pytest.mark.parametrize("labels", [MOST_SAMPLED_LABELS, MOST_SAMPLED_LABELS + 1])
def test_many_labels_are_not_sampled(labels):
    once = np.eye(labels, dtype=int)
    counts = 3 * once + np.roll(once, 1, axis=0)

    found = METRICS["mcc"].estimate(square(counts), MetricOptions())

    sampled = labels <= MOST_SAMPLED_LABELS
    assert found.method == ("dirichlet" if sampled else "delta_atanh")
    assert found.flags == ("low_support",)


def side_that_hurts(name, shares, rows, draws):
    """How often the interval at 95 % lies above the truth."""
    whole = METRICS[name].estimate(square_of_shares(shares), MetricOptions()).value
    drawn = np.random.default_rng(5).multinomial(rows, shares.reshape(-1), size=draws)
    above = defined = 0
    for counts in drawn.reshape(-1, *shares.shape):
        found = METRICS[name].estimate(square(counts), MetricOptions())
        if found.interval is not None:
            assert "low_support" in found.flags
            defined += 1
            above += found.interval(0.95)[0] > whole
    return above / defined


def square_of_shares(shares):
    true, predicted = np.nonzero(shares)
    rows = np.round(shares[true, predicted] * 1e12).astype(np.int64)
    return LabelCounts(tuple(range(len(shares))), true, predicted, rows)


@pytest.mark.parametrize("accuracy", [0.8, 0.95])
@pytest.mark.parametrize("name", ["f1", "precision", "balanced_accuracy"])
def test_ten_classes_of_two_hundred_rows_are_not_overrated(name, accuracy):
    support = np.array([0.3, 0.2, 0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.03, 0.02])
    wrong = np.tile(support, (10, 1)) * (1 - np.eye(10))
    shares = (1 - accuracy) * wrong / wrong.sum(axis=1, keepdims=True)
    shares = (shares + accuracy * np.eye(10)) * support[:, np.newaxis]

    assert side_that_hurts(name, shares, rows=200, draws=300) <= 0.035

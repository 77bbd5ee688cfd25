"""Intervals contain the truth as often as they say, on simulated tables."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_mlops.core.metrics import MetricOptions
from pytest_mlops.evidence.metrics import builtin_metrics
from pytest_mlops.evidence.tables.counts import LabelCounts

METRICS = {metric.name: metric for metric in builtin_metrics()}
OPTIONS = MetricOptions(positive=1, beta=2.0)

#: true negative, false positive, false negative, true positive
CELLS = (np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]))

TRUTHS = {
    "accuracy": lambda p: p[0] + p[3],
    "precision": lambda p: p[3] / (p[3] + p[1]),
    "recall": lambda p: p[3] / (p[3] + p[2]),
    "specificity": lambda p: p[0] / (p[0] + p[1]),
    "f1": lambda p: 2 * p[3] / (2 * p[3] + p[1] + p[2]),
    "balanced_accuracy": lambda p: (p[3] / (p[3] + p[2]) + p[0] / (p[0] + p[1])) / 2,
    "fbeta": lambda p: 5 * p[3] / (5 * p[3] + 4 * p[2] + p[1]),
    "mcc": lambda p: (p[3] * p[0] - p[1] * p[2])
    / np.sqrt((p[3] + p[1]) * (p[3] + p[2]) * (p[0] + p[1]) * (p[0] + p[2])),
}


def coverage(name, shares, rows, draws):
    """How often the interval at 95 % contains the truth, and what is above it."""
    drawn = np.random.default_rng(11).multinomial(rows, shares, size=draws)
    distinct, times = np.unique(drawn, axis=0, return_counts=True)
    truth, inside, above, defined = TRUTHS[name](shares), 0, 0, 0
    for counts, count in zip(distinct, times.tolist()):
        found = METRICS[name].estimate(LabelCounts((0, 1), *CELLS, counts), OPTIONS)
        if found.interval is not None:
            low, high = found.interval(0.95)
            defined += count
            inside += count * (low <= truth <= high)
            above += count * (low > truth)
    return inside / defined, above / defined


@pytest.mark.parametrize("prevalence", [0.1, 0.5])
@pytest.mark.parametrize("name", TRUTHS)
def test_nominal_coverage(name, prevalence):
    positives, negatives = prevalence, 1 - prevalence
    shares = np.array(
        [
            negatives * (1 - 0.2 * prevalence),
            negatives * 0.2 * prevalence,
            positives * 0.2,
            positives * 0.8,
        ]
    )

    inside, too_high = coverage(name, shares, rows=300, draws=4000)

    assert 0.935 <= inside <= 0.975
    # The side that would let a bad model pass.
    assert too_high <= 0.035


@pytest.mark.parametrize(("rows", "recall"), [(100, 0.9), (300, 0.97), (1000, 0.995)])
@pytest.mark.parametrize("name", ["balanced_accuracy", "fbeta", "mcc"])
def test_coverage_where_a_class_often_shows_no_mistake(name, rows, recall):
    shares = np.array([0.9 * 0.98, 0.9 * 0.02, 0.1 * (1 - recall), 0.1 * recall])

    inside, too_high = coverage(name, shares, rows, draws=4000)

    assert inside >= 0.93
    assert too_high <= 0.035


@pytest.mark.parametrize(("prevalence", "recall"), [(0.1, 0.97), (0.05, 0.9)])
def test_coverage_of_a_mean_of_which_one_part_is_skewed(prevalence, recall):
    shares = np.array(
        [
            (1 - prevalence) * 0.95,
            (1 - prevalence) * 0.05,
            prevalence * (1 - recall),
            prevalence * recall,
        ]
    )

    inside, too_high = coverage("balanced_accuracy", shares, rows=1000, draws=4000)

    # By the delta method it is 92 %, and 5 % too high.
    assert 0.94 <= inside <= 0.97
    assert too_high <= 0.025

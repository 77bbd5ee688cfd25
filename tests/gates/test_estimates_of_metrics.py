"""What a metric answers, made fit for a verdict."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from pytest_mlops.core.metrics import Better, Estimate, Metric, MetricOptions
from pytest_mlops.errors import DataError, MetricError
from pytest_mlops.evidence.record import Kept
from pytest_mlops.evidence.tables import LABELS
from pytest_mlops.gates.estimates import estimate_from, figures_of

OPTIONS = MetricOptions()


def metric(estimate, **more):
    return Metric(
        name="m",
        title="",
        formula="",
        source="",
        better=Better.HIGHER,
        kind=LABELS,
        estimate=estimate,
        **{"limits": (0.0, 1.0), **more},
    )


def test_bins_widen_the_interval_by_their_error_within_the_limits():
    found = Estimate(
        0.99, 100, interval=lambda confidence: (0.97, 0.999), error_bound=0.002
    )
    estimate = estimate_from(metric(lambda table, options: found), None, OPTIONS)
    assert estimate.interval(0.95) == pytest.approx((0.968, 1.0))


def test_numbers_of_numpy_become_plain():
    found = Estimate(
        np.float64(0.5), np.int64(3), interval=lambda c: np.array([0.25, 0.75])
    )
    estimate = estimate_from(metric(lambda table, options: found), None, OPTIONS)
    types = {type(end) for end in (estimate.value, *estimate.interval(0.9))}
    assert (types, type(estimate.rows)) == ({float}, int)


def test_a_metric_that_raises_is_named():
    def broken(table, options):
        raise ZeroDivisionError("no rows")

    with pytest.raises(MetricError, match="the metric 'm' raised ZeroDivisionError"):
        estimate_from(metric(broken), None, OPTIONS)


def test_what_says_itself_what_is_wrong_is_left_to_say_it():
    def broken(table, options):
        raise DataError("no probabilities")

    with pytest.raises(DataError, match="no probabilities"):
        estimate_from(metric(broken), None, OPTIONS)


def test_figures_know_the_baseline_and_the_difference_if_the_metric_does():
    def value(table, options):
        return Estimate(float(table), 1)

    def difference(pair, options, factor):
        return Estimate(pair[0] - factor * pair[1], 1)

    cuts = {("a",): Kept(3, 2, (3, 2)), ("b",): Kept(1)}
    paired = metric(value, difference=difference)
    (_, first), (_, second) = figures_of(paired, cuts, OPTIONS)
    assert first.paired(2.0).value == -1
    assert (second.candidate.value, second.baseline, second.paired) == (1, None, None)
    unpaired = dataclasses.replace(paired, difference=None)
    assert figures_of(unpaired, cuts, OPTIONS)[0][1].paired is None


def test_a_metric_across_slices_is_asked_once_of_all_of_them():
    def gap(tables, options):
        return Estimate(max(tables.values()) - min(tables.values()), len(tables))

    cuts = {("a",): Kept(3, 5), ("b",): Kept(1, 4)}
    ((key, found),) = figures_of(metric(gap, across=True), cuts, OPTIONS)
    assert key == ()
    assert (found.candidate.value, found.baseline.value) == (2, 1)
    alone = {key: Kept(kept.candidate) for key, kept in cuts.items()}
    ((_, found),) = figures_of(metric(gap, across=True), alone, OPTIONS)
    assert found.baseline is None

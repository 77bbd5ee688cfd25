"""Metrics of a regression agree with scikit-learn; their moments add up."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as sk

from pytest_mlops.core.metrics import MetricOptions
from pytest_mlops.core.rows import RegressionRows
from pytest_mlops.errors import DataError
from pytest_mlops.evidence.metrics import builtin_metrics
from pytest_mlops.evidence.tables import ERRORS
from pytest_mlops.evidence.tables.moments import Moments

METRICS = {metric.name: metric for metric in builtin_metrics()}


def bias(true, predicted, sample_weight):
    return np.average(predicted - true, weights=sample_weight)


def rmse(true, predicted, sample_weight):
    return math.sqrt(
        sk.mean_squared_error(true, predicted, sample_weight=sample_weight)
    )


SCORES = {
    "mae": sk.mean_absolute_error,
    "rmse": rmse,
    "r2": sk.r2_score,
    "mape": sk.mean_absolute_percentage_error,
    "bias": bias,
}


def measure(name, true, predicted, weights=None):
    table = ERRORS.build(RegressionRows(true, predicted, weights))
    return METRICS[name].estimate(table, MetricOptions())


def sample(size=500, seed=0):
    random = np.random.default_rng(seed)
    true = random.normal(50, 10, size)
    return true, true + random.normal(1, 4, size), random.gamma(2.0, size=size)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", SCORES)
def test_values_are_those_of_scikit_learn(name, weighted):
    true, predicted, weights = sample()
    given_weights = weights if weighted else None

    found = measure(name, true, predicted, given_weights)

    expected = SCORES[name](true, predicted, sample_weight=given_weights)
    assert found.value == pytest.approx(expected, abs=1e-12)
    assert found.rows == len(true)
    assert found.method == ("delta_log" if name == "r2" else "moments")
    low, high = found.interval(0.95)
    assert low < found.value < high


@pytest.mark.parametrize("name", SCORES)
def test_many_rows_are_worked_on_in_parts(name):
    true, predicted, weights = sample(100_000)

    found = measure(name, true, predicted, weights)

    expected = SCORES[name](true, predicted, sample_weight=weights)
    assert found.value == pytest.approx(expected, rel=1e-12)


def test_a_target_of_zero_is_no_division_by_zero():
    true, predicted = np.array([0.0, 1.0]), np.array([1e-3, 1.0])

    found = measure("mape", true, predicted)

    assert found.value == sk.mean_absolute_percentage_error(true, predicted)


def test_the_interval_of_what_is_hardly_skewed_is_students():
    true, predicted, _ = sample()
    errors = predicted - true
    half = stats.t.ppf(0.975, len(errors) - 1) * stats.sem(errors)

    found = measure("bias", true, predicted)

    assert found.interval(0.95) == pytest.approx(
        (errors.mean() - half, errors.mean() + half), rel=1e-3
    )


def test_the_interval_of_a_skewed_mean_is_that_of_a_bca_bootstrap():
    errors = np.random.default_rng(5).gamma(0.5, size=400)

    found = measure("mae", np.zeros(400), errors).interval(0.95)

    bootstrap = stats.bootstrap((errors,), np.mean, method="BCa", random_state=7)
    assert found == pytest.approx(tuple(bootstrap.confidence_interval), rel=0.02)


def test_equal_weights_are_no_weights():
    true, predicted, _ = sample()

    plain, weighted = (
        measure("rmse", true, predicted, w) for w in (None, np.full(len(true), 3.0))
    )

    assert weighted.method == plain.method == "moments"
    assert weighted.interval(0.9) == pytest.approx(plain.interval(0.9), rel=1e-9)


def test_an_error_is_never_less_than_nothing():
    found = measure("mae", np.zeros(3), np.array([0.0, 0.0, 5.0]))

    assert found.flags == ("low_support",)
    assert found.interval(0.99)[0] == 0.0


@pytest.mark.parametrize("name", ["mae", "rmse", "mape", "bias"])
@pytest.mark.parametrize("rows", [1, 30])
@pytest.mark.parametrize("weights", [None, 0.1])
def test_rows_that_all_agree_leave_no_interval(name, rows, weights):
    true = np.full(rows, 10.0)

    found = measure(
        name, true, true + 2, None if weights is None else np.full(rows, weights)
    )

    assert found.value is not None
    assert found.interval is None
    assert found.flags == ("low_support",)


@pytest.mark.parametrize("huge", [1e200, 1e308])
def test_errors_too_large_to_square_are_refused(huge):
    with pytest.raises(DataError, match="too large to be squared"):
        ERRORS.build(RegressionRows(np.array([huge, 1.0]), np.array([-huge, 1.0])))


values = st.floats(-1e3, 1e3, allow_subnormal=False)
batches = st.lists(st.tuples(values, values, st.floats(0.25, 4.0)), max_size=6)


def moments(batch, weighted=True):
    x, y, weights = np.array(batch, dtype=np.float64).reshape(-1, 3).T
    return Moments.of({"x": x, "y": y}, weights if weighted else None, spread_of="y")


def numbers(table):
    """All that a table holds, as one array."""
    sums = table.sums
    arrays = [table.means, sums.first, sums.second, sums.third]
    return np.concatenate(
        [[table.rows, table.weight, sums.weight], *(a.ravel() for a in arrays)]
    )


def close(first, second):
    scale = np.abs(numbers(first)).max()
    assert numbers(first) == pytest.approx(numbers(second), rel=1e-9, abs=scale * 1e-9)


@given(batches, batches, batches, st.booleans())
def test_merging_moments_is_associative_and_commutative(a, b, c, weighted):
    first, second, third = (moments(batch, weighted) for batch in (a, b, c))

    assert first.merge(second).to_json() == second.merge(first).to_json()
    close(first.merge(second).merge(third), first.merge(second.merge(third)))
    close(first.merge(second), moments(a + b, weighted))


def test_moments_are_stable_far_from_zero():
    x = np.array([1e9 + 1, 1e9 + 2, 1e9 + 3])

    merged = Moments.of({"x": x[:1]}).merge(Moments.of({"x": x[1:]}))

    assert merged.spread(x=1.0).error == pytest.approx(math.sqrt(1 / 3), rel=1e-12)


def test_rows_of_no_weight_say_nothing():
    found = measure("mae", np.zeros(2), np.ones(2), np.zeros(2))

    assert found.value is None
    assert found.reason == "there are no rows"


def test_moments_of_different_things_do_not_add_up():
    with pytest.raises(ValueError, match="cannot merge"):
        Moments.of({"x": np.ones(1)}).merge(Moments.of({"y": np.ones(1)}))


@given(batches)
def test_moments_go_to_json_and_back(batch):
    table = moments(batch)

    again = Moments.from_json(json.loads(json.dumps(table.to_json())))

    assert again.to_json() == table.to_json()


def test_damaged_moments_are_refused():
    data = Moments.of({"x": np.ones(3)}).to_json()

    with pytest.raises(ValueError):
        Moments.from_json({**data, "means": [1.0, 2.0]})

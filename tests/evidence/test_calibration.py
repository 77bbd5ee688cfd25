"""The expected calibration error: its table, its value, and its upper bound."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pytest_mlops.core.metrics import MetricOptions
from pytest_mlops.core.rows import ClassificationRows, Labels
from pytest_mlops.errors import DataError
from pytest_mlops.evidence.metrics import builtin_metrics
from pytest_mlops.evidence.tables import CALIBRATION

ECE = {metric.name: metric for metric in builtin_metrics()}["ece"]
POSITIVE = MetricOptions(positive=1)
CONFIDENCES = [0.01, 0.5, 0.8, 0.9, 0.95, 0.99, 0.9999, 1 - 1e-12]


def binary(true, promised, weights=None, groups=None):
    labels = Labels(np.asarray(true, dtype=np.int64), (0, 1))
    return ClassificationRows(
        labels,
        labels,
        positive=1,
        probabilities=np.asarray(promised, dtype=np.float64)[:, np.newaxis],
        classes=(1,),
        weights=weights,
        groups=groups,
    )


def estimate(*args, **kwargs):
    return ECE.estimate(CALIBRATION.build(binary(*args, **kwargs)), POSITIVE)


def draw(random, rows, truth=lambda promised: promised):
    """Probabilities that come true as *truth* says."""
    promised = random.beta(0.7, 0.7, rows)
    return random.random(rows) < truth(promised), promised


def overconfident(promised):
    odds = np.log(np.maximum(promised, 1e-9) / np.maximum(1 - promised, 1e-9))
    return 1 / (1 + np.exp(-0.7 * odds))


def in_bins(promised, values):
    """The sum of values in each of 15 bins, the definition word for word."""
    edges = np.linspace(0, 1, 16)
    inside = (promised > edges[:-1, None]) & (promised <= edges[1:, None])
    inside[0] |= promised == 0
    return inside @ values


@pytest.mark.parametrize("weighted", [False, True])
def test_the_value_is_the_definition_less_what_chance_gives(weighted):
    random = np.random.default_rng(1)
    true, promised = draw(random, 3000, overconfident)
    weights = random.gamma(2.0, size=3000) if weighted else np.ones(3000)
    gaps = np.abs(in_bins(promised, weights * (true - promised))) / weights.sum()
    spread = in_bins(promised, (weights * (true - promised)) ** 2)
    more = in_bins(promised, weights**2) / in_bins(promised, np.ones(3000)) / 2
    errors = np.sqrt(spread + more) / weights.sum()
    again = [
        stats.foldnorm.mean(gap / error, scale=error)
        for gap, error in zip(gaps, errors)
    ]

    found = estimate(true, promised, weights if weighted else None)

    assert found.value == pytest.approx(np.sum(2 * gaps - again), abs=1e-12)
    assert found.rows == 3000
    assert found.method == "debiased"
    assert found.flags == ("low_support",)


def test_debiasing_takes_away_most_of_what_chance_gives():
    random = np.random.default_rng(2)
    plain, debiased = [], []
    for _ in range(200):
        true, promised = draw(random, 2000)
        plain.append(np.abs(in_bins(promised, true - promised)).sum() / 2000)
        debiased.append(estimate(true, promised).value)

    assert np.mean(plain) > 0.02
    assert 0 <= np.mean(debiased) < 0.62 * np.mean(plain)


@pytest.mark.parametrize(
    "truth",
    [
        lambda promised: promised,
        overconfident,
        lambda promised: np.clip(promised + 0.03, 0, 1),
        lambda promised: np.where(promised > 0.8, promised - 0.2, promised),
    ],
)
@pytest.mark.parametrize("rows", [200, 2000])
def test_the_upper_bound_holds(truth, rows):
    random = np.random.default_rng(3)
    many = random.beta(0.7, 0.7, 1_000_000)
    real = np.abs(in_bins(many, truth(many) - many)).sum() / len(many)
    draws, below, above = 500, 0, 0
    for _ in range(draws):
        low, high = estimate(*draw(random, rows, truth)).interval(0.95)
        below += high < real
        above += low > real

    assert below / draws <= 0.035
    assert above / draws <= 0.035


def test_many_rows_leave_little_doubt():
    random = np.random.default_rng(4)
    found = estimate(*draw(random, 200_000, overconfident))

    low, high = found.interval(0.95)

    assert found.flags == ()
    assert 0.045 < low < high < 0.06


def test_groups_that_err_together_tell_less():
    random = np.random.default_rng(5)
    groups = np.arange(4000) // 20
    lift = random.normal(0, 1.5, 200)[groups]
    # Customers, each with a probability of its own, and luck of its own.
    promised = random.beta(2.0, 2.0, 200)[groups]
    odds = np.log(promised / (1 - promised)) + lift
    true = random.random(4000) < 1 / (1 + np.exp(-odds))

    alone = estimate(true, promised)
    grouped = estimate(true, promised, groups=groups)

    assert grouped.method == "debiased_clustered"
    assert grouped.flags == ("low_support",)
    assert grouped.interval(0.95)[1] > alone.interval(0.95)[1]
    assert np.ptp(grouped.interval(0.95)) > 1.5 * np.ptp(alone.interval(0.95))
    few = estimate(true, promised, groups=groups % 20)
    assert few.flags == ("low_support", "few_groups")
    one = estimate(true, promised, groups=np.zeros(4000, dtype=np.int64))
    assert one.interval is None and one.method is None


def test_groups_of_one_row_each_change_nothing_but_the_quantile():
    random = np.random.default_rng(6)
    true, promised = draw(random, 256)

    found = CALIBRATION.build(binary(true, promised, groups=np.arange(256)))
    alone = CALIBRATION.build(binary(true, promised))

    widths = [
        np.ptp(ECE.estimate(each, POSITIVE).interval(0.95)) for each in (alone, found)
    ]
    assert widths[1] == pytest.approx(widths[0], rel=0.03)


def test_several_classes_are_judged_by_the_most_probable():
    random = np.random.default_rng(7)
    found = random.dirichlet([0.5] * 4, 3000)
    names = ("a", "b", "c", "d")
    true = (random.random((3000, 1)) > found.cumsum(axis=1)).sum(axis=1)
    labels = Labels(np.minimum(true, 3), names)
    rows = ClassificationRows(labels, labels, probabilities=found, classes=names)
    top = found.argmax(axis=1)

    several = ECE.estimate(CALIBRATION.build(rows), MetricOptions())

    one = estimate(top == labels.codes, found.max(axis=1))
    assert several.value == pytest.approx(one.value, abs=1e-12)
    assert several.interval(0.9) == pytest.approx(one.interval(0.9), abs=1e-12)


def test_probabilities_at_the_edges_are_counted():
    table = CALIBRATION.build(binary([0, 1, 1, 0], [0.0, 1.0, 1 / 15, 0.0667]))

    assert table.rows[[0, 1, 14]].tolist() == [2, 1, 1]


def test_no_weight_is_no_value():
    found = estimate([0, 1], [0.2, 0.8], np.zeros(2))

    assert (found.value, found.reason) == (None, "there are no rows")


def test_scores_that_are_no_probabilities_are_refused():
    with pytest.raises(DataError, match="outside of 0 to 1 in row 2 of the batch"):
        CALIBRATION.build(binary([0, 1], [0.2, 1.8]))


batches = st.lists(
    st.tuples(
        st.integers(0, 1), st.floats(0, 1), st.integers(1, 8), st.integers(0, 4095)
    ),
    max_size=8,
)


def small(batch, weighted, grouped):
    true, promised, weights, groups = np.array(batch, np.float64).reshape(-1, 4).T
    # On a coarse scale sums are exact, and so the same in any order.
    return CALIBRATION.build(
        binary(
            true,
            np.round(promised * 1024) / 1024,
            weights if weighted else None,
            groups.astype(np.int64) if grouped else None,
        )
    )


@given(batches, batches, batches, st.tuples(st.booleans(), st.booleans()))
def test_merging_is_associative_and_commutative(a, b, c, kind):
    first, second, third = (small(batch, *kind) for batch in (a, b, c))

    whole = small(a + b + c, *kind).to_json()

    assert first.merge(second).to_json() == second.merge(first).to_json()
    assert first.merge(second).merge(third).to_json() == whole
    assert first.merge(second.merge(third)).to_json() == whole
    assert CALIBRATION.from_json(json.loads(json.dumps(whole))).to_json() == whole


def test_rows_in_groups_do_not_mix_with_others():
    batch = [(1, 0.5, 1, 3)]

    with pytest.raises(ValueError, match="in groups with others"):
        small(batch, False, True).merge(small(batch, False, False))


@given(batches.filter(bool), st.tuples(st.booleans(), st.booleans()))
def test_intervals_of_any_probabilities(batch, kind):
    found = ECE.estimate(small(batch, *kind), POSITIVE)

    if found.interval is None:
        assert kind[1]
        return
    ends = [found.interval(confidence) for confidence in CONFIDENCES]
    for low, high in ends:
        assert 0 <= low <= found.value <= high <= 1
        assert math.isfinite(high)
    for (low, high), (lower, higher) in zip(ends, ends[1:]):
        assert lower <= low and higher >= high
    assert ends[4][1] > ends[4][0]

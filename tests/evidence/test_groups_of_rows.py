"""Counts with groups: sums by bucket, and intervals by the spread between them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlops.core.metrics import MetricOptions
from pytest_mlops.core.rows import ClassificationRows, Labels
from pytest_mlops.evidence.groups import FEW_GROUPS
from pytest_mlops.evidence.labels import encode
from pytest_mlops.evidence.metrics import builtin_metrics
from pytest_mlops.evidence.tables import LABELS

METRICS = {metric.name: metric for metric in builtin_metrics()}
ON_COUNTS = [
    name for name, one in METRICS.items() if one.difference and one.kind is LABELS
]
SHARES = ["accuracy", "precision", "recall", "specificity", "f1"]
OPTIONS = MetricOptions(positive=1, beta=2.0)

rows = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from([0, 1, "a"]),
        st.integers(1, 5),
        st.integers(0, 4095),
    ),
    max_size=10,
)


def grouped(batch, weighted=False):
    """The table of rows of truth, prediction, weight and bucket."""
    true, predicted, weights, groups = (
        list(column) for column in (zip(*batch) if batch else ([],) * 4)
    )
    return LABELS.build(
        ClassificationRows(
            encode(true),
            encode(predicted),
            weights=np.array(weights, np.float64) if weighted else None,
            groups=np.array(groups, np.int64),
        )
    )


def sample(groups, size, icc, seed=1, weighted=False):
    """Binary rows whose mistakes are alike within a group."""
    random = np.random.default_rng(seed)
    true = random.integers(0, 2, groups * size)
    spread = 1 / icc - 1
    wrong = np.repeat(random.beta(0.2 * spread, 0.8 * spread, groups), size)
    predicted = np.where(random.random(len(true)) < wrong, 1 - true, true)
    return ClassificationRows(
        Labels(true, (0, 1)),
        Labels(predicted, (0, 1)),
        weights=random.gamma(2.0, size=len(true)) if weighted else None,
        groups=np.repeat(np.arange(groups), size),
    )


def width(estimate):
    low, high = estimate.interval(0.95)
    return high - low


@given(rows, rows, rows, st.booleans())
def test_merging_groups_is_associative_and_commutative(first, second, third, weighted):
    a, b, c = (grouped(batch, weighted) for batch in (first, second, third))

    whole = grouped(first + second, weighted)
    assert a.merge(b).to_json() == b.merge(a).to_json() == whole.to_json()
    assert a.merge(b).merge(c).to_json() == a.merge(b.merge(c)).to_json()


@given(rows, st.booleans())
def test_groups_go_to_json_and_back(batch, weighted):
    table = grouped(batch, weighted)

    again = LABELS.from_json(json.loads(json.dumps(table.to_json(), allow_nan=False)))

    assert again.to_json() == table.to_json()
    assert again.merge(table).to_json() == table.merge(table).to_json()


def test_groups_stand_beside_the_cells_that_they_are_of():
    table = grouped([(0, 0, 1, 7), (0, 0, 1, 7), (1, 0, 1, 2)])

    assert table.to_json() == {
        "labels": [0, 1],
        "rows": [[2, 0], [1, 0]],
        "groups": {"bucket": [2, 7], "cell": [1, 0], "mass": [1.0, 2.0]},
    }


@pytest.mark.parametrize(
    "groups",
    [
        {"bucket": [0], "cell": [9], "mass": [1.0]},
        {"bucket": [4096], "cell": [0], "mass": [1.0]},
        {"bucket": [0, 1], "cell": [0], "mass": [1.0]},
        {"bucket": [0], "cell": [0]},
    ],
)
def test_damaged_groups_are_refused(groups):
    with pytest.raises((KeyError, ValueError)):
        LABELS.from_json({"labels": [0], "rows": [[2]], "groups": groups})


def test_counts_with_and_without_groups_do_not_add_up():
    with_groups = grouped([(0, 0, 1, 7)])
    without = LABELS.build(ClassificationRows(encode([0]), encode([0])))
    empty = LABELS.build(ClassificationRows(encode([]), encode([])))

    assert with_groups.merge(empty).to_json() == with_groups.to_json()
    with pytest.raises(ValueError, match="without"):
        with_groups.merge(without)


@given(rows, st.booleans(), st.lists(st.integers(-1, 2), min_size=10, max_size=10))
def test_slices_of_counts_are_what_they_are_alone(batch, weighted, slices):
    slices = np.array(slices[: len(batch)], dtype=np.int64)
    true, predicted, weights, groups = zip(*batch) if batch else ([],) * 4
    for with_groups in (False, True):
        all_rows = ClassificationRows(
            encode(list(true)),
            encode(list(predicted)),
            weights=np.array(weights, np.float64) if weighted else None,
            groups=np.array(groups, np.int64) if with_groups else None,
        )

        tables = LABELS.split(all_rows, slices, 3)

        for number, table in enumerate(tables):
            alone = all_rows.take(np.flatnonzero(slices == number))
            assert table.to_json() == LABELS.build(alone).to_json()
        assert len(tables) == 3


def test_many_slices_of_many_labels_are_counted_sparsely():
    random = np.random.default_rng(3)
    true, predicted = random.integers(0, 200, (2, 5000))
    slices = random.integers(0, 300, 5000)
    all_rows = ClassificationRows(encode(true), encode(predicted))

    tables = LABELS.split(all_rows, slices, 300)

    assert sum(table.total_rows for table in tables) == 5000
    alone = all_rows.take(np.flatnonzero(slices == 17))
    assert tables[17].to_json() == LABELS.build(alone).to_json()


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", ON_COUNTS)
def test_rows_alike_within_groups_widen_the_interval(name, weighted):
    together = sample(60, 10, icc=0.5, weighted=weighted)
    metric = METRICS[name]
    table = metric.kind.build(together)
    alone = metric.kind.build(
        ClassificationRows(together.true, together.predicted, weights=together.weights)
    )

    found, plain = (metric.estimate(t, OPTIONS) for t in (table, alone))

    assert found.value == pytest.approx(plain.value, rel=1e-12)
    assert found.rows == plain.rows
    assert width(found) > 1.3 * width(plain)
    method = plain.method.replace("wilson_mean", "delta_logit")
    assert found.method == f"{method}_clustered"
    assert found.flags == ()


@pytest.mark.parametrize("name", ON_COUNTS)
def test_groups_of_one_row_are_hardly_wider_than_rows(name):
    single = sample(400, 1, icc=0.2)
    metric = METRICS[name]
    alone = ClassificationRows(single.true, single.predicted)

    found = metric.estimate(metric.kind.build(single), OPTIONS)
    plain = metric.estimate(metric.kind.build(alone), OPTIONS)

    assert 0.98 * width(plain) <= width(found) < 1.02 * width(plain)


@pytest.mark.parametrize("name", ON_COUNTS)
@pytest.mark.parametrize("groups", [1, 2, FEW_GROUPS - 1])
def test_few_groups_are_said_and_make_it_wide(name, groups):
    metric = METRICS[name]

    found = metric.estimate(metric.kind.build(sample(groups, 40, 0.2)), OPTIONS)

    assert "few_groups" in found.flags
    ends = [found.interval(confidence) for confidence in (0.5, 0.95, 1 - 1e-12)]
    for (low, high), (lower, higher) in zip(ends, ends[1:]):
        assert metric.limits[0] <= lower <= low <= found.value
        assert found.value <= high <= higher <= metric.limits[1]
    if groups == 1:
        assert ends[1] == pytest.approx(metric.limits, abs=1e-3)


@pytest.mark.parametrize("name", SHARES)
def test_groups_without_a_mistake_count_as_one_row_each(name):
    true = np.tile([0, 1], 200)
    perfect = ClassificationRows(
        Labels(true, (0, 1)),
        Labels(true, (0, 1)),
        groups=np.repeat(np.arange(40), 10),
    )

    low, high = METRICS[name].estimate(LABELS.build(perfect), OPTIONS).interval(0.95)

    # Wilson's lower end of 40 of 40 rows is .91, of 400 of 400 it is .99.
    assert high == 1.0
    assert 0.75 < low < 0.96


def coverage(name, groups, sims):
    """How often the interval at 95 % contains the truth, and what is above it."""
    truth = {"accuracy": 0.8, "recall": 0.8, "f1": 0.8}[name]
    ends = np.array(
        [
            METRICS[name]
            .estimate(LABELS.build(sample(groups, 10, 0.2, seed)), OPTIONS)
            .interval(0.95)
            for seed in range(sims)
        ]
    )
    inside = (ends[:, 0] <= truth) & (truth <= ends[:, 1])
    return inside.mean(), (ends[:, 0] > truth).mean()


@pytest.mark.parametrize("name", ["accuracy", "recall", "f1"])
@pytest.mark.parametrize("groups", [30, 80])
def test_coverage_with_groups_of_ten(name, groups):
    inside, too_high = coverage(name, groups, sims=600)

    # Wilson on the rows themselves covers 79 %.
    assert 0.925 <= inside <= 0.985
    assert too_high <= 0.045

"""ScoreTable: exact and binned scores, whichever way they are merged."""

from __future__ import annotations

import json
from functools import reduce
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from pytest_mlops.core.metrics import MetricOptions
from pytest_mlops.core.rows import ClassificationRows, Labels
from pytest_mlops.evidence.metrics import builtin_metrics
from pytest_mlops.evidence.tables import SCORES
from pytest_mlops.evidence.tables.grid import BINS, bin_of
from pytest_mlops.evidence.tables.ranks import EXACT_ROWS

METRICS = {metric.name: metric for metric in builtin_metrics()}
POSITIVE = MetricOptions(positive=1)


def table(true, scores, weights=None):
    labels = Labels(np.asarray(true, dtype=np.int64), (0, 1))
    return SCORES.build(
        ClassificationRows(
            labels,
            labels,
            positive=1,
            probabilities=np.asarray(scores, dtype=np.float64)[:, np.newaxis],
            classes=(1,),
            weights=weights,
        )
    )


SPREADS = {
    "even": lambda random, size: random.random(size),
    "piled at the ends": lambda random, size: random.beta(0.3, 0.3, size),
    "few values": lambda random, size: np.round(random.random(size), 1),
    "decision function": lambda random, size: random.normal(0, 3, size),
    "one bin": lambda random, size: 0.3 + random.random(size) * 1e-9,
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("spread", SPREADS)
def test_bins_are_off_by_no_more_than_they_say(spread, weighted):
    random = np.random.default_rng(8)
    size = EXACT_ROWS + 1000
    scores = SPREADS[spread](random, size)
    true = random.random(size) < 1 / (1 + np.exp(-scores))
    weights = random.gamma(2.0, size=size) if weighted else None

    binned = table(true, scores, weights)

    for name, score in (
        ("roc_auc", sk.roc_auc_score),
        ("average_precision", sk.average_precision_score),
    ):
        found = METRICS[name].estimate(binned, POSITIVE)
        exact = score(true, scores, sample_weight=weights)
        assert abs(found.value - exact) <= found.error_bound + 1e-12
        assert "binned" in found.flags
        assert found.rows == size
        # Where scores are few, bins cannot tell that rows in one are truly equal.
        if spread not in ("one bin", "few values"):
            assert found.error_bound < 2e-3


@pytest.mark.parametrize("weighted", [False, True])
def test_the_order_of_merging_does_not_matter(weighted):
    random = np.random.default_rng(9)
    parts = []
    for size in (EXACT_ROWS // 2, EXACT_ROWS // 2 - 5, 10, EXACT_ROWS + 1):
        scores = random.random(size)
        weights = random.integers(1, 5, size) * 0.5 if weighted else None
        parts.append(table(random.random(size) < scores, scores, weights))
    exact, binned = parts[:3], parts

    for few in (exact[:2], binned):
        found = {
            json.dumps(reduce(lambda a, b: a.merge(b), order).to_json())
            for order in permutations(few)
        }
        assert len(found) == 1
    assert "bins" not in exact[0].merge(exact[1]).to_json()["classes"][0]
    assert "bins" in reduce(lambda a, b: a.merge(b), exact).to_json()["classes"][0]


rows = st.lists(
    st.tuples(st.integers(0, 1), st.floats(0, 1), st.integers(1, 8)), max_size=8
)


def small(batch, weighted):
    true, scores, weights = np.array(batch, dtype=np.float64).reshape(-1, 3).T
    return table(true, scores, weights if weighted else None)


@given(rows, rows, rows, st.tuples(st.booleans(), st.booleans()))
def test_merging_is_associative_and_commutative(a, b, c, weighted):
    first, second, third = small(a, weighted[0]), small(b, weighted[1]), small(c, False)

    assert first.merge(second).to_json() == second.merge(first).to_json()
    assert (
        first.merge(second).merge(third).to_json()
        == first.merge(second.merge(third)).to_json()
    )


@pytest.mark.parametrize("size", [50, EXACT_ROWS + 1])
@pytest.mark.parametrize("weighted", [False, True])
def test_json_goes_there_and_back(size, weighted):
    random = np.random.default_rng(10)
    scores = random.random(size)
    weights = random.random(size) if weighted else None
    before = table(random.random(size) < 0.5, scores, weights)

    after = SCORES.from_json(json.loads(json.dumps(before.to_json(), allow_nan=False)))

    assert after.to_json() == before.to_json()
    for name in ("roc_auc", "average_precision"):
        metric = METRICS[name]
        estimates = [metric.estimate(each, POSITIVE) for each in (before, after)]
        assert estimates[0].value == pytest.approx(estimates[1].value, rel=1e-12)
        assert estimates[0].rows == estimates[1].rows == size
        ends = [estimate.interval(0.95) for estimate in estimates]
        assert ends[0] == pytest.approx(ends[1], rel=1e-12)


finite = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(finite | st.floats(-0.1, 1.1) | st.floats(0, 1e-6), min_size=2))
def test_a_greater_score_is_in_no_lesser_bin(scores):
    ordered = np.sort(np.array(scores))

    bins = bin_of(ordered)

    assert (np.diff(bins) >= 0).all()
    assert bins.min() >= 0
    assert bins.max() < BINS


def test_bins_do_not_mix_what_lies_inside_and_outside():
    edges = np.array([-1e300, -1e-5, -1e-300, 0.0, 1e-300, 0.5, 1.0, 1.00001, 1e300])

    bins = bin_of(edges)

    assert bins[2] < bins[3] == bins[4] < bins[5] < bins[6] < bins[7] < bins[8]
    assert bins[0] == 0
    assert bin_of(np.array([-0.0])) == bins[3]


def test_a_table_keeps_a_copy_of_the_scores():
    scores = np.array([[0.2, 0.8], [0.6, 0.4]])
    labels = Labels(np.array([0, 1]), ("a", "b"))
    rows = ClassificationRows(labels, labels, probabilities=scores, classes=("a", "b"))
    found = SCORES.build(rows)

    scores[:] = 0.5

    assert found.to_json()["classes"] == [
        {"label": "a", "scores": [0.6, 0.2], "positive": [0, 1]},
        {"label": "b", "scores": [0.4, 0.8], "positive": [1, 0]},
    ]

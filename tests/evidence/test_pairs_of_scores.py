"""Scores of two models on the same rows: the table of pairs, and the difference."""

from __future__ import annotations

import json
import math
from functools import reduce
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pytest_mlops.core.metrics import MetricOptions
from pytest_mlops.core.rows import ClassificationRows, Labels, PairedRows
from pytest_mlops.evidence.metrics import builtin_metrics
from pytest_mlops.evidence.tables import SCORES
from pytest_mlops.evidence.tables.grid import BINS, COARSE, coarse_of
from pytest_mlops.evidence.tables.ranks import EXACT_ROWS
from pytest_mlops.evidence.tables.score_pairs import ScorePairs

METRICS = {metric.name: metric for metric in builtin_metrics()}
NAMES = ["roc_auc", "average_precision"]
POSITIVE = MetricOptions(positive=1)
PAIRS = SCORES.pair


def rows_of(true, scores, weights=None, groups=None):
    labels = Labels(np.asarray(true, dtype=np.int64), (0, 1))
    return ClassificationRows(
        labels,
        labels,
        positive=1,
        probabilities=np.asarray(scores, dtype=np.float64)[:, np.newaxis],
        classes=(1,),
        weights=weights,
        groups=groups,
    )


def paired(true, candidate, baseline, weights=None, groups=None):
    return PairedRows(
        rows_of(true, candidate, weights, groups),
        rows_of(true, baseline, weights, groups),
    )


def binormal(random, rows, prevalence, areas, correlation):
    """Truth, and two models' scores with these true ROC areas."""
    true = random.random(rows) < prevalence
    first = random.normal(size=rows)
    second = correlation * first + math.sqrt(1 - correlation**2) * random.normal(
        size=rows
    )
    lifts = [math.sqrt(2) * stats.norm.ppf(area) for area in areas]
    return true, first + lifts[0] * true, second + lifts[1] * true


def difference(name, pairs, factor=1.0, options=POSITIVE):
    return METRICS[name].difference(pairs, options, factor)


batches = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.floats(0, 1),
        st.floats(0, 1),
        st.integers(1, 8),
        st.integers(0, 4095),
    ),
    max_size=6,
)


def small(batch, weighted, grouped):
    columns = np.array(batch, dtype=np.float64).reshape(-1, 5).T
    true, candidate, baseline, weights, groups = columns
    return PAIRS.build(
        paired(
            true,
            candidate,
            baseline,
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
    assert PAIRS.from_json(json.loads(json.dumps(whole))).to_json() == whole


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_order_of_merging_does_not_matter(weighted, grouped):
    random = np.random.default_rng(1)
    parts = []
    for size in (EXACT_ROWS - 5, 10, 40, EXACT_ROWS + 1):
        true, candidate, baseline = binormal(random, size, 0.4, (0.8, 0.7), 0.5)
        weights = random.integers(1, 5, size) * 0.5 if weighted else None
        groups = random.integers(0, 40, size) if grouped else None
        parts.append(PAIRS.build(paired(true, candidate, baseline, weights, groups)))

    found = {
        json.dumps(reduce(lambda a, b: a.merge(b), order).to_json())
        for order in list(permutations(parts))[::7]
    }

    assert len(found) == 1
    stored = json.loads(found.pop())
    assert PAIRS.from_json(stored).to_json() == stored


@pytest.mark.parametrize("size", [300, EXACT_ROWS + 1])
def test_each_side_is_the_table_of_that_model_alone(size):
    random = np.random.default_rng(2)
    rows = paired(*binormal(random, size, 0.4, (0.8, 0.7), 0.5))

    pairs = PAIRS.build(rows)

    assert pairs.candidate.to_json() == SCORES.build(rows.candidate).to_json()
    assert pairs.baseline.to_json() == SCORES.build(rows.baseline).to_json()
    stored = PAIRS.from_json(json.loads(json.dumps(pairs.to_json())))
    assert stored.candidate.to_json() == pairs.candidate.to_json()
    assert stored.baseline.to_json() == pairs.baseline.to_json()


@pytest.mark.parametrize("kind", [SCORES, PAIRS])
def test_slices_are_the_tables_of_their_rows(kind):
    random = np.random.default_rng(3)
    size = EXACT_ROWS + 5000
    slices = np.where(random.random(size) < 0.98, 0, random.integers(-1, 5, size))
    slices[slices == 3] = 2
    true, candidate, baseline = binormal(random, size, 0.4, (0.8, 0.7), 0.5)
    weights = random.integers(1, 4, size) * 1.0
    rows = paired(true, candidate, baseline, weights, random.integers(0, 99, size))
    rows = rows if kind is PAIRS else rows.candidate

    found = kind.split(rows, slices, 5)

    assert len(found) == 5
    for number, table in enumerate(found):
        alone = kind.build(rows.take(np.flatnonzero(slices == number)))
        assert table.to_json() == alone.to_json()


def test_wide_bins_are_unions_of_bins():
    wide = coarse_of(np.arange(BINS))

    assert np.unique(wide).tolist() == list(range(COARSE))
    assert (np.diff(wide) >= 0).all()
    # Those of 1 - p mirror those of p.
    assert (wide + wide[::-1] == COARSE - 1).all()


def test_the_paired_error_is_delongs():
    random = np.random.default_rng(4)
    true, candidate, baseline = binormal(random, 400, 0.3, (0.85, 0.8), 0.7)
    placements = []
    for scores in (candidate, baseline):
        above = scores[true][:, None] > scores[~true]
        placements.append((above.mean(axis=1), above.mean(axis=0)))
    apart = [first - second for first, second in zip(*placements)]
    variance = sum(each.var(ddof=1) / len(each) for each in apart)
    # Half a row more in each class, like the one that differs most.
    largest = sum(((each - each.mean()) ** 2).max() / len(each) ** 2 for each in apart)

    found = difference("roc_auc", PAIRS.build(paired(true, candidate, baseline)))

    assert found.method == "delong_paired"
    assert found.value == pytest.approx(
        placements[0][0].mean() - placements[1][0].mean(), abs=1e-12
    )
    half = (found.interval(0.95)[1] - found.interval(0.95)[0]) / 2
    assert half == pytest.approx(
        stats.norm.ppf(0.975) * math.sqrt(variance + largest / 2), rel=1e-9
    )


@pytest.mark.parametrize("name", NAMES)
@given(batches.filter(lambda rows: len({row[0] for row in rows}) == 2))
def test_intervals_of_differences(name, batch):
    for grouped in (False, True):
        found = difference(name, small(batch, True, grouped), 0.9)
        if found.interval is None:
            assert grouped
            continue
        ends = [found.interval(confidence) for confidence in (0.1, 0.5, 0.95, 0.9999)]
        for low, high in ends:
            assert -0.9 <= low <= found.value <= high <= 1.0
        for (low, high), (lower, higher) in zip(ends, ends[1:]):
            assert lower <= low and higher >= high
        assert "few_discordant" in found.flags


@pytest.mark.parametrize("name", NAMES)
def test_a_small_improvement_shows_on_the_same_rows(name):
    random = np.random.default_rng(5)
    true, candidate, baseline = binormal(random, 3000, 0.4, (0.88, 0.86), 0.98)
    pairs = PAIRS.build(paired(true, candidate, baseline))

    found = difference(name, pairs)

    assert found.interval(0.95)[0] > 0
    # Apart, the two intervals overlap.
    candidate, baseline = (
        METRICS[name].estimate(table, POSITIVE).interval(0.95)
        for table in (pairs.candidate, pairs.baseline)
    )
    assert candidate[0] < baseline[1]
    assert found.flags == ()


@pytest.mark.parametrize("name", NAMES)
def test_a_model_against_itself_leaves_a_doubt(name):
    random = np.random.default_rng(6)
    true, scores, _ = binormal(random, 500, 0.4, (0.8, 0.8), 0.5)

    found = difference(name, PAIRS.build(paired(true, scores, scores)))

    low, high = found.interval(0.95)
    assert found.value == 0.0
    assert -0.01 < low < -1e-4 and 1e-4 < high < 0.01
    assert "few_discordant" in found.flags


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("correlation", [0.5, 0.95])
@pytest.mark.parametrize("scale", ["normal", "probabilities", "rare"])
@pytest.mark.parametrize("name", NAMES)
def test_bins_keep_how_the_two_go_together(name, scale, correlation, grouped):
    random = np.random.default_rng(7)
    size = 20_000
    prevalence = 0.02 if scale == "rare" else 0.3
    true, *scores = binormal(random, size, prevalence, (0.85, 0.83), correlation)
    if scale != "normal":
        far = 5.0 if scale == "rare" else 0.0
        scores = [1 / (1 + np.exp(far - each)) for each in scores]
    groups = random.integers(0, 300, size) if grouped else None
    exact = PAIRS.build(paired(true, *scores, None, groups))
    widths = [
        np.ptp(difference(name, each).interval(0.95))
        for each in (exact, exact.binned())
    ]

    # What wide bins do not show is taken for independent.
    assert 0.98 * widths[0] <= widths[1] <= 1.06 * widths[0]


@pytest.mark.parametrize("size", [60, EXACT_ROWS + 1])
def test_models_that_know_other_classes_are_not_compared(size):
    random = np.random.default_rng(8)
    names = ("a", "b", "c")
    true = Labels(random.integers(0, 3, size), names)
    found = random.random((size, 4))
    candidate, baseline = (
        ClassificationRows(
            true, true, probabilities=found[:, : len(classes)], classes=classes
        )
        for classes in (names, ("a", "b", "c", "d"))
    )
    pairs = PAIRS.build(PairedRows(candidate, baseline))

    found = difference("roc_auc", pairs, options=MetricOptions())
    one = difference("roc_auc", pairs, options=MetricOptions(positive="b"))

    assert found.reason == f"none of {size} rows is of class 'd'"
    assert one.value is not None and one.interval is not None


def test_a_mean_over_other_classes_has_no_difference():
    random = np.random.default_rng(8)
    names = ("a", "b", "c")
    candidate, baseline = (
        SCORES.build(
            ClassificationRows(
                Labels(random.integers(0, count, 60), names),
                Labels(random.integers(0, count, 60), names),
                probabilities=random.random((60, count)),
                classes=names[:count],
            )
        )
        for count in (2, 3)
    )

    found = difference(
        "roc_auc", ScorePairs(candidate, baseline), options=MetricOptions()
    )

    assert (found.value, found.reason) == (
        None,
        "the candidate has scores of 'a', 'b', the baseline of 'a', 'b', 'c'",
    )


@pytest.mark.parametrize("correlation", [0.3, 0.9])
def test_a_mean_over_classes_is_compared_row_by_row(correlation):
    random = np.random.default_rng(9)
    names = (0, 1, 2)
    true = random.integers(0, 3, 2000)
    shared = random.normal(size=(2000, 3))

    def rows(own):
        noise = math.sqrt(1 - correlation**2) * random.normal(size=(2000, 3))
        raw = np.exp(correlation * shared + noise + own * np.eye(3)[true])
        labels = Labels(true, names)
        found = raw / raw.sum(axis=1, keepdims=True)
        return ClassificationRows(labels, labels, probabilities=found, classes=names)

    pairs = PAIRS.build(PairedRows(rows(1.0), rows(1.0)))
    found = difference("roc_auc", pairs, options=MetricOptions())
    binned = difference("roc_auc", pairs.binned(), options=MetricOptions())

    apart = math.hypot(
        *(
            np.ptp(METRICS["roc_auc"].estimate(each, MetricOptions()).interval(0.95))
            for each in (pairs.candidate, pairs.baseline)
        )
    )
    assert np.ptp(found.interval(0.95)) < (1.0 if correlation < 0.5 else 0.6) * apart
    # In bins it is not known how classes vary together: as wide as if they did as one.
    assert np.ptp(binned.interval(0.95)) > np.ptp(found.interval(0.95))
    assert binned.value == pytest.approx(found.value, abs=binned.error_bound)


@pytest.mark.parametrize(
    ("rows", "prevalence", "correlation"),
    [(200, 0.5, 0.5), (1000, 0.1, 0.5), (1000, 0.5, 0.95)],
)
def test_nominal_coverage_of_the_paired_difference(rows, prevalence, correlation):
    random = np.random.default_rng(10)
    draws, inside = 600, 0
    for _ in range(draws):
        drawn = binormal(random, rows, prevalence, (0.87, 0.85), correlation)
        found = difference("roc_auc", PAIRS.build(paired(*drawn)))
        low, high = found.interval(0.95)
        inside += low <= 0.02 <= high

    # Within three standard errors of such a simulation.
    assert 0.935 - 0.03 <= inside / draws <= 0.97 + 0.021


def test_damaged_tables_are_refused():
    stored = small([(1, 0.5, 0.2, 1, 3), (0, 0.1, 0.3, 1, 4)], False, True).to_json()
    short = json.loads(json.dumps(stored))
    short["candidate"]["classes"][0]["scores"].pop()
    fewer = json.loads(json.dumps(stored))
    for column in ("scores", "positive", "groups"):
        fewer["baseline"]["classes"][0][column].pop()

    with pytest.raises(ValueError, match="columns of different lengths"):
        PAIRS.from_json(short)
    with pytest.raises(ValueError, match="rows are not the baseline's"):
        PAIRS.from_json(fewer)


def test_rows_in_groups_do_not_mix_with_others():
    batch = [(1, 0.5, 0.2, 1, 3)]

    with pytest.raises(ValueError, match="rows in groups with others"):
        small(batch, False, True).merge(small(batch, False, False))


def test_tables_without_rows_have_no_difference():
    found = difference("roc_auc", small([], False, False))

    assert (found.value, found.reason) == (None, "there are no rows")

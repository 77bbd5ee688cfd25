"""Gaps between groups agree with fairlearn, and their intervals keep their promise."""

from __future__ import annotations

from dataclasses import replace

import fairlearn.metrics
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pytest_mlops.core.metrics import MetricOptions
from pytest_mlops.core.rows import ClassificationRows
from pytest_mlops.evidence.labels import encode
from pytest_mlops.evidence.metrics import builtin_metrics
from pytest_mlops.evidence.metrics.estimates import FEW_GROUPS_FLAG, LOW_SUPPORT
from pytest_mlops.evidence.tables import LABELS
from pytest_mlops.evidence.tables.counts import LabelCounts

METRICS = {metric.name: metric for metric in builtin_metrics() if metric.across}
POSITIVE = MetricOptions(positive=1)

#: true negative, false positive, false negative, true positive
CELLS = (np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]))


def table_of(true, predicted, weights=None):
    rows = ClassificationRows(encode(true), encode(predicted), weights=weights)
    return LABELS.build(rows)


def counts(*cells):
    return LabelCounts((0, 1), *CELLS, np.array(cells))


def tables_of(groups, true, predicted, weights=None):
    """The table of each group under its key."""
    return {
        (group,): table_of(
            true[groups == group],
            predicted[groups == group],
            None if weights is None else weights[groups == group],
        )
        for group in np.unique(groups).tolist()
    }


def estimate(name, tables, options=POSITIVE):
    return METRICS[name].estimate(tables, options)


def test_there_are_six():
    criteria = ("demographic_parity", "equalized_odds", "equal_opportunity")

    assert set(METRICS) == {
        f"{c}_{g}" for c in criteria for g in ("difference", "ratio")
    }


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("groups", [2, 5])
@pytest.mark.parametrize("name", METRICS)
def test_values_are_those_of_fairlearn(name, groups, weighted):
    random = np.random.default_rng(groups)
    group = random.integers(0, groups, 1000)
    true = random.integers(0, 2, 1000)
    predicted = np.where(random.random(1000) < 0.1 + group / 20, 1 - true, true)
    weights = random.gamma(2.0, size=1000) if weighted else None

    found = estimate(name, tables_of(group, true, predicted, weights))

    expected = getattr(fairlearn.metrics, name)(
        true, predicted, sensitive_features=group, sample_weight=weights
    )
    assert found.value == pytest.approx(expected, abs=1e-12)
    assert found.method == "mover"
    assert found.flags == ()
    assert found.rows == (true.sum() if name.startswith("equal_") else 1000)
    low, high = found.interval(0.95)
    assert 0 <= low <= found.value <= high <= 1
    assert low < high


def test_any_label_may_be_positive_and_the_others_are_not():
    random = np.random.default_rng(3)
    group, true, predicted = (random.integers(0, 3, 900) for _ in range(3))
    names = np.array(["a", "b", "c"])

    for name in METRICS:
        found = estimate(name, tables_of(group, true, predicted), POSITIVE)
        named = estimate(
            name,
            tables_of(group, names[true], names[predicted]),
            MetricOptions(positive="b"),
        )
        expected = getattr(fairlearn.metrics, name)(
            true == 1, predicted == 1, sensitive_features=group
        )
        assert found.value == named.value == pytest.approx(expected, abs=1e-12)


def test_equal_weights_change_nothing():
    random = np.random.default_rng(4)
    group, true, predicted = (random.integers(0, 2, 500) for _ in range(3))
    alike = np.full(500, 0.3)

    for name in METRICS:
        plain = estimate(name, tables_of(group, true, predicted))
        weighted = estimate(name, tables_of(group, true, predicted, alike))
        assert weighted.value == pytest.approx(plain.value, abs=1e-12)
        assert weighted.interval(0.9) == pytest.approx(plain.interval(0.9), abs=1e-12)


def test_unequal_weights_widen_the_interval():
    random = np.random.default_rng(5)
    group, true, predicted = (random.integers(0, 2, 2000) for _ in range(3))
    unequal = random.choice([0.1, 3.0], size=2000)

    for name in METRICS:
        plain = estimate(name, tables_of(group, true, predicted)).interval(0.95)
        found = estimate(name, tables_of(group, true, predicted, unequal)).interval(
            0.95
        )
        assert found[1] - found[0] > plain[1] - plain[0]


def clustered(groups, size, seed):
    """Tables of two slices whose rows come in groups that are alike, and by rows."""
    random = np.random.default_rng(seed)
    tables, plain = {}, {}
    for name in ("n", "s"):
        true = random.integers(0, 2, groups).repeat(size)
        predicted = random.integers(0, 2, groups).repeat(size)
        rows = ClassificationRows(encode(true), encode(predicted))
        group = np.arange(groups).repeat(size)
        tables[name,] = LABELS.build(replace(rows, groups=group))
        plain[name,] = LABELS.build(rows)
    return tables, plain


@pytest.mark.parametrize("name", METRICS)
def test_rows_that_belong_together_tell_less(name):
    tables, plain = clustered(groups=400, size=10, seed=6)

    found, alone = estimate(name, tables), estimate(name, plain)

    assert found.value == alone.value
    assert (found.method, found.flags) == ("mover_clustered", ())
    ends, narrow = found.interval(0.95), alone.interval(0.95)
    # Ten rows that are alike tell as much as one: √10 times wider, where no end is cut.
    assert ends[1] - ends[0] > 1.8 * (narrow[1] - narrow[0])


def test_few_groups_of_rows_are_flagged():
    for size in (1, 20):
        tables, _ = clustered(groups=6, size=size, seed=7)
        found = estimate("demographic_parity_difference", tables)
        low_support = (LOW_SUPPORT,) * (size == 1)
        assert found.flags == (*low_support, FEW_GROUPS_FLAG)
        for confidence in (1e-17, 0.95, 1 - 1e-15):
            low, high = found.interval(confidence)
            assert 0 <= low <= found.value <= high <= 1


def test_a_group_whose_rows_all_belong_together_tells_nothing():
    rows = ClassificationRows(encode([0, 1] * 50), encode([0, 1, 1, 0] * 25))
    one = LABELS.build(replace(rows, groups=np.zeros(100, dtype=np.int64)))

    for name in METRICS:
        assert estimate(name, {("n",): one, ("s",): one}).interval(0.5) == (0.0, 1.0)


FULL = counts(40, 10, 10, 40)


@pytest.mark.parametrize(
    ("name", "tables", "reason"),
    [
        (
            "equal_opportunity_ratio",
            {("north",): FULL, ("south",): counts(5, 5, 0, 0)},
            "the group 'south' has no row of the label 1",
        ),
        (
            "equalized_odds_difference",
            {("north", 3): FULL, ("south", None): counts(0, 0, 5, 5)},
            "the group 'south', missing has no row of another label than 1",
        ),
        (
            "equal_opportunity_difference",
            {("n",): FULL, **{(i,): counts(5, 5, 0, 0) for i in (1, 2)}},
            "the groups 1; 2 have no row of the label 1",
        ),
        (
            "equal_opportunity_difference",
            {("n",): FULL, **{(i,): table_of([0, 0], [0, 0]) for i in range(5)}},
            "the groups 0; 1; 2 and 2 more have no row of the label 1",
        ),
        (
            "demographic_parity_difference",
            {("n",): FULL, ("s",): table_of([], [])},
            "the group 's' has no row",
        ),
        (
            "demographic_parity_ratio",
            {("n",): counts(5, 0, 5, 0), ("s",): counts(3, 0, 3, 0)},
            "no group has a selection rate above 0",
        ),
        (
            "equalized_odds_ratio",
            {("n",): counts(5, 0, 0, 5), ("s",): counts(3, 0, 0, 3)},
            "no group has a false positive rate above 0",
        ),
        (
            "demographic_parity_difference",
            {("n",): FULL},
            "a gap needs two groups, and there is only the group 'n'",
        ),
        (
            "demographic_parity_ratio",
            {},
            "a gap needs two groups, and there is none",
        ),
    ],
)
def test_what_cannot_be_compared_has_no_value(name, tables, reason):
    found = estimate(name, tables)

    assert (found.value, found.reason, found.interval) == (None, reason, None)


def test_a_positive_label_is_needed():
    for name in METRICS:
        found = estimate(name, {("n",): FULL, ("s",): FULL}, MetricOptions())
        assert found.value is None
        assert found.reason == "a gap between groups needs a positive label"


def test_a_label_that_is_never_predicted_is_a_rate_of_nothing():
    tables = {("n",): table_of([0, 1] * 50, [0, 0] * 50), ("s",): FULL}

    assert estimate("demographic_parity_difference", tables).value == 0.5
    assert estimate("demographic_parity_ratio", tables).value == 0.0
    assert estimate("equal_opportunity_ratio", tables).interval(0.95)[0] == 0.0


def test_groups_with_few_rows_are_flagged():
    few = {("n",): FULL, ("s",): counts(100, 100, 10, 9)}

    assert estimate("equal_opportunity_difference", few).flags == (LOW_SUPPORT,)
    assert estimate("equalized_odds_ratio", few).flags == (LOW_SUPPORT,)
    assert estimate("demographic_parity_ratio", few).flags == ()


GROUPS = st.lists(
    st.lists(st.integers(0, 60), min_size=4, max_size=4), min_size=2, max_size=6
)


@pytest.mark.parametrize("name", METRICS)
@given(groups=GROUPS, confidences=st.lists(st.floats(1e-9, 1 - 1e-12), min_size=2))
def test_intervals_hold_the_value_and_grow_with_confidence(name, groups, confidences):
    found = estimate(name, {(i,): counts(*cells) for i, cells in enumerate(groups)})
    assume(found.value is not None)

    ends = [found.interval(confidence) for confidence in sorted(confidences)]

    for low, high in ends:
        assert 0 <= low <= found.value <= high <= 1
    for (low, high), (lower, higher) in zip(ends, ends[1:]):
        assert lower <= low + 1e-12 and high <= higher + 1e-12


@given(groups=GROUPS, seed=st.integers(0, 9))
def test_the_order_of_the_groups_does_not_matter(groups, seed):
    tables = {(i,): counts(*cells) for i, cells in enumerate(groups)}
    order = np.random.default_rng(seed).permutation(len(groups)).tolist()
    moved = {(i,): counts(*groups[place]) for i, place in enumerate(order)}

    for name in METRICS:
        one, other = estimate(name, tables), estimate(name, moved)
        assert one.value == other.value
        if one.interval is not None:
            assert one.interval(0.95) == other.interval(0.95)


def test_many_groups_are_compared_in_parts():
    rates = np.linspace(0.2, 0.7, 400)
    tables = {
        (i,): counts(0, 0, round(1e6 * (1 - r)), round(1e6 * r))
        for i, r in enumerate(rates)
    }

    low, high = estimate("equal_opportunity_difference", tables).interval(0.95)

    assert 0.495 < low < 0.5 < high < 0.505


def drawn(random, rates, rows, times):
    """Tables of groups with these rates of true and of false positives."""
    return [
        {
            (group,): counts(size - false, false, size - true, true)
            for group, (size, true, false) in enumerate(
                zip(
                    rows,
                    random.binomial(rows, rates[0]).tolist(),
                    random.binomial(rows, rates[1]).tolist(),
                )
            )
        }
        for _ in range(times)
    ]


def truth(name, rates):
    """The gap, by its definition, where half of the rows are positive."""
    selection = [(true + false) / 2 for true, false in zip(*rates)]
    compared = {
        "demographic_parity": [selection],
        "equalized_odds": rates,
        "equal_opportunity": [rates[0]],
    }[name.rsplit("_", 1)[0]]
    if name.endswith("difference"):
        return max(max(each) - min(each) for each in compared)
    return min(min(each) / max(each) for each in compared)


@pytest.mark.parametrize("rows", [50, 400])
@pytest.mark.parametrize(
    "rates",
    [
        [(0.8, 0.8), (0.1, 0.1)],
        [(0.8, 0.6), (0.1, 0.1)],
        [(0.9, 0.97), (0.02, 0.2)],
        [(0.5,) * 5, (0.1,) * 5],
        [(0.7, 0.75, 0.8, 0.85, 0.9), (0.1, 0.1, 0.1, 0.1, 0.3)],
    ],
)
def test_the_true_gap_is_covered(rates, rows):
    times = 400
    samples = drawn(np.random.default_rng(1), rates, [rows] * len(rates[0]), times)

    for name, metric in METRICS.items():
        gap = truth(name, rates)
        ends = [metric.estimate(sample, POSITIVE).interval(0.95) for sample in samples]
        below = sum(high < gap - 1e-9 for _, high in ends) / times
        above = sum(low > gap + 1e-9 for low, _ in ends) / times
        # Of 400 samples, not of all: 5 % and 2.5 %, each with two standard errors.
        assert below + above <= 0.072
        assert max(below, above) <= 0.0405

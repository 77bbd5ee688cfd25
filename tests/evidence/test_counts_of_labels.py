"""LabelCounts: building, merging, and storing the counts of labels."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlops.core.rows import ClassificationRows, Labels
from pytest_mlops.errors import DataError
from pytest_mlops.evidence.labels import encode
from pytest_mlops.evidence.tables import LABELS
from pytest_mlops.evidence.tables.counts import LabelCounts

pairs = st.tuples(
    st.sampled_from([1, 2, "a", "b", 0.5]), st.sampled_from([1, True, 2.0, "a", "c"])
)
weights = st.integers(0, 8)
batches = st.lists(pairs, max_size=8)
weighted_batches = st.lists(st.tuples(pairs, weights), max_size=8)


def counts(true, predicted, weights=None):
    """The table of some rows."""
    if weights is not None:
        weights = np.array(weights, dtype=np.float64)
    return LABELS.build(
        ClassificationRows(encode(list(true)), encode(list(predicted)), weights=weights)
    )


def counts_of(batch):
    return counts([true for true, _ in batch], [predicted for _, predicted in batch])


def weighted_counts_of(batch):
    true = [pair[0] for pair, _ in batch]
    return counts(true, [p[1] for p, _ in batch], [weight for _, weight in batch])


def test_counts_stand_in_a_square_by_sorted_label():
    table = counts(["b", 1, "b", True, "a"], ["b", 1.0, "a", "b", "a"])

    assert table.to_json() == {
        "labels": [1, "a", "b"],
        "rows": [[1, 0, 1], [0, 1, 0], [0, 1, 1]],
    }
    assert table.total_rows == 5
    assert table.index(True) == 0
    assert table.index("z") is None
    assert table.index(None) is None


def test_weights_are_kept_beside_rows():
    table = counts([0, 0, 1], [0, 0, 0], [0.5, 2.0, 3.0])

    assert table.to_json() == {
        "labels": [0, 1],
        "rows": [[2, 0], [1, 0]],
        "weights": [[2.5, 0.0], [3.0, 0.0]],
        "squares": [[4.25, 0.0], [9.0, 0.0]],
    }


def test_rows_without_weight_leave_no_label():
    table = counts([0, 1], [0, 2], [1.0, 0.0])

    assert table.labels == (0,)


def test_categories_that_do_not_occur_are_no_labels():
    rows = ClassificationRows(
        Labels(np.array([0]), ("a", "unused")), Labels(np.array([1]), ("other", "a"))
    )

    assert LABELS.build(rows).labels == ("a",)


@pytest.mark.parametrize(("true", "predicted"), [(-1, 0), (0, -1)])
def test_a_missing_label_is_refused(true, predicted):
    rows = ClassificationRows(
        Labels(np.array([0, true]), ("a", "b")),
        Labels(np.array([0, predicted]), ("a", "b")),
    )

    with pytest.raises(DataError, match="missing"):
        LABELS.build(rows)


@pytest.mark.parametrize("spread", [50, 3000])
def test_many_labels_and_many_rows_are_counted_alike(spread):
    random = np.random.default_rng(spread)
    true, predicted = random.integers(0, spread, (2, 200_000))
    given_weights = random.integers(1, 5, 200_000).astype(np.float64)

    rows = ClassificationRows(encode(true), encode(predicted))
    table = LabelCounts.of(rows)
    weighted = LabelCounts.of(
        ClassificationRows(encode(true), encode(predicted), weights=given_weights)
    )

    expected, count = np.unique(true * spread + predicted, return_counts=True)
    assert table.labels == tuple(range(spread))
    assert (table.true * spread + table.predicted == expected).all()
    assert (table.rows == count).all()
    assert weighted.weights.sum() == given_weights.sum()
    assert weighted.squares.sum() == (given_weights**2).sum()


@given(batches, batches, batches)
def test_merging_is_associative_and_commutative(first, second, third):
    a, b, c = map(counts_of, (first, second, third))

    assert a.merge(b).to_json() == b.merge(a).to_json()
    assert a.merge(b).merge(c).to_json() == a.merge(b.merge(c)).to_json()
    assert a.merge(b).to_json() == counts_of(first + second).to_json()


@given(weighted_batches, weighted_batches, batches)
def test_merging_weights_is_too(first, second, third):
    a, b, c = weighted_counts_of(first), weighted_counts_of(second), counts_of(third)

    assert a.merge(b).to_json() == b.merge(a).to_json()
    assert a.merge(c).to_json() == c.merge(a).to_json()
    assert a.merge(b).merge(c).to_json() == a.merge(b.merge(c)).to_json()
    assert a.merge(b).to_json() == weighted_counts_of(first + second).to_json()


@given(weighted_batches, batches)
def test_json_goes_there_and_back(first, second):
    for table in (weighted_counts_of(first), counts_of(second)):
        data = json.loads(json.dumps(table.to_json(), allow_nan=False))
        again = LABELS.from_json(data)

        assert again.to_json() == table.to_json()
        assert again.merge(table).to_json() == table.merge(table).to_json()


def test_many_labels_are_stored_by_cell():
    true = np.arange(70)
    table = counts(true, true[::-1], np.full(70, 0.5))
    data = json.loads(json.dumps(table.to_json()))

    assert len(data["rows"]) == len(data["true"]) == len(data["weights"]) == 70
    assert LABELS.from_json(data).to_json() == table.to_json()


@pytest.mark.parametrize(
    "data",
    [{}, {"labels": [0, 1]}, {"labels": [0, 1], "rows": [[1, 2, 3]]}],
)
def test_damaged_json_is_refused(data):
    with pytest.raises((KeyError, TypeError, ValueError)):
        LABELS.from_json(data)


def test_a_table_cannot_be_written_to():
    table = counts([0, 1], [0, 1], [1.0, 2.0])

    for column in (table.rows, table.true, table.weights):
        with pytest.raises(ValueError, match="read-only"):
            column[0] = 7

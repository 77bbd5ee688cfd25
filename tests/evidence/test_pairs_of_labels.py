"""LabelPairs: two models' answers on the same rows, counted together."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlops.core.rows import ClassificationRows, PairedRows, RegressionRows
from pytest_mlops.errors import DataError
from pytest_mlops.evidence.labels import encode
from pytest_mlops.evidence.tables import LABELS
from pytest_mlops.evidence.tables.pairs import LabelPairs

PAIRS = LABELS.pair

labels = st.sampled_from([1, 2, "a", 0.5])
triples = st.lists(
    st.tuples(labels, labels, labels, st.integers(1, 8), st.integers(0, 4095)),
    max_size=8,
)
extras = st.sampled_from(["", "weights", "groups", "weights groups"])


def paired(rows, extra=""):
    """Rows of truth, candidate, baseline, weight and group as both models' rows."""
    true, candidate, baseline, weights, groups = (
        list(column) for column in (zip(*rows) if rows else ([],) * 5)
    )
    more = {
        "weights": np.array(weights, np.float64) if "weights" in extra else None,
        "groups": np.array(groups, np.int64) if "groups" in extra else None,
    }
    return PairedRows(
        *(
            ClassificationRows(encode(true), encode(predicted), **more)
            for predicted in (candidate, baseline)
        )
    )


def test_pairs_stand_in_a_cube_by_sorted_label():
    table = PAIRS.build(paired([("b", "b", "a", 1, 0)] * 2 + [("a", "b", "a", 1, 0)]))

    assert table.to_json() == {
        "labels": ["a", "b"],
        "rows": [[[0, 0], [1, 0]], [[0, 0], [2, 0]]],
    }


@given(triples, extras)
def test_each_side_is_what_it_is_alone(rows, extra):
    both = paired(rows, extra)

    table = PAIRS.build(both)

    assert table.candidate.to_json() == LABELS.build(both.candidate).to_json()
    assert table.baseline.to_json() == LABELS.build(both.baseline).to_json()
    assert table.total_rows == len(rows)


@given(triples, triples, triples, extras)
def test_merging_pairs_is_associative_and_commutative(first, second, third, extra):
    a, b, c = (PAIRS.build(paired(rows, extra)) for rows in (first, second, third))

    whole = PAIRS.build(paired(first + second, extra))
    assert a.merge(b).to_json() == b.merge(a).to_json() == whole.to_json()
    assert a.merge(b).merge(c).to_json() == a.merge(b.merge(c)).to_json()


@given(triples, extras)
def test_pairs_go_to_json_and_back(rows, extra):
    table = PAIRS.build(paired(rows, extra))

    again = PAIRS.from_json(json.loads(json.dumps(table.to_json(), allow_nan=False)))

    assert isinstance(again, LabelPairs)
    assert again.to_json() == table.to_json()
    assert again.candidate.to_json() == table.candidate.to_json()


def test_pairs_of_many_labels_are_stored_by_cell():
    rows = [(i, (i + 1) % 20, i, 2, i) for i in range(20)]
    table = PAIRS.build(paired(rows, "weights groups"))
    data = json.loads(json.dumps(table.to_json()))

    assert len(data["of_baseline"]) == len(data["rows"]) == len(data["weights"]) == 20
    assert PAIRS.from_json(data).to_json() == table.to_json()


@given(triples, extras, st.lists(st.integers(-1, 3), min_size=8, max_size=8))
def test_slices_are_what_they_are_alone(rows, extra, slices):
    slices = np.array(slices[: len(rows)], dtype=np.int64)
    both = paired(rows, extra)

    tables = PAIRS.split(both, slices, 4)

    for number, table in enumerate(tables):
        alone = PAIRS.build(both.take(np.flatnonzero(slices == number)))
        assert table.to_json() == alone.to_json()
    assert len(tables) == 4


def test_a_missing_answer_of_either_model_is_refused():
    for row in [("a", None, "a"), ("a", "a", None), (None, "a", "a")]:
        with pytest.raises(DataError, match="missing"):
            PAIRS.build(paired([("a", "a", "a", 1, 0), (*row, 1, 0)]))


def test_pairs_of_numbers_are_no_pairs_of_labels():
    rows = RegressionRows(np.zeros(1), np.zeros(1))

    with pytest.raises(TypeError, match="classifications"):
        PAIRS.build(PairedRows(rows, rows))

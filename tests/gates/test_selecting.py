"""Slices of batches: codes that stay, names of bins, and tables a slice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlops.core.rows import ClassificationRows, PairedRows, RegressionRows
from pytest_mlops.core.selection import Selection, bin_names
from pytest_mlops.errors import DataError
from pytest_mlops.evidence.labels import encode
from pytest_mlops.evidence.tables import ERRORS, LABELS
from pytest_mlops.gates.selecting import MOST_SLICES, Selector, split_tables
from pytest_mlops.integrations.arrow_batch import ArrowBatch

BINS = (("age", (18.0, 30.0, 65.5)),)


def batch_of(**table):
    return ArrowBatch(pa.RecordBatch.from_pydict(table), source="rows.csv")


def slices_of(selection, *batches):
    """The slice of each row of each batch; None where it has none."""
    selector = Selector(selection, "rows.csv")
    told = []
    for batch in batches:
        codes, new = selector.codes(batch)
        assert codes.dtype == np.int64 and codes.shape == (batch.rows,)
        assert selector.keys[len(selector.keys) - len(new) :] == tuple(new)
        told.append([None if c < 0 else selector.keys[c] for c in codes.tolist()])
    return told


def test_without_columns_there_is_one_slice():
    batch = batch_of(age=[1, 2, None])

    assert slices_of(Selection(), batch) == [[(), (), ()]]
    assert slices_of(Selection(where="age > 1"), batch) == [[None, (), None]]
    assert slices_of(Selection(where="age > 9"), batch) == [[None, None, None]]


def test_a_slice_has_the_values_of_its_columns():
    first = batch_of(region=["n", None, "s"], member=[True, False, None], age=[1, 2, 3])
    second = batch_of(region=["s", "n"], member=[None, True], age=[4, 5])
    by = ("member", "region")

    assert slices_of(Selection(by=by), first, second) == [
        [(1, "n"), (0, None), (None, "s")],
        [(None, "s"), (1, "n")],
    ]
    assert slices_of(Selection(where="age != 2", by=by), first, second) == [
        [(1, "n"), None, (None, "s")],
        [(None, "s"), (1, "n")],
    ]


def test_codes_stay_when_new_slices_are_met():
    selector = Selector(Selection(by=("region",)), "rows.csv")

    first, new = selector.codes(batch_of(region=["b", "a", "b"]))
    assert [selector.keys[code] for code in first] == [("b",), ("a",), ("b",)]
    assert sorted(new) == [("a",), ("b",)]
    known = selector.keys

    second, new = selector.codes(batch_of(region=["c", "a"]))
    assert new == [("c",)]
    assert selector.keys == (*known, ("c",))
    assert second.tolist() == [2, known.index(("a",))]

    third, new = selector.codes(batch_of(region=pa.array([], pa.string())))
    assert (third.tolist(), new) == ([], [])


def test_numbers_are_cut_by_bins_that_hold_their_lower_edge():
    ages = [17.9, 18.0, 29.0, 30.0, 65.0, 65.5, float("inf"), None, float("nan")]
    names = ["< 18", *["18 to 30"] * 2, *["30 to 65.5"] * 2, *[">= 65.5"] * 2]

    [found] = slices_of(Selection(by=("age",), bins=BINS), batch_of(age=ages))

    assert found == [(name,) for name in [*names, None, None]]


def test_names_of_bins():
    assert bin_names([0.5]) == ("< 0.5", ">= 0.5")
    assert bin_names((-1, 0.1, 1e20)) == (
        "< -1",
        "-1 to 0.1",
        "0.1 to 1e+20",
        ">= 1e+20",
    )


def test_texts_cannot_be_cut():
    with pytest.raises(
        DataError, match="'age' must hold numbers, but row 2 holds 'old'"
    ):
        slices_of(Selection(by=("age",), bins=BINS), batch_of(age=[None, "old"]))


def test_the_columns_are_those_of_where_and_by():
    selection = Selection(where="age > 1 and region = 'n'", by=("member", "age"))

    assert Selector(selection, "rows.csv").columns == ("age", "region", "member")
    assert Selector(Selection(), "rows.csv").columns == ()


@pytest.mark.parametrize(
    ("selection", "named"),
    [
        (Selection(by=("Regoin",)), "'Regoin' ('by')"),
        (Selection(where="Regoin = 'n'"), "'Regoin' ('where')"),
    ],
)
def test_a_column_that_is_not_there_is_refused(selection, named):
    expected = (
        f"rows.csv has no column {named}. Did you mean 'region'? "
        "Its columns: region, age"
    )
    with pytest.raises(DataError) as caught:
        Selector(selection, "rows.csv").check(["region", "age"])
    assert str(caught.value) == expected
    with pytest.raises(DataError) as caught:
        slices_of(selection, batch_of(region=["n"], age=[1]))
    assert str(caught.value) == expected


def test_too_many_slices_are_refused_with_the_column_to_blame():
    ids = np.arange(MOST_SLICES)
    allowed = batch_of(region=["n"] * MOST_SLICES, id=ids)
    selection = Selection(by=("region", "id"))

    [found] = slices_of(selection, allowed)
    assert len(set(found)) == MOST_SLICES
    with pytest.raises(DataError) as caught:
        slices_of(selection, allowed, batch_of(region=["s", "n"], id=[5, 6]))

    assert str(caught.value) == (
        "rows.csv: there are more than 10000 slices by region, id, and column 'id' "
        "alone has 10000 values or more; cut it with 'bins', choose rows with 'where', "
        "or leave it out"
    )


def test_only_combinations_that_occur_count():
    # 3000³ combinations could be, but no more than the rows are.
    columns = {name: np.arange(3000) for name in ("a", "b", "c")}

    [found] = slices_of(Selection(by=("a", "b", "c")), batch_of(**columns))

    assert found == [(i, i, i) for i in range(3000)]


CODES = st.lists(st.integers(-1, 4), max_size=40)
KEYS = [("a",), ("b",), (None,), (1,), (2,)]


def labelled(seed, size):
    random = np.random.default_rng(seed)
    true, first, second = (encode(random.integers(0, 3, size)) for _ in range(3))
    weights = random.gamma(1.0, size=size) if seed % 2 else None
    return (
        ClassificationRows(true, first, weights=weights),
        ClassificationRows(true, second, weights=weights),
    )


def numeric(seed, size):
    true, predicted = np.random.default_rng(seed).normal(size=(2, size))
    return RegressionRows(true, predicted)


def counting_pairs(rows):
    assert rows.candidate.true is not rows.baseline.predicted
    return LABELS.build(rows.candidate).merge(LABELS.build(rows.baseline))


def by_hand(rows, codes, slices):
    """What ``TableKind.split`` promises."""
    return [LABELS.build(rows.take(np.flatnonzero(codes == i))) for i in range(slices)]


def told(slices):
    return {key: table.to_json() for key, table in slices.tables.items()}


@pytest.mark.parametrize(
    ("kind", "make"),
    [
        (replace(LABELS, split=None), lambda *a: labelled(*a)[0]),
        (replace(LABELS, split=by_hand), lambda *a: labelled(*a)[0]),
        (
            replace(LABELS, build=counting_pairs, split=None),
            lambda *a: PairedRows(*labelled(*a)),
        ),
        (replace(ERRORS, split=None), numeric),
    ],
)
@given(listed=CODES, seed=st.integers(0, 99))
def test_a_slice_has_the_table_of_its_own_rows(kind, make, listed, seed):
    codes = np.array(listed, dtype=np.int64)
    rows = make(seed, len(codes))

    found = split_tables(kind, rows, codes, KEYS)

    expected = {
        key: kind.build(rows.take(np.flatnonzero(codes == code))).to_json()
        for code, key in enumerate(KEYS)
        if code in listed
    }
    assert told(found) == expected


@given(listed=CODES, cut=st.integers(0, 40), seed=st.integers(0, 49))
def test_slices_of_batches_add_up_to_those_of_the_whole(listed, cut, seed):
    codes = np.array(listed, dtype=np.int64)
    rows, _ = labelled(2 * seed, len(codes))
    parts = [np.arange(len(codes))[:cut], np.arange(len(codes))[cut:]]

    first, second = (
        split_tables(LABELS, rows.take(part), codes[part], KEYS) for part in parts
    )

    whole = told(split_tables(LABELS, rows, codes, KEYS))
    assert told(first.merge(second)) == whole
    assert told(second.merge(first)) == whole


def test_with_many_slices_rows_are_sorted_all_the_same():
    keys = [(i,) for i in range(2**15 + 1)]
    codes = np.array([2**15, -1, 0, 2**15])
    rows = RegressionRows(np.arange(4.0), np.zeros(4))

    found = split_tables(replace(ERRORS, split=None), rows, codes, keys)

    assert {key: table.rows for key, table in found.tables.items()} == {
        (0,): 1,
        (2**15,): 2,
    }


def test_slices_are_ordered_as_their_values_are():
    selection = Selection(by=("age", "region"), bins=(("age", (18.0, 30.0, 100.0)),))
    ages = (5, "< 18", "18 to 30", "30 to 100", ">= 100", "no bin", None)
    expected = [(age, region) for age in ages for region in (2, 10, "a", "b", None)]

    assert sorted(reversed(expected), key=selection.order) == expected

"""Labels: one spelling a class, and fast codes for columns of them."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlops.core.rows import Labels
from pytest_mlops.errors import DataError
from pytest_mlops.evidence.labels import canonical, decode, encode, label_order, listed


def told(labels):
    """The labels of each row; None where missing."""
    return [
        None if code < 0 else labels.categories[code] for code in labels.codes.tolist()
    ]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([True, False, True], [1, 0, 1]),
        (np.array([True, False]), [1, 0]),
        (np.array([3, 5, 3], dtype=np.int8), [3, 5, 3]),
        (np.array([3, 5], dtype=np.uint8), [3, 5]),
        (np.array([2**63 + 5, 2**63], dtype=np.uint64), [2**63 + 5, 2**63]),
        (np.array([-(10**9), 10**9, 7]), [-(10**9), 10**9, 7]),
        (np.array([1.0, 2.0, np.nan]), [1, 2, None]),
        (np.array([0.5, np.nan, 2.0]), [0.5, None, 2]),
        (np.array([1e300, 1.0]), [int(1e300), 1]),
        (np.array([np.nan, np.nan]), [None, None]),
        (np.array(["b", "a", "b"]), ["b", "a", "b"]),
        (["1", 1, 1.0, True, None, float("nan"), "a"], ["1", 1, 1, 1, None, None, "a"]),
        ([1, "a"], [1, "a"]),
        ([Decimal("2"), Decimal("2.5")], [2, 2.5]),
        ([np.float64(2.0), np.str_("x"), np.bool_(True)], [2, "x", 1]),
        ([2**70, 1], [2**70, 1]),
        ([], []),
        (np.array([], dtype=np.int64), []),
        (np.array([], dtype=np.float64), []),
        (np.array([[1], [2]]), [1, 2]),
        (range(3), [0, 1, 2]),
        (pd.Series(["a", None, "b"]), ["a", None, "b"]),
        (pd.Series([1, None, 2], dtype="Int64"), [1, None, 2]),
        (pd.Series([True, pd.NA], dtype="boolean"), [1, None]),
        (pd.Series(["x", "y", "x"], dtype="category"), ["x", "y", "x"]),
        (pd.DataFrame({"only": [1, 0]}), [1, 0]),
    ],
)
def test_a_column_of_any_kind_is_told_apart(values, expected):
    found = encode(values)

    assert told(found) == expected
    assert [type(label) for label in told(found)] == [type(e) for e in expected]
    assert found.codes.dtype == np.int64
    assert len(set(found.categories)) == len(found.categories)


def test_labels_stay_as_they_are():
    labels = Labels(np.array([0, 1]), ("a", "b"))

    assert encode(labels) is labels


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1, [2, 3]], "a list is no label: a label is a text or a number"),
        ([b"x"], "no label"),
        (np.array([1.0, np.inf]), "inf is no label"),
        ([1, float("inf"), "a"], "inf is no label"),
        (np.zeros((2, 2)), r"one column, got an array of the shape \(2, 2\)"),
        (np.array(["2026-01-01"], dtype="datetime64[D]"), "not a date"),
    ],
)
def test_what_is_no_column_of_labels_is_refused(values, message):
    with pytest.raises(DataError, match=message):
        encode(values)


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**80), 2**80),
    st.floats(allow_infinity=False),
    st.text(max_size=3),
)


@given(st.lists(scalars))
def test_a_column_says_what_its_values_say(values):
    assert told(encode(values)) == [canonical(value) for value in values]


@given(st.lists(st.integers(-(2**40), 2**40)), st.sampled_from(["i8", "f8", "O"]))
def test_the_type_of_an_array_does_not_matter(values, dtype):
    assert told(encode(np.array(values, dtype=dtype))) == values


def test_numbers_come_before_texts():
    labels = ["b", 10, "a", 2.5, -1]

    assert sorted(labels, key=label_order) == [-1, 2.5, 10, "a", "b"]


def test_a_long_list_is_cut():
    assert listed(["b", 1]) == "1, 'b'"
    assert listed(range(12), limit=2) == "0, 1 and 10 more"


@pytest.mark.parametrize(
    ("first", "second", "kind"),
    [
        (["a", "b"], ["c"], "U"),
        ([1, 2], [True], "i"),
        ([1, 2], [2.5], "f"),
        ([1, 2], ["c"], "O"),
    ],
)
def test_columns_come_back_as_arrays_of_one_type(first, second, kind):
    (found,) = decode([[encode(first), encode(second)]])

    assert found.dtype.kind == kind
    assert found.tolist() == first + second


def test_a_missing_category_is_refused():
    with pytest.raises(DataError, match="missing"):
        decode([[Labels(np.array([0]), (float("nan"),))]])


@given(st.lists(st.integers(-100, 100), min_size=1, max_size=20), st.integers(1, 600))
def test_integers_are_told_apart_whatever_their_range(values, step):
    values = [value * step for value in values]
    found = encode(np.array(values))

    assert told(found) == values
    assert set(values) <= set(found.categories)
    assert len(found.categories) <= 256 or set(values) == set(found.categories)

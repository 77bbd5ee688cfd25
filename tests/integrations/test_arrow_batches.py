"""A batch in Arrow's memory: numbers, labels, frames."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, List, Optional

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlops.core.rows import Labels
from pytest_mlops.errors import DataError
from pytest_mlops.integrations.arrow_batch import ArrowBatch


def batch(values: Any, kind: Any = None, **options: Any) -> ArrowBatch:
    array = values if isinstance(values, pa.Array) else pa.array(values, kind)
    return ArrowBatch(pa.record_batch({"x": array}), source="data.csv", **options)


def listed(labels: Labels) -> List[Optional[object]]:
    return [None if c < 0 else labels.categories[c] for c in labels.codes]


@pytest.mark.parametrize(
    "values, kind",
    [
        ([1, None, 3], pa.int32()),
        ([1.0, None, 3.0], pa.float32()),
        ([Decimal("1.00"), None, Decimal("3.00")], pa.decimal128(5, 2)),
        ([1, None, 3], pa.uint64()),
    ],
)
def test_numbers_are_floats_and_missing_ones_nan(values: Any, kind: Any) -> None:
    numbers = batch(values, kind).numbers("x")
    assert numbers.dtype == np.float64
    np.testing.assert_array_equal(numbers, [1.0, np.nan, 3.0])


def test_booleans_count_as_numbers() -> None:
    numbers = batch([True, None, False]).numbers("x")
    np.testing.assert_array_equal(numbers, [1.0, np.nan, 0.0])


def test_a_column_of_nothing_is_all_missing() -> None:
    nothing = batch(pa.nulls(2))
    assert np.isnan(nothing.numbers("x")).all()
    assert listed(nothing.labels("x")) == [None, None]
    texts = batch(pa.array([None, None], pa.string()))
    assert np.isnan(texts.numbers("x")).all()


def test_text_is_no_number_even_if_it_looks_like_one() -> None:
    with pytest.raises(DataError) as caught:
        batch([None, "1.5"], first_row=101).numbers("x")
    assert str(caught.value) == (
        "data.csv: column 'x' must hold numbers, but row 102 holds '1.5'"
    )


def test_a_retyped_column_blames_the_text_not_the_numbers() -> None:
    mixed = batch(["1", None, "2.5", "abc"], retyped=frozenset({"x"}))
    with pytest.raises(DataError, match="row 4 holds 'abc'"):
        mixed.numbers("x")
    numbers = batch(["1", None, "2.5"], retyped=frozenset({"x"})).numbers("x")
    np.testing.assert_array_equal(numbers, [1.0, np.nan, 2.5])


@pytest.mark.parametrize(
    "values, kind, expected",
    [
        ([True, None, False], None, [1, None, 0]),
        ([2.0, float("nan"), None, 2.5], None, [2, None, None, 2.5]),
        ([0.0, -0.0], None, [0, 0]),
        ([7, None], pa.int8(), [7, None]),
        (["a", "", None], None, ["a", "", None]),
        ([Decimal("2.00"), Decimal("2.50")], None, [2, 2.5]),
        ([date(2026, 1, 2)], None, ["2026-01-02"]),
    ],
)
def test_labels_are_plain_values(values: Any, kind: Any, expected: Any) -> None:
    found = listed(batch(values, kind).labels("x"))
    assert found == expected
    assert [type(v) for v in found] == [type(v) for v in expected]


def test_labels_of_a_dictionary_are_its_values() -> None:
    column = pa.array(["b", None, "a", "b"]).dictionary_encode()
    assert listed(batch(column).labels("x")) == ["b", None, "a", "b"]


def test_retyped_labels_are_what_earlier_batches_called_them() -> None:
    labels = batch(
        ["1", "2.0", "true", "nan", "abc", None], retyped=frozenset({"x"})
    ).labels("x")
    assert listed(labels) == [1, 2, 1, "nan", "abc", None]


@pytest.mark.parametrize("values", [[[1, 2]], [{"a": 1}], [b"abc"], [float("inf")]])
def test_lists_and_the_like_are_no_labels(values: Any) -> None:
    with pytest.raises(DataError, match="data.csv: column 'x'.* no label"):
        batch(values).labels("x")


@given(
    st.lists(
        st.one_of(
            st.none(), st.floats(allow_infinity=False), st.integers(-3, 3).map(float)
        )
    )
)
def test_labels_agree_with_the_values(values: List[Optional[float]]) -> None:
    labels = batch(values, pa.float64()).labels("x")
    assert len(set(labels.categories)) == len(labels.categories)
    for value, label in zip(values, listed(labels)):
        assert label is None if value is None or value != value else label == value


def test_a_frame_has_the_columns_own_types() -> None:
    table = pa.record_batch({"i": [1, 2], "n": [1, None], "s": ["a", "b"]})
    found = ArrowBatch(table, source="data.csv").frame(["n", "i", "s"])
    assert list(found.columns) == ["n", "i", "s"]
    assert found["i"].dtype == np.int64
    assert found["n"].dtype == np.float64
    pd.testing.assert_series_equal(found["s"], pd.Series(["a", "b"], name="s"))


def test_an_unknown_column_is_named_with_those_that_exist() -> None:
    table = pa.record_batch({"label": [1], "age": [2]})
    rows = ArrowBatch(table, source="data.csv", first_row=5)
    assert (rows.rows, rows.names, rows.first_row) == (1, ("label", "age"), 5)
    with pytest.raises(DataError) as caught:
        rows.frame(["labl"])
    assert str(caught.value) == (
        "data.csv has no column 'labl'. Did you mean 'label'? Its columns: label, age"
    )

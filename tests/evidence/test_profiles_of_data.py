"""Profiles of data: parts add up to the whole, exactly, and come back from JSON."""

from __future__ import annotations

import json
import math
from functools import reduce
from typing import Any, List

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_mlops.evidence.labels import encode
from pytest_mlops.evidence.tables.category_counts import (
    MOST_CATEGORIES,
    CategoryCounts,
)
from pytest_mlops.evidence.tables.features import (
    ColumnType,
    FeatureColumn,
    FeatureTable,
)
from pytest_mlops.evidence.tables.number_counts import (
    MOST_BINS,
    NumberCounts,
    aligned,
)

SHAPES = st.sampled_from(["normal", "heavy", "dates", "counts", "zeros", "huge"])


def numbers(seed: int, shape: str, rows: int) -> Any:
    """Numbers of many kinds, some missing."""
    draw = np.random.default_rng(seed)
    values = {
        "normal": lambda: draw.normal(size=rows),
        "heavy": lambda: draw.standard_cauchy(rows) * 1e80,
        "dates": lambda: 1.7e9 + draw.uniform(0, 86400, rows),
        "counts": lambda: draw.poisson(3, rows).astype(float),
        "zeros": lambda: np.where(
            draw.random(rows) < 0.6, 0, draw.exponential(1, rows)
        ),
        "huge": lambda: draw.normal(size=rows) * 1e305,
    }[shape]()
    values[draw.random(rows) < 0.05] = np.nan
    return values


def plain(table: Any) -> str:
    return json.dumps(table.to_json(), sort_keys=True, allow_nan=False)


class TestNumbers:
    @given(
        seed=st.integers(0, 2**32),
        shapes=st.lists(SHAPES, min_size=1, max_size=3),
        rows=st.integers(0, 3000),
        cuts=st.lists(st.integers(0, 3000), max_size=4),
    )
    @settings(max_examples=60, deadline=None)
    def test_parts_in_any_order_are_the_whole(
        self, seed: int, shapes: List[str], rows: int, cuts: List[int]
    ) -> None:
        values = np.concatenate([numbers(seed, shape, rows) for shape in shapes])
        parts = [NumberCounts.of(v) for v in np.split(values, sorted(cuts))]
        whole = NumberCounts.of(values)
        forwards = reduce(NumberCounts.merge, parts)
        backwards = reduce(lambda sum_, part: part.merge(sum_), parts)
        assert plain(forwards) == plain(backwards) == plain(whole)
        assert len(whole.keys) <= MOST_BINS
        assert whole.rows == np.count_nonzero(~np.isnan(values))

    @given(seed=st.integers(0, 2**32), shape=SHAPES, rows=st.integers(0, 2000))
    @settings(max_examples=30, deadline=None)
    def test_they_come_back_from_json(self, seed: int, shape: str, rows: int) -> None:
        table = NumberCounts.of(numbers(seed, shape, rows))
        read = NumberCounts.from_json(json.loads(plain(table)))
        assert plain(read) == plain(table)

    def test_few_values_are_kept_as_they_are(self) -> None:
        table = NumberCounts.of(np.array([0.1, -0.0, 0.1, 7.0, np.nan]))
        assert table.keys.tolist() == [0.0, 0.1, 7.0]
        assert table.counts.tolist() == [1, 2, 1]
        assert (table.level, table.low, table.high) == (None, 0.0, 7.0)

    def test_a_grid_of_any_data_tells_most_rows_apart(self) -> None:
        for shape in ("normal", "dates"):
            table = NumberCounts.of(numbers(1, shape, 100_000))
            assert table.level is not None
            assert table.counts.max() / table.rows < 0.01

    def test_zero_is_a_bin_of_its_own(self) -> None:
        table = NumberCounts.of(numbers(2, "zeros", 50_000))
        share = table.counts[table.keys == 0] / table.rows
        assert share == pytest.approx(0.6, abs=0.02)

    def test_infinite_numbers_are_the_largest(self) -> None:
        table = NumberCounts.of(np.array([np.inf, -np.inf, 1.0]))
        assert math.isfinite(table.low or 0) and math.isfinite(table.high or 0)
        assert table.rows == 3

    def test_two_tables_meet_at_the_coarser_level(self) -> None:
        fine, coarse = NumberCounts.of(np.arange(5.0)), numbers(3, "normal", 9000)
        keys, mine, theirs, level = aligned(fine, NumberCounts.of(coarse))
        assert level is not None
        assert (mine.sum(), len(keys)) == (5, len(theirs))

    @pytest.mark.parametrize(
        "damage",
        [
            {"keys": [2, 1]},
            {"counts": [1]},
            {"counts": [0, 1]},
        ],
    )
    def test_a_damaged_table_is_refused(self, damage: Any) -> None:
        sound = NumberCounts.of(np.array([1.0, 2.0])).to_json()
        with pytest.raises(ValueError, match="counts|keys"):
            NumberCounts.from_json({**sound, **damage})


class TestCategories:
    @given(
        values=st.lists(st.integers(0, 1500), max_size=2000),
        cut=st.integers(0, 2000),
    )
    @settings(max_examples=30, deadline=None)
    def test_parts_in_any_order_are_the_whole(
        self, values: List[int], cut: int
    ) -> None:
        texts = [f"c{value}" for value in values]
        first, second = (
            CategoryCounts.of(encode(np.array(part, dtype=object)))
            for part in (texts[:cut], texts[cut:])
        )
        whole = CategoryCounts.of(encode(np.array(texts, dtype=object)))
        assert plain(first.merge(second)) == plain(second.merge(first)) == plain(whole)
        assert plain(CategoryCounts.from_json(json.loads(plain(whole)))) == plain(whole)

    def test_too_many_are_counted_by_bucket(self) -> None:
        names = np.array([f"id{i}" for i in range(3000)], dtype=object)
        parts = [CategoryCounts.of(encode(p)) for p in np.split(names, 10)]
        whole = CategoryCounts.of(encode(names))
        assert not parts[0].hashed and whole.hashed
        assert plain(reduce(CategoryCounts.merge, parts)) == plain(whole)
        assert whole.rows == 3000 and len(whole.counts) < MOST_CATEGORIES

    def test_missing_ones_are_left_out(self) -> None:
        counts = CategoryCounts.of(encode(np.array(["a", None, "a"], dtype=object)))
        assert counts.counts == {"a": 2}

    def test_a_damaged_table_is_refused(self) -> None:
        with pytest.raises(ValueError, match="positive"):
            CategoryCounts.from_json({"counts": {"a": 0}, "hashed": False})


class TestTables:
    def table(self, **columns: Any) -> FeatureTable:
        rows = len(next(iter(columns.values())))
        values = {
            name: encode(np.array(c, dtype=object)) if isinstance(c, list) else c
            for name, c in columns.items()
        }
        return FeatureTable.of(values, rows)

    def test_a_column_knows_what_it_holds(self) -> None:
        table = self.table(a=np.array([1.0, np.nan]), b=["x", None], c=[None, None])
        types = {name: column.type for name, column in table.columns.items()}
        assert types == {
            "a": ColumnType.NUMBER,
            "b": ColumnType.TEXT,
            "c": ColumnType.EMPTY,
        }
        assert [table.missing(name) for name in "abc"] == [1, 1, 2]
        dates = FeatureTable.of({"when": None}, 3)
        assert dates.columns["when"].type is ColumnType.OTHER

    def test_numbers_beside_texts_are_mixed(self) -> None:
        both = self.table(a=np.ones(2)).merge(self.table(a=["x"]))
        assert both.columns["a"].type is ColumnType.MIXED
        assert plain(FeatureTable.from_json(json.loads(plain(both)))) == plain(both)

    def test_a_column_that_a_part_lacks_is_missing_there(self) -> None:
        one, other = self.table(a=np.ones(2)), self.table(b=np.ones(3))
        assert plain(one.merge(other)) == plain(other.merge(one))
        assert one.merge(other).missing("a") == 3

    def test_a_profile_is_small(self) -> None:
        columns = {f"x{i}": numbers(i, "normal", 100_000) for i in range(3)}
        assert len(plain(self.table(**columns))) < 3 * 5000

    def test_others_come_back_and_too_many_values_do_not(self) -> None:
        table = FeatureTable(3, {"when": FeatureColumn(others=2)})
        assert FeatureTable.from_json(table.to_json()) == table
        with pytest.raises(ValueError, match="more values than there are rows"):
            FeatureTable.from_json({**table.to_json(), "rows": 1})

    def test_columns_can_be_left_out(self) -> None:
        table = self.table(a=np.ones(2), b=np.ones(2))
        assert list(table.without("a", None).columns) == ["b"]

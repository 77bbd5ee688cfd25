"""Weak slices are found where they are, and not where they are not."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_mlops.core.conditions import parse_condition
from pytest_mlops.core.metrics import MetricOptions
from pytest_mlops.core.rows import ClassificationRows, RegressionRows
from pytest_mlops.errors import DataError
from pytest_mlops.evidence.labels import encode
from pytest_mlops.evidence.metrics import builtin_metrics
from pytest_mlops.gates.cuts import FIRST_ROWS, Cut, first_look
from pytest_mlops.gates.filtering import Filter
from pytest_mlops.gates.weak_slices import Figure, SliceTables, telling

METRICS = {metric.name: metric for metric in builtin_metrics()}
RECALL = Figure(METRICS["recall"], MetricOptions(positive=1))


class Columns:
    """A batch of plain arrays."""

    first_row = 1

    def __init__(self, **columns):
        self.columns = {name: np.asarray(values) for name, values in columns.items()}
        self.names = tuple(columns)
        self.rows = len(next(iter(self.columns.values())))

    def numbers(self, name):
        try:
            return self.columns[name].astype(np.float64)
        except (TypeError, ValueError) as error:
            raise DataError(f"'{name}' holds no numbers") from error

    def labels(self, name):
        return encode(self.columns[name])

    def part(self, rows):
        return Columns(**{n: values[rows] for n, values in self.columns.items()})


def drawn(seed, rows, numeric, categorical):
    """A batch of independent columns, and a truth."""
    draw = np.random.default_rng(seed)
    columns = {f"n{i}": draw.normal(size=rows) for i in range(numeric)}
    for i in range(categorical):
        columns[f"c{i}"] = draw.choice(list("abcd"), rows)
    return draw, Columns(**columns), draw.integers(0, 2, rows)


def answers(draw, true, right):
    """Predictions that are right with a chance of *right*."""
    hit = draw.random(len(true)) < right
    return ClassificationRows(
        encode(true), encode(np.where(hit, true, 1 - true)), positive=1
    )


def search(figure, batch, rows, parts=1):
    """Everything that was compared, in *parts* batches."""
    tables = SliceTables(figure, first_look([batch], batch.names).cuts)
    for part in np.array_split(np.arange(batch.rows), parts):
        tables.take(batch.part(part), rows.take(part))
    return tables


def test_a_planted_slice_among_twenty_columns_comes_first():
    draw, batch, true = drawn(1, 8000, 12, 8)
    weak = (batch.columns["c3"] == "b") & (batch.columns["n2"] > 0.8)
    rows = answers(draw, true, np.where(weak, 0.5, 0.85))

    found = telling(search(RECALL, batch, rows).compared(), 0.95)

    assert found[0].columns == ("n2", "c3")
    assert "c3 = 'b'" in found[0].where
    assert found[0].here.value < 0.6 < 0.8 < found[0].rest.value
    assert found[0].p_adjusted < 1e-4
    # Else only its two columns are found, and no pair that shares one by chance.
    assert {one.columns for one in found} <= {("n2", "c3"), ("n2",), ("c3",)}


def test_of_data_without_a_weak_slice_none_is_found():
    discoveries = 0
    figure = Figure(METRICS["recall"], MetricOptions(positive=1), min_rows=50)
    for seed in range(25):
        draw, batch, true = drawn(seed, 4000, 3, 2)
        rows = answers(draw, true, 0.8)
        compared = search(figure, batch, rows).compared()
        assert len(compared) > 150
        discoveries += bool(telling(compared, 0.95))
    # 5 % of 25 are 1; the correction for any dependence leaves far fewer.
    assert discoveries <= 1


def test_a_weak_column_hides_the_pairs_that_repeat_it():
    draw, batch, true = drawn(2, 8000, 2, 3)
    weak = batch.columns["c0"] == "a"
    rows = answers(draw, true, np.where(weak, 0.6, 0.9))

    compared = search(RECALL, batch, rows).compared()

    weak_ones = [one for one in compared if one.p_adjusted <= 0.05]
    told = telling(compared, 0.95)
    assert told[0].where == "c0 = 'a'"
    assert len(told) < len(weak_ones) / 3


def test_a_lower_error_is_better():
    draw, batch, _ = drawn(3, 5000, 2, 2)
    true = draw.normal(size=5000)
    spread = np.where(batch.columns["c1"] == "d", 3.0, 1.0)
    rows = RegressionRows(true, true + draw.normal(size=5000) * spread)
    figure = Figure(METRICS["mae"], MetricOptions())

    found = telling(search(figure, batch, rows).compared(), 0.95)

    assert found[0].where.endswith("c1 = 'd'")
    assert found[0].here.value > 2 > found[0].rest.value


@pytest.mark.parametrize("parts", [2, 7])
def test_batches_do_not_matter(parts):
    draw, batch, true = drawn(4, 3000, 2, 2)
    rows = answers(draw, true, 0.8)
    whole, parted = search(RECALL, batch, rows), search(RECALL, batch, rows, parts)
    assert whole.whole.value == parted.whole.value
    assert parted.rows == 3000
    key = [(one.where, one.here.value, one.p_adjusted) for one in whole.compared()]
    other = [(one.where, one.here.value, one.p_adjusted) for one in parted.compared()]
    assert sorted(key) == sorted(other)


def test_slice_and_rest_are_all_rows_and_the_condition_chooses_the_slice():
    draw, batch, true = drawn(5, 2000, 2, 1)
    batch.columns["n0"][::9] = np.nan
    rows = answers(draw, true, 0.8)
    positives = int(true.sum())
    compared = search(RECALL, batch, rows).compared()
    assert "n0 is null" in {one.where for one in compared}
    for one in compared:
        assert one.here.rows + one.rest.rows == positives
        kept = Filter(parse_condition(one.where), "data").kept(batch)
        assert one.here.rows == true[kept].sum()


def test_values_that_nobody_foresaw_are_in_the_rest_alone():
    draw, batch, true = drawn(7, 3000, 0, 2)
    rows = answers(draw, true, 0.8)
    # A first look at rows without the value d.
    known = batch.part(np.flatnonzero(batch.columns["c0"] != "d"))
    tables = SliceTables(RECALL, first_look([known], batch.names).cuts)
    tables.take(batch, rows)
    compared = tables.compared()
    assert "c0 = 'a'" in {one.where for one in compared}
    assert not any("c0 = 'd'" in one.where for one in compared)
    assert {one.here.rows + one.rest.rows for one in compared} == {int(true.sum())}


def test_small_slices_are_left_alone():
    draw, batch, true = drawn(6, 2000, 0, 2)
    rows = answers(draw, true, 0.8)
    figure = Figure(METRICS["recall"], MetricOptions(positive=1), min_rows=100)
    compared = search(figure, batch, rows).compared()
    # Some 250 positives a value, 62 a pair of them.
    assert {len(one.columns) for one in compared} == {1}


class TestCuts:
    def look(self, **columns):
        return first_look([Columns(**columns)], tuple(columns))

    def test_few_values_are_a_part_each(self):
        [cut] = self.look(a=[2, 1, 2, 3]).cuts
        assert (cut.values, cut.edges, cut.parts) == ((1, 2, 3), (), 4)

    def test_many_numbers_are_cut_at_rounded_quantiles(self):
        [cut] = self.look(a=np.arange(1001) / 7).cuts
        assert cut.edges == (28.6, 57.1, 85.7, 114.0)

    def test_edges_keep_the_digits_that_they_need(self):
        [cut] = self.look(a=20_260_000 + np.arange(101)).cuts
        assert cut.edges == (20_260_020, 20_260_040, 20_260_060, 20_260_080)

    def test_a_heap_at_the_least_value_makes_no_empty_part(self):
        [cut] = self.look(a=np.r_[np.zeros(500), np.arange(1, 501)]).cuts
        assert min(cut.edges) > 0

    @pytest.mark.parametrize(
        ("values", "reason"),
        [
            ([f"id{i}" for i in range(40)], "it has 40 values or more"),
            ([1, 1, 1], "all of its rows are the same"),
            (np.r_[np.zeros(5000), np.arange(40)], "nearly all of its rows are"),
            ([[1], [2]], "labels must be"),
        ],
    )
    def test_what_cannot_be_cut_is_said(self, values, reason):
        if reason.startswith("labels"):
            values = np.zeros((3, 2))
        look = self.look(a=values)
        assert not look.cuts
        assert reason in look.skipped["a"]

    def test_only_the_first_rows_are_read(self):
        def batches():
            yield Columns(a=np.arange(FIRST_ROWS) % 3)
            raise AssertionError("one batch was enough")

        assert first_look(batches(), ["a"]).cuts == (Cut("a", values=(0, 1, 2)),)

    def test_values_that_nobody_foresaw_are_no_part(self):
        cut = Cut("a", values=("x", "y"))
        batch = Columns(a=np.array(["x", "z", None, "y"], dtype=object))
        codes = cut.codes(batch).tolist()
        assert codes == [0, 3, 2, 1]
        assert (cut.parts, cut.size) == (3, 4)
        assert [str(c) for c in cut.conditions(2)] == ["a is null"]

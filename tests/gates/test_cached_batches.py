"""A cached batch reads each column once and answers as the batch does."""

from __future__ import annotations

import pyarrow as pa
import pytest

from pytest_mlops.errors import DataError
from pytest_mlops.gates.cached_batch import CachedBatch
from pytest_mlops.integrations.arrow_batch import ArrowBatch


class Counting(ArrowBatch):
    def __init__(self):
        batch = pa.RecordBatch.from_pydict({"n": [1, 2], "t": ["a", None]})
        super().__init__(batch, source="rows.csv", first_row=5)
        self.read = []

    def numbers(self, name):
        self.read.append(f"numbers of {name}")
        return super().numbers(name)

    def labels(self, name):
        self.read.append(f"labels of {name}")
        return super().labels(name)


def test_it_is_the_same_batch():
    batch = CachedBatch(Counting())

    assert (batch.first_row, batch.rows, batch.names) == (5, 2, ("n", "t"))
    assert batch.frame(["n"]).to_dict("list") == {"n": [1, 2]}


def test_a_column_is_read_once():
    inner = Counting()
    batch = CachedBatch(inner)

    for _ in range(3):
        assert batch.numbers("n").tolist() == [1.0, 2.0]
        assert batch.labels("t").categories == ("a",)
        with pytest.raises(DataError, match="row 5 holds 'a'"):
            batch.numbers("t")

    assert inner.read == ["numbers of n", "labels of t", "numbers of t"]

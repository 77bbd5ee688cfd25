"""Columns that name an owner and repeat, and the many that do not."""

from __future__ import annotations

from typing import Any, List, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import sklearn.datasets

from pytest_mlops.gates.repeats import ROWS, RepeatWatch, names_an_owner
from pytest_mlops.integrations.arrow_batch import ArrowBatch


def remarks(parts: Sequence[Any]) -> List[str]:
    batches = [
        ArrowBatch(pa.RecordBatch.from_pandas(part, preserve_index=False), source="x")
        for part in parts
    ]
    watch = RepeatWatch(batches[0].names)
    for batch in batches:
        watch.look(batch)
    return watch.remarks()


def of_column(name: str, values: Any) -> List[str]:
    return remarks([pd.DataFrame({name: values})])


@pytest.mark.parametrize(
    "name",
    "id customer customer_id CustomerID customerId customer-no uuid session_uuid "
    "PATIENT patient.id account_number user_hash acme_subject_id USERID".split(),
)
def test_names_of_owners(name: str) -> None:
    assert names_an_owner(name)


@pytest.mark.parametrize(
    "name",
    "age user_age paid grid valid humid width customer_since users alcohol "
    "session_length label kidney idle number".split(),
)
def test_other_names(name: str) -> None:
    assert not names_an_owner(name)


def test_what_repeats_is_told() -> None:
    values = np.arange(10_000) // 10
    for column in (values, values.astype(str), values.astype(float)):
        [told] = of_column("customer_id", column)
        assert told.startswith(
            "column 'customer_id' repeats (1,000 values over 10,000 rows): "
        )
        assert told.endswith('then set group = "customer_id" in [data]')


def test_repeats_are_found_across_batches() -> None:
    part = pd.DataFrame({"id": range(100), "x": 1.0})
    assert remarks([part]) == []
    [told] = remarks([part, part, part])
    assert "(100 values over 300 rows)" in told


@pytest.mark.parametrize(
    "values",
    [
        range(1000),  # each once
        [n % 20 for n in range(1000)],  # categories
        [0.5 + n % 100 for n in range(1000)],  # measurements
        [max(n - 600, 0) for n in range(1000)],  # 0 for all that are unknown
        [None] * 1000,
        [[n % 100] for n in range(1000)],  # lists
    ],
)
def test_what_does_not_repeat_like_rows_of_an_owner(values: Any) -> None:
    assert of_column("customer_id", list(values)) == []


def test_missing_owners_count_for_nothing() -> None:
    values = [n // 2 for n in range(100)] + [None] * 900
    [told] = of_column("customer_id", pd.array(values, dtype="Int64"))
    assert "(50 values over 100 rows)" in told


def test_only_the_first_rows_are_looked_at() -> None:
    part = pd.DataFrame({"id": np.arange(ROWS) // 4})
    [told] = remarks([part, part, part])
    assert f"({ROWS // 4:,} values over {ROWS:,} rows)" in told


@pytest.mark.parametrize(
    "load", ["load_breast_cancer", "load_wine", "load_diabetes", "load_digits"]
)
def test_no_false_alarm_on_well_known_data(load: str) -> None:
    bunch = getattr(sklearn.datasets, load)(as_frame=True)
    assert remarks([bunch.frame]) == []

"""Profiling a data set batch by batch, with the answers of any model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple

import numpy as np
import pytest

from pytest_mlops.core.metrics import Task
from pytest_mlops.core.rows import Labels, Predictions
from pytest_mlops.core.sources import Subject
from pytest_mlops.errors import DataError, ModelError
from pytest_mlops.evidence.labels import encode
from pytest_mlops.evidence.tables.features import ColumnType
from pytest_mlops.gates.profiling import Profile, profile
from pytest_mlops.settings.values import DataSettings


@dataclass
class Rows:
    """Implements ``core.rows.Batch`` on lists."""

    columns: Dict[str, List[Any]]
    first_row: int = 1

    @property
    def rows(self) -> int:
        return len(next(iter(self.columns.values())))

    @property
    def names(self) -> Tuple[str, ...]:
        return tuple(self.columns)

    def numbers(self, name: str) -> Any:
        if any(isinstance(value, str) for value in self.columns[name]):
            raise DataError("it holds texts")
        return np.array(self.columns[name], dtype=float)

    def labels(self, name: str) -> Labels:
        return encode(np.array(self.columns[name], dtype=object))

    def frame(self, names: Any) -> Any:
        raise NotImplementedError


@dataclass
class Source:
    """Implements ``core.sources.DataSource`` on batches."""

    parts: List[Rows]
    uri: str = "rows"

    def columns(self) -> Tuple[str, ...]:
        return self.parts[0].names

    def fingerprint(self) -> str:
        return "f"

    def batches(self) -> Iterator[Rows]:
        yield from self.parts


@dataclass
class Answering:
    """A model that gives an answer after the other; an error is raised."""

    answers: List[Any]
    inputs: Optional[Tuple[str, ...]] = None
    subject: Subject = Subject("model")
    versions: Mapping[str, str] = field(default_factory=dict)

    def predict(self, batch: Any, columns: Any, *, probabilities: bool) -> Predictions:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, Predictions):
            return answer
        return Predictions(answer)


SETTINGS = DataSettings(uri="rows", target="label", weight="w")


def taken(
    parts: List[Dict[str, List[Any]]],
    model: Optional[Answering] = None,
    settings: DataSettings = SETTINGS,
    task: Task = Task.CLASSIFICATION,
) -> Profile:
    source: Any = Source([Rows(part) for part in parts])
    return profile(source, settings, task, model)


def types(found: Profile) -> Dict[str, ColumnType]:
    return {name: column.type for name, column in found.table.columns.items()}


def test_columns_of_the_data_section_are_no_features() -> None:
    found = taken([{"label": [0, 1], "w": [1, 1], "age": [3, 4]}])
    assert types(found) == {"age": ColumnType.NUMBER}
    assert found.data == {"uri": "rows", "fingerprint": "f", "rows": 2}


def test_parts_add_up_and_empty_ones_do_not_count() -> None:
    empty: Dict[str, List[Any]] = {"age": [], "town": []}
    part = {"age": [3, None], "town": ["a", "b"]}
    found = taken([part, empty, part])
    assert found.table.rows == 4
    assert found.table.missing("age") == 2
    assert found.table.columns["town"].categories.counts == {"a": 2, "b": 2}


def test_dates_are_neither_numbers_nor_texts() -> None:
    days = ["2026-01-02", "2026-01-03T04:05:06"]
    found = taken([{"day": days, "word": ["2026-01-02", "x"]}])
    assert types(found) == {"day": ColumnType.OTHER, "word": ColumnType.TEXT}


@pytest.mark.parametrize(
    ("answer", "kind", "missing"),
    [
        (np.array([0, 1]), ColumnType.NUMBER, 0),
        (np.array([True, False]), ColumnType.NUMBER, 0),
        (np.array([[0.5], [np.nan]]), ColumnType.NUMBER, 1),
        (np.ma.masked_equal(np.array([1, 2]), 2), ColumnType.NUMBER, 1),
        (np.array(["a", None], dtype=object), ColumnType.TEXT, 1),
        (np.array([1, None], dtype=object), ColumnType.NUMBER, 1),
        (encode([0, 1]), ColumnType.NUMBER, 0),
    ],
)
def test_answers_are_a_column(answer: Any, kind: ColumnType, missing: int) -> None:
    found = taken([{"age": [3, 4]}], Answering([answer]))
    assert found.table.columns["prediction"].type is kind
    assert found.table.missing("prediction") == missing
    assert found.answers == ("prediction",)


def test_the_probability_of_the_positive_label_is_one_more() -> None:
    settings = DataSettings(uri="rows", target="label", positive=1)
    scores = np.array([[0.9, 0.1], [0.2, 0.8]])
    for classes, names in (
        ((0, 1), ("prediction", "score")),
        ((0, 2), ("prediction",)),
    ):
        answer = Predictions(np.array([0, 1]), scores, classes)
        found = taken([{"age": [3, 4]}], Answering([answer]), settings)
        assert found.answers == names


def test_a_model_that_breaks_halfway_leaves_the_columns() -> None:
    model = Answering([np.array([0, 1]), ModelError("no more")])
    found = taken([{"age": [3, 4]}] * 3, model)
    assert list(found.table.columns) == ["age"]
    assert (found.unmeasured, found.answers) == ({"prediction": "no more"}, ())
    assert found.table.rows == 6


def test_data_without_rows_are_refused() -> None:
    with pytest.raises(DataError, match="no rows to profile"):
        taken([{"age": []}])

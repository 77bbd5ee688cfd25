"""From a batch and its predictions to judged rows, refusing what cannot be judged."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Optional, Tuple

import numpy as np

from pytest_mlops.core.metrics import Task
from pytest_mlops.core.rows import (
    Batch,
    ClassificationRows,
    JudgedRows,
    Label,
    Labels,
    Predictions,
    RegressionRows,
)
from pytest_mlops.core.suggestions import did_you_mean
from pytest_mlops.errors import DataError
from pytest_mlops.evidence.groups import buckets
from pytest_mlops.evidence.labels import encode
from pytest_mlops.settings.values import DataSettings

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Codes, Floats


@dataclass(frozen=True)
class Reader:
    """Reads batches of one data set as ``[data]`` and the task say.

    Attributes:
        name: what the data set is called in messages.
    """

    name: str
    settings: DataSettings
    task: Task

    def features(self, columns: Tuple[str, ...]) -> Tuple[str, ...]:
        """The columns that a model may see.

        Raises:
            DataError: a column that ``[data]`` names is not there.
        """
        data = self.settings
        named = {
            "target": data.target,
            "weight": data.weight,
            "group": data.group,
            "prediction": data.prediction,
            "score": data.score,
        }
        for key, column in named.items():
            if column is not None and column not in columns:
                raise DataError(
                    f"{self.name} has no column '{column}' ([data] {key})."
                    f"{did_you_mean(column, columns)} Its columns: {', '.join(columns)}"
                )
        return tuple(name for name in columns if name not in named.values())

    def ready(self, batch: Batch) -> Predictions:
        """The predictions that stand in the data itself."""
        data = self.settings
        if data.prediction is None:
            raise DataError(f"{self.name} has no column of predictions to judge")
        if self.task is Task.REGRESSION:
            return Predictions(batch.numbers(data.prediction))
        values = batch.labels(data.prediction)
        if data.score is None or data.positive is None:
            return Predictions(values)
        scores = batch.numbers(data.score)
        self._finite(batch, scores, f"score '{data.score}'")
        return Predictions(values, scores[:, np.newaxis], (data.positive,))

    def judged(self, batch: Batch, predictions: Predictions) -> JudgedRows:
        """Rows that can be counted.

        Raises:
            DataError: a target or a prediction is missing, or their types differ; the
                message names the row.
        """
        weights, groups = self._weights(batch), self._groups(batch)
        if self.task is Task.REGRESSION:
            true = batch.numbers(self.settings.target)
            predicted = self._numbers(predictions.values)
            self._finite(batch, true, f"target '{self.settings.target}'")
            self._finite(batch, predicted, "prediction")
            return RegressionRows(true, predicted, weights, groups)
        rows = self._classified(batch, predictions)
        return replace(rows, weights=weights, groups=groups)

    def _numbers(self, values: Any) -> Floats:
        if isinstance(values, np.ma.MaskedArray):
            values = np.ma.filled(values.astype(np.float64), np.nan)
        column = np.asarray(values)
        wrong = f"{self.name}: the predictions of a regression must be numbers"
        if column.dtype.kind in "mMSU":
            raise DataError(f"{wrong}, not {column.dtype}")
        try:
            return column.astype(np.float64)
        except (TypeError, ValueError, OverflowError) as error:
            raise DataError(f"{wrong}: {error}") from error

    def _classified(self, batch: Batch, predictions: Predictions) -> ClassificationRows:
        target = self.settings.target
        true = batch.labels(target)
        values = predictions.values
        predicted = values if isinstance(values, Labels) else encode(values)
        self._present(batch, true.codes >= 0, f"target '{target}'")
        self._present(batch, predicted.codes >= 0, "prediction")
        self._same_type(true, predicted)
        return ClassificationRows(
            true=true,
            predicted=predicted,
            positive=self.settings.positive,
            probabilities=predictions.probabilities,
            classes=predictions.classes,
        )

    def _weights(self, batch: Batch) -> Optional[Floats]:
        if self.settings.weight is None:
            return None
        weights = batch.numbers(self.settings.weight)
        # Products of four sums must stay finite and above 0.
        usable = (weights == 0) | ((weights > 1e-50) & (weights < 1e50))
        self._present(batch, usable, f"weight '{self.settings.weight}'", "not a weight")
        return weights

    def _groups(self, batch: Batch) -> Optional[Codes]:
        if self.settings.group is None:
            return None
        groups = batch.labels(self.settings.group)
        self._present(batch, groups.codes >= 0, f"group '{self.settings.group}'")
        return buckets(groups)

    def _finite(self, batch: Batch, values: Floats, what: str) -> None:
        self._present(batch, np.isfinite(values), what, "missing or not finite")

    def _present(
        self, batch: Batch, present: np.ndarray, what: str, wrong: str = "missing"
    ) -> None:
        if not present.all():
            first = batch.first_row + int(np.argmin(present))
            count = int((~present).sum())
            more = f" (and in {_rows(count - 1)})" if count > 1 else ""
            raise DataError(
                f"{self.name}: the {what} is {wrong} in row {first}{more}; "
                "fill these rows or leave them out"
            )

    def _same_type(self, true: Labels, predicted: Labels) -> None:
        texts = _kind(true.categories), _kind(predicted.categories)
        if {"text", "number"} == set(texts):
            raise DataError(
                f"{self.name}: the labels in '{self.settings.target}' are {texts[0]}s "
                f"({_some(true.categories)}) but the predictions are {texts[1]}s "
                f"({_some(predicted.categories)}); make both the same type"
            )


def _kind(categories: Tuple[Label, ...]) -> str:
    texts = {isinstance(category, str) for category in categories}
    if len(texts) != 1:
        return "mixed"
    return "text" if texts.pop() else "number"


def _rows(count: int) -> str:
    return "1 more row" if count == 1 else f"{count} more rows"


def _some(categories: Tuple[Label, ...]) -> str:
    shown = ", ".join(repr(category) for category in categories[:4])
    return f"{shown}, …" if len(categories) > 4 else shown

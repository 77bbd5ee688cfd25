"""Profile a data set: its columns, and what a model answers for its rows."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import (
    TYPE_CHECKING,
    Any,
    Dict,
    List,
    Mapping,
    Optional,
    Tuple,
)

import numpy as np

from pytest_mlops.core.metrics import Task
from pytest_mlops.core.rows import Batch, Labels, Predictions
from pytest_mlops.core.sources import DataSource, Model
from pytest_mlops.errors import DataError, InstrumentError
from pytest_mlops.evidence.labels import encode
from pytest_mlops.evidence.tables.features import FeatureTable, Values
from pytest_mlops.gates.rows import Reader
from pytest_mlops.settings.values import DataSettings

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Floats

#: What the columns of answers are called: what was predicted, and the probability of
#: the positive label. Where the model asks for a column of that name, with this before.
PREDICTION, SCORE, _CLASH = "prediction", "score", "model."


#: How a date begins, as files hold it and as ISO 8601 writes it.
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}($|[T ])")


@dataclass(frozen=True)
class Profile:
    """A profile, and what it was taken of.

    Attributes:
        table: the columns.
        data: ``uri``, ``fingerprint`` and ``rows``.
        unmeasured: columns that could not be had, with the reason.
        answers: which of the columns are a model's answers.
    """

    table: FeatureTable
    data: Mapping[str, Any]
    unmeasured: Mapping[str, str] = field(default_factory=dict)
    answers: Tuple[str, ...] = ()


def profile(
    source: DataSource, settings: DataSettings, task: Task, model: Optional[Model]
) -> Profile:
    """Profile a data set, batch by batch.

    The columns are those that the model asks for; without a model, or with one that
    does not say, all but those that ``[data]`` gives a meaning. Labels are not needed.

    Raises:
        DataError: the data cannot be read, or there are no rows.
    """
    pass_ = _Pass(source, settings, task, model)
    for batch in source.batches():
        pass_.take(batch)
    if not pass_.table.rows:
        raise DataError(f"{source.uri} has no rows to profile")
    data = {
        "uri": source.uri,
        "fingerprint": source.fingerprint(),
        "rows": pass_.table.rows,
    }
    table = pass_.finished()
    answers = tuple(name for name in pass_.names if name in table.columns)
    return Profile(table, data, pass_.unmeasured, answers)


class _Pass:
    """The profile as it grows."""

    def __init__(
        self,
        source: DataSource,
        settings: DataSettings,
        task: Task,
        model: Optional[Model],
    ) -> None:
        columns = source.columns()
        self.table = FeatureTable(0, {})
        self.unmeasured: Dict[str, str] = {}
        self._settings, self._model = settings, model
        self._reader = Reader(source.uri, settings, task)
        self._scored = task is Task.CLASSIFICATION and settings.positive is not None
        self._ready = settings.prediction is not None and settings.prediction in columns
        self._features = _features(columns, settings)
        asked = self._features
        if model is not None and model.inputs is not None:
            asked = model.inputs
        self._judged = tuple(name for name in asked if name in columns)
        self.names = tuple(
            _CLASH + name if name in asked else name for name in (PREDICTION, SCORE)
        )

    def take(self, batch: Batch) -> None:
        """Count one batch."""
        if not batch.rows:
            return
        values: Dict[str, Values] = {n: _values(batch, n) for n in self._judged}
        answers = self._answers(batch)
        if answers is not None:
            values.update(self._predicted(answers))
        self.table = self.table.merge(FeatureTable.of(values, batch.rows))

    def finished(self) -> FeatureTable:
        """The table, without what could not be had for all of the rows."""
        return self.table.without(*self.unmeasured)

    def _answers(self, batch: Batch) -> Optional[Predictions]:
        if self._ready:
            return self._reader.ready(batch)
        if self._model is None or self.unmeasured:
            return None
        try:
            return self._model.predict(
                batch, self._features, probabilities=self._scored
            )
        except InstrumentError as error:
            # Drift of the columns is known all the same.
            self._unmeasured(str(error))
            return None

    def _predicted(self, answers: Predictions) -> Dict[str, Values]:
        prediction, score = self.names
        found: Dict[str, Values] = {prediction: _numbers_or_labels(answers.values)}
        if self._scored and answers.probabilities is not None:
            classes: List[Any] = list(answers.classes)
            if self._settings.positive in classes:
                place = classes.index(self._settings.positive)
                found[score] = answers.probabilities[:, place]
        return found

    def _unmeasured(self, reason: str) -> None:
        prediction, score = self.names
        self.unmeasured[prediction] = reason
        if self._scored:
            self.unmeasured[score] = reason


def _features(columns: Tuple[str, ...], settings: DataSettings) -> Tuple[str, ...]:
    """The columns that a model may see; those of ``[data]`` need not be there."""
    named = {
        settings.target,
        settings.weight,
        settings.group,
        settings.prediction,
        settings.score,
    }
    return tuple(name for name in columns if name not in named)


def _values(batch: Batch, name: str) -> Values:
    """A column as numbers, else as labels, else as what is neither."""
    try:
        return batch.numbers(name)
    except DataError:
        pass
    try:
        labels = batch.labels(name)
    except DataError:
        return None
    # Every day is a new category: that a date has never been seen is no drift.
    return None if _are_dates(labels) else labels


def _are_dates(labels: Labels) -> bool:
    found = labels.categories
    return bool(found) and all(_DATE.match(str(category)) for category in found)


def _numbers_or_labels(values: Any) -> Values:
    """Predictions as numbers where all of them are."""
    if isinstance(values, np.ma.MaskedArray):
        values = np.ma.filled(values.astype(np.float64), np.nan)
    array = None if isinstance(values, Labels) else np.asarray(values)
    if array is not None and array.dtype.kind in "biuf":
        flat: Floats = array.astype(np.float64).reshape(-1)
        return flat
    labels = encode(values)
    if any(isinstance(category, str) for category in labels.categories):
        return labels
    # One more place at the end, for the code -1 of what is missing.
    numbers = np.array([*labels.categories, np.nan], dtype=np.float64)
    return numbers[labels.codes]

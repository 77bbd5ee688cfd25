"""Run a model over its data once, and find the slices where it is weakest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping, Optional, Sequence, Tuple

from pytest_mlops.core.metrics import Better, Metric, MetricOptions, Task
from pytest_mlops.core.redaction import redact
from pytest_mlops.core.rows import Batch, Predictions
from pytest_mlops.core.sources import DataSource, Model
from pytest_mlops.core.suggestions import did_you_mean, unknown
from pytest_mlops.errors import ConfigurationError, InstrumentError
from pytest_mlops.gates.cached_batch import CachedBatch
from pytest_mlops.gates.cuts import first_look
from pytest_mlops.gates.rows import Reader
from pytest_mlops.gates.weak_slices import (
    MOST_PAIRED_COLUMNS,
    Figure,
    SliceTables,
    Weakness,
    telling,
)
from pytest_mlops.settings.values import GatesFile
from pytest_mlops.workflow.extensions import Extensions
from pytest_mlops.workflow.judging import Assignment


@dataclass(frozen=True)
class Wish:
    """What is looked for.

    Attributes:
        metric: its name; None for recall, accuracy without a positive label, or MAE.
        columns: those that are looked into; none means all.
        min_rows: as in ``Figure``.
        confidence: as in ``Figure``.
    """

    metric: Optional[str] = None
    columns: Tuple[str, ...] = ()
    min_rows: int = 50
    confidence: float = 0.95


def find_weakness(
    assignment: Assignment, extensions: Extensions, wish: Wish
) -> Weakness:
    """Find where a model is weakest.

    Raises:
        ConfigurationError: there is no such metric or column, or the metric has no
            better direction or no interval.
        InstrumentError: the data or the model does not work.
    """
    file = assignment.gates_file
    figure = _figure(file, extensions.metrics, wish)
    source = extensions.open_data(file.data.uri, assignment.site)
    reader = Reader(source.uri, file.data, file.task)
    model = None
    features = reader.features(source.columns())
    look = first_look(source.batches(), _columns(features, wish.columns))
    if assignment.model_uri is not None:
        model = extensions.load_model(assignment.model_uri, assignment.site)
    tables = SliceTables(figure, look.cuts)
    _pass(source, reader, model, tables, figure)
    compared = tables.compared()
    remarks: Sequence[str] = ()
    if len(look.cuts) > MOST_PAIRED_COLUMNS:
        remarks = (
            f"{len(look.cuts)} columns are too many for pairs (more than "
            f"{MOST_PAIRED_COLUMNS}): choose some with --by",
        )
    return Weakness(
        figure=figure,
        data=redact(source.uri),
        rows=tables.rows,
        whole=tables.whole,
        found=telling(compared, wish.confidence),
        tested=len(compared),
        skipped=look.skipped,
        remarks=tuple(remarks),
    )


def _pass(
    source: DataSource,
    reader: Reader,
    model: Optional[Model],
    tables: SliceTables,
    figure: Figure,
) -> None:
    features = reader.features(source.columns())
    probabilities = figure.metric.kind.needs_probabilities
    for plain in source.batches():
        batch = CachedBatch(plain)
        answers = _answers(model, reader, batch, features, probabilities)
        if probabilities and answers.probabilities is None:
            raise InstrumentError(
                f"'{figure.metric.name}' needs probabilities, and there are none"
            )
        tables.take(batch, reader.judged(batch, answers))


def _answers(
    model: Optional[Model],
    reader: Reader,
    batch: Batch,
    features: Tuple[str, ...],
    probabilities: bool,
) -> Predictions:
    if model is None:
        return reader.ready(batch)
    return model.predict(batch, features, probabilities=probabilities)


def _columns(features: Tuple[str, ...], chosen: Tuple[str, ...]) -> Tuple[str, ...]:
    for column in chosen:
        if column not in features:
            raise _mistake(
                f"the data have no column '{column}' to look into."
                f"{did_you_mean(column, features)} There are: {', '.join(features)}"
            )
    return chosen or features


def _figure(file: GatesFile, metrics: Mapping[str, Metric], wish: Wish) -> Figure:
    name = wish.metric or _usual(file)
    if name not in metrics:
        raise _mistake(unknown("metric", name, metrics))
    metric = metrics[name]
    if metric.task is not file.task:
        raise _mistake(f"'{name}' is a metric of a {metric.task.value}")
    if metric.better is Better.NEITHER or metric.across:
        raise _mistake(f"'{name}' has no weaker side to look for")
    options = MetricOptions(positive=file.data.positive)
    return Figure(metric, options, wish.min_rows, wish.confidence)


def _usual(file: GatesFile) -> str:
    if file.task is Task.REGRESSION:
        return "mae"
    return "accuracy" if file.data.positive is None else "recall"


def _mistake(message: str) -> ConfigurationError:
    return ConfigurationError.one(message, source="slices")

"""Run a model over the data once and keep what every metric needs."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Dict, Iterable, List, Mapping, Optional, Sequence, Set, Tuple

import numpy as np

from pytest_mlops.core.metrics import (
    Estimate,
    Metric,
    MetricOptions,
    Table,
    TableKind,
    Task,
)
from pytest_mlops.core.redaction import redact
from pytest_mlops.core.rows import (
    Batch,
    ClassificationRows,
    JudgedRows,
    Label,
    Predictions,
)
from pytest_mlops.core.sources import DataSource, Model, Subject
from pytest_mlops.errors import DataError, InstrumentError, MetricError
from pytest_mlops.evidence.labels import listed
from pytest_mlops.evidence.record import BASELINE, Evidence
from pytest_mlops.gates.rows import Reader
from pytest_mlops.settings.values import DataSettings


@dataclass(frozen=True)
class Contest:
    """Who is judged: a candidate (None: ready predictions) and maybe a baseline."""

    candidate: Optional[Model]
    baseline: Optional[Model] = None


@dataclass(frozen=True)
class Measurement:
    """What one pass over the data left.

    Attributes:
        evidence: the tables.
        unavailable: tables that could not be made, by name, with the reason.
        seconds: what the pass took.
    """

    evidence: Evidence
    unavailable: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0


def measure(
    source: DataSource,
    settings: DataSettings,
    task: Task,
    contest: Contest,
    kinds: Iterable[TableKind],
) -> Measurement:
    """One pass over the data: predict, count, forget the rows.

    Raises:
        DataError: the data cannot be read or judged.
        ModelError: a model does not predict.
    """
    started = perf_counter()
    pass_ = _Pass(Reader(source.uri, settings, task), contest, tuple(kinds))
    features = pass_.reader.features(source.columns())
    for batch in source.batches():
        pass_.take(batch, features)
    pass_.finish()
    evidence = Evidence.of(
        data={
            "uri": redact(source.uri),
            "fingerprint": source.fingerprint(),
            "rows": pass_.rows,
        },
        models=[_name(contest.candidate), _name(contest.baseline)],
        question={
            "task": task.value,
            "target": settings.target,
            "positive": settings.positive,
            "weight": settings.weight,
        },
        tables=pass_.tables,
        kinds=pass_.kinds,
    )
    return Measurement(evidence, pass_.unavailable, perf_counter() - started)


class _Pass:
    """The tables as they grow."""

    def __init__(
        self, reader: Reader, contest: Contest, kinds: Sequence[TableKind]
    ) -> None:
        self.reader = reader
        self.models: List[Tuple[str, Optional[Model]]] = [("", contest.candidate)]
        if contest.baseline is not None:
            self.models.append((BASELINE, contest.baseline))
        self.kinds = kinds
        self.tables: Dict[str, Table] = {}
        self.unavailable: Dict[str, str] = {}
        self.labels: Set[Label] = set()
        self.rows = 0

    def take(self, batch: Batch, features: Tuple[str, ...]) -> None:
        """Count one batch."""
        if not batch.rows:
            return
        self.rows += batch.rows
        for prefix, model in self.models:
            answers = self._predict(model, batch, features)
            rows = self.reader.judged(batch, answers)
            self._note_labels(rows)
            for kind in self.kinds:
                if kind.needs_probabilities and answers.probabilities is None:
                    self.unavailable[prefix + kind.name] = _no_probabilities(model)
                else:
                    self._add(prefix + kind.name, kind, rows)

    def finish(self) -> None:
        """Refuse data by which nothing can be judged, and finish the tables."""
        name, settings = self.reader.name, self.reader.settings
        if not self.rows:
            raise DataError(f"{name} has no rows to judge")
        if settings.positive is not None and settings.positive not in self.labels:
            raise DataError(
                f"{name}: the positive label {settings.positive!r} never occurs in "
                f"'{settings.target}'; the labels there are {listed(self.labels)}"
            )
        for prefix, _ in self.models:
            for kind in self.kinds:
                self._finish(prefix + kind.name, kind)

    def _finish(self, name: str, kind: TableKind) -> None:
        """Turn the table of all rows into the one that is kept."""
        if kind.finish is None or name not in self.tables:
            return
        try:
            self.tables[name] = kind.finish(self.tables[name])
        except InstrumentError as error:
            self._drop(name, str(error))

    def _note_labels(self, rows: JudgedRows) -> None:
        """Remember true labels, until the positive one has been seen."""
        if isinstance(rows, ClassificationRows) and rows.positive not in self.labels:
            names = rows.true.categories
            counts = np.bincount(rows.true.codes, minlength=len(names))
            self.labels.update(n for n, count in zip(names, counts) if count)

    def _predict(
        self, model: Optional[Model], batch: Batch, features: Tuple[str, ...]
    ) -> Predictions:
        if model is None:
            return self.reader.ready(batch)
        wanted = any(kind.needs_probabilities for kind in self.kinds)
        return model.predict(batch, features, probabilities=wanted)

    def _add(self, name: str, kind: TableKind, rows: JudgedRows) -> None:
        """Add a batch to a table; one that cannot be made leaves the others alone."""
        if name in self.unavailable:
            return
        known = self.tables.get(name)
        try:
            table = kind.build(rows)
            self.tables[name] = table if known is None else known.merge(table)
        except InstrumentError as error:
            self._drop(name, str(error))
        except Exception as error:
            # Tables come from plugins, and may do anything.
            self._drop(name, f"its table raised {type(error).__name__}: {error}")

    def _drop(self, name: str, reason: str) -> None:
        self.unavailable[name] = reason
        self.tables.pop(name, None)


def _no_probabilities(model: Optional[Model]) -> str:
    if model is None:
        return "the data has no column of probabilities ([data] score)"
    return "the model gives no probabilities (it has no predict_proba)"


def estimate_from(metric: Metric, table: Table, options: MetricOptions) -> Estimate:
    """A metric of anybody's on a table, in plain Python numbers.

    Raises:
        MetricError: it raises, or what it returns is no estimate; the message names it.
    """
    try:
        found = metric.estimate(table, options)
        return _plain(found)
    except InstrumentError:
        raise
    except Exception as error:
        # Metrics come from plugins, and may do anything.
        raise MetricError(
            f"the metric '{metric.name}' raised {type(error).__name__}: {error}"
        ) from error


def _plain(found: Estimate) -> Estimate:
    """Without the scalar types of numpy, which JSON and comparisons do not know."""
    interval = found.interval

    def plain_interval(confidence: float) -> Tuple[float, float]:
        low, high = interval(confidence) if interval else (math.nan, math.nan)
        return float(low), float(high)

    return replace(
        found,
        value=None if found.value is None else float(found.value),
        rows=int(found.rows),
        error_bound=float(found.error_bound),
        interval=None if interval is None else plain_interval,
        flags=tuple(map(str, found.flags)),
    )


def model_name(subject: Optional[Subject]) -> Optional[str]:
    """What tells a model apart: its digest, else its URI; nothing secret."""
    if subject is None:
        return None
    return subject.model_digest or redact(subject.model_uri)


def _name(model: Optional[Model]) -> Optional[str]:
    return None if model is None else model_name(model.subject)

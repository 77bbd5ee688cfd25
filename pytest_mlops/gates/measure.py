"""Run a model over the data once and keep what every metric needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import perf_counter
from typing import Dict, Iterable, List, Mapping, Optional, Sequence, Set, Tuple

import numpy as np

from pytest_mlops.core.metrics import Table, TableKind, Task
from pytest_mlops.core.rows import (
    Batch,
    ClassificationRows,
    JudgedRows,
    Label,
    Predictions,
)
from pytest_mlops.core.sources import DataSource, Model
from pytest_mlops.errors import DataError
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
        unavailable: kinds of tables that could not be made, with the reason.
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
            "uri": source.uri,
            "fingerprint": source.fingerprint(),
            "rows": pass_.rows,
        },
        models=[_digest(contest.candidate), _digest(contest.baseline)],
        question={
            "task": task.value,
            "target": settings.target,
            "positive": settings.positive,
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
                    self.unavailable[kind.name] = _no_probabilities(model)
                else:
                    self._add(prefix + kind.name, kind.build(rows))

    def finish(self) -> None:
        """Refuse data by which nothing can be judged."""
        name, settings = self.reader.name, self.reader.settings
        if not self.rows:
            raise DataError(f"{name} has no rows to judge")
        if settings.positive is not None and settings.positive not in self.labels:
            raise DataError(
                f"{name}: the positive label {settings.positive!r} never occurs in "
                f"'{settings.target}'; the labels there are {listed(self.labels)}"
            )

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

    def _add(self, name: str, table: Table) -> None:
        known = self.tables.get(name)
        self.tables[name] = table if known is None else known.merge(table)


def _no_probabilities(model: Optional[Model]) -> str:
    if model is None:
        return "the data has no column of probabilities ([data] score)"
    return "the model gives no probabilities (it has no predict_proba)"


def _digest(model: Optional[Model]) -> Optional[str]:
    if model is None:
        return None
    return model.subject.model_digest or model.subject.model_uri

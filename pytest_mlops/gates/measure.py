"""Run a model over the data once and keep what every metric needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import perf_counter
from typing import Iterable, Mapping, Optional, Tuple

from pytest_mlops.core.metrics import Task
from pytest_mlops.core.redaction import redact
from pytest_mlops.core.sources import DataSource, Model, Subject
from pytest_mlops.evidence.record import Evidence
from pytest_mlops.gates.asking import Ask, Contest
from pytest_mlops.gates.cached_batch import CachedBatch
from pytest_mlops.gates.growing import GrowingTables
from pytest_mlops.gates.repeats import RepeatWatch
from pytest_mlops.gates.rows import Reader
from pytest_mlops.settings.values import DataSettings


@dataclass(frozen=True)
class Measurement:
    """What one pass over the data left.

    Attributes:
        evidence: the tables.
        unavailable: tables that could not be made, by name, with the reason.
        seconds: what the pass took.
        remarks: what is odd about the data, a line each.
    """

    evidence: Evidence
    unavailable: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    remarks: Tuple[str, ...] = ()


def measure(
    source: DataSource,
    settings: DataSettings,
    task: Task,
    contest: Contest,
    asks: Iterable[Ask],
) -> Measurement:
    """One pass over the data: predict, count, forget the rows.

    Raises:
        DataError: the data cannot be read or judged.
        ModelError: a model does not predict.
    """
    started = perf_counter()
    columns = source.columns()
    reader = Reader(source.uri, settings, task)
    features = reader.features(columns)
    grown = GrowingTables(reader, contest, tuple(asks))
    grown.aim(columns)
    watch = RepeatWatch(() if settings.group else features)
    for batch in map(CachedBatch, source.batches()):
        grown.take(batch, features)
        watch.look(batch)
    grown.finish()
    evidence = Evidence.of(
        data={
            "uri": redact(source.uri),
            "fingerprint": source.fingerprint(),
            "rows": grown.rows,
        },
        models=[_name(contest.candidate), _name(contest.baseline)],
        question={
            "task": task.value,
            "target": settings.target,
            "positive": settings.positive,
            "weight": settings.weight,
            "group": settings.group,
        },
        tables=grown.tables,
        kinds=[ask.kind for ask in grown.asks],
    )
    seconds = perf_counter() - started
    return Measurement(evidence, grown.unavailable, seconds, tuple(watch.remarks()))


def model_name(subject: Optional[Subject]) -> Optional[str]:
    """What tells a model apart: its digest, else its URI; nothing secret."""
    if subject is None:
        return None
    return subject.model_digest or redact(subject.model_uri)


def _name(model: Optional[Model]) -> Optional[str]:
    return None if model is None else model_name(model.subject)

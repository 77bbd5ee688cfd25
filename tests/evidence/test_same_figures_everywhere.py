"""Every Python, numpy and scipy comes to the same figures: those in a file beside this.

``python tests/evidence/test_same_figures_everywhere.py`` writes them anew, after a
change that is meant to change them.
"""

from __future__ import annotations

import json
import math
import sys
from dataclasses import replace
from pathlib import Path
from random import Random
from statistics import NormalDist
from typing import Any, Dict, Iterator, Mapping, Tuple

import numpy as np

from pytest_mlops.core.metrics import Estimate, MetricOptions, Task
from pytest_mlops.core.rows import (
    ClassificationRows,
    JudgedRows,
    Labels,
    PairedRows,
    RegressionRows,
)
from pytest_mlops.evidence.metrics import builtin_metrics, custom_metric

STORED = Path(__file__).with_name("figures_everywhere.json")
CONFIDENCES = (0.5, 0.95, 0.9999)
CLOSE = 1e-12

OWN = """\
def cost(y_true, y_pred):
    return float((5 * (y_true > y_pred) + (y_true < y_pred)).mean())
"""


class Zoo:
    """Rows that are drawn the same everywhere: Python's own generator is fixed."""

    def __init__(self, seed: int, size: int) -> None:
        self.random, self.size = Random(seed), size

    def uniform(self) -> Any:
        return np.array([self.random.random() for _ in range(self.size)])

    def normal(self) -> Any:
        inverse = NormalDist().inv_cdf
        return np.array([inverse(u) for u in np.clip(self.uniform(), 1e-9, 1 - 1e-9)])

    def labels(self, classes: int, right: float) -> ClassificationRows:
        """Labels of which the last class is rare, with probabilities."""
        true = np.minimum((self.uniform() * (classes - 0.6)).astype(int), classes - 1)
        scores = np.stack([self.uniform() for _ in range(classes)], axis=1)
        # Tied scores have to be there, too.
        scores = np.round(0.1 + scores + right * np.eye(classes)[true], 2)
        found = scores / scores.sum(axis=1, keepdims=True)
        names = tuple(range(classes))
        return ClassificationRows(
            true=Labels(true.astype(np.int64), names),
            predicted=Labels(found.argmax(axis=1), names),
            positive=1 if classes == 2 else None,
            probabilities=found,
            classes=names,
        )

    def numbers(self, tail: float) -> RegressionRows:
        """A regression whose errors have the heavier tails the greater *tail* is."""
        true = 10 + 3 * self.normal()
        noise = self.normal()
        return RegressionRows(true, true + 0.2 + np.sinh(tail * noise) / tail)


def zoo() -> Iterator[Tuple[str, JudgedRows]]:
    """Rows by name: few and many, two classes and four, light and heavy tails."""
    for size in (40, 400):
        here = Zoo(size, size)
        rows: Dict[str, Any] = {
            "two": here.labels(2, 0.5),
            "two, nearly all right": here.labels(2, 0.95),
            "four": here.labels(4, 0.6),
            "numbers": here.numbers(0.1),
            "heavy tails": here.numbers(1.5),
        }
        for name, one in rows.items():
            yield f"{name} of {size}", one
            if size == 400:
                weights = 0.2 + here.uniform()
                yield f"{name}, weights", replace(one, weights=weights)
                for groups in (12, 60):
                    bucket = (here.uniform() * groups).astype(np.int64) * 7
                    yield f"{name}, {groups} groups", replace(one, groups=bucket)
                yield f"{name}, both", replace(one, weights=weights, groups=bucket)


def figures() -> Dict[str, Any]:
    """What every metric says of all of it."""
    found: Dict[str, Any] = {}
    everything = dict(zoo())
    for name, rows in everything.items():
        for metric, options, label in asked(rows):
            key = f"{name}: {label}"
            if metric.across:
                cut = {(k,): rows.take(np.arange(k, len(rows), 3)) for k in range(3)}
                tables = {key: built(metric.kind, part) for key, part in cut.items()}
                found[key] = told(metric.estimate(tables, options))
                continue
            found[key] = told(metric.estimate(built(metric.kind, rows), options))
            if metric.difference is not None and metric.kind.pair is not None:
                pair = built(metric.kind.pair, PairedRows(rows, worse(rows)))
                for factor in (1.0, 0.9):
                    paired = told(metric.difference(pair, options, factor))
                    found[f"{key} less {factor} times that of a worse one"] = paired
    return found


def asked(rows: JudgedRows) -> Iterator[Tuple[Any, MetricOptions, str]]:
    """Each metric of the rows' task, in each average that it has."""
    numbers = isinstance(rows, RegressionRows)
    task = Task.REGRESSION if numbers else Task.CLASSIFICATION
    positive = None if numbers else rows.positive
    for metric in (*builtin_metrics(), custom_metric("own_metrics:cost", task)):
        if metric.task is not task:
            continue
        averages = [a for a in metric.averages if a != "binary" or positive is not None]
        for average in averages or [None]:
            options = MetricOptions(positive, average, 2.0)
            yield metric, options, " ".join(filter(None, (metric.name, average)))


def built(kind: Any, rows: Any) -> Any:
    table = kind.build(rows)
    return kind.finish(table) if kind.finish else table


def worse(rows: JudgedRows) -> JudgedRows:
    """The answers of another model, which errs in some more rows."""
    other = np.arange(len(rows)) % 9 == 0
    if isinstance(rows, RegressionRows):
        return replace(rows, predicted=rows.predicted + np.where(other, 0.8, -0.1))
    assert rows.probabilities is not None
    shifted = np.roll(rows.probabilities, 1, axis=1)
    found = np.where(other[:, np.newaxis], shifted, rows.probabilities)
    predicted = Labels(found.argmax(axis=1), rows.predicted.categories)
    return replace(rows, predicted=predicted, probabilities=found)


def told(found: Estimate) -> Dict[str, Any]:
    ends = [] if found.interval is None else [*map(found.interval, CONFIDENCES)]
    return {
        "value": None if found.value is None else float(found.value),
        "rows": int(found.rows),
        "method": found.method,
        "flags": list(found.flags),
        "ends": [[float(low), float(high)] for low, high in ends],
    }


def close(found: Any, expected: Any) -> bool:
    """Equal; numbers nearly so, and to the size of a figure's own numbers."""
    if isinstance(expected, float) and isinstance(found, float):
        return math.isclose(found, expected, rel_tol=CLOSE, abs_tol=CLOSE)
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(close, found, expected))
    if isinstance(expected, Mapping):
        return set(found) == set(expected) and all(
            close(found[key], expected[key]) for key in expected
        )
    return bool(found == expected)


def test_figures_are_those_of_every_other_machine(tmp_path, monkeypatch):
    (tmp_path / "own_metrics.py").write_text(OWN)
    monkeypatch.syspath_prepend(str(tmp_path))
    expected = json.loads(STORED.read_text("utf-8"))

    found = figures()

    assert set(found) == set(expected)
    off = {
        key: (found[key], expected[key])
        for key in expected
        if not close(found[key], expected[key])
    }
    assert not off


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "own_metrics.py").write_text(OWN)
        sys.path.insert(0, folder)
        lines = [f" {json.dumps(k)}: {json.dumps(v)}" for k, v in figures().items()]
        STORED.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")

"""The two sides of each comparison with a peer; runs in a process of its own.

usage: python benchmarks/contests.py NAME ROWS        what peers.py starts

Prints JSON: seconds of processor time of both sides, the least of some rounds that
take turns, and whatever else is to be said of them.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any, Callable, Dict, List, Mapping

import numpy as np

from pytest_mlops.core.checks import Policy
from pytest_mlops.core.metrics import Metric, MetricOptions, Table
from pytest_mlops.core.outcomes import Decide, OnInconclusive
from pytest_mlops.core.rows import ClassificationRows
from pytest_mlops.core.rules import parse_rule
from pytest_mlops.core.selection import Selection, SliceKey
from pytest_mlops.evidence.labels import encode
from pytest_mlops.evidence.metrics import builtin_metrics
from pytest_mlops.evidence.record import Kept
from pytest_mlops.evidence.tables import LABELS, SCORES
from pytest_mlops.evidence.tables.slices import Slices
from pytest_mlops.gates.estimates import figures_of
from pytest_mlops.gates.judge import judge_gate
from pytest_mlops.settings.values import Gate

METRICS: Mapping[str, Metric] = {metric.name: metric for metric in builtin_metrics()}
BINARY = MetricOptions(positive=1, beta=2.0)
FOUR = ("accuracy", "precision", "recall", "f1")

#: Rows that are counted at once, as the plugin reads them.
BATCH = 2**17

SLICES, GATES = 50, 100

Side = Callable[[], Any]


def f1_interval(rows: int) -> Dict[str, Any]:
    """F1's interval from ready counts, beside 1000 resamples of the rows."""
    from scipy import stats

    true, predicted = _labels(rows)
    table = LABELS.build(_rows(true, predicted))

    def f1(true: Any, predicted: Any, axis: int = -1) -> Any:
        hits = (true & predicted).sum(axis=axis)
        return 2 * hits / (true.sum(axis=axis) + predicted.sum(axis=axis))

    def resampled(count: int) -> None:
        stats.bootstrap(
            (true.astype(bool), predicted.astype(bool)),
            f1,
            n_resamples=count,
            batch=1,
            paired=True,
            vectorized=True,
            method="percentile",
        )

    def ours() -> None:
        for _ in range(100):
            _interval("f1", table)

    # Each resample costs the same: a few of them tell what 1000 cost.
    found = _contest(ours, lambda: resampled(10), rounds=3)
    found["ours"] /= 100
    found["theirs"] *= 1000 / 10
    return {**found, "note": "1000 resamples from 10"}


def four_metrics(rows: int) -> Dict[str, Any]:
    """Accuracy, precision, recall, F1 with intervals, beside one bincount."""
    true, predicted = _labels(rows)

    def ours() -> None:
        table = LABELS.build(_rows(true, predicted))
        for name in FOUR:
            _interval(name, table)

    def theirs() -> None:
        np.bincount(2 * true + predicted, minlength=4)

    return _contest(ours, theirs, rounds=5)


def roc_auc(rows: int) -> Dict[str, Any]:
    """The AUC with its interval, beside scikit-learn's without."""
    from sklearn.metrics import roc_auc_score

    true, score = _scored(rows)
    both: List[float] = []

    def ours() -> None:
        table: Any = None
        for start in range(0, rows, BATCH):
            part = slice(start, start + BATCH)
            one = SCORES.build(_score_rows(true[part], score[part]))
            table = one if table is None else table.merge(one)
        if SCORES.finish:
            table = SCORES.finish(table)
        _interval("roc_auc", table)
        both[:1] = [METRICS["roc_auc"].estimate(table, BINARY).value or 0.0]

    def theirs() -> None:
        both[1:] = [roc_auc_score(true, score)]

    found = _contest(ours, theirs, rounds=3)
    return {**found, "note": f"values differ by {abs(both[0] - both[1]):.0e}"}


def judging_two(rows: int) -> Dict[str, Any]:
    """100 gates over 50 slices from stored tables of two classes."""
    return _judging(rows, classes=2)


def judging_ten(rows: int) -> Dict[str, Any]:
    """100 gates over 50 slices from stored tables of ten classes."""
    return _judging(rows, classes=10)


def fairlearn(rows: int) -> Dict[str, Any]:
    """Four metrics on 50 slices, with intervals here and without them there."""
    import fairlearn.metrics
    import sklearn.metrics

    true, predicted = _labels(rows)
    where = np.random.default_rng(3).integers(0, SLICES, rows)
    functions = {name: getattr(sklearn.metrics, f"{name}_score") for name in FOUR}

    def ours() -> None:
        assert LABELS.split is not None
        for table in LABELS.split(_rows(true, predicted), where, SLICES):
            for name in FOUR:
                _interval(name, table)

    def theirs() -> None:
        fairlearn.metrics.MetricFrame(
            metrics=functions, y_true=true, y_pred=predicted, sensitive_features=where
        ).by_group

    return _contest(ours, theirs, rounds=1)


def mlflow(rows: int) -> Dict[str, Any]:
    """All metrics of labels with intervals, beside mlflow.models.evaluate."""
    import logging
    import tempfile

    import mlflow
    import pandas

    logging.disable(logging.WARNING)
    true, predicted = _labels(rows)
    frame = pandas.DataFrame({"label": true, "predicted": predicted})
    names = [name for name, metric in METRICS.items() if metric.kind is LABELS]

    def ours() -> None:
        table = LABELS.build(_rows(frame["label"], frame["predicted"]))
        for name in names:
            if not METRICS[name].across:
                _interval(name, table)

    def theirs() -> None:
        with mlflow.start_run():
            mlflow.models.evaluate(
                data=frame,
                targets="label",
                predictions="predicted",
                model_type="classifier",
                evaluator_config={
                    "log_explainer": False,
                    "log_model_explainability": False,
                },
            )

    with tempfile.TemporaryDirectory() as folder:
        mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
        theirs()  # sets its database up
        return _contest(ours, theirs, rounds=2)


def _contest(ours: Side, theirs: Side, rounds: int) -> Dict[str, Any]:
    """Take turns; the least time of each side is the one least disturbed."""
    times: Dict[str, List[float]] = {"ours": [], "theirs": []}
    for _ in range(rounds):
        for name, side in (("ours", ours), ("theirs", theirs)):
            begin = time.process_time()
            side()
            times[name].append(time.process_time() - begin)
    return {name: min(found) for name, found in times.items()}


def _judging(rows: int, classes: int) -> Dict[str, Any]:
    """The time that the gates take; there is no peer."""
    stored = _stored(rows, classes)
    options = MetricOptions(positive=1 if classes == 2 else None, beta=2.0)
    names = [
        name
        for name, metric in METRICS.items()
        if metric.kind is LABELS and not metric.across
    ]
    policy = Policy(
        decide=Decide.CONFIDENT, confidence=0.95, on_inconclusive=OnInconclusive.HOLD
    )
    begin = time.process_time()
    outcomes: Dict[str, int] = {}
    tables = Slices.from_json(stored, LABELS).tables
    cuts = {key: Kept(table) for key, table in tables.items()}
    for number in range(GATES):
        # Rules on both sides of what the models can, so that some stay undecided.
        rule = parse_rule(f">= {0.70 + 0.20 * number / GATES}")
        gate = Gate(
            name=f"gate_{number}",
            metric=METRICS[names[number % len(names)]],
            options=options,
            rule=rule,
            margin=0.0,
            on_inconclusive=OnInconclusive.WARN,
            selection=Selection(by=("slice",)),
        )
        figures = figures_of(gate.metric, cuts, options)
        for check in judge_gate(gate, figures, policy, node_id="x"):
            outcomes[check.outcome.value] = outcomes.get(check.outcome.value, 0) + 1
    seconds = time.process_time() - begin
    told = ", ".join(f"{count} {name}" for name, count in sorted(outcomes.items()))
    return {"ours": seconds, "note": told}


def _stored(rows: int, classes: int) -> Any:
    """Slices as they stand in the cache: *rows* rows each, right in 8 of 10."""
    draw = np.random.default_rng(5)
    tables: Dict[SliceKey, Table] = {}
    for number in range(SLICES):
        true = draw.integers(0, classes, rows)
        wrong = draw.integers(0, classes, rows)
        predicted = np.where(draw.random(rows) < 0.8, true, wrong)
        positive = 1 if classes == 2 else None
        encoded = ClassificationRows(encode(true), encode(predicted), positive)
        tables[(number,)] = LABELS.build(encoded)
    return json.loads(json.dumps(Slices(tables).to_json()))


def _labels(rows: int) -> Any:
    draw = np.random.default_rng(7)
    true = (draw.random(rows) < 0.3).astype(np.int64)
    predicted = np.where(draw.random(rows) < 0.9, true, 1 - true)
    return true, predicted


def _scored(rows: int) -> Any:
    draw = np.random.default_rng(7)
    score = draw.beta(1.2, 1.8, rows)
    return (draw.random(rows) < score).astype(np.int64), score


def _rows(true: Any, predicted: Any) -> ClassificationRows:
    return ClassificationRows(encode(true), encode(predicted), 1)


def _score_rows(true: Any, score: Any) -> ClassificationRows:
    labels = encode(true)
    return ClassificationRows(labels, labels, 1, score[:, np.newaxis], (1,))


def _interval(name: str, table: Any) -> None:
    found = METRICS[name].estimate(table, BINARY)
    assert found.interval is not None, name
    found.interval(0.95)


CONTESTS = {
    contest.__name__: contest
    for contest in (
        f1_interval,
        four_metrics,
        roc_auc,
        judging_two,
        judging_ten,
        fairlearn,
        mlflow,
    )
}

if __name__ == "__main__":
    print(json.dumps(CONTESTS[sys.argv[1]](int(sys.argv[2]))))

"""Where a metric is undefined it has no value, and says why in words."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_mlops.core.metrics import MetricOptions, Task
from pytest_mlops.core.rows import ClassificationRows, RegressionRows
from pytest_mlops.evidence.labels import encode
from pytest_mlops.evidence.metrics import builtin_metrics, custom_metric

METRICS = {metric.name: metric for metric in builtin_metrics()}


def measure(name, true, predicted, positive=None, **options):
    rows = ClassificationRows(encode(true), encode(predicted), positive=positive)
    metric = METRICS[name]
    options = MetricOptions(positive=positive, **options)
    return metric.estimate(metric.kind.build(rows), options)


@pytest.mark.parametrize(
    ("name", "true", "predicted", "options", "reason"),
    [
        (
            "precision",
            [1, 0, 0],
            [0, 0, 0],
            {"positive": 1},
            "class 1 is never predicted among 3 rows",
        ),
        (
            "recall",
            [0, 0],
            [0, 1],
            {"positive": 1},
            "class 1 has no row among 2 rows",
        ),
        ("f1", [0, 0], [0, 1], {"positive": 1}, "class 1 has no row among 2 rows"),
        (
            "specificity",
            [1],
            [1],
            {"positive": 1},
            "class 1 leaves no other row among 1 row",
        ),
        (
            "recall",
            [0, 0],
            [0, 0],
            {"positive": "1"},
            "the positive label '1' is neither true nor predicted in any of 2 rows; "
            "the labels there are 0",
        ),
        (
            "f1",
            ["no"],
            ["yes"],
            {"positive": 1},
            "the positive label 1 is neither true nor predicted in any of 1 row; "
            "the labels there are 'no', 'yes'",
        ),
        (
            "precision",
            ["a", "b", "c"],
            ["a", "a", "a"],
            {"average": "macro"},
            "each of the classes 'b', 'c' is never predicted among 3 rows",
        ),
        (
            "recall",
            ["a", "a"],
            ["a", "b"],
            {"average": "macro"},
            "class 'b' has no row among 2 rows",
        ),
        (
            "specificity",
            ["a", "a"],
            ["a", "a"],
            {"average": "micro"},
            "class 'a' leaves no other row among 2 rows",
        ),
        (
            "precision",
            [0, 1],
            [0, 1],
            {"average": "binary"},
            "average 'binary' needs a positive label",
        ),
        (
            "fbeta",
            [0, 1],
            [0, 1],
            {"positive": 1},
            "fbeta needs 'beta', such as beta = 2",
        ),
        (
            "fbeta",
            [0, 1],
            [0, 0],
            {"positive": 1, "beta": 0.0},
            "class 1 is never predicted among 2 rows",
        ),
        (
            "balanced_accuracy",
            ["a", "a"],
            ["a", "b"],
            {},
            "all 2 rows are truly of class 'a', and balanced accuracy compares classes",
        ),
        (
            "mcc",
            [0, 1],
            [0, 0],
            {},
            "all 2 rows are predicted to be of class 0, and this correlation compares "
            "classes",
        ),
        (
            "kappa",
            ["a"],
            ["a"],
            {},
            "the only row is truly of class 'a', and agreement beyond chance compares "
            "classes",
        ),
    ],
)
def test_counts_say_why(name, true, predicted, options, reason):
    found = measure(name, true, predicted, **options)

    assert found.value is None
    assert found.interval is None
    assert found.method is None
    assert found.reason == reason


@pytest.mark.parametrize("average", ["binary", "micro", "macro", "weighted"])
@pytest.mark.parametrize(
    "name",
    [m.name for m in builtin_metrics() if m.kind.name == "labels" and not m.across],
)
def test_no_rows_no_value(name, average):
    found = measure(name, [], [], positive=1, average=average, beta=2.0)

    assert found.value is None
    assert found.rows == 0
    assert found.reason == "there are no rows"


def scores(name, true, probabilities, classes, positive=None):
    metric = METRICS[name]
    rows = ClassificationRows(
        encode(true),
        encode(true),
        positive=positive,
        probabilities=np.array(probabilities, dtype=np.float64).reshape(
            len(true), len(classes)
        ),
        classes=classes,
    )
    options = MetricOptions(positive=positive)
    return metric.estimate(metric.kind.build(rows), options)


@pytest.mark.parametrize(
    ("name", "true", "reason"),
    [
        ("roc_auc", [0, 0, 0], "none of 3 rows is of class 1"),
        ("average_precision", [0, 0, 0], "none of 3 rows is of class 1"),
        (
            "roc_auc",
            [1, 1, 1],
            "every one of 3 rows is of class 1: there is nothing below it",
        ),
        ("roc_auc", [], "there are no rows"),
        ("log_loss", [], "there are no rows"),
        ("brier", [], "there are no rows"),
    ],
)
def test_scores_say_why(name, true, reason):
    found = scores(name, true, np.full(len(true), 0.5), (1,), positive=1)

    assert found.value is None
    assert found.reason == reason
    assert found.rows == len(true)


def test_precision_of_nothing_but_positives_is_one():
    assert scores("average_precision", [1, 1], [0.1, 0.9], (1,), 1).value == 1.0


def test_a_class_without_rows_leaves_no_mean_over_classes():
    found = scores("roc_auc", ["a", "b"], [[0.5, 0.5, 0]] * 2, ("a", "b", "c"))

    assert found.value is None
    assert found.reason == "none of 2 rows is of class 'c'"


def test_scores_of_another_class_serve_no_positive_label():
    metric = METRICS["roc_auc"]
    rows = ClassificationRows(
        encode([0, 1]),
        encode([0, 1]),
        positive=1,
        probabilities=np.array([[0.2], [0.8]]),
        classes=(1,),
    )

    found = metric.estimate(metric.kind.build(rows), MetricOptions(positive=2))

    assert found.value is None
    assert found.reason == "only classes 1 have scores"


def regression(name, true, predicted):
    metric = METRICS[name]
    rows = RegressionRows(np.array(true, np.float64), np.array(predicted, np.float64))
    return metric.estimate(metric.kind.build(rows), MetricOptions())


@pytest.mark.parametrize("name", ["mae", "rmse", "r2", "mape", "bias"])
def test_no_errors_no_value(name):
    found = regression(name, [], [])

    assert found.value is None
    assert found.reason == "there are no rows"


@pytest.mark.parametrize("true", [[0.1], [0.1] * 10, [7e8] * 3])
def test_a_constant_target_has_nothing_to_explain(true):
    found = regression("r2", true, np.arange(len(true)))

    assert found.value is None
    assert found.reason.startswith(f"the target is {true[0]:g} in all of")


@pytest.mark.parametrize("task", list(Task))
def test_a_function_is_not_asked_about_no_rows(task):
    metric = custom_metric("no_such_module:function", task)
    empty = np.empty(0)
    rows = (
        RegressionRows(empty, empty)
        if task is Task.REGRESSION
        else ClassificationRows(encode([]), encode([]))
    )

    found = metric.estimate(
        metric.kind.finish(metric.kind.build(rows)), MetricOptions()
    )

    assert found.value is None
    assert found.reason == "there are no rows"

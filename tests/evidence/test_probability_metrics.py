"""Log loss, Brier score and rankings agree with scikit-learn; bad input is named."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from pytest_mlops.core.metrics import MetricOptions
from pytest_mlops.core.rows import ClassificationRows
from pytest_mlops.errors import DataError
from pytest_mlops.evidence.labels import encode
from pytest_mlops.evidence.metrics import builtin_metrics
from pytest_mlops.evidence.tables import LOSSES, SCORES

METRICS = {metric.name: metric for metric in builtin_metrics()}


def judged(true, probabilities, classes, positive=None, weights=None):
    return ClassificationRows(
        encode(true),
        encode(true),
        positive=positive,
        probabilities=np.asarray(probabilities, dtype=np.float64),
        classes=tuple(classes),
        weights=weights,
    )


def measure(name, rows):
    metric = METRICS[name]
    options = MetricOptions(positive=rows.positive)
    return metric.estimate(metric.kind.build(rows), options)


def sample(classes, weighted, seed=0, size=400):
    """True labels, probabilities that lean to them, with ties and extremes."""
    random = np.random.default_rng(seed)
    true = random.integers(0, classes, size)
    raw = random.random((size, classes)) ** 3
    raw[np.arange(size), true] += random.random(size)
    found = np.round(raw / raw.sum(axis=1, keepdims=True), 2)
    found[:, -1] = np.maximum(1 - found[:, :-1].sum(axis=1), 0)
    found[:5] = np.eye(classes)[true[:5] - 1]
    weights = random.gamma(2.0, size=size) if weighted else None
    return true, found, weights


@pytest.mark.parametrize("weighted", [False, True])
def test_binary_metrics_from_the_probability_of_the_positive(weighted):
    true, found, weights = sample(2, weighted)
    positive = found[:, 1]
    rows = judged(true, positive[:, np.newaxis], (1,), 1, weights)

    expected = {
        "roc_auc": sk.roc_auc_score,
        "average_precision": sk.average_precision_score,
        "log_loss": sk.log_loss,
        "brier": sk.brier_score_loss,
    }
    for name, score in expected.items():
        value = measure(name, rows).value
        assert value == pytest.approx(
            score(true, positive, sample_weight=weights), abs=1e-12
        )


@pytest.mark.parametrize("positive", [0, 1])
def test_binary_metrics_from_both_columns(positive):
    true, _, _ = sample(2, False)
    # Far in the tails 1 - p has lost the digits that the other column has.
    tiny = np.random.default_rng(3).random(len(true)) * 1e-9
    found = np.column_stack([tiny, 1 - tiny])

    value = measure("log_loss", judged(true, found, (0, 1), positive)).value

    assert value == pytest.approx(sk.log_loss(true, found), rel=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
def test_metrics_of_several_classes(weighted):
    true, found, weights = sample(3, weighted, seed=1)
    rows = judged(true, found, (0, 1, 2), None, weights)
    truth = np.eye(3)[true]

    def average(values):
        return np.average(values, weights=weights)

    def each(score):
        return np.mean(
            [score(truth[:, i], found[:, i], sample_weight=weights) for i in range(3)]
        )

    expected = {
        "roc_auc": each(sk.roc_auc_score),
        "average_precision": each(sk.average_precision_score),
        "log_loss": sk.log_loss(true, found, sample_weight=weights),
        # scikit-learn has this one since 1.7 only.
        "brier": average(((found - truth) ** 2).sum(axis=1)),
    }
    for name, value in expected.items():
        assert measure(name, rows).value == pytest.approx(value, abs=1e-12)
    assert expected["roc_auc"] == pytest.approx(
        sk.roc_auc_score(true, found, multi_class="ovr", sample_weight=weights),
        abs=1e-12,
    )


def test_the_brier_score_of_two_classes_is_halved():
    true, found, _ = sample(2, False)

    value = measure("brier", judged(true, found, (0, 1))).value

    assert value == pytest.approx(sk.brier_score_loss(true, found[:, 1]), abs=1e-12)


def test_columns_may_come_in_any_order():
    true, found, _ = sample(3, False)
    names = np.array(["c", "a", "b"])
    rows = judged(names[true], found, ("c", "a", "b"))

    assert list(SCORES.build(rows).classes) == ["a", "b", "c"]
    assert measure("log_loss", rows).value == pytest.approx(
        sk.log_loss(true, found), abs=1e-12
    )


@given(
    st.lists(
        st.tuples(
            st.booleans(),
            st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]) | st.floats(-5, 5),
            st.floats(0.1, 9.0),
        ),
        min_size=2,
        max_size=20,
    ).filter(lambda rows: len({row[0] for row in rows}) == 2)
)
def test_rankings_agree_on_any_scores(rows):
    true, scores, weights = (np.array(column) for column in zip(*rows))
    ready = judged(true, scores[:, np.newaxis], (1,), 1, weights)

    area, precision = measure("roc_auc", ready), measure("average_precision", ready)

    # scikit-learn drops collinear points by an exact comparison of rounded sums.
    assert area.value == pytest.approx(
        sk.roc_auc_score(true, scores, sample_weight=weights), abs=1e-12
    )
    assert precision.value == pytest.approx(
        sk.average_precision_score(true, scores, sample_weight=weights), abs=1e-12
    )
    assert area.error_bound == precision.error_bound == 0.0


@pytest.mark.parametrize("kind", [SCORES, LOSSES])
@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            ClassificationRows(encode([1]), encode([1])),
            "no probabilities in these predictions",
        ),
        (
            judged([0, 1], [[0.5, 0.5]], (0, 1)),
            r"shape \(2, 2\) \(rows, classes\), got \(1, 2\)",
        ),
        (
            judged([0, 1], [[0.5, 0.5], [np.nan, 1]], (0, 1)),
            "not a finite number in row 2 of the batch",
        ),
        (
            judged(["a", "x"], [[0.5, 0.5]] * 2, ("a", "b")),
            "the true label 'x' in row 2 of the batch is none of the model's classes, "
            "which are 'a', 'b'",
        ),
        (
            judged([0, 2], [[0.5, 0.5]] * 2, (0, 1), positive=2),
            "no probability for the positive label 2; the model's classes are 0, 1",
        ),
    ],
)
def test_unusable_probabilities_are_refused(kind, rows, message):
    with pytest.raises(DataError, match=message):
        kind.build(rows)


@pytest.mark.parametrize(
    ("probabilities", "message"),
    [
        (
            [[0.5, 0.5], [1.5, -0.5], [2, -1]],
            "outside of 0 to 1 in row 2 .*and in 1 mo",
        ),
        ([[0.5, 0.5], [0.5, 0.5], [0.5, 0.4]], "not 1 in sum in row 3 of the batch"),
    ],
)
def test_losses_need_probabilities_and_rankings_do_not(probabilities, message):
    rows = judged([0, 1, 0], probabilities, (0, 1))

    with pytest.raises(DataError, match=message):
        LOSSES.build(rows)
    assert 0 <= measure("roc_auc", rows).value <= 1


def test_probabilities_in_float32_are_probabilities():
    found = np.full((4, 3), 1 / 3, dtype=np.float32)

    assert measure("log_loss", judged([0, 1, 2, 0], found, (0, 1, 2))).value > 1


def test_scores_of_other_classes_do_not_add_up():
    first = SCORES.build(judged([0, 1], [[0.5, 0.5]] * 2, (0, 1)))
    second = SCORES.build(judged([0, 1], [[0.5]] * 2, (1,), 1))

    with pytest.raises(ValueError, match=r"classes \[0, 1\] and \[1\]"):
        first.merge(second)


def test_losses_are_merged_and_stored():
    true, found, weights = sample(3, True)
    halves = [slice(0, 150), slice(150, None)]
    parts = [
        LOSSES.build(judged(true[h], found[h], (0, 1, 2), None, weights[h]))
        for h in halves
    ]

    merged = parts[0].merge(parts[1])
    again = LOSSES.from_json(json.loads(json.dumps(merged.to_json())))

    whole = LOSSES.build(judged(true, found, (0, 1, 2), None, weights))
    assert again.to_json() == merged.to_json()
    for name in ("log_loss", "brier"):
        assert merged.losses[name].mean("value") == pytest.approx(
            whole.losses[name].mean("value"), rel=1e-12
        )

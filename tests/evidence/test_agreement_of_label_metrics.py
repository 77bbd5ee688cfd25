"""Metrics on counts agree with scikit-learn wherever they are defined."""

from __future__ import annotations

import warnings
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from pytest_mlops.core.metrics import MetricOptions
from pytest_mlops.core.rows import ClassificationRows
from pytest_mlops.evidence.labels import encode
from pytest_mlops.evidence.metrics import builtin_metrics
from pytest_mlops.evidence.tables import LABELS

METRICS = {metric.name: metric for metric in builtin_metrics()}

WHOLE = {
    "accuracy": sk.accuracy_score,
    "balanced_accuracy": sk.balanced_accuracy_score,
    "mcc": sk.matthews_corrcoef,
    "kappa": sk.cohen_kappa_score,
}

AVERAGED = {
    "precision": sk.precision_score,
    "recall": sk.recall_score,
    "f1": sk.f1_score,
    "fbeta": partial(sk.fbeta_score, beta=2.0),
}


def specificity(true, predicted, average, weights):
    """By its definition, class by class."""
    labels = np.unique(np.concatenate([true, predicted]))
    weights = np.ones(len(true)) if weights is None else weights
    negatives = np.array([weights[true != label].sum() for label in labels])
    right = np.array(
        [weights[(true != label) & (predicted != label)].sum() for label in labels]
    )
    if average == "micro":
        return right.sum() / negatives.sum()
    support = weights.sum() - negatives if average == "weighted" else None
    return np.average(right / negatives, weights=support)


def measure(name, true, predicted, weights=None, **options):
    rows = ClassificationRows(encode(true), encode(predicted), weights=weights)
    return METRICS[name].estimate(LABELS.build(rows), MetricOptions(**options))


def sample(labels, seed, size=300):
    random = np.random.default_rng(seed)
    labels = np.array(labels)
    true = random.choice(labels, size)
    wrong = random.random(size) < 0.3
    return true, np.where(wrong, random.choice(labels, size), true)


def weights_of(kind, size):
    if not kind:
        return None
    return np.random.default_rng(5).gamma(2.0, size=size)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("labels", [[0, 1], [0, 1, 2, 3], ["no", "yes"]])
@pytest.mark.parametrize("name", WHOLE)
def test_metrics_of_the_whole_table(name, labels, weighted):
    true, predicted = sample(labels, seed=1)
    weights = weights_of(weighted, len(true))

    found = measure(name, true, predicted, weights)

    expected = WHOLE[name](true, predicted, sample_weight=weights)
    assert found.value == pytest.approx(expected, abs=1e-12)
    assert found.rows == len(true)
    low, high = found.interval(0.95)
    assert low < found.value < high


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("average", ["micro", "macro", "weighted"])
@pytest.mark.parametrize("labels", [[0, 1], [0, 1, 2, 3], ["a", "b", "c"]])
@pytest.mark.parametrize("name", AVERAGED)
def test_averages_over_classes(name, labels, average, weighted):
    true, predicted = sample(labels, seed=2)
    weights = weights_of(weighted, len(true))

    found = measure(name, true, predicted, weights, average=average, beta=2.0)

    expected = AVERAGED[name](true, predicted, average=average, sample_weight=weights)
    assert found.value == pytest.approx(expected, abs=1e-12)
    assert found.rows == len(true)
    low, high = found.interval(0.95)
    assert low < found.value < high


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("labels", "positive"), [([0, 1], 1), (["n", "y"], "n")])
@pytest.mark.parametrize("name", AVERAGED)
def test_binary_metrics(name, labels, positive, weighted):
    true, predicted = sample(labels, seed=3)
    weights = weights_of(weighted, len(true))

    found = measure(name, true, predicted, weights, positive=positive, beta=2.0)

    expected = AVERAGED[name](
        true, predicted, pos_label=positive, sample_weight=weights
    )
    assert found.value == pytest.approx(expected, abs=1e-12)
    low, high = found.interval(0.95)
    assert low < found.value < high


@pytest.mark.parametrize("name", AVERAGED)
def test_a_positive_label_among_several(name):
    true, predicted = sample([0, 1, 2], seed=4)

    found = measure(name, true, predicted, positive=2, beta=2.0)

    expected = AVERAGED[name](true == 2, predicted == 2)
    assert found.value == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("average", ["micro", "macro", "weighted"])
def test_specificity(average, weighted):
    true, predicted = sample([0, 1, 2], seed=6)
    weights = weights_of(weighted, len(true))

    found = measure("specificity", true, predicted, weights, average=average)
    binary = measure("specificity", true, predicted, weights, positive=1)

    expected = specificity(true, predicted, average, weights)
    assert found.value == pytest.approx(expected, abs=1e-12)
    expected = sk.recall_score(true != 1, predicted != 1, sample_weight=weights)
    assert binary.value == pytest.approx(expected, abs=1e-12)
    assert binary.rows == np.count_nonzero(true != 1)


def test_rows_are_those_of_the_denominator():
    true = np.array([1, 1, 1, 0, 0, 0, 0])
    predicted = np.array([1, 0, 0, 1, 0, 0, 0])

    rows = {
        name: measure(name, true, predicted, positive=1, beta=2.0).rows
        for name in ("accuracy", "precision", "recall", "specificity", "f1", "fbeta")
    }

    assert rows == {
        "accuracy": 7,
        "precision": 2,
        "recall": 3,
        "specificity": 4,
        "f1": 4,
        "fbeta": 4,
    }


def test_without_a_positive_label_the_average_is_macro():
    true, predicted = sample([0, 1, 2], seed=7)

    assert (
        measure("f1", true, predicted).value
        == measure("f1", true, predicted, average="macro").value
    )


labels = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.floats(0.1, 9.0)),
    min_size=1,
    max_size=12,
)


@settings(max_examples=40)
@given(labels, st.booleans())
def test_a_value_is_either_that_of_scikit_learn_or_undefined(rows, weighted):
    true, predicted = np.array([row[:2] for row in rows]).T
    weights = np.array([row[2] for row in rows]) if weighted else None
    undefined = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = {
            name: score(true, predicted, sample_weight=weights)
            for name, score in WHOLE.items()
        }
        expected.update(
            {
                (name, average): score(
                    true, predicted, average=average, sample_weight=weights
                )
                for name, score in AVERAGED.items()
                for average in ("micro", "macro", "weighted")
            }
        )
    for key, value in expected.items():
        name, average = (key, None) if isinstance(key, str) else key
        found = measure(name, true, predicted, weights, average=average, beta=2.0)
        if found.value is None:
            undefined += 1
            assert found.reason
            assert found.interval is None
        else:
            assert found.value == pytest.approx(value, abs=1e-12)
    assert undefined < len(expected)

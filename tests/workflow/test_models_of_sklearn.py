"""Real models of scikit-learn, logged to MLflow and judged: the figures are its own."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any, Callable

import numpy as np
import pytest
from sklearn import datasets, metrics
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

CLASSIFICATION = {
    "accuracy": "accuracy = '>= 0'",
    "balanced_accuracy": "balanced_accuracy = '>= 0'",
    "mcc": "mcc = '>= -1'",
    "kappa": "kappa = '>= -1'",
    "roc_auc": "roc_auc = '>= 0'",
    "average_precision": "average_precision = '>= 0'",
    "log_loss": "log_loss = '>= 0'",
    **{
        f"{name}_{average}": f"{name}_{average} = {{ metric = '{name}', "
        f"average = '{average}', rule = '>= 0' }}"
        for name in ("precision", "recall", "f1")
        for average in ("micro", "macro", "weighted")
    },
    **{
        f"f2_{average}": f"f2_{average} = {{ metric = 'fbeta', beta = 2, "
        f"average = '{average}', rule = '>= 0' }}"
        for average in ("micro", "macro", "weighted")
    },
}
REGRESSION = {
    name: f"{name} = '>= -1000000'" if name in ("r2", "bias") else f"{name} = '>= 0'"
    for name in ("mae", "rmse", "r2", "mape", "bias")
}


@dataclass
class Judged:
    """A model that was judged: what it knows, and the verdict's values by check."""

    model: Any
    features: Any
    target: Any
    values: dict


@pytest.fixture
def judged(store, stores, pytester) -> Callable[..., Judged]:
    """Trains on one half of a data set, logs, judges on the other."""

    def judge(name, data, model, gates, task):
        frame, target = data.data, data.target
        train, test, train_target, test_target = train_test_split(
            frame,
            target,
            test_size=0.5,
            random_state=0,
            stratify=stratified(task, target),
        )
        model.fit(train, train_target)
        stores.register(store, name, model, alias="candidate", frame=test)
        test.assign(truth=test_target).to_parquet(pytester.path / "data.parquet")
        (pytester.path / "gates").mkdir()
        (pytester.path / "gates" / f"{name}.toml").write_text(
            f'model = "{name}"\ntask = "{task}"\n'
            '[data]\nuri = "data.parquet"\ntarget = "truth"\n'
            "[gates]\n" + "\n".join(gates.values()) + "\n"
        )
        result = pytester.runpytest_inprocess(
            "-m",
            "gates",
            f"--model-uri=models:/{name}@candidate",
            f"--tracking-uri={store.tracking_uri}",
            "--verdict=verdict.json",
        )
        assert result.ret == 0
        verdict = json.loads((pytester.path / "verdict.json").read_text())
        assert verdict["subject"]["resolved_uri"].startswith(f"models:/{name}/")
        assert verdict["subject"]["model_digest"].startswith("sha256:")
        values = {check["name"]: check["value"] for check in verdict["checks"]}
        assert set(values) == set(gates)
        return Judged(model, test, np.asarray(test_target), values)

    return judge


def stratified(task, target):
    return target if task == "classification" else None


def agrees(judged, expected):
    for name, value in expected.items():
        assert math.isclose(judged.values[name], value, rel_tol=1e-12, abs_tol=1e-12), (
            name,
            judged.values[name],
            value,
        )


def of_classes(judged):
    """scikit-learn's own figures."""
    true, predicted = judged.target, judged.model.predict(judged.features)
    scores = judged.model.predict_proba(judged.features)
    one_hot = true[:, None] == judged.model.classes_[None, :]
    expected = {
        "accuracy": metrics.accuracy_score(true, predicted),
        "balanced_accuracy": metrics.balanced_accuracy_score(true, predicted),
        "mcc": metrics.matthews_corrcoef(true, predicted),
        "kappa": metrics.cohen_kappa_score(true, predicted),
        "roc_auc": metrics.roc_auc_score(true, scores, multi_class="ovr"),
        "average_precision": metrics.average_precision_score(one_hot, scores),
        "log_loss": metrics.log_loss(true, scores),
    }
    for average in ("micro", "macro", "weighted"):
        more = {"average": average}
        expected[f"precision_{average}"] = metrics.precision_score(
            true, predicted, **more
        )
        expected[f"recall_{average}"] = metrics.recall_score(true, predicted, **more)
        expected[f"f1_{average}"] = metrics.f1_score(true, predicted, **more)
        expected[f"f2_{average}"] = metrics.fbeta_score(true, predicted, beta=2, **more)
    return expected


def classifier():
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))


@pytest.mark.parametrize("name", ["digits", "wine"])
def test_many_classes_agree_with_scikit_learn(judged, name):
    data = getattr(datasets, f"load_{name}")(as_frame=True)
    found = judged(name, data, classifier(), CLASSIFICATION, "classification")
    expected = of_classes(found)
    assert set(expected) == set(CLASSIFICATION)
    agrees(found, expected)


def test_a_regression_agrees_with_scikit_learn(judged):
    data = datasets.load_diabetes(as_frame=True)
    found = judged("diabetes", data, Ridge(), REGRESSION, "regression")
    true, predicted = found.target, found.model.predict(found.features)
    agrees(
        found,
        {
            "mae": metrics.mean_absolute_error(true, predicted),
            "rmse": math.sqrt(metrics.mean_squared_error(true, predicted)),
            "r2": metrics.r2_score(true, predicted),
            "mape": metrics.mean_absolute_percentage_error(true, predicted),
            "bias": float(np.mean(predicted - true)),
        },
    )

"""Intervals, slices, pairs and resampled functions: the same verdict on any worker."""

from __future__ import annotations

import pytest

pytest.importorskip("xdist")

GATES = """\
model = "m"
task = "classification"
decide = "confident"
baseline = "models_of_own:baseline"

[data]
uri = "data.csv"
target = "label"
positive = 1
group = "customer"

[gates]
accuracy = ">= 0.70"
f1 = ">= 0.85"
roc_auc = ">= 0.60"
log_loss = "<= 1"
cost = { metric = "costs_of_own:cost", rule = "<= 1" }
by_region = { metric = "recall", rule = ">= 0.80", by = ["region"] }
seniors = { metric = "brier", rule = "<= 0.2", where = "age >= 65 or age is null" }
not_worse = { metric = "accuracy", rule = ">= baseline - 0.05" }
cheaper = { metric = "costs_of_own:cost", rule = "<= baseline" }
gap = { metric = "equalized_odds_difference", rule = "<= 0.3", by = ["region"] }
"""

MODELS = """\
import numpy as np

class Model:
    classes_ = [0, 1]
    def __init__(self, bias):
        self.bias = bias
    def predict_proba(self, frame):
        found = np.clip(frame["hint"].to_numpy() + self.bias, 0.01, 0.99)
        return np.stack([1 - found, found], axis=1)
    def predict(self, frame):
        return (self.predict_proba(frame)[:, 1] >= 0.5).astype(int)

candidate, baseline = Model(0.0), Model(0.12)
"""

COSTS = """\
def cost(y_true, y_pred):
    return (3 * (y_true > y_pred) + (y_true < y_pred)).mean()
"""


def data():
    """600 rows of 60 customers; every seventh has no age."""
    lines = ["customer,region,age,hint,label"]
    for n in range(600):
        hint = (n * 7919 % 997) / 997
        label = int((hint + (n * 104729 % 499) / 499) / 2 > 0.5)
        age = "" if n % 7 == 0 else str(20 + n % 60)
        lines.append(f"c{n % 60},{'nsew'[n % 4]},{age},{hint:.4f},{label}")
    return "\n".join(lines) + "\n"


def comparable(verdict):
    left = {k: v for k, v in verdict.items() if k not in ("created", "timings")}
    left["checks"] = sorted(left["checks"], key=lambda c: (c["name"], str(c["slice"])))
    return left


def test_four_workers_come_to_the_verdict_of_one(repository):
    repository.gates(GATES)
    repository.write("data.csv", data())
    repository.write("models_of_own.py", MODELS)
    repository.write("costs_of_own.py", COSTS)

    def judge(*arguments):
        repository.run_apart(
            *("-m", "gates", "--model-uri=models_of_own:candidate"),
            *("--no-evidence-cache", "--verdict=verdict.json", *arguments),
        )
        return repository.verdict()

    alone = judge()
    together = judge("-n", "4")
    assert {check["outcome"] for check in alone["checks"]} >= {"pass", "inconclusive"}
    assert len(alone["checks"]) == 13
    assert all(c["interval"] is not None for c in alone["checks"])
    assert comparable(together) == comparable(alone)

"""From typing the command to the verdict, beside the same by hand.

usage: python benchmarks/command.py [ROUNDS]

By hand is a script that imports mlflow, loads the model, predicts and prints
scikit-learn's metrics. Both judge the demo's model and are measured in pairs; other
pytest plugins are switched off.
"""

from __future__ import annotations

import sys
import sysconfig
import tempfile
from pathlib import Path

from children import (
    PYTEST,
    expect,
    interleaved,
    other_plugins_off,
    rounds_from,
    run,
    spread,
    table,
)

BUDGET = 1.3
URI = "models:/classifier_model@candidate"
BY_HAND = f"""
import mlflow
import pandas
from sklearn.metrics import (
    accuracy_score, f1_score, fbeta_score, precision_score, recall_score, roc_auc_score
)

mlflow.set_tracking_uri("sqlite:///mlflow.db")
data = pandas.read_parquet("data/validation.parquet")
true = data.pop("label")
model = mlflow.pyfunc.load_model("{URI}")
predicted = model.predict(data)
print("accuracy", accuracy_score(true, predicted))
print("f1", f1_score(true, predicted))
print("f2", fbeta_score(true, predicted, beta=2))
print("precision", precision_score(true, predicted))
print("recall", recall_score(true, predicted))
print("specificity", recall_score(true, predicted, pos_label=0))
scores = model.get_raw_model().predict_proba(data)[:, 1]
print("roc_auc", roc_auc_score(true, scores))
"""


def main() -> None:
    """Measure and print."""
    rounds = rounds_from(sys.argv, 9)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "demo"
        scripts = sysconfig.get_path("scripts")
        demo = [str(Path(scripts) / "pytest-mlops"), "demo", str(folder)]
        expect(run(demo, Path(name)), 0)
        (folder / "by_hand.py").write_text(BY_HAND)
        command = [*PYTEST, *other_plugins_off(), "-m", "gates", "--model-uri", URI]
        command.append("--verdict=v.json")
        costs = interleaved(
            {
                "hand": lambda: expect(run([sys.executable, "by_hand.py"], folder), 0),
                "pytest": lambda: expect(run(command, folder), 0),
            },
            rounds,
        )
    pairs = list(zip(costs["pytest"], costs["hand"]))
    wall = [judged.wall / by_hand.wall for judged, by_hand in pairs]
    cpu = [judged.cpu / by_hand.cpu for judged, by_hand in pairs]
    print(f"{rounds} rounds, Python {sys.version.split()[0]}\n")
    rows = [
        ["by hand, s", *spread([cost.wall for cost in costs["hand"]], 2)],
        ["pytest -m gates, s", *spread([cost.wall for cost in costs["pytest"]], 2)],
        ["ratio of wall time", *spread(wall, 2)],
        ["ratio of CPU time", *spread(cpu, 2)],
    ]
    print(table(["", "median", "from", "to (95 %)"], rows))
    kept = float(spread(wall, 2)[0]) <= BUDGET
    print(f"\nbudget {BUDGET} x: {'kept' if kept else 'EXCEEDED'}")


if __name__ == "__main__":
    main()

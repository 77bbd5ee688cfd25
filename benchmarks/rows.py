"""Judging a long CSV with ready predictions, beside pandas and scikit-learn.

usage: python benchmarks/rows.py [ROWS]          2 million rows by default
"""

from __future__ import annotations

import multiprocessing
import sys
import tempfile
from pathlib import Path

from children import PYTEST, expect, run, table

BUDGET_MB = 500.0
BLOCK = 100_000
GATES = """
model = "scored"
task = "classification"

[data]
uri = "scored.csv"
target = "label"
positive = 1
prediction = "predicted"
score = "probability"

[gates]
accuracy = ">= 0.5"
f1 = ">= 0.5"
precision = ">= 0.5"
recall = ">= 0.5"
roc_auc = ">= 0.5"
log_loss = "<= 1"
"""
BY_HAND = """
import pandas
from sklearn.metrics import (
    accuracy_score, f1_score, log_loss, precision_score, recall_score, roc_auc_score
)

data = pandas.read_csv("scored.csv")
true, predicted, score = data.label, data.predicted, data.probability
for metric in (accuracy_score, f1_score, precision_score, recall_score):
    print(metric.__name__, metric(true, predicted))
print("roc_auc", roc_auc_score(true, score))
print("log_loss", log_loss(true, score))
"""


def write_csv(path: Path, rows: int) -> None:
    """A scored data set: three features, label, prediction and probability.

    Runs in a process of its own: a child's peak memory counts what its parent had
    when it was started, and numpy is a lot.
    """
    import numpy as np

    draw = np.random.default_rng(7)
    with path.open("w") as file:
        file.write("age,amount,visits,label,predicted,probability\n")
        for start in range(0, rows, BLOCK):
            size = min(BLOCK, rows - start)
            score = draw.beta(1.2, 1.8, size)
            columns = (
                draw.integers(18, 90, size),
                draw.lognormal(4, 1, size).round(2),
                draw.poisson(3, size),
                (draw.random(size) < score).astype(int),
                (score >= 0.5).astype(int),
                score.round(6),
            )
            for row in zip(*(column.tolist() for column in columns)):
                file.write(",".join(map(str, row)) + "\n")


def main() -> None:
    """Measure and print."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        spawn = multiprocessing.get_context("spawn")
        writer = spawn.Process(target=write_csv, args=(folder / "scored.csv", rows))
        writer.start()
        writer.join()
        size = (folder / "scored.csv").stat().st_size / 1e6
        (folder / "pytest.ini").write_text("[pytest]\n")
        (folder / "gates").mkdir()
        (folder / "gates" / "scored.toml").write_text(GATES)
        (folder / "by_hand.py").write_text(BY_HAND)
        bare = expect(run([sys.executable, "-c", "pass"], folder), 0)
        hand = expect(run([sys.executable, "by_hand.py"], folder), 0)
        judged = expect(run([*PYTEST, "-m", "gates"], folder), 0)
    print(f"{rows:,} rows, {size:.0f} MB of CSV, Python {sys.version.split()[0]}\n")
    costs = {
        "the bare interpreter": bare,
        "pandas.read_csv + scikit-learn": hand,
        "pytest -m gates": judged,
    }
    cells = [
        [
            label,
            f"{cost.wall:.1f}",
            f"{cost.cpu:.1f}",
            f"{cost.peak:.0f}",
            f"{cost.peak - bare.peak:.0f}",
        ]
        for label, cost in costs.items()
    ]
    head = ["", "wall s", "CPU s", "peak MB", "above bare MB"]
    print(table(head, cells))
    kept = judged.peak - bare.peak <= BUDGET_MB
    print(f"\nbudget {BUDGET_MB:.0f} MB: {'kept' if kept else 'EXCEEDED'}")


if __name__ == "__main__":
    main()

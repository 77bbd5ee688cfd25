"""A small repository with a gates file and ready predictions, to run pytest in."""

from __future__ import annotations

import json

import pytest

#: 40 rows: 20 labelled 1, of which 18 are found; 20 labelled 0, of which 3 are not.
TRUE = [1] * 20 + [0] * 20
PREDICTED = [1] * 18 + [0] * 2 + [1] * 3 + [0] * 17

GATES = """\
model = "m"
task = "classification"

[data]
uri = "data.csv"
target = "label"
positive = 1
prediction = "predicted"

[gates]
accuracy = ">= 0.80"
precision = ">= 0.80"
recall = ">= 0.80"
"""


class Repository:
    """Writes files and runs pytest on them."""

    def __init__(self, pytester):
        self.pytester = pytester
        self.path = pytester.path

    def write(self, name, text):
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def gates(self, text=GATES, name="m"):
        return self.write(f"gates/{name}.toml", text)

    def data(self, true=TRUE, predicted=PREDICTED, name="data.csv"):
        lines = [f"{t},{p}" for t, p in zip(true, predicted)]
        return self.write(name, "\n".join(["label,predicted", *lines]) + "\n")

    def run(self, *arguments):
        return self.pytester.runpytest_inprocess(*arguments)

    def run_apart(self, *arguments):
        return self.pytester.runpytest_subprocess(*arguments)

    def judge(self, *arguments):
        """Run the gates; gives the result and the verdict, if one was written."""
        result = self.run("-m", "gates", "--verdict=verdict.json", *arguments)
        return result, self.verdict()

    def verdict(self):
        path = self.path / "verdict.json"
        return json.loads(path.read_text()) if path.exists() else None


@pytest.fixture
def repository(pytester, monkeypatch):
    """An empty repository."""
    for name in ("MLOPS_ENV", "MLOPS_MODEL_URI", "GITHUB_OUTPUT"):
        monkeypatch.delenv(name, raising=False)
    for name in ("GITHUB_STEP_SUMMARY", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    return Repository(pytester)


@pytest.fixture
def judged(repository):
    """A repository whose predictions pass its gates."""
    repository.gates()
    repository.data()
    return repository

"""The same rows in every format that is read give the same verdict."""

from __future__ import annotations

import gzip
import json
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.json  # noqa: F401
import pyarrow.parquet
import pytest

ROWS = 300
GATES = """\
model = "m"
task = "classification"

[data]
uri = "data.csv"
target = "label"
positive = "yes"
prediction = "predicted"
score = "probability"
weight = "exposure"

[gates]
accuracy = ">= 0.6"
f1 = ">= 0.6"
recall = ">= 0.99"
roc_auc = ">= 0.7"
log_loss = "<= 0.7"
"""
MODULE = """\
import pandas

DATA = pandas.read_csv({path!r})

def frame():
    return DATA

def parts():
    for start in range(0, len(DATA), 70):
        yield DATA[start:start + 70]

def columns():
    for start in range(0, len(DATA), 70):
        yield {{name: DATA[name][start:start + 70].tolist() for name in DATA}}
"""


def rows():
    draw = np.random.default_rng(3)
    label = draw.integers(0, 2, ROWS)
    probability = np.clip(0.3 + 0.4 * label + draw.normal(0, 0.25, ROWS), 0.01, 0.99)
    words = np.array(["no", "yes"])
    return pd.DataFrame(
        {
            "id": np.arange(ROWS),
            "label": words[label],
            "predicted": words[(probability > 0.5).astype(int)],
            "probability": probability,
            "exposure": draw.integers(1, 5, ROWS) / 4,
        }
    )


def csv(frame, path):
    path.write_text(frame.to_csv(index=False))


def csv_gz(frame, path):
    path.write_bytes(gzip.compress(frame.to_csv(index=False).encode()))


def json_lines(frame):
    """With all digits, which pandas would not write."""
    return "".join(f"{json.dumps(row)}\n" for row in frame.to_dict("records"))


def jsonl(frame, path):
    path.write_text(json_lines(frame))


def jsonl_gz(frame, path):
    path.write_bytes(gzip.compress(json_lines(frame).encode()))


def parquet(frame, path):
    pa.parquet.write_table(pa.Table.from_pandas(frame, preserve_index=False), path)


def feather(frame, path):
    pa.feather.write_feather(pa.Table.from_pandas(frame, preserve_index=False), path)


def folder(frame, path):
    path.mkdir()
    for number, start in enumerate(range(0, ROWS, 110)):
        parquet(frame[start : start + 110], path / f"part-{number}.parquet")


FILES = {
    "rows.csv.gz": csv_gz,
    "rows.parquet": parquet,
    "rows.feather": feather,
    "rows.jsonl": jsonl,
    "rows.jsonl.gz": jsonl_gz,
    "rows": folder,
}


@pytest.fixture
def by_format(repository):
    """The verdict on the rows, by the URI of the data; ``data.csv`` is there."""
    repository.gates(GATES)
    csv(rows(), repository.path / "data.csv")

    def judged(uri):
        result, verdict = repository.judge(f"--data={uri}")
        assert result.ret == 1, "one gate of them fails"
        [evidence] = verdict["evidence"]
        assert (evidence["data"]["uri"], evidence["data"]["rows"]) == (uri, ROWS)
        return {**verdict, "tables": evidence["tables"]}

    return judged


def same(found, expected):
    """The same checks in the same order; sums of parts may differ in the last digit."""
    assert _figures(found) == pytest.approx(_figures(expected), rel=1e-12)
    assert [_words(check) for check in found["checks"]] == [
        _words(check) for check in expected["checks"]
    ]
    assert found["tables"]["labels"] == expected["tables"]["labels"]
    for part in ("outcome", "action", "exit_code", "policy"):
        assert found[part] == expected[part]


def _figures(verdict):
    checks = verdict["checks"]
    return [x for check in checks for x in (check["value"], *(check["interval"] or ()))]


def _words(check):
    return {k: v for k, v in check.items() if k not in ("value", "interval")}


def test_the_checks_are_what_they_should_be(by_format):
    outcomes = {c["name"]: c["outcome"] for c in by_format("data.csv")["checks"]}
    assert outcomes == {
        "accuracy": "pass",
        "f1": "pass",
        "recall": "fail",
        "roc_auc": "pass",
        "log_loss": "pass",
    }


@pytest.mark.parametrize("name", FILES)
def test_a_file_gives_the_same_verdict(by_format, repository, name):
    FILES[name](rows(), repository.path / name)
    same(by_format(name), by_format("data.csv"))


@pytest.mark.parametrize("name", ["frame", "parts", "columns"])
def test_a_function_gives_the_same_verdict(by_format, repository, name):
    module = f"rows_of_a_{name}"
    text = MODULE.format(path=str(repository.path / "data.csv"))
    repository.write(f"{module}.py", text)
    try:
        found = by_format(f"{module}:{name}")
    finally:
        sys.modules.pop(module, None)
    same(found, by_format("data.csv"))

"""However many rows are judged, memory stays what it is for a few."""

from __future__ import annotations

import subprocess
import sys

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

pytest.importorskip("resource")

#: Rows are written in blocks of this size.
BLOCK = 100_000
FEW = 3
#: What more rows may cost. Where the rows themselves were kept, 5.7 million of them
#: would cost twice that as bare numbers, and 1.2 million more as Python objects.
LIMIT = 100e6

GATES = """\
model = "m"
task = "classification"

[data]
uri = "data.csv"
target = "label"
positive = 1
prediction = "predicted"
score = "probability"

[gates]
accuracy = ">= 0.5"
recall = ">= 0.5"
roc_auc = ">= 0.1"
log_loss = "<= 9"
"""

# Linux counts what a process had before it became another program: so whoever starts
# the measured one must be small itself, which the process of these tests is not.
LAUNCHER = """\
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
print("peak", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""


def table():
    rows = range(BLOCK)
    return pa.table(
        {
            "label": [n % 2 for n in rows],
            "predicted": [(n % 2) ^ (n % 7 == 0) for n in rows],
            "probability": [n * 7919 % 9973 / 10000 for n in rows],
        }
    )


def write_csv(path, blocks):
    rows = table()
    with pa.csv.CSVWriter(path, rows.schema) as writer:
        for _ in range(blocks):
            writer.write_table(rows)


def write_parquet(path, blocks):
    rows = table()
    with pa.parquet.ParquetWriter(path, rows.schema) as writer:
        for _ in range(blocks):
            writer.write_table(rows)


@pytest.mark.parametrize(
    ("name", "write", "many"),
    # A CSV is read ahead, up to 128 MB of text, so there more rows would tell less.
    [("data.csv", write_csv, 15), ("data.parquet", write_parquet, 60)],
)
def test_more_rows_take_no_more_memory(repository, name, write, many):
    repository.gates(GATES)
    repository.write("pytest.ini", "[pytest]\n")

    def peak(blocks):
        write(repository.path / name, blocks)
        command = [sys.executable, "-m", "pytest", "-m", "gates", f"--data={name}"]
        result = subprocess.run(
            [sys.executable, "-c", LAUNCHER, *command, "--verdict=verdict.json"],
            cwd=repository.path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        assert result.returncode == 0, result.stdout
        [evidence] = repository.verdict()["evidence"]
        assert evidence["data"]["rows"] == blocks * BLOCK
        unit = 1 if sys.platform == "darwin" else 1024
        return int(result.stdout.rpartition("peak ")[2]) * unit

    assert peak(many) - peak(FEW) < LIMIT

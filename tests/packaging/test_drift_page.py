"""docs/drift.md: its example works, and it names every metric."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pytest_mlops.evidence.drift.metrics import drift_metrics

PAGE = (Path(__file__).parents[2] / "docs" / "drift.md").read_text(encoding="utf-8")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The page's gates file, with data as it needs them."""
    (example,) = re.findall(r"```toml\n# gates/m.toml\n(.*?)```", PAGE, re.S)
    (tmp_path / "gates").mkdir()
    (tmp_path / "gates" / "m.toml").write_text(example)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    draw = np.random.default_rng(1)
    for name in ("train.csv", "current.csv"):
        rows = np.column_stack(
            [draw.normal(40, 10, 3000).round(1), draw.lognormal(10, 1, 3000).round()]
        )
        lines = [f"{age},{income}" for age, income in rows]
        (tmp_path / name).write_text("\n".join(["age,income", *lines]) + "\n")
    return tmp_path


@pytest.mark.parametrize("environment", ["", "--env=production"])
def test_the_example_works(repository: Path, environment: str) -> None:
    command = [sys.executable, "-m", "pytest", "-m", "drift"]
    command += ["--reference=train.csv", "--verdict=verdict.json", "-q"]
    command += [environment] if environment else []
    run = subprocess.run(command, cwd=repository, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    verdict = json.loads((repository / "verdict.json").read_text())
    assert verdict["action"] == "keep"
    assert len(verdict["checks"]) == 6


def test_every_metric_is_explained() -> None:
    part = PAGE.partition("## The metrics")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \|", part, re.M)
    assert rows == [metric.name for metric in drift_metrics()]


def test_the_formulas_are_those_of_the_code() -> None:
    for metric in drift_metrics():
        if metric.name in ("psi", "jensen_shannon", "total_variation"):
            formula = metric.formula.replace(" over cells", "").replace("|", "\\|")
            assert f"| `{metric.name}` | {formula}" in PAGE

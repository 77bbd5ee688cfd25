"""docs/metrics.md against the code: every metric, every flag, every example."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Dict, List

import pytest

from pytest_mlops.core.metrics import Better, Metric, Task
from pytest_mlops.evidence.metrics import builtin_metrics, custom_metric
from pytest_mlops.evidence.metrics.estimates import (
    FEW_DISCORDANT_FLAG,
    FEW_GROUPS_FLAG,
    LOW_SUPPORT,
    TOO_MANY_LABELS,
)
from pytest_mlops.evidence.metrics.functions import METHOD, UNWEIGHTED
from pytest_mlops.evidence.metrics.ranking import BINNED
from pytest_mlops.evidence.metrics.tails import HEAVY_TAILS
from pytest_mlops.settings.gates_file import read_gates_file

PAGE = (Path(__file__).parents[2] / "docs/metrics.md").read_text(encoding="utf-8")
PARTS = {part.splitlines()[0]: part for part in re.split("^## ", PAGE, flags=re.M)}
BETTER = {Better.HIGHER: "more", Better.LOWER: "less", Better.NEITHER: "neither"}


def row(metric: Metric) -> str:
    """A metric's row in the table of its task."""
    cells = (
        f"`{metric.name}`",
        metric.title,
        metric.formula,
        BETTER[metric.better],
        metric.interval_method,
        ", ".join(f"`{name}`" for name in sorted(metric.options)),
        metric.source,
    )
    # Markdown takes a bar for the end of a cell.
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def rows_of(title: str) -> List[str]:
    return [line for line in PARTS[title].splitlines() if line.startswith("| `")]


@pytest.mark.parametrize("task", Task)
def test_the_table_of_a_task_is_that_of_the_code(task: Task) -> None:
    expected = [row(metric) for metric in builtin_metrics() if metric.task is task]
    assert rows_of(task.value.capitalize()) == expected


def test_every_average_is_explained() -> None:
    averages = {name for metric in builtin_metrics() for name in metric.averages}
    found = set(re.findall(r'^\| `"(\w+)"` \|', PARTS["Averages"], re.M))
    assert found == averages


def test_every_flag_is_explained() -> None:
    found = {line.split("`")[1] for line in rows_of("Intervals")}
    assert found == {
        LOW_SUPPORT,
        FEW_GROUPS_FLAG,
        FEW_DISCORDANT_FLAG,
        HEAVY_TAILS,
        BINNED,
        UNWEIGHTED,
        TOO_MANY_LABELS,
    }


def test_metrics_without_an_interval_are_named() -> None:
    part = PARTS["Without an interval"]
    for metric in builtin_metrics():
        named = f"`{metric.name}`" in part
        assert named == (metric.interval_method == "none"), metric.name


def test_every_interval_has_a_word_of_its_own() -> None:
    named = set(re.findall(r"`(\w+)`", PARTS["Intervals"].split("| flag")[0]))
    source = Path(sys.modules[builtin_metrics.__module__].__file__ or "").parent
    written = "".join(path.read_text("utf-8") for path in source.glob("*.py"))
    methods = {"wilson", "wilson_jaccard", "wilson_mean", "dirichlet"}
    methods |= {"delong_logit", "delong_paired", "debiased"}
    methods |= {"influence_logit", "influence_paired"}
    methods |= {"moments", "mover", METHOD}
    methods |= set(re.findall(r'"((?:delta|paired)_\w+)"', written))
    assert named - {"confidence", "_clustered"} == methods


@pytest.fixture
def files() -> Dict[str, str]:
    """The page's files by name: their blocks begin with a comment that names them."""
    return dict(re.findall(r"```(?:toml|python)\n# (\S+)\n(.*?)```", PAGE, re.S))


def test_a_function_of_ones_own_is_judged(
    files: Dict[str, str], tmp_path: Path, scripts: Path
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "scored.csv").write_text("label,predicted\n0,0\n1,0\n1,1\n0,1\n1,1\n")
    result = subprocess.run(
        [str(scripts / "pytest"), "-m", "gates"],
        cwd=tmp_path,
        env={**os.environ, "COLUMNS": "100"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    assert re.search(r"our_cost .* 1\.2 .* PASS", result.stdout), result.stdout
    assert result.returncode == 0


def test_the_environment_of_the_last_example_can_be_read(tmp_path: Path) -> None:
    [section] = re.findall(r"```toml\n(\[env.*?)```", PAGE, re.S)
    path = tmp_path / "m.toml"
    path.write_text(
        'model = "m"\ntask = "classification"\n[data]\nuri = "u"\ntarget = "t"\n'
        'positive = 1\n[gates]\nacme_score = { metric = "recall", rule = ">= 0" }\n'
        'f1 = ">= 0.8"\n'
        'not_worse = { metric = "f1", rule = ">= baseline" }\n' + section
    )
    file = read_gates_file(
        path,
        root=tmp_path,
        environment="production",
        metrics={metric.name: metric for metric in builtin_metrics()},
        custom_metric=custom_metric,
        today=date.today(),
    )
    assert {gate.name: gate.on_inconclusive.value for gate in file.gates} == {
        "f1": "hold",
        "not_worse": "warn",
    }

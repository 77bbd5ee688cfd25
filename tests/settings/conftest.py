"""A gates file in a folder, read with a handful of metrics."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any, Callable, Dict

import pytest

from pytest_mlops.core.metrics import Better, Estimate, Metric, TableKind, Task
from pytest_mlops.errors import ConfigurationError
from pytest_mlops.settings.gates_file import read_gates_file
from pytest_mlops.settings.values import GatesFile

INFINITY = float("inf")
AVERAGES = ("binary", "micro", "macro", "weighted")

Read = Callable[..., GatesFile]
Refused = Callable[..., str]


def make_metric(
    name: str, task: Task = Task.CLASSIFICATION, **properties: Any
) -> Metric:
    """A metric of which only the description matters."""

    def build(rows: Any) -> Any:
        return rows

    def estimate(table: Any, options: Any) -> Estimate:
        return Estimate(None, 0, "nothing is measured here")

    kind = TableKind(f"table of {name}", task, build, build)
    description: Dict[str, Any] = {
        "title": name,
        "formula": "",
        "source": "",
        "better": Better.HIGHER,
        "limits": (0.0, 1.0),
        **properties,
    }
    return Metric(name=name, kind=kind, estimate=estimate, **description)


@pytest.fixture
def metrics() -> Dict[str, Metric]:
    averaged: Dict[str, Any] = {"options": frozenset({"average"}), "averages": AVERAGES}
    lower: Dict[str, Any] = {"better": Better.LOWER, "limits": (0.0, INFINITY)}
    every = [
        make_metric("accuracy"),
        make_metric("f1", **averaged),
        make_metric("precision", **averaged),
        make_metric("recall", **averaged),
        make_metric("fbeta", options=frozenset({"average", "beta"}), averages=AVERAGES),
        make_metric(
            "specificity", options=frozenset({"average"}), averages=("binary",)
        ),
        make_metric("mcc", limits=(-1.0, 1.0)),
        make_metric("log_loss", **lower),
        make_metric("mae", Task.REGRESSION, **lower),
        make_metric("r2", Task.REGRESSION, limits=(-INFINITY, 1.0)),
        make_metric(
            "bias",
            Task.REGRESSION,
            better=Better.NEITHER,
            limits=(-INFINITY, INFINITY),
        ),
    ]
    return {metric.name: metric for metric in every}


def custom_metric(name: str, task: Task) -> Metric:
    """``acme:…`` exists and nothing else does."""
    if name.startswith("acme:"):
        return make_metric(name, task, better=Better.NEITHER, limits=(-1e9, 1e9))
    raise ConfigurationError.one(f"cannot import '{name}'", source="metrics")


@pytest.fixture
def read(tmp_path: Path, metrics: Dict[str, Metric]) -> Read:
    """Write ``gates/m.toml`` and read it."""

    def write_and_read(text: str, **arguments: Any) -> GatesFile:
        path = tmp_path / "gates" / "m.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        given: Dict[str, Any] = {
            "root": tmp_path,
            "environment": None,
            "metrics": metrics,
            "custom_metric": custom_metric,
            "today": date(2026, 11, 23),
            **arguments,
        }
        return read_gates_file(path, **given)

    return write_and_read


@pytest.fixture
def refused(read: Read) -> Refused:
    """What the error says of a file that must not be accepted."""

    def message(text: str, **arguments: Any) -> str:
        with pytest.raises(ConfigurationError) as caught:
            read(text, **arguments)
        return str(caught.value)

    return message

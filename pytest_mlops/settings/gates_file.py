"""Read a gates file: what a model must be, resolved for one environment."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Callable, Collection, Dict, Iterable, Mapping, Optional, Set

from pytest_mlops.core.checks import Policy
from pytest_mlops.core.metrics import Metric, Task
from pytest_mlops.core.suggestions import unknown
from pytest_mlops.settings.drift_file import DriftReader, read_drift
from pytest_mlops.settings.gates_keys import (
    BASELINE,
    DATA,
    DATA_KEYS,
    DRIFT,
    ENVIRONMENTS,
    FILE_KEYS,
    GATES,
    GROUP,
    MODEL,
    ON_MISSING_BASELINE,
    POSITIVE,
    PREDICTION,
    REFERENCE,
    SCORE,
    TARGET,
    TASK,
    URI,
    WAIVERS,
    WEIGHT,
    Keys,
    Table,
    read_policy,
)
from pytest_mlops.settings.one_gate import GateReader
from pytest_mlops.settings.overrides import (
    Resolution,
    read_base,
    read_environments,
)
from pytest_mlops.settings.reader import Problems, Section, read_toml, shown_path
from pytest_mlops.settings.values import DataSettings, GatesFile
from pytest_mlops.settings.waivers import read_waivers


def read_gates_file(
    path: Path,
    *,
    root: Path,
    environment: Optional[str],
    metrics: Mapping[str, Metric],
    custom_metric: Callable[[str, Task], Metric],
    today: date,
    declared_environments: Optional[Collection[str]] = None,
    drift_metrics: Optional[Mapping[str, Metric]] = None,
) -> GatesFile:
    """Read a gates file and resolve it for an environment.

    Every environment's section is read, so that a mistake in one shows at once.

    Args:
        path: the file.
        root: where paths in messages start.
        environment: whose section is laid over the base; None, or one without a
            section, leaves the base.
        metrics: what gates may name.
        custom_metric: finds the metric that ``module:function`` names; it raises
            ConfigurationError.
        today: waivers that expire before are mistakes.
        declared_environments: those of the project; None or empty where it
            declares none, and then the file's own sections declare them.
        drift_metrics: what rules of ``[drift]`` may name.

    Raises:
        ConfigurationError: with all problems of the file.
    """
    document = read_toml(path, shown_path(path, root))
    problems = Problems(document.source)
    top = Section(document.table, FILE_KEYS, problems)
    data = _read_data(top, problems)
    reader = GateReader(top.given(TASK), data.positive, metrics, custom_metric)
    _check_declared(top.get(ENVIRONMENTS), declared_environments, problems)
    resolutions = _read_gates(top, reader, problems)
    drift = _read_drift(top, resolutions, drift_metrics or {}, problems)
    every = (*resolutions.values(), *drift.values())
    waivers = read_waivers(top.get(WAIVERS), _columns_of(every), today, problems)
    problems.raise_all()
    section = environment if environment in resolutions else None
    chosen, drifting = resolutions[section], drift[section]
    return GatesFile(
        path=path,
        name=path.stem,
        digest=document.digest,
        model=top.get(MODEL),
        task=top.get(TASK),
        data=data,
        gates=chosen.gates,
        policy=chosen.policy,
        baseline=top.get(BASELINE),
        on_missing_baseline=top.get(ON_MISSING_BASELINE),
        waivers=waivers,
        environment=environment,
        section=section is not None,
        removed=(*chosen.removed, *drifting.removed),
        # What is said of the policy is said of both.
        warnings=tuple(dict.fromkeys((*chosen.warnings, *drifting.warnings))),
        drift=drifting.gates,
    )


def _read_gates(
    top: Section, reader: GateReader, problems: Problems
) -> Dict[Optional[str], Resolution]:
    """The gates by environment; those of the base under None."""
    base = read_base(top.get(GATES), read_policy(top, Policy()), reader, problems)
    found: Dict[Optional[str], Resolution] = {None: base}
    found.update(read_environments(top.get(ENVIRONMENTS), base, reader, problems))
    return found


def _read_drift(
    top: Section,
    gates: Mapping[Optional[str], Resolution],
    metrics: Mapping[str, Metric],
    problems: Problems,
) -> Mapping[Optional[str], Resolution]:
    """The rules about drift by environment; those of the base under None."""
    reader = DriftReader(metrics)
    return read_drift(top.get(DRIFT), top.get(ENVIRONMENTS), gates, reader, problems)


def _columns_of(every: Iterable[Resolution]) -> Dict[str, Set[str]]:
    """By which columns each gate is cut, in one environment or another."""
    found: Dict[str, Set[str]] = {}
    for resolution in every:
        for name in resolution.names:
            found.setdefault(name, set())
        for gate in resolution.gates:
            found[gate.name].update(() if gate.metric.across else gate.selection.by)
    return found


def _read_data(top: Section, problems: Problems) -> DataSettings:
    section = Section(top.get(DATA), DATA_KEYS, problems, "data")
    data = DataSettings(
        uri=section.get(URI),
        target=section.get(TARGET),
        positive=section.get(POSITIVE),
        weight=section.get(WEIGHT),
        group=section.get(GROUP),
        prediction=section.get(PREDICTION),
        score=section.get(SCORE),
        reference=section.get(REFERENCE),
    )
    if data.score and not data.prediction:
        section.problem("'score' needs 'prediction' beside it")
    if top.given(TASK) is Task.REGRESSION:
        for name, value in (("positive", data.positive), ("score", data.score)):
            if value is not None:
                section.problem(f"'{name}' has no meaning when the task is regression")
    elif data.score and data.positive is None:
        section.problem("'score' needs 'positive': the label that it is about")
    _check_columns(data, section)
    return data


def _check_columns(data: DataSettings, section: Section) -> None:
    # A prediction read from the column of the truth would pass every gate.
    used: Dict[str, str] = {}
    columns: Keys = (TARGET, WEIGHT, GROUP, PREDICTION, SCORE)
    for key in columns:
        column = section.given(key)
        if column is None:
            continue
        if column in used:
            section.problem(f"'{used[column]}' and '{key.name}' name the same column")
        used.setdefault(column, key.name)


def _check_declared(
    sections: Table, declared: Optional[Collection[str]], problems: Problems
) -> None:
    for name in sections:
        if declared and name not in declared:
            where = f"environments.{name}"
            problems.add(where, unknown("environment", name, declared))

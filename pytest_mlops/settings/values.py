"""The configuration as values: what a gates file and a project say, resolved."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Mapping, Optional, Tuple

from pytest_mlops.core.checks import Policy, Waiver
from pytest_mlops.core.metrics import Metric, MetricOptions, Task
from pytest_mlops.core.outcomes import OnInconclusive, OnMissingBaseline
from pytest_mlops.core.rows import Label
from pytest_mlops.core.rules import Rule
from pytest_mlops.core.selection import Selection


@dataclass(frozen=True)
class DataSettings:
    """``[data]``: which rows, and what their columns mean.

    Attributes:
        uri: a path, or ``package.module:function``.
        target: the column of the truth.
        positive: the label that binary metrics are about; None for multi-class.
        weight: a column of positive row weights, or None.
        group: a column whose equal values mark rows that belong together, or None.
        prediction: a column of ready predictions; the model is not run then.
        score: a column of the positive label's probability beside ``prediction``.
        reference: the data, or a profile of them, that drift is measured from; None
            is the profile that is stored with the model.
    """

    uri: str
    target: str
    positive: Optional[Label] = None
    weight: Optional[str] = None
    group: Optional[str] = None
    prediction: Optional[str] = None
    score: Optional[str] = None
    reference: Optional[str] = None


@dataclass(frozen=True)
class Gate:
    """One entry of ``[gates]``: a metric, a rule, and how it is decided.

    Attributes:
        name: its key.
        metric: what is measured.
        options: the metric's options, the positive label of ``[data]`` included.
        rule: what the value must keep.
        margin: the gate's own indifference zone, or the policy's.
        on_inconclusive: the gate's own, or the policy's; over slices, a warning.
        on_nothing: what it does when no slice could be judged at all.
        selection: the rows that it is about, and how they are cut into slices.
        min_rows: a slice with fewer rows in the metric's denominator decides nothing.
    """

    name: str
    metric: Metric
    options: MetricOptions
    rule: Rule
    margin: float
    on_inconclusive: OnInconclusive
    on_nothing: OnInconclusive = OnInconclusive.HOLD
    selection: Selection = Selection()
    min_rows: int = 0


@dataclass(frozen=True)
class GatesFile:
    """One ``gates/<name>.toml``, resolved for one environment.

    Attributes:
        path: where it is.
        name: its stem; what ``--gates`` takes.
        digest: ``sha256:…`` of the file's bytes.
        model: the registered model that it judges.
        environment: the environment that it was resolved for, or None.
        section: whether the file has a section for that environment.
        removed: gates of the base that the environment takes away.
        warnings: what is odd but allowed, a line each: a rule that points the wrong
            way, an environment that is looser than the base.
        drift: the rules about drift, as gates by column: their selection says which.
    """

    path: Path
    name: str
    digest: str
    model: str
    task: Task
    data: DataSettings
    gates: Tuple[Gate, ...]
    policy: Policy
    baseline: Optional[str] = None
    on_missing_baseline: OnMissingBaseline = OnMissingBaseline.FAIL
    waivers: Tuple[Waiver, ...] = ()
    environment: Optional[str] = None
    section: bool = False
    removed: Tuple[str, ...] = ()
    warnings: Tuple[str, ...] = ()
    drift: Tuple[Gate, ...] = ()

    @property
    def remarks(self) -> Tuple[str, ...]:
        """What a reader of the verdict should know about the rules, a line each."""
        place = f"environment '{self.environment}'"
        gone = (f"{place} takes away the gate '{name}'" for name in self.removed)
        return (*self.warnings, *gone)


@dataclass(frozen=True)
class Environment:
    """``[tool.pytest_mlops.environments.<name>]``."""

    name: str
    default: bool = False


@dataclass(frozen=True)
class Project:
    """``[tool.pytest_mlops]``: where things run.

    Attributes:
        source: the file that it comes from, or None where there is none.
        tracking_uri: the model registry; None is the library's own default.
        registry_timeout: seconds that looking a model up may take in all.
        evidence_cache_mb: how much evidence is kept at most; 0 keeps none.
        environments: by name, in the order of the file.
    """

    source: Optional[Path] = None
    tracking_uri: Optional[str] = None
    registry_timeout: float = 15.0
    evidence_cache_mb: float = 512.0
    environments: Mapping[str, Environment] = field(default_factory=dict)


@dataclass(frozen=True)
class Setting:
    """A resolved option: its value and where that comes from.

    Attributes:
        name: as in ``show config``: ``"model_uri"``.
        value: None where nobody gave one.
        origin: ``"command line"``, ``"MLOPS_MODEL_URI"``, a file, or ``"default"``.
    """

    name: str
    value: Optional[str]
    origin: str


@dataclass(frozen=True)
class Options:
    """What was typed or set in the environment, resolved by precedence.

    Attributes:
        model_uri: the candidate.
        baseline_uri: overrides ``baseline`` of the gates file.
        gates: the stem of the gates file that is meant.
        environment: the environment to judge for.
        data: overrides ``[data] uri``.
        reference: overrides ``[data] reference``.
        verdict: where the verdict goes.
        config_file: stands in for ``[tool.pytest_mlops]`` of pyproject.toml.
        tracking_uri: overrides the project's.
        no_evidence_cache: whether evidence is neither taken from the cache nor kept.
        settings: every option with its origin, for ``show config``.
    """

    model_uri: Optional[str] = None
    baseline_uri: Optional[str] = None
    gates: Optional[str] = None
    environment: Optional[str] = None
    data: Optional[str] = None
    reference: Optional[str] = None
    verdict: Optional[Path] = None
    config_file: Optional[Path] = None
    tracking_uri: Optional[str] = None
    no_evidence_cache: bool = False
    settings: Tuple[Setting, ...] = ()

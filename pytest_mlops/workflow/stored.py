"""The evidence of a verdict, read back so that it can be asked again."""

from __future__ import annotations

from typing import Any, Callable, Dict, FrozenSet, List, Mapping, Optional, Tuple

from pytest_mlops.core.checks import Check
from pytest_mlops.core.metrics import Metric, MetricOptions, TableKind
from pytest_mlops.core.selection import SliceKey
from pytest_mlops.core.verdicts import Verdict
from pytest_mlops.errors import VerdictError
from pytest_mlops.evidence.drift.metrics import drift_metrics
from pytest_mlops.evidence.record import Evidence
from pytest_mlops.evidence.tables import PROFILE
from pytest_mlops.evidence.tables.features import FeatureTable
from pytest_mlops.gates.decide import Figures
from pytest_mlops.gates.drift import KIND as DRIFT
from pytest_mlops.gates.drift import Profiles
from pytest_mlops.gates.estimates import figures_of


class Stored:
    """The evidence of a verdict, ready to be asked.

    Args:
        verdict: whose evidence.
        side: reads the tables that are too large for the verdict.
        metrics: what can be measured.

    Raises:
        VerdictError: a table is damaged or missing.
    """

    def __init__(
        self,
        verdict: Verdict,
        side: Callable[[str], bytes],
        metrics: Mapping[str, Metric],
    ) -> None:
        kinds: Dict[str, TableKind] = {m.kind.name: m.kind for m in metrics.values()}
        self.metrics = metrics
        self._drift_metrics = {metric.name: metric for metric in drift_metrics()}
        self._raw = verdict.evidence
        self.evidence = [
            Evidence.from_json(data, kinds, side) for data in verdict.evidence
        ]

    @property
    def is_all_known(self) -> bool:
        """Whether every table is of a kind that is known here and recomputable."""
        return all(
            evidence.recomputable and set(raw["tables"]) == set(evidence.tables)
            for raw, evidence in zip(self._raw, self.evidence)
        )

    def figures(
        self, metric: Metric, options: MetricOptions, selection: str
    ) -> Optional[List[Tuple[SliceKey, Figures]]]:
        """A metric by slice, from the stored tables; None where there are none."""
        for evidence in self.evidence:
            cuts = evidence.kept(metric.kind, selection)
            if metric.kind.recomputable and cuts is not None:
                return figures_of(metric, cuts, options)
        return None

    def metric(self, check: Check) -> Optional[Metric]:
        """The metric of a check; None where it is not known here."""
        known = self._drift_metrics if check.kind == DRIFT else self.metrics
        return known.get(str(check.metric))

    def profiles(self) -> Optional[Profiles]:
        """What drift was measured between; None where it was not."""
        for evidence in self.evidence:
            for kept in (evidence.kept(PROFILE) or {}).values():
                reference, current = kept.baseline, kept.candidate
                if isinstance(reference, FeatureTable) and isinstance(
                    current, FeatureTable
                ):
                    unmeasured = evidence.data.get("unmeasured", {})
                    return Profiles(reference, current, unmeasured)
        return None

    @property
    def suites(self) -> FrozenSet[str]:
        """Which suites left evidence: ``"gates"``, ``"drift"``."""
        return frozenset(
            DRIFT if evidence.kept(PROFILE) else "gates" for evidence in self.evidence
        )

    @property
    def question(self) -> Mapping[str, Any]:
        """What the evidence is about: task, target and positive label.

        Raises:
            VerdictError: the verdict holds no evidence.
        """
        if not self.evidence:
            raise VerdictError("the verdict holds no evidence to judge again")
        return self.evidence[0].question

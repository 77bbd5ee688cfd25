"""Judge one model by one gates file: load, measure once, hold against the rules."""

from __future__ import annotations

import platform
from dataclasses import dataclass, replace
from time import perf_counter
from typing import (
    AbstractSet,
    Dict,
    FrozenSet,
    Iterable,
    List,
    Mapping,
    Optional,
    Sequence,
    Tuple,
)

from pytest_mlops import __version__
from pytest_mlops.core.checks import Check, with_waiver
from pytest_mlops.core.metrics import (
    Estimate,
    Metric,
    MetricOptions,
    TableKind,
)
from pytest_mlops.core.outcomes import Outcome
from pytest_mlops.core.selection import Selection, SliceKey
from pytest_mlops.core.sources import DataSource, Deferred, Model, Site, Subject
from pytest_mlops.errors import InstrumentError, ModelNotFoundError
from pytest_mlops.evidence.names import BASELINE, CANDIDATE, PAIRED, TableName
from pytest_mlops.evidence.record import Cuts
from pytest_mlops.gates.asking import Ask, Contest, wanted_tables
from pytest_mlops.gates.decide import Figures
from pytest_mlops.gates.estimates import figures_of
from pytest_mlops.gates.judge import (
    gate_check,
    judge_gate,
    missing_baseline,
    same_model,
)
from pytest_mlops.gates.measure import Measurement, measure
from pytest_mlops.integrations.objects import project_path
from pytest_mlops.reporting.sentences import check_message
from pytest_mlops.settings.values import Gate, GatesFile
from pytest_mlops.workflow.cache.evidence import EvidenceCache, Question
from pytest_mlops.workflow.cache.measuring import measured_once, with_candidates
from pytest_mlops.workflow.extensions import Extensions
from pytest_mlops.workflow.spool import Measured, Spool


@dataclass(frozen=True)
class Assignment:
    """What is to be judged, by what.

    Attributes:
        gates_file: the rules and the data.
        model_uri: the candidate; None for ready predictions.
        baseline_uri: what rules with ``baseline`` compare with, if anything.
        site: where all this is.
        reference: what drift is measured from: data, or a profile; None is the one
            that is stored with the model.
        suites: which of the file's suites are judged: ``"gates"``, ``"drift"``.
        evidence_cache_mb: how much evidence is kept for later runs at most; 0 keeps
            none.
    """

    gates_file: GatesFile
    model_uri: Optional[str]
    baseline_uri: Optional[str]
    site: Site
    reference: Optional[str] = None
    suites: FrozenSet[str] = frozenset({"gates"})
    evidence_cache_mb: float = 0.0


class ModelJudge:
    """Judges one model; runs it when the first figure is asked for.

    A model or a data set that breaks is remembered, not tried again for each gate.
    """

    def __init__(
        self, assignment: Assignment, extensions: Extensions, spool: Spool
    ) -> None:
        self.assignment = assignment
        self._extensions = extensions
        self._spool = spool
        self._cache = EvidenceCache(assignment.site.root, assignment.evidence_cache_mb)
        self._asks: Dict[Tuple[str, str], Ask] = {}
        self._baseline_wanted = False
        self._contest: Optional[Contest] = None
        self._baseline_missing: Optional[str] = None
        self._measurement: Optional[Measurement] = None
        self._broken: Optional[InstrumentError] = None
        self._timings: Dict[str, float] = {}
        self.evidence_key: Optional[str] = None

    def expect(
        self,
        names: AbstractSet[str],
        metrics: Iterable[Metric],
        selections: Iterable[Selection] = (),
    ) -> None:
        """Say beforehand what will be asked, so that one pass over the data serves.

        Args:
            names: the gates of the file that will be judged.
            metrics: what else may be asked for.
            selections: of which rows that may be.
        """
        gates = [g for g in self.assignment.gates_file.gates if g.name in names]
        for gate in gates:
            self._ask(Ask(gate.metric.kind, gate.selection))
        for metric in metrics:
            self._ask(Ask(metric.kind))
            for selection in selections:
                self._ask(Ask(metric.kind, selection, needed=False))
        self._baseline_wanted = any(gate.rule.needs_baseline for gate in gates)

    def measure(self) -> None:
        """Load the model and run it over the data, unless that is done.

        Raises:
            InstrumentError: the model, its registry or the data does not work.
        """
        self._measured()

    def estimate(
        self,
        metric: Metric,
        options: MetricOptions,
        selection: Selection = Selection(),
    ) -> Estimate:
        """One metric of the candidate, on all rows that a condition keeps.

        Raises:
            InstrumentError: as ``measure``; or the model has no probabilities; or the
                metric itself broke.
        """
        found = self._figures(metric, options, selection)
        if not found:
            return Estimate(None, 0, "no row keeps the condition")
        return found[0][1].candidate

    def judge(self, gate: Gate, node_id: str) -> Tuple[Check, ...]:
        """Judge one gate, a check a slice; raises InstrumentError as ``estimate``."""
        self.measure()
        uncompared = self._uncompared(gate, node_id)
        if uncompared is not None:
            return (self._finished(uncompared),)
        if gate.rule.needs_baseline:
            self._refuse_unavailable(gate.metric.kind, gate.selection, (BASELINE,))
        figures = self._figures(gate.metric, gate.options, gate.selection)
        started = perf_counter()
        policy = self.assignment.gates_file.policy
        checks = judge_gate(gate, figures, policy, node_id=node_id)
        self._count("judge_s", perf_counter() - started)
        return tuple(self._finished(check) for check in checks)

    def broken(self, gate: Gate, node_id: str, error: InstrumentError) -> Check:
        """The check of a gate whose instrument broke."""
        check = gate_check(gate, node_id, Outcome.ERROR, "instrument", str(error))
        return self._finished(check)

    def _finished(self, check: Check) -> Check:
        check = with_waiver(check, self.assignment.gates_file.waivers)
        return replace(check, message=check_message(check))

    def _uncompared(self, gate: Gate, node_id: str) -> Optional[Check]:
        """The check of a rule whose baseline is no other model; None if it is one."""
        if not gate.rule.needs_baseline:
            return None
        if self._baseline_missing is not None:
            on_missing = self.assignment.gates_file.on_missing_baseline
            return missing_baseline(gate, node_id, on_missing, self._baseline_missing)
        return same_model(gate, node_id) if self._same_model() else None

    def _same_model(self) -> bool:
        contest = self._contest
        if contest is None or contest.candidate is None or contest.baseline is None:
            return False
        one, other = contest.candidate.subject, contest.baseline.subject
        if one.model_digest is not None or other.model_digest is not None:
            return one.model_digest == other.model_digest
        named = [subject.resolved_uri or subject.model_uri for subject in (one, other)]
        return named[0] == named[1]

    def _figures(
        self, metric: Metric, options: MetricOptions, selection: Selection
    ) -> List[Tuple[SliceKey, Figures]]:
        cuts = self._cuts(metric.kind, selection)
        # A metric of one's own is a function of the project's.
        with project_path(self.assignment.site.root):
            return figures_of(metric, cuts, options)

    def _cuts(self, kind: TableKind, selection: Selection) -> Cuts:
        self._refuse_unavailable(kind, selection, (CANDIDATE, PAIRED))
        return self._measured().evidence.kept(kind, selection.key) or {}

    def _refuse_unavailable(
        self, kind: TableKind, selection: Selection, tables: Sequence[str]
    ) -> None:
        self._ask(Ask(kind, selection))
        unavailable = self._measured().unavailable
        for whose in tables:
            reason = unavailable.get(str(TableName(kind.name, whose, selection.key)))
            if reason is not None:
                of = "of the baseline: " if whose == BASELINE else ""
                raise InstrumentError(of + reason)

    def _ask(self, ask: Ask) -> None:
        """Note what to measure; what a test asks for late costs one more pass."""
        name = (ask.kind.name, ask.selection.key)
        known = self._asks.get(name)
        if known is None or (ask.needed and not known.needed):
            self._asks[name] = ask
            kept = self._measurement and self._measurement.evidence.kept(
                ask.kind, ask.selection.key
            )
            if kept is None:
                self._measurement = None

    def _measured(self) -> Measurement:
        """The measurement; taken now, if that is not done."""
        if self._broken is not None:
            raise self._broken
        if self._measurement is None:
            try:
                self._measurement = self._measure()
            except InstrumentError as error:
                self._broken = error
                raise
        return self._measurement

    def _measure(self) -> Measurement:
        file, site = self.assignment.gates_file, self.assignment.site
        source = self._extensions.open_data(file.data.uri, site)
        contest = self._contest = self._contest or self._find()
        question = Question.of(source, file.data, file.task, _models(contest))

        def run(missing: Mapping[str, Ask]) -> Measurement:
            return self._run(source, contest, missing.values())

        wanted = wanted_tables(contest, self._asks.values())
        kinds = {ask.kind.name: ask.kind for ask in self._asks.values()}
        measurement = measured_once(self._cache, question, wanted, kinds, run)
        self._publish(contest, measurement)
        return measurement

    def _run(
        self, source: DataSource, contest: Contest, asks: Iterable[Ask]
    ) -> Measurement:
        """One pass over the data."""
        # Before a model is loaded, which may take minutes.
        source.columns()
        self._load(contest)
        file = self.assignment.gates_file
        # Metrics and tables of one's own are functions of the project's.
        with project_path(self.assignment.site.root):
            measured = measure(
                source, file.data, file.task, contest, dict.fromkeys(asks)
            )
        self._count("predict_s", measured.seconds)
        return measured

    def _find(self) -> Contest:
        """The models, which may not be loaded yet."""
        started = perf_counter()
        assignment, load = self.assignment, self._extensions.load_model
        candidate: Optional[Model] = None
        baseline: Optional[Model] = None
        if assignment.model_uri is not None:
            candidate = load(assignment.model_uri, assignment.site)
        if self._baseline_wanted and assignment.baseline_uri is not None:
            try:
                baseline = load(assignment.baseline_uri, assignment.site)
            except ModelNotFoundError as error:
                self._baseline_missing = str(error)
        self._count("load_model_s", perf_counter() - started)
        return Contest(candidate, baseline)

    def _load(self, contest: Contest) -> None:
        started = perf_counter()
        for model in _models(contest):
            if isinstance(model, Deferred):
                model.load()
        self._count("load_model_s", perf_counter() - started)

    def _publish(self, contest: Contest, measurement: Measurement) -> None:
        models = [model for model in _models(contest) if model is not None]
        candidate = _subject(contest.candidate)
        evidence, worn = with_candidates(self._cache, measurement.evidence, candidate)
        if self._cache.seconds:
            self._timings["cache_s"] = self._cache.seconds
        self.evidence_key = self._spool.put(
            Measured(
                evidence=evidence.to_json(self._spool.side),
                subject=candidate,
                baseline=_subject(contest.baseline),
                versions=versions_of(models),
                remarks=[*measurement.remarks, *worn, *self._cache.remarks],
            )
        )

    def _count(self, name: str, seconds: float) -> None:
        self._timings[name] = self._timings.get(name, 0.0) + seconds

    @property
    def timings(self) -> Mapping[str, float]:
        """Seconds by step, so far."""
        return dict(self._timings)


def _models(contest: Contest) -> Sequence[Optional[Model]]:
    return (contest.candidate, contest.baseline)


def _subject(model: Optional[Model]) -> Optional[Subject]:
    return None if model is None else model.subject


def versions_of(models: Sequence[Model]) -> Dict[str, str]:
    """The libraries that a run hangs on, by name."""
    found: List[Tuple[str, str]] = [
        ("pytest_mlops", __version__),
        ("python", platform.python_version()),
    ]
    for model in models:
        found += model.versions.items()
    return dict(found)

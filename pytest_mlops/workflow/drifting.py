"""Judge drift by one gates file: profile both sides once, hold them against rules."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter
from typing import Any, Dict, List, Mapping, Optional, Tuple

from pytest_mlops.core.checks import Check, with_waiver
from pytest_mlops.core.outcomes import Outcome
from pytest_mlops.core.redaction import redact
from pytest_mlops.core.sources import Model
from pytest_mlops.errors import DataError, InstrumentError
from pytest_mlops.evidence.names import BASELINE, CANDIDATE, TableName
from pytest_mlops.evidence.record import Evidence
from pytest_mlops.evidence.tables import PROFILE
from pytest_mlops.gates.drift import Profiles, as_drift, judge_drift, unjudged
from pytest_mlops.gates.judge import gate_check
from pytest_mlops.gates.measure import model_name
from pytest_mlops.gates.profiling import Profile, profile
from pytest_mlops.integrations.objects import project_path
from pytest_mlops.reporting.sentences import check_message
from pytest_mlops.settings.values import Gate
from pytest_mlops.workflow.extensions import Extensions
from pytest_mlops.workflow.judging import Assignment, versions_of
from pytest_mlops.workflow.profiles import is_profile, parse_profile, read_profile
from pytest_mlops.workflow.spool import Measured, Spool


class DriftJudge:
    """Judges drift; profiles the data when the first figure is asked for.

    What breaks is remembered, not tried again for each rule.
    """

    def __init__(
        self, assignment: Assignment, extensions: Extensions, spool: Spool
    ) -> None:
        self.assignment = assignment
        self._extensions = extensions
        self._spool = spool
        self._profiles: Optional[Profiles] = None
        self._broken: Optional[InstrumentError] = None
        self._timings: Dict[str, float] = {}
        self.evidence_key: Optional[str] = None

    def measure(self) -> None:
        """Profile the reference and the current data, unless that is done.

        Raises:
            InstrumentError: the model, its registry or the data does not work.
        """
        self._measured()

    def judge(self, gate: Gate, node_id: str) -> Tuple[Check, ...]:
        """Judge one rule, a check a column; raises InstrumentError as ``measure``."""
        policy = self.assignment.gates_file.policy
        checks = judge_drift(gate, self._measured(), policy, node_id=node_id)
        return tuple(self._finished(check) for check in checks)

    def broken(self, gate: Gate, node_id: str, error: InstrumentError) -> Check:
        """The check of a rule whose instrument broke."""
        check = gate_check(gate, node_id, Outcome.ERROR, "instrument", str(error))
        return self._finished(as_drift(check))

    @property
    def timings(self) -> Mapping[str, float]:
        """Seconds by step, so far."""
        return dict(self._timings)

    def _finished(self, check: Check) -> Check:
        check = with_waiver(check, self.assignment.gates_file.waivers)
        return replace(check, message=check_message(check))

    def _measured(self) -> Profiles:
        """Both profiles; taken now, if that is not done."""
        if self._broken is not None:
            raise self._broken
        if self._profiles is None:
            started = perf_counter()
            try:
                with project_path(self.assignment.site.root):
                    self._profiles = self._measure()
            except InstrumentError as error:
                self._broken = error
                raise
            self._timings["profile_s"] = perf_counter() - started
        return self._profiles

    def _measure(self) -> Profiles:
        assignment = self.assignment
        file, site = assignment.gates_file, assignment.site
        source = self._extensions.open_data(file.data.uri, site)
        source.columns()  # before a model is loaded, which may take minutes
        model: Optional[Model] = None
        if assignment.model_uri is not None:
            model = self._extensions.load_model(assignment.model_uri, site)
        reference = self._reference(model)
        current = profile(source, file.data, file.task, model)
        found = _comparable(reference, current)
        self._publish(found, (reference, current), model)
        return found

    def _reference(self, model: Optional[Model]) -> Profile:
        assignment = self.assignment
        file, site, uri = assignment.gates_file, assignment.site, assignment.reference
        if uri is None:
            stored: Optional[str] = getattr(model, "profile", None)
            if stored is None:
                raise DataError(
                    f"the model {assignment.model_uri} has no profile stored with it: "
                    "name a reference with --reference=URI, or store a profile "
                    "('pytest-mlops profile')"
                )
            found = parse_profile(stored, f"the profile of {assignment.model_uri}")
        elif is_profile(uri):
            found = read_profile(uri, site.root)
        else:
            source = self._extensions.open_data(uri, site)
            return profile(source, file.data, file.task, model)
        data = file.data
        known = found.table.without(data.target, data.weight, data.group)
        return replace(found, table=known)

    def _publish(
        self,
        profiles: Profiles,
        measured: Tuple[Profile, Profile],
        model: Optional[Model],
    ) -> None:
        reference, current = measured
        subject = None if model is None else model.subject
        evidence = Evidence.of(
            data={**_told(current), "unmeasured": dict(profiles.unmeasured)},
            models=[model_name(subject), None],
            question=self._question(reference),
            tables={
                str(TableName(PROFILE.name, CANDIDATE)): profiles.current,
                str(TableName(PROFILE.name, BASELINE)): profiles.reference,
            },
        )
        self.evidence_key = self._spool.put(
            Measured(
                evidence=evidence.to_json(self._spool.side),
                subject=subject,
                versions=versions_of([] if model is None else [model]),
                remarks=_remarks(profiles, measured),
            )
        )

    def _question(self, reference: Profile) -> Dict[str, Any]:
        file = self.assignment.gates_file
        data = file.data
        return {
            "task": file.task.value,
            "target": data.target,
            "positive": data.positive,
            "weight": data.weight,
            "group": data.group,
            "reference": _told(reference),
        }


def _comparable(reference: Profile, current: Profile) -> Profiles:
    """Both tables; answers that nobody was asked for now are left out of both."""
    measured = (*current.table.columns, *current.unmeasured)
    unasked = set(reference.answers).difference(measured)
    return Profiles(
        reference.table.without(*unasked), current.table, current.unmeasured
    )


def _remarks(profiles: Profiles, measured: Tuple[Profile, Profile]) -> Tuple[str, ...]:
    reference, current = measured
    remarks: List[str] = []
    extra = unjudged(profiles)
    if extra:
        remarks.append(
            f"drift: not in the reference, so not judged: {', '.join(extra)}"
        )
    gone = set(reference.table.columns) - set(profiles.reference.columns)
    if gone:
        names = ", ".join(sorted(gone))
        remarks.append(f"drift: no model was run, so not judged: {names}")
    for name, reason in reference.unmeasured.items():
        remarks.append(redact(f"drift: the reference has no {name}: {reason}"))
    return tuple(remarks)


def _told(found: Profile) -> Dict[str, Any]:
    return {**found.data, "uri": redact(str(found.data["uri"]))}

"""Measure what is not known yet, and count what the data has judged."""

from __future__ import annotations

from dataclasses import replace
from typing import Callable, Mapping, Optional, Tuple

from pytest_mlops.core.metrics import TableKind
from pytest_mlops.core.sources import Subject
from pytest_mlops.evidence.record import Evidence
from pytest_mlops.gates.asking import Ask
from pytest_mlops.gates.measure import Measurement
from pytest_mlops.workflow.cache.candidates import wear_remark
from pytest_mlops.workflow.cache.evidence import EvidenceCache, Kept, Question, joined


def measured_once(
    cache: EvidenceCache,
    question: Question,
    wanted: Mapping[str, Ask],
    kinds: Mapping[str, TableKind],
    run: Callable[[Mapping[str, Ask]], Measurement],
) -> Measurement:
    """What is kept from earlier runs, and one pass over the data for the rest.

    Args:
        cache: where evidence is kept.
        question: what the evidence is about.
        wanted: what asks for each table, by the table's name.
        kinds: of tables that are not built in, by name.
        run: measures a part of *wanted*; not called where all of it is kept.
    """
    kept = cache.load(question, kinds)
    missing = {
        name: ask for name, ask in wanted.items() if _is_missing(name, ask, kept)
    }
    if kept is not None and not missing:
        evidence = joined(kept.evidence, kept.evidence, list(wanted))
        return Measurement(evidence, remarks=kept.remarks)
    measured = run(missing)
    if measured.evidence.data["fingerprint"] != question.fingerprint:
        # The data changed meanwhile: what is kept is not about these rows.
        return run(wanted) if kept else measured
    absent = tuple(
        name for name in missing if _is_absent(name, missing[name], measured)
    )
    cache.store(question, Kept(measured.evidence, measured.remarks, absent))
    if kept is None:
        return measured
    # A pass may make other tables than were asked for, in place of them.
    names = dict.fromkeys([*wanted, *measured.evidence.tables])
    evidence = joined(kept.evidence, measured.evidence, list(names))
    return replace(measured, evidence=evidence)


def _is_missing(name: str, ask: Ask, kept: Optional[Kept]) -> bool:
    if kept is None or (ask.needed and name in kept.absent):
        return True
    return name not in kept.evidence.tables and name not in kept.absent


def _is_absent(name: str, ask: Ask, measured: Measurement) -> bool:
    """Whether nobody needs it and it is not there, for no reason that may go away."""
    made = name in measured.evidence.tables or name in measured.unavailable
    return not ask.needed and not made


def with_candidates(
    cache: EvidenceCache, evidence: Evidence, subject: Optional[Subject]
) -> Tuple[Evidence, Tuple[str, ...]]:
    """Evidence that tells how many models its rows have judged; what to say of that.

    Args:
        cache: which counts them.
        evidence: of the candidate.
        subject: which model that is; ready predictions are not counted.
    """
    identity = subject.identity if subject else None
    candidates = cache.count_candidate(evidence.data["fingerprint"], identity)
    if candidates is None:
        return evidence, ()
    remark = wear_remark(evidence.data["rows"], candidates)
    data = {**evidence.data, "candidates": candidates}
    return replace(evidence, data=data), () if remark is None else (remark,)

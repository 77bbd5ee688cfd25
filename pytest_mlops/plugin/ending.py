"""The end of a run, in the controller: one verdict, one file, one exit code."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import List

from pytest_mlops.core.verdicts import Verdict
from pytest_mlops.errors import InstrumentError
from pytest_mlops.plugin import printing
from pytest_mlops.reporting.conclusion import closing_line
from pytest_mlops.workflow.finishing import RunFacts, conclude, exit_code, save
from pytest_mlops.workflow.preparing import Prepared
from pytest_mlops.workflow.spool import Spool


def _written(path: Path, verdict: Verdict) -> str:
    beside = ", with its tables beside it" if verdict.side_files else ""
    return f"pytest-mlops: the verdict is in {path}{beside}"


@dataclass(frozen=True)
class Ending:
    """What a run came to.

    Attributes:
        verdict: the verdict.
        line: the run's last line.
        notes: lines for the terminal: annotations, a verdict that was not written.
    """

    verdict: Verdict
    line: str
    notes: List[str] = field(default_factory=list)


def end(
    prepared: Prepared,
    facts: RunFacts,
    spool: Spool,
    *,
    status: int,
    foreign_failures: bool,
) -> Ending:
    """Decide, and write the verdict where one was asked for."""
    verdict = conclude(
        facts,
        spool,
        assignment=prepared.assignment,
        environment=prepared.environment,
    )
    code = exit_code(verdict, status, foreign_failures=foreign_failures)
    verdict = verdict.ended_with(code)
    notes = []
    if prepared.verdict_path is not None:
        try:
            save(verdict, prepared.verdict_path, spool)
            notes.append(_written(prepared.verdict_path, verdict))
        except InstrumentError as error:
            notes.append(str(error))
            verdict = verdict.unwritten()
    notes += printing.tell_github(verdict)
    return Ending(verdict, closing_line(verdict, facts.judged, facts.total), notes)

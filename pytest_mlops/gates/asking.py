"""What is asked of the data: whose answers, which tables, of which rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Iterable, Iterator, Optional, Tuple

from pytest_mlops.core.metrics import TableKind
from pytest_mlops.core.selection import Selection
from pytest_mlops.core.sources import Model
from pytest_mlops.evidence.names import BASELINE, CANDIDATE, PAIRED, TableName


@dataclass(frozen=True)
class Contest:
    """Who is judged: a candidate (None: ready predictions) and maybe a baseline."""

    candidate: Optional[Model]
    baseline: Optional[Model] = None


@dataclass(frozen=True)
class Ask:
    """One table that will be wanted.

    Attributes:
        kind: of one model's table.
        selection: of which rows.
        needed: whether a column that is not there is a mistake; else it is left out.
    """

    kind: TableKind
    selection: Selection = Selection()
    needed: bool = True


def wanted_tables(contest: Contest, asks: Iterable[Ask]) -> Dict[str, Ask]:
    """What asks for each table that ``measure`` makes, by the table's name."""
    paired = contest.baseline is not None
    return {
        str(TableName(ask.kind.name, whose, ask.selection.key)): ask
        for ask in asks
        for whose, _ in members(ask.kind, baseline=paired, paired=paired)
    }


def members(
    kind: TableKind, *, baseline: bool, paired: bool
) -> Iterator[Tuple[str, TableKind]]:
    """The tables that answer for a kind, with whose they are."""
    if paired and kind.pair is not None:
        yield PAIRED, kind.pair
    else:
        yield CANDIDATE, kind
        if baseline:
            yield BASELINE, kind

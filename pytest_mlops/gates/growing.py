"""The tables of one pass over the data, as they grow batch by batch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Dict,
    Iterator,
    Mapping,
    Optional,
    Sequence,
    Set,
    Tuple,
)

import numpy as np

from pytest_mlops.core.metrics import Table, TableKind
from pytest_mlops.core.rows import (
    Batch,
    ClassificationRows,
    JudgedRows,
    Label,
    PairedRows,
    Predictions,
)
from pytest_mlops.core.selection import Selection, SliceKey
from pytest_mlops.core.sources import Model
from pytest_mlops.errors import DataError, InstrumentError, RowsError
from pytest_mlops.evidence.labels import listed
from pytest_mlops.evidence.names import BASELINE, CANDIDATE, PAIRED, TableName
from pytest_mlops.evidence.tables.slices import Slices
from pytest_mlops.gates.asking import Ask, Contest, members
from pytest_mlops.gates.rows import Reader
from pytest_mlops.gates.selecting import Selector, split_tables

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Codes

#: The slice of each row, and what makes each slice.
_Cut = Tuple["Codes", Sequence[SliceKey]]


class _Cutter:
    """Cuts batches by one selection; one that cannot be cut by leaves others alone."""

    def __init__(self, selection: Selection, name: str, columns: Tuple[str, ...]):
        self._selector = Selector(selection, name)
        self.broken: Optional[str] = None
        try:
            self._selector.check(columns)
        except DataError as error:
            self.broken = str(error)

    def cut(self, batch: Batch) -> Optional[_Cut]:
        """The slices of a batch; None where they cannot be told."""
        if self.broken is None:
            try:
                codes, _ = self._selector.codes(batch)
                return codes, self._selector.keys
            except DataError as error:
                self.broken = str(error)
        return None


@dataclass(frozen=True)
class _Answers:
    """One batch as somebody answered it.

    Attributes:
        rows: judged rows; of two models, ``PairedRows``.
        probabilities: whether there are any.
    """

    rows: Any
    probabilities: bool


class GrowingTables:
    """The tables as they grow."""

    def __init__(self, reader: Reader, contest: Contest, asks: Sequence[Ask]) -> None:
        self.reader = reader
        self.contest = contest
        self.asks = asks
        self.cutters: Dict[str, _Cutter] = {}
        self.tables: Dict[str, Table] = {}
        self.kinds: Dict[str, TableKind] = {}
        self.unavailable: Dict[str, str] = {}
        self.labels: Set[Label] = set()
        self.rows = 0
        self.first_row = 1

    def aim(self, columns: Tuple[str, ...]) -> None:
        """Find out who cuts; leave out what nobody needs and these columns lack."""
        possible = []
        for ask in self.asks:
            key = ask.selection.key
            if key and key not in self.cutters:
                cutter = _Cutter(ask.selection, self.reader.name, columns)
                if cutter.broken and not ask.needed:
                    continue
                self.cutters[key] = cutter
            possible.append(ask)
        self.asks = possible

    def take(self, batch: Batch, features: Tuple[str, ...]) -> None:
        """Count one batch."""
        if not batch.rows:
            return
        self.rows += batch.rows
        self.first_row = batch.first_row
        answers = self._all_answers(batch, features)
        self._note_labels(answers[CANDIDATE].rows)
        cuts = {key: cutter.cut(batch) for key, cutter in self.cutters.items()}
        for ask in self.asks:
            key = ask.selection.key
            for whose, kind in self._members(ask.kind, answers):
                name = str(TableName(ask.kind.name, whose, key))
                if kind.needs_probabilities and not answers[whose].probabilities:
                    self._drop(name, self._no_probabilities(whose))
                elif key and cuts[key] is None:
                    self._drop(name, self.cutters[key].broken or "")
                else:
                    self._add(name, kind, answers[whose].rows, cuts.get(key))

    def _members(
        self, kind: TableKind, answers: Mapping[str, _Answers]
    ) -> Iterator[Tuple[str, TableKind]]:
        both = answers.get(PAIRED)
        # Where only one of the two has probabilities, it still gets its table.
        served = both is not None and (
            both.probabilities or not kind.needs_probabilities
        )
        return members(kind, baseline=both is not None, paired=served)

    def finish(self) -> None:
        """Complete the tables, and refuse data by which nothing can be judged.

        Raises:
            DataError: there are no rows, or none is of the positive label.
        """
        name, settings = self.reader.name, self.reader.settings
        if not self.rows:
            raise DataError(f"{name} has no rows to judge")
        if settings.positive is not None and settings.positive not in self.labels:
            raise DataError(
                f"{name}: the positive label {settings.positive!r} never occurs in "
                f"'{settings.target}'; the labels there are {listed(self.labels)}"
            )
        for table, kind in self.kinds.items():
            if kind.finish is not None and table in self.tables:
                self._keep(table, partial(_finished, kind.finish, self.tables[table]))

    def _all_answers(
        self, batch: Batch, features: Tuple[str, ...]
    ) -> Dict[str, _Answers]:
        contest = self.contest
        answers = {CANDIDATE: self._answers(contest.candidate, batch, features)}
        if contest.baseline is not None:
            baseline = self._answers(contest.baseline, batch, features)
            candidate = answers[CANDIDATE]
            both = PairedRows(candidate.rows, baseline.rows)
            has = candidate.probabilities and baseline.probabilities
            answers.update({BASELINE: baseline, PAIRED: _Answers(both, has)})
        return answers

    def _answers(
        self, model: Optional[Model], batch: Batch, features: Tuple[str, ...]
    ) -> _Answers:
        predictions = self._predict(model, batch, features)
        rows = self.reader.judged(batch, predictions)
        return _Answers(rows, predictions.probabilities is not None)

    def _predict(
        self, model: Optional[Model], batch: Batch, features: Tuple[str, ...]
    ) -> Predictions:
        if model is None:
            return self.reader.ready(batch)
        wanted = any(ask.kind.needs_probabilities for ask in self.asks)
        return model.predict(batch, features, probabilities=wanted)

    def _note_labels(self, rows: JudgedRows) -> None:
        """Remember true labels, until the positive one has been seen."""
        if isinstance(rows, ClassificationRows) and rows.positive not in self.labels:
            names = rows.true.categories
            counts = np.bincount(rows.true.codes, minlength=len(names))
            self.labels.update(n for n, count in zip(names, counts) if count)

    def _add(self, name: str, kind: TableKind, rows: Any, cut: Optional[_Cut]) -> None:
        """Add a batch to a table."""
        self.kinds[name] = kind
        if name not in self.unavailable:
            self._keep(name, partial(_grown, self.tables.get(name), kind, rows, cut))

    def _keep(self, name: str, make: Callable[[], Table]) -> None:
        """Keep a table; one that cannot be made leaves the others alone."""
        try:
            self.tables[name] = make()
        except RowsError as error:
            self._drop(name, error.numbered(self.first_row))
        except InstrumentError as error:
            self._drop(name, str(error))
        except Exception as error:
            # Tables come from plugins, and may do anything.
            self._drop(name, f"its table raised {type(error).__name__}: {error}")

    def _drop(self, name: str, reason: str) -> None:
        self.unavailable[name] = reason
        self.tables.pop(name, None)

    def _no_probabilities(self, whose: str) -> str:
        if self.contest.candidate is None and whose == CANDIDATE:
            return "the data has no column of probabilities ([data] score)"
        return "the model gives no probabilities (it has no predict_proba)"


def _grown(
    known: Optional[Table], kind: TableKind, rows: Any, cut: Optional[_Cut]
) -> Table:
    more = kind.build(rows) if cut is None else split_tables(kind, rows, *cut)
    grown: Table = more if known is None else known.merge(more)
    return grown


def _finished(finish: Callable[[Table], Table], table: Table) -> Table:
    if isinstance(table, Slices):
        return Slices({key: finish(one) for key, one in table.tables.items()})
    return finish(table)

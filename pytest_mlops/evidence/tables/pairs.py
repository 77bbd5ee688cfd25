"""LabelPairs: how two models' answers on the same rows fall together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, List, Optional, Sequence, Tuple

from numpy.typing import NDArray

from pytest_mlops.core.rows import ClassificationRows, Label, PairedRows
from pytest_mlops.evidence.tables.cells import CellTable
from pytest_mlops.evidence.tables.counting import Columns
from pytest_mlops.evidence.tables.counts import LabelCounts
from pytest_mlops.evidence.tables.groups import GroupSums

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Codes, Floats


@dataclass(frozen=True, eq=False)
class LabelPairs(CellTable):
    """Counts by true, candidate's and baseline's label; as in ``CellTable``.

    McNemar, "Note on the sampling error of the difference between correlated
    proportions" (1947): all that two models' difference hangs on.
    """

    AXES: ClassVar[Tuple[str, ...]] = ("true", "of_candidate", "of_baseline")

    labels: Tuple[Label, ...]
    true: Codes
    of_candidate: Codes
    of_baseline: Codes
    rows: Codes
    weights: Optional[Floats] = None
    squares: Optional[Floats] = None
    groups: Optional[GroupSums] = None

    @classmethod
    def of(cls, rows: PairedRows) -> LabelPairs:
        """Count a batch; raises DataError where a label is missing."""
        return cls._counted(_columns(rows))

    @classmethod
    def split(cls, rows: PairedRows, slices: Codes, size: int) -> List[LabelPairs]:
        """A table of each slice from 0 to *size* − 1; no row of slice −1 counts."""
        return cls._divided(_columns(rows), slices, size)

    @classmethod
    def _make(
        cls,
        labels: Tuple[Label, ...],
        axes: Sequence[Codes],
        columns: Sequence[NDArray[Any]],
        groups: Optional[GroupSums],
    ) -> LabelPairs:
        weights, squares = columns[1:] or (None, None)
        true, candidate, baseline = axes
        return cls(
            labels, true, candidate, baseline, columns[0], weights, squares, groups
        )

    @cached_property
    def candidate(self) -> LabelCounts:
        """The candidate's own counts."""
        return self._side(self.of_candidate)

    @cached_property
    def baseline(self) -> LabelCounts:
        """The baseline's own counts."""
        return self._side(self.of_baseline)

    def _side(self, answers: Codes) -> LabelCounts:
        axes = (self.true, answers)
        return LabelCounts._assemble(self.labels, axes, self._columns(), self.groups)


def _columns(rows: PairedRows) -> Columns:
    candidate, baseline = _classified(rows.candidate), _classified(rows.baseline)
    labels = candidate.true, candidate.predicted, baseline.predicted
    return Columns(labels, candidate.weights, candidate.groups)


def _classified(rows: Any) -> ClassificationRows:
    if not isinstance(rows, ClassificationRows):
        raise TypeError(f"pairs of labels are made of classifications, not {rows!r}")
    return rows

"""KeptRows: the rows themselves, for metrics that nothing smaller suffices for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Dict, Mapping, Optional, Tuple

import numpy as np
from numpy.typing import NDArray

from pytest_mlops.core.rows import JudgedRows, Labels, PairedRows
from pytest_mlops.evidence.labels import decode

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Codes


@dataclass(frozen=True, eq=False)
class KeptRows:
    """Truth and predictions of every row; only their number goes into JSON.

    Merging is commutative up to the order of the rows.

    Attributes:
        rows: how many.
        batches: truth and prediction, batch by batch, as labels or as numbers; of two
            models the prediction of the baseline as well; empty after ``from_json``.
        weighted: whether the rows have weights.
        buckets: the bucket of each row's group, batch by batch; empty where rows are
            independent.
    """

    rows: int
    batches: Tuple[Tuple[Any, ...], ...] = ()
    weighted: bool = False
    buckets: Tuple[Codes, ...] = ()

    @classmethod
    def of(cls, rows: JudgedRows) -> KeptRows:
        """Keep a batch."""
        return cls._of(rows, rows.true, rows.predicted)

    @classmethod
    def of_pair(cls, rows: PairedRows) -> KeptRows:
        """Keep a batch that two models answered."""
        one = rows.candidate
        return cls._of(one, one.true, one.predicted, rows.baseline.predicted)

    @classmethod
    def _of(cls, rows: JudgedRows, *columns: Any) -> KeptRows:
        groups = () if rows.groups is None else (rows.groups,)
        return cls(len(rows.true), (columns,), rows.weights is not None, groups)

    def merge(self, other: KeptRows) -> KeptRows:
        """Both tables' rows."""
        return KeptRows(
            self.rows + other.rows,
            self.batches + other.batches,
            self.weighted or other.weighted,
            self.buckets + other.buckets,
        )

    def arrays(self) -> Tuple[NDArray[Any], ...]:
        """``y_true`` and ``y_pred``, each of the shape ``(rows,)``.

        Labels are integers, floats or texts, or objects where they are mixed.
        """
        columns = tuple(zip(*self.batches))
        if isinstance(columns[0][0], Labels):
            return decode(columns)
        return tuple(np.concatenate(column) for column in columns)

    @property
    def groups(self) -> Optional[Codes]:
        """The bucket of each row, shape ``(rows,)``; None where each is its own."""
        return np.concatenate(self.buckets) if self.buckets else None

    def to_json(self) -> Dict[str, Any]:
        """The number of rows; the rows are not stored."""
        return {"rows": self.rows}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> KeptRows:
        """A table that knows how many rows there were."""
        return cls(int(data["rows"]))

"""KeptRows: the rows themselves, for metrics that nothing smaller suffices for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, Mapping, Tuple

import numpy as np
from numpy.typing import NDArray

from pytest_mlops.core.rows import JudgedRows, Labels
from pytest_mlops.evidence.labels import decode


@dataclass(frozen=True, eq=False)
class KeptRows:
    """Truth and predictions of every row; only their number goes into JSON.

    Merging is commutative up to the order of the rows.

    Attributes:
        rows: how many.
        batches: truth and prediction, batch by batch, as labels or as numbers; empty
            after ``from_json``.
        weighted: whether the rows have weights.
    """

    rows: int
    batches: Tuple[Tuple[Any, Any], ...] = ()
    weighted: bool = False

    @classmethod
    def of(cls, rows: JudgedRows) -> KeptRows:
        """Keep a batch."""
        kept = ((rows.true, rows.predicted),)
        return cls(len(rows.true), kept, rows.weights is not None)

    def merge(self, other: KeptRows) -> KeptRows:
        """Both tables' rows."""
        return KeptRows(
            self.rows + other.rows,
            self.batches + other.batches,
            self.weighted or other.weighted,
        )

    def arrays(self) -> Tuple[NDArray[Any], ...]:
        """``y_true`` and ``y_pred``, each of the shape ``(rows,)``.

        Labels are integers, floats or texts, or objects where they are mixed.
        """
        true, predicted = zip(*self.batches)
        if isinstance(true[0], Labels):
            return decode((true, predicted))
        return np.concatenate(true), np.concatenate(predicted)

    def to_json(self) -> Dict[str, Any]:
        """The number of rows; the rows are not stored."""
        return {"rows": self.rows}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> KeptRows:
        """A table that knows how many rows there were."""
        return cls(int(data["rows"]))

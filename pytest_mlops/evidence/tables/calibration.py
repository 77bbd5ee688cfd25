"""CalibrationBins: what was promised and what came, by bins of the promise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Dict, Mapping, Optional, Tuple

import numpy as np
from numpy.typing import NDArray

from pytest_mlops.core.rows import ClassificationRows
from pytest_mlops.evidence.tables.arrays import chunks, frozen, weight_sums
from pytest_mlops.evidence.tables.probabilities import (
    is_positive,
    positive_column,
    probabilities_of,
    true_columns,
)

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Codes, Floats

#: Bins of equal width; the first has 0, any other begins above the last one's end.
CALIBRATION_BINS = 15

#: Groups are kept in fewer buckets here: the table stands in the verdict. The variance
#: between so many is known to 9 %.
CALIBRATION_BUCKETS = 256

_SUMS = ("weights", "squares", "promised", "kept", "gap_squares")


@dataclass(frozen=True, eq=False)
class CalibrationBins:
    """Sums by bin of the probability that was given.

    Attributes:
        rows: how many, shape ``(CALIBRATION_BINS,)``.
        sums: shape ``(5, CALIBRATION_BINS)``: of the weights w and of w²; of w times
            the probability p; of w times the outcome y, 1 or 0; of w² (y − p)².
        groups: sums of w (y − p), shape ``(CALIBRATION_BUCKETS, CALIBRATION_BINS)``, or
            None where rows are independent.
        buckets: how many rows each bucket has, or None likewise.
    """

    rows: Codes
    sums: Floats
    groups: Optional[Floats] = None
    buckets: Optional[Codes] = None

    @classmethod
    def of(cls, rows: ClassificationRows) -> CalibrationBins:
        """Count a batch.

        With a positive label p is its probability and y whether the row is of it;
        without one p is the greatest probability and y whether its class is the truth.

        Raises:
            DataError: the probabilities are none, or a true label has no probability.
        """
        promised, kept = _binary(rows) if rows.positive is not None else _top(rows)
        counts = np.zeros(CALIBRATION_BINS, dtype=np.int64)
        sums = np.zeros((len(_SUMS), CALIBRATION_BINS))
        for part in chunks(len(promised)):
            weights = None if rows.weights is None else rows.weights[part]
            bins = _bin_of(promised[part])
            counts += np.bincount(bins, minlength=CALIBRATION_BINS)
            sums += _sums(bins, promised[part], kept[part], weights)
        if rows.groups is None:
            return cls(frozen(counts), frozen(sums))
        gaps = kept - promised
        if rows.weights is not None:
            gaps *= rows.weights
        buckets = rows.groups % CALIBRATION_BUCKETS
        cells = buckets * CALIBRATION_BINS + _bin_of(promised)
        shape = CALIBRATION_BUCKETS, CALIBRATION_BINS
        groups = weight_sums(cells, gaps, shape[0] * shape[1]).reshape(shape)
        used = np.bincount(buckets, minlength=CALIBRATION_BUCKETS)
        return cls(frozen(counts), frozen(sums), frozen(groups), frozen(used))

    @property
    def weights(self) -> Floats:
        """The sum of the weights in each bin."""
        weights: Floats = self.sums[0]
        return weights

    @property
    def squares(self) -> Floats:
        """The sum of the squared weights in each bin."""
        squares: Floats = self.sums[1]
        return squares

    @property
    def gaps(self) -> Floats:
        """The sum of w (y − p) in each bin."""
        gaps: Floats = self.sums[3] - self.sums[2]
        return gaps

    @property
    def gap_squares(self) -> Floats:
        """The sum of w² (y − p)² in each bin."""
        squares: Floats = self.sums[4]
        return squares

    def merge(self, other: CalibrationBins) -> CalibrationBins:
        """Both tables' rows.

        Raises:
            ValueError: the rows of one of them are in groups, those of the other not.
        """
        if (self.groups is None) != (other.groups is None):
            raise ValueError("cannot merge probabilities of rows in groups with others")
        return CalibrationBins(
            frozen(self.rows + other.rows),
            frozen(self.sums + other.sums),
            _added(self.groups, other.groups),
            _added(self.buckets, other.buckets),
        )

    def to_json(self) -> Dict[str, Any]:
        """Plain JSON; floats keep all their digits."""
        data: Dict[str, Any] = {"rows": self.rows.tolist()}
        data.update(zip(_SUMS, self.sums.tolist()))
        if self.groups is not None and self.buckets is not None:
            used = np.flatnonzero(self.buckets)
            data["buckets"] = used.tolist()
            data["bucket_rows"] = self.buckets[used].tolist()
            data["bucket_gaps"] = self.groups[used].tolist()
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> CalibrationBins:
        """Read ``to_json`` back; raises KeyError, TypeError or ValueError."""
        size = CALIBRATION_BINS
        rows = np.asarray(data["rows"], np.int64).reshape(size)
        sums = np.asarray([data[name] for name in _SUMS], np.float64)
        sums = sums.reshape(len(_SUMS), size)
        if "buckets" not in data:
            return cls(frozen(rows), frozen(sums))
        used = np.asarray(data["buckets"], np.int64)
        groups = np.zeros((CALIBRATION_BUCKETS, size))
        groups[used] = np.asarray(data["bucket_gaps"], np.float64).reshape(-1, size)
        buckets = np.zeros(CALIBRATION_BUCKETS, dtype=np.int64)
        buckets[used] = np.asarray(data["bucket_rows"], np.int64)
        return cls(frozen(rows), frozen(sums), frozen(groups), frozen(buckets))


def _binary(rows: ClassificationRows) -> Tuple[Floats, Floats]:
    promised: Floats = probabilities_of(rows)[:, positive_column(rows)]
    return promised, is_positive(rows, rows.positive).astype(np.float64)


def _top(rows: ClassificationRows) -> Tuple[Floats, Floats]:
    found = probabilities_of(rows)
    top = np.argmax(found, axis=1)
    kept = top == true_columns(rows.true, rows.classes)
    return found[np.arange(len(top)), top], kept.astype(np.float64)


def _bin_of(promised: Floats) -> Codes:
    steps = np.ceil(promised * CALIBRATION_BINS).astype(np.int64) - 1
    bins: Codes = np.maximum(steps, 0, out=steps)
    return bins


def _sums(
    bins: Codes, promised: Floats, kept: Floats, weights: Optional[Floats]
) -> Floats:
    gap = kept - promised
    columns = [promised, kept]
    if weights is None:
        weights, gap = np.ones(len(gap)), gap
    else:
        columns, gap = [column * weights for column in columns], gap * weights
    columns = [weights, weights * weights, *columns, gap * gap]
    return np.stack([weight_sums(bins, column, CALIBRATION_BINS) for column in columns])


def _added(first: Any, second: Any) -> Optional[NDArray[Any]]:
    return None if first is None else frozen(first + second)

"""BucketSums: sums by bucket of groups, of the buckets that have rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Dict, Mapping, Optional

import numpy as np

from pytest_mlops.evidence.groups import BUCKETS

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Codes, Floats


@dataclass(frozen=True, eq=False)
class BucketSums:
    """Sums of weights and of weighted quantities about a point, bucket by bucket.

    Attributes:
        ids: the buckets, ascending, shape ``(buckets,)``.
        weights: shape ``(buckets,)``, above 0.
        sums: shape ``(buckets, k)``.
    """

    ids: Codes
    weights: Floats
    sums: Floats

    @classmethod
    def of(
        cls, values: Floats, groups: Codes, weights: Optional[Floats] = None
    ) -> BucketSums:
        """The sums of some rows.

        Args:
            values: shape ``(k, rows)``, about the point.
            groups: the bucket of each row.
            weights: shape ``(rows,)``; None where every row counts one.
        """
        total = np.bincount(groups, weights, BUCKETS).astype(np.float64)
        ids = np.flatnonzero(total)
        scaled = values if weights is None else values * weights
        sums = [np.bincount(groups, one, BUCKETS)[ids] for one in scaled]
        return cls(ids, total[ids], np.stack(sums, axis=1))

    def moved(self, by: Floats) -> BucketSums:
        """The sums of x + *by*."""
        sums = self.sums + self.weights[:, np.newaxis] * by
        return BucketSums(self.ids, self.weights, sums)

    def mapped(self, matrix: Floats) -> BucketSums:
        """The sums of *matrix* @ x."""
        return BucketSums(self.ids, self.weights, self.sums @ matrix.T)

    def plus(self, other: BucketSums) -> BucketSums:
        """The sums of both tables' rows, if both are about the same point."""
        ids = np.union1d(self.ids, other.ids)
        weights = np.zeros(len(ids))
        sums = np.zeros((len(ids), self.sums.shape[1]))
        for part in (self, other):
            at = np.searchsorted(ids, part.ids)
            weights[at] += part.weights
            sums[at] += part.sums
        return BucketSums(ids, weights, sums)

    def along(self, slope: Floats) -> Floats:
        """The sum of *slope* · x in each bucket."""
        found: Floats = self.sums @ slope
        return found

    def to_json(self) -> Dict[str, Any]:
        """Plain JSON, exact."""
        return {
            "ids": self.ids.tolist(),
            "weights": self.weights.tolist(),
            "sums": self.sums.T.tolist(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], size: int) -> BucketSums:
        """Read ``to_json`` back; raises KeyError, TypeError or ValueError."""
        ids = np.asarray(data["ids"], dtype=np.int64)
        weights = np.asarray(data["weights"], dtype=np.float64).reshape(len(ids))
        sums = np.asarray(data["sums"], dtype=np.float64).reshape(size, len(ids))
        return cls(ids, weights, sums.T.copy())

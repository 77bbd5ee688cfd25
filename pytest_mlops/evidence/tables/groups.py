"""GroupSums: what the rows of each group weigh in each cell of a table."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Dict, Mapping

import numpy as np

from pytest_mlops.evidence.groups import BUCKETS
from pytest_mlops.evidence.tables.arrays import frozen, weight_sums

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Codes, Floats


@dataclass(frozen=True, eq=False)
class GroupSums:
    """Sums by bucket of groups and cell of a table; only those that occur are kept.

    Attributes:
        bucket: that of the groups, ascending; one a sum.
        cell: index into the cells of the table, ascending within a bucket.
        mass: the sum of the rows' weights, or how many rows.
    """

    bucket: Codes
    cell: Codes
    mass: Floats

    @classmethod
    def of(cls, bucket: Codes, cell: Codes, mass: Floats, cells: int) -> GroupSums:
        """From sums in any order, some of which may be of the same bucket and cell.

        Args:
            bucket, cell, mass: as the attributes.
            cells: how many cells the table has.
        """
        width = max(cells, 1)
        found, inverse = np.unique(bucket * width + cell, return_inverse=True)
        sums = weight_sums(inverse, mass, len(found))
        return cls(frozen(found // width), frozen(found % width), frozen(sums))

    def sums(self, values: Floats) -> Floats:
        """Σ mass · value of each bucket that occurs.

        Args:
            values: one for each cell of the table.
        """
        return weight_sums(self._place, self.mass * values[self.cell], self.count)

    @property
    def count(self) -> int:
        """How many buckets occur."""
        return int(self._place[-1]) + 1 if len(self._place) else 0

    @cached_property
    def _place(self) -> Codes:
        """Of the bucket of each sum, among those that occur."""
        return np.unique(self.bucket, return_inverse=True)[1]

    def to_json(self) -> Dict[str, Any]:
        """Plain JSON; floats keep all their digits."""
        return {
            "bucket": self.bucket.tolist(),
            "cell": self.cell.tolist(),
            "mass": self.mass.tolist(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], cells: int) -> GroupSums:
        """Read ``to_json`` back; raises KeyError, TypeError or ValueError."""
        bucket = np.asarray(data["bucket"], np.int64)
        cell = np.asarray(data["cell"], np.int64)
        mass = np.asarray(data["mass"], np.float64)
        if not bucket.shape == cell.shape == mass.shape == (len(bucket),):
            raise ValueError("the columns of the groups are of different lengths")
        for column, size in ((bucket, BUCKETS), (cell, cells)):
            if len(column) and not 0 <= column.min() <= column.max() < size:
                raise ValueError("the groups name a bucket or a cell that is not there")
        return cls(bucket, cell, mass)

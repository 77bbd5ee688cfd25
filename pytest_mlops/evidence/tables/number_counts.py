"""Counts of numbers: each value by itself, or by bin of a grid where there are many.

The grid is one for all data, so tables of different batches, days and machines add up.
It is uniform in the fourth root of |x|, apart by sign, and zero is a bin of its own:
fine near zero, coarse far out, and near any value as linear as can be. Its levels are
nested: each bin of a level is two of the next finer one. A table is at the finest level
at which at most ``MOST_BINS`` bins are in use. That hangs on the rows alone: more rows
never use fewer bins of a level, so a merged table is at no finer level than its parts,
and equals the table of the whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Dict, Mapping, Optional, Tuple

import numpy as np

from pytest_mlops.evidence.tables.arrays import frozen

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Codes, Floats

#: So many distinct numbers are kept as they are, and so many bins beyond.
MOST_BINS = 512

#: A bin's number has so many bits at most, so that counting in floats is exact.
_BITS = 52

#: What infinite values are taken for.
_LARGEST = float(np.finfo(np.float64).max)


@dataclass(frozen=True, eq=False)
class NumberCounts:
    """How often each number occurs, or a number in each bin.

    Attributes:
        keys: ascending, shape ``(keys,)``: the numbers, or with a level the bins:
            0 of zero, and ±1, ±2, … outwards from it.
        counts: rows, likewise; each at least 1.
        level: of the grid; None where ``keys`` are the numbers themselves.
        low: the least number; None where there is none.
        high: the greatest number, likewise.
    """

    keys: Floats
    counts: Codes
    level: Optional[int] = None
    low: Optional[float] = None
    high: Optional[float] = None

    @classmethod
    def of(cls, values: Floats) -> NumberCounts:
        """The counts of some numbers, shape ``(rows,)``; NaN is left out."""
        present = np.clip(values[~np.isnan(values)], -_LARGEST, _LARGEST) + 0.0
        if not len(present):
            return cls(frozen(np.empty(0)), frozen(np.empty(0, dtype=np.int64)))
        keys, counts = np.unique(present, return_counts=True)
        ends = float(keys[0]), float(keys[-1])
        whole = cls(frozen(keys), frozen(counts.astype(np.int64)), None, *ends)
        return whole._fitted()

    @property
    def rows(self) -> int:
        """How many numbers were counted."""
        return int(self.counts.sum())

    def merge(self, other: NumberCounts) -> NumberCounts:
        """Both tables' rows."""
        if not len(self.keys) or not len(other.keys):
            return other if len(other.keys) else self
        keys, mine, theirs, level = aligned(self, other)
        low = min(end for end in (self.low, other.low) if end is not None)
        high = max(end for end in (self.high, other.high) if end is not None)
        sums = frozen(mine + theirs)
        return NumberCounts(frozen(keys), sums, level, low, high)._fitted()

    def at(self, level: int) -> NumberCounts:
        """The same rows at a level of the grid, no finer than their own."""
        keys = _binned(self.keys, level) if self.level is None else self.keys
        for _ in range((level if self.level is None else self.level) - level):
            keys = np.sign(keys) * (np.floor((np.abs(keys) - 1) / 2) + 1)
        starts = np.flatnonzero(np.append(True, np.diff(keys) > 0)[: len(keys)])
        counts = np.add.reduceat(self.counts, starts) if len(keys) else self.counts
        return NumberCounts(
            frozen(keys[starts]), frozen(counts), level, self.low, self.high
        )

    def to_json(self) -> Dict[str, Any]:
        """Plain JSON, exact."""
        data: Dict[str, Any] = {
            "keys": [int(k) if k.is_integer() else k for k in self.keys.tolist()],
            "counts": self.counts.tolist(),
            "low": self.low,
            "high": self.high,
        }
        if self.level is not None:
            data["level"] = self.level
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> NumberCounts:
        """Read ``to_json`` back; raises KeyError, TypeError or ValueError."""
        keys = np.asarray(data["keys"], dtype=np.float64)
        counts = np.asarray(data["counts"], dtype=np.int64)
        if keys.shape != counts.shape or keys.ndim != 1:
            raise ValueError("as many counts as keys are needed")
        if not (np.diff(keys) > 0).all() or not (counts > 0).all():
            raise ValueError("keys must ascend, and counts be positive")
        low, high, level = data["low"], data["high"], data.get("level")
        return cls(
            frozen(keys),
            frozen(counts),
            None if level is None else int(level),
            None if low is None else float(low),
            None if high is None else float(high),
        )

    def _fitted(self) -> NumberCounts:
        """The same rows at the finest level that is small enough."""
        if len(self.keys) <= MOST_BINS:
            return self
        if self.level is not None:
            coarser = self.at(self.level - 1)
            return coarser._fitted()
        finest = _finest(self)
        # From a level at which there are at most 3 bins; fewer bins the coarser.
        low, high = finest - _BITS - 1, finest
        while low < high:
            middle = (low + high + 1) // 2
            bins = 1 + np.count_nonzero(np.diff(_binned(self.keys, middle)))
            low, high = (middle, high) if bins <= MOST_BINS else (low, middle - 1)
        return self.at(low)


def aligned(
    first: NumberCounts, second: NumberCounts
) -> Tuple[Floats, Codes, Codes, Optional[int]]:
    """Two tables by the same keys: these, the counts of each, and their level."""
    levels = [table.level for table in (first, second) if table.level is not None]
    level: Optional[int] = None
    if levels:
        level = min(*levels, _finest(first), _finest(second))
        first, second = first.at(level), second.at(level)
    keys = np.union1d(first.keys, second.keys)
    columns = []
    for table in (first, second):
        counts = np.zeros(len(keys), dtype=np.int64)
        counts[np.searchsorted(keys, table.keys)] = table.counts
        columns.append(counts)
    return keys, columns[0], columns[1], level


def _finest(table: NumberCounts) -> int:
    """The finest level at which the bins of a table's numbers are told apart."""
    reach = max(abs(table.low or 0.0), abs(table.high or 0.0))
    exponent = int(np.frexp(np.sqrt(np.sqrt(reach)))[1])
    return _BITS - exponent


def _binned(values: Floats, level: int) -> Floats:
    # Square roots are rounded the same way on every machine; other powers are not.
    root = np.sqrt(np.sqrt(np.abs(values)))
    bins: Floats = np.sign(values) * (np.floor(np.ldexp(root, level)) + 1)
    return bins

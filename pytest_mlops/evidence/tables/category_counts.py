"""Counts of categories: each by its name, or by bucket where there are too many."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Dict, Mapping, Tuple

import numpy as np

from pytest_mlops.core.rows import Labels

#: So many categories are counted by name. Beyond, all are counted by bucket: which of
#: the two hangs on the rows alone, and so not on the order in which tables are merged.
MOST_CATEGORIES = 1000

#: How many buckets there are.
BUCKETS = 256


@dataclass(frozen=True)
class CategoryCounts:
    """How often each category occurs.

    Attributes:
        counts: rows by name, or by the bucket's number as text; each at least 1.
        hashed: whether they are counted by bucket.
    """

    counts: Mapping[str, int]
    hashed: bool = False

    @classmethod
    def of(cls, labels: Labels) -> CategoryCounts:
        """The counts of a column; missing labels are left out."""
        present = labels.codes[labels.codes >= 0]
        rows = np.bincount(present, minlength=len(labels.categories)).tolist()
        return cls(_sums(zip(map(str, labels.categories), rows)))._fitted()

    @property
    def rows(self) -> int:
        """How many rows were counted."""
        return sum(self.counts.values())

    def merge(self, other: CategoryCounts) -> CategoryCounts:
        """Both tables' rows."""
        mine, theirs = aligned_categories(self, other)
        both = _sums([*mine.counts.items(), *theirs.counts.items()])
        return CategoryCounts(both, mine.hashed)._fitted()

    def to_json(self) -> Dict[str, Any]:
        """Plain JSON; names in order, so that the order of rows leaves no trace."""
        return {"counts": dict(sorted(self.counts.items())), "hashed": self.hashed}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> CategoryCounts:
        """Read ``to_json`` back; raises KeyError, TypeError or ValueError."""
        counts = {str(name): int(rows) for name, rows in data["counts"].items()}
        if any(rows < 1 for rows in counts.values()):
            raise ValueError("counts must be positive")
        return cls(counts, bool(data["hashed"]))

    def by_bucket(self) -> CategoryCounts:
        """The same rows, counted by bucket."""
        if self.hashed:
            return self
        pairs = ((_bucket(name), rows) for name, rows in self.counts.items())
        return CategoryCounts(_sums(pairs), hashed=True)

    def _fitted(self) -> CategoryCounts:
        return self if len(self.counts) <= MOST_CATEGORIES else self.by_bucket()


def aligned_categories(
    first: CategoryCounts, second: CategoryCounts
) -> Tuple[CategoryCounts, CategoryCounts]:
    """Two tables counted in the same way: by name where both are."""
    if first.hashed or second.hashed:
        return first.by_bucket(), second.by_bucket()
    return first, second


def _sums(pairs: Any) -> Dict[str, int]:
    sums: Dict[str, int] = {}
    for name, rows in pairs:
        if rows:
            sums[name] = sums.get(name, 0) + rows
    return sums


def _bucket(name: str) -> str:
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8)
    return str(int.from_bytes(digest.digest(), "big") % BUCKETS)

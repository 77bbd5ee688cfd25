"""Ranks: scores of positives and negatives of one class, exact or in bins."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Dict, Mapping, Optional, Sequence, Tuple, Union

import numpy as np
from numpy.typing import NDArray

from pytest_mlops.evidence.groups import BUCKETS
from pytest_mlops.evidence.tables.arrays import chunks, frozen, weight_sums
from pytest_mlops.evidence.tables.grid import BINS, COARSE, bin_of, coarse_of
from pytest_mlops.evidence.tables.levels import Levels, Positions, levels_of

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Codes, Floats

#: Up to so many rows each score is kept; beyond, scores are counted in bins. Which of
#: them hangs on the rows alone and so not on the order in which tables are merged.
EXACT_ROWS = 2**17


@dataclass(frozen=True, eq=False)
class ExactRanks:
    """Every score.

    Attributes:
        scores: shape ``(rows,)``, in any order.
        positive: whether the row is of the class, likewise.
        weights: likewise, or None where every row counts one.
        groups: the bucket of each row's group, or None where rows are independent.
    """

    scores: Floats
    positive: NDArray[np.bool_]
    weights: Optional[Floats] = None
    groups: Optional[Codes] = None

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.scores)

    @property
    def mass(self) -> Floats:
        """What each row weighs."""
        return np.ones(self.rows) if self.weights is None else self.weights

    def take(self, index: Any) -> ExactRanks:
        """Some of the rows, by their numbers or as a slice."""
        return ExactRanks(
            self.scores[index],
            self.positive[index],
            None if self.weights is None else self.weights[index],
            None if self.groups is None else self.groups[index],
        )

    def merge(self, other: Ranks) -> Ranks:
        """Both tables' rows, this one's first; in bins where they get too many.

        Raises:
            ValueError: the rows of one of them are in groups, those of the other not.
        """
        if isinstance(other, BinnedRanks) or self.rows + other.rows > EXACT_ROWS:
            return self.binned().merge(other)
        weights = None
        if self.weights is not None or other.weights is not None:
            weights = np.concatenate([self.mass, other.mass])
        return ExactRanks(
            np.concatenate([self.scores, other.scores]),
            np.concatenate([self.positive, other.positive]),
            weights,
            _merged(self.groups, other.groups, lambda a, b: np.concatenate([a, b])),
        )

    def binned(self) -> BinnedRanks:
        """The same rows, counted in bins."""
        size = 2 * BINS
        counts = np.zeros(size, dtype=np.int64)
        sums = None if self.weights is None else np.zeros((2, size))
        groups = None if self.groups is None else np.zeros(2 * BUCKETS * COARSE)
        for part in chunks(self.rows):
            bins = bin_of(self.scores[part])
            index = bins + self.positive[part] * BINS
            counts += np.bincount(index, minlength=size)
            if sums is not None:
                mass = self.mass[part]
                sums[0] += weight_sums(index, mass, size)
                sums[1] += weight_sums(index, mass * mass, size)
            if groups is not None and self.groups is not None:
                cell = self.groups[part] + self.positive[part] * BUCKETS
                cell = cell * COARSE + coarse_of(bins)
                groups += weight_sums(cell, self.mass[part], len(groups))
        return BinnedRanks(
            frozen(counts.reshape(2, BINS)),
            None if sums is None else frozen(sums[0].reshape(2, BINS)),
            None if sums is None else frozen(sums[1].reshape(2, BINS)),
            None if groups is None else frozen(groups.reshape(2, BUCKETS, COARSE)),
        )

    @property
    def levels(self) -> Levels:
        """What lies at each distinct score."""
        return self._sorted[0]

    def level_of_rows(self) -> Codes:
        """The level of each row, shape ``(rows,)``."""
        return self._sorted[1].spread()

    @cached_property
    def _sorted(self) -> Tuple[Levels, Positions]:
        return levels_of(self.scores, self.positive, self.weights)

    def to_json(self) -> Dict[str, Any]:
        """Plain JSON, the rows in the order in which they are."""
        data: Dict[str, Any] = {
            "scores": self.scores.tolist(),
            "positive": self.positive.astype(np.int64).tolist(),
        }
        if self.weights is not None:
            data["weights"] = self.weights.tolist()
        if self.groups is not None:
            data["groups"] = self.groups.tolist()
        return data


@dataclass(frozen=True, eq=False)
class BinnedRanks:
    """Counts by bin of the fixed grid.

    Attributes:
        counts: rows, shape ``(2, BINS)``: negatives, positives.
        weights: the sums of their weights, or None where every row counts one.
        squares: the sums of the squares of their weights, likewise.
        groups: the sums of the weights by bucket, shape ``(2, BUCKETS, COARSE)``, or
            None where rows are independent.
    """

    counts: Codes
    weights: Optional[Floats] = None
    squares: Optional[Floats] = None
    groups: Optional[Floats] = None

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return int(self.counts.sum())

    def merge(self, other: Ranks) -> BinnedRanks:
        """Both tables' rows; raises ValueError as ``ExactRanks.merge``."""
        if isinstance(other, ExactRanks):
            other = other.binned()
        weights = squares = None
        if self.weights is not None or other.weights is not None:
            weights = frozen(self._sums(self.weights) + other._sums(other.weights))
            squares = frozen(self._sums(self.squares) + other._sums(other.squares))
        groups = _merged(self.groups, other.groups, lambda a, b: frozen(a + b))
        return BinnedRanks(frozen(self.counts + other.counts), weights, squares, groups)

    @cached_property
    def bins(self) -> Codes:
        """The bins that are not empty, one a level."""
        return np.flatnonzero(self.counts.any(axis=0))

    @cached_property
    def levels(self) -> Levels:
        """What lies in each bin that is not empty."""
        used = self.bins
        counts = self.counts[:, used]
        mass, squares = self._sums(self.weights), self._sums(self.squares)
        return Levels(mass[:, used], squares[:, used], counts, exact=False)

    def to_json(self) -> Dict[str, Any]:
        """The bins that are not empty."""
        used = self.bins
        data: Dict[str, Any] = {
            "bins": used.tolist(),
            "counts": self.counts[:, used].tolist(),
        }
        if self.weights is not None and self.squares is not None:
            data["weights"] = self.weights[:, used].tolist()
            data["squares"] = self.squares[:, used].tolist()
        if self.groups is not None:
            cells = np.flatnonzero(self.groups)
            data["cells"] = cells.tolist()
            data["sums"] = self.groups.ravel()[cells].tolist()
        return data

    def _sums(self, sums: Optional[Floats]) -> Floats:
        """Sums of weights, or of their squares, where every row may count one."""
        return self.counts.astype(np.float64) if sums is None else sums


Ranks = Union[ExactRanks, BinnedRanks]


def read_ranks(data: Mapping[str, Any]) -> Ranks:
    """Read ``to_json`` back; raises KeyError, TypeError or ValueError."""
    if "bins" in data:
        return _read_binned(data)
    scores = np.asarray(data["scores"], np.float64)
    positive = np.asarray(data["positive"], np.int64) > 0
    weights, groups = data.get("weights"), data.get("groups")
    found = ExactRanks(
        scores,
        positive,
        None if weights is None else np.asarray(weights, np.float64),
        None if groups is None else np.asarray(groups, np.int64),
    )
    lengths = {len(column) for column in vars(found).values() if column is not None}
    if len(lengths) != 1:
        raise ValueError(f"columns of different lengths: {sorted(lengths)}")
    return found


def _read_binned(data: Mapping[str, Any]) -> BinnedRanks:
    bins = np.asarray(data["bins"], np.int64)
    sums = [
        _spread(bins, np.asarray(data[name], np.float64))
        for name in ("weights", "squares")
        if name in data
    ]
    groups = None
    if "cells" in data:
        flat = np.zeros(2 * BUCKETS * COARSE)
        flat[np.asarray(data["cells"], np.int64)] = data["sums"]
        groups = frozen(flat.reshape(2, BUCKETS, COARSE))
    counts = _spread(bins, np.asarray(data["counts"], np.int64))
    weights, squares = sums if sums else (None, None)
    return BinnedRanks(counts, weights, squares, groups)


def _spread(bins: Codes, columns: NDArray[Any]) -> NDArray[Any]:
    full = np.zeros((2, BINS), dtype=columns.dtype)
    full[:, bins] = columns
    return frozen(full)


def _merged(first: Any, second: Any, merge: Any) -> Any:
    if (first is None) != (second is None):
        raise ValueError("cannot merge scores of rows in groups with others")
    return None if first is None else merge(first, second)


def common_order(ranks: Sequence[ExactRanks]) -> Codes:
    """An order of the rows by everything known of them.

    Tables that have the same rows in another order come out as the same.

    Args:
        ranks: of the same rows in the same order; at least one.
    """
    keys = [column for each in ranks for column in (each.positive, each.scores)]
    first = ranks[0]
    extra = [each for each in (first.groups, first.weights) if each is not None]
    order: Codes = np.lexsort([*extra, *keys])
    return order

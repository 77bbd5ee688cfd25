"""Ranks: scores of positives and negatives of one class, exact or in bins."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Dict, Mapping, Optional, Sequence, Union

import numpy as np
from numpy.typing import NDArray

from pytest_mlops.evidence.tables.arrays import chunks, frozen, weight_sums
from pytest_mlops.evidence.tables.grid import BINS, bin_of

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Codes, Floats

#: Up to so many rows each score is kept; beyond, scores are counted in bins. Which of
#: them hangs on the rows alone and so not on the order in which tables are merged.
EXACT_ROWS = 2**17


@dataclass(frozen=True)
class Levels:
    """What lies at each distinct score, or in each bin, in ascending order.

    Attributes:
        negatives: weights of negatives, shape ``(levels,)``.
        positives: weights of positives, likewise.
        exact: whether rows of one level have the same score.
    """

    negatives: Floats
    positives: Floats
    exact: bool


@dataclass(frozen=True, eq=False)
class ExactRanks:
    """Every score.

    Attributes:
        scores: shape ``(rows,)``, in any order.
        positive: whether the row is of the class, likewise.
        weights: likewise, or None where every row counts one.
    """

    scores: Floats
    positive: NDArray[np.bool_]
    weights: Optional[Floats] = None

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.scores)

    @property
    def positive_rows(self) -> int:
        """How many of them are of the class."""
        return int(np.count_nonzero(self.positive))

    def merge(self, other: Ranks) -> Ranks:
        """Both tables' rows; in bins where they get too many."""
        if isinstance(other, BinnedRanks) or self.rows + other.rows > EXACT_ROWS:
            return self.binned().merge(other)
        weights = None
        if self.weights is not None or other.weights is not None:
            weights = np.concatenate([_ones(self), _ones(other)])
        return ExactRanks(
            np.concatenate([self.scores, other.scores]),
            np.concatenate([self.positive, other.positive]),
            weights,
        )

    def binned(self) -> BinnedRanks:
        """The same rows, counted in bins."""
        return _binned(self.scores, self.positive, self.weights)

    @cached_property
    def levels(self) -> Levels:
        """What lies at each distinct score."""
        distinct, inverse = np.unique(self.scores, return_inverse=True)
        negatives, positives = (
            weight_sums(inverse, kind * _ones(self), len(distinct))
            for kind in (~self.positive, self.positive)
        )
        return Levels(negatives, positives, exact=True)

    def to_json(self) -> Dict[str, Any]:
        """Scores in ascending order, apart by class."""
        # By every column, so that the order in which rows came leaves no trace.
        order = np.lexsort((_ones(self), self.scores))
        hit = self.positive[order]
        scores, weights = self.scores[order], _ones(self)[order]
        data: Dict[str, Any] = {
            "negatives": scores[~hit].tolist(),
            "positives": scores[hit].tolist(),
        }
        if self.weights is not None:
            data["negative_weights"] = weights[~hit].tolist()
            data["positive_weights"] = weights[hit].tolist()
        return data


@dataclass(frozen=True, eq=False)
class BinnedRanks:
    """Counts by bin of the fixed grid.

    Attributes:
        counts: rows, shape ``(2, BINS)``: negatives, positives.
        weights: the sums of their weights, or None where every row counts one.
    """

    counts: Codes
    weights: Optional[Floats] = None

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return int(self.counts.sum())

    @property
    def positive_rows(self) -> int:
        """How many of them are of the class."""
        return int(self.counts[1].sum())

    @property
    def mass(self) -> Floats:
        """What each bin weighs: its weights, or its rows; float64."""
        mass: Floats = self.counts.astype(np.float64)
        return mass if self.weights is None else self.weights

    def merge(self, other: Ranks) -> BinnedRanks:
        """Both tables' rows."""
        if isinstance(other, ExactRanks):
            other = other.binned()
        weights = None
        if self.weights is not None or other.weights is not None:
            weights = frozen(self.mass + other.mass)
        return BinnedRanks(frozen(self.counts + other.counts), weights)

    @cached_property
    def levels(self) -> Levels:
        """What lies in each bin that is not empty."""
        used = np.flatnonzero(self.counts.any(axis=0))
        negatives, positives = self.mass[:, used]
        return Levels(negatives, positives, exact=False)

    def to_json(self) -> Dict[str, Any]:
        """The bins that are not empty."""
        used = np.flatnonzero(self.counts.any(axis=0))
        data: Dict[str, Any] = {
            "bins": used.tolist(),
            "negatives": self.counts[0, used].tolist(),
            "positives": self.counts[1, used].tolist(),
        }
        if self.weights is not None:
            data["negative_weights"] = self.weights[0, used].tolist()
            data["positive_weights"] = self.weights[1, used].tolist()
        return data


Ranks = Union[ExactRanks, BinnedRanks]


def ranks_of(
    scores: Floats, positive: NDArray[np.bool_], weights: Optional[Floats]
) -> Ranks:
    """The scores of a batch, shapes ``(rows,)``; in bins where there are many."""
    if len(scores) > EXACT_ROWS:
        return _binned(scores, positive, weights)
    # A copy: the column would keep the whole batch alive.
    return ExactRanks(frozen(np.array(scores)), frozen(positive), weights)


def read_ranks(data: Mapping[str, Any]) -> Ranks:
    """Read ``to_json`` back; raises KeyError, TypeError or ValueError."""
    counted = "bins" in data
    kind = np.int64 if counted else np.float64
    columns = [np.asarray(data[name], kind) for name in ("negatives", "positives")]
    weights = [
        np.asarray(data[name], np.float64)
        for name in ("negative_weights", "positive_weights")
        if name in data
    ]
    if counted:
        bins = np.asarray(data["bins"], dtype=np.int64)
        sums = _spread(bins, weights) if weights else None
        return BinnedRanks(_spread(bins, columns), sums)
    return ExactRanks(
        np.concatenate(columns),
        np.repeat([False, True], [len(column) for column in columns]),
        np.concatenate(weights) if weights else None,
    )


def _binned(
    scores: Floats, positive: NDArray[np.bool_], weights: Optional[Floats]
) -> BinnedRanks:
    counts = np.zeros(2 * BINS, dtype=np.int64)
    sums = None if weights is None else np.zeros(2 * BINS)
    for part in chunks(len(scores)):
        index = bin_of(scores[part]) + positive[part] * BINS
        counts += np.bincount(index, minlength=2 * BINS)
        if sums is not None and weights is not None:
            sums += weight_sums(index, weights[part], 2 * BINS)
    return BinnedRanks(
        frozen(counts.reshape(2, BINS)),
        None if sums is None else frozen(sums.reshape(2, BINS)),
    )


def _ones(ranks: ExactRanks) -> Floats:
    return np.ones(ranks.rows) if ranks.weights is None else ranks.weights


def _spread(bins: Codes, columns: Sequence[NDArray[Any]]) -> NDArray[Any]:
    full = np.zeros((2, BINS), dtype=columns[0].dtype)
    full[:, bins] = columns
    return frozen(full)

"""Levels: what lies at each distinct score of a table, in ascending order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Optional, Tuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Codes, Floats


@dataclass(frozen=True, eq=False)
class Levels:
    """What lies at each distinct score, or in each bin, in ascending order.

    Attributes:
        mass: sums of weights, shape ``(2, levels)``: negatives, positives.
        squares: sums of squared weights, likewise.
        counts: rows, likewise.
        exact: whether rows of one level have the same score.
    """

    mass: Floats
    squares: Floats
    counts: NDArray[Any]
    exact: bool

    @cached_property
    def effective(self) -> Floats:
        """How many rows of one weight say as much: of negatives, of positives.

        Kish, Survey Sampling (1965): (Σ w)² / Σ w².
        """
        mass, squares = self.mass.sum(axis=1), self.squares.sum(axis=1)
        # No row at all says nothing.
        found: Floats = mass * mass / np.maximum(squares, np.finfo(np.float64).tiny)
        return found


@dataclass(frozen=True)
class Positions:
    """Where rows went when they were sorted.

    Attributes:
        order: the rows' numbers in ascending order of their scores.
        first: whether a score, in that order, is the first of its level.
    """

    order: Codes
    first: NDArray[np.bool_]

    def spread(self) -> Codes:
        """The level of each row, in the rows' own order."""
        levels: Codes = np.empty(len(self.order), dtype=np.int64)
        levels[self.order] = np.cumsum(self.first) - 1
        return levels


def levels_of(
    scores: Floats, positive: NDArray[np.bool_], weights: Optional[Floats]
) -> Tuple[Levels, Positions]:
    """The levels of exact scores, all of the shape ``(rows,)``; sorts them once."""
    order = np.argsort(scores)
    ordered, hit = scores[order], positive[order]
    first = np.ones(len(order), dtype=bool)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    starts = np.flatnonzero(first)
    counts = _counts(hit, starts)
    mass = squares = counts.astype(np.float64)
    if weights is not None:
        weight = weights[order]
        mass = _sums(hit, weight, starts)
        squares = _sums(hit, weight * weight, starts)
    return Levels(mass, squares, counts, exact=True), Positions(order, first)


def _counts(hit: NDArray[np.bool_], starts: Codes) -> Codes:
    """Negatives and positives by level, shape ``(2, levels)``."""
    counts = np.zeros((2, len(starts)), dtype=np.int64)
    if len(starts):
        np.add.reduceat(hit, starts, dtype=np.int64, out=counts[1])
        counts[0] = np.diff(starts, append=len(hit)) - counts[1]
    return counts


def _sums(hit: NDArray[np.bool_], amount: Floats, starts: Codes) -> Floats:
    """Sums of an amount of negatives and of positives by level, as ``_counts``."""
    sums = np.zeros((2, len(starts)))
    if len(starts):
        np.add.reduceat(amount * ~hit, starts, out=sums[0])
        np.add.reduceat(amount * hit, starts, out=sums[1])
    return sums

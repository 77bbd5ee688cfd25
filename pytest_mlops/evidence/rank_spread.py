"""How far areas of tables of scores vary, alone and against a baseline's."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, List, Sequence, Tuple

import numpy as np

from pytest_mlops.core.rows import Label
from pytest_mlops.evidence.areas import Area
from pytest_mlops.evidence.groups import BUCKETS
from pytest_mlops.evidence.influence import (
    Spread,
    bucket_sums,
    effective_groups,
    spread_of_cells,
    spread_of_groups,
    spread_of_rows,
    together,
)
from pytest_mlops.evidence.tables.grid import COARSE, coarse_of
from pytest_mlops.evidence.tables.ranks import BinnedRanks, ExactRanks, Ranks

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Codes, Floats
    from pytest_mlops.evidence.tables.score_pairs import Joint


@dataclass(frozen=True)
class Side:
    """The areas of one model: of one class, or of several whose mean is meant.

    Attributes:
        labels: of the classes.
        ranks: of each, all of the same rows.
        areas: of each.
    """

    labels: Tuple[Label, ...]
    ranks: Tuple[Ranks, ...]
    areas: Tuple[Area, ...]

    @property
    def value(self) -> float:
        """The mean of the areas."""
        return sum(area.value for area in self.areas) / len(self.areas)

    @property
    def bound(self) -> float:
        """How far off bins may have put it."""
        return sum(area.bound for area in self.areas) / len(self.areas)

    def exact(self) -> List[ExactRanks]:
        """The ranks where they are exact, else none."""
        return [each for each in self.ranks if isinstance(each, ExactRanks)]

    def binned(self) -> List[BinnedRanks]:
        """The ranks where they are in bins, else none."""
        return [each for each in self.ranks if isinstance(each, BinnedRanks)]


def effective_rows(ranks: Ranks) -> Floats:
    """How many independent negatives and positives there are; shape ``(2,)``."""
    if ranks.groups is None:
        return ranks.levels.effective
    if isinstance(ranks, BinnedRanks):
        return effective_groups(ranks.groups.sum(axis=2))
    kinds = [~ranks.positive, ranks.positive]
    masses = [bucket_sums(kind * ranks.mass, ranks.groups) for kind in kinds]
    return effective_groups(np.stack(masses))


def spread_of_mean(side: Side) -> Spread:
    """The spread of the mean of a model's areas."""
    exact = side.exact()
    first = side.ranks[0]
    if first.groups is not None:
        return _in_groups([side], [1.0])
    if len(side.ranks) > 1 and exact:
        return spread_of_rows(_influence(exact, side.areas), *_strata(exact))
    return together(
        [
            spread_of_cells(
                ranks.levels.squares,
                ranks.levels.counts,
                area.gradient,
                ranks.levels.effective,
            )
            for ranks, area in zip(side.ranks, side.areas)
        ]
    )


def spread_of_difference(
    candidate: Side, baseline: Side, joint: Joint, factor: float
) -> Spread:
    """The spread of candidate − *factor* × baseline, on the same rows.

    Args:
        candidate: a model's areas.
        baseline: another's of the same classes.
        joint: how scores of both go together, of ranks in bins.
        factor: what the baseline is multiplied by.
    """
    exact = candidate.exact()
    if candidate.ranks[0].groups is not None:
        return _in_groups([candidate, baseline], [1.0, -factor])
    if exact:
        influence = _influence(exact, candidate.areas)
        influence -= factor * _influence(baseline.exact(), baseline.areas)
        return spread_of_rows(influence, *_strata(exact))
    return together(
        [
            _jointly(
                joint[label],
                _wide(ranks, area, weighted=False),
                _wide(other, other_area, weighted=False).times(factor),
                ranks.levels.effective,
            )
            for label, ranks, area, other, other_area in zip(
                candidate.labels,
                candidate.binned(),
                candidate.areas,
                baseline.binned(),
                baseline.areas,
            )
        ]
    )


def _influence(ranks: Sequence[ExactRanks], areas: Sequence[Area]) -> Floats:
    """The influence of each row on the mean of some areas; shape ``(rows,)``."""
    total = np.zeros(ranks[0].rows)
    for each, area in zip(ranks, areas):
        total += area.gradient[each.positive.astype(np.int64), each.level_of_rows()]
    total *= ranks[0].mass
    total /= len(ranks)
    return total


def _strata(ranks: Sequence[ExactRanks]) -> Tuple[Codes, Floats]:
    """The class of each row, and how many rows each class has."""
    if len(ranks) == 1:
        return ranks[0].positive.astype(np.int64), ranks[0].levels.effective
    strata = np.zeros(ranks[0].rows, dtype=np.int64)
    for number, each in enumerate(ranks):
        strata[each.positive] = number
    return strata, np.array([each.levels.effective[1] for each in ranks])


def _in_groups(sides: Sequence[Side], factors: Sequence[float]) -> Spread:
    """The spread of a sum of means, over groups.

    What wide bins leave out is added as that of independent rows.
    """
    sums, beside = np.zeros(BUCKETS), 0.0
    used = _buckets_in_use(sides[0].ranks[0])
    for side, factor in zip(sides, factors):
        exact = side.exact()
        if exact and exact[0].groups is not None:
            made = bucket_sums(_influence(exact, side.areas), exact[0].groups)
        else:
            made, error = _binned_in_groups(side)
            beside += (factor * error) ** 2
        sums += factor * made
    return spread_of_groups(sums, used, beside)


def _binned_in_groups(side: Side) -> Tuple[Floats, float]:
    """The influence of each bucket on a mean, and the error of what it leaves out."""
    sums, error = np.zeros(BUCKETS), 0.0
    for ranks, area in zip(side.binned(), side.areas):
        if ranks.groups is not None:
            wide = _wide(ranks, area, weighted=True)
            sums += np.einsum("cbk,ck->b", ranks.groups, wide.influence)
            error += math.sqrt(wide.beside)
    classes = len(side.ranks)
    return sums / classes, error / classes


def _buckets_in_use(ranks: Ranks) -> int:
    """How many buckets have rows that count."""
    if ranks.groups is None:
        return 0
    if isinstance(ranks, BinnedRanks):
        return int(np.count_nonzero(ranks.groups.any(axis=(0, 2))))
    return int(np.count_nonzero(bucket_sums(ranks.mass, ranks.groups)))


@dataclass(frozen=True)
class _Wide:
    """Influences by wide bin.

    Attributes:
        influence: their means, shape ``(2, COARSE)``.
        beside: the variance of influences about these means.
    """

    influence: Floats
    beside: float

    def times(self, factor: float) -> _Wide:
        return _Wide(self.influence * factor, self.beside * factor**2)


def _wide(ranks: BinnedRanks, area: Area, weighted: bool) -> _Wide:
    """Influences by wide bin; means by weights, or by squared weights."""
    levels, wide = ranks.levels, coarse_of(ranks.bins)
    by = levels.mass if weighted else levels.squares
    means, beside = np.zeros((2, COARSE)), 0.0
    for kind in (0, 1):
        total = np.bincount(wide, by[kind], COARSE)
        made = np.bincount(wide, by[kind] * area.gradient[kind], COARSE)
        np.divide(made, total, out=means[kind], where=total > 0)
        about = area.gradient[kind] - means[kind, wide]
        beside += float(levels.squares[kind] @ about**2)
    return _Wide(means, beside)


def _jointly(
    joint: Floats, candidate: _Wide, baseline: _Wide, effective: Floats
) -> Spread:
    influence = candidate.influence[:, :, None] - baseline.influence[:, None, :]
    squares = joint.reshape(2, -1)
    # Rows weigh about alike, as far as the largest of them matters.
    found = spread_of_cells(squares, squares, influence.reshape(2, -1), effective)
    return replace(found, variance=found.variance + candidate.beside + baseline.beside)

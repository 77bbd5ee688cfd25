"""Simulated classifiers, and what the package measures of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Iterator, List, Sequence, Tuple

import numpy as np
from numpy.typing import NDArray

from pytest_mlops.core.metrics import MetricOptions
from pytest_mlops.core.rows import ClassificationRows, Labels, PairedRows
from pytest_mlops.evidence.metrics import builtin_metrics
from pytest_mlops.gates.decide import Figures

METRICS = {metric.name: metric for metric in builtin_metrics()}
OPTIONS = MetricOptions(positive=1)

#: (true, candidate, baseline) labels of two classes.
CELLS = np.array([(t, c, b) for t in (0, 1) for c in (0, 1) for b in (0, 1)])


@dataclass(frozen=True)
class World:
    """Two classifiers, as the shares of rows in each of ``CELLS``.

    Each is as often wrong on either label, so that precision equals recall.

    Attributes:
        prevalence: of the positive label.
        candidate, baseline: the mistakes of each, as a share of all rows.
        differ: the share of rows on which the two differ.
    """

    prevalence: float
    candidate: float
    baseline: float
    differ: float

    @property
    def shares(self) -> List[float]:
        """By cell."""
        lost = (self.differ + self.candidate - self.baseline) / 4
        won = (self.differ - self.candidate + self.baseline) / 4
        both = (self.candidate + self.baseline - self.differ) / 4
        sizes = (1 - self.prevalence, self.prevalence)
        right = [size - lost - won - both for size in sizes]
        # In the order of CELLS: true 0 with 00, 01, 10, 11; true 1 likewise.
        return [right[0], won, lost, both, both, lost, won, right[1]]

    @classmethod
    def of_f1(
        cls, prevalence: float, f1: float, better: float = 0.0, differ: float = 0.05
    ) -> World:
        """A candidate of this F1, and a baseline that is worse by *better*."""
        mistakes, beside = (2 * prevalence * (1 - f) for f in (f1, f1 - better))
        return cls(prevalence, mistakes, beside, differ)


def rows_of(counts: Sequence[int], cells: NDArray[np.int64]) -> PairedRows:
    """Rows of two models, from how often each of some cells occurs."""
    true, candidate, baseline = (np.repeat(column, counts) for column in cells.T)
    sides = [
        ClassificationRows(Labels(true, (0, 1)), Labels(side, (0, 1)), positive=1)
        for side in (candidate, baseline)
    ]
    return PairedRows(*sides)


def figures_of(metric: str, rows: PairedRows, paired: bool = True) -> Figures:
    """What is measured on some rows."""
    named = METRICS[metric]
    kind, difference = named.kind, named.difference
    candidate, baseline = (
        named.estimate(kind.build(side), OPTIONS)
        for side in (rows.candidate, rows.baseline)
    )
    if not paired or difference is None or kind.pair is None:
        return Figures(candidate, baseline if paired else None)
    pair = kind.pair.build(rows)
    # Asked by every gate; the answer is the same.
    paired_by = lru_cache(maxsize=None)(lambda f: difference(pair, OPTIONS, f))
    return Figures(candidate, baseline, paired_by)


def drawn(
    world: World, rows: int, draws: int, paired: bool
) -> Iterator[Tuple[Figures, int]]:
    """Figures of simulated data sets, each with how often it was drawn."""
    shares, cells = np.array(world.shares), CELLS
    if not paired:
        # The candidate alone: the baseline's answer does not matter.
        shares, cells = shares.reshape(4, 2).sum(axis=1), CELLS[::2]
    found = np.random.default_rng(20).multinomial(rows, shares, size=draws)
    if not paired:
        # Nor does F1 know true negatives, or one kind of mistake from the other.
        found = np.stack(
            [found[:, 0], found[:, 1] + found[:, 2], 0 * found[:, 2], found[:, 3]], 1
        )
    distinct, times = np.unique(found, axis=0, return_counts=True)
    for counts, count in zip(distinct, times.tolist()):
        yield figures_of("f1", rows_of(counts, cells), paired), count

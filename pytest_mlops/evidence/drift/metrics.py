"""The metrics of drift: what rules under ``[drift]`` may name."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import Callable, List, Tuple

import numpy as np

from pytest_mlops.core.metrics import (
    Better,
    Estimate,
    Metric,
    MetricOptions,
)
from pytest_mlops.evidence.drift.cells import EXPECTED_ROWS, Cells, ColumnPair, cells_of
from pytest_mlops.evidence.drift.divergences import JENSEN_SHANNON, PSI, estimated
from pytest_mlops.evidence.drift.shares import missing_change, unseen_share
from pytest_mlops.evidence.drift.steps import kolmogorov_smirnov
from pytest_mlops.evidence.drift.variation import variation
from pytest_mlops.evidence.metrics.estimates import counted, undefined
from pytest_mlops.evidence.tables import PROFILE
from pytest_mlops.evidence.tables.features import ColumnType

#: Metrics that are about numbers only, and about categories only.
ABOUT = {
    "kolmogorov_smirnov": ColumnType.NUMBER,
    "unseen_share": ColumnType.TEXT,
}

#: All that they share; most lie between 0 and 1.
_distance = partial(Metric, better=Better.LOWER, kind=PROFILE, limits=(0.0, 1.0))


def drift_metrics() -> List[Metric]:
    """Every metric of drift, in the order in which they are documented.

    ``estimate`` of each takes a ``ColumnPair``.
    """
    return [
        _distance(
            name="psi",
            title="population stability index",
            formula="Σ (p − q) ln(p / q) over cells",
            source="Lewis, An Introduction to Credit Scoring (1994)",
            estimate=_by_cells(lambda cells: estimated(PSI, cells)),
            interval_method="noncentral chi-square",
            limits=(0.0, math.inf),
        ),
        _distance(
            name="jensen_shannon",
            title="Jensen–Shannon distance, base 2",
            formula="√(½ Σ p log₂(2p / (p + q)) + ½ Σ q log₂(2q / (p + q))) over cells",
            source="Lin (1991); Endres and Schindelin (2003)",
            estimate=_by_cells(lambda cells: _root(estimated(JENSEN_SHANNON, cells))),
            interval_method="noncentral chi-square",
        ),
        _distance(
            name="total_variation",
            title="total variation distance",
            formula="½ Σ |p − q| over cells",
            source="Levin, Peres and Wilmer, Markov Chains and Mixing Times (2009)",
            estimate=_by_cells(variation),
            interval_method="folded normal",
        ),
        _distance(
            name="kolmogorov_smirnov",
            title="largest difference of the distribution functions",
            formula="max |F(x) − G(x)| over numbers x",
            source="Kolmogorov (1933); Smirnov (1939)",
            estimate=lambda pair, _: kolmogorov_smirnov(pair),
            interval_method="Kolmogorov's inequality",
        ),
        _distance(
            name="missing_change",
            title="change of the share of missing values",
            formula="|missing / rows of current − missing / rows of reference|",
            source="Newcombe (1998)",
            estimate=lambda pair, _: missing_change(pair),
            interval_method="Newcombe",
        ),
        _distance(
            name="unseen_share",
            title="share of categories that the reference does not have",
            formula="unseen / rows of current − seen once / rows of reference",
            source="Good (1953)",
            estimate=lambda pair, _: unseen_share(pair),
            interval_method="Newcombe",
        ),
    ]


def _by_cells(
    distance: Callable[[Cells], Estimate],
) -> Callable[[ColumnPair, MetricOptions], Estimate]:
    def estimate(pair: ColumnPair, _: MetricOptions) -> Estimate:
        rows = min(pair.reference_rows, pair.current_rows)
        if rows < 2 * EXPECTED_ROWS:
            reason = f"{counted(rows)} are too few to compare distributions"
            return undefined(pair.current_rows, reason)
        return distance(_at_least_two(cells_of(pair)))

    return estimate


def _at_least_two(cells: Cells) -> Cells:
    """A constant column has one cell; all that may lie beside it is another one."""
    if len(cells) > 1:
        return cells
    return Cells(np.append(cells.reference, 0), np.append(cells.current, 0))


def _root(estimate: Estimate) -> Estimate:
    """The distance is the square root of the divergence."""
    interval, value = estimate.interval, estimate.value
    if interval is None or value is None:
        return estimate

    def rooted(confidence: float) -> Tuple[float, float]:
        low, high = interval(confidence)
        return math.sqrt(low), math.sqrt(high)

    return replace(estimate, value=math.sqrt(value), interval=rooted)

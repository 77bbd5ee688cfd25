"""PSI and Jensen–Shannon: the size of a divergence, freed of what chance adds to it.

Two samples of the same population never agree. With B cells and n and m rows, their PSI
is about (B − 1)(1/n + 1/m) where the truth is 0: it follows a chi-square distribution
with B − 1 degrees of freedom, times (1/n + 1/m). Around a true size D it is nearly a
noncentral one, s · χ²(k, D / s). The scale s and the degrees k are those that give the
mean D + b and the variance V that second-order and first-order expansions in the shares
(the delta method) say: s = V / 4D and k = b / s. The interval holds the sizes under
which the observed value is in no tail.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Callable, Tuple

import numpy as np

from pytest_mlops.core.metrics import Estimate, IntervalFunction
from pytest_mlops.evidence.drift.cells import Cells
from pytest_mlops.evidence.drift.distances import jensen_shannon, psi
from pytest_mlops.evidence.drift.noncentral import noncentrality

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Floats

_LN2 = math.log(2)

#: Closer to one another than this, two distributions are the same but for rounding.
_NOTHING = 1e-12


@dataclass(frozen=True)
class Divergence:
    """A sum over cells f(p, q), with the derivatives of a cell's term.

    Attributes:
        value: of two distributions.
        slope: ∂f/∂p; ∂f/∂q is the same with p and q exchanged.
        curvature: ∂²f/∂p², likewise.
        most: its greatest value.
    """

    value: Callable[[Floats, Floats], float]
    slope: Callable[[Floats, Floats], Floats]
    curvature: Callable[[Floats, Floats], Floats]
    most: float


PSI = Divergence(
    psi,
    lambda p, q: np.log(p / q) + 1 - q / p,
    lambda p, q: 1 / p + q / p**2,
    math.inf,
)
JENSEN_SHANNON = Divergence(
    jensen_shannon,
    lambda p, q: np.log2(2 * p / (p + q)) / 2,
    lambda p, q: q / (p * (p + q)) / (2 * _LN2),
    1.0,
)


def estimated(divergence: Divergence, cells: Cells) -> Estimate:
    """The size of a divergence between the populations of two samples.

    Args:
        divergence: which.
        cells: at least two.
    """
    found = divergence.value(*cells.shares()) - _shrinkage(divergence, cells)
    bias, variance = _moments(divergence, cells)
    value = min(max(found - bias, 0.0), divergence.most)
    _, rows = cells.sizes
    interval = _interval(divergence, cells, (found, bias, variance))

    def within(confidence: float) -> Tuple[float, float]:
        low, high = interval(confidence)
        return min(low, value), min(max(high, value), divergence.most)

    return Estimate(value, rows, method="noncentral_chi2", interval=within)


def _shrinkage(divergence: Divergence, cells: Cells) -> float:
    """What the half row added to each cell takes from the value; mostly below 0."""
    shares = cells.shares()
    return sum(
        float(np.sum(divergence.slope(p, q) * (1 - len(cells) * p))) / 2 / rows
        for (p, q), rows in zip((shares, shares[::-1]), cells.sizes)
    )


def _moments(divergence: Divergence, cells: Cells) -> Tuple[float, float]:
    """What chance adds to the value, and the variance of the value."""
    bias = variance = 0.0
    shares = cells.shares()
    for (p, q), rows in zip((shares, shares[::-1]), cells.sizes):
        slope, curvature = divergence.slope(p, q), divergence.curvature(p, q)
        bias += float(np.sum(curvature * p * (1 - p))) / 2 / rows
        spread = np.sum(p * slope**2) - np.sum(p * slope) ** 2
        variance += float(spread) / rows
    return bias, variance


def _interval(
    divergence: Divergence, cells: Cells, moments: Tuple[float, float, float]
) -> IntervalFunction:
    found, bias, variance = moments
    # Where there is no divergence at all, the ratio is that of the limit.
    scale = bias / (len(cells) - 1)
    if found > _NOTHING and variance > 0:
        scale = variance / (4 * found)
    degrees = bias / scale

    def interval(confidence: float) -> Tuple[float, float]:
        tail = (1 - confidence) / 2
        x = max(found, _NOTHING) / scale
        low = noncentrality(x, degrees, 1 - tail)
        high = noncentrality(x, degrees, tail)
        return low * scale, high * scale

    return interval

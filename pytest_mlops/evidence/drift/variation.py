"""Total variation: half the sum of absolute differences, freed of what chance adds.

An absolute difference is never below 0, so noise adds up over cells. How much it adds
hangs on the true differences: most where there is none, nothing where it is clear. The
interval is conservative in that: below it takes off what noise may have added, above it
takes off nothing.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Tuple

import numpy as np

from pytest_mlops.core.metrics import Estimate
from pytest_mlops.evidence.drift.cells import Cells
from pytest_mlops.evidence.drift.distances import total_variation
from pytest_mlops.evidence.intervals import quantile

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Floats


def variation(cells: Cells) -> Estimate:
    """The total variation distance of the populations of two samples.

    Args:
        cells: at least two.
    """
    p, q = cells.shares()
    found = total_variation(p, q)
    errors, error = _errors(cells)
    value = max(found - _added(np.abs(p - q), errors), 0.0)
    # A difference less its standard error: what may be noise is taken for noise.
    cautious = np.maximum(np.abs(p - q) - errors, 0.0)
    least = min(max(found - _added(cautious, errors), 0.0), value)

    def interval(confidence: float) -> Tuple[float, float]:
        half = quantile(confidence) * error
        return max(least - half, 0.0), min(found + half, 1.0)

    _, rows = cells.sizes
    return Estimate(value, rows, method="folded_normal", interval=interval)


def _errors(cells: Cells) -> Tuple[Floats, float]:
    """The standard errors of the cells' differences, and of the distance itself."""
    p, q = cells.shares()
    side = p > q
    variances, variance = np.zeros(len(cells)), 0.0
    for shares, rows in zip((p, q), cells.sizes):
        variances += shares * (1 - shares) / rows
        # The distance is the difference of the shares of one set of cells.
        inside = float(shares[side].sum())
        variance += inside * (1 - inside) / rows
    return np.sqrt(variances), math.sqrt(variance)


def _added(differences: Floats, errors: Floats) -> float:
    """What noise adds to the distance: the means of folded normals, less the truth.

    Leone, Nelson and Nottingham, "The folded normal distribution" (1961).
    """
    from scipy.special import ndtr

    ratios = differences / errors
    bells = np.exp(-(ratios**2) / 2) * math.sqrt(2 / math.pi)
    return float(np.sum(errors * bells - 2 * differences * ndtr(-ratios))) / 2

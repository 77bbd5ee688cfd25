"""Rows of models that are known through and through, and grids of all their rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Callable, Optional

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from pytest_mlops.core.rows import ClassificationRows, Labels, RegressionRows

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Codes, Floats

#: How far positives score above negatives, in standard deviations.
APART, APART_BASELINE = 1.5, 1.4

#: The target of the regressions lies evenly between these.
TARGET = (5.0, 15.0)
BIAS, ERROR = 0.3, 2.0


def label_rows(
    true: Codes, predicted: Codes, positive: Optional[int] = 1
) -> ClassificationRows:
    """Rows of two classes, or without a positive one of ten."""
    names = (0, 1) if positive is not None else tuple(range(10))
    return ClassificationRows(Labels(true, names), Labels(predicted, names), positive)


def score_rows(true: Codes, at: Floats, prevalence: float) -> ClassificationRows:
    """Rows of a model that knows the odds, and overstates them."""
    log_odds = APART * at - APART**2 / 2 + special.logit(prevalence)
    found = special.expit(1.4 * log_odds)
    predicted = (found >= 0.5).astype(np.int64)
    return replace(
        label_rows(true, predicted),
        probabilities=np.stack([1 - found, found], axis=1),
        classes=(0, 1),
    )


def weighted_cells(shares: Floats, positive: Optional[int] = 1) -> ClassificationRows:
    """A row for each true and predicted label, that weighs its share."""
    true, predicted = np.indices(shares.shape).reshape(2, -1)
    return replace(label_rows(true, predicted, positive), weights=shares.ravel())


def weighted_scores(apart: float, prevalence: float) -> ClassificationRows:
    """A row for each class and score of a grid, that weighs what lies around it."""
    grid = np.linspace(-8.0, 8.0 + apart, 20_001)
    true = np.repeat([0, 1], len(grid))
    density = [
        (1 - prevalence) * stats.norm.pdf(grid),
        prevalence * stats.norm.pdf(grid - apart),
    ]
    # Each grid point stands for a share of rows; one of nearly none is left out.
    mass = np.concatenate(density) * (grid[1] - grid[0])
    kept = mass > 1e-14
    rows = score_rows(true[kept], np.tile(grid, 2)[kept], prevalence)
    return replace(rows, weights=mass[kept])


def weighted_numbers(
    density: Callable[[NDArray[Any]], Any], scale: float
) -> RegressionRows:
    """A grid over targets and errors that reaches as far as the tails matter."""
    steps = np.linspace(-12.0, 12.0, 2001)
    noise = np.sinh(steps)
    mass = np.asarray(density(noise)) * np.cosh(steps) * (steps[1] - steps[0])
    kept = mass > 1e-18
    points, of_target = np.polynomial.legendre.leggauss(24)
    true = np.repeat(np.mean(TARGET) + points * np.ptp(TARGET) / 2, kept.sum())
    error = np.tile(BIAS + scale * noise[kept], len(points))
    weights = np.repeat(of_target / 2, kept.sum()) * np.tile(mass[kept], len(points))
    return RegressionRows(true, true + error, weights)

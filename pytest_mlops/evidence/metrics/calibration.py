"""The metric of calibration: whether probabilities come true as often as they say."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, List, Optional, Tuple

import numpy as np

from pytest_mlops.core.metrics import (
    Better,
    Estimate,
    IntervalFunction,
    Metric,
    MetricOptions,
)
from pytest_mlops.evidence.groups import FEW_GROUPS
from pytest_mlops.evidence.intervals import quantile
from pytest_mlops.evidence.metrics.estimates import (
    FEW_GROUPS_FLAG,
    LOW_SUPPORT,
    UNIT,
    no_rows,
)
from pytest_mlops.evidence.tables import CALIBRATION
from pytest_mlops.evidence.tables.calibration import CalibrationBins

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Floats

#: With fewer rows than this the debiased value still leans to one side.
_LEAST_ROWS = 10_000

#: How far the debiased gap of a bin is off in the mean, in its standard errors: too
#: small by this where the gap is about 1.4 of them, too large by that where it is 0.
_TOO_SMALL, _TOO_LARGE = 0.1, 0.47

#: A gap of so many standard errors is one in truth: its debiased value is not off.
_CLEAR = 3.0

#: How much of a row more, that is predicted wholly wrong, each bin in use is given.
_MORE = 0.5


def calibration_metrics() -> List[Metric]:
    """The expected calibration error."""
    return [
        Metric(
            name="ece",
            title="expected calibration error: how far probabilities are from the "
            "shares that come true",
            formula="Σ over 15 equal bins of |Σ (y − p)| / n, less what chance alone "
            "would give; y: of the positive label, p its probability; without a "
            "positive label: of the most probable class",
            source="Guo et al., On calibration of modern neural networks (2017); "
            "debiased as Kumar, Liang & Ma, Verified uncertainty calibration (2019)",
            better=Better.LOWER,
            kind=CALIBRATION,
            estimate=_ece,
            interval_method="normal, with what debiasing may be off",
            limits=UNIT,
        )
    ]


def _ece(table: CalibrationBins, options: MetricOptions) -> Estimate:
    weight = float(table.weights.sum())
    rows = int(table.rows.sum())
    if not weight:
        return no_rows()
    gaps = np.abs(table.gaps) / weight
    by_bin, of_all = _errors(table)
    errors, error = by_bin / weight, of_all / weight
    value = min(max(float(_debiased(gaps, errors).sum()), 0.0), 1.0)
    flags = [LOW_SUPPORT] if rows < _LEAST_ROWS else []
    groups = _groups(table)
    if groups is not None and groups < FEW_GROUPS:
        flags.append(FEW_GROUPS_FLAG)
    if groups == 1:
        return Estimate(value, rows, flags=tuple(flags))
    free = math.inf if groups is None else groups - 1.0
    interval = _interval(value, error, gaps, errors, free)
    method = "debiased" if groups is None else "debiased_clustered"
    return Estimate(value, rows, method=method, interval=interval, flags=tuple(flags))


def _debiased(gaps: Floats, errors: Floats) -> Floats:
    """Gaps less what they would grow by, were they drawn again with these errors.

    Twice the gap less the mean of |N(gap, error²)|, which is known in closed form.
    """
    from scipy.special import ndtr

    ratio = gaps / np.maximum(errors, np.finfo(np.float64).tiny)
    again = errors * math.sqrt(2 / math.pi) * np.exp(-np.minimum(ratio, 40.0) ** 2 / 2)
    again += gaps * (1 - 2 * ndtr(-ratio))
    debiased: Floats = 2 * gaps - again
    return debiased


def _interval(
    value: float, error: float, gaps: Floats, errors: Floats, free: float
) -> IntervalFunction:
    unsure = float(errors[gaps < _CLEAR * errors].sum())

    def interval(confidence: float) -> Tuple[float, float]:
        half = quantile(confidence, free) * error
        low = value - half - _TOO_LARGE * unsure
        return max(low, 0.0), min(value + half + _TOO_SMALL * unsure, 1.0)

    return interval


def _errors(table: CalibrationBins) -> Tuple[Floats, float]:
    """The standard errors of the sums of w (y − p): of each bin's, and of all bins'.

    All bins' is that of the sum of what they lack, each with the sign of its gap.
    """
    used = table.rows > 0
    more = np.zeros(len(used))
    more[used] = _MORE * table.squares[used] / table.rows[used]
    if table.groups is None:
        variances = table.gap_squares + more
        return np.sqrt(variances), math.sqrt(variances.sum())
    groups = _groups(table) or 0
    factor = groups / max(groups - 1, 1)
    variances = factor * (table.groups**2).sum(axis=0) + more
    signed = table.groups @ np.sign(table.gaps)
    return np.sqrt(variances), math.sqrt(factor * (signed @ signed) + more.sum())


def _groups(table: CalibrationBins) -> Optional[int]:
    return None if table.buckets is None else int(np.count_nonzero(table.buckets))

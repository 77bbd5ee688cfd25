"""Estimates from tables of losses: means, roots and ratios of means, differences."""

from __future__ import annotations

import math
import sys
from functools import partial
from typing import Optional, Tuple

from pytest_mlops.core.metrics import Estimate, IntervalFunction, MetricOptions
from pytest_mlops.evidence.groups import FEW_GROUPS
from pytest_mlops.evidence.metrics.estimates import (
    FEW_DISCORDANT_FLAG,
    FEW_GROUPS_FLAG,
    LOW_SUPPORT,
    counted,
    no_rows,
    undefined,
)
from pytest_mlops.evidence.metrics.tails import (
    HEAVY_TAILS,
    REACH,
    carried_by_few,
    heavier_than_normal,
    lopsided,
    reach_of,
)
from pytest_mlops.evidence.spread import Spread, mapped, no_width, skewed
from pytest_mlops.evidence.tables.loss_tables import (
    CANDIDATE,
    CHANGE,
    TARGET,
    VALUE,
    LossTable,
    PairedLossTable,
)
from pytest_mlops.evidence.tables.moments import SPREAD, Moments

#: With fewer rows than this on which two models differ, their difference is uncertain.
FEW_DISCORDANT_ROWS = 20

#: So few rows may well lack the large losses that there are.
FEW_LOSSES = 100

#: A mean square below this is none: the reciprocal of less is no number.
_TINY = 1e-300

AT_LEAST_ZERO = (0.0, math.inf)
ANY = (-math.inf, math.inf)


def mean(
    loss: str, limits: Tuple[float, float], table: LossTable, options: MetricOptions
) -> Estimate:
    """The mean of a loss."""
    moments = table.losses[loss]
    if not moments.weight:
        return no_rows()
    value, spread = moments.mean(VALUE), moments.spread(value=1.0)
    if spread is None:
        return _without_spread(value, moments)
    heavy = carried_by_few(value, spread) if limits[0] == 0 else lopsided(spread)
    interval = skewed(value, spread, limits, reach_of(heavy, spread))
    return _estimate(value, moments, spread, interval, "moments", _told(heavy))


def root_mean(table: LossTable, options: MetricOptions) -> Estimate:
    """The root of the mean squared error."""
    moments = table.losses["squared_error"]
    if not moments.weight:
        return no_rows()
    square, spread = moments.mean(VALUE), moments.spread(value=1.0)
    value = math.sqrt(square)
    if spread is None:
        return _without_spread(value, moments)
    heavy = heavier_than_normal(square, spread)
    interval = skewed(square, spread, AT_LEAST_ZERO, reach_of(heavy, spread))
    ends = mapped(interval, math.sqrt)
    return _estimate(value, moments, spread, ends, "moments", _told(heavy))


def explained(table: LossTable, options: MetricOptions) -> Estimate:
    """R²: the share of the target's variance that is explained."""
    moments = table.losses["squared_error"]
    if not moments.weight:
        return no_rows()
    square, whole = moments.mean(VALUE), moments.mean(SPREAD)
    if whole < _TINY:
        return _constant_target(moments)
    ratio = square / whole
    if square < _TINY:
        return _without_spread(1 - ratio, moments)
    # The derivatives of ln square − ln whole.
    spread = moments.spread(value=1 / square, spread=-1 / whole)
    if spread is None:
        return _without_spread(1 - ratio, moments)
    heavy = _heavy_squares(moments)
    reach = (1.0, REACH) if heavy else (1.0, 1.0)
    relative = skewed(1.0, spread, AT_LEAST_ZERO, reach)
    interval = mapped(relative, partial(_rest, ratio))
    return _estimate(1 - ratio, moments, spread, interval, "delta_log", _told(heavy))


def difference_of_means(
    loss: str, table: PairedLossTable, options: MetricOptions, factor: float
) -> Estimate:
    """The candidate's mean loss less *factor* times the baseline's."""
    moments = table.losses[loss]
    if not moments.weight:
        return no_rows()
    value = (1 - factor) * moments.mean(CANDIDATE) + factor * moments.mean(CHANGE)
    spread = moments.spread(candidate=1 - factor, change=factor)
    return _difference(value, spread, table, moments, "paired_moments")


def difference_of_roots(
    table: PairedLossTable, options: MetricOptions, factor: float
) -> Estimate:
    """The candidate's RMSE less *factor* times the baseline's, by the delta method."""
    moments = table.losses["squared_error"]
    if not moments.weight:
        return no_rows()
    square, change = moments.mean(CANDIDATE), moments.mean(CHANGE)
    candidate, baseline = math.sqrt(square), math.sqrt(max(square - change, 0.0))
    if min(candidate, baseline) ** 2 < _TINY:
        value = candidate - factor * baseline
        return _difference(value, None, table, moments, "paired_delta")
    # a − f b = (1 − f) a + f (a² − b²) / (a + b): nothing is lost where a is nearly b.
    value = (1 - factor) * candidate + factor * change / (candidate + baseline)
    # The derivatives of √c − f √(c − d) by c and d.
    by_change = factor / (2 * baseline)
    apart = -change / candidate / baseline / (candidate + baseline) / 2
    by_candidate = (1 - factor) / (2 * candidate) + factor * apart
    spread = moments.spread(candidate=by_candidate, change=by_change)
    return _difference(value, spread, table, moments, "paired_delta")


def difference_of_explained(
    table: PairedLossTable, options: MetricOptions, factor: float
) -> Estimate:
    """The candidate's R² less *factor* times the baseline's, by the delta method."""
    moments = table.losses["squared_error"]
    if not moments.weight:
        return no_rows()
    whole = moments.mean(SPREAD)
    if whole < _TINY:
        return _constant_target(moments)
    left = (1 - factor) * moments.mean(CANDIDATE) + factor * moments.mean(CHANGE)
    spread = moments.spread(candidate=factor - 1, change=-factor, spread=left / whole)
    spread = spread and spread.scaled(1 / whole)
    value = 1 - factor - left / whole
    return _difference(value, spread, table, moments, "paired_delta")


def _heavy_squares(moments: Moments) -> bool:
    """Whether the errors or the target have heavy tails."""
    each = ((VALUE, moments.spread(value=1.0)), (SPREAD, moments.spread(spread=1.0)))
    return any(
        one is not None and heavier_than_normal(moments.mean(name), one)
        for name, one in each
    )


def _rest(ratio: float, factor: float) -> float:
    return max(1 - ratio * factor, -sys.float_info.max)


def _constant_target(moments: Moments) -> Estimate:
    target, rows = moments.mean(TARGET), counted(moments.rows)
    return undefined(moments.rows, f"the target is {target:g} in all of {rows}")


def _difference(
    value: float,
    spread: Optional[Spread],
    table: PairedLossTable,
    moments: Moments,
    method: str,
) -> Estimate:
    flags = (FEW_DISCORDANT_FLAG,) if table.discordant < FEW_DISCORDANT_ROWS else ()
    if spread is None and not table.discordant and not value:
        return Estimate(0.0, moments.rows, None, method, no_width, flags)
    if spread is None:
        return _without_spread(value, moments, flags)
    heavy = lopsided(spread)
    interval = skewed(value, spread, ANY, reach_of(heavy, spread))
    flags = (*_told(heavy), *flags)
    return _estimate(value, moments, spread, interval, method, flags)


def _without_spread(
    value: float, moments: Moments, flags: Tuple[str, ...] = ()
) -> Estimate:
    """All rows say the same, or there is but one: how sure one can be, nobody knows."""
    return Estimate(value, moments.rows, flags=(LOW_SUPPORT, *flags))


def _told(heavy: bool) -> Tuple[str, ...]:
    return (HEAVY_TAILS,) if heavy else ()


def _estimate(
    value: float,
    moments: Moments,
    spread: Spread,
    interval: IntervalFunction,
    method: str,
    flags: Tuple[str, ...],
) -> Estimate:
    if spread.clustered:
        method = f"{method}_clustered"
        if spread.degrees + 1 < FEW_GROUPS:
            flags = (FEW_GROUPS_FLAG, *flags)
    if moments.rows < FEW_LOSSES:
        # Of so few rows nobody can tell what their tails are.
        flags = (LOW_SUPPORT, *(flag for flag in flags if flag != HEAVY_TAILS))
    return Estimate(value, moments.rows, method=method, interval=interval, flags=flags)

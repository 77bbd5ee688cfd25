"""Metrics from moments: means of losses and errors, RMSE and R²."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import Callable, List, Tuple

from pytest_mlops.core.metrics import Better, Estimate, Metric, MetricOptions, TableKind
from pytest_mlops.evidence.intervals import normal, on_log_scale
from pytest_mlops.evidence.metrics.estimates import (
    FEW_ROWS,
    LOW_SUPPORT,
    counted,
    no_rows,
    undefined,
)
from pytest_mlops.evidence.tables import ERRORS, LOSSES
from pytest_mlops.evidence.tables.moments import Moments

_AT_LEAST_ZERO = (0.0, math.inf)
_ANY = (-math.inf, math.inf)

Estimator = Callable[[Moments, MetricOptions], Estimate]


def loss_metrics() -> List[Metric]:
    """Log loss and the Brier score."""
    log_loss = _metric(
        LOSSES,
        "log_loss",
        "mean surprise at the truth, in nats",
        "mean of −ln p(truth), p clipped to [ε, 1 − ε]",
        "scikit-learn: metrics.log_loss",
        partial(_mean, "log_loss", _AT_LEAST_ZERO),
    )
    brier = _metric(
        LOSSES,
        "brier",
        "mean squared distance of probabilities from the truth",
        "mean of (p − y)²; of three classes or more, summed over the classes",
        "scikit-learn: metrics.brier_score_loss (scale_by_half='auto')",
        _brier,
    )
    return [log_loss, replace(brier, limits=(0.0, 2.0))]


def regression_metrics() -> List[Metric]:
    """MAE, RMSE, R², MAPE and bias."""
    mae = _metric(
        ERRORS,
        "mae",
        "mean absolute error, in the target's unit",
        "mean of |predicted − true|",
        "scikit-learn: metrics.mean_absolute_error",
        partial(_mean, "absolute_error", _AT_LEAST_ZERO),
    )
    rmse = _metric(
        ERRORS,
        "rmse",
        "root of the mean squared error, in the target's unit",
        "√ mean of (predicted − true)²",
        "scikit-learn: metrics.root_mean_squared_error",
        _rmse,
    )
    r2 = _metric(
        ERRORS,
        "r2",
        "share of the target's variance that is explained",
        "1 − Σ (predicted − true)² / Σ (true − mean true)²",
        "scikit-learn: metrics.r2_score",
        _r2,
    )
    mape = _metric(
        ERRORS,
        "mape",
        "mean absolute error as a fraction of the truth",
        "mean of |predicted − true| / max(|true|, ε)",
        "scikit-learn: metrics.mean_absolute_percentage_error",
        partial(_mean, "percentage_error", _AT_LEAST_ZERO),
    )
    bias = _metric(
        ERRORS,
        "bias",
        "mean error: above 0 where predictions are too high",
        "mean of (predicted − true)",
        "Walther & Moore, The concepts of bias, precision and accuracy (2005)",
        partial(_mean, "error", _ANY),
    )
    return [
        mae,
        replace(rmse, interval_method="delta method on the log scale"),
        replace(
            r2,
            better=Better.HIGHER,
            interval_method="none",
            limits=(-math.inf, 1.0),
        ),
        mape,
        replace(bias, better=Better.NEITHER, limits=_ANY),
    ]


def _metric(
    kind: TableKind,
    name: str,
    title: str,
    formula: str,
    source: str,
    estimate: Estimator,
) -> Metric:
    """A metric that is the better the nearer to 0 it is."""
    return Metric(
        name=name,
        title=title,
        formula=formula,
        source=source,
        better=Better.LOWER,
        kind=kind,
        estimate=estimate,
        interval_method="normal, from the moments",
        limits=_AT_LEAST_ZERO,
    )


def _mean(
    name: str, limits: Tuple[float, float], table: Moments, options: MetricOptions
) -> Estimate:
    if not table.weight:
        return no_rows()
    value, error = table.mean(name), table.standard_error(name)
    if not error:
        return _without_spread(value, table)
    interval = normal(value, error, limits)
    return Estimate(
        value, table.rows, method="moments", interval=interval, flags=_flags(table)
    )


def _brier(table: Moments, options: MetricOptions) -> Estimate:
    # Of one class against the rest it is a squared probability.
    most = 2.0 if options.positive is None else 1.0
    return _mean("brier", (0.0, most), table, options)


def _rmse(table: Moments, options: MetricOptions) -> Estimate:
    if not table.weight:
        return no_rows()
    square = table.mean("squared_error")
    value, error = math.sqrt(square), table.standard_error("squared_error")
    if not error:
        return _without_spread(value, table)
    # The derivative of ln √x is 1 / 2x.
    interval = on_log_scale(value, error / (2 * square))
    return Estimate(
        value, table.rows, method="delta_log", interval=interval, flags=_flags(table)
    )


def _r2(table: Moments, options: MetricOptions) -> Estimate:
    if not table.weight:
        return no_rows()
    spread = table.comoment("target")
    if not spread:
        target = table.mean("target")
        rows = counted(table.rows)
        return undefined(table.rows, f"the target is {target:g} in all of {rows}")
    # No interval yet: the joint moments of squared error and target are not enough
    # for one that keeps its confidence under heavy tails.
    unexplained = table.mean("squared_error") * table.weight / spread
    return Estimate(1 - unexplained, table.rows)


def _without_spread(value: float, table: Moments) -> Estimate:
    """All rows say the same, or there is but one: how sure one can be, nobody knows."""
    return Estimate(value, table.rows, flags=(LOW_SUPPORT,))


def _flags(table: Moments) -> Tuple[str, ...]:
    return (LOW_SUPPORT,) if table.rows < FEW_ROWS else ()

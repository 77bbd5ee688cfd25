"""Metrics that are means of losses and errors, or made of such means."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import Callable, List, Tuple

from pytest_mlops.core.metrics import Better, Estimate, Metric, MetricOptions, TableKind
from pytest_mlops.evidence.metrics.loss_estimates import (
    ANY,
    AT_LEAST_ZERO,
    difference_of_explained,
    difference_of_means,
    difference_of_roots,
    explained,
    mean,
    root_mean,
)
from pytest_mlops.evidence.tables import ERRORS, LOSSES
from pytest_mlops.evidence.tables.loss_tables import LossTable, PairedLossTable

#: What estimates a metric, and its difference between two models.
_Estimators = Tuple[
    Callable[[LossTable, MetricOptions], Estimate],
    Callable[[PairedLossTable, MetricOptions, float], Estimate],
]


def loss_metrics() -> List[Metric]:
    """Log loss and the Brier score."""
    log_loss = _metric(
        LOSSES,
        "log_loss",
        "mean surprise at the truth, in nats",
        "mean of −ln p(truth), p clipped to [ε, 1 − ε]",
        "scikit-learn: metrics.log_loss",
        _mean("log_loss"),
    )
    brier = _metric(
        LOSSES,
        "brier",
        "mean squared distance of probabilities from the truth",
        "mean of (p − y)²; of three classes or more, summed over the classes",
        "scikit-learn: metrics.brier_score_loss (scale_by_half='auto')",
        (_brier, partial(difference_of_means, "brier")),
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
        _mean("absolute_error"),
    )
    rmse = _metric(
        ERRORS,
        "rmse",
        "root of the mean squared error, in the target's unit",
        "√ mean of (predicted − true)²",
        "scikit-learn: metrics.root_mean_squared_error",
        (root_mean, difference_of_roots),
    )
    r2 = _metric(
        ERRORS,
        "r2",
        "share of the target's variance that is explained",
        "1 − Σ (predicted − true)² / Σ (true − mean true)²",
        "scikit-learn: metrics.r2_score",
        (explained, difference_of_explained),
    )
    mape = _metric(
        ERRORS,
        "mape",
        "mean absolute error as a fraction of the truth",
        "mean of |predicted − true| / max(|true|, ε)",
        "scikit-learn: metrics.mean_absolute_percentage_error",
        _mean("percentage_error"),
    )
    bias = _metric(
        ERRORS,
        "bias",
        "mean error: above 0 where predictions are too high",
        "mean of (predicted − true)",
        "Walther & Moore, The concepts of bias, precision and accuracy (2005)",
        _mean("error", ANY),
    )
    return [
        mae,
        rmse,
        replace(
            r2,
            better=Better.HIGHER,
            interval_method="delta method on the log scale of 1 − R²",
            limits=(-math.inf, 1.0),
        ),
        mape,
        replace(bias, better=Better.NEITHER, limits=ANY),
    ]


def _metric(
    kind: TableKind,
    name: str,
    title: str,
    formula: str,
    source: str,
    estimates: _Estimators,
) -> Metric:
    """A metric that is the better the nearer to 0 it is."""
    estimate, difference = estimates
    return Metric(
        name=name,
        title=title,
        formula=formula,
        source=source,
        better=Better.LOWER,
        kind=kind,
        estimate=estimate,
        difference=difference,
        interval_method="Student's t and a correction for skewness, from the moments",
        limits=AT_LEAST_ZERO,
    )


def _mean(loss: str, limits: Tuple[float, float] = AT_LEAST_ZERO) -> _Estimators:
    return partial(mean, loss, limits), partial(difference_of_means, loss)


def _brier(table: LossTable, options: MetricOptions) -> Estimate:
    # Of one class against the rest it is a squared probability.
    most = 2.0 if options.positive is None else 1.0
    return mean("brier", (0.0, most), table, options)

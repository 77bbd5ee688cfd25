"""The metrics that gates may name without a plugin, and those of users' functions."""

from __future__ import annotations

from typing import List

from pytest_mlops.core.metrics import Metric
from pytest_mlops.evidence.metrics.agreement import agreement_metrics
from pytest_mlops.evidence.metrics.calibration import calibration_metrics
from pytest_mlops.evidence.metrics.custom import custom_metric
from pytest_mlops.evidence.metrics.fairness import fairness_metrics
from pytest_mlops.evidence.metrics.functions import function_metric
from pytest_mlops.evidence.metrics.means import loss_metrics, regression_metrics
from pytest_mlops.evidence.metrics.ranking import ranking_metrics
from pytest_mlops.evidence.metrics.ratios import ratio_metrics

__all__ = ["builtin_metrics", "custom_metric", "function_metric"]


def builtin_metrics() -> List[Metric]:
    """Every built-in metric, in the order in which they are documented."""
    return [
        *agreement_metrics(),
        *ratio_metrics(),
        *fairness_metrics(),
        *ranking_metrics(),
        *calibration_metrics(),
        *loss_metrics(),
        *regression_metrics(),
    ]

"""Metrics of how well scores rank rows: ROC AUC and average precision."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Callable, List, Tuple

import numpy as np

from pytest_mlops.core.metrics import Better, Estimate, Metric, MetricOptions
from pytest_mlops.core.rows import Label
from pytest_mlops.evidence.labels import canonical, listed
from pytest_mlops.evidence.metrics.estimates import (
    UNIT,
    counted,
    no_rows,
    undefined,
)
from pytest_mlops.evidence.tables import SCORES
from pytest_mlops.evidence.tables.ranks import Levels, Ranks
from pytest_mlops.evidence.tables.scores import ScoreTable

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Floats

#: The value was computed from bins; ``error_bound`` says how far off it may be.
BINNED = "binned"

#: From levels to the value and how far off it may be.
Ranking = Callable[[Levels], Tuple[float, float]]


def ranking_metrics() -> List[Metric]:
    """ROC AUC and average precision; several classes one by one against the rest."""
    return [
        Metric(
            name="roc_auc",
            title="chance that a positive scores above a negative",
            formula="P(score of a positive > of a negative) + ½ P(equal); without a "
            "positive label the mean over classes, each against the rest",
            source="scikit-learn: metrics.roc_auc_score (multi_class='ovr')",
            better=Better.HIGHER,
            kind=SCORES,
            estimate=partial(_estimate, roc_auc, True),
            limits=UNIT,
        ),
        Metric(
            name="average_precision",
            title="mean precision over the positives, by descending score",
            formula="Σ (R_k − R_k−1) P_k; without a positive label the mean over "
            "classes, each against the rest",
            source="scikit-learn: metrics.average_precision_score",
            better=Better.HIGHER,
            kind=SCORES,
            estimate=partial(_estimate, average_precision, False),
            limits=UNIT,
        ),
    ]


def roc_auc(levels: Levels) -> Tuple[float, float]:
    """The area under the ROC curve, and how far off bins may have put it.

    Pairs of a positive and a negative in one bin count one half, and the truth of each
    lies between 0 and 1: so the bound is half their share of all pairs.
    """
    negatives, positives = levels.negatives, levels.positives
    pairs = negatives.sum() * positives.sum()
    below = np.cumsum(negatives) - negatives
    tied = float(positives @ negatives) / 2
    value = (float(positives @ below) + tied) / pairs
    return _unit(value), 0.0 if levels.exact else tied / pairs


def average_precision(levels: Levels) -> Tuple[float, float]:
    """The average precision, and how far off bins may have put it.

    Within a bin it is least when all negatives come first and greatest when all
    positives do; the sums over the positives are bounded by an integral and by the
    last precision.
    """
    positives, negatives = levels.positives[::-1], levels.negatives[::-1]
    found, alarms = np.cumsum(positives), np.cumsum(negatives)
    heavy = positives > 0
    share = (positives / positives.sum())[heavy]
    found, alarms = found[heavy], alarms[heavy]
    value = float(share @ (found / (found + alarms)))
    if levels.exact:
        return _unit(value), 0.0
    before = alarms - negatives[heavy]
    most = float(share @ (found / (found + before)))
    gained = _mean_precision(found - positives[heavy], positives[heavy], alarms)
    least = float(share @ gained)
    return _unit(value), max(most - value, value - least, 0.0)


def _mean_precision(found: Floats, more: Floats, alarms: Floats) -> Floats:
    """The mean of x / (x + alarms) for x from *found* to *found* + *more*."""
    lost = np.zeros_like(more)
    some = alarms > 0
    start = (found + alarms)[some]
    lost[some] = alarms[some] * np.log1p(more[some] / start) / more[some]
    mean: Floats = 1 - lost
    return mean


def _unit(value: float) -> float:
    return min(max(value, 0.0), 1.0)


def _estimate(
    ranking: Ranking, both: bool, table: ScoreTable, options: MetricOptions
) -> Estimate:
    """One class against the rest, or the mean over all.

    Args:
        ranking: the metric of one class.
        both: whether it needs negatives as well as positives.
        table: the scores.
        options: the positive label.
    """
    wanted = list(table.classes)
    if options.positive is not None:
        wanted = [label for label in wanted if label == canonical(options.positive)]
    if not wanted:
        return undefined(0, f"only classes {listed(table.classes)} have scores")
    ranks = [table.classes[label] for label in wanted]
    rows = ranks[0].rows
    reasons = [_undefined(*one, both) for one in zip(wanted, ranks)]
    reason = next((reason for reason in reasons if reason), None)
    if not rows or reason:
        return undefined(rows, reason) if rows and reason else no_rows()
    # No interval yet: DeLong's for the area, from the same levels, would stand here.
    found: Any = [ranking(one.levels) for one in ranks]
    value, bound = np.mean(found, axis=0).tolist()
    flags = () if all(one.levels.exact for one in ranks) else (BINNED,)
    return Estimate(value, rows, flags=flags, error_bound=bound)


def _undefined(label: Label, ranks: Ranks, both: bool) -> str:
    """Why a class cannot be ranked; empty where it can."""
    rows = counted(ranks.rows)
    if not ranks.levels.positives.any():
        return f"none of {rows} is of class {label!r}"
    if both and not ranks.levels.negatives.any():
        return f"every one of {rows} is of class {label!r}: there is nothing below it"
    return ""

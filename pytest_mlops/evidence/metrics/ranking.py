"""Metrics of how well scores rank rows: ROC AUC and average precision."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Callable, List, Tuple, Union

import numpy as np

from pytest_mlops.core.metrics import Better, Estimate, Metric, MetricOptions
from pytest_mlops.core.rows import Label
from pytest_mlops.evidence.areas import (
    HALF_A_ROW,
    Area,
    Pull,
    precision_area,
    precision_pull,
    roc_area,
    roc_pull,
)
from pytest_mlops.evidence.groups import FEW_GROUPS
from pytest_mlops.evidence.influence import Spread
from pytest_mlops.evidence.labels import canonical, listed
from pytest_mlops.evidence.metrics.estimates import (
    FEW_DISCORDANT_FLAG,
    FEW_GROUPS_FLAG,
    LOW_SUPPORT,
    UNIT,
    counted,
    no_rows,
    undefined,
)
from pytest_mlops.evidence.pulled import pulled, symmetric
from pytest_mlops.evidence.rank_spread import (
    Side,
    effective_rows,
    spread_of_difference,
    spread_of_mean,
)
from pytest_mlops.evidence.tables import SCORES
from pytest_mlops.evidence.tables.levels import Levels
from pytest_mlops.evidence.tables.ranks import Ranks
from pytest_mlops.evidence.tables.score_pairs import ScorePairs
from pytest_mlops.evidence.tables.scores import ScoreTable

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Floats

#: The value was computed from bins; ``error_bound`` says how far off it may be.
BINNED = "binned"

#: With a variance made by fewer rows than this, an area is uncertain of its own error.
_LEAST_SUPPORT = 5

#: With fewer rows than this that make a difference, it is.
_LEAST_DISCORDANT = 20


@dataclass(frozen=True)
class _Ranking:
    """One metric of ranks.

    Attributes:
        area: its value on some levels.
        pull: the doubt about it.
        negatives: the least number of negatives; 0: it needs none.
        positives: the least number of positives without a flag.
        method: the name of its interval.
        student: whether its error is known from its positives alone, as that of a mean.
    """

    area: Callable[[Levels], Area]
    pull: Callable[[Area, Levels, Floats], Pull]
    negatives: int
    positives: int
    method: str
    student: bool


_ROC = _Ranking(roc_area, roc_pull, 20, 20, "delong", False)
_PRECISION = _Ranking(precision_area, precision_pull, 0, 100, "influence", True)


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
            estimate=partial(_estimate, _ROC),
            difference=partial(_difference, _ROC),
            interval_method="DeLong on the logit scale",
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
            estimate=partial(_estimate, _PRECISION),
            difference=partial(_difference, _PRECISION),
            interval_method="influence of each row, on the logit scale",
            limits=UNIT,
        ),
    ]


def _estimate(ranking: _Ranking, table: ScoreTable, options: MetricOptions) -> Estimate:
    """One class against the rest, or the mean over all."""
    side = _side(ranking, table, options)
    if isinstance(side, Estimate):
        return side
    spread = spread_of_mean(side)
    rows = np.stack([effective_rows(ranks) for ranks in side.ranks])
    pulls = [
        ranking.pull(area, ranks.levels, each)
        for area, ranks, each in zip(side.areas, side.ranks, rows)
    ]
    doubt = sum(math.sqrt(pull.variance) for pull in pulls) / len(pulls)
    interval = pulled(
        side.value,
        spread.error,
        sum(pull.centre for pull in pulls) / len(pulls),
        math.hypot(spread.error, doubt),
        _freedom(ranking, spread, rows),
    )
    plain = Estimate(
        side.value,
        side.ranks[0].rows,
        method=ranking.method + "_logit",
        interval=interval,
        flags=_flags(ranking, side, rows, spread.support < _LEAST_SUPPORT),
        error_bound=side.bound,
    )
    return _over_groups(plain, spread)


def _difference(
    ranking: _Ranking, pairs: ScorePairs, options: MetricOptions, factor: float
) -> Estimate:
    """Candidate − *factor* × baseline, each one class or the mean over all."""
    found = [
        _side(ranking, table, options) for table in (pairs.candidate, pairs.baseline)
    ]
    for side in found:
        if isinstance(side, Estimate):
            return side
    candidate, baseline = (side for side in found if isinstance(side, Side))
    if candidate.labels != baseline.labels:
        return undefined(
            candidate.ranks[0].rows,
            f"the candidate has scores of {listed(candidate.labels)}, the baseline of "
            f"{listed(baseline.labels)}",
        )
    spread = spread_of_difference(candidate, baseline, pairs.joint, factor)
    rows = np.stack([effective_rows(ranks) for ranks in candidate.ranks])
    value = candidate.value - factor * baseline.value
    few = (FEW_DISCORDANT_FLAG,) if spread.support < _LEAST_DISCORDANT else ()
    plain = Estimate(
        value,
        candidate.ranks[0].rows,
        method=ranking.method + "_paired",
        interval=symmetric(
            value,
            math.sqrt(spread.variance + _unseen(spread, rows)),
            (-factor, 1.0),
            _freedom(ranking, spread, rows),
        ),
        flags=(*few, *_flags(ranking, candidate, rows, False)),
        error_bound=candidate.bound + factor * baseline.bound,
    )
    return _over_groups(plain, spread)


def _unseen(spread: Spread, rows: Floats) -> float:
    """What half a row more in each class would add to the variance of a difference.

    It differs as much as the row that differs most; where none does, by one half.
    """
    default = float((0.25 / np.maximum(rows, 1) ** 2).sum(axis=1).max())
    return HALF_A_ROW * (spread.largest or default)


def _side(
    ranking: _Ranking, table: ScoreTable, options: MetricOptions
) -> Union[Side, Estimate]:
    """The areas that are meant, or why there is no value."""
    wanted = list(table.classes)
    if options.positive is not None:
        wanted = [label for label in wanted if label == canonical(options.positive)]
    if not wanted:
        return undefined(0, f"only classes {listed(table.classes)} have scores")
    ranks = tuple(table.classes[label] for label in wanted)
    rows = ranks[0].rows
    if not rows:
        return no_rows()
    for label, each in zip(wanted, ranks):
        reason = _undefined(label, each, ranking.negatives > 0)
        if reason:
            return undefined(rows, reason)
    areas = tuple(ranking.area(each.levels) for each in ranks)
    return Side(tuple(wanted), ranks, areas)


def _undefined(label: Label, ranks: Ranks, both: bool) -> str:
    """Why a class cannot be ranked; empty where it can."""
    rows = counted(ranks.rows)
    negatives, positives = ranks.levels.mass
    if not positives.any():
        return f"none of {rows} is of class {label!r}"
    if both and not negatives.any():
        return f"every one of {rows} is of class {label!r}: there is nothing below it"
    return ""


def _freedom(ranking: _Ranking, spread: Spread, rows: Floats) -> float:
    """Of which Student's distribution the error's quantile is; infinite: the normal."""
    if spread.groups is not None:
        return max(spread.groups - 1.0, 1.0)
    return max(float(rows[:, 1].min()) - 1, 1.0) if ranking.student else math.inf


def _flags(
    ranking: _Ranking, side: Side, rows: Floats, uncertain: bool
) -> Tuple[str, ...]:
    least = ranking.negatives, ranking.positives
    flags = {
        LOW_SUPPORT: uncertain or bool((rows < least).any()),
        BINNED: bool(side.binned()),
    }
    return tuple(flag for flag, raised in flags.items() if raised)


def _over_groups(found: Estimate, spread: Spread) -> Estimate:
    """An estimate that says so where its interval is over groups of rows."""
    if spread.groups is None:
        return found
    few = (FEW_GROUPS_FLAG,) if spread.groups < FEW_GROUPS else ()
    found = replace(found, flags=(*found.flags, *few))
    if spread.groups < 2:
        return replace(found, method=None, interval=None)
    return replace(found, method=f"{found.method}_clustered")

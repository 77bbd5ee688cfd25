"""Metrics on the whole table of labels: accuracy, its balanced kin, MCC, kappa."""

from __future__ import annotations

from typing import Any, List, Tuple, Union

import numpy as np
from numpy.typing import NDArray

from pytest_mlops.core.metrics import Better, Estimate, Metric, MetricOptions
from pytest_mlops.evidence.delta import Statistic
from pytest_mlops.evidence.metrics.differences import compared
from pytest_mlops.evidence.metrics.estimates import (
    SIGNED_UNIT,
    UNIT,
    counted,
    no_rows,
    undefined,
)
from pytest_mlops.evidence.metrics.readings import (
    Ratio,
    Read,
    Reading,
    Share,
    estimated,
)
from pytest_mlops.evidence.tables import LABELS
from pytest_mlops.evidence.tables.cells import CellTable
from pytest_mlops.evidence.tables.counts import LabelCounts, Margins

HITS = Ratio(lambda m: m.hits, lambda m: m.true, "has no row")


def agreement_metrics() -> List[Metric]:
    """Accuracy, balanced accuracy, Matthews' correlation and Cohen's kappa."""
    small = "; where counts are small the wider of it and the Dirichlet posterior"
    return [
        _metric(
            accuracy,
            UNIT,
            name="accuracy",
            title="share of rows that are predicted right",
            formula="hits / rows",
            source="scikit-learn: metrics.accuracy_score",
            interval_method="Wilson; with weights or groups on the effective rows",
        ),
        _metric(
            _balanced_accuracy,
            UNIT,
            name="balanced_accuracy",
            title="mean recall over the classes that occur",
            formula="mean over true classes of tp / (tp + fn)",
            source="scikit-learn: metrics.balanced_accuracy_score",
            interval_method="Wilson of both recalls, put together; of more than two "
            "classes, and with weights or groups: delta method on the logit scale"
            f"{small}",
        ),
        _metric(
            _mcc,
            SIGNED_UNIT,
            name="mcc",
            title="correlation of truth and prediction",
            formula="(hits·n − Σ t·p) / √((n² − Σ p²)(n² − Σ t²)), with t true and "
            "p predicted rows of each class",
            source="Gorodkin, Comparing two K-category assignments by a K-category "
            "correlation coefficient (2004); scikit-learn: metrics.matthews_corrcoef",
            interval_method=f"delta method on the atanh scale{small}",
        ),
        _metric(
            _kappa,
            SIGNED_UNIT,
            name="kappa",
            title="agreement beyond what chance would give",
            formula="(accuracy − chance) / (1 − chance), with chance = Σ t·p / n²",
            source="Cohen, A coefficient of agreement for nominal scales (1960); "
            "scikit-learn: metrics.cohen_kappa_score",
            interval_method=f"delta method on the atanh scale{small}",
        ),
    ]


def _metric(read: Read, limits: Tuple[float, float], **documented: Any) -> Metric:
    return Metric(
        better=Better.HIGHER,
        kind=LABELS,
        estimate=estimated(read),
        difference=compared(read),
        limits=limits,
        **documented,
    )


def accuracy(table: LabelCounts, options: MetricOptions) -> Union[Reading, Estimate]:
    """The share of rows that are predicted right."""
    if not table.labels:
        return no_rows()
    # Of rows that all count as one class, those predicted right are its recall.
    return Reading(
        table.hits_and_misses(),
        HITS.of_ones,
        table.total_rows,
        share=Share(HITS),
        view=CellTable.hits_and_misses,
    )


def _balanced_accuracy(
    table: LabelCounts, options: MetricOptions
) -> Union[Reading, Estimate]:
    occurring = np.flatnonzero(table.margins.true)
    if not len(occurring):
        return no_rows()
    if len(occurring) == 1:
        return _only(table, "true", "balanced accuracy")

    def statistic(margins: Margins) -> NDArray[Any]:
        recalls = margins.hits[..., occurring] / margins.true[..., occurring]
        mean: NDArray[Any] = recalls.mean(axis=-1)
        return mean

    # Of many classes the limits' skewness adds up; of two it is that of the mean.
    mean_of = HITS if len(occurring) == 2 else None
    rows = table.total_rows
    return Reading(table, statistic, rows, classes=occurring, mean_of=mean_of)


def _mcc(table: LabelCounts, options: MetricOptions) -> Union[Reading, Estimate]:
    if not table.labels:
        return no_rows()
    for side in ("true", "predicted"):
        if np.count_nonzero(getattr(table.margins, side)) == 1:
            return _only(table, side, "this correlation")
    return _over_classes(table, _correlation)


def _kappa(table: LabelCounts, options: MetricOptions) -> Union[Reading, Estimate]:
    if not table.labels:
        return no_rows()
    if len(table.labels) == 1:
        return _only(table, "true", "agreement beyond chance")
    return _over_classes(table, _beyond_chance)


def _over_classes(table: LabelCounts, statistic: Statistic) -> Reading:
    every = np.arange(len(table.labels))
    return Reading(table, statistic, table.total_rows, SIGNED_UNIT, classes=every)


def _only(table: LabelCounts, side: str, what: str) -> Estimate:
    label = table.labels[int(np.argmax(getattr(table.margins, side)))]
    rows = table.total_rows
    verb = "truly" if side == "true" else "predicted to be"
    all_rows = "the only row is" if rows == 1 else f"all {counted(rows)} are"
    return undefined(
        rows, f"{all_rows} {verb} of class {label!r}, and {what} compares classes"
    )


def _correlation(margins: Margins) -> NDArray[Any]:
    total = margins.total[..., 0]
    both = margins.hits.sum(axis=-1) * total
    both = both - (margins.true * margins.predicted).sum(axis=-1)
    spread_true = total**2 - (margins.true**2).sum(axis=-1)
    spread_predicted = total**2 - (margins.predicted**2).sum(axis=-1)
    correlation: NDArray[Any] = both / np.sqrt(spread_true * spread_predicted)
    return correlation


def _beyond_chance(margins: Margins) -> NDArray[Any]:
    total = margins.total[..., 0]
    chance = (margins.true * margins.predicted).sum(axis=-1)
    agreed = margins.hits.sum(axis=-1) * total
    kappa: NDArray[Any] = (agreed - chance) / (total**2 - chance)
    return kappa

"""Metrics that are a ratio for each class, and their averages over classes."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from operator import methodcaller
from typing import TYPE_CHECKING, Any, List, Union

import numpy as np
from numpy.typing import NDArray

from pytest_mlops.core.metrics import Better, Estimate, Metric, MetricOptions
from pytest_mlops.evidence.delta import Statistic
from pytest_mlops.evidence.labels import canonical, listed
from pytest_mlops.evidence.metrics.agreement import HITS, accuracy
from pytest_mlops.evidence.metrics.differences import compared
from pytest_mlops.evidence.metrics.estimates import UNIT, counted, no_rows, undefined
from pytest_mlops.evidence.metrics.readings import (
    JACCARD,
    Ratio,
    Read,
    Reading,
    Share,
    estimated,
)
from pytest_mlops.evidence.tables import LABELS
from pytest_mlops.evidence.tables.counts import LabelCounts, Margins

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Codes

AVERAGES = ("binary", "micro", "macro", "weighted")

_PRECISION = Ratio(lambda m: m.hits, lambda m: m.predicted, "is never predicted")
_RECALL = HITS
_SPECIFICITY = Ratio(
    lambda m: m.total - m.true - m.predicted + m.hits,
    lambda m: m.total - m.true,
    "leaves no other row",
)


def _f_beta(beta: float) -> Ratio:
    square = beta * beta
    return Ratio(
        lambda m: (1 + square) * m.hits,
        lambda m: m.predicted + square * m.true,
        "is never predicted",
    )


def ratio_metrics() -> List[Metric]:
    """Precision, recall, specificity, F1 and F-beta."""
    averages = "averages: delta method on the logit scale"
    precision = _metric(
        "precision",
        "share of predicted positives that are positive",
        "tp / (tp + fp)",
        partial(_share, _PRECISION),
        f"Wilson; {averages}",
    )
    recall = _metric(
        "recall",
        "share of positives that are found",
        "tp / (tp + fn)",
        partial(_share, _RECALL),
        f"Wilson; {averages}",
    )
    specificity = _metric(
        "specificity",
        "share of negatives that are predicted negative",
        "tn / (tn + fp)",
        partial(_share, _SPECIFICITY),
        f"Wilson; {averages}",
    )
    f1 = _metric(
        "f1",
        "harmonic mean of precision and recall",
        "2 tp / (2 tp + fp + fn)",
        partial(_f, 1.0),
        f"Wilson of tp / (tp + fp + fn), mapped to F1; {averages}",
    )
    fbeta = _metric(
        "fbeta",
        "mean of precision and recall, recall counting β times as much",
        "(1 + β²) tp / ((1 + β²) tp + β² fn + fp)",
        _f_by_option,
        "delta method on the logit scale",
    )
    negatives = "scikit-learn: metrics.recall_score of the rows outside of the class"
    return [
        precision,
        recall,
        replace(specificity, source=negatives),
        f1,
        replace(fbeta, options=frozenset({"average", "beta"})),
    ]


def _metric(
    name: str,
    title: str,
    formula: str,
    read: Read,
    interval_method: str,
) -> Metric:
    return Metric(
        name=name,
        title=title,
        formula=formula,
        source=f"scikit-learn: metrics.{name}_score",
        better=Better.HIGHER,
        kind=LABELS,
        estimate=estimated(read),
        difference=compared(read),
        interval_method=interval_method,
        options=frozenset({"average"}),
        averages=AVERAGES,
        limits=UNIT,
    )


def _share(
    ratio: Ratio, table: LabelCounts, options: MetricOptions
) -> Union[Reading, Estimate]:
    """Precision, recall or specificity: shares of rows."""
    average = _average(options)
    if average != "binary":
        return _averaged(ratio, average, table)
    index = table.index(options.positive)
    if index is None:
        return _unknown_positive(table, options)
    rows = int(ratio.denominator(table.row_margins)[index])
    if not rows:
        return _lacking(ratio, table, [index])
    return _of_one(ratio, table, index, rows, share=Share(ratio))


def _f_by_option(
    table: LabelCounts, options: MetricOptions
) -> Union[Reading, Estimate]:
    if options.beta is None:
        return undefined(table.total_rows, "fbeta needs 'beta', such as beta = 2")
    return _f(options.beta, table, options)


def _f(
    beta: float, table: LabelCounts, options: MetricOptions
) -> Union[Reading, Estimate]:
    """F-beta; of a positive label without a true row it says nothing."""
    ratio, average = _f_beta(beta), _average(options)
    if average != "binary":
        return _averaged(ratio, average, table)
    index = table.index(options.positive)
    if index is None:
        return _unknown_positive(table, options)
    sums = table.row_margins
    if not sums.true[index]:
        return _lacking(_RECALL, table, [index])
    if not ratio.denominator(table.margins)[index]:
        return _lacking(ratio, table, [index])
    rows = int(sums.true[index] + sums.predicted[index] - sums.hits[index])
    if beta == 1:
        return _of_one(ratio, table, index, rows, share=JACCARD)
    return _of_one(ratio, table, index, rows, classes=np.array([1]))


def _of_one(
    ratio: Ratio, table: LabelCounts, index: int, rows: int, **more: Any
) -> Reading:
    """The ratio of one class against the rest."""
    view = methodcaller("against_rest", table.labels[index])
    return Reading(view(table), ratio.of_ones, rows, view=view, **more)


def _average(options: MetricOptions) -> str:
    if options.average is not None:
        return options.average
    return "macro" if options.positive is None else "binary"


def _averaged(
    ratio: Ratio, average: str, table: LabelCounts
) -> Union[Reading, Estimate]:
    if not table.labels:
        return no_rows()
    if average == "micro":
        return _micro(ratio, table)
    # Weighted averages give no weight to classes without a true row.
    chosen = np.arange(len(table.labels))
    if average == "weighted":
        chosen = np.flatnonzero(table.margins.true)
    empty = chosen[ratio.denominator(table.margins)[chosen] == 0]
    if len(empty):
        return _lacking(ratio, table, empty.tolist(), table.total_rows)
    rows = table.total_rows
    if average == "weighted":
        return Reading(table, _weighted_mean_of(ratio, chosen), rows)
    return Reading(table, _mean_of(ratio, chosen), rows, classes=chosen)


def _micro(ratio: Ratio, table: LabelCounts) -> Union[Reading, Estimate]:
    if ratio is not _SPECIFICITY:
        # Each mistake is one false positive and one false negative, so precision,
        # recall and every F are the accuracy; its rows are the independent trials.
        return accuracy(table, MetricOptions())
    if len(table.labels) == 1:
        return _lacking(ratio, table, [0], table.total_rows)
    return Reading(table, _micro_of(ratio), table.total_rows)


def _mean_of(ratio: Ratio, chosen: Codes) -> Statistic:
    def statistic(margins: Margins) -> NDArray[Any]:
        return np.asarray(_each(ratio, margins, chosen).mean(axis=-1))

    return statistic


def _weighted_mean_of(ratio: Ratio, chosen: Codes) -> Statistic:
    def statistic(margins: Margins) -> NDArray[Any]:
        weights = margins.true[..., chosen]
        weighted = (_each(ratio, margins, chosen) * weights).sum(axis=-1)
        return np.asarray(weighted / weights.sum(axis=-1))

    return statistic


def _micro_of(ratio: Ratio) -> Statistic:
    def statistic(margins: Margins) -> NDArray[Any]:
        above = ratio.numerator(margins).sum(axis=-1)
        return np.asarray(above / ratio.denominator(margins).sum(axis=-1))

    return statistic


def _each(ratio: Ratio, margins: Margins, chosen: Codes) -> NDArray[Any]:
    above = ratio.numerator(margins)[..., chosen]
    each: NDArray[Any] = above / ratio.denominator(margins)[..., chosen]
    return each


def _lacking(
    ratio: Ratio, table: LabelCounts, indices: List[int], rows: int = 0
) -> Estimate:
    labels = listed(table.labels[index] for index in indices)
    which = "class" if len(indices) == 1 else "each of the classes"
    total = counted(table.total_rows)
    return undefined(rows, f"{which} {labels} {ratio.lacking} among {total}")


def _unknown_positive(table: LabelCounts, options: MetricOptions) -> Estimate:
    if not table.labels:
        return no_rows()
    if options.positive is None:
        return undefined(0, "average 'binary' needs a positive label")
    return undefined(
        0,
        f"the positive label {canonical(options.positive)!r} is neither true nor "
        f"predicted in any of {counted(table.total_rows)}; the labels there are "
        f"{listed(table.labels)}",
    )

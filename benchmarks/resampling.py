"""The interval that is usual elsewhere: scipy's BCa bootstrap of the rows."""

from __future__ import annotations

import inspect
import warnings
from typing import Any, Callable, Dict, Optional, Sequence, Tuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import stats

from pytest_mlops.core.rows import ClassificationRows, PairedRows, RegressionRows

RESAMPLES = 999

#: Elements of resampled rows that are held in memory at once.
_AT_ONCE = 10_000_000

#: From columns of the shape ``(…, rows)`` to values of the shape ``(…)``.
Statistic = Callable[..., NDArray[Any]]


def bca(name: str, rows: Any, random: Generator) -> Optional[Tuple[float, float]]:
    """The 95 % interval of a metric; None where there is none to compare with.

    Args:
        name: of a built-in metric.
        rows: of one model without groups and weights, or of a pair for the difference.
        random: what the resamples are drawn with.
    """
    found = _statistic(name)
    if found is None:
        return None
    columns_of, statistic = found
    if isinstance(rows, PairedRows):
        first, second = columns_of(rows.candidate), columns_of(rows.baseline)
        half, columns = len(first), [*first, *second]

        def difference(*columns: NDArray[Any]) -> NDArray[Any]:
            return statistic(*columns[:half]) - statistic(*columns[half:])

    else:
        columns, difference = list(columns_of(rows)), statistic
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)
        result = stats.bootstrap(
            columns,
            lambda *columns, axis: difference(*columns),
            n_resamples=RESAMPLES,
            batch=max(1, _AT_ONCE // len(rows)),
            vectorized=True,
            paired=True,
            method="BCa",
            **_seed(random),
        )
    ends = result.confidence_interval
    return float(ends.low), float(ends.high)


def _seed(random: Generator) -> Dict[str, Generator]:
    """The generator, by the name that this version of scipy has for it."""
    known = inspect.signature(stats.bootstrap).parameters
    return {"rng" if "rng" in known else "random_state": random}


def _statistic(
    name: str,
) -> Optional[Tuple[Callable[[Any], Sequence[NDArray[Any]]], Statistic]]:
    if name in _OF_COUNTS:
        of_counts = _OF_COUNTS[name]
        return _cell, lambda cell: of_counts(*_counts(cell))
    if name in _OF_MEANS:
        return _OF_MEANS[name]
    if name in _OF_SCORES:
        return _scores, _OF_SCORES[name]
    return None


def _cell(rows: ClassificationRows) -> Sequence[NDArray[Any]]:
    return [(2 * rows.true.codes + rows.predicted.codes).astype(np.int8)]


def _counts(cell: NDArray[Any]) -> Sequence[NDArray[Any]]:
    """tn, fp, fn, tp."""
    return [(cell == value).sum(axis=-1).astype(np.float64) for value in range(4)]


def _kappa(tn: Any, fp: Any, fn: Any, tp: Any) -> Any:
    rows = tn + fp + fn + tp
    chance = ((tp + fp) * (tp + fn) + (tn + fp) * (tn + fn)) / rows**2
    return ((tp + tn) / rows - chance) / (1 - chance)


_OF_COUNTS: Dict[str, Callable[..., Any]] = {
    "accuracy": lambda tn, fp, fn, tp: (tn + tp) / (tn + fp + fn + tp),
    "balanced_accuracy": lambda tn, fp, fn, tp: (tp / (tp + fn) + tn / (tn + fp)) / 2,
    "mcc": lambda tn, fp, fn, tp: (tp * tn - fp * fn)
    / np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)),
    "kappa": _kappa,
    "precision": lambda tn, fp, fn, tp: tp / (tp + fp),
    "recall": lambda tn, fp, fn, tp: tp / (tp + fn),
    "specificity": lambda tn, fp, fn, tp: tn / (tn + fp),
    "f1": lambda tn, fp, fn, tp: 2 * tp / (2 * tp + fp + fn),
    "fbeta": lambda tn, fp, fn, tp: 5 * tp / (5 * tp + 4 * fn + fp),
}


def _mean(column: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(column.mean(axis=-1))


def _root(column: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(np.sqrt(column.mean(axis=-1)))


def _explained(squares: NDArray[Any], true: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(1 - squares.mean(axis=-1) / true.var(axis=-1))


def _log_loss(rows: ClassificationRows) -> Sequence[NDArray[Any]]:
    assert rows.probabilities is not None
    of_truth = rows.probabilities[np.arange(len(rows)), rows.true.codes]
    return [-np.log(np.clip(of_truth, 1e-15, 1))]


def _brier(rows: ClassificationRows) -> Sequence[NDArray[Any]]:
    assert rows.probabilities is not None
    return [(rows.probabilities[:, 1] - rows.true.codes) ** 2]


def _errors(power: float) -> Callable[[RegressionRows], Sequence[NDArray[Any]]]:
    return lambda rows: [np.abs(rows.predicted - rows.true) ** power]


_OF_MEANS: Dict[str, Tuple[Callable[[Any], Sequence[NDArray[Any]]], Statistic]] = {
    "log_loss": (_log_loss, _mean),
    "brier": (_brier, _mean),
    "mae": (_errors(1), _mean),
    "rmse": (_errors(2), _root),
    "r2": (lambda rows: [*_errors(2)(rows), rows.true], _explained),
    "mape": (lambda rows: [np.abs(rows.predicted / rows.true - 1)], _mean),
    "bias": (lambda rows: [rows.predicted - rows.true], _mean),
}


def _scores(rows: ClassificationRows) -> Sequence[NDArray[Any]]:
    assert rows.probabilities is not None
    return [rows.probabilities[:, 1], rows.true.codes]


def _roc_auc(score: NDArray[Any], true: NDArray[Any]) -> NDArray[Any]:
    # Resampled rows repeat, so ranks are tied.
    ranks = stats.rankdata(score, axis=-1)
    positives = true.sum(axis=-1)
    pairs = positives * (true.shape[-1] - positives)
    above = (ranks * true).sum(axis=-1) - positives * (positives + 1) / 2
    return np.asarray(above / pairs)


def _average_precision(score: NDArray[Any], true: NDArray[Any]) -> NDArray[Any]:
    order = np.argsort(-score, axis=-1, kind="stable")
    sorted_true = np.take_along_axis(true, order, axis=-1)
    sorted_score = np.take_along_axis(score, order, axis=-1)
    rank = np.arange(1, true.shape[-1] + 1)
    precision = np.cumsum(sorted_true, axis=-1) / rank
    # Tied rows have the precision after the last of them.
    last = np.ones(true.shape, bool)
    last[..., :-1] = sorted_score[..., :-1] != sorted_score[..., 1:]
    place = np.where(last, np.arange(true.shape[-1]), true.shape[-1] - 1)
    place = np.minimum.accumulate(place[..., ::-1], axis=-1)[..., ::-1]
    precision = np.take_along_axis(precision, place, axis=-1)
    return np.asarray((precision * sorted_true).sum(axis=-1) / true.sum(axis=-1))


_OF_SCORES: Dict[str, Statistic] = {
    "roc_auc": _roc_auc,
    "average_precision": _average_precision,
}

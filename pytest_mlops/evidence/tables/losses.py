"""Losses of a classification: log loss and Brier score."""

from __future__ import annotations

from typing import TYPE_CHECKING, Dict, Tuple, cast

import numpy as np

from pytest_mlops.core.rows import ClassificationRows, PairedRows
from pytest_mlops.evidence.tables.loss_tables import LossTable, PairedLossTable, Rows
from pytest_mlops.evidence.tables.probabilities import (
    is_positive,
    positive_column,
    probabilities_of,
    true_columns,
)

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Floats


def loss_table(rows: ClassificationRows) -> LossTable:
    """The losses of a batch.

    With a positive label they are about it against the rest, without one about all
    classes. As scikit-learn has them: log loss from probabilities clipped by the
    machine epsilon; the Brier score of several classes is a sum over them (0 to 2),
    that of two is halved (0 to 1).

    Raises:
        DataError: the probabilities are none, or a true label has no probability.
    """
    return LossTable.of(_losses(rows), Rows(rows.weights, rows.groups))


def paired_loss_table(rows: PairedRows) -> PairedLossTable:
    """The losses of two models, as in ``loss_table``."""
    candidate = cast(ClassificationRows, rows.candidate)
    baseline = cast(ClassificationRows, rows.baseline)
    beside = Rows(candidate.weights, candidate.groups)
    return PairedLossTable.of(_losses(candidate), _losses(baseline), beside)


def _losses(rows: ClassificationRows) -> Dict[str, Floats]:
    binary = rows.positive is not None
    true, brier = _binary(rows) if binary else _several(rows)
    epsilon = np.finfo(np.float64).eps
    return {"log_loss": -np.log(np.clip(true, epsilon, 1 - epsilon)), "brier": brier}


def _binary(rows: ClassificationRows) -> Tuple[Floats, Floats]:
    """The probability of what was true, and the Brier score, by row."""
    found = probabilities_of(rows)
    column = positive_column(rows)
    of_positive = found[:, column]
    # Of two classes the other has a column of its own, with digits that 1 − p lacks.
    of_rest = found[:, 1 - column] if found.shape[1] == 2 else 1 - of_positive
    hit = is_positive(rows, rows.positive)
    return np.where(hit, of_positive, of_rest), (of_positive - hit) ** 2


def _several(rows: ClassificationRows) -> Tuple[Floats, Floats]:
    found = probabilities_of(rows)
    columns = true_columns(rows.true, rows.classes)
    each = np.arange(len(columns))
    misses = found.copy()
    misses[each, columns] -= 1
    brier = np.einsum("ij,ij->i", misses, misses)
    return found[each, columns], brier / 2 if found.shape[1] == 2 else brier

"""Losses of a regression: its errors, and the target that explains them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Dict, TypeVar, cast

import numpy as np

from pytest_mlops.core.rows import PairedRows, RegressionRows
from pytest_mlops.errors import DataError
from pytest_mlops.evidence.tables.loss_tables import LossTable, PairedLossTable, Rows
from pytest_mlops.evidence.tables.moments import Moments

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Floats

T = TypeVar("T", LossTable, PairedLossTable)


def error_table(rows: RegressionRows) -> LossTable:
    """The errors (predicted − true) of a batch.

    The percentage error is that of scikit-learn's ``mean_absolute_percentage_error``:
    a fraction of |true|, which is never taken as less than the machine epsilon.

    Raises:
        DataError: an error is too large to be squared.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        return _finite(LossTable.of(_errors(rows), _beside(rows)))


def paired_error_table(rows: PairedRows) -> PairedLossTable:
    """The errors of two models, as in ``error_table``."""
    candidate = cast(RegressionRows, rows.candidate)
    baseline = cast(RegressionRows, rows.baseline)
    with np.errstate(over="ignore", invalid="ignore"):
        both = _errors(candidate), _errors(baseline)
        return _finite(PairedLossTable.of(*both, _beside(candidate)))


def _errors(rows: RegressionRows) -> Dict[str, Floats]:
    epsilon = np.finfo(np.float64).eps
    error = rows.predicted - rows.true
    absolute = np.abs(error)
    return {
        "error": error,
        "absolute_error": absolute,
        "squared_error": error**2,
        "percentage_error": absolute / np.maximum(np.abs(rows.true), epsilon),
    }


def _beside(rows: RegressionRows) -> Rows:
    return Rows(rows.weights, rows.groups, "squared_error", rows.true)


def _finite(table: T) -> T:
    if not all(map(_is_finite, table.losses.values())):
        raise DataError(
            "errors or targets are too large to be squared; give the target in a "
            "larger unit, or look for a broken row"
        )
    return table


def _is_finite(moments: Moments) -> bool:
    sums = moments.sums
    found = (moments.means, sums.first, sums.second, sums.third)
    return all(np.isfinite(array).all() for array in found)

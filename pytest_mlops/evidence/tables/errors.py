"""Moments of a regression: its errors, and the target that explains them."""

from __future__ import annotations

import numpy as np

from pytest_mlops.core.rows import RegressionRows
from pytest_mlops.errors import DataError
from pytest_mlops.evidence.tables.moments import Moments


def error_moments(rows: RegressionRows) -> Moments:
    """The moments of the errors (predicted − true) of a batch, and of its target.

    The percentage error is that of scikit-learn's ``mean_absolute_percentage_error``:
    a fraction of |true|, which is never taken as less than the machine epsilon.

    Raises:
        DataError: an error is too large to be squared.
    """
    epsilon = np.finfo(np.float64).eps
    with np.errstate(over="ignore", invalid="ignore"):
        error = rows.predicted - rows.true
        absolute = np.abs(error)
        found = Moments.of(
            {
                "error": error,
                "absolute_error": absolute,
                "squared_error": error**2,
                "percentage_error": absolute / np.maximum(np.abs(rows.true), epsilon),
                "target": rows.true,
            },
            rows.weights,
        )
    if not np.isfinite(found.comoments).all() or not np.isfinite(found.means).all():
        raise DataError(
            "errors or targets are too large to be squared; give the target in a "
            "larger unit, or look for a broken row"
        )
    return found

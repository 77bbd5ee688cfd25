"""Probabilities of a batch, checked, and where in them each row's truth stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional, Sequence

import numpy as np
from numpy.typing import NDArray

from pytest_mlops.core.rows import ClassificationRows, Label, Labels
from pytest_mlops.errors import DataError, RowsError
from pytest_mlops.evidence.labels import canonical, listed

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Codes, Floats

#: How far the probabilities of a row may be from 1 in sum: models compute in float32.
SUM_TOLERANCE = 1e-3


def scores_of(rows: ClassificationRows) -> Floats:
    """What the model says of each class, shape ``(rows, classes)``.

    Raises:
        DataError: there are none, their shape is wrong, or one is not a number.
    """
    if rows.probabilities is None:
        raise DataError("there are no probabilities in these predictions")
    scores = np.asarray(rows.probabilities, dtype=np.float64)
    expected = (len(rows.true), len(rows.classes))
    if scores.shape != expected:
        raise DataError(
            f"probabilities must have the shape {expected} (rows, classes), "
            f"got {scores.shape}"
        )
    _refuse(~np.isfinite(scores), "a probability is not a finite number")
    return scores


def probabilities_of(rows: ClassificationRows) -> Floats:
    """``scores_of`` that are probabilities: in [0, 1], a row of classes in sum 1.

    Raises:
        DataError: they are not; a RowsError names the first such row.
    """
    found = scores_of(rows)
    _refuse((found < 0) | (found > 1), "a probability lies outside of 0 to 1")
    if found.shape[1] > 1:
        off = np.abs(found.sum(axis=1) - 1) > SUM_TOLERANCE
        _refuse(off, "the probabilities of all classes are not 1 in sum")
    return found


def positive_column(rows: ClassificationRows) -> int:
    """Which column is about the positive label; DataError where none is."""
    classes = [canonical(label) for label in rows.classes]
    positive = canonical(rows.positive)
    if positive not in classes:
        raise DataError(
            f"there is no probability for the positive label {positive!r}; the "
            f"model's classes are {listed(rows.classes)}"
        )
    return classes.index(positive)


def is_positive(rows: ClassificationRows, label: Optional[Label]) -> NDArray[np.bool_]:
    """Whether each row is truly of *label*; shape ``(rows,)``."""
    wanted = canonical(label)
    known = [canonical(category) == wanted for category in rows.true.categories]
    hit: NDArray[np.bool_] = np.array(known, dtype=bool)[rows.true.codes]
    return hit


def true_columns(true: Labels, classes: Sequence[Label]) -> Codes:
    """For each row, which column is about its true label; shape ``(rows,)``.

    Raises:
        RowsError: a true label is none of the classes; it is named.
    """
    index = {canonical(label): i for i, label in enumerate(classes)}
    lookup = np.array([index.get(canonical(c), -1) for c in true.categories], np.int64)
    columns: Codes = lookup[true.codes]
    unknown = columns < 0
    if unknown.any():
        first = int(np.argmax(unknown))
        raise RowsError(
            f"the true label {true.categories[int(true.codes[first])]!r}",
            first,
            int(np.count_nonzero(unknown)),
            f" is none of the model's classes, which are {listed(classes)}",
        )
    return columns


def _refuse(wrong: NDArray[np.bool_], why: str) -> None:
    if wrong.ndim == 2:
        wrong = np.logical_or.reduce(wrong, axis=1)
    if wrong.any():
        raise RowsError(why, int(np.argmax(wrong)), int(np.count_nonzero(wrong)))

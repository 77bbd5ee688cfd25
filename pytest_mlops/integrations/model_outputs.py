"""From what a model returns to predictions, one a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional, Tuple

import numpy as np

from pytest_mlops.core.rows import Label, Predictions
from pytest_mlops.errors import DataError, ModelError
from pytest_mlops.integrations.failures import located
from pytest_mlops.integrations.labels import as_label

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Floats

_ACCEPTED = (
    "a model must return one prediction a row: a list, a one-dimensional array, a "
    "Series, or a table with one column or with a column 'prediction'; or, from a "
    "classifier with classes_, one probability a class"
)


def as_predictions(result: Any, rows: int, raw: Any) -> Predictions:
    """What a model's ``predict`` returned, as predictions.

    Args:
        result: what it returned.
        rows: how many rows it was given.
        raw: the estimator, which may know its classes.

    Raises:
        ModelError: the result is no prediction, or not one a row.
    """
    classes = classes_of(raw)
    if hasattr(result, "columns") and hasattr(result, "to_numpy"):
        result = _of_frame(result, classes)
    values = _as_array(result)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim == 0 or len(values) != rows:
        count = 1 if values.ndim == 0 else len(values)
        raise ModelError(f"the model returned {count} predictions for {rows} rows")
    if values.ndim == 1:
        return Predictions(values)
    if values.ndim == 2 and classes is not None and values.shape[1] == len(classes):
        return _most_probable(values, classes)
    raise ModelError(f"the model returned shape {values.shape}; {_ACCEPTED}")


def with_probabilities(predictions: Predictions, raw: Any, frame: Any) -> Predictions:
    """Add the probabilities of the estimator's classes, where it has them.

    Raises:
        ModelError: ``predict_proba`` raised, or its shape is not (rows, classes).
    """
    classes = classes_of(raw)
    if predictions.probabilities is not None or classes is None:
        return predictions
    if not hasattr(raw, "predict_proba"):
        return predictions
    try:
        found = _as_array(raw.predict_proba(frame))
    except Exception as error:
        raise ModelError(
            f"the model's predict_proba raised {located(error)}"
        ) from error
    wanted = (len(predictions.values), len(classes))
    if found.shape != wanted:
        raise ModelError(
            f"the model's predict_proba returned shape {found.shape}, not {wanted}: "
            "one probability a row and class"
        )
    return Predictions(predictions.values, _floats(found), classes)


def _floats(probabilities: Any) -> Floats:
    try:
        found: Floats = probabilities.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ModelError(
            f"the model's probabilities are not numbers: {error}"
        ) from error
    return found


def classes_of(raw: Any) -> Optional[Tuple[Label, ...]]:
    """The labels that an estimator's ``classes_`` names; None where it has none."""
    classes = getattr(raw, "classes_", None)
    if classes is None:
        return None
    try:
        labels = [as_label(value) for value in classes]
    except DataError:  # the classes of several outputs, an array each
        return None
    return tuple(label for label in labels if label is not None) or None


def _as_array(result: Any) -> Any:
    try:
        return np.asarray(result)
    except ValueError as error:
        raise ModelError(f"the model returned a ragged list; {_ACCEPTED}") from error


def _of_frame(frame: Any, classes: Optional[Tuple[Label, ...]]) -> Any:
    if "prediction" in frame.columns:
        return frame["prediction"]
    if classes is None:
        return frame
    by_label = {str(name): name for name in frame.columns}
    if set(by_label) == {str(label) for label in classes}:
        return frame[[by_label[str(label)] for label in classes]]
    return frame


def _most_probable(probabilities: Any, classes: Tuple[Label, ...]) -> Predictions:
    floats = _floats(probabilities)
    labels = np.empty(len(classes), dtype=object)
    labels[:] = classes
    return Predictions(labels[floats.argmax(axis=1)], floats, classes)

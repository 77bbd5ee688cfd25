"""Which rows of a batch keep a condition, by the logic of three values."""

from __future__ import annotations

import operator
from functools import reduce
from typing import TYPE_CHECKING, Any, Callable, Mapping, Optional, Tuple, Union

import numpy as np
from numpy.typing import NDArray

from pytest_mlops.core.condition_tree import (
    AllOf,
    AnyOf,
    Comparator,
    Comparison,
    Condition,
    Missing,
    Not,
    OneOf,
    Value,
)
from pytest_mlops.core.rows import Batch, Label, Labels
from pytest_mlops.errors import DataError

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Floats

    #: The truth of each row, shape ``(rows,)``: 0 is false. So coded, "and" is the
    #: minimum, "or" the maximum and "not" the distance from ``_TRUE``.
    Truth = NDArray[np.int8]

_UNKNOWN, _TRUE = 1, 2

#: Integers up to this are exact as floats.
_EXACT = 2**53

_COMPARED: Mapping[Comparator, Callable[[Any, Any], Any]] = {
    Comparator.EQUAL: operator.eq,
    Comparator.UNEQUAL: operator.ne,
    Comparator.BELOW: operator.lt,
    Comparator.AT_MOST: operator.le,
    Comparator.ABOVE: operator.gt,
    Comparator.AT_LEAST: operator.ge,
}

_Question = Union[Comparison, OneOf]


class Filter:
    """Chooses the rows that keep a condition.

    Args:
        condition: on columns that the batches have.
        name: what the data set is called in messages.
    """

    def __init__(self, condition: Condition, name: str) -> None:
        self.condition = condition
        self._name = name

    def kept(self, batch: Batch) -> NDArray[np.bool_]:
        """Whether each row keeps the condition; shape ``(rows,)``.

        Texts are compared by the code points of their letters, dates by their ISO
        texts.

        Raises:
            DataError: a text is compared with a number, or a column cannot be read.
        """
        return np.asarray(self._truth(self.condition, batch) == _TRUE)

    def _truth(self, condition: Condition, batch: Batch) -> Truth:
        if isinstance(condition, Not):
            return np.asarray(_TRUE - self._truth(condition.part, batch))
        if isinstance(condition, (AllOf, AnyOf)):
            both = np.minimum if isinstance(condition, AllOf) else np.maximum
            return reduce(both, (self._truth(part, batch) for part in condition.parts))
        if isinstance(condition, Missing):
            return _missing(condition.column, batch) * np.int8(_TRUE)
        if all(_is_exact(value) for value in _values(condition)):
            numbers = _numbers(condition.column, batch)
            if numbers is not None:
                return _of_numbers(condition, numbers)
        labels = batch.labels(condition.column)
        self._refuse_other_types(condition, labels)
        return _of_labels(condition, labels)

    def _refuse_other_types(self, question: _Question, labels: Labels) -> None:
        """Between a text and a number there is no order, and never equality."""
        texts = {isinstance(value, str) for value in _values(question)}
        for category in labels.categories:
            if isinstance(category, str) not in texts:
                raise DataError(f"{self._name}: {_other_types(question, category)}")


def _missing(column: str, batch: Batch) -> NDArray[np.bool_]:
    numbers = _numbers(column, batch)
    if numbers is not None:
        return np.isnan(numbers)
    return batch.labels(column).codes < 0


def _numbers(column: str, batch: Batch) -> Optional[Floats]:
    """The column, or None where it holds something that is not a number."""
    try:
        return batch.numbers(column)
    except DataError:
        return None


def _values(question: _Question) -> Tuple[Value, ...]:
    return question.values if isinstance(question, OneOf) else (question.value,)


def _is_exact(value: Value) -> bool:
    """Whether it can be held against floats without being rounded itself."""
    return isinstance(value, float) or (isinstance(value, int) and abs(value) < _EXACT)


def _of_numbers(question: _Question, numbers: Floats) -> Truth:
    if isinstance(question, OneOf):
        met = np.isin(numbers, np.array(question.values, dtype=np.float64))
    else:
        met = _COMPARED[question.comparator](numbers, float(question.value))
    truth = met * np.int8(_TRUE)
    truth[np.isnan(numbers)] = _UNKNOWN
    return np.asarray(truth)


def _of_labels(question: _Question, labels: Labels) -> Truth:
    """Asked of each distinct label, not of each row."""
    if isinstance(question, OneOf):
        met = [category in question.values for category in labels.categories]
    else:
        compared, value = _COMPARED[question.comparator], question.value
        met = [compared(category, value) for category in labels.categories]
    # One more at the end, for the code −1.
    return np.array([_TRUE * m for m in met] + [_UNKNOWN], np.int8)[labels.codes]


def _other_types(question: _Question, category: Label) -> str:
    held, compared = "numbers", "a text; numbers stand without quotes"
    if isinstance(category, str):
        held, compared = "texts", "a number; texts stand in quotes"
    return (
        f"column '{question.column}' holds {held} such as {category!r}, but "
        f'"{question}" compares it with {compared}'
    )

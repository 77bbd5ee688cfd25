"""Judged rows: what was true, what was predicted; the stuff tables are made of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Optional, Protocol, Sequence, Tuple, Union

if TYPE_CHECKING:
    import numpy as np
    import pandas
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.int64]

#: A class of a classification. ``True`` counts as 1 and 2.0 as 2.
Label = Union[str, int, float]


@dataclass(frozen=True)
class Labels:
    """A column of labels, dictionary-encoded.

    Attributes:
        codes: shape ``(rows,)``; an index into ``categories``, -1 where missing.
        categories: distinct labels, in any order; some may not occur.
    """

    codes: Codes
    categories: Tuple[Label, ...]

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, index: Codes) -> Labels:
        """Some of the rows, by their numbers from 0, in the order given."""
        return Labels(self.codes[index], self.categories)


class Batch(Protocol):
    """Some consecutive rows of a data set: columns by name."""

    @property
    def first_row(self) -> int:
        """The first row's number in the data set, from 1, for messages."""

    @property
    def rows(self) -> int:
        """How many rows there are."""

    @property
    def names(self) -> Tuple[str, ...]:
        """The columns' names, in order."""

    def numbers(self, name: str) -> Floats:
        """A column as float64, shape ``(rows,)``; missing values are NaN.

        Raises:
            DataError: the column holds something that is not a number.
        """

    def labels(self, name: str) -> Labels:
        """A column as labels."""

    def frame(self, names: Sequence[str]) -> pandas.DataFrame:
        """Some columns as a data frame with their own types, for a model."""


@dataclass(frozen=True)
class Predictions:
    """What a model answered for a batch.

    Attributes:
        values: what it predicts, one a row; labels or numbers.
        probabilities: shape ``(rows, len(classes))``, if they were asked for and
            the model has them.
        classes: the labels that the columns of ``probabilities`` are about.
    """

    values: Any
    probabilities: Optional[Floats] = None
    classes: Tuple[Label, ...] = ()


@dataclass(frozen=True)
class ClassificationRows:
    """Rows of a classification, ready to be counted. No label is missing.

    Attributes:
        true: the true labels.
        predicted: the predicted labels, one a row of ``true``.
        positive: the label that binary metrics are about; None for multi-class.
        probabilities: shape ``(rows, len(classes))`` or None.
        classes: the labels that the columns of ``probabilities`` are about; for
            ready scores of a binary task only the positive one.
        weights: shape ``(rows,)``, positive, or None where every row counts one.
        groups: shape ``(rows,)``, the bucket of each row's group (see
            ``evidence.groups``), or None where rows are independent.
    """

    true: Labels
    predicted: Labels
    positive: Optional[Label] = None
    probabilities: Optional[Floats] = None
    classes: Tuple[Label, ...] = ()
    weights: Optional[Floats] = None
    groups: Optional[Codes] = None

    def __len__(self) -> int:
        return len(self.true)

    def take(self, index: Codes) -> ClassificationRows:
        """Some of the rows, by their numbers from 0, in the order given."""
        return replace(
            self,
            true=self.true.take(index),
            predicted=self.predicted.take(index),
            probabilities=_taken(self.probabilities, index),
            weights=_taken(self.weights, index),
            groups=_taken(self.groups, index),
        )


@dataclass(frozen=True)
class RegressionRows:
    """Rows of a regression: shapes ``(rows,)``, all finite, in the target's unit.

    ``weights`` and ``groups`` are those of ``ClassificationRows``.
    """

    true: Floats
    predicted: Floats
    weights: Optional[Floats] = None
    groups: Optional[Codes] = None

    def __len__(self) -> int:
        return len(self.true)

    def take(self, index: Codes) -> RegressionRows:
        """Some of the rows, by their numbers from 0, in the order given."""
        return RegressionRows(
            self.true[index],
            self.predicted[index],
            _taken(self.weights, index),
            _taken(self.groups, index),
        )


JudgedRows = Union[ClassificationRows, RegressionRows]


@dataclass(frozen=True)
class PairedRows:
    """The same rows as two models answered them: truth, weights and groups agree."""

    candidate: JudgedRows
    baseline: JudgedRows

    def __len__(self) -> int:
        return len(self.candidate)

    def take(self, index: Codes) -> PairedRows:
        """Some of the rows, by their numbers from 0, in the order given."""
        return PairedRows(self.candidate.take(index), self.baseline.take(index))


def _taken(column: Any, index: Codes) -> Any:
    return None if column is None else column[index]

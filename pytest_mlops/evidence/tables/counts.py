"""LabelCounts: how often each true label was predicted as each label."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, List, Optional, Sequence, Tuple

import numpy as np
from numpy.typing import NDArray

from pytest_mlops.core.rows import ClassificationRows, Label
from pytest_mlops.evidence.dirichlet import PRIOR, gamma_sample
from pytest_mlops.evidence.tables.cells import CellTable
from pytest_mlops.evidence.tables.counting import Columns
from pytest_mlops.evidence.tables.groups import GroupSums

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Codes, Floats


@dataclass(frozen=True)
class Margins:
    """Sums of a table of counts; enough for every metric on counts.

    Attributes:
        true: by label, how much is truly of it; shape ``(…, labels)``.
        predicted: by label, how much is predicted to be of it.
        hits: by label, how much is both.
    """

    true: NDArray[Any]
    predicted: NDArray[Any]
    hits: NDArray[Any]

    @property
    def total(self) -> NDArray[Any]:
        """The whole, of the shape ``(…, 1)``."""
        total: NDArray[Any] = self.true.sum(axis=-1, keepdims=True)
        return total


@dataclass(frozen=True, eq=False)
class LabelCounts(CellTable):
    """Counts by true and predicted label; attributes as in ``CellTable``."""

    AXES: ClassVar[Tuple[str, ...]] = ("true", "predicted")

    labels: Tuple[Label, ...]
    true: Codes
    predicted: Codes
    rows: Codes
    weights: Optional[Floats] = None
    squares: Optional[Floats] = None
    groups: Optional[GroupSums] = None

    @classmethod
    def of(cls, rows: ClassificationRows) -> LabelCounts:
        """Count a batch; raises DataError where a label is missing."""
        return cls._counted(_columns(rows))

    @classmethod
    def split(
        cls, rows: ClassificationRows, slices: Codes, size: int
    ) -> List[LabelCounts]:
        """A table of each slice from 0 to *size* − 1; no row of slice −1 counts."""
        return cls._divided(_columns(rows), slices, size)

    @classmethod
    def _make(
        cls,
        labels: Tuple[Label, ...],
        axes: Sequence[Codes],
        columns: Sequence[NDArray[Any]],
        groups: Optional[GroupSums],
    ) -> LabelCounts:
        weights, squares = columns[1:] or (None, None)
        return cls(labels, axes[0], axes[1], columns[0], weights, squares, groups)

    @cached_property
    def margins(self) -> Margins:
        """Sums of what the cells weigh; float64, shape ``(labels,)``."""
        return self._sums(self.mass)

    @cached_property
    def row_margins(self) -> Margins:
        """Sums of rows; float64, exact below 2**53 rows."""
        if self.weights is None:
            return self.margins
        return self._sums(self.rows.astype(np.float64))

    @cached_property
    def square_margins(self) -> Margins:
        """Sums of the cells' squared weights; float64, shape ``(labels,)``."""
        return self.margins if self.weights is None else self._sums(self.square_mass)

    @cached_property
    def posterior(self) -> Margins:
        """Margins of tables drawn from the Dirichlet posterior; ``(draws, labels)``.

        Its prior mass is spread evenly over every pair of labels. With weights the
        table is taken for one of as many rows as the weights are worth.
        """
        size = max(len(self.labels), 2)
        shapes = np.full(size * size, PRIOR / (size * size))
        unit = self.square_mass.sum() / self.mass.sum()
        np.add.at(shapes, self.true * size + self.predicted, self.mass / unit)
        drawn = gamma_sample(shapes).reshape(size, size, -1)
        hits = np.diagonal(drawn)
        return Margins(drawn.sum(axis=1).T, drawn.sum(axis=0).T, hits)

    def _sums(self, values: Floats) -> Margins:
        size = len(self.labels)
        hit = self.true == self.predicted
        return Margins(
            np.bincount(self.true, values, size),
            np.bincount(self.predicted, values, size),
            np.bincount(self.true[hit], values[hit], size),
        )


def _columns(rows: ClassificationRows) -> Columns:
    return Columns((rows.true, rows.predicted), rows.weights, rows.groups)

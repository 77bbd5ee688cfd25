"""ScoreTable: the scores of each class's rows and of all others, to rank them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Mapping, cast

import numpy as np

from pytest_mlops.core.rows import ClassificationRows, Label
from pytest_mlops.evidence.labels import canonical, label_order
from pytest_mlops.evidence.tables.arrays import frozen
from pytest_mlops.evidence.tables.probabilities import (
    is_positive,
    positive_column,
    scores_of,
    true_columns,
)
from pytest_mlops.evidence.tables.ranks import (
    EXACT_ROWS,
    BinnedRanks,
    ExactRanks,
    Ranks,
    common_order,
    read_ranks,
)

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Codes


@dataclass(frozen=True, eq=False)
class ScoreTable:
    """Scores by class, one against the rest.

    Attributes:
        classes: by label; with a positive label, that one alone. All are of the same
            rows, and where they are exact they have them in the same order.
    """

    classes: Mapping[Label, Ranks]

    @classmethod
    def of(cls, rows: ClassificationRows) -> ScoreTable:
        """The scores of a batch.

        Raises:
            DataError: there are none, one is no number, or a label has no score.
        """
        return cls.exact(rows).kept()

    @classmethod
    def exact(cls, rows: ClassificationRows) -> ScoreTable:
        """Every score of a batch, however many there are; raises as ``of``."""
        scores = scores_of(rows)
        labels = rows.classes if rows.positive is None else (rows.positive,)
        if rows.positive is not None:
            columns = [positive_column(rows)]
            hits = [is_positive(rows, rows.positive)]
        else:
            columns = list(range(len(labels)))
            true = true_columns(rows.true, rows.classes)
            hits = [true == column for column in columns]
        classes = {
            # A copy: the column would keep the whole batch alive.
            canonical(label): ExactRanks(
                frozen(np.array(scores[:, column])),
                frozen(hit),
                rows.weights,
                rows.groups,
            )
            for label, column, hit in zip(labels, columns, hits)
        }
        return cls._sorted(classes)

    @classmethod
    def split(
        cls, rows: ClassificationRows, slices: Codes, count: int
    ) -> List[ScoreTable]:
        """A table a slice, of *count* slices; raises as ``of``.

        Args:
            rows: a batch.
            slices: the slice of each row; −1 where it is in none.
            count: how many slices there are.
        """
        table = cls.exact(rows)
        return [table.take(index).kept() for index in indices(slices, count)]

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return next((ranks.rows for ranks in self.classes.values()), 0)

    def take(self, index: Codes) -> ScoreTable:
        """Some of the rows of an exact table, by their numbers."""
        return ScoreTable(
            {
                label: cast(ExactRanks, ranks).take(index)
                for label, ranks in self.classes.items()
            }
        )

    def kept(self) -> ScoreTable:
        """The same rows as they are kept: in bins where there are many."""
        return self.binned() if self.rows > EXACT_ROWS else self

    def binned(self) -> ScoreTable:
        """The same rows, counted in bins."""
        return ScoreTable(
            {
                label: ranks if isinstance(ranks, BinnedRanks) else ranks.binned()
                for label, ranks in self.classes.items()
            }
        )

    def merge(self, other: ScoreTable) -> ScoreTable:
        """The scores of both tables' rows.

        Raises:
            ValueError: the tables are about different classes, or rows of only one
                are in groups.
        """
        if set(self.classes) != set(other.classes):
            raise ValueError(
                f"cannot merge scores of the classes {list(self.classes)} and "
                f"{list(other.classes)}"
            )
        return ScoreTable(
            {
                label: ranks.merge(other.classes[label])
                for label, ranks in self.classes.items()
            }
        )

    def to_json(self) -> Dict[str, Any]:
        """A list of classes with their scores, or bins where rows are many."""
        exact = list(self.exact_ranks())
        return (self.take(common_order(exact)) if exact else self).stored()

    def stored(self) -> Dict[str, Any]:
        """``to_json`` with the rows in the order in which they are."""
        return {
            "classes": [
                {"label": label, **ranks.to_json()}
                for label, ranks in self.classes.items()
            ]
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ScoreTable:
        """Read ``to_json`` back; raises KeyError, TypeError or ValueError."""
        return cls({one["label"]: read_ranks(one) for one in data["classes"]})

    def exact_ranks(self) -> Iterator[ExactRanks]:
        """The ranks of all classes where they are exact, else none."""
        for ranks in self.classes.values():
            if isinstance(ranks, ExactRanks):
                yield ranks

    @classmethod
    def _sorted(cls, classes: Mapping[Any, Ranks]) -> ScoreTable:
        return cls(
            {label: classes[label] for label in sorted(classes, key=label_order)}
        )


def indices(slices: Codes, count: int) -> List[Codes]:
    """The numbers of the rows of each slice, in ascending order; sorts once."""
    # Small integers are sorted by counting.
    small = slices.astype(np.int16) if count < 2**15 else slices
    order = np.argsort(small, kind="stable")
    ends = np.searchsorted(slices[order], np.arange(count + 1))
    return [order[start:end] for start, end in zip(ends, ends[1:])]

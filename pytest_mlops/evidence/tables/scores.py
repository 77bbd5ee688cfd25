"""ScoreTable: the scores of each class's rows and of all others, to rank them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, Mapping

from pytest_mlops.core.rows import ClassificationRows, Label
from pytest_mlops.evidence.labels import canonical, label_order
from pytest_mlops.evidence.tables.probabilities import (
    is_positive,
    positive_column,
    scores_of,
    true_columns,
)
from pytest_mlops.evidence.tables.ranks import Ranks, ranks_of, read_ranks


@dataclass(frozen=True, eq=False)
class ScoreTable:
    """Scores by class, one against the rest.

    Attributes:
        classes: by label; with a positive label, that one alone.
    """

    classes: Mapping[Label, Ranks]

    @classmethod
    def of(cls, rows: ClassificationRows) -> ScoreTable:
        """The scores of a batch.

        Raises:
            DataError: there are none, one is no number, or a label has no score.
        """
        scores = scores_of(rows)
        if rows.positive is not None:
            positive = canonical(rows.positive)
            column = scores[:, positive_column(rows)]
            hit = is_positive(rows, positive)
            return cls._sorted({positive: ranks_of(column, hit, rows.weights)})
        true = true_columns(rows.true, rows.classes)
        return cls._sorted(
            {
                canonical(label): ranks_of(scores[:, i], true == i, rows.weights)
                for i, label in enumerate(rows.classes)
            }
        )

    def merge(self, other: ScoreTable) -> ScoreTable:
        """The scores of both tables' rows.

        Raises:
            ValueError: the tables are about different classes.
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

    @classmethod
    def _sorted(cls, classes: Mapping[Any, Ranks]) -> ScoreTable:
        return cls(
            {label: classes[label] for label in sorted(classes, key=label_order)}
        )

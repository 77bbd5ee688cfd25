"""ScorePairs: the scores of a candidate and of a baseline on the same rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Dict, List, Mapping

import numpy as np

from pytest_mlops.core.rows import Label, PairedRows
from pytest_mlops.evidence.tables.arrays import chunks, frozen, weight_sums
from pytest_mlops.evidence.tables.grid import COARSE, bin_of, coarse_of
from pytest_mlops.evidence.tables.ranks import EXACT_ROWS, ExactRanks, common_order
from pytest_mlops.evidence.tables.scores import ScoreTable, indices

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Codes, Floats

#: By class: sums of squared weights, shape ``(2, COARSE, COARSE)``: negatives and
#: positives by the wide bins of the candidate's and of the baseline's score.
Joint = Mapping[Label, "Floats"]


@dataclass(frozen=True, eq=False)
class ScorePairs:
    """Two tables of scores, and how the two go together.

    Attributes:
        candidate: its scores.
        baseline: its scores, of the same rows; where they are exact, in the same order.
        joint: where they are binned, of each class that both models know.
    """

    candidate: ScoreTable
    baseline: ScoreTable
    joint: Joint = field(default_factory=dict)

    @classmethod
    def of(cls, rows: PairedRows) -> ScorePairs:
        """The scores of a batch; raises as ``ScoreTable.of``."""
        return cls._exact(rows)._kept()

    @classmethod
    def split(cls, rows: PairedRows, slices: Codes, count: int) -> List[ScorePairs]:
        """A table a slice; as ``ScoreTable.split``."""
        pairs = cls._exact(rows)
        return [pairs._take(index)._kept() for index in indices(slices, count)]

    def merge(self, other: ScorePairs) -> ScorePairs:
        """The scores of both tables' rows; raises as ``ScoreTable.merge``."""
        tables = self, other
        if self.joint or other.joint or sum(each.rows for each in tables) > EXACT_ROWS:
            tables = self.binned(), other.binned()
        first, second = tables
        return ScorePairs(
            first.candidate.merge(second.candidate),
            first.baseline.merge(second.baseline),
            {
                label: frozen(sums + second.joint[label])
                for label, sums in first.joint.items()
            },
        )

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self.candidate.rows

    def binned(self) -> ScorePairs:
        """The same rows, counted in bins."""
        joint = dict(self.joint)
        for label, ranks in self.candidate.classes.items():
            other = self.baseline.classes.get(label)
            if isinstance(ranks, ExactRanks) and isinstance(other, ExactRanks):
                joint[label] = _joint(ranks, other)
        return ScorePairs(self.candidate.binned(), self.baseline.binned(), joint)

    def to_json(self) -> Dict[str, Any]:
        """Both tables, the rows of both in one order, or what they have in bins."""
        ranks = [*self.candidate.exact_ranks(), *self.baseline.exact_ranks()]
        ordered = self._take(common_order(ranks)) if ranks else self
        return {
            "candidate": ordered.candidate.stored(),
            "baseline": ordered.baseline.stored(),
            "joint": [
                {
                    "label": label,
                    "cells": np.flatnonzero(sums).tolist(),
                    "squares": sums[sums != 0].tolist(),
                }
                for label, sums in self.joint.items()
            ],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ScorePairs:
        """Read ``to_json`` back; raises KeyError, TypeError or ValueError."""
        candidate, baseline = (
            ScoreTable.from_json(data[name]) for name in ("candidate", "baseline")
        )
        if candidate.rows != baseline.rows:
            raise ValueError("the candidate's rows are not the baseline's")
        joint = {}
        for one in data["joint"]:
            flat = np.zeros(2 * COARSE * COARSE)
            flat[np.asarray(one["cells"], np.int64)] = one["squares"]
            joint[one["label"]] = frozen(flat.reshape(2, COARSE, COARSE))
        return cls(candidate, baseline, joint)

    @classmethod
    def _exact(cls, rows: PairedRows) -> ScorePairs:
        candidate: Any = rows.candidate
        baseline: Any = rows.baseline
        return cls(ScoreTable.exact(candidate), ScoreTable.exact(baseline))

    def _take(self, index: Codes) -> ScorePairs:
        return ScorePairs(self.candidate.take(index), self.baseline.take(index))

    def _kept(self) -> ScorePairs:
        return self.binned() if self.rows > EXACT_ROWS else self


def _joint(candidate: ExactRanks, baseline: ExactRanks) -> Floats:
    size = 2 * COARSE * COARSE
    sums = np.zeros(size)
    for part in chunks(candidate.rows):
        index = candidate.positive[part] * COARSE
        index += coarse_of(bin_of(candidate.scores[part]))
        index *= COARSE
        index += coarse_of(bin_of(baseline.scores[part]))
        sums += weight_sums(index, candidate.mass[part] ** 2, size)
    return frozen(sums.reshape(2, COARSE, COARSE))

"""Moments: means and co-moments of some quantities, mergeable and stable."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any, Dict, Mapping, Optional, Tuple

import numpy as np

from pytest_mlops.evidence.tables.arrays import CHUNK, chunks, frozen

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Floats


@dataclass(frozen=True, eq=False)
class Moments:
    """Weighted means of named quantities and the co-moments about them.

    Attributes:
        names: of the quantities.
        rows: how many rows.
        weight: the sum of their weights; the rows without weights.
        squares: the sum of the squared weights.
        means: shape ``(names,)``, in the quantities' units.
        comoments: shape ``(names, names)``: Σ w (x − mean x)(y − mean y).
    """

    names: Tuple[str, ...]
    rows: int
    weight: float
    squares: float
    means: Floats
    comoments: Floats

    @classmethod
    def of(
        cls, columns: Mapping[str, Floats], weights: Optional[Floats] = None
    ) -> Moments:
        """The moments of a batch.

        Args:
            columns: by name, finite, each of the shape ``(rows,)``.
            weights: shape ``(rows,)``; None where every row counts one.
        """
        names, values = tuple(columns), tuple(columns.values())
        parts = (
            _chunk(
                names,
                np.stack([column[part] for column in values]),
                None if weights is None else weights[part],
            )
            for part in chunks(len(values[0]), CHUNK // 4)
        )
        size = len(names)
        empty = cls(names, 0, 0.0, 0.0, np.zeros(size), np.zeros((size, size)))
        return reduce(cls.merge, parts, empty)

    def merge(self, other: Moments) -> Moments:
        """The moments of both tables' rows.

        Chan, Golub & LeVeque, "Updating formulae and a pairwise algorithm for
        computing sample variances" (1979); written so that it does not matter which
        of the two comes first.

        Raises:
            ValueError: the tables are of different quantities.
        """
        if self.names != other.names:
            raise ValueError(f"cannot merge moments of {self.names} and {other.names}")
        rows = self.rows + other.rows
        weight = self.weight + other.weight
        if not self.weight or not other.weight:
            heavier = self if self.weight else other
            means, comoments = heavier.means, heavier.comoments
        else:
            delta = other.means - self.means
            lean = (other.weight - self.weight) / (2 * weight)
            means = (self.means + other.means) / 2 + delta * lean
            between = np.outer(delta, delta) * (self.weight * other.weight / weight)
            comoments = self.comoments + other.comoments + between
        squares = self.squares + other.squares
        return Moments(
            self.names, rows, weight, squares, frozen(means), frozen(comoments)
        )

    def mean(self, name: str) -> float:
        """The weighted mean of a quantity."""
        return float(self.means[self.names.index(name)])

    def comoment(self, name: str) -> float:
        """Σ w (x − mean x)² of a quantity."""
        index = self.names.index(name)
        return float(self.comoments[index, index])

    def standard_error(self, name: str) -> float:
        """The standard error of a mean, by the unbiased variance.

        With weights, W²/Σw² takes the place of the rows.
        """
        weight, squares = self.weight, self.squares
        free = weight - squares / weight if weight else 0.0
        # Equal weights leave a remainder of rounding where there is but one row.
        if self.rows < 2 or free <= weight * 1e-12:
            return 0.0
        return float(np.sqrt(self.comoment(name) / free * squares) / weight)

    def to_json(self) -> Dict[str, Any]:
        """Plain JSON; floats keep all their digits."""
        return {
            "names": list(self.names),
            "rows": self.rows,
            "weight": self.weight,
            "squares": self.squares,
            "means": self.means.tolist(),
            "comoments": self.comoments.tolist(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Moments:
        """Read ``to_json`` back; raises KeyError, TypeError or ValueError."""
        names = tuple(data["names"])
        size = len(names)
        return cls(
            names,
            int(data["rows"]),
            float(data["weight"]),
            float(data["squares"]),
            np.asarray(data["means"], dtype=np.float64).reshape(size),
            np.asarray(data["comoments"], dtype=np.float64).reshape(size, size),
        )


def _chunk(
    names: Tuple[str, ...], values: Floats, weights: Optional[Floats]
) -> Moments:
    rows = values.shape[1]
    # Rows without weights are told from equal weights only by what they cost.
    weight = float(rows) if weights is None else float(weights.sum())
    squares = float(rows) if weights is None else float((weights**2).sum())
    if not weight:
        size = len(names)
        return Moments(names, rows, 0.0, 0.0, np.zeros(size), np.zeros((size, size)))
    # About the first row: a constant quantity has exactly its mean and no moment.
    first = values[:, :1]
    centred = values - first
    shift = centred.mean(axis=1) if weights is None else centred @ weights / weight
    centred -= shift[:, np.newaxis]
    scaled = centred if weights is None else centred * weights
    return Moments(
        names, rows, weight, squares, first[:, 0] + shift, scaled @ centred.T
    )

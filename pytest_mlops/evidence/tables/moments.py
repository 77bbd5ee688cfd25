"""Moments: means of some quantities and how they vary, mergeable and stable."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING, Any, Dict, Mapping, Optional, Tuple

import numpy as np

from pytest_mlops.evidence.spread import Spread
from pytest_mlops.evidence.tables.arrays import CHUNK, chunks
from pytest_mlops.evidence.tables.buckets import BucketSums
from pytest_mlops.evidence.tables.sums import Sums

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Codes, Floats

#: The squared distance of a quantity from its mean, as a quantity of its own.
SPREAD = "spread"


@dataclass(frozen=True, eq=False)
class Moments:
    """Weighted means of named quantities, and sums of products about the means.

    Attributes:
        names: of the quantities; with ``of_spread`` the last one is ``SPREAD``.
        rows: how many rows.
        weight: the sum of their weights; the rows without weights.
        means: shape ``(names,)``, in the quantities' units.
        sums: about the means, by the squared weights.
        of_spread: the index of the quantity that ``SPREAD`` is about.
        buckets: sums by bucket of groups about the means; None where rows are
            independent.
    """

    names: Tuple[str, ...]
    rows: int
    weight: float
    means: Floats
    sums: Sums
    of_spread: Optional[int] = None
    buckets: Optional[BucketSums] = None

    @classmethod
    def of(
        cls,
        columns: Mapping[str, Floats],
        weights: Optional[Floats] = None,
        groups: Optional[Codes] = None,
        spread_of: Optional[str] = None,
    ) -> Moments:
        """The moments of a batch.

        Args:
            columns: by name, finite, each of the shape ``(rows,)``.
            weights: shape ``(rows,)``; None where every row counts one.
            groups: the bucket of each row; None where rows are independent.
            spread_of: the quantity whose squared distance from its mean is to be one
                more quantity.
        """
        names, values = tuple(columns), tuple(columns.values())
        about = None if spread_of is None else names.index(spread_of)
        if about is not None:
            names += (SPREAD,)
        parts = (
            _chunk(
                names, about, [column[part] for column in values], _at(weights, part)
            )
            for part in chunks(len(values[0]), CHUNK // 4)
        )
        found = reduce(cls.merge, parts, _nothing(names, about, 0))
        return found if groups is None else found._grouped(values, weights, groups)

    def merge(self, other: Moments) -> Moments:
        """The moments of both tables' rows; it does not matter which comes first.

        Raises:
            ValueError: the tables are of different quantities.
        """
        if self.names != other.names:
            raise ValueError(f"cannot merge moments of {self.names} and {other.names}")
        rows = self.rows + other.rows
        if not self.weight or not other.weight:
            return replace(self if self.weight else other, rows=rows)
        one, two = self, other
        if self.of_spread is not None:
            centre = float(self._between(other)[self.of_spread])
            one = self._spread_about(centre, self.of_spread)
            two = other._spread_about(centre, self.of_spread)
        means = one._between(two)
        one, two = one._about(means), two._about(means)
        return Moments(
            self.names,
            rows,
            self.weight + other.weight,
            means,
            one.sums.plus(two.sums),
            self.of_spread,
            one._buckets_with(two),
        )

    def mapped(self, names: Tuple[str, ...], matrix: Floats) -> Moments:
        """The moments of *matrix* @ x; a quantity that others are the spread of stays.

        Args:
            names: of the new quantities.
            matrix: shape ``(names, self.names)``.
        """
        about = self.of_spread
        return replace(
            self,
            names=names,
            means=matrix @ self.means,
            sums=self.sums.mapped(matrix),
            of_spread=None if about is None else names.index(self.names[about]),
            buckets=self.buckets and self.buckets.mapped(matrix),
        )

    def mean(self, name: str) -> float:
        """The weighted mean of a quantity."""
        return float(self.means[self.names.index(name)])

    def spread(self, **slopes: float) -> Optional[Spread]:
        """How the mean of a sum of multiples of quantities strays.

        Without groups the standard error is that of independent rows; with weights w
        it is √Σ w² (x − mean)² / Σ w, and (Σ w)² / Σ w² takes the place of the rows.
        With groups it is that between their sums, whose number takes it then.

        Args:
            slopes: the factors by name; others are 0.

        Returns:
            None where all rows say the same, or there is but one.
        """
        slope = np.zeros(len(self.names))
        for name, factor in slopes.items():
            slope[self.names.index(name)] = factor
        if self.buckets is not None:
            each = self.buckets.along(slope)
            return self._spread(len(each), float(each @ each), float(each**2 @ each))
        if not self.weight:
            return None
        # The cubed weights are taken to be as much more as the squared ones are.
        more = self.sums.weight / self.weight
        second, third = self.sums.along(slope)
        return self._spread(self.weight / more, second, third * more)

    def _spread(self, size: float, second: float, third: float) -> Optional[Spread]:
        # Equal weights leave a remainder of rounding where there is but one row.
        if size - 1 <= 1e-12 or not second > 0:
            return None
        error = math.sqrt(second * size / (size - 1)) / self.weight
        cube = second * math.sqrt(second)
        skewness = third / cube if cube else 0.0
        clustered = self.buckets is not None
        return Spread(error, skewness, size - 1, clustered) if error else None

    def to_json(self) -> Dict[str, Any]:
        """Plain JSON; floats keep all their digits."""
        found: Dict[str, Any] = {
            "names": list(self.names),
            "rows": self.rows,
            "weight": self.weight,
            "means": self.means.tolist(),
            "sums": self.sums.to_json(),
            "of_spread": self.of_spread,
        }
        if self.buckets is not None:
            found["buckets"] = self.buckets.to_json()
        return found

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Moments:
        """Read ``to_json`` back; raises KeyError, TypeError or ValueError."""
        names, about = tuple(data["names"]), data["of_spread"]
        size, buckets = len(names), data.get("buckets")
        return cls(
            names,
            int(data["rows"]),
            float(data["weight"]),
            np.asarray(data["means"], dtype=np.float64).reshape(size),
            Sums.from_json(data["sums"], size),
            None if about is None else range(size)[about],
            None if buckets is None else BucketSums.from_json(buckets, size),
        )

    def _between(self, other: Moments) -> Floats:
        """The means of both tables' rows.

        Chan, Golub & LeVeque, "Updating formulae and a pairwise algorithm for
        computing sample variances" (1979); symmetric in the two.
        """
        lean = (other.weight - self.weight) / (2 * (self.weight + other.weight))
        found: Floats = (self.means + other.means) / 2
        return found + (other.means - self.means) * lean

    def _about(self, means: Floats) -> Moments:
        """The same sums about other means."""
        by = self.means - means
        return replace(
            self,
            sums=self.sums.moved(by),
            buckets=self.buckets and self.buckets.moved(by),
        )

    def _spread_about(self, centre: float, about: int) -> Moments:
        """The same with ``SPREAD`` as the squared distance from *centre*.

        (y − c)² = (y − m)² + 2 (m − c) (y − m) + (m − c)².
        """
        off = float(self.means[about]) - centre
        matrix = np.eye(len(self.names))
        matrix[-1, about] = 2 * off
        means = self.means.copy()
        means[-1] += off**2
        return replace(self.mapped(self.names, matrix), means=means)

    def _buckets_with(self, other: Moments) -> Optional[BucketSums]:
        if self.buckets is None and other.buckets is None:
            return None
        if self.buckets is None or other.buckets is None:
            raise ValueError("cannot merge moments with groups and without")
        return self.buckets.plus(other.buckets)

    def _grouped(
        self, values: Tuple[Floats, ...], weights: Optional[Floats], groups: Codes
    ) -> Moments:
        """The same with the sums by bucket of the very rows that it is made of."""
        centred = [column - mean for column, mean in zip(values, self.means)]
        if self.of_spread is not None:
            centred.append(centred[self.of_spread] ** 2 - self.means[-1])
        found = BucketSums.of(np.stack(centred), groups, weights)
        return replace(self, buckets=found)


def _at(weights: Optional[Floats], part: slice) -> Optional[Floats]:
    return None if weights is None else weights[part]


def _nothing(names: Tuple[str, ...], about: Optional[int], rows: int) -> Moments:
    size = len(names)
    return Moments(names, rows, 0.0, np.zeros(size), Sums.empty(size), about)


def _chunk(
    names: Tuple[str, ...],
    about: Optional[int],
    columns: Any,
    weights: Optional[Floats],
) -> Moments:
    values = np.stack(columns)
    rows = values.shape[1]
    weight = float(rows) if weights is None else float(weights.sum())
    if not weight:
        return _nothing(names, about, rows)
    means, centred = _centred(values, weights, weight)
    if about is not None:
        more, distance = _centred(centred[about : about + 1] ** 2, weights, weight)
        means, centred = np.append(means, more), np.vstack([centred, distance])
    sums = Sums.of(centred, None if weights is None else weights**2)
    return Moments(names, rows, weight, means, sums, about)


def _centred(
    values: Floats, weights: Optional[Floats], weight: float
) -> Tuple[Floats, Floats]:
    """The means, and the values about them."""
    # About the first row: a constant quantity has exactly its mean and no moment.
    first = values[:, :1]
    centred = values - first
    shift = centred.mean(axis=1) if weights is None else centred @ weights / weight
    centred -= shift[:, np.newaxis]
    return first[:, 0] + shift, centred

"""Sums of products of some quantities, up to three at a time, about a point."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional, Tuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Floats


@dataclass(frozen=True, eq=False)
class Sums:
    """Over rows, each of which counts v: sums of v, v x, v x xᵀ and v x x x.

    Pébay, "Formulas for robust, one-pass parallel computation of covariances and
    arbitrary-order statistical moments" (2008): about a point near the mean nothing is
    lost to cancellation, and sums about the same point simply add up.

    Attributes:
        weight: Σ v.
        first: shape ``(k,)``.
        second: shape ``(k, k)``, symmetric.
        third: shape ``(k, k, k)``, symmetric.
    """

    weight: float
    first: Floats
    second: Floats
    third: Floats

    @classmethod
    def of(cls, values: Floats, weights: Optional[Floats] = None) -> Sums:
        """The sums of some rows about 0.

        Args:
            values: shape ``(k, rows)``.
            weights: shape ``(rows,)``; None where every row counts one.
        """
        scaled = values if weights is None else values * weights
        third = np.stack([(values * one) @ values.T for one in scaled])
        weight = values.shape[1] if weights is None else weights.sum()
        second = scaled @ values.T
        return cls(float(weight), scaled.sum(axis=1), _alike(second), _alike(third))

    @classmethod
    def empty(cls, size: int) -> Sums:
        """The sums of no rows."""
        zeros = np.zeros
        return cls(0.0, zeros(size), zeros((size,) * 2), zeros((size,) * 3))

    def moved(self, by: Floats) -> Sums:
        """The sums of x + *by*."""
        pair = by[:, np.newaxis] * by
        mixed = self.first[:, np.newaxis] * by
        second = self.second + mixed + mixed.T + self.weight * pair
        one = self.second[:, :, np.newaxis] * by
        two = pair[:, :, np.newaxis] * self.first
        cube = pair[:, :, np.newaxis] * by
        third = self.third + _placed(one) + _placed(two) + self.weight * cube
        first = self.first + self.weight * by
        return Sums(self.weight, first, second, third)

    def mapped(self, matrix: Floats) -> Sums:
        """The sums of *matrix* @ x."""
        second = matrix @ self.second @ matrix.T
        third = np.einsum("ijk,ai,bj,ck->abc", self.third, matrix, matrix, matrix)
        first = matrix @ self.first
        return Sums(self.weight, first, _alike(second), _alike(third))

    def plus(self, other: Sums) -> Sums:
        """The sums of both tables' rows, if both are about the same point."""
        return Sums(
            self.weight + other.weight,
            self.first + other.first,
            _alike(self.second + other.second),
            _alike(self.third + other.third),
        )

    def along(self, slope: Floats) -> Tuple[float, float]:
        """Σ v u² and Σ v u³ of u = *slope* · x."""
        second = slope @ self.second @ slope
        return float(second), float(self.third @ slope @ slope @ slope)

    def to_json(self) -> Dict[str, Any]:
        """Plain JSON; of equal entries only the one with ascending indices."""
        size = len(self.first)
        return {
            "weight": self.weight,
            "first": self.first.tolist(),
            "second": self.second[_ascending(size, 2)].tolist(),
            "third": self.third[_ascending(size, 3)].tolist(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], size: int) -> Sums:
        """Read ``to_json`` back; raises KeyError, TypeError or ValueError."""
        first = np.asarray(data["first"], dtype=np.float64).reshape(size)
        second, third = (
            _filled(data[name], size, order)
            for name, order in (("second", 2), ("third", 3))
        )
        return cls(float(data["weight"]), first, second, third)


def _placed(product: Floats) -> Floats:
    """The sum over which of the three factors stands apart from the other two.

    Args:
        product: shape ``(k, k, k)``, symmetric in the first two.
    """
    other: Floats = product + product.transpose(0, 2, 1) + product.transpose(2, 1, 0)
    return other


def _alike(array: Floats) -> Floats:
    """Entries that are equal but for rounding, made equal."""
    size, order = len(array), array.ndim
    found: Floats = array[_sorted(size, order)]
    return found


@lru_cache(maxsize=None)
def _sorted(size: int, order: int) -> Tuple[NDArray[np.intp], ...]:
    """For each entry the one whose indices are the same in ascending order."""
    return tuple(np.sort(np.indices((size,) * order), axis=0))


@lru_cache(maxsize=None)
def _ascending(size: int, order: int) -> Tuple[List[int], ...]:
    found = combinations_with_replacement(range(size), order)
    return tuple(map(list, zip(*found)))


def _filled(entries: Any, size: int, order: int) -> Floats:
    """The symmetric array that has these entries at ascending indices."""
    array = np.zeros((size,) * order)
    index = _ascending(size, order)
    array[index] = np.asarray(entries, dtype=np.float64).reshape(len(index[0]))
    return _alike(array)

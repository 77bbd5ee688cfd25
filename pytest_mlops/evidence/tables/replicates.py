"""Replicates: a function's value, and its values on the same rows drawn again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Dict, Mapping, NoReturn, Optional

import numpy as np

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Floats


@dataclass(frozen=True, eq=False)
class Replicates:
    """What a bootstrap and a jackknife of a function left.

    Attributes:
        rows: how many.
        units: how many rows or, if ``grouped``, buckets of groups can be drawn.
        value: of the function on the rows; None where there are none.
        drawn: its values where each unit counts as often as it was drawn; NaN where it
            has none. Two of them that follow one another are antithetic.
        left_out: its values without each of some blocks of units; NaN likewise.
        grouped: whether units are buckets of groups.
        weighted: whether the rows have weights, of which the function is not told.
    """

    rows: int
    units: int
    value: Optional[float]
    drawn: Floats
    left_out: Floats
    grouped: bool = False
    weighted: bool = False

    @property
    def failed(self) -> int:
        """How many replicates have no value."""
        return int(np.isnan(self.drawn).sum())

    def merge(self, other: Replicates) -> NoReturn:
        """Replicates of different rows do not add up.

        Raises:
            ValueError: always.
        """
        raise ValueError("replicates cannot be merged: only the rows themselves can")

    def to_json(self) -> Dict[str, Any]:
        """Plain JSON, exact; a value that is none is null."""
        return {
            "rows": self.rows,
            "units": self.units,
            "value": self.value,
            "replicates": _stored(self.drawn),
            "left_out": _stored(self.left_out),
            "grouped": self.grouped,
            "weighted": self.weighted,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Replicates:
        """Read ``to_json`` back; raises KeyError, TypeError or ValueError."""
        value = data["value"]
        return cls(
            int(data["rows"]),
            int(data["units"]),
            None if value is None else float(value),
            _read(data["replicates"]),
            _read(data["left_out"]),
            bool(data["grouped"]),
            bool(data["weighted"]),
        )

    def minus(self, factor: float, other: Replicates) -> Replicates:
        """The replicates of the difference, if both are of the same rows."""
        both = None not in (self.value, other.value)
        return Replicates(
            self.rows,
            self.units,
            (self.value or 0.0) - factor * (other.value or 0.0) if both else None,
            self.drawn - factor * other.drawn,
            self.left_out - factor * other.left_out,
            self.grouped,
            self.weighted,
        )


@dataclass(frozen=True, eq=False)
class PairedReplicates:
    """The replicates of two models: the same rows were drawn for both."""

    candidate: Replicates
    baseline: Replicates

    def merge(self, other: PairedReplicates) -> NoReturn:
        """As ``Replicates.merge``; raises ValueError."""
        self.candidate.merge(other.candidate)

    def to_json(self) -> Dict[str, Any]:
        """Plain JSON, exact."""
        return {
            "candidate": self.candidate.to_json(),
            "baseline": self.baseline.to_json(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> PairedReplicates:
        """Read ``to_json`` back; raises KeyError, TypeError or ValueError."""
        return cls(
            Replicates.from_json(data["candidate"]),
            Replicates.from_json(data["baseline"]),
        )


def _stored(values: Floats) -> Any:
    return [None if value != value else value for value in values.tolist()]


def _read(values: Any) -> Floats:
    return np.array([np.nan if value is None else float(value) for value in values])

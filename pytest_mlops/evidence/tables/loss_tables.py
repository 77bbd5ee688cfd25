"""Tables of losses by row: their moments, of one model or of two on the same rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Dict, Mapping, Optional

import numpy as np

from pytest_mlops.evidence.tables.moments import Moments

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Codes, Floats


#: What the quantities of ``LossTable`` and ``PairedLossTable`` are called.
VALUE, CANDIDATE, CHANGE, TARGET = "value", "candidate", "change", "target"


@dataclass(frozen=True)
class Rows:
    """What rows have beside their losses.

    Attributes:
        weights: shape ``(rows,)``; None where every row counts one.
        groups: the bucket of each row; None where rows are independent.
        explains: a loss that is to be compared with the spread of ``target``.
        target: shape ``(rows,)``.
    """

    weights: Optional[Floats] = None
    groups: Optional[Codes] = None
    explains: Optional[str] = None
    target: Optional[Floats] = None

    def moments(self, loss: str, columns: Dict[str, Floats]) -> Moments:
        """The moments of the columns that belong to one loss."""
        if loss != self.explains or self.target is None:
            return Moments.of(columns, self.weights, self.groups)
        columns = {**columns, TARGET: self.target}
        return Moments.of(columns, self.weights, self.groups, TARGET)


@dataclass(frozen=True, eq=False)
class LossTable:
    """The losses of one model.

    Attributes:
        losses: by name the moments of ``VALUE``; of one loss with ``TARGET`` and the
            target's spread as well.
    """

    losses: Mapping[str, Moments]

    @classmethod
    def of(cls, columns: Mapping[str, Floats], rows: Rows) -> LossTable:
        """The table of a batch, from its losses by name."""
        return cls(
            {name: rows.moments(name, {VALUE: one}) for name, one in columns.items()}
        )

    @property
    def rows(self) -> int:
        """How many rows."""
        return next(iter(self.losses.values())).rows

    def merge(self, other: LossTable) -> LossTable:
        """The losses of both tables' rows."""
        return LossTable(_merged(self.losses, other.losses))

    def to_json(self) -> Dict[str, Any]:
        """Plain JSON, exact."""
        return _stored(self.losses)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> LossTable:
        """Read ``to_json`` back; raises KeyError, TypeError or ValueError."""
        return cls(_read(data))


@dataclass(frozen=True, eq=False)
class PairedLossTable:
    """The losses of two models on the same rows.

    Attributes:
        losses: by name the moments of ``CANDIDATE`` and of ``CHANGE``, its loss less
            the baseline's: nothing is lost to cancellation where models hardly differ.
        discordant: how many rows have a loss that differs.
    """

    losses: Mapping[str, Moments]
    discordant: int

    @classmethod
    def of(
        cls, candidate: Mapping[str, Floats], baseline: Mapping[str, Floats], rows: Rows
    ) -> PairedLossTable:
        """The table of a batch, from both models' losses by name."""
        changes = {name: candidate[name] - baseline[name] for name in candidate}
        losses = {
            name: rows.moments(name, {CANDIDATE: candidate[name], CHANGE: change})
            for name, change in changes.items()
        }
        moved = np.logical_or.reduce([change != 0 for change in changes.values()])
        return cls(losses, int(np.count_nonzero(moved)))

    @cached_property
    def candidate(self) -> LossTable:
        """The candidate's losses alone."""
        return self._alone({CANDIDATE: 1.0})

    @cached_property
    def baseline(self) -> LossTable:
        """The baseline's losses alone."""
        return self._alone({CANDIDATE: 1.0, CHANGE: -1.0})

    def merge(self, other: PairedLossTable) -> PairedLossTable:
        """The losses of both tables' rows."""
        losses = _merged(self.losses, other.losses)
        return PairedLossTable(losses, self.discordant + other.discordant)

    def to_json(self) -> Dict[str, Any]:
        """Plain JSON, exact."""
        return {**_stored(self.losses), "discordant": self.discordant}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> PairedLossTable:
        """Read ``to_json`` back; raises KeyError, TypeError or ValueError."""
        return cls(_read(data), int(data["discordant"]))

    def _alone(self, factors: Mapping[str, float]) -> LossTable:
        return LossTable(
            {name: _alone(one, factors) for name, one in self.losses.items()}
        )


def _alone(moments: Moments, factors: Mapping[str, float]) -> Moments:
    """The moments of one model's loss, and of what stands beside it."""
    others = [name for name in moments.names if name not in (CANDIDATE, CHANGE)]
    wanted = [factors, *({name: 1.0} for name in others)]
    matrix = [[row.get(name, 0.0) for name in moments.names] for row in wanted]
    return moments.mapped((VALUE, *others), np.array(matrix))


def _merged(
    one: Mapping[str, Moments], two: Mapping[str, Moments]
) -> Dict[str, Moments]:
    if set(one) != set(two):
        raise ValueError(f"cannot merge losses {list(one)} and {list(two)}")
    return {name: moments.merge(two[name]) for name, moments in one.items()}


def _stored(losses: Mapping[str, Moments]) -> Dict[str, Any]:
    """JSON in which the buckets, which all losses share, stand once."""
    found = {name: moments.to_json() for name, moments in losses.items()}
    buckets = [one["buckets"] for one in found.values() if "buckets" in one]
    if not buckets:
        return {"losses": found}
    shared = {name: buckets[0][name] for name in ("ids", "weights")}
    for one in found.values():
        one["buckets"] = {"sums": one["buckets"]["sums"]}
    return {"losses": found, "buckets": shared}


def _read(data: Mapping[str, Any]) -> Dict[str, Moments]:
    shared = data.get("buckets", {})
    return {
        name: Moments.from_json(_with_buckets(one, shared))
        for name, one in data["losses"].items()
    }


def _with_buckets(one: Mapping[str, Any], shared: Mapping[str, Any]) -> Dict[str, Any]:
    if "buckets" not in one:
        return dict(one)
    return {**one, "buckets": {**shared, **one["buckets"]}}

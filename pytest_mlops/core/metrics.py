"""What a metric is: a named estimate from a table, with its interval."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import (
    Any,
    Callable,
    FrozenSet,
    Mapping,
    Optional,
    Protocol,
    Sequence,
    Tuple,
)

from pytest_mlops.core.rows import Label


class Task(str, Enum):
    """What kind of answer a model gives."""

    CLASSIFICATION = "classification"
    REGRESSION = "regression"


class Better(str, Enum):
    """Which direction of a metric is an improvement."""

    HIGHER = "higher"
    LOWER = "lower"
    NEITHER = "neither"


class Table(Protocol):
    """Sufficient statistics of some rows. A value: merging makes a new one.

    ``a.merge(b)`` is associative and commutative, and ``from_json(to_json())`` of
    its kind is the same table.
    """

    def merge(self, other: Any) -> Any:
        """The table of both tables' rows."""

    def to_json(self) -> Mapping[str, Any]:
        """Plain JSON, exact."""


@dataclass(frozen=True)
class TableKind:
    """How tables of one kind are made and read back.

    Attributes:
        name: the key under ``tables`` in the evidence.
        task: the task whose rows it is built from.
        build: makes the table of one batch of rows.
        from_json: reads ``Table.to_json`` back.
        needs_probabilities: whether ``build`` reads ``rows.probabilities``.
        inline: whether the table may stand in the verdict, if it is small; else it
            goes into a side file.
        recomputable: whether metrics can be computed from the stored table.
        finish: turns the table of all rows into the one that is kept, where that is
            another one; raises MetricError.
        pair: the kind of table that two models' answers on the same rows make. Its
            ``build`` takes ``PairedRows``; its tables have ``candidate`` and
            ``baseline``, each a table of this kind. None: the two are kept apart, and
            nothing is known of their difference.
        split: makes the tables of many slices in one pass, where that is faster than
            ``build`` on the rows of each: from rows, the slice of each row (from 0;
            no row of slice −1 counts) and the number of slices to a table each.
        version: a text that changes when the same rows make another table. Tables of
            a kind that is not built in are kept from run to run only if it has one.
    """

    name: str
    task: Task
    build: Callable[[Any], Table]
    from_json: Callable[[Mapping[str, Any]], Table]
    needs_probabilities: bool = False
    inline: bool = True
    recomputable: bool = True
    finish: Optional[Callable[[Any], Table]] = None
    pair: Optional[TableKind] = None
    split: Optional[Callable[[Any, Any, int], Sequence[Table]]] = None
    version: Optional[str] = None


@dataclass(frozen=True)
class MetricOptions:
    """The choices that turn a metric's name into one number.

    Attributes:
        positive: the label that binary metrics are about; None for multi-class.
        average: ``"binary"``, ``"micro"``, ``"macro"`` or ``"weighted"``; None is
            ``"binary"`` with a positive label and ``"macro"`` without.
        beta: how much more recall counts than precision, in F-beta.
    """

    positive: Optional[Label] = None
    average: Optional[str] = None
    beta: Optional[float] = None


#: From a confidence such as 0.95 to the two-sided interval's ends.
IntervalFunction = Callable[[float], Tuple[float, float]]

#: From a supposed truth to how likely a value as low, and one as high, as this is.
TailsFunction = Callable[[float], Tuple[float, float]]


@dataclass(frozen=True)
class Estimate:
    """A metric's value on some rows, and how sure one can be of it.

    Attributes:
        value: the number; None where it is undefined (see ``reason``).
        rows: how many rows stand in the metric's own denominator.
        reason: why the value is undefined, in words.
        method: the name of the interval's method; None where there is no interval.
        interval: the interval by confidence; None where there is none.
        flags: why the interval may be off, such as ``"low_support"``.
        error_bound: how far the value may lie from that of the rows themselves,
            because they were counted in bins.
        tails: the chances of so low and so high a value; None where the interval, read
            at the confidence that just reaches the supposed truth, is all there is.
    """

    value: Optional[float]
    rows: int
    reason: Optional[str] = None
    method: Optional[str] = None
    interval: Optional[IntervalFunction] = None
    flags: Tuple[str, ...] = ()
    error_bound: float = 0.0
    tails: Optional[TailsFunction] = None


@dataclass(frozen=True)
class Metric:
    """One metric: its documentation and how it is computed.

    Attributes:
        name: what gates call it, such as ``"recall"``.
        title: what it is, in a few words.
        formula: in plain text, in terms of tp, fp, …
        source: where the definition comes from.
        better: the direction of an improvement.
        kind: the table that it is computed from.
        estimate: from a table of that kind and the options to the estimate.
        difference: from a table of ``kind.pair``, the options and a factor to the
            estimate of candidate − factor × baseline, with a paired interval; None
            where there is none.
        across: whether it compares slices: ``estimate`` is then given a mapping of
            slice keys to tables, and a gate on it needs ``by``.
        interval_method: what ``show metrics`` says of its interval.
        options: the gate keys that it understands: ``average``, ``beta``.
        averages: the values of ``average`` that it understands.
        limits: the least and the greatest value that it can take.
    """

    name: str
    title: str
    formula: str
    source: str
    better: Better
    kind: TableKind
    estimate: Callable[[Any, MetricOptions], Estimate]
    difference: Optional[Callable[[Any, MetricOptions, float], Estimate]] = None
    across: bool = False
    interval_method: str = "none"
    options: FrozenSet[str] = frozenset()
    averages: Tuple[str, ...] = ()
    limits: Tuple[float, float] = (float("-inf"), float("inf"))

    @property
    def task(self) -> Task:
        """The task whose models have this metric."""
        return self.kind.task

"""Where a model is weakest: every part of a column and of two against the rest."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property, reduce
from itertools import combinations
from typing import (
    TYPE_CHECKING,
    Dict,
    Iterator,
    List,
    Mapping,
    Optional,
    Sequence,
    Tuple,
)

from pytest_mlops.core.condition_tree import AllOf, Condition
from pytest_mlops.core.metrics import Better, Estimate, Metric, MetricOptions, Table
from pytest_mlops.core.rows import Batch, JudgedRows
from pytest_mlops.core.selection import SliceKey
from pytest_mlops.evidence.contrast import benjamini_yekutieli, independent_difference
from pytest_mlops.evidence.tables.slices import Slices
from pytest_mlops.gates.cuts import Cut
from pytest_mlops.gates.estimates import estimate_from
from pytest_mlops.gates.limits import Limit, breaking_chance
from pytest_mlops.gates.selecting import split_tables

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Codes

#: With more columns than this their pairs are too many to look into.
MOST_PAIRED_COLUMNS = 40


@dataclass(frozen=True)
class Figure:
    """What a search is about.

    Attributes:
        metric: has a better and a worse direction.
        options: its options.
        min_rows: a slice, and its rest, have so many rows in the denominator at least.
        confidence: of the intervals; the share of false discoveries is 1 − that.
    """

    metric: Metric
    options: MetricOptions
    min_rows: int = 50
    confidence: float = 0.95

    def of(self, table: Table) -> Estimate:
        """The metric on a table; raises MetricError."""
        finish = self.metric.kind.finish
        complete = table if finish is None else finish(table)
        return estimate_from(self.metric, complete, self.options)

    @property
    def rising(self) -> bool:
        """Whether more is better."""
        return self.metric.better is Better.HIGHER


@dataclass(frozen=True)
class WeakSlice:
    """A slice that is held against all other rows.

    Attributes:
        conditions: what its rows have in common, a column or two.
        here: the metric in the slice.
        rest: the metric in all other rows.
        p_value: the chance of so weak a slice were it no weaker than the rest.
        p_adjusted: that, corrected for every slice that was looked at.
    """

    conditions: Tuple[Condition, ...]
    here: Estimate
    rest: Estimate
    p_value: float
    p_adjusted: float = 1.0

    @property
    def where(self) -> str:
        """The slice as a condition of a gate."""
        first = self.conditions[0]
        return str(first if len(self.conditions) == 1 else AllOf(self.conditions))

    @cached_property
    def columns(self) -> Tuple[str, ...]:
        """Its one or two columns."""
        return tuple(dict.fromkeys(c for one in self.conditions for c in one.columns))

    def surely(self, confidence: float) -> Tuple[float, float]:
        """The interval of how much more the slice has than the rest."""
        difference = independent_difference(self.here, self.rest)
        assert difference.interval is not None
        return difference.interval(confidence)


@dataclass(frozen=True)
class Weakness:
    """What was found.

    Attributes:
        figure: what it is about.
        data: the data set's name.
        rows: how many it has.
        whole: the metric on all of them.
        found: the slices that are surely weaker than the rest, the surest first.
        tested: how many slices were held against the rest.
        skipped: columns that were not looked into, with the reason.
        remarks: what else to know, a line each.
    """

    figure: Figure
    data: str
    rows: int
    whole: Optional[Estimate]
    found: Tuple[WeakSlice, ...]
    tested: int
    skipped: Mapping[str, str] = field(default_factory=dict)
    remarks: Tuple[str, ...] = ()


class SliceTables:
    """Tables of all slices of some columns, and of pairs of them, as they grow."""

    def __init__(self, figure: Figure, cuts: Sequence[Cut]) -> None:
        self._figure = figure
        self._cuts = cuts
        groups: List[Tuple[int, ...]] = [(i,) for i in range(len(cuts))]
        if len(cuts) <= MOST_PAIRED_COLUMNS:
            groups += combinations(range(len(cuts)), 2)
        self._keys = {group: _keys([cuts[i] for i in group]) for group in groups}
        self._slices: Dict[Tuple[int, ...], Slices] = {}
        self.rows = 0

    def take(self, batch: Batch, rows: JudgedRows) -> None:
        """Count one batch."""
        kind = self._figure.metric.kind
        codes = [cut.codes(batch) for cut in self._cuts]
        for group, keys in self._keys.items():
            joint = self._joint(group, codes)
            found = split_tables(kind, rows, joint, keys)
            known = self._slices.get(group)
            self._slices[group] = found if known is None else known.merge(found)
        self.rows += batch.rows

    def _joint(self, group: Tuple[int, ...], codes: Sequence[Codes]) -> Codes:
        first, *second = group
        if not second:
            return codes[first]
        joint: Codes = codes[first] * self._cuts[second[0]].size + codes[second[0]]
        return joint

    @property
    def whole(self) -> Optional[Estimate]:
        """The metric on all rows."""
        tables = [t for s in list(self._slices.values())[:1] for t in s.tables.values()]
        return self._figure.of(_merged(tables)) if tables else None

    def compared(self) -> Tuple[WeakSlice, ...]:
        """Every slice with enough rows against the rest, the surest weak one first.

        Weak is what lies surely below the rest: slices are in the order of the end of
        the difference's interval that is nearer to none.
        """
        found = [one for group in self._slices for one in self._of_group(group)]
        adjusted = benjamini_yekutieli([one.p_value for one in found])
        weak = [replace(one, p_adjusted=p) for one, p in zip(found, adjusted)]
        return tuple(sorted(weak, key=self._shortfall))

    def _shortfall(self, one: WeakSlice) -> float:
        low, high = one.surely(self._figure.confidence)
        return high if self._figure.rising else -low

    def _of_group(self, group: Tuple[int, ...]) -> Iterator[WeakSlice]:
        tables = self._slices[group].tables
        keys = list(tables)
        for key, rest in zip(keys, _rests([tables[key] for key in keys])):
            conditions = self._conditions(group, key)
            if conditions and rest is not None:
                one = self._against(conditions, tables[key], rest)
                if one is not None:
                    yield one

    def _conditions(
        self, group: Tuple[int, ...], key: SliceKey
    ) -> Tuple[Condition, ...]:
        """What makes a slice; nothing where a value in it was not foreseen."""
        found: Tuple[Condition, ...] = ()
        for index, part in zip(group, key):
            cut, place = self._cuts[index], int(part or 0)
            if place >= cut.parts:
                return ()
            found += cut.conditions(place)
        return found

    def _against(
        self, conditions: Tuple[Condition, ...], table: Table, rest: Table
    ) -> Optional[WeakSlice]:
        """A comparison; None where there are too few rows for one."""
        figure = self._figure
        here = figure.of(table)
        if here.rows < figure.min_rows:
            return None
        there = figure.of(rest)
        difference = independent_difference(here, there)
        chance = breaking_chance(Limit(0.0, 0.0, figure.rising, False), difference)
        if there.rows < figure.min_rows or chance is None:
            return None
        return WeakSlice(conditions, here, there, chance)


def telling(found: Sequence[WeakSlice], confidence: float) -> Tuple[WeakSlice, ...]:
    """The slices that are surely weak, without pairs that only repeat a column's part.

    A pair repeats a part of its columns that is listed where that part's value lies
    inside of the pair's interval. As many pairs are looked at, that interval is wider:
    its confidence is corrected for their number (Bonferroni).
    """
    weak = [one for one in found if one.p_adjusted <= 1 - confidence]
    singles = [one for one in weak if len(one.columns) == 1]
    wider = 1 - (1 - confidence) / max(len(found), 1)
    return tuple(
        one
        for one in weak
        if len(one.columns) == 1
        or not any(_repeats(one, single, wider) for single in singles)
    )


def _repeats(pair: WeakSlice, single: WeakSlice, confidence: float) -> bool:
    if not set(single.conditions) <= set(pair.conditions):
        return False
    assert pair.here.interval is not None and single.here.value is not None
    low, high = pair.here.interval(confidence)
    return low <= single.here.value <= high


def _keys(cuts: Sequence[Cut]) -> Tuple[SliceKey, ...]:
    """The parts of a column or of two, in the order of their joint codes."""
    keys: List[SliceKey] = [()]
    for cut in cuts:
        keys = [(*key, part) for key in keys for part in range(cut.size)]
    return tuple(keys)


def _merged(tables: Sequence[Table]) -> Table:
    return reduce(lambda one, other: one.merge(other), tables)


def _rests(tables: Sequence[Table]) -> List[Optional[Table]]:
    """For each table, all others merged: those before it with those behind it."""
    before = _running(tables)
    behind = _running(tables[::-1])[::-1]
    return [
        first if second is None else second if first is None else first.merge(second)
        for first, second in zip(before, behind)
    ]


def _running(tables: Sequence[Table]) -> List[Optional[Table]]:
    """For each table, those before it merged; None for the first."""
    sums: List[Optional[Table]] = [None]
    for table in tables[:-1]:
        sums.append(table if sums[-1] is None else sums[-1].merge(table))
    return sums

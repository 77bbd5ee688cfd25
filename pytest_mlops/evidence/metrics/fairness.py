"""Metrics across groups: how unequally a model treats them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from typing import List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np
from numpy.typing import NDArray

from pytest_mlops.core.metrics import (
    Better,
    Estimate,
    IntervalFunction,
    Metric,
    MetricOptions,
)
from pytest_mlops.core.rows import Label
from pytest_mlops.core.selection import SliceKey
from pytest_mlops.evidence.delta import Scatter, scatter
from pytest_mlops.evidence.gaps import Rates, difference_interval, ratio_interval
from pytest_mlops.evidence.labels import canonical
from pytest_mlops.evidence.metrics.estimates import (
    FEW_ROWS,
    LOW_SUPPORT,
    UNIT,
    undefined,
)
from pytest_mlops.evidence.metrics.readings import clustered, group_flags
from pytest_mlops.evidence.tables import LABELS
from pytest_mlops.evidence.tables.counts import LabelCounts
from pytest_mlops.evidence.tables.slices import Slices

#: Groups that a reason names, at most.
_NAMED = 3

#: A variance below this is one of rounding.
_NO_VARIANCE = 1e-24

_INTERVAL = (
    "MOVER for a pair, from Wilson's or Clopper and Pearson's intervals of its rates; "
    "simultaneously over all pairs"
)


class Rate(Enum):
    """How often rows of some kind are predicted positive."""

    SELECTION = "selection rate"
    TRUE_POSITIVE = "true positive rate"
    FALSE_POSITIVE = "false positive rate"

    def among(self, positive: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """The rows that count, by whether they are truly positive."""
        if self is Rate.SELECTION:
            return np.ones(len(positive), dtype=bool)
        return positive if self is Rate.TRUE_POSITIVE else ~positive

    def lacking(self, positive: Label) -> str:
        """What a group without such rows has not."""
        if self is Rate.SELECTION:
            return "no row"
        if self is Rate.TRUE_POSITIVE:
            return f"no row of the label {positive!r}"
        return f"no row of another label than {positive!r}"


@dataclass(frozen=True)
class _Measured:
    """The rates of all groups, one or two of each.

    Attributes:
        families: the kinds of rates, each with that of every group.
        rows: in their denominators.
        method: of the interval.
        flags: of the estimate.
    """

    families: Tuple[Rates, ...]
    rows: int
    method: str
    flags: Tuple[str, ...]

    def estimate(self, value: float, interval: IntervalFunction) -> Estimate:
        """With what is known of the rates."""
        return Estimate(
            value, self.rows, method=self.method, interval=interval, flags=self.flags
        )


@dataclass(frozen=True)
class _OfGroup:
    """A rate of one group, as in ``Rates``, and the rows in its denominator."""

    value: float
    trials: float
    rows: int
    scatter: Scatter


def fairness_metrics() -> List[Metric]:
    """Demographic parity, equalized odds and equal opportunity, each in two ways."""
    return [
        *_both(
            "demographic_parity",
            "shares of rows that are predicted positive",
            "P(predicted positive)",
            [Rate.SELECTION],
        ),
        *_both(
            "equalized_odds",
            "true or false positive rates, whichever differ more",
            "P(predicted positive | truth)",
            [Rate.TRUE_POSITIVE, Rate.FALSE_POSITIVE],
        ),
        *_both(
            "equal_opportunity",
            "true positive rates",
            "P(predicted positive | truly positive)",
            [Rate.TRUE_POSITIVE],
        ),
    ]


def _both(
    name: str, compared: str, formula: str, rates: Sequence[Rate]
) -> Tuple[Metric, Metric]:
    """The greatest difference and the least ratio of groups."""
    difference = Metric(
        name=f"{name}_difference",
        title=f"greatest difference between groups of their {compared}",
        formula=f"max − min over groups of {formula}",
        source=f"fairlearn: metrics.{name}_difference",
        better=Better.LOWER,
        kind=LABELS,
        estimate=partial(_difference, rates),
        across=True,
        interval_method=_INTERVAL,
        limits=UNIT,
    )
    ratio = replace(
        difference,
        name=f"{name}_ratio",
        title=f"least ratio between groups of their {compared}",
        formula=f"min / max over groups of {formula}",
        source=f"fairlearn: metrics.{name}_ratio",
        better=Better.HIGHER,
        estimate=partial(_ratio, rates),
    )
    return difference, ratio


def _difference(
    rates: Sequence[Rate],
    tables: Mapping[SliceKey, LabelCounts],
    options: MetricOptions,
) -> Estimate:
    found = _measure(rates, tables, options)
    if isinstance(found, Estimate):
        return found
    value = max(family.difference for family in found.families)
    return found.estimate(value, difference_interval(found.families))


def _ratio(
    rates: Sequence[Rate],
    tables: Mapping[SliceKey, LabelCounts],
    options: MetricOptions,
) -> Estimate:
    found = _measure(rates, tables, options)
    if isinstance(found, Estimate):
        return found
    for rate, family in zip(rates, found.families):
        if not family.values.any():
            return undefined(found.rows, f"no group has a {rate.value} above 0")
    value = min(family.ratio for family in found.families)
    return found.estimate(value, ratio_interval(found.families))


def _measure(
    rates: Sequence[Rate],
    tables: Mapping[SliceKey, LabelCounts],
    options: MetricOptions,
) -> Union[_Measured, Estimate]:
    """The rates; an estimate without a value where they cannot be compared."""
    positive = canonical(options.positive)
    if positive is None:
        return undefined(0, "a gap between groups needs a positive label")
    keys = Slices(tables).ordered
    if len(keys) < 2:
        only = f"only the group {_name(keys[0])}" if keys else "none"
        return undefined(0, f"a gap needs two groups, and there is {only}")
    families: List[List[_OfGroup]] = []
    for rate in rates:
        found = [_of_group(rate, tables[key], positive) for key in keys]
        lacking = [key for key, one in zip(keys, found) if one is None]
        if lacking:
            return undefined(0, f"{_have(lacking)} {rate.lacking(positive)}")
        families.append([one for one in found if one is not None])
    every = [one for family in families for one in family]
    low_support = (LOW_SUPPORT,) if any(one.rows < FEW_ROWS for one in every) else ()
    # One that is known from the fewest groups of rows speaks for all.
    weakest = min((one.scatter for one in every), key=lambda scatter: scatter.free)
    return _Measured(
        tuple(map(_family, families)),
        sum(one.rows for one in every),
        clustered("mover", weakest),
        (*low_support, *group_flags(weakest)),
    )


def _of_group(rate: Rate, table: LabelCounts, positive: Label) -> Optional[_OfGroup]:
    """None where no row counts."""
    index = table.index(positive)
    # Where the label does not occur, no cell is of it.
    place = -1 if index is None else index
    among = rate.among(table.true == place)
    weight = float(table.mass[among].sum())
    if not weight > 0:
        return None
    hit = among & (table.predicted == place)
    value = min(float(table.mass[hit].sum()) / weight, 1.0)
    # Zero outside, and with the mean zero: a row's part in the share.
    influence = np.where(among, hit - value, 0.0) * (table.mass.sum() / weight)
    found = scatter(table, influence)
    most = weight * weight / float(table.square_mass[among].sum())
    return _OfGroup(
        value,
        _trials(value, most, found),
        int(table.rows[among].sum()),
        found,
    )


def _trials(value: float, most: float, found: Scatter) -> float:
    """How many independent rows of equal weight tell as much of a share.

    Args:
        value: the share.
        most: what unequal weights alone leave: Kish, "Survey sampling" (1965).
        found: how much the share scatters.
    """
    variance = found.error**2
    if not variance > _NO_VARIANCE:
        return most / found.design
    return min(most, value * (1 - value) / variance)


def _family(groups: Sequence[_OfGroup]) -> Rates:
    return Rates(
        np.array([one.value for one in groups]),
        np.array([one.trials for one in groups]),
        np.array([one.scatter.free for one in groups]),
    )


def _have(keys: Sequence[SliceKey]) -> str:
    """The beginning of what some groups have, or have not."""
    names = "; ".join(map(_name, keys[:_NAMED]))
    if len(keys) == 1:
        return f"the group {names} has"
    more = f" and {len(keys) - _NAMED} more" if len(keys) > _NAMED else ""
    return f"the groups {names}{more} have"


def _name(key: SliceKey) -> str:
    """The labels that make a group."""
    return ", ".join("missing" if label is None else repr(label) for label in key)

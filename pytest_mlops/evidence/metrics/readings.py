"""Readings: what a metric is on one table of counts; from it follows its estimate."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Callable, Optional, Tuple, Union

import numpy as np
from numpy.typing import NDArray

from pytest_mlops.core.metrics import (
    Estimate,
    IntervalFunction,
    MetricOptions,
    TailsFunction,
)
from pytest_mlops.evidence.delta import (
    Scatter,
    Statistic,
    scatter,
    slopes,
    smoothed,
)
from pytest_mlops.evidence.dirichlet import sampled_interval
from pytest_mlops.evidence.groups import FEW_GROUPS
from pytest_mlops.evidence.intervals import (
    binomial_tails,
    f1_tails,
    stabilised,
    wider,
    wilson,
    wilson_jaccard,
    wilson_mean,
)
from pytest_mlops.evidence.metrics.estimates import (
    FEW_GROUPS_FLAG,
    FEW_ROWS,
    LOW_SUPPORT,
    TOO_MANY_LABELS,
    UNIT,
)
from pytest_mlops.evidence.tables.cells import CellTable
from pytest_mlops.evidence.tables.counts import LabelCounts, Margins

if TYPE_CHECKING:
    from pytest_mlops.core.rows import Codes

#: With more labels than this there is no interval: the table is too thin for it.
MOST_LABELS = 100

#: With more labels than this small counts are not sampled.
MOST_SAMPLED_LABELS = 32

#: A standard error below this is one of rounding; so is a distance to a limit.
NO_ERROR = 1e-12

ByClass = Callable[[Margins], NDArray[Any]]


@dataclass(frozen=True)
class Ratio:
    """A metric of each class, as numerator over denominator.

    Attributes:
        numerator: from margins to the shape ``(…, labels)``.
        denominator: likewise.
        lacking: what is missing where the denominator is 0: ``"is never predicted"``.
    """

    numerator: ByClass
    denominator: ByClass
    lacking: str

    def of_ones(self, margins: Margins) -> NDArray[Any]:
        """The ratio of the second of two classes."""
        above = self.numerator(margins)[..., 1]
        return np.asarray(above / self.denominator(margins)[..., 1])


@dataclass(frozen=True)
class Share:
    """A metric that rises with a share of rows, each of which is a trial.

    Attributes:
        ratio: the share, as the ratio of the second of two classes.
        interval: from successes, trials and degrees of freedom to the metric's.
        method: the name of the interval.
        tails: from successes and trials to the metric's chances.
    """

    ratio: Ratio
    interval: Callable[[float, float, float], IntervalFunction] = wilson
    method: str = "wilson"
    tails: Callable[[float, float], TailsFunction] = binomial_tails


#: Given tp + fp + fn, tp is binomial, and F1 rises with their ratio.
JACCARD = Share(
    Ratio(lambda m: m.hits, lambda m: m.true + m.predicted - m.hits, ""),
    wilson_jaccard,
    "wilson_jaccard",
    f1_tails,
)


def whole(table: CellTable) -> CellTable:
    """The table itself, as a view of it."""
    return table


@dataclass(frozen=True)
class Reading:
    """A metric that is defined on a table, before anything is said of its interval.

    Attributes:
        table: the view of the counts that it is a function of.
        statistic: that function, of the margins.
        rows: in the metric's own denominator.
        limits: the metric's.
        classes: indices of labels each of which matters however few its rows are.
        share: what makes it a share of rows, if it is one.
        mean_of: the ratio of whose values for ``classes`` it is the mean, where each is
            a share of rows of its own and they are few.
        view: makes ``table`` of the counts, and the like of pairs.
    """

    table: LabelCounts
    statistic: Statistic
    rows: int
    limits: Tuple[float, float] = UNIT
    classes: Optional[Codes] = None
    share: Optional[Share] = None
    mean_of: Optional[Ratio] = None
    view: Callable[[Any], Any] = whole

    @property
    def value(self) -> float:
        """The metric's value."""
        low, high = self.limits
        return min(max(float(self.statistic(self.table.margins)), low), high)

    @property
    def low_support(self) -> bool:
        """Whether a class that matters has few rows, or shows no spread of its own."""
        if self.classes is None:
            return False
        few = self.table.row_margins.true[self.classes] < FEW_ROWS
        return bool(few.any()) or one_sided(self.table.margins, self.classes)

    def scatter(self, table: LabelCounts) -> Scatter:
        """How much the metric scatters, on its own table or one much like it."""
        slope = slopes(table.margins, self.statistic)
        return scatter(table, slope.at(table.true, table.predicted))


#: From counts and options to what a metric is there; an estimate where it is undefined.
Read = Callable[[LabelCounts, MetricOptions], Union[Reading, Estimate]]


def estimated(read: Read) -> Callable[[LabelCounts, MetricOptions], Estimate]:
    """A metric's ``estimate`` from its reading."""
    return partial(_estimate, read)


def _estimate(read: Read, table: LabelCounts, options: MetricOptions) -> Estimate:
    reading = read(table, options)
    if isinstance(reading, Estimate):
        return reading
    if reading.share is not None:
        return _by_share(reading, reading.share)
    if reading.mean_of is not None and reading.table.groups is None:
        return _by_mean(reading, reading.mean_of)
    return _by_delta(reading)


def one_sided(margins: Margins, classes: Codes) -> bool:
    """Whether a class has no hit, or no mistake of one kind.

    Its part of the spread then seems to be nothing, and an interval that believes it
    is far too narrow: of a recall of 0.97 on 30 rows that shows in 4 of 10 tables.
    """
    true, predicted = margins.true[classes], margins.predicted[classes]
    hits = margins.hits[classes]
    return bool(((hits == 0) | (hits == true) | (hits == predicted)).any())


def clustered(method: str, found: Scatter) -> str:
    """The name of a method, when the spread is that between groups."""
    return method if found.groups is None else f"{method}_clustered"


def group_flags(found: Scatter) -> Tuple[str, ...]:
    """The flag of a spread that is known from few groups."""
    few = found.groups is not None and (found.thin or found.groups < FEW_GROUPS)
    return (FEW_GROUPS_FLAG,) if few else ()


def _by_share(reading: Reading, share: Share) -> Estimate:
    table = reading.table
    if _plain(table):
        hits = float(share.ratio.numerator(table.margins)[1])
        trials = float(share.ratio.denominator(table.margins)[1])
        interval = share.interval(hits, trials, np.inf)
        return Estimate(
            reading.value,
            reading.rows,
            method=share.method,
            interval=interval,
            tails=share.tails(hits, trials),
        )
    found, at, trials = _effective(table, share.ratio)
    return Estimate(
        reading.value,
        reading.rows,
        method=clustered(share.method, found),
        interval=share.interval(at * trials, trials, found.free),
        flags=group_flags(found),
    )


def _effective(table: LabelCounts, ratio: Ratio) -> Tuple[Scatter, float, float]:
    """How a share of the second of two classes scatters, the share, and its trials."""
    influence = slopes(table.margins, ratio.of_ones)
    found = scatter(table, influence.at(table.true, table.predicted))
    at = float(ratio.of_ones(table.margins))
    return found, at, _effective_trials(table, ratio, at, found)


def _plain(table: LabelCounts) -> bool:
    return table.weights is None and table.groups is None


def _by_mean(reading: Reading, ratio: Ratio) -> Estimate:
    assert reading.classes is not None
    hits, trials = [], []
    for index in reading.classes.tolist():
        table = reading.table.against_rest(reading.table.labels[index])
        if _plain(table):
            of_all = float(ratio.denominator(table.margins)[1])
            hits.append(float(ratio.numerator(table.margins)[1]))
        else:
            _, share, of_all = _effective(table, ratio)
            hits.append(share * of_all)
        trials.append(of_all)
    flags = (LOW_SUPPORT,) if reading.low_support else ()
    return Estimate(
        reading.value,
        reading.rows,
        method="wilson_mean",
        interval=wilson_mean(hits, trials),
        flags=flags,
    )


def _effective_trials(
    table: LabelCounts, ratio: Ratio, share: float, found: Scatter
) -> float:
    """How many independent rows of equal weight tell as much of a share."""
    weight = float(ratio.denominator(table.margins)[1])
    # Kish, "Survey sampling" (1965): what unequal weights alone leave.
    most = weight * weight / float(ratio.denominator(table.square_margins)[1])
    if not found.error > NO_ERROR:
        return most / found.design
    return min(most, share * (1 - share) / found.error**2)


def _by_delta(reading: Reading) -> Estimate:
    if len(reading.table.labels) > MOST_LABELS:
        return Estimate(reading.value, reading.rows, flags=(TOO_MANY_LABELS,))
    found, value = reading.scatter(reading.table), reading.value
    method = "delta_logit" if reading.limits == UNIT else "delta_atanh"
    # A negated comparison, so that a derivative that is no number is not believed.
    enough = found.error > NO_ERROR and _inside(value, reading.limits)
    if enough and not reading.low_support:
        interval = stabilised(value, value, found.error, reading.limits, found.free)
        flags = group_flags(found)
    else:
        interval = _conservative(reading, found, enough)
        flags = (LOW_SUPPORT, *group_flags(found))
        method = "dirichlet" if _sampled(reading.table) else method
    method = clustered(method, found)
    return Estimate(value, reading.rows, method=method, interval=interval, flags=flags)


def _inside(value: float, limits: Tuple[float, float]) -> bool:
    return limits[0] + NO_ERROR < value < limits[1] - NO_ERROR


def _sampled(table: LabelCounts) -> bool:
    return table.groups is None and len(table.labels) <= MOST_SAMPLED_LABELS


def _conservative(reading: Reading, found: Scatter, enough: bool) -> IntervalFunction:
    """Where counts are small: the wider of two intervals that fail on other sides.

    The delta method lacks the skewness of small counts, the posterior believes that
    cells without a row are nearly empty. The former takes centre and spread from the
    table with one more row spread over all cells where the table alone says nothing
    of a part of the spread.
    """
    table, limits, value = reading.table, reading.limits, reading.value
    centre, error = value, found.error
    shows = reading.classes is None or not one_sided(table.margins, reading.classes)
    if not (enough and shows):
        more = smoothed(table)
        centre = float(reading.statistic(more.margins))
        error = reading.scatter(more).error * found.design**0.5
    delta = stabilised(value, centre, error, limits, found.free)
    if not _sampled(table):
        return delta
    drawn = reading.statistic(table.posterior)
    return wider(delta, sampled_interval(drawn, value, limits))

"""From kept tables to the figures of a check, whatever a plugin's metric does."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Callable, List, Tuple

from pytest_mlops.core.metrics import Estimate, Metric, MetricOptions
from pytest_mlops.core.selection import SliceKey
from pytest_mlops.errors import InstrumentError, MetricError
from pytest_mlops.evidence.record import Cuts, Kept
from pytest_mlops.gates.decide import Figures

#: The slice of a metric that compares slices, and of one of all rows.
WHOLE: SliceKey = ()

_Limits = Tuple[float, float]
_ANY: _Limits = (-math.inf, math.inf)


def figures_of(
    metric: Metric, cuts: Cuts, options: MetricOptions
) -> List[Tuple[SliceKey, Figures]]:
    """The figures of each slice; of a metric across slices, of all of them at once.

    Raises:
        MetricError: the metric raises, or returns no estimate; the message names it.
    """
    if metric.across:
        return [(WHOLE, _across(metric, cuts, options))]
    return [(key, _figures(metric, kept, options)) for key, kept in cuts.items()]


def _figures(metric: Metric, kept: Kept, options: MetricOptions) -> Figures:
    candidate = estimate_from(metric, kept.candidate, options)
    if kept.baseline is None:
        return Figures(candidate)
    baseline = estimate_from(metric, kept.baseline, options)
    difference, pair = metric.difference, kept.paired
    if difference is None or pair is None:
        return Figures(candidate, baseline)

    def paired(factor: float) -> Estimate:
        return _guarded(metric, lambda: difference(pair, options, factor), _ANY)

    return Figures(candidate, baseline, paired)


def _across(metric: Metric, cuts: Cuts, options: MetricOptions) -> Figures:
    candidates = {key: kept.candidate for key, kept in cuts.items()}
    candidate = estimate_from(metric, candidates, options)
    baselines = {
        key: kept.baseline for key, kept in cuts.items() if kept.baseline is not None
    }
    if not baselines:
        return Figures(candidate)
    return Figures(candidate, estimate_from(metric, baselines, options))


def estimate_from(metric: Metric, table: object, options: MetricOptions) -> Estimate:
    """A metric of anybody's on a table, in plain Python numbers.

    Args:
        metric: what is asked for.
        table: of the metric's kind; for a metric across slices, tables by slice.
        options: its choices.

    Raises:
        MetricError: it raises, or what it returns is no estimate; the message names it.
    """
    return _guarded(metric, lambda: metric.estimate(table, options), metric.limits)


def _guarded(metric: Metric, ask: Callable[[], Estimate], limits: _Limits) -> Estimate:
    try:
        return _plain(ask(), limits)
    except InstrumentError:
        raise
    except Exception as error:
        # Metrics come from plugins, and may do anything.
        raise MetricError(
            f"the metric '{metric.name}' raised {type(error).__name__}: {error}"
        ) from error


def _plain(found: Estimate, limits: _Limits) -> Estimate:
    """Without the scalar types of numpy, which JSON and comparisons do not know.

    Its interval reaches as far as the value may be off, and not beyond the limits.
    """
    interval, off = found.interval, float(found.error_bound)

    def plain_interval(confidence: float) -> Tuple[float, float]:
        low, high = interval(confidence) if interval else (math.nan, math.nan)
        if off:
            return max(float(low) - off, limits[0]), min(float(high) + off, limits[1])
        return float(low), float(high)

    return replace(
        found,
        value=None if found.value is None else float(found.value),
        rows=int(found.rows),
        error_bound=off,
        interval=None if interval is None else plain_interval,
        flags=tuple(map(str, found.flags)),
    )

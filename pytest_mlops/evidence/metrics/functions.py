"""Metrics from functions of ``y_true`` and ``y_pred``, bootstrapped."""

from __future__ import annotations

from functools import partial
from typing import Any, Callable, Optional, Tuple

from pytest_mlops.core.metrics import (
    Better,
    Estimate,
    Metric,
    MetricOptions,
    Table,
    TableKind,
    Task,
)
from pytest_mlops.evidence.bias_corrected import Shape, bias_corrected
from pytest_mlops.evidence.groups import FEW_GROUPS
from pytest_mlops.evidence.metrics.calling import Score
from pytest_mlops.evidence.metrics.estimates import (
    FEW_DISCORDANT_FLAG,
    FEW_GROUPS_FLAG,
    FEW_ROWS,
    LOW_SUPPORT,
    no_rows,
)
from pytest_mlops.evidence.metrics.loss_estimates import (
    ANY,
)
from pytest_mlops.evidence.metrics.tails import HEAVY_TAILS, lopsided, reach_of
from pytest_mlops.evidence.resampling import replicate, replicate_pair
from pytest_mlops.evidence.spread import no_width
from pytest_mlops.evidence.tables.kept import KeptRows
from pytest_mlops.evidence.tables.replicates import PairedReplicates, Replicates

#: The rows have weights, and the function is not told of them.
UNWEIGHTED = "unweighted"

METHOD = "poisson_bootstrap"

#: A larger share of replicates without a value is told; half of them leave no interval.
_MANY_FAILED, _MOST_FAILED = 0.01, 0.5

_Function = Callable[..., Any]


def function_metric(function: _Function, task: Task, name: str, **about: Any) -> Metric:
    """The metric that a function computes from the rows, for plugins.

    The function is given two arrays of the shape ``(rows,)``, numbers for a regression
    and labels for a classification, and returns a finite number. It is called a few
    hundred times on rows drawn with replacement, from which the interval comes, that of
    a difference to a baseline too.

    Args:
        function: of ``y_true`` and ``y_pred``.
        task: what kind of rows it is given.
        name: what gates call it.
        about: other fields of ``Metric``: ``title``, ``formula``, ``source``,
            ``better``, ``limits``.
    """
    return lazy_metric(partial(_same, function), task, name, **about)


def lazy_metric(
    load: Callable[[], _Function], task: Task, name: str, **about: Any
) -> Metric:
    """As ``function_metric``, of a function that is loaded when it is first needed.

    Args:
        load: gives the function; raises MetricError where there is none.
        task: as there.
        name: as there.
        about: as there.
    """
    fields = {
        "title": name,
        "formula": f"{name}(y_true, y_pred)",
        "source": name,
        "better": Better.NEITHER,
        "limits": ANY,
        **about,
    }
    limits = fields["limits"]
    return Metric(
        name=name,
        kind=_kind(load, task, name),
        estimate=partial(_estimate, limits),
        difference=_difference,
        interval_method="Poisson bootstrap, bias-corrected and accelerated",
        **fields,
    )


def _kind(load: Callable[[], _Function], task: Task, name: str) -> TableKind:
    """Keeps the rows while they are read, and their replicates in the end."""
    pair = TableKind(
        name=f"paired/custom/{name}",
        task=task,
        build=KeptRows.of_pair,
        from_json=PairedReplicates.from_json,
        recomputable=False,
        finish=partial(_finished, replicate_pair, load, name),
    )
    return TableKind(
        name=f"custom/{name}",
        task=task,
        build=KeptRows.of,
        from_json=Replicates.from_json,
        recomputable=False,
        finish=partial(_finished, replicate, load, name),
        pair=pair,
    )


def _finished(
    resample: Callable[[Any, KeptRows], Table],
    load: Callable[[], _Function],
    name: str,
    table: KeptRows,
) -> Table:
    """The replicates of kept rows; nothing is loaded for no rows."""
    return resample(Score(name, load()) if table.rows else None, table)


def _same(function: _Function) -> _Function:
    return function


def _estimate(
    limits: Tuple[float, float], table: Replicates, options: MetricOptions
) -> Estimate:
    return _from_replicates(table, limits)


def _difference(
    table: PairedReplicates, options: MetricOptions, factor: float
) -> Estimate:
    found = table.candidate.minus(factor, table.baseline)
    changes = (found.value, found.drawn.any(), found.left_out.any())
    if found.value is not None and not any(changes):
        # NaN, where the function has no value, counts as something.
        return Estimate(0.0, found.rows, None, METHOD, no_width, (FEW_DISCORDANT_FLAG,))
    return _from_replicates(found, ANY)


def _from_replicates(found: Replicates, limits: Tuple[float, float]) -> Estimate:
    if found.value is None:
        return no_rows()
    shape = Shape.of(found) if _enough(found) else None
    flags = _flags(found, shape)
    if shape is None:
        return Estimate(found.value, found.rows, flags=flags)
    reach = reach_of(lopsided(shape.spread), shape.spread)
    interval = bias_corrected(found.value, shape, limits, reach)
    method = f"{METHOD}_clustered" if found.grouped else METHOD
    return Estimate(found.value, found.rows, None, method, interval, flags)


def _enough(found: Replicates) -> bool:
    return found.failed <= _MOST_FAILED * len(found.drawn)


def _flags(found: Replicates, shape: Optional[Shape]) -> Tuple[str, ...]:
    many_failed = found.failed > _MANY_FAILED * len(found.drawn)
    raised = {
        LOW_SUPPORT: shape is None or many_failed or found.rows < FEW_ROWS,
        HEAVY_TAILS: shape is not None and lopsided(shape.spread),
        FEW_GROUPS_FLAG: found.grouped and found.units < FEW_GROUPS,
        UNWEIGHTED: found.weighted,
    }
    return tuple(flag for flag, is_raised in raised.items() if is_raised)

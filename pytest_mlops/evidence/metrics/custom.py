"""Metrics of one's own: ``package.module:function``, called with all rows."""

from __future__ import annotations

import importlib
import inspect
import math
import traceback
from functools import partial
from numbers import Real
from typing import Any, Callable, Optional

import numpy as np

from pytest_mlops.core.metrics import Better, Estimate, Metric, MetricOptions, Task
from pytest_mlops.core.suggestions import did_you_mean
from pytest_mlops.errors import ConfigurationError, MetricError
from pytest_mlops.evidence.metrics.estimates import no_rows, undefined
from pytest_mlops.evidence.tables import LABEL_ROWS, NUMBER_ROWS
from pytest_mlops.evidence.tables.kept import KeptRows

#: The rows have weights, and the function is not told of them.
UNWEIGHTED = "unweighted"


def custom_metric(path: str, task: Task) -> Metric:
    """The metric that a function computes from ``y_true`` and ``y_pred``.

    Both are arrays of the shape ``(rows,)``: numbers for a regression, labels for a
    classification. Nothing is imported before the first estimate, which raises
    MetricError where the function does not work.

    Args:
        path: ``package.module:function``.
        task: what kind of rows it is given.

    Raises:
        ConfigurationError: *path* does not look like that.
    """
    module, _, name = path.partition(":")
    if not name.isidentifier() or not all(p.isidentifier() for p in module.split(".")):
        raise ConfigurationError.one(
            f"a metric of one's own looks like 'package.module:function', got '{path}'",
            source="metrics",
        )
    return Metric(
        name=path,
        title=f"{name} of {module}",
        formula=f"{name}(y_true, y_pred)",
        source=path,
        better=Better.NEITHER,
        kind=LABEL_ROWS if task is Task.CLASSIFICATION else NUMBER_ROWS,
        estimate=partial(_estimate, path),
    )


def _estimate(path: str, table: KeptRows, options: MetricOptions) -> Estimate:
    if not table.rows:
        return no_rows()
    if not table.batches:
        return undefined(table.rows, "the rows that it needs are not stored")
    function = _load(path)
    value = _number(path, function, _call(path, function, table))
    # No interval yet: a bootstrap over the rows would stand here.
    return Estimate(value, table.rows, flags=(UNWEIGHTED,) if table.weighted else ())


def _load(path: str) -> Callable[..., Any]:
    module_name, _, name = path.partition(":")
    try:
        module = importlib.import_module(module_name)
    except Exception as error:
        raise MetricError(
            f"the metric '{path}' cannot be imported: {_told(error)}" f"{_place(error)}"
        ) from error
    function = getattr(module, name, None)
    if not callable(function):
        hint = did_you_mean(name, vars(module))
        raise MetricError(
            f"the metric '{path}' cannot be imported: {module.__file__} has no "
            f"function '{name}'.{hint}"
        )
    found: Callable[..., Any] = function
    return found


def _call(path: str, function: Callable[..., Any], table: KeptRows) -> Any:
    true, predicted = table.arrays()
    try:
        return function(true, predicted)
    except Exception as error:
        place = _line_in(error, _file(function)) or _where(function)
        raise MetricError(
            f"the metric '{path}' raised {_told(error)}{place}"
        ) from error


def _number(path: str, function: Callable[..., Any], value: Any) -> float:
    """The value as a finite float; raises MetricError where it is none."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, (Real, np.bool_)) and math.isfinite(value):
        return float(value)
    text = " ".join(repr(value).split())
    shown = text if len(text) <= 60 else f"{text[:60]}…"
    raise MetricError(
        f"the metric '{path}' must return a finite number, got {shown}"
        f"{_where(function)}"
    )


def _told(error: Exception) -> str:
    said = " ".join(str(error).split())
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def _place(error: Exception) -> str:
    """The line of the user's module that failed to import; empty where unknown."""
    if isinstance(error, SyntaxError):
        return f" ({error.filename}:{error.lineno})"
    machinery = (__file__, importlib.__file__)
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename not in machinery and not frame.filename.startswith("<"):
            return f" ({frame.filename}:{frame.lineno})"
    return ""


def _line_in(error: Exception, file: Optional[str]) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == file]
    return f" ({file}:{lines[-1]})" if lines else ""


def _file(function: Callable[..., Any]) -> Optional[str]:
    code = getattr(inspect.unwrap(function), "__code__", None)
    return code.co_filename if code else None


def _where(function: Callable[..., Any]) -> str:
    code = getattr(inspect.unwrap(function), "__code__", None)
    return f" ({code.co_filename}:{code.co_firstlineno})" if code else ""

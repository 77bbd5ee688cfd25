"""Metrics of one's own: ``package.module:function``, imported when first needed."""

from __future__ import annotations

import importlib
import traceback
from functools import partial
from typing import Any, Callable

from pytest_mlops.core.metrics import Metric, Task
from pytest_mlops.core.suggestions import did_you_mean
from pytest_mlops.errors import ConfigurationError, MetricError
from pytest_mlops.evidence.metrics.calling import told
from pytest_mlops.evidence.metrics.functions import lazy_metric


def custom_metric(path: str, task: Task) -> Metric:
    """The metric that a function computes from ``y_true`` and ``y_pred``.

    Both are arrays of the shape ``(rows,)``: numbers for a regression, labels for a
    classification. Nothing is imported before its table is finished, which raises
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
    return lazy_metric(
        partial(_load, path),
        task,
        path,
        title=f"{name} of {module}",
        formula=f"{name}(y_true, y_pred)",
    )


def _load(path: str) -> Callable[..., Any]:
    module_name, _, name = path.partition(":")
    try:
        module = importlib.import_module(module_name)
    except Exception as error:
        raise MetricError(
            f"the metric '{path}' cannot be imported: {told(error)}" f"{_place(error)}"
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


def _place(error: Exception) -> str:
    """The line of the user's module that failed to import; empty where unknown."""
    if isinstance(error, SyntaxError):
        return f" ({error.filename}:{error.lineno})"
    machinery = (__file__, importlib.__file__)
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename not in machinery and not frame.filename.startswith("<"):
            return f" ({frame.filename}:{frame.lineno})"
    return ""

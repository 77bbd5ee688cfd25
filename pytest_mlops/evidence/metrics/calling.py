"""Call somebody's function on rows, and say what is wrong with it, with its line."""

from __future__ import annotations

import inspect
import math
import traceback
from dataclasses import dataclass
from numbers import Real
from typing import Any, Callable, Optional

import numpy as np
from numpy.typing import NDArray

from pytest_mlops.errors import MetricError


@dataclass(frozen=True)
class Score:
    """A function of ``y_true`` and ``y_pred`` under the name of its metric."""

    name: str
    function: Callable[..., Any]

    def __call__(self, true: NDArray[Any], predicted: NDArray[Any]) -> float:
        """Its value; raises MetricError where it raises, or is no finite number."""
        try:
            value = self.function(true, predicted)
        except (Exception, SystemExit) as error:
            place = _line_in(error, _file(self.function)) or _where(self.function)
            raise MetricError(
                f"the metric '{self.name}' raised {told(error)}{place}"
            ) from error
        return self._number(value)

    def _number(self, value: Any) -> float:
        if isinstance(value, np.ndarray) and value.ndim == 0:
            value = value[()]
        if isinstance(value, (Real, np.bool_)) and math.isfinite(value):
            return float(value)
        text = " ".join(repr(value).split())
        shown = text if len(text) <= 60 else f"{text[:60]}…"
        raise MetricError(
            f"the metric '{self.name}' must return a finite number, got {shown}"
            f"{_where(self.function)}"
        )


def told(error: BaseException) -> str:
    """An exception in one line."""
    said = " ".join(str(error).split())
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def _line_in(error: BaseException, file: Optional[str]) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == file]
    return f" ({file}:{lines[-1]})" if lines else ""


def _file(function: Callable[..., Any]) -> Optional[str]:
    code = getattr(inspect.unwrap(function), "__code__", None)
    return code.co_filename if code else None


def _where(function: Callable[..., Any]) -> str:
    code = getattr(inspect.unwrap(function), "__code__", None)
    return f" ({code.co_filename}:{code.co_firstlineno})" if code else ""

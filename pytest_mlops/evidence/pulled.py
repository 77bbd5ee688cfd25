"""Intervals of a share that a doubt pulls to one side, and of a difference."""

from __future__ import annotations

import math
from typing import Tuple

from pytest_mlops.core.metrics import IntervalFunction
from pytest_mlops.evidence.intervals import quantile

#: A distance from a limit below this is one of rounding; so is an error.
_NOTHING = 1e-12


def symmetric(
    value: float, error: float, limits: Tuple[float, float], free: float = math.inf
) -> IntervalFunction:
    """The interval of a value, to both sides alike but for the limits.

    Args:
        value: inside of the limits.
        error: its standard error.
        limits: the least and the greatest possible value.
        free: the degrees of freedom of the error.
    """
    low, high = limits

    def interval(confidence: float) -> Tuple[float, float]:
        half = quantile(confidence, free) * error
        return max(value - half, low), min(value + half, high)

    return interval


def pulled(
    value: float, error: float, centre: float, wider: float, free: float = math.inf
) -> IntervalFunction:
    """The interval on the logit scale of a share that a doubt pulls to one side.

    On that side it ends where the interval about *centre* does, on the other at the
    farther of both ends.

    Args:
        value: from 0 to 1.
        error: its standard error.
        centre: where the doubt pulls it; strictly between 0 and 1.
        wider: the standard error there.
        free: the degrees of freedom of both errors.
    """

    def interval(confidence: float) -> Tuple[float, float]:
        steps = quantile(confidence, free)
        low, high = _on_logit(value, error, steps)
        lower, higher = _on_logit(centre, wider, steps)
        if centre < value:
            return min(lower, value), max(high, higher, value)
        return min(low, lower, value), max(higher, value)

    return interval


def _on_logit(value: float, error: float, steps: float) -> Tuple[float, float]:
    room = value * (1 - value)
    if room < _NOTHING or error < _NOTHING:
        return value, value
    at, half = math.log(value / (1 - value)), steps * error / room
    return _share(at - half), _share(at + half)


def _share(logit: float) -> float:
    """The share of a logit, without overflow."""
    if logit < 0:
        grown = math.exp(max(logit, -700.0))
        return grown / (1 + grown)
    return 1 / (1 + math.exp(-min(logit, 700.0)))

"""Two estimates from different rows against one another, and many such at once."""

from __future__ import annotations

import math
from typing import List, Sequence, Tuple

from pytest_mlops.core.metrics import Estimate


def independent_difference(first: Estimate, second: Estimate) -> Estimate:
    """first − second, with an interval from both of theirs.

    Newcombe, "Interval estimation for the difference between independent proportions"
    (1998), method 10; for any two estimates Zou & Donner, "Construction of confidence
    limits about effect measures" (2008): to each side, the distances of the ends that
    matter there add up as errors do.

    Returns:
        without a value where one has none, without an interval likewise.
    """
    rows = first.rows + second.rows
    if first.value is None or second.value is None:
        return Estimate(None, rows, first.reason or second.reason)
    here, there = first.value, second.value
    of_first, of_second = first.interval, second.interval
    if of_first is None or of_second is None:
        return Estimate(here - there, rows)

    def interval(confidence: float) -> Tuple[float, float]:
        low, high = of_first(confidence)
        other_low, other_high = of_second(confidence)
        down = math.hypot(here - low, other_high - there)
        up = math.hypot(high - here, there - other_low)
        return here - there - down, here - there + up

    return Estimate(
        here - there,
        rows,
        method="newcombe",
        interval=interval,
        flags=tuple(dict.fromkeys((*first.flags, *second.flags))),
    )


def benjamini_yekutieli(p_values: Sequence[float]) -> List[float]:
    """Adjusted p-values, in the order given.

    Those of at most α hold at most a share α of false discoveries on average, however
    the tests depend on one another.

    Benjamini & Yekutieli, "The control of the false discovery rate in multiple testing
    under dependency" (2001).
    """
    count = len(p_values)
    factor = sum(1 / rank for rank in range(1, count + 1)) * count
    order = sorted(range(count), key=p_values.__getitem__, reverse=True)
    adjusted, least = [1.0] * count, 1.0
    for place, index in enumerate(order):
        least = min(least, factor * p_values[index] / (count - place))
        adjusted[index] = least
    return adjusted

"""The noncentral chi-square distribution, and the noncentralities that fit a value."""

from __future__ import annotations

import math
from statistics import NormalDist

_NORMAL = NormalDist()

#: Halvings of an interval: enough for the last bit.
_STEPS = 100


def lower_tail(x: float, degrees: float, noncentrality: float) -> float:
    """The probability of at most *x*, to about 0.002.

    With fewer than five degrees and a small noncentrality the lower tail comes out too
    large, by which intervals get longer above and never shorter.

    Sankaran, "Approximations to the non-central chi-square distribution" (1963): a
    power of the variable is nearly normal. Unlike the series it is as quick for large
    arguments, and the same on every version of every library.

    Args:
        x: above 0.
        degrees: degrees of freedom, above 0; not necessarily whole.
        noncentrality: at least 0.
    """
    k, ncp = degrees, noncentrality
    mean, twice, thrice = k + ncp, k + 2 * ncp, k + 3 * ncp
    h = 1 - 2 * mean * thrice / (3 * twice * twice)
    p = twice / (mean * mean)
    m = (h - 1) * (1 - 3 * h)
    centre = 1 + h * p * (h - 1 - 0.5 * (2 - h) * m * p)
    spread = h * math.sqrt(2 * p) * (1 + 0.5 * m * p)
    return _NORMAL.cdf(((x / mean) ** h - centre) / spread)


def noncentrality(x: float, degrees: float, probability: float) -> float:
    """The noncentrality with which *x* has this lower tail; 0 where none is so large.

    Args:
        x: the value, above 0.
        degrees: as of ``lower_tail``.
        probability: between 0 and 1.
    """
    if lower_tail(x, degrees, 0.0) <= probability:
        return 0.0
    low, high = 0.0, x + 1.0
    while lower_tail(x, degrees, high) > probability:
        low, high = high, 2 * high
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if lower_tail(x, degrees, middle) > probability:
            low = middle
        else:
            high = middle
    return low

"""The quantiles of Student's t, the same by every version of scipy."""

from __future__ import annotations

import math

#: From here on scipy finds all digits, and the gamma functions below lose theirs.
_NEARLY_NORMAL = 1e6


def student_quantile(tail: float, free: float) -> float:
    """The value above which Student's t lies with this chance; above 0.

    Old versions of scipy find it to nine digits only. One step of Newton's method, by
    the distribution function, which they know to all digits, gives the others.

    Args:
        tail: above 0, below ½.
        free: the degrees of freedom, above 0.
    """
    from scipy.special import stdtr, stdtrit

    found = -float(stdtrit(free, tail))
    if free >= _NEARLY_NORMAL:
        return found
    density = _density(found, free)
    # So far out there is nothing to divide by.
    if not density > 0:
        return found
    return found + (float(stdtr(free, -found)) - tail) / density


def _density(at: float, free: float) -> float:
    half = free / 2
    constant = math.lgamma(half + 0.5) - math.lgamma(half)
    shape = (half + 0.5) * math.log1p(at / free * at)
    return math.exp(constant - shape) / math.sqrt(free * math.pi)

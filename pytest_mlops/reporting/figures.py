"""Numbers as text: few digits, and never a figure rounded across its limit."""

from __future__ import annotations

import math
from typing import Optional, Sequence, Tuple

from pytest_mlops.core.checks import Check

#: Enough for any two floats that differ to differ as text.
_EXACT = 17


def figure(value: float, limits: Sequence[float] = (), *, digits: int = 4) -> str:
    """A number with *digits* significant digits, more where it stands near a limit.

    Digits are added until the text stands on the same side of every limit as the
    value does: 0.84999 held against 0.85 never reads as 0.85.
    """
    for more in range(digits, _EXACT):
        text = _written(value, more)
        if all(_side(float(text), at) == _side(value, at) for at in limits):
            return text
    return _written(value, _EXACT)


def limits(check: Check) -> Tuple[float, ...]:
    """What the figures of a check are held against, its margin included."""
    threshold = check.threshold
    if threshold is None:
        return ()
    bounds = threshold if isinstance(threshold, (list, tuple)) else [threshold]
    slack = (0.0, check.margin, -check.margin) if check.margin else (0.0,)
    return tuple(float(bound) + shift for bound in bounds for shift in slack)


def interval(check: Check) -> Optional[str]:
    """The interval of a check as ``[0.66, 0.76]``; None where it has none."""
    if check.interval is None:
        return None
    held = _compared(check) if check.estimand == "difference" else limits(check)
    low, high = (figure(end, held) for end in check.interval)
    return f"[{low}, {high}]"


def difference(check: Check) -> str:
    """How far the value lies from the baseline's: ``+0.004 [0.001, 0.007]``."""
    if check.difference is None:
        return ""
    sign = "+" if check.difference > 0 else ""
    between = interval(check) if check.estimand == "difference" else None
    written = sign + figure(check.difference, _compared(check))
    return f"{written} {between}" if between else written


def _compared(check: Check) -> Tuple[float, ...]:
    """What the difference is held against: the limits, without the baseline."""
    if check.value is None or check.difference is None:
        return ()
    shift = check.value - check.difference
    # Without the digits that the subtraction has lost.
    return tuple(round(limit - shift, 12) for limit in limits(check))


def count(rows: int) -> str:
    """A number of rows, with commas."""
    return f"{rows:,}"


def rows_words(rows: int) -> str:
    """``1 row``, ``5,000 rows``."""
    return "1 row" if rows == 1 else f"{count(rows)} rows"


def about(rows: int) -> str:
    """An estimated number of rows: two digits, rounded up."""
    unit: int = 10 ** max(0, len(str(rows)) - 2)
    return count(-(-rows // unit) * unit)


def shortfall(check: Check) -> Optional[str]:
    """How far the value lies outside its rule; None where it does not."""
    if check.value is None or check.threshold is None or not check.rule:
        return None
    threshold, written = check.threshold, check.rule.strip()
    low, high = -math.inf, math.inf
    if isinstance(threshold, (list, tuple)):
        low, high = threshold
    elif written.startswith(">"):
        low = threshold
    else:
        high = threshold
    distance = max(low - check.value, check.value - high)
    return figure(distance, digits=2) if distance > 0 else None


def _written(value: float, digits: int) -> str:
    if value == 0 or not math.isfinite(value):
        return f"{abs(value) if value == 0 else value:g}"
    exponent = math.floor(math.log10(abs(value)))
    if not -6 < exponent < 9:
        mantissa, _, power = f"{value:.{digits - 1}e}".partition("e")
        return f"{mantissa.rstrip('0').rstrip('.')}e{power}"
    # A whole number keeps all of its digits: 1234567 is no 1235000.
    fixed = f"{value:.{max(0, digits - 1 - exponent)}f}"
    return fixed.rstrip("0").rstrip(".") if "." in fixed else fixed


def _side(value: float, limit: float) -> int:
    return (value > limit) - (value < limit)

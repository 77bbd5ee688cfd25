"""Labels out of whatever a library holds them in."""

from __future__ import annotations

import math
from datetime import date, time
from typing import Any, Optional

from pytest_mlops.core.rows import Label
from pytest_mlops.evidence.labels import canonical

_BOOLEANS = {"true": 1, "false": 0}


def as_label(value: Any) -> Optional[Label]:
    """*value* as a plain label; None where it is missing.

    As ``evidence.labels.canonical`` has it, and dates and times are their ISO text.

    Raises:
        DataError: it is nothing that can name a class.
    """
    if isinstance(value, (date, time)):
        return value.isoformat()
    return canonical(value)


def as_written(text: str) -> Label:
    """The label that *text* is in a column of numbers or of booleans."""
    if text.lower() in _BOOLEANS:
        return _BOOLEANS[text.lower()]
    try:
        number = float(text)
    except ValueError:
        return text
    if not math.isfinite(number):
        return text
    return int(number) if number.is_integer() else number

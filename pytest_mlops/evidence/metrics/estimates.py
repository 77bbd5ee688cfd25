"""What estimates of every kind share: undefined ones, flags, limits, words."""

from __future__ import annotations

from pytest_mlops.core.metrics import Estimate

LOW_SUPPORT = "low_support"
TOO_MANY_LABELS = "too_many_labels"
FEW_GROUPS_FLAG = "few_groups"
FEW_DISCORDANT_FLAG = "few_discordant"

#: A class with fewer rows than this makes an average over classes uncertain.
FEW_ROWS = 20

UNIT = (0.0, 1.0)
SIGNED_UNIT = (-1.0, 1.0)


def undefined(rows: int, reason: str) -> Estimate:
    """No value, because of *reason*."""
    return Estimate(None, rows, reason)


def no_rows() -> Estimate:
    """No value, because nothing was counted."""
    return undefined(0, "there are no rows")


def counted(number: float, what: str = "row") -> str:
    """``1 row``, ``12 rows``."""
    return f"{number:g} {what}" if number == 1 else f"{int(number)} {what}s"

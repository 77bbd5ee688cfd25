"""Outcomes of checks and runs, the actions that follow, and their order."""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import Iterable


class Outcome(str, Enum):
    """What a check, or a whole run, found out.

    ``FAIL`` says that the product is bad, ``ERROR`` that the instrument broke.
    """

    PASS = "pass"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"
    FAIL = "fail"


class Action(str, Enum):
    """What is to be done about a verdict."""

    PROMOTE = "promote"
    KEEP = "keep"
    HOLD = "hold"
    BLOCK = "block"
    ROLL_BACK = "roll_back"
    RETRAIN = "retrain"


class Decide(str, Enum):
    """What a rule is compared with: the value, or the whole interval."""

    POINT = "point"
    CONFIDENT = "confident"


class OnInconclusive(str, Enum):
    """What an undecided check does to the run."""

    HOLD = "hold"
    FAIL = "fail"
    WARN = "warn"
    PASS = "pass"


class OnMissingBaseline(str, Enum):
    """What a rule against a baseline does while that baseline does not exist."""

    FAIL = "fail"
    SKIP = "skip"


class ExitCode(IntEnum):
    """Exit codes that pytest-mlops adds to pytest's own (0 to 5)."""

    OK = 0
    FAILED = 1
    INTERRUPTED = 2
    INTERNAL_ERROR = 3
    USAGE = 4
    NOTHING_COLLECTED = 5
    HELD = 12


#: From harmless to grave; a run is as bad as its worst check.
SEVERITY = (Outcome.PASS, Outcome.INCONCLUSIVE, Outcome.ERROR, Outcome.FAIL)


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """The gravest of *outcomes*; ``PASS`` where there are none."""
    return max(outcomes, key=SEVERITY.index, default=Outcome.PASS)

"""A measured value that judges itself when it is compared with a number."""

from __future__ import annotations

import math
from typing import Callable, Optional

from pytest_mlops.core.metrics import Estimate

#: From a rule such as ``">= 0.7"`` to whether the policy lets the value pass.
JudgeRule = Callable[[str], bool]


class MeasuredValue:
    """What ``metric("recall")`` gives: compare it with a number.

    Each comparison judges and records one check; it is true unless the policy blocks.
    ``float(value)`` is the bare figure, for arithmetic that judges nothing.

    Attributes:
        used: whether it was compared, or its figure taken.
    """

    def __init__(self, name: str, estimate: Estimate) -> None:
        self.name = name
        self.estimate = estimate
        self.used = False
        self._judge: Optional[JudgeRule] = None

    def judge_by(self, judge: JudgeRule) -> None:
        """Say who judges the comparisons."""
        self._judge = judge

    @property
    def value(self) -> Optional[float]:
        """The bare figure; None where it is undefined."""
        self.used = True
        return self.estimate.value

    def __float__(self) -> float:
        self.used = True
        if self.estimate.value is None:
            raise ValueError(f"{self.name} is undefined: {self.estimate.reason}")
        return self.estimate.value

    def __ge__(self, threshold: float) -> bool:
        return self._compare(">=", threshold)

    def __gt__(self, threshold: float) -> bool:
        return self._compare(">", threshold)

    def __le__(self, threshold: float) -> bool:
        return self._compare("<=", threshold)

    def __lt__(self, threshold: float) -> bool:
        return self._compare("<", threshold)

    def __eq__(self, other: object) -> bool:
        raise TypeError(
            f"{self.name} is a measured value: compare it with >=, >, <= or <, "
            "or take float() of it"
        )

    def __bool__(self) -> bool:
        raise TypeError(f"{self.name} is a measured value: compare it with a number")

    def _compare(self, operator: str, threshold: float) -> bool:
        self.used = True
        if isinstance(threshold, MeasuredValue):
            raise TypeError(
                f"{self.name} is compared with {threshold.name}, another measured "
                "value, which is no exact limit: compare each with a number, or, if "
                "chance does not matter, take float() of both"
            )
        try:
            limit = float(threshold)
        except (TypeError, ValueError):
            limit = math.nan
        if self._judge is None or not math.isfinite(limit):
            raise TypeError(
                f"{self.name} can be compared with a finite number, not with "
                f"{threshold!r}"
            )
        return self._judge(f"{operator} {limit!r}")

    def __repr__(self) -> str:
        value = self.estimate.value
        shown = "undefined" if value is None else f"{value:.6g}"
        return f"<{self.name} = {shown}>"

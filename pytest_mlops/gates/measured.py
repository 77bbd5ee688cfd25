"""A measured value that judges itself when it is compared with a number."""

from __future__ import annotations

from typing import Callable, Optional

from pytest_mlops.core.metrics import Estimate

#: From a rule such as ``">= 0.7"`` to whether the policy lets the value pass.
JudgeRule = Callable[[str], bool]


class MeasuredValue:
    """What ``metric("recall")`` gives: compare it with a number.

    Each comparison judges and records one check; it is true unless the policy blocks.
    ``float(value)`` is the bare figure, for arithmetic that judges nothing.
    """

    def __init__(self, name: str, estimate: Estimate, judge: JudgeRule) -> None:
        self.name = name
        self.estimate = estimate
        self._judge = judge

    @property
    def value(self) -> Optional[float]:
        """The bare figure; None where it is undefined."""
        return self.estimate.value

    def __float__(self) -> float:
        if self.estimate.value is None:
            raise ValueError(f"{self.name} is undefined: {self.estimate.reason}")
        return self.estimate.value

    def __ge__(self, threshold: float) -> bool:
        return self._judge(f">= {float(threshold)!r}")

    def __gt__(self, threshold: float) -> bool:
        return self._judge(f"> {float(threshold)!r}")

    def __le__(self, threshold: float) -> bool:
        return self._judge(f"<= {float(threshold)!r}")

    def __lt__(self, threshold: float) -> bool:
        return self._judge(f"< {float(threshold)!r}")

    def __eq__(self, other: object) -> bool:
        raise TypeError(
            f"{self.name} is a measured value: compare it with >=, >, <= or <, "
            "or take float() of it"
        )

    def __bool__(self) -> bool:
        raise TypeError(f"{self.name} is a measured value: compare it with a number")

    def __repr__(self) -> str:
        shown = "undefined" if self.value is None else f"{self.value:.6g}"
        return f"<{self.name} = {shown}>"
